// Warps: 32 threads that exchange registers.
#pragma once

#include "types.cuh"

constexpr u32 WARP = 32;
constexpr u32 ALL_LANES = 0xFFFFFFFF;

__device__ inline u32 lane_of_warp() {
    return threadIdx.x % WARP;
}

/// The sum over `LANES` neighbours, the same in each of them: a fixed tree.
template <u32 LANES>
__device__ inline float sum_of_lanes(float x) {
#pragma unroll
    for (u32 distance = LANES / 2; distance != 0; distance /= 2) {
        x += __shfl_xor_sync(ALL_LANES, x, distance);
    }
    return x;
}

/// The largest over `LANES` neighbours.
template <u32 LANES>
__device__ inline float largest_of_lanes(float x) {
#pragma unroll
    for (u32 distance = LANES / 2; distance != 0; distance /= 2) {
        x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, distance));
    }
    return x;
}
