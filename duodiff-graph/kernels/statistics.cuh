// Statistics of rows, a few columns at a time: what a layer norm has to know of a row, from the kernel that writes it.
//
// A row's statistics are those of each `PART` columns, of the elements as they lie in memory. The order of additions is a function of
// the columns alone, so neither tile nor batch changes a bit.
#pragma once

#include "chunk.cuh"
#include "warp.cuh"

/// Columns that are taken together, whatever the tile.
constexpr u32 PART = 32;

/// The mean of some numbers, and the sum of their squared distances from it.
struct Statistics {
    float mean, squares;
};

/// Of two lots of `count` numbers each; the same whichever comes first.
__device__ inline Statistics both(Statistics a, Statistics b, float count) {
    const float apart = a.mean - b.mean;
    return {0.5f * (a.mean + b.mean), fmaf(apart * apart, 0.5f * count, a.squares + b.squares)};
}

/// Of a chunk, as it is written.
__device__ inline Statistics statistics_of(const float (&x)[CHUNK<T>]) {
    const uint4 bits = chunk_bits(x);
    float sum = 0, squares = 0;
#pragma unroll
    for (u32 i = 0; i < CHUNK<T>; i++) {
        sum += element(bits, i, T());
    }
    const float mean = sum * (1.0f / CHUNK<T>);
#pragma unroll
    for (u32 i = 0; i < CHUNK<T>; i++) {
        const float distance = element(bits, i, T()) - mean;
        squares = fmaf(distance, distance, squares);
    }
    return {mean, squares};
}

/// Of the chunks of `LANES` neighbours, the same in each of them.
template <u32 LANES>
__device__ inline Statistics statistics_of_lanes(const float (&x)[CHUNK<T>]) {
    Statistics own = statistics_of(x);
#pragma unroll
    for (u32 distance = 1; distance < LANES; distance *= 2) {
        const Statistics other = {__shfl_xor_sync(ALL_LANES, own.mean, distance), __shfl_xor_sync(ALL_LANES, own.squares, distance)};
        own = both(own, other, static_cast<float>(distance * CHUNK<T>));
    }
    return own;
}

/// What a row's elements are shifted and scaled by.
struct Normal {
    float mean, scale;
};

/// Of a row with these statistics of each `PART` of its columns.
__device__ inline Normal normal_of(const Statistics* parts, u32 columns, float eps) {
    const u32 count = columns / PART;
    float sum = 0, squares = 0;
    for (u32 i = 0; i < count; i++) {
        sum += parts[i].mean;
    }
    const float mean = sum / static_cast<float>(count);
    for (u32 i = 0; i < count; i++) {
        const float apart = parts[i].mean - mean;
        squares += fmaf(apart * apart, static_cast<float>(PART), parts[i].squares);
    }
    return {mean, 1.0f / sqrtf(squares / static_cast<float>(columns) + eps)};
}
