// out = residual + f(norm(a) · weightᵀ + bias) on tensor cores, sums in float: bfloat16, or float rounded to TF32. f is
// `DUODIFF_ACTIVATION`.
//
// Blocks of 128 threads compute tiles of 128 × 128, 128 × 64, 64 × 64 or 32 × 32 (rows × columns), a quarter to each warp;
// grid = ⌈m / rows⌉ · ⌈n / columns⌉, columns fastest; shared memory: 128 · (rows + columns) bytes per stage, 3, 4, 4 or 6 of them,
// and 24 · rows. Slices of k have stages of their own: the next ones come while one is multiplied. Each sum adds 32 bytes of k at a
// time in ascending order, so its bits are a function of k, whatever the tile. Wanted: k and the columns of a0 are multiples of 8;
// rows of a0, a1 and the weight start at multiples of 16 bytes.
//
// norm(a) is a layer norm folded into the parameters (`FoldedNorm`): `sums` are those of the weight's rows, `statistics` those of the
// rows of a, k / 32 of each. Where `sums` is null, a is taken as it is. `summary`, unless it is null, gets the statistics of the rows of
// out, n / 32 of each; only without an activation. k and n are multiples of 32 then.
#include "exchange.cuh"
#include "slices.cuh"
#include "types.cuh"
#include "warp.cuh"

constexpr u32 THREADS = 128;
/// Bytes of k that one instruction multiplies, and how many of them are a slice.
constexpr u32 DEPTH_BYTES = 32;
constexpr u32 DEPTHS = SLICE_BYTES / DEPTH_BYTES;

