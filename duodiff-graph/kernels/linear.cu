// out = residual + f(a · weightᵀ + bias) for any shape, address and stride, without tensor cores.
//
// Blocks of 256 threads compute tiles of 64 rows × 64 columns; grid = ⌈m / 64⌉ · ⌈n / 64⌉, columns fastest; 8704 bytes of shared memory.
// Each sum is one chain of fused multiply-adds over k ascending from 0: the same bits as on the CPU. Compile with -fmad=false.
#include "epilogue.cuh"
#include "types.cuh"

constexpr u32 THREADS = 256;
constexpr u32 TILE = 64;
/// Columns of a and of the weight in shared memory at a time.
constexpr u32 DEPTH = 16;
/// Elements that a thread brings, and rows and columns that it computes.
constexpr u32 EACH = 4;

/// Operands with k outermost, so that neighbours in a row or column are read together.
struct Tiles {
    float a[DEPTH][TILE + EACH];
    float b[DEPTH][TILE + EACH];
};

static_assert(sizeof(Tiles) == 8704, "the launch asks for as much");

/// A row of up to two pieces, read a few elements at a time; zeros past its end.
struct Source {
    const T* first;
    const T* second;
    u32 columns0, columns;

    __device__ void read(u32 at, float (&out)[EACH]) const {
#pragma unroll
        for (u32 i = 0; i < EACH; i++) {
            out[i] = 0.0f;
        }
        if (at + EACH <= columns0) {
            read_some(first + at, EACH, out);
        } else if (at >= columns0 && at < columns) {
            read_some(second + (at - columns0), min(columns - at, EACH), out);
        } else {
#pragma unroll
            for (u32 i = 0; i < EACH; i++) {
                if (at + i < columns) {
                    out[i] = to_float(at + i < columns0 ? first[at + i] : second[at + i - columns0]);
                }
            }
        }
    }
};

template <Activation F>
__device__ inline void linear(const Window& a0, const Window& a1, const T* weight, const Epilogue& epilogue, u32 m, u32 n, u32 k, const Step* step) {
    Tiles& tiles = *reinterpret_cast<Tiles*>(shared_memory());
    const u32 across = ceiling(n, TILE);
    const u32 row0 = blockIdx.x / across * TILE, column0 = blockIdx.x % across * TILE;
    // Four threads bring a row; rows past the end repeat the last one, and their sums are dropped.
    const u32 own = threadIdx.x / (DEPTH / EACH), at = threadIdx.x % (DEPTH / EACH) * EACH;
    const u32 r = min(row0 + own, m - 1), c = min(column0 + own, n - 1);
    const T* second = a1.base == nullptr ? nullptr : row_of<T>(a1, r, step);
    const Source a = {row_of<T>(a0, r, step), second, min(a0.columns, k), k};
    const Source b = {weight + u64(c) * k, nullptr, k, k};
    const u32 down = threadIdx.x / (TILE / EACH) * EACH, right = threadIdx.x % (TILE / EACH) * EACH;

    float sums[EACH][EACH] = {};
    float next_a[EACH], next_b[EACH];
    a.read(at, next_a);
    b.read(at, next_b);
    for (u32 k0 = 0; k0 < k; k0 += DEPTH) {
        __syncthreads();
#pragma unroll
        for (u32 i = 0; i < EACH; i++) {
            tiles.a[at + i][own] = next_a[i];
            tiles.b[at + i][own] = next_b[i];
        }
        __syncthreads();
        // The next columns are on their way while these are multiplied.
        a.read(k0 + DEPTH + at, next_a);
        b.read(k0 + DEPTH + at, next_b);
#pragma unroll
        for (u32 depth = 0; depth < DEPTH; depth++) {
            const float4 x = *reinterpret_cast<const float4*>(&tiles.a[depth][down]);
            const float4 y = *reinterpret_cast<const float4*>(&tiles.b[depth][right]);
            const float xs[EACH] = {x.x, x.y, x.z, x.w}, ys[EACH] = {y.x, y.y, y.z, y.w};
#pragma unroll
            for (u32 i = 0; i < EACH; i++) {
#pragma unroll
                for (u32 j = 0; j < EACH; j++) {
                    sums[i][j] = fmaf(xs[i], ys[j], sums[i][j]);
                }
            }
        }
    }
    const u32 column = column0 + right;
    if (column >= n) {
        return;
    }
    const u32 count = min(n - column, EACH);
    float bias[EACH];
    epilogue.read_bias(column, count, bias);
#pragma unroll
    for (u32 i = 0; i < EACH; i++) {
        if (row0 + down + i < m) {
            epilogue.finish<F>(row0 + down + i, column, count, bias, sums[i]);
        }
    }
}

#define LINEAR(name, activation)                                                                                                            \
    ENTRY(THREADS, name, Window a0, Window a1, const T* weight, const float* bias, Window residual, T* out, u32 m, u32 n, u32 k,            \
          const Step* step) {                                                                                                               \
        linear<activation>(a0, a1, weight, {bias, residual, out, n, step}, m, n, k, step);                                                  \
    }

#ifdef DUODIFF_BF16
LINEAR(linear_bf16_none, Activation::none)
LINEAR(linear_bf16_gelu, Activation::gelu)
LINEAR(linear_bf16_gelu_tanh, Activation::gelu_tanh)
LINEAR(linear_bf16_silu, Activation::silu)
#else
LINEAR(linear_f32_none, Activation::none)
LINEAR(linear_f32_gelu, Activation::gelu)
LINEAR(linear_f32_gelu_tanh, Activation::gelu_tanh)
LINEAR(linear_f32_silu, Activation::silu)
#endif
