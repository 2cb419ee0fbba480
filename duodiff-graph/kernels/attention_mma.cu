// out = softmax(scale · q·kᵀ)·v for each head on tensor cores, in bfloat16: heads of 32, 64 or 72 columns and at most 304 keys.
//
// Blocks of 128 threads hold the keys and values of one head of one image; grid = (images · heads, any number): a head's blocks share
// its queries, 16 to a warp at a time. Shared memory: 2 · P · pitch bytes, P = keys rounded up to 16, pitch = 80 bytes for 32 columns
// and 144 for the others. A warp has all scores of its queries in registers, so the softmax is one over whole rows; its exponentials
// are rounded to bfloat16 for the product with the values. Sums add keys in ascending order. Wanted: rows of q, k and v, and out,
// start at multiples of 16 bytes.
#include "ptx.cuh"
#include "types.cuh"
#include "warp.cuh"

constexpr u32 THREADS = 128;
constexpr u32 WARPS = THREADS / WARP;
/// Queries of a warp, and keys at a time.
constexpr u32 ROWS = 16;
/// Most keys, in steps of ROWS.
constexpr u32 STEPS = 304 / ROWS;

/// Heads of `WIDTH` columns.
template <u32 WIDTH>
struct Head {
    /// Chunks of 16 bytes, eight columns: to a row, and from row to row. An odd number keeps rows in banks of their own.
    static constexpr u32 CHUNKS = WIDTH / 8, PITCH = (CHUNKS | 1) * 16;
    /// Steps of 16 columns; the last one may have 8.
    static constexpr u32 DEPTHS = (CHUNKS + 1) / 2;
};

/// Starts to copy the rows of an image from `row` on, `count` of them and zeros up to `padded`, to shared address `to`.
template <u32 WIDTH>
__device__ inline void bring(u32 to, const bf16* row, u32 stride, u32 count, u32 padded) {
    for (u32 index = threadIdx.x; index < padded * Head<WIDTH>::CHUNKS; index += THREADS) {
        const u32 r = index / Head<WIDTH>::CHUNKS, chunk = index % Head<WIDTH>::CHUNKS;
        const bool is_there = r < count;
        const bf16* from = is_there ? row + u64(r) * stride + 8 * chunk : row;
        copy16(to + r * Head<WIDTH>::PITCH + chunk * 16, from, is_there ? 16 : 0);
    }
}

/// 16 queries of a warp.
template <u32 WIDTH>
struct Queries {
    using H = Head<WIDTH>;

    /// Scores of rows lane / 4 (elements 0, 1) and 8 + lane / 4 (2, 3), columns lane % 4 · 2.. of each half of a step.
    float scores[STEPS][2][4];

    /// Two columns of a row; 0 where there is no row.
    __device__ static u32 read(const bf16* row, u32 column) {
        return row == nullptr ? 0 : *reinterpret_cast<const u32*>(row + column + lane_of_warp() % 4 * 2);
    }

    /// Scores against the keys at shared address `keys`; rows that are null are zeros.
    __device__ void multiply_keys(const bf16* upper, const bf16* lower, u32 keys, u32 steps) {
        u32 query[H::DEPTHS][4];
#pragma unroll
        for (u32 depth = 0; depth < H::DEPTHS; depth++) {
            const bool is_whole = 2 * depth + 1 < H::CHUNKS;
            query[depth][0] = read(upper, 16 * depth);
            query[depth][1] = read(lower, 16 * depth);
            query[depth][2] = is_whole ? read(upper, 16 * depth + 8) : 0;
            query[depth][3] = is_whole ? read(lower, 16 * depth + 8) : 0;
        }
        const u32 lane = lane_of_warp();
        const u32 row = keys + (lane / 16 * 8 + lane % 8) * H::PITCH, chunk = lane / 8 % 2 * 16;
#pragma unroll
        for (u32 step = 0; step < STEPS; step++) {
            if (step >= steps) {
                break;
            }
#pragma unroll
            for (u32 i = 0; i < 4; i++) {
                scores[step][0][i] = scores[step][1][i] = 0.0f;
            }
#pragma unroll
            for (u32 depth = 0; depth < H::DEPTHS; depth++) {
                const bool is_whole = 2 * depth + 1 < H::CHUNKS;
                u32 key[4];
                load_matrices(key, row + step * ROWS * H::PITCH + 32 * depth + (is_whole ? chunk : 0));
                multiply_bf16(scores[step][0], query[depth], key[0], is_whole ? key[1] : 0);
                multiply_bf16(scores[step][1], query[depth], key[2], is_whole ? key[3] : 0);
            }
        }
    }

    /// Scales the scores by `factor`, those past `count` to −infinity; the largest of both rows.
    __device__ float2 scale_scores(float factor, u32 count, u32 steps) {
        float upper = -infinity(), lower = -infinity();
#pragma unroll
        for (u32 step = 0; step < STEPS; step++) {
            if (step >= steps) {
                break;
            }
#pragma unroll
            for (u32 half = 0; half < 2; half++) {
#pragma unroll
                for (u32 i = 0; i < 4; i++) {
                    const u32 key = ROWS * step + 8 * half + lane_of_warp() % 4 * 2 + i % 2;
                    scores[step][half][i] = key < count ? scores[step][half][i] * factor : -infinity();
                }
                upper = fmaxf(upper, fmaxf(scores[step][half][0], scores[step][half][1]));
                lower = fmaxf(lower, fmaxf(scores[step][half][2], scores[step][half][3]));
            }
        }
        return {largest_of_lanes<4>(upper), largest_of_lanes<4>(lower)};
    }

