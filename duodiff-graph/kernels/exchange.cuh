// From the sums as tensor cores leave them to chunks of rows, as the epilogue and memory take them.
#pragma once

#include "epilogue.cuh"
#include "warp.cuh"

/// 16 rows × `COLUMNS` columns of sums of a warp, exchanged through `BYTES` of shared memory that are its own.
template <u32 COLUMNS>
class Exchange {
    /// Floats from row to row. Eight more than a multiple of 16: half a warp writes to all banks.
    static constexpr u32 PITCH = COLUMNS + 8;
    /// Lanes to a row; each stays in its columns.
    static constexpr u32 ACROSS = COLUMNS / CHUNK<T>;
    static_assert(COLUMNS % 16 == 0 && WARP % ACROSS == 0, "a warp's lanes take whole rows");

    float* const memory;
    const Epilogue& epilogue;
    u32 column, count;
    float bias[CHUNK<T>], sums[CHUNK<T>];

    /// Four floats change places with their neighbours in every other 32: lanes that read the same half of chunks meet all banks.
    __device__ static u32 swap_quads(u32 at) {
        return at ^ (at / 32 % 2 * 4);
    }

public:
    static constexpr u32 BYTES = 16 * PITCH * sizeof(float);
    /// Columns whose statistics a warp makes together.
    static constexpr u32 SUMMARIZED = COLUMNS < PART ? COLUMNS : PART;

    /// Columns `column`.. of the output.
    __device__ Exchange(unsigned char* memory, u32 first, const Epilogue& epilogue)
        : memory(reinterpret_cast<float*>(memory)), epilogue(epilogue) {
        column = first + lane_of_warp() % ACROSS * CHUNK<T>;
        count = column < epilogue.n ? min(epilogue.n - column, CHUNK<T>) : 0;
        epilogue.read_bias(column, count, bias);
        Epilogue::read_columns(epilogue.norm.sums, column, count, sums);
    }

    /// Finishes rows `row`.. of `m`. `sums[j]` of a lane: row lane / 4 (elements 0, 1) and 8 + lane / 4 (2, 3), columns
    /// 8 · j + lane % 4 · 2... All lanes take part.
    template <Activation F>
    __device__ void finish(const float (*sums)[4], u32 row, u32 m) const {
        const u32 lane = lane_of_warp();
#pragma unroll
        for (u32 j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
            for (u32 half = 0; half < 2; half++) {
                float* to = memory + (lane / 4 + 8 * half) * PITCH + swap_quads(8 * j + lane % 4 * 2);
                *reinterpret_cast<float2*>(to) = {sums[j][2 * half], sums[j][2 * half + 1]};
            }
        }
        __syncwarp();
#pragma unroll
        for (u32 own = lane / ACROSS; own < 16; own += WARP / ACROSS) {
            float x[CHUNK<T>];
#pragma unroll
            for (u32 quad = 0; quad < CHUNK<T>; quad += 4) {
                const u32 at = lane % ACROSS * CHUNK<T> + quad;
                const float4 four = *reinterpret_cast<const float4*>(memory + own * PITCH + swap_quads(at));
                x[quad] = four.x, x[quad + 1] = four.y, x[quad + 2] = four.z, x[quad + 3] = four.w;
            }
            const bool is_there = row + own < m && count != 0;
            if (is_there) {
                normalize(row + own, x);
                epilogue.finish<F>(row + own, column, count, bias, x);
            }
            // Statistics are of rows that other rows were added to: nobody wants them of an activation.
            if constexpr (F == Activation::none) {
                if (epilogue.summary.to != nullptr) {
                    summarize(is_there, row + own, x);
                }
            }
        }
        __syncwarp();
    }

private:
    __device__ void normalize(u32 r, float (&x)[CHUNK<T>]) const {
        const FoldedNorm& norm = epilogue.norm;
        if (norm.sums != nullptr) {
            const Normal own = norm.normals[r - norm.first];
#pragma unroll
            for (u32 i = 0; i < CHUNK<T>; i++) {
                x[i] = own.scale * fmaf(-own.mean, sums[i], x[i]);
            }
        }
    }

    /// All lanes take part; columns are whole multiples of `PART`.
    __device__ void summarize(bool is_there, u32 r, const float (&x)[CHUNK<T>]) const {
        const Statistics own = statistics_of_lanes<SUMMARIZED / CHUNK<T>>(x);
        const Summary& summary = epilogue.summary;
        if (is_there && column % SUMMARIZED == 0) {
            summary.to[u64(r - summary.row) * summary.pitch + (column - summary.column) / SUMMARIZED] = own;
        }
    }
};