__device__ inline void multiply(float (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1, bf16) {
    multiply_bf16(sum, a, b0, b1);
}

__device__ inline void multiply(float (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1, float) {
    multiply_tf32(sum, a, b0, b1);
}

/// What the instruction takes of a loaded operand.
__device__ inline void round_operand(u32 (&)[4], bf16) {}

__device__ inline void round_operand(u32 (&x)[4], float) {
#pragma unroll
    for (u32 i = 0; i < 4; i++) {
        x[i] = round_tf32(x[i]);
    }
}

/// A warp's part of a tile: `ROWS` rows of a by `COLUMNS` rows of the weight.
template <u32 ROWS, u32 COLUMNS>
class Part {
    static constexpr u32 DOWN = ROWS / 16, RIGHT = COLUMNS / 16;

    /// Operands of one instruction depth: 16 rows of a each, 16 rows of the weight each.
    struct Operands {
        u32 a[DOWN][4], b[RIGHT][4];
    };

    float sums[DOWN][2 * RIGHT][4] = {};
    Operands operands[2];
    u32 a, b;

public:
    /// `a` and `b`: bytes from the start of a stage to the part's rows; multiples of 8 rows.
    __device__ Part(u32 a, u32 b) {
        const u32 lane = lane_of_warp();
        this->a = a + place_in_slice(lane % 16, lane / 16);
        this->b = b + place_in_slice(lane / 16 * 8 + lane % 8, lane / 8 % 2);
    }

    /// Takes the operands of depth `depth` of the slices at `stage`.
    __device__ void load(u32 stage, u32 depth) {
        Operands& to = operands[depth % 2];
#pragma unroll
        for (u32 i = 0; i < DOWN; i++) {
            load_matrices(to.a[i], stage + (a ^ depth * DEPTH_BYTES) + i * 16 * SLICE_BYTES);
            round_operand(to.a[i], T());
        }
#pragma unroll
        for (u32 j = 0; j < RIGHT; j++) {
            load_matrices(to.b[j], stage + (b ^ depth * DEPTH_BYTES) + j * 16 * SLICE_BYTES);
            round_operand(to.b[j], T());
        }
    }

    __device__ void multiply_loaded(u32 depth) {
        const Operands& from = operands[depth % 2];
#pragma unroll
        for (u32 i = 0; i < DOWN; i++) {
#pragma unroll
            for (u32 j = 0; j < 2 * RIGHT; j++) {
                multiply(sums[i][j], from.a[i], from.b[j / 2][j % 2 * 2], from.b[j / 2][j % 2 * 2 + 1], T());
            }
        }
    }

    static constexpr u32 EXCHANGE_BYTES = Exchange<COLUMNS>::BYTES;

    /// Finishes rows `row`.. of `m`, columns `column`... `memory` is the warp's own.
    template <Activation F>
    __device__ void finish(unsigned char* memory, u32 row, u32 column, u32 m, const Epilogue& epilogue) const {
        const Exchange<COLUMNS> exchange(memory, column, epilogue);
#pragma unroll
        for (u32 i = 0; i < DOWN; i++) {
            exchange.template finish<F>(sums[i], row + 16 * i, m);
        }
    }
};

/// Layer norm folded into a product, and what the next one wants to know.
struct Norms {
    const Window& statistics;
    const float* sums;
    float eps;
    Statistics* summary;
};

/// Statistics of the halves of `PART` columns, as two warps made them, become those of `PART` columns.
template <u32 ROWS>
__device__ inline void join_halves(const Statistics* halves, Statistics* summary, u32 row, u32 column, u32 m, u32 n) {
    const u32 r = row + threadIdx.x;
    if (threadIdx.x < ROWS && r < m && column < n) {
        const Statistics* own = halves + 2 * threadIdx.x;
        summary[u64(r) * (n / PART) + column / PART] = both(own[0], own[1], static_cast<float>(PART / 2));
    }
}

/// `STAGES` slices are in shared memory or on their way.
template <u32 ROWS, u32 COLUMNS, u32 STAGES, Activation F>
__device__ inline void linear_mma(const Window& a0, const Window& a1, const T* weight, Epilogue epilogue, const Norms& norms, u32 m, u32 n,
                                  u32 k, const Step* step) {
    constexpr u32 STAGE_BYTES = (ROWS + COLUMNS) * SLICE_BYTES;
    using WarpsPart = Part<ROWS / 2, COLUMNS / 2>;
    constexpr bool HAS_HALVES = COLUMNS / 2 < PART;
    constexpr u32 HALVES = THREADS / WARP * WarpsPart::EXCHANGE_BYTES;
    static_assert(HALVES + HAS_HALVES * ROWS * 2 * sizeof(Statistics) <= STAGES * STAGE_BYTES, "sums are exchanged where slices were");
    static_assert(!HAS_HALVES || COLUMNS == PART, "a tile has whole parts");

    const u32 across = ceiling(n, COLUMNS), warp = threadIdx.x / WARP;
    const u32 row = blockIdx.x / across * ROWS, column = blockIdx.x % across * COLUMNS;
    const u32 down = warp / 2 * (ROWS / 2), right = warp % 2 * (COLUMNS / 2);
    auto& rows = *reinterpret_cast<RowTable<ROWS>*>(shared_memory() + STAGES * STAGE_BYTES);
    rows.fill(a0, a1, row, m, step);
    __syncthreads();
    Bringer<ROWS, COLUMNS, THREADS> bringer(weight, a0.columns, n, k, threadIdx.x);
    bringer.start(column);
    const u32 stages = shared_address(shared_memory());

    const u32 slices = ceiling(k, SLICE);
#pragma unroll
    for (u32 stage = 0; stage < STAGES - 1; stage++) {
        if (stage < slices) {
            bringer.bring(rows, stages + stage * STAGE_BYTES);
        }
        commit_copies();
    }
    auto* const normals = reinterpret_cast<Normal*>(shared_memory() + STAGES * STAGE_BYTES + sizeof(RowTable<ROWS>));
    if (norms.sums != nullptr && threadIdx.x < ROWS && row + threadIdx.x < m) {
        normals[threadIdx.x] = normal_of(row_of<Statistics>(norms.statistics, row + threadIdx.x, step), k, norms.eps);
    }
    await_copies<STAGES - 2>();
    __syncthreads();
    WarpsPart part(down * SLICE_BYTES, (ROWS + right) * SLICE_BYTES);
    part.load(stages, 0);
    u32 stage = 0, free = STAGES - 1;
    for (u32 slice = 0; slice < slices; slice++) {
        const u32 next = stage + 1 == STAGES ? 0 : stage + 1;
#pragma unroll
        for (u32 depth = 0; depth < DEPTHS; depth++) {
            if (depth + 1 < DEPTHS) {
                part.load(stages + stage * STAGE_BYTES, depth + 1);
            } else {
                // The next slice is here, and nobody reads this one any more.
                await_copies<STAGES - 2>();
                __syncthreads();
                part.load(stages + next * STAGE_BYTES, 0);
            }
            if (depth == 0) {
                if (slice + STAGES - 1 < slices) {
                    bringer.bring(rows, stages + free * STAGE_BYTES);
                }
                commit_copies();
            }
            part.multiply_loaded(depth);
        }
        free = stage;
        stage = next;
    }
    await_copies<0>();
    __syncthreads();
    epilogue.norm = {norms.sums, normals, row};
    auto* const halves = reinterpret_cast<Statistics*>(shared_memory() + HALVES);
    if (norms.summary != nullptr) {
        epilogue.summary = HAS_HALVES ? Summary{halves, 2, row, column} : Summary{norms.summary, n / PART, 0, 0};
    }
    part.template finish<F>(shared_memory() + warp * WarpsPart::EXCHANGE_BYTES, row + down, column + right, m, epilogue);
    if constexpr (HAS_HALVES && F == Activation::none) {
        if (norms.summary != nullptr) {
            __syncthreads();
            join_halves<ROWS>(halves, norms.summary, row, column, m, n);
        }
    }
}

#define LINEAR(type, rows, columns, stages, activation)                                                                                     \
    ENTRY(THREADS, linear_mma_##type##_##rows##x##columns##_##activation, Window a0, Window a1, const T* weight, const float* bias,         \
          Window residual, T* out, u32 m, u32 n, u32 k, const Step* step, Window statistics, const float* sums, float eps,                  \
          Statistics* summary) {                                                                                                            \
        const Norms norms = {statistics, sums, eps, summary};                                                                               \
        linear_mma<rows, columns, stages, Activation::activation>(a0, a1, weight, {bias, residual, out, n, step}, norms, m, n, k, step);    \
    }

#ifdef DUODIFF_BF16
#define TYPE bf16
#else
#define TYPE tf32
#endif
// In between, so that names of macros become what they stand for before they are joined.
#define LINEAR_OF(type, rows, columns, stages, activation) LINEAR(type, rows, columns, stages, activation)
#define TILE(rows, columns, stages) LINEAR_OF(TYPE, rows, columns, stages, DUODIFF_ACTIVATION)

TILE(128, 128, 3)
TILE(128, 64, 4)
TILE(64, 64, 4)
TILE(32, 32, 6)
