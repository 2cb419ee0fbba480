// Tensors in global memory that the copy engine of sm_90 reads by itself (TMA): one thread starts a copy of many rows to shared memory
// and goes on; a barrier counts the bytes that have come.
//
// A map says where a tensor lies, its sizes and strides, and how many rows and columns a copy has. The host's driver makes it.
// Places outside the tensor come as zeros, and count as bytes. Rows of 128 bytes are laid out in the pattern of slices.cuh, so
// `to` is a multiple of 1024.
//
// On the host, tests/emulator gives the same functions.
#pragma once

#include "barrier.cuh"

/// `CUtensorMap`, a parameter of kernels as `const __grid_constant__ TensorMap`, aligned as since CUDA 13.
struct alignas(128) TensorMap {
    u64 words[16];
};

static_assert(sizeof(TensorMap) == 128, "the driver writes this record");

#ifdef DUODIFF_EMULATOR
#include "tensor_emulator.hpp"
#else

/// Fetches a map that is going to be used.
__device__ inline void prefetch(const TensorMap& map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
}

/// Starts to copy a box of a tensor of rows and columns, from this place on.
__device__ inline void copy_box(u32 to, const TensorMap& map, u32 column, u32 row, u32 barrier) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(to),
                 "l"(&map), "r"(column), "r"(row), "r"(barrier)
                 : "memory");
}

/// The same of a tensor of images of rows: behind an image's last row comes the next one's first.
///
/// This is what convolutions read one pixel after the other, with a filter of one pixel (im2col).
__device__ inline void copy_rows(u32 to, const TensorMap& map, u32 column, u32 row, u32 image, u32 barrier) {
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4}], [%5], {%6};" ::"r"(to),
        "l"(&map), "r"(column), "r"(row), "r"(image), "r"(barrier), "h"(u16(0))
        : "memory");
}

#endif
