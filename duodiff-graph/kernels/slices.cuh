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

/// Where each of `ROWS` rows of up to two windows side by side lies; in shared memory.
template <u32 ROWS>
struct RowTable {
    /// Column 0 of each row; of the second window's, where it would be. Null past the last row.
    const T* rows[2][ROWS];

    /// The rows from `start` on, of which there are `end`; by all threads of a block, at least `ROWS`.
    __device__ void fill(const Window& window0, const Window& window1, u32 start, u32 end, const Step* step) {
        const u32 own = threadIdx.x, r = start + own;
        if (own < ROWS) {
            rows[0][own] = r < end ? row_of<T>(window0, r, step) : nullptr;
            rows[1][own] = r < end && window1.base != nullptr ? row_of<T>(window1, r, step) - window0.columns : nullptr;
        }
    }
};

/// One of `THREADS` threads that bring slices of `ROWS` rows of a and `COLUMNS` rows of the weight.
template <u32 ROWS, u32 COLUMNS, u32 THREADS>
class Bringer {
    /// From a row of this thread to its next.
    static constexpr u32 STRIDE = THREADS / SLICE_CHUNKS;
    static_assert(STRIDE % 8 == 0 && ROWS % STRIDE == 0 && COLUMNS % STRIDE == 0, "a thread's chunks lie at one place of the pattern");

    const RowTable<ROWS>& table;
    /// The first row of the weight, and this thread's first.
    const T* const weight;
    const T* own_weight;
    u32 own, place, k, second, weights;
    /// The next column.
    u32 column;

    /// Zeros if it is not there; the address is a valid one all the same.
    __device__ void copy(u32 to, const T* row, bool is_there) const {
        is_there = is_there && column < k;
        copy16(to + place, is_there ? row + column : weight, is_there ? 16 : 0);
    }

public:
    /// Rows of a as `table` has them, those from column `second` on its second window's; rows `first`.. of the weight, `[n, k]`.
    __device__ Bringer(const RowTable<ROWS>& table, const T* weight, u32 second, u32 first, u32 n, u32 k, u32 thread)
        : table(table), weight(weight), k(k), second(second) {
        own = thread / SLICE_CHUNKS;
        place = place_in_slice(own, thread % SLICE_CHUNKS);
        column = thread % SLICE_CHUNKS * CHUNK<T>;
        own_weight = weight + u64(first + own) * k;
        weights = first + own < n ? n - first - own : 0;
    }

    /// Starts to copy the next slices, a's to shared address `to`, the weight's behind it.
    __device__ void bring(u32 to) {
        const T* const* rows = table.rows[column < second ? 0 : 1] + own;
#pragma unroll
        for (u32 i = 0; i < ROWS; i += STRIDE) {
            copy(to + i * SLICE_BYTES, rows[i], rows[i] != nullptr);
        }
#pragma unroll
        for (u32 i = 0; i < COLUMNS; i += STRIDE) {
            copy(to + (ROWS + i) * SLICE_BYTES, own_weight + u64(i) * k, i < weights);
        }
        column += SLICE;
    }
};
