// Reductions along a row: layer norm and softmax, a warp to each row.
//
// Lane l takes chunks l, l + 32, … of the row, element by element, then the lanes are summed by a fixed tree: the order of
// additions is a function of the row's length.
#pragma once

#include "chunk.cuh"
#include "statistics.cuh"
#include "warp.cuh"

/// One row in two pieces, the second behind the first.
struct JoinedRow {
    const T* first;
    const T* second;
    u32 columns0, columns;

    /// Columns `at`.. of the row, at most a chunk, and how many they are.
    __device__ u32 read(u32 at, float (&out)[CHUNK<T>]) const {
        const u32 count = min(columns - at, CHUNK<T>);
        if (at + count <= columns0) {
            read_some(first + at, count, out);
        } else if (at >= columns0) {
            read_some(second + (at - columns0), count, out);
        } else {
#pragma unroll
            for (u32 i = 0; i < CHUNK<T>; i++) {
                if (i < count) {
                    out[i] = to_float(at + i < columns0 ? first[at + i] : second[at + i - columns0]);
                }
            }
        }
        return count;
    }

    /// Sum over the row of f(element), the same in all lanes.
    template <class F>
    __device__ float sum(F f) const {
        float total = 0;
        for (u32 at = lane_of_warp() * CHUNK<T>; at < columns; at += WARP * CHUNK<T>) {
            float x[CHUNK<T>];
            const u32 count = read(at, x);
#pragma unroll
            for (u32 i = 0; i < CHUNK<T>; i++) {
                if (i < count) {
                    total = f(total, x[i]);
                }
            }
        }
        return sum_of_lanes<WARP>(total);
    }

    /// Writes f(element, column) for the row.
    template <class F>
    __device__ void map(T* out, F f) const {
        for (u32 at = lane_of_warp() * CHUNK<T>; at < columns; at += WARP * CHUNK<T>) {
            float x[CHUNK<T>];
            const u32 count = read(at, x);
#pragma unroll
            for (u32 i = 0; i < CHUNK<T>; i++) {
                if (i < count) {
                    x[i] = f(x[i], at + i);
                }
            }
            write_some(out + at, count, x);
        }
    }
};

/// What a row is shifted and scaled by; the same in all lanes.
__device__ inline Normal normal_of(const JoinedRow& row, float eps) {
    const float count = static_cast<float>(row.columns);
    const float mean = row.sum([](float total, float x) { return total + x; }) / count;
    const float squares = row.sum([mean](float total, float x) { return fmaf(x - mean, x - mean, total); });
    return {mean, 1.0f / sqrtf(squares / count + eps)};
}

/// (x − mean) · (1 / √(variance + eps)) · gain + shift; gain and shift may be null.
__device__ inline void normalize(const JoinedRow& row, const float* gain, const float* shift, float eps, T* out) {
    const Normal normal = normal_of(row, eps);
    row.map(out, [=](float x, u32 column) {
        const float y = (x - normal.mean) * normal.scale;
        return fmaf(y, gain == nullptr ? 1.0f : gain[column], shift == nullptr ? 0.0f : shift[column]);
    });
}
