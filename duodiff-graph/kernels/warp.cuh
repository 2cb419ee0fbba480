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

/// Lane i of each four neighbours gets x[i] of all four, in their order.
__device__ inline void transpose_fours(u32 (&x)[4]) {
    const bool is_odd = lane_of_warp() % 2 != 0, is_upper = lane_of_warp() % 4 >= 2;
#pragma unroll
    for (u32 i = 0; i < 4; i += 2) {
        const u32 other = __shfl_xor_sync(ALL_LANES, is_odd ? x[i] : x[i + 1], 1);
        (is_odd ? x[i] : x[i + 1]) = other;
    }
#pragma unroll
    for (u32 i = 0; i < 2; i++) {
        const u32 other = __shfl_xor_sync(ALL_LANES, is_upper ? x[i] : x[i + 2], 2);
        (is_upper ? x[i] : x[i + 2]) = other;
    }
}
