// Kernels that are wrong: what the emulator must notice. No device runs them.
#include "barrier.cuh"
#include "ptx.cuh"
#include "tensor.cuh"
#include "types.cuh"
#include "warp.cuh"
#include "wgmma.cuh"

constexpr u32 THREADS = 64;

/// Half of the threads never come to the barrier.
ENTRY(THREADS, barrier_left_out, float*) {
    if (threadIdx.x < 32) {
        __syncthreads();
    }
}

/// Two barriers where all must meet at one.
ENTRY(THREADS, barriers_apart, float*) {
    if (threadIdx.x < 32) {
        __syncthreads();
    } else {
        __syncthreads();
    }
}

/// A lane leaves before its warp shuffles.
ENTRY(THREADS, lane_left_out, float* out) {
    if (threadIdx.x != 5) {
        out[threadIdx.x] = sum_of_lanes<WARP>(1.0f);
    }
}

/// Shared memory that nobody wrote.
ENTRY(THREADS, shared_unwritten, float* out) {
    out[threadIdx.x] = reinterpret_cast<const float*>(shared_memory())[threadIdx.x];
}

/// A thread reads what its neighbour writes, without a barrier.
ENTRY(THREADS, shared_unordered, float* out) {
    float* const memory = reinterpret_cast<float*>(shared_memory());
    memory[threadIdx.x] = static_cast<float>(threadIdx.x);
    out[threadIdx.x] = memory[(threadIdx.x + 1) % THREADS];
}

/// A thread reads a copy that it did not wait for.
ENTRY(THREADS, copy_unawaited, float* out) {
    const u32 place = shared_address(shared_memory()) + threadIdx.x * 16;
    copy16(place, out, 16);
    commit_copies();
    await_copies<1>();
    out[threadIdx.x] = reinterpret_cast<const float*>(shared_memory())[threadIdx.x * 4];
}

/// A copy to an address that 16 does not divide.
ENTRY(THREADS, copy_unaligned, float* out) {
    copy16(shared_address(shared_memory()) + 8, out, 16);
}

/// A copy past the end of shared memory.
ENTRY(THREADS, copy_outside, float* out) {
    copy16(1024, out, 16);
}

/// 16 KiB of copies that have come, and one product of them.
template <bool FENCED, bool OVERWRITTEN, bool AWAITED>
__device__ inline void product(float* out) {
    const u32 memory = shared_address(shared_memory());
    for (u32 i = 0; i < 8; i++) {
        copy16(memory + (i * WARPGROUP + threadIdx.x) * 16, out, 16);
    }
    commit_copies();
    await_copies<0>();
    if (FENCED) {
        fence_async();
    }
    __syncthreads();
    float sums[8][4] = {};
    start_products();
    multiply_group(sums, name_rows(memory), name_rows(memory + 8192));
    commit_products();
    if (OVERWRITTEN) {
        for (u32 i = 0; i < 512; i++) {
            copy16(memory + i * 16, out, 16);
        }
    }
    if (AWAITED) {
        await_products<0>();
    }
    out[threadIdx.x % 64] = sums[0][0];
}

ENTRY(WARPGROUP, product_as_it_should_be, float* out) {
    product<true, false, true>(out);
}

ENTRY(WARPGROUP, product_without_fence, float* out) {
    product<false, false, true>(out);
}

/// Operands are overwritten while they are multiplied.
ENTRY(WARPGROUP, product_overwritten, float* out) {
    product<true, true, true>(out);
}

ENTRY(WARPGROUP, product_unawaited, float* out) {
    product<true, false, false>(out);
}

/// A phase that never ends: one arrival is missing.
ENTRY(THREADS, phase_unended, float*) {
    const u32 barrier = shared_address(shared_memory());
    if (threadIdx.x == 0) {
        make_barrier(barrier, THREADS);
    }
    __syncthreads();
    if (threadIdx.x != 0) {
        arrive(barrier);
    }
    await_phase(barrier, 0);
}

/// 64 rows of 64 bfloat16 come from a tensor of one row, and are multiplied by themselves; the barrier follows them.
template <u32 EXPECTED, bool FENCED, bool AWAITED>
__device__ inline void tensor(const TensorMap& map, float* out) {
    const u32 memory = shared_address(shared_memory()), barrier = memory + 8192;
    if (threadIdx.x == 0) {
        make_barrier(barrier, 1);
        if (FENCED) {
            fence_async();
        }
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        arrive_expecting(barrier, EXPECTED);
        copy_box(memory, map, 0, 0, barrier);
    }
    if (AWAITED) {
        await_phase(barrier, 0);
    }
    __syncthreads();
    float sums[8][4] = {};
    start_products();
    multiply_group(sums, name_rows(memory), name_rows(memory));
    commit_products();
    await_products<0>();
    if (threadIdx.x < 64) {
        out[threadIdx.x] = threadIdx.x == 0 ? sums[0][0] : sums[7][3];
    }
}

ENTRY(WARPGROUP, tensor_as_it_should_be, const __grid_constant__ TensorMap map, float* out) {
    tensor<8192, true, true>(map, out);
}

ENTRY(WARPGROUP, tensor_unfenced, const __grid_constant__ TensorMap map, float* out) {
    tensor<8192, false, true>(map, out);
}

ENTRY(WARPGROUP, tensor_unawaited, const __grid_constant__ TensorMap map, float* out) {
    tensor<8192, true, false>(map, out);
}

/// More bytes are expected than come.
ENTRY(WARPGROUP, tensor_short, const __grid_constant__ TensorMap map, float* out) {
    tensor<8208, true, true>(map, out);
}

/// Nobody waits for a copy, and the block ends.
ENTRY(WARPGROUP, tensor_left_behind, const __grid_constant__ TensorMap map, float*) {
    const u32 barrier = shared_address(shared_memory()) + 8192;
    if (threadIdx.x == 0) {
        make_barrier(barrier, 1);
        fence_async();
        arrive_expecting(barrier, 8192);
        copy_box(shared_address(shared_memory()), map, 0, 0, barrier);
    }
}

/// A plain write past the end of shared memory: the sanitizer's to notice.
ENTRY(THREADS, write_outside, float*) {
    reinterpret_cast<volatile float*>(shared_memory())[256 + threadIdx.x] = 1.0f;
}
