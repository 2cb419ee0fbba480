// Names, and the records that the host writes. The host mirrors every struct here field by field.
//
// No header of the host is included anywhere in this folder: the files compile with nvcc, with NVRTC, and, with
// DUODIFF_EMULATOR defined, with any C++ compiler on tests/emulator.
#pragma once

using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;

/// bfloat16: the upper half of a float.
struct bf16 {
    u16 bits;
};

/// The element type of the module: what its kernels read and write, except where a parameter says `float`.
#ifdef DUODIFF_BF16
using T = bf16;
#define TYPED(name) name##_bf16
#else
using T = float;
#define TYPED(name) name##_f32
#endif

/// Longest history of converted outputs, the current one included.
constexpr u32 HISTORY = 3;

/// Rows of tokens to read, counted over the batch.
///
/// Row r: base + (r / rows) · image + (r % rows) · stride + entry · step, `columns` elements of T. image = 0: one for all images;
/// stride = 0: one row for all; step ≠ 0: a table with an entry per step; base = null: absent. All counts are in elements.
struct Window {
    const void* base;
    u64 image;
    u32 stride, rows, columns, step;
};

/// Where the trajectory is; one on the device, advanced by `update`.
struct Step {
    u32 row, entry, ticket, reserved;
};

/// Coefficients of one step (see `update`). `clip` is infinite where nothing is clipped; `entry` is that of the next row.
struct Row {
    float a, b, clip, c0, cs, history[HISTORY], cz, scale;
    u32 save, entry;
};

static_assert(sizeof(Window) == 32 && sizeof(Step) == 16 && sizeof(Row) == 48, "the host writes these records");

/// Defines a kernel that is launched by name with blocks of `threads` threads.
#ifdef DUODIFF_EMULATOR
#define ENTRY(threads, name, ...) EMULATED(threads, name, __VA_ARGS__)
#define ENTRY_OF(threads, blocks, name, ...) EMULATED(threads, name, __VA_ARGS__)
#else
#define ENTRY(threads, name, ...) extern "C" __global__ void __launch_bounds__(threads) name(__VA_ARGS__)
/// The same, for so many blocks on a multiprocessor: where the compiler spills registers to have room for more.
#define ENTRY_OF(threads, blocks, name, ...) extern "C" __global__ void __launch_bounds__(threads, blocks) name(__VA_ARGS__)
#endif

__device__ inline float infinity() {
    return __uint_as_float(0x7F800000);
}

/// Ceiling of a / b.
__device__ constexpr u32 ceiling(u32 a, u32 b) {
    return (a + b - 1) / b;
}

/// Row `r` of a window; `step` may be null where the window is no step table.
template <class E>
__device__ inline const E* row_of(const Window& window, u32 r, const Step* step) {
    // Rows without gaps between images need no division.
    const bool is_dense = window.image == u64(window.rows) * window.stride;
    u64 offset = is_dense ? u64(r) * window.stride : r / window.rows * window.image + u64(r % window.rows) * window.stride;
    if (window.step != 0) {
        offset += u64(step->entry) * window.step;
    }
    return static_cast<const E*>(window.base) + offset;
}
