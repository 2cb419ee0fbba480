// Products of a warpgroup of sm_90a: 64 rows from shared memory.
//
// On the host, tests/emulator gives the same functions.
#pragma once

#include "ptx.cuh"

constexpr u32 WARPGROUP = 128;

/// Names 64 bytes-wide steps of rows of 128 bytes in shared memory, in the pattern of slices.cuh, to the tensor cores. `address` is a
/// multiple of 1024, plus 32 · depth.
__device__ inline u64 name_rows(u32 address) {
    // Address, 8 rows of 128 bytes from one group of rows to the next, and the pattern: a swizzle of 128 bytes.
    return u64((address & 0x3FFFF) / 16) | u64(1) << 16 | u64(1024 / 16) << 32 | u64(1) << 62;
}

#ifdef DUODIFF_EMULATOR
#include "wgmma_emulator.hpp"
#else

/// Before a group's first product: sums that were written are seen.
__device__ inline void start_products() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

/// Closes a group of products.
__device__ inline void commit_products() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

/// Waits until at most `LEFT` groups are under way.
template <int LEFT>
__device__ inline void await_products() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(LEFT) : "memory");
}

/// Holds whoever reads `sums` back until their products have been awaited.
template <u32 COUNT>
__device__ inline void settle(float (&sums)[COUNT][4]) {
#pragma unroll
    for (u32 j = 0; j < COUNT; j++) {
#pragma unroll
        for (u32 i = 0; i < 4; i++) {
            asm volatile("" : "+f"(sums[j][i])::"memory");
        }
    }
}

#define FOUR_SUMS(j) "+f"(sums[j][0]), "+f"(sums[j][1]), "+f"(sums[j][2]), "+f"(sums[j][3])

// sums[64 × N] += a[64 × 16] · b[N × 16]ᵀ in bfloat16, by four warps. Warp w has rows 16 · w.., each lane's elements as in
// multiply_bf16, for every eight columns.

/// 64 × 64 sums.
__device__ inline void multiply_group(float (&sums)[8][4], u64 a, u64 b) {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
        "%32, %33, 1, 1, 1, 0, 0;"
        : FOUR_SUMS(0), FOUR_SUMS(1), FOUR_SUMS(2), FOUR_SUMS(3), FOUR_SUMS(4), FOUR_SUMS(5), FOUR_SUMS(6), FOUR_SUMS(7)
        : "l"(a), "l"(b)
        : "memory");
}

/// 64 × 128 sums.
__device__ inline void multiply_group(float (&sums)[16][4], u64 a, u64 b) {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
        "%64, %65, 1, 1, 1, 0, 0;"
        : FOUR_SUMS(0), FOUR_SUMS(1), FOUR_SUMS(2), FOUR_SUMS(3), FOUR_SUMS(4), FOUR_SUMS(5), FOUR_SUMS(6), FOUR_SUMS(7),
          FOUR_SUMS(8), FOUR_SUMS(9), FOUR_SUMS(10), FOUR_SUMS(11), FOUR_SUMS(12), FOUR_SUMS(13), FOUR_SUMS(14), FOUR_SUMS(15)
        : "l"(a), "l"(b)
        : "memory");
}

/// 64 × 256 sums.
__device__ inline void multiply_group(float (&sums)[32][4], u64 a, u64 b) {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
        "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
        "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
        "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
        "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
        "%128, %129, 1, 1, 1, 0, 0;"
        : FOUR_SUMS(0), FOUR_SUMS(1), FOUR_SUMS(2), FOUR_SUMS(3), FOUR_SUMS(4), FOUR_SUMS(5), FOUR_SUMS(6), FOUR_SUMS(7),
          FOUR_SUMS(8), FOUR_SUMS(9), FOUR_SUMS(10), FOUR_SUMS(11), FOUR_SUMS(12), FOUR_SUMS(13), FOUR_SUMS(14), FOUR_SUMS(15),
          FOUR_SUMS(16), FOUR_SUMS(17), FOUR_SUMS(18), FOUR_SUMS(19), FOUR_SUMS(20), FOUR_SUMS(21), FOUR_SUMS(22), FOUR_SUMS(23),
          FOUR_SUMS(24), FOUR_SUMS(25), FOUR_SUMS(26), FOUR_SUMS(27), FOUR_SUMS(28), FOUR_SUMS(29), FOUR_SUMS(30), FOUR_SUMS(31)
        : "l"(a), "l"(b)
        : "memory");
}

#undef FOUR_SUMS

#endif
