// The functions of kernels/ptx.cuh on the host, with the checks that a device makes in silence or not at all.
#pragma once

#include "cuda_emulator.hpp"

inline unsigned char* shared_memory() {
    return emulator::block().memory();
}

inline u32 shared_address(const void* pointer) {
    return static_cast<u32>(static_cast<const unsigned char*>(pointer) - shared_memory());
}

namespace emulator __attribute__((visibility("hidden"))) {

inline void check_alignment(const void* pointer, const char* what) {
    if (reinterpret_cast<uintptr_t>(pointer) % 16 != 0) {
        block().fail("%s of 16 bytes at %p, which is not aligned", what, pointer);
    }
}

/// 16 aligned bytes of shared memory.
inline unsigned char* shared_bytes(u32 address, const char* what) {
    if (address % 16 != 0 || address + 16 > block().shared_bytes) {
        block().fail("%s at shared address %u of %zu bytes", what, address, block().shared_bytes);
    }
    return shared_memory() + address;
}

}  // namespace emulator

inline float to_float(float x) {
    return x;
}

inline float to_float(bf16 x) {
    return __uint_as_float(u32(x.bits) << 16);
}

inline void from_float(float x, float& out) {
    out = x;
}

inline void from_float(float x, bf16& out) {
    u32 bits = __float_as_uint(x);
    bool is_nan = (bits & 0x7FFFFFFFu) > 0x7F800000u;
    out.bits = is_nan ? 0x7FFF : static_cast<u16>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

inline u32 pack(float low, float high) {
    bf16 halves[2];
    from_float(low, halves[0]);
    from_float(high, halves[1]);
    return halves[0].bits | u32(halves[1].bits) << 16;
}

inline u32 round_tf32(u32 x) {
    bool is_special = (x & 0x7F800000u) == 0x7F800000u;
    return is_special ? x : (x + 0x1000u) & ~0x1FFFu;
}

inline float exp2_fast(float x) {
    return exp2f(x);
}

inline uint4 read16(const void* from) {
    emulator::check_alignment(from, "a read");
    return *static_cast<const uint4*>(from);
}

inline void write16(void* to, uint4 x) {
    emulator::check_alignment(to, "a write");
    *static_cast<uint4*>(to) = x;
}

/// The bytes arrive at the wait. Until then they are NaN: whoever reads too early, or is still reading the old ones, shows it.
inline void copy16(u32 to, const void* from, u32 bytes) {
    emulator::check_alignment(from, "a copy");
    unsigned char* place = emulator::shared_bytes(to, "a copy");
    memset(place, 0xFF, 16);
    emulator::block().unseen.insert(place);
    emulator::block().self().open.push_back({place, static_cast<const unsigned char*>(from), bytes});
}

inline void commit_copies() {
    emulator::Thread& thread = emulator::block().self();
    thread.groups.push_back(std::move(thread.open));
    thread.open.clear();
}

template <int LEFT>
inline void await_copies() {
    emulator::Thread& thread = emulator::block().self();
    while (thread.groups.size() > LEFT) {
        for (const emulator::Copy& copy : thread.groups.front()) {
            memset(copy.to, 0, 16);
            memcpy(copy.to, copy.from, copy.bytes);
            thread.unseen.push_back(copy.to);
        }
        thread.groups.pop_front();
    }
}

namespace emulator __attribute__((visibility("hidden"))) {

struct Matrices {
    u32* out;
    u32 address;
};

/// What lane `lane` gets of matrix `matrix`: two halves of a row, or of a column.
template <bool TRANSPOSED>
u32 fragment(Matrices** parts, unsigned matrix, unsigned lane) {
    auto half = [&](unsigned row, unsigned column) {
        u16 x;
        memcpy(&x, shared_memory() + parts[8 * matrix + row]->address + 2 * column, sizeof x);
        return u32(x);
    };
    unsigned outer = lane / 4, inner = lane % 4 * 2;
    return TRANSPOSED ? half(inner, outer) | half(inner + 1, outer) << 16 : half(outer, inner) | half(outer, inner + 1) << 16;
}

template <bool TRANSPOSED>
void load(u32 (&out)[4], u32 address, Site site) {
    shared_bytes(address, "a matrix row");
    Matrices part = {out, address};
    block().meet(site, part, [](Matrices** parts) {
        for (unsigned lane = 0; lane < WARP; lane++) {
            for (unsigned matrix = 0; matrix < 4; matrix++) {
                parts[lane]->out[matrix] = fragment<TRANSPOSED>(parts, matrix, lane);
            }
        }
    });
}

struct Product {
    float* sum;
    const u32* a;
    u32 b[2];
};

/// sum[16 × 8] += a[16 × K] · b[K × 8]: exact products added in float64, rounded once.
///
/// Element (row, k) of `a` and (k, column) of `b` are `PER` to a register of 32 bits.
template <unsigned PER, class Element>
void multiply(float (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1, Site site, Element element) {
    Product part = {sum, a, {b0, b1}};
    block().meet(site, part, [element](Product** parts) {
        constexpr unsigned K = 8 * PER;
        float left[16][K], right[K][8];
        for (unsigned lane = 0; lane < WARP; lane++) {
            unsigned outer = lane / 4, inner = lane % 4 * PER;
            for (unsigned i = 0; i < PER; i++) {
                for (unsigned half = 0; half < 2; half++) {
                    left[outer][inner + i + half * K / 2] = element(parts[lane]->a[2 * half], i);
                    left[outer + 8][inner + i + half * K / 2] = element(parts[lane]->a[2 * half + 1], i);
                    right[inner + i + half * K / 2][outer] = element(parts[lane]->b[half], i);
                }
            }
        }
        for (unsigned row = 0; row < 16; row++) {
            double sums[8] = {};
            for (unsigned k = 0; k < K; k++) {
                for (unsigned column = 0; column < 8; column++) {
                    sums[column] += static_cast<double>(left[row][k]) * right[k][column];
                }
            }
            for (unsigned column = 0; column < 8; column++) {
                float& sum = parts[row % 8 * 4 + column / 2]->sum[row / 8 * 2 + column % 2];
                sum = static_cast<float>(sums[column] + sum);
            }
        }
    });
}

}  // namespace emulator

inline void load_matrices(u32 (&out)[4], u32 address, EMULATOR_SITE) {
    emulator::load<false>(out, address, {file, line});
}

inline void load_transposed(u32 (&out)[4], u32 address, EMULATOR_SITE) {
    emulator::load<true>(out, address, {file, line});
}

inline void multiply_bf16(float (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1, EMULATOR_SITE) {
    auto element = [](u32 pair, unsigned i) { return __uint_as_float(i == 0 ? pair << 16 : pair & 0xFFFF0000u); };
    emulator::multiply<2>(sum, a, b0, b1, {file, line}, element);
}

/// The device reads the upper 19 bits of each operand.
inline void multiply_tf32(float (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1, EMULATOR_SITE) {
    auto element = [](u32 x, unsigned) { return __uint_as_float(x & ~0x1FFFu); };
    emulator::multiply<1>(sum, a, b0, b1, {file, line}, element);
}
