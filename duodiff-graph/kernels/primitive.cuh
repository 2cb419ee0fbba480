// How a primitive operator reads a value of any rank: by strides, with padding and slices.
#pragma once

#include "ptx.cuh"

/// Most logical axes of a view.
constexpr u32 RANK = 10;

/// One logical axis. Index i stands for element `i + first` of the stored axis, 0 where there is none (padding).
///
/// A broadcast axis has stride 0, first 0 and stored = length.
struct Axis {
    u64 stride;
    u32 length, stored;
    int first;
    u32 reserved;
};

/// A value in memory. Axes in logical order, outermost first; those past `rank` are not looked at. `type`: 0 float, 1 bfloat16.
struct View {
    const void* base;
    u32 type, rank;
    Axis axes[RANK];
};

static_assert(sizeof(Axis) == 24 && sizeof(View) == 16 + 24 * RANK, "the host writes these records");

/// Element `offset` of an array of `type`.
__device__ inline float read_typed(const void* base, u32 type, u64 offset) {
    return type == 0 ? static_cast<const float*>(base)[offset] : to_float(static_cast<const bf16*>(base)[offset]);
}

/// A point of a view on its way to memory.
struct Point {
    u64 offset = 0;
    bool stored = true;

    __device__ void enter(const Axis& axis, u32 index) {
        const long long at = static_cast<long long>(index) + axis.first;
        stored = stored && at >= 0 && at < axis.stored;
        offset += static_cast<u64>(at) * axis.stride;
    }

    __device__ float read(const View& view) const {
        return stored ? read_typed(view.base, view.type, offset) : 0.0f;
    }
};

/// The element of `view` at logical position `index`, the last axis fastest.
__device__ inline float at(const View& view, u64 index) {
    Point point;
#pragma unroll
    for (u32 i = 0; i < RANK; i++) {
        const u32 axis = RANK - 1 - i;
        if (axis < view.rank) {
            point.enter(view.axes[axis], static_cast<u32>(index % view.axes[axis].length));
            index /= view.axes[axis].length;
        }
    }
    return point.read(view);
}
