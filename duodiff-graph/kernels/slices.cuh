// Slices: 128 bytes of k of the rows of both operands of a product, on their way to shared memory.
//
// Row r of a slice starts at byte 128 · r; its chunk c (16 bytes) lies at place c XOR r mod 8. So eight threads that write a row, and
// eight that read the same chunk of neighbouring rows, meet all 32 banks once. A thread brings the same chunk of every row that is
// its own; past the end of rows and columns come zeros.
#pragma once

#include "chunk.cuh"

constexpr u32 SLICE_BYTES = 128;
constexpr u32 SLICE_CHUNKS = SLICE_BYTES / 16;
/// Columns of a slice.
constexpr u32 SLICE = SLICE_BYTES / sizeof(T);

/// Byte of chunk `chunk` of row `row`.
__device__ inline u32 place_in_slice(u32 row, u32 chunk) {
    return row * SLICE_BYTES + (chunk ^ row % 8) * 16;
}

/// Where column 0 of row `r` of a window lies; null past the last row, and in a window that is absent. `before` columns of other
/// windows stand left of it: counted with them, the address is that of the row they would start.
__device__ inline const T* column_zero(const Window& window, u32 r, u32 end, u32 before, const Step* step) {
    return r < end && window.base != nullptr ? row_of<T>(window, r, step) - before : nullptr;
}

/// Where each of `ROWS` rows of up to two windows side by side lies; in shared memory.
template <u32 ROWS>
struct RowTable {
    const T* rows[2][ROWS];

    /// The rows from `start` on, of which there are `end`; by all threads of a block, at least `ROWS`.
    __device__ void fill(const Window& window0, const Window& window1, u32 start, u32 end, const Step* step) {
        const u32 own = threadIdx.x;
        if (own < ROWS) {
            rows[0][own] = column_zero(window0, start + own, end, 0, step);
            rows[1][own] = column_zero(window1, start + own, end, window0.columns, step);
        }
    }

    /// Row `own` + `i`, in the first or in the second window.
    __device__ const T* row(u32 window, u32 own, u32 i) const {
        return rows[window][own + i];
    }
};

/// One of `THREADS` threads that bring slices of `ROWS` rows of a and `COLUMNS` rows of the weight.
template <u32 ROWS, u32 COLUMNS, u32 THREADS>
class Bringer {
    /// From a row of this thread to its next.
    static constexpr u32 STRIDE = THREADS / SLICE_CHUNKS;
    static_assert(STRIDE % 8 == 0 && ROWS % STRIDE == 0 && COLUMNS % STRIDE == 0, "a thread's chunks lie at one place of the pattern");

    const T* weight;
    u32 second, n, k, own, place;
    /// This thread's first row of the weight, how many there are from it on, and the next column.
    const T* own_weight;
    u32 weights, column;

    /// Zeros if it is not there; the address is a valid one all the same.
    __device__ void copy(u32 to, const T* row, bool is_there) const {
        is_there = is_there && column < k;
        copy16(to + place, is_there ? row + column : weight, is_there ? 16 : 0);
    }

public:
    /// `weight` is `[n, k]`; columns of a from `second` on are those of its second window.
    __device__ Bringer(const T* weight, u32 second, u32 n, u32 k, u32 thread) : weight(weight), second(second), n(n), k(k) {
        own = thread / SLICE_CHUNKS;
        place = place_in_slice(own, thread % SLICE_CHUNKS);
        column = thread % SLICE_CHUNKS * CHUNK<T>;
    }

    /// Goes to column 0, and to the rows of the weight from `first` on.
    __device__ void start(u32 first) {
        column %= SLICE;
        own_weight = weight + u64(first + own) * k;
        weights = first + own < n ? n - first - own : 0;
    }

    /// Starts to copy the next slices: a's rows, which `rows` knows, to shared address `to`, the weight's behind them.
    template <class Rows>
    __device__ void bring(const Rows& rows, u32 to) {
        const u32 window = column < second ? 0 : 1;
#pragma unroll
        for (u32 i = 0; i < ROWS; i += STRIDE) {
            const T* row = rows.row(window, own, i);
            copy(to + i * SLICE_BYTES, row, row != nullptr);
        }
#pragma unroll
        for (u32 i = 0; i < COLUMNS; i += STRIDE) {
            copy(to + (ROWS + i) * SLICE_BYTES, own_weight + u64(i) * k, i < weights);
        }
        column += SLICE;
    }
};
