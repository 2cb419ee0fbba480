// The functions of kernels/wgmma.cuh on the host. A product is computed when its thread waits for it: operands that were
// overwritten too early, and sums that are read too early, show.
#pragma once

#include "ptx_emulator.hpp"

namespace emulator __attribute__((visibility("hidden"))) {

/// Rows as a descriptor names them (PTX ISA, "Matrix descriptor format"): 16 elements of each, K-major, a swizzle of 128 bytes.
struct NamedRows {
    u32 address, distance;

    explicit NamedRows(u64 descriptor) {
        address = static_cast<u32>(descriptor & 0x3FFF) << 4;
        distance = static_cast<u32>(descriptor >> 32 & 0x3FFF) << 4;
        bool is_swizzled = descriptor >> 62 == 1, has_offset = (descriptor >> 49 & 7) != 0;
        // The pattern starts where eight rows do, and 32 bytes of a row are read.
        if (!is_swizzled || has_offset || address / 128 % 8 != 0 || address % 32 != 0) {
            block().fail("a descriptor %016llx that is not understood", static_cast<unsigned long long>(descriptor));
        }
    }

    /// The chunk of 16 bytes of row `row` with elements 8 · half...
    const unsigned char* chunk(unsigned row, unsigned half) const {
        u32 plain = address + row / 8 * distance + row % 8 * 128 + 16 * half;
        return shared_bytes(plain ^ (plain >> 7 & 7) << 4, "an operand");
    }

    float element(unsigned row, unsigned k) const {
        bf16 x;
        memcpy(&x, chunk(row, k / 8) + k % 8 * 2, sizeof x);
        return to_float(x);
    }

    /// Nobody may still be writing these rows, or have written them without a fence.
    void check(unsigned rows) const {
        for (unsigned row = 0; row < rows; row++) {
            for (unsigned half = 0; half < 2; half++) {
                if (block().unseen.count(chunk(row, half)) != 0) {
                    block().fail("a product reads shared address %u + %u rows, which a copy is under way to or no fence is behind", address, row);
                }
            }
        }
    }
};

/// This thread's part of a product: two rows.
template <u32 COUNT>
void multiply_rows(float (&sums)[COUNT][4], u64 a, u64 b, unsigned first) {
    NamedRows left(a), right(b);
    double rows[2][16];
    for (unsigned k = 0; k < 16; k++) {
        rows[0][k] = left.element(first, k);
        rows[1][k] = left.element(first + 8, k);
    }
    for (unsigned j = 0; j < COUNT; j++) {
        for (unsigned i = 0; i < 2; i++) {
            unsigned column = 8 * j + block().lane() % 4 * 2 + i;
            double upper = 0, lower = 0;
            for (unsigned k = 0; k < 16; k++) {
                double x = right.element(column, k);
                upper += rows[0][k] * x;
                lower += rows[1][k] * x;
            }
            sums[j][i] = static_cast<float>(upper + sums[j][i]);
            sums[j][2 + i] = static_cast<float>(lower + sums[j][2 + i]);
        }
    }
}

struct Operands {
    u64 a, b;
};

/// All threads of a warpgroup agree on a product; each computes its part when it waits for it.
template <u32 COUNT>
void issue(float (&sums)[COUNT][4], u64 a, u64 b, Site site) {
    Operands part = {a, b};
    block().meet_warpgroup(site, part, [=](Operands** parts) {
        for (unsigned i = 0; i < WARPGROUP; i++) {
            if (parts[i]->a != a || parts[i]->b != b) {
                block().fail("threads of one warpgroup name different operands at %s:%d", site.file, site.line);
            }
        }
        NamedRows(a).check(64);
        NamedRows(b).check(8 * COUNT);
    });
    unsigned first = threadIdx.x % WARPGROUP / WARP * 16 + block().lane() / 4;
    block().self().products.push_back([&sums, a, b, first] { multiply_rows(sums, a, b, first); });
}

}  // namespace emulator

inline void start_products(EMULATOR_SITE) {
    char nothing = 0;
    emulator::block().meet_warpgroup({file, line}, nothing, [](char**) {});
}

inline void commit_products() {
    emulator::Thread& thread = emulator::block().self();
    thread.product_groups.push_back(std::move(thread.products));
    thread.products.clear();
}

/// A warp goes on when the products of all its lanes are there.
template <int LEFT>
inline void await_products(EMULATOR_SITE) {
    emulator::Thread& thread = emulator::block().self();
    while (thread.product_groups.size() > LEFT) {
        for (const std::function<void()>& product : thread.product_groups.front()) {
            product();
        }
        thread.product_groups.pop_front();
    }
    char nothing = 0;
    emulator::block().meet({file, line}, nothing, [](char**) {});
}

template <u32 COUNT>
inline void multiply_group(float (&sums)[COUNT][4], u64 a, u64 b, EMULATOR_SITE) {
    emulator::issue(sums, a, b, {file, line});
}

template <u32 COUNT>
inline void settle(float (&)[COUNT][4]) {}