    /// The product of 2^(score − largest) and the values at shared address `values`; returns the sum of the powers of both rows.
    __device__ float2 multiply_values(float2 largest, u32 values, u32 steps, float (&sums)[H::CHUNKS][4]) {
        const u32 lane = lane_of_warp();
        const u32 row = values + lane % 16 * H::PITCH, chunk = lane / 16 * 16;
        float upper = 0.0f, lower = 0.0f;
#pragma unroll
        for (u32 step = 0; step < STEPS; step++) {
            if (step >= steps) {
                break;
            }
            u32 powers[4];
#pragma unroll
            for (u32 half = 0; half < 2; half++) {
                float (&x)[4] = scores[step][half];
                x[0] = exp2_fast(x[0] - largest.x), x[1] = exp2_fast(x[1] - largest.x);
                x[2] = exp2_fast(x[2] - largest.y), x[3] = exp2_fast(x[3] - largest.y);
                upper = upper + x[0] + x[1];
                lower = lower + x[2] + x[3];
                powers[2 * half] = pack(x[0], x[1]);
                powers[2 * half + 1] = pack(x[2], x[3]);
            }
#pragma unroll
            for (u32 depth = 0; depth < H::DEPTHS; depth++) {
                const bool is_whole = 2 * depth + 1 < H::CHUNKS;
                u32 value[4];
                load_transposed(value, row + step * ROWS * H::PITCH + 32 * depth + (is_whole ? chunk : 0));
                multiply_bf16(sums[2 * depth], powers, value[0], value[1]);
                if (is_whole) {
                    multiply_bf16(sums[2 * depth + 1], powers, value[2], value[3]);
                }
            }
        }
        return {sum_of_lanes<4>(upper), sum_of_lanes<4>(lower)};
    }
};

/// Writes a row of sums · factor, columns as in the scores; nothing if `out` is null. All lanes take part.
template <u32 CHUNKS>
__device__ inline void write_row(bf16* out, const float (&sums)[CHUNKS][4], u32 first, float factor) {
    const u32 place = lane_of_warp() % 4;
#pragma unroll
    for (u32 chunk = 0; chunk + 4 <= CHUNKS; chunk += 4) {
        u32 x[4];
#pragma unroll
        for (u32 i = 0; i < 4; i++) {
            x[i] = pack(sums[chunk + i][first] * factor, sums[chunk + i][first + 1] * factor);
        }
        // A lane with two columns of each of four chunks gets a whole chunk.
        transpose_fours(x);
        if (out != nullptr) {
            write16(out + 8 * (chunk + place), {x[0], x[1], x[2], x[3]});
        }
    }
#pragma unroll
    for (u32 chunk = CHUNKS / 4 * 4; chunk < CHUNKS; chunk++) {
        if (out != nullptr) {
            *reinterpret_cast<u32*>(out + 8 * chunk + 2 * place) = pack(sums[chunk][first] * factor, sums[chunk][first + 1] * factor);
        }
    }
}

template <u32 WIDTH>
__device__ inline void attention(const Window& q, const Window& k, const Window& v, u32 heads, float scale, bf16* out, const Step* step) {
    using H = Head<WIDTH>;
    const u32 image = blockIdx.x / heads, column = blockIdx.x % heads * WIDTH;
    const u32 steps = min((k.rows + ROWS - 1) / ROWS, STEPS), padded = steps * ROWS;
    const u32 keys = shared_address(shared_memory()), values = keys + padded * H::PITCH;
    bring<WIDTH>(keys, row_of<bf16>(k, image * k.rows, step) + column, k.stride, k.rows, padded);
    commit_copies();
    bring<WIDTH>(values, row_of<bf16>(v, image * v.rows, step) + column, v.stride, v.rows, padded);
    commit_copies();
    await_copies<1>();
    __syncthreads();

    // Scores are multiplied by scale · log2 e, so that powers of 2 do.
    const float factor = scale * 1.44269504f;
    u32 first = (blockIdx.y * WARPS + threadIdx.x / WARP) * ROWS;
    bool await_values = true;
    while (await_values || first < q.rows) {
        const u32 upper = first + lane_of_warp() / 4, lower = upper + 8;
        Queries<WIDTH> queries;
        if (first < q.rows) {
            const bf16* const rows = row_of<bf16>(q, image * q.rows, step) + column;
            const bf16* const upper_row = upper < q.rows ? rows + u64(upper) * q.stride : nullptr;
            const bf16* const lower_row = lower < q.rows ? rows + u64(lower) * q.stride : nullptr;
            queries.multiply_keys(upper_row, lower_row, keys, steps);
        }
        if (await_values) {
            await_copies<0>();
            __syncthreads();
            await_values = false;
        }
        if (first < q.rows) {
            const float2 largest = queries.scale_scores(factor, k.rows, steps);
            float sums[H::CHUNKS][4] = {};
            const float2 total = queries.multiply_values(largest, values, steps, sums);
            bf16* const rows = out + u64(image) * q.rows * heads * WIDTH + column;
            write_row(upper < q.rows ? rows + u64(upper) * heads * WIDTH : nullptr, sums, 0, 1.0f / total.x);
            write_row(lower < q.rows ? rows + u64(lower) * heads * WIDTH : nullptr, sums, 2, 1.0f / total.y);
        }
        first += gridDim.y * WARPS * ROWS;
    }
}

#define ATTENTION(columns)                                                                                                                  \
    ENTRY(THREADS, attention_mma_bf16_##columns, Window q, Window k, Window v, u32 heads, u32, float scale, bf16* out, u32,                 \
          const Step* step) {                                                                                                               \
        attention<columns>(q, k, v, heads, scale, out, step);                                                                               \
    }

ATTENTION(32)
ATTENTION(64)
ATTENTION(72)
