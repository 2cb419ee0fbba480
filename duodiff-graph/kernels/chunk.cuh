// Chunks: 16 bytes of a row, the unit in which threads read and write.
#pragma once

#include "ptx.cuh"

/// Elements of a chunk of E.
template <class E>
constexpr u32 CHUNK = 16 / sizeof(E);

__device__ inline bool is_aligned(const void* pointer) {
    return reinterpret_cast<u64>(pointer) % 16 == 0;
}

/// Element i of a chunk as it lies in memory.
__device__ inline float element(const uint4& bits, u32 i, float) {
    const u32 words[4] = {bits.x, bits.y, bits.z, bits.w};
    return __uint_as_float(words[i]);
}

__device__ inline float element(const uint4& bits, u32 i, bf16) {
    const u32 words[4] = {bits.x, bits.y, bits.z, bits.w};
    const u32 word = words[i / 2];
    return __uint_as_float(i % 2 == 0 ? word << 16 : word & 0xFFFF0000u);
}

/// The first `count` elements at `from`, at most N; the others stay as they are. One access where they are an aligned chunk.
template <class E, u32 N>
__device__ inline void read_some(const E* from, u32 count, float (&out)[N]) {
    if (N == CHUNK<E> && count >= N && is_aligned(from)) {
        const uint4 bits = read16(from);
#pragma unroll
        for (u32 i = 0; i < N; i++) {
            out[i] = element(bits, i, E());
        }
    } else {
#pragma unroll
        for (u32 i = 0; i < N; i++) {
            if (i < count) {
                out[i] = to_float(from[i]);
            }
        }
    }
}

__device__ inline uint4 chunk_bits(const float (&x)[4]) {
    return {__float_as_uint(x[0]), __float_as_uint(x[1]), __float_as_uint(x[2]), __float_as_uint(x[3])};
}

__device__ inline uint4 chunk_bits(const float (&x)[8]) {
    return {pack(x[0], x[1]), pack(x[2], x[3]), pack(x[4], x[5]), pack(x[6], x[7])};
}

/// Writes the first `count` elements, at most N.
template <class E, u32 N>
__device__ inline void write_some(E* to, u32 count, const float (&x)[N]) {
    if constexpr (N == CHUNK<E>) {
        if (count >= N && is_aligned(to)) {
            write16(to, chunk_bits(x));
            return;
        }
    }
#pragma unroll
    for (u32 i = 0; i < N; i++) {
        if (i < count) {
            from_float(x[i], to[i]);
        }
    }
}
