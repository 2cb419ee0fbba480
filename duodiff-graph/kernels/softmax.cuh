// Softmax of a row: subtract the largest, exponentiate, divide by the sum.
#pragma once

#include "activation.cuh"
#include "norm.cuh"

__device__ inline void softmax_of(const JoinedRow& row, T* out) {
    float largest = -infinity();
    for (u32 at = lane_of_warp() * CHUNK<T>; at < row.columns; at += WARP * CHUNK<T>) {
        float x[CHUNK<T>];
        const u32 count = row.read(at, x);
#pragma unroll
        for (u32 i = 0; i < CHUNK<T>; i++) {
            largest = i < count ? fmaxf(largest, x[i]) : largest;
        }
    }
    largest = largest_of_lanes<WARP>(largest);
    const float sum = row.sum([=](float total, float x) { return total + exponential(x - largest); });
    row.map(out, [=](float x, u32) { return exponential(x - largest) / sum; });
}
