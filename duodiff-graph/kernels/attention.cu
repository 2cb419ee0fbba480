// out = softmax(scale · q·kᵀ)·v for each head: any number of queries and keys, heads of up to 256 columns.
//
// Blocks of 256 threads take 32 query rows of one head of one image, a warp to four of them; grid = (images · heads, ⌈queries / 32⌉). Shared
// memory: 4 · 32 · (3·width + 2) bytes. Keys come 32 at a time, a lane to each, with a running maximum and sum, so the order of
// additions is a function of the number of keys.
#include "activation.cuh"
#include "ptx.cuh"
#include "types.cuh"
#include "warp.cuh"

constexpr u32 THREADS = 256;
/// Query rows of a warp, and of a block.
constexpr u32 ROWS = 4;
constexpr u32 QUERIES = THREADS / WARP * ROWS;
/// Keys in shared memory at a time.
constexpr u32 KEYS = WARP;
/// Columns of the result that a lane holds: lane, lane + 32, …
constexpr u32 PARTS = 8;

/// Brings 32 rows from row `first` on, `width` columns each, to rows of `pitch` floats; zeros past row `end`.
__device__ inline void bring(const Window& from, u32 first, u32 end, u32 column, u32 width, u32 pitch, float* to, const Step* step) {
    for (u32 index = threadIdx.x; index < KEYS * width; index += THREADS) {
        const u32 r = index / width, c = index % width;
        to[r * pitch + c] = first + r < end ? to_float(row_of<T>(from, first + r, step)[column + c]) : 0.0f;
    }
}

ENTRY(THREADS, TYPED(attention), Window q, Window k, Window v, u32 heads, u32 width, float scale, T* out, u32, const Step* step) {
    // An odd number of floats from key to key: lanes read from banks of their own.
    const u32 pitch = width | 1;
    float* const keys = reinterpret_cast<float*>(shared_memory());
    float* const values = keys + KEYS * pitch;
    float* const queries = values + KEYS * pitch;
    const u32 image = blockIdx.x / heads, column = blockIdx.x % heads * width;
    const u32 warp = threadIdx.x / WARP, lane = lane_of_warp();
    const u32 first = image * q.rows + blockIdx.y * QUERIES, end = (image + 1) * q.rows;
    bring(q, first, end, column, width, width, queries, step);

    float sums[ROWS][PARTS] = {};
    float largest[ROWS], total[ROWS];
#pragma unroll
    for (u32 row = 0; row < ROWS; row++) {
        largest[row] = -infinity();
        total[row] = 0.0f;
    }
    for (u32 key = 0; key < k.rows; key += KEYS) {
        __syncthreads();
        bring(k, image * k.rows + key, (image + 1) * k.rows, column, width, pitch, keys, step);
        bring(v, image * k.rows + key, (image + 1) * k.rows, column, width, pitch, values, step);
        __syncthreads();
        float scores[ROWS] = {};
        for (u32 c = 0; c < width; c++) {
            const float x = keys[lane * pitch + c];
#pragma unroll
            for (u32 row = 0; row < ROWS; row++) {
                scores[row] = fmaf(queries[(warp * ROWS + row) * width + c], x, scores[row]);
            }
        }
#pragma unroll
        for (u32 row = 0; row < ROWS; row++) {
            const float score = key + lane < k.rows ? scores[row] * scale : -infinity();
            const float highest = fmaxf(largest[row], largest_of_lanes<WARP>(score));
            // 0 for the first keys, whatever the sums are.
            const float shrink = largest[row] == highest ? 1.0f : exponential(largest[row] - highest);
            scores[row] = key + lane < k.rows ? exponential(score - highest) : 0.0f;
            total[row] = fmaf(total[row], shrink, sum_of_lanes<WARP>(scores[row]));
            largest[row] = highest;
#pragma unroll
            for (u32 part = 0; part < PARTS; part++) {
                sums[row][part] *= shrink;
            }
        }
        const u32 count = min(k.rows - key, KEYS);
        for (u32 j = 0; j < count; j++) {
            float p[ROWS];
#pragma unroll
            for (u32 row = 0; row < ROWS; row++) {
                p[row] = __shfl_sync(ALL_LANES, scores[row], j);
            }
#pragma unroll
            for (u32 part = 0; part < PARTS; part++) {
                const u32 c = part * WARP + lane;
                if (c < width) {
                    const float x = values[j * pitch + c];
#pragma unroll
                    for (u32 row = 0; row < ROWS; row++) {
                        sums[row][part] = fmaf(p[row], x, sums[row][part]);
                    }
                }
            }
        }
    }
#pragma unroll
    for (u32 row = 0; row < ROWS; row++) {
        const u32 r = first + warp * ROWS + row;
#pragma unroll
        for (u32 part = 0; part < PARTS; part++) {
            const u32 c = part * WARP + lane;
            if (r < end && c < width) {
                from_float(sums[row][part] / total[row], out[u64(r) * heads * width + column + c]);
            }
        }
    }
}
