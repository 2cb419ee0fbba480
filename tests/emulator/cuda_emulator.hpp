// CUDA C++ for a compiler of the host: include this before a kernel's source, with DUODIFF_EMULATOR defined.
//
//     c++ -std=c++17 -O2 -ffp-contract=off -fPIC -shared -DDUODIFF_EMULATOR -Itests/emulator -include cuda_emulator.hpp
//         -x c++ duodiff-graph/kernels/tokens.cu -o tokens.so
//
// The object exports duodiff_emulate and its companions (launch.hpp). Threads of the host may launch at the same time.
// Blocks are one-dimensional and whole warps; all lanes take part in every warp operation.
#pragma once

#include <cmath>
#include <cstdint>

#include "launch.hpp"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__ __restrict
#define __grid_constant__

struct alignas(16) uint4 {
    unsigned x, y, z, w;
};

struct alignas(16) float4 {
    float x, y, z, w;
};

struct alignas(8) float2 {
    float x, y;
};

#define EMULATOR_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(EMULATOR_SITE) {
    emulator::block().barrier({file, line});
}

inline void __syncwarp(EMULATOR_SITE) {
    char nothing = 0;
    emulator::block().meet({file, line}, nothing, [](char**) {});
}

/// The value of the lane whose number differs in `mask`.
template <class V>
V __shfl_xor_sync(unsigned lanes, V value, unsigned mask, EMULATOR_SITE) {
    if (lanes != 0xFFFFFFFFu) {
        emulator::block().fail("a shuffle at %s:%d leaves lanes out", file, line);
    }
    struct Part {
        V in, out;
        unsigned mask;
    } part = {value, value, mask};
    emulator::block().meet({file, line}, part, [](Part** parts) {
        for (unsigned i = 0; i < emulator::WARP; i++) {
            parts[i]->out = parts[i ^ parts[i]->mask]->in;
        }
    });
    return part.out;
}

/// The value of lane `lane`.
template <class V>
V __shfl_sync(unsigned lanes, V value, unsigned lane, EMULATOR_SITE) {
    if (lanes != 0xFFFFFFFFu) {
        emulator::block().fail("a shuffle at %s:%d leaves lanes out", file, line);
    }
    struct Part {
        V in, out;
        unsigned lane;
    } part = {value, value, lane};
    emulator::block().meet({file, line}, part, [](Part** parts) {
        for (unsigned i = 0; i < emulator::WARP; i++) {
            parts[i]->out = parts[parts[i]->lane % emulator::WARP]->in;
        }
    });
    return part.out;
}

/// True if one thread of the block says so.
inline int __syncthreads_or(int predicate, EMULATOR_SITE) {
    static thread_local int any;
    __syncthreads(file, line);
    any = 0;
    __syncthreads(file, line);
    any |= predicate;
    __syncthreads(file, line);
    return any;
}

inline unsigned atomicAdd(unsigned* to, unsigned x) {
    unsigned before = *to;
    *to += x;
    return before;
}

inline void __threadfence() {}

inline unsigned __umulhi(unsigned a, unsigned b) {
    return static_cast<unsigned>(static_cast<uint64_t>(a) * b >> 32);
}

inline unsigned __float_as_uint(float x) {
    unsigned bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

inline float __uint_as_float(unsigned bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

template <class V>
V min(V a, V b) {
    return b < a ? b : a;
}

template <class V>
V max(V a, V b) {
    return a < b ? b : a;
}
