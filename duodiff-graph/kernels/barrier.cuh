// Barriers in shared memory that count arrivals, and bytes of copies (mbarrier); sm_90.
//
// On the host, tests/emulator gives the same functions.
#pragma once

#include "ptx.cuh"

#ifdef DUODIFF_EMULATOR
#include "barrier_emulator.hpp"
#else

/// A barrier at shared address `address` that `count` threads arrive at in each phase.
__device__ inline void make_barrier(u32 address, u32 count) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(address), "r"(count) : "memory");
}

/// Makes what this thread has written to shared memory, barriers included, visible to what works there by itself: copies of tensors
/// and products of warpgroups.
__device__ inline void fence_async() {
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

__device__ inline void arrive(u32 address) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(address) : "memory");
}

/// Arrives, and lets the phase end only when copies have brought so many bytes.
__device__ inline void arrive_expecting(u32 address, u32 bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(address), "r"(bytes) : "memory");
}

/// Waits for the end of the phase whose number has this parity.
__device__ inline void await_phase(u32 address, u32 parity) {
    asm volatile("{\n"
                 ".reg .pred ended;\n"
                 "AGAIN:\n"
                 "mbarrier.try_wait.parity.shared::cta.b64 ended, [%0], %1;\n"
                 "@!ended bra AGAIN;\n"
                 "}" ::"r"(address), "r"(parity) : "memory");
}

#endif
