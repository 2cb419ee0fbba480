// The instructions that CUDA C++ has no plain spelling for, each behind a small function.
//
// On the host, tests/emulator gives the same functions.
#pragma once

#include "types.cuh"

#ifdef DUODIFF_EMULATOR
#include "ptx_emulator.hpp"
#else

/// The block's shared memory; kernels have no other than what the launch asks for.
__device__ inline unsigned char* shared_memory() {
    extern __shared__ __align__(1024) unsigned char memory[];
    return memory;
}

/// The address of shared memory as the instructions below take it.
__device__ inline u32 shared_address(const void* pointer) {
    return static_cast<u32>(__cvta_generic_to_shared(pointer));
}

__device__ inline float to_float(float x) {
    return x;
}

__device__ inline float to_float(bf16 x) {
    return __uint_as_float(u32(x.bits) << 16);
}

/// To the nearest bfloat16, ties to even.
__device__ inline void from_float(float x, bf16& out) {
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(out.bits) : "f"(x));
}

__device__ inline void from_float(float x, float& out) {
    out = x;
}

/// Two floats as bfloat16, `low` in the lower half.
__device__ inline u32 pack(float low, float high) {
    u32 out;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
    return out;
}

/// The bits of x rounded to TF32's 10 bits of mantissa, ties away from 0.
__device__ inline u32 round_tf32(u32 x) {
    u32 out;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(out) : "f"(__uint_as_float(x)));
    return out;
}

/// 2^x to about 2 ulp; 0 for −infinity.
__device__ inline float exp2_fast(float x) {
    float out;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
    return out;
}

/// 16 aligned bytes.
__device__ inline uint4 read16(const void* from) {
    return *static_cast<const uint4*>(from);
}

__device__ inline void write16(void* to, uint4 x) {
    *static_cast<uint4*>(to) = x;
}

/// Starts to copy 16 aligned bytes to shared memory: the first `bytes` of them, zeros behind.
__device__ inline void copy16(u32 to, const void* from, u32 bytes) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}

/// Closes a group of this thread's copies.
__device__ inline void commit_copies() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

/// Waits until at most `LEFT` of this thread's groups are under way.
template <int LEFT>
__device__ inline void await_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(LEFT) : "memory");
}

/// Four 8 × 16-byte matrices; lane i gives the address of row i % 8 of matrix i / 8, and gets bytes 4 (i % 4).. of row i / 4 of each.
__device__ inline void load_matrices(u32 (&out)[4], u32 address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(address)
                 : "memory");
}

/// The same, each matrix of 8 × 8 halves transposed.
__device__ inline void load_transposed(u32 (&out)[4], u32 address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(address)
                 : "memory");
}

/// sum[16 × 8] += a[16 × 16] · b[16 × 8] in bfloat16, sums in float.
__device__ inline void multiply_bf16(float (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// sum[16 × 8] += a[16 × 8] · b[8 × 8] in TF32, sums in float.
__device__ inline void multiply_tf32(float (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

#endif
