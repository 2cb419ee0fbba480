// Everything on tokens but products: reductions along rows, functions of elements, copies.
//
// Blocks of 256 threads. Rows (norm, softmax): a warp to each, grid = ⌈rows / 8⌉. Chunks (16 bytes of a row; the others): a thread
// to each, grid = ⌈rows · ⌈columns / chunk⌉ / 256⌉, chunk = 4 floats or 8 bfloat16. patchify, unpatchify: a thread to each element of
// the output. No shared memory. Any address, stride and length; aligned to 16 bytes is faster.
#include "activation.cuh"
#include "chunk.cuh"
#include "norm.cuh"
#include "softmax.cuh"
#include "types.cuh"

constexpr u32 THREADS = 256;

/// The row of this thread's warp.
__device__ inline u32 row_of_warp() {
    return blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP;
}

/// out = norm(x0 and x1 side by side); x1 may be absent.
ENTRY_OF(THREADS, 6, TYPED(norm), Window x0, Window x1, const float* gain, const float* shift, float eps, T* out, u32 total, const Step* step) {
    const u32 r = row_of_warp();
    if (r >= total) {
        return;
    }
    const bool joined = x1.base != nullptr;
    const u32 columns = x0.columns + (joined ? x1.columns : 0);
    const JoinedRow row = {row_of<T>(x0, r, step), joined ? row_of<T>(x1, r, step) : nullptr, x0.columns, columns};
    normalize(row, gain, shift, eps, out + u64(r) * columns);
}

ENTRY(THREADS, TYPED(softmax), Window x, T* out, u32 total, const Step* step) {
    const u32 r = row_of_warp();
    if (r >= total) {
        return;
    }
    softmax_of({row_of<T>(x, r, step), nullptr, x.columns, x.columns}, out + u64(r) * x.columns);
}

/// This thread's chunk of rows of `columns` elements.
struct Place {
    u32 row, column, count;

    __device__ explicit Place(u32 columns) {
        const u32 chunks = ceiling(columns, CHUNK<T>);
        const u64 index = u64(blockIdx.x) * THREADS + threadIdx.x;
        row = static_cast<u32>(index / chunks);
        column = static_cast<u32>(index % chunks) * CHUNK<T>;
        count = min(columns - column, CHUNK<T>);
    }
};

/// out = f(x), element by element.
template <class F>
__device__ inline void map(const Window& x, T* out, u32 total, const Step* step, F f) {
    const Place place(x.columns);
    if (place.row >= total) {
        return;
    }
    float y[CHUNK<T>];
    read_some(row_of<T>(x, place.row, step) + place.column, place.count, y);
#pragma unroll
    for (u32 i = 0; i < CHUNK<T>; i++) {
        if (i < place.count) {
            y[i] = f(y[i]);
        }
    }
    write_some(out + u64(place.row) * x.columns + place.column, place.count, y);
}

ENTRY(THREADS, TYPED(activate), Window x, u32 f, T* out, u32 total, const Step* step) {
    switch (static_cast<Activation>(f)) {
    case Activation::gelu:
        return map(x, out, total, step, activate<Activation::gelu>);
    case Activation::gelu_tanh:
        return map(x, out, total, step, activate<Activation::gelu_tanh>);
    default:
        return map(x, out, total, step, activate<Activation::silu>);
    }
}

/// out = x · scale + offset, rounded twice.
ENTRY(THREADS, TYPED(affine), Window x, float scale, float offset, T* out, u32 total, const Step* step) {
    map(x, out, total, step, [=](float x) { return x * scale + offset; });
}

/// out = a + b (f = 0) or a · b (f = 1).
ENTRY(THREADS, TYPED(binary), Window a, Window b, u32 f, T* out, u32 total, const Step* step) {
    const Place place(a.columns);
    if (place.row >= total) {
        return;
    }
    float x[CHUNK<T>], y[CHUNK<T>];
    read_some(row_of<T>(a, place.row, step) + place.column, place.count, x);
    read_some(row_of<T>(b, place.row, step) + place.column, place.count, y);
#pragma unroll
    for (u32 i = 0; i < CHUNK<T>; i++) {
        if (i < place.count) {
            x[i] = f == 0 ? x[i] + y[i] : x[i] * y[i];
        }
    }
    write_some(out + u64(place.row) * a.columns + place.column, place.count, x);
}

/// Copies x to (row, column) of each image of out, which has `rows` rows of `columns` columns per image.
ENTRY(THREADS, TYPED(copy), Window x, T* out, u32 columns, u32 rows, u32 row, u32 column, u32 total, const Step* step) {
    const Place place(x.columns);
    if (place.row >= total) {
        return;
    }
    float y[CHUNK<T>];
    read_some(row_of<T>(x, place.row, step) + place.column, place.count, y);
    const u64 to = u64(place.row / x.rows) * rows + row + place.row % x.rows;
    write_some(out + to * columns + column + place.column, place.count, y);
}

ENTRY(THREADS, TYPED(convert), const float* x, T* out, u64 count) {
    const u64 at = (u64(blockIdx.x) * THREADS + threadIdx.x) * CHUNK<T>;
    if (at >= count) {
        return;
    }
    const u32 some = static_cast<u32>(min(count - at, u64(CHUNK<T>)));
    float y[CHUNK<T>];
#pragma unroll
    for (u32 i = 0; i < CHUNK<T>; i++) {
        y[i] = i < some ? x[at + i] : 0.0f;
    }
    write_some(out + at, some, y);
}

/// Row i of out = row labels[i] of the table.
ENTRY(THREADS, TYPED(embed), const T* table, const u32* labels, T* out, u32 columns, u32 images) {
    const Place place(columns);
    if (place.row >= images) {
        return;
    }
    float y[CHUNK<T>];
    read_some(table + u64(labels[place.row]) * columns + place.column, place.count, y);
    write_some(out + u64(place.row) * columns + place.column, place.count, y);
}

/// Row (i, j) of out = the patch [C, P, P] at lines iP.., columns jP.. of the image [C, H, W].
ENTRY(THREADS, TYPED(patchify), const float* image, u32 channels, u32 height, u32 width, u32 patch, T* out, u32 images) {
    const u64 index = u64(blockIdx.x) * THREADS + threadIdx.x;
    const u32 elements = channels * height * width;
    if (index >= u64(images) * elements) {
        return;
    }
    const u32 columns = channels * patch * patch;
    const u32 within = static_cast<u32>(index % elements);
    const u32 row = within / columns, column = within % columns;
    const u32 y = row / (width / patch) * patch + column / patch % patch;
    const u32 x = row % (width / patch) * patch + column % patch;
    const u64 from = index / elements * elements + (column / (patch * patch) * height + y) * width + x;
    from_float(image[from], out[index]);
}

/// The image [C, H, W] whose patch at lines iP.., columns jP.. is row (i, j) of x, [P, P, C].
ENTRY(THREADS, TYPED(unpatchify), Window x, u32 channels, u32 height, u32 width, u32 patch, float* out, u32 images, const Step* step) {
    const u64 index = u64(blockIdx.x) * THREADS + threadIdx.x;
    const u32 elements = channels * height * width;
    if (index >= u64(images) * elements) {
        return;
    }
    const u32 within = static_cast<u32>(index % elements);
    const u32 channel = within / (height * width), line = within / width % height, at = within % width;
    const u32 row = line / patch * (width / patch) + at / patch;
    const u32 r = static_cast<u32>(index / elements) * x.rows + row;
    out[index] = to_float(row_of<T>(x, r, step)[(line % patch * patch + at % patch) * channels + channel]);
}
