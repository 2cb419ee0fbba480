// The functions of kernels/barrier.cuh on the host.
#pragma once

#include "ptx_emulator.hpp"

inline void make_barrier(u32 address, u32 count) {
    if (address % 8 != 0 || address + 8 > emulator::block().shared_bytes || count == 0) {
        emulator::block().fail("a barrier of %u at shared address %u of %zu bytes", count, address, emulator::block().shared_bytes);
    }
    emulator::block().make_phases(address, count);
}

inline void fence_async() {
    emulator::Block& block = emulator::block();
    block.fence_phases();
    for (const unsigned char* place : block.self().unseen) {
        block.unseen.erase(place);
    }
    block.self().unseen.clear();
}

inline void arrive(u32 address, EMULATOR_SITE) {
    emulator::block().arrive(address, 0, {file, line});
}

inline void arrive_expecting(u32 address, u32 bytes, EMULATOR_SITE) {
    // What a barrier counts at most.
    if (bytes >= 1u << 20) {
        emulator::block().fail("%s:%d expects %u bytes", file, line, bytes);
    }
    emulator::block().arrive(address, bytes, {file, line});
}

inline void await_phase(u32 address, u32 parity, EMULATOR_SITE) {
    emulator::block().await_phase(address, parity, {file, line});
}
