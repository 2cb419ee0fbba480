// The end of a network in one kernel: layer norm, linear, patches to an image, convolution if there is one, and the solver's update.
//
// Blocks of 256 threads; grid = (⌈lines of patches / `lines`⌉, images): a block makes so many lines of patches, and those beside them once
// more if there is a convolution, so neither the grid nor the batch changes a bit. Shared memory, in floats: 128 for each column
// of the linear, 2 for each of the block's patches, and the block's lines of the image. A thread has EACH columns of a patch: few where there are
// few patches. Each sum is one chain of fused multiply-adds over k ascending from 0. Wanted: the image's width is a multiple of 4.
// Compile with -fmad=false.
#include "chunk.cuh"
#include "convolution.cuh"
#include "norm.cuh"
#include "types.cuh"
#include "update.cuh"
#include "warp.cuh"

constexpr u32 THREADS = 256;
/// Columns of k whose weights are in shared memory at a time.
constexpr u32 SLICE = 128;

/// Rows of tokens → [channels, height, width].
struct Decoder {
    Window x;
    /// Of the rows of x; absent where no kernel made them.
    Window statistics;
    const float* gain;
    const float* shift;
    float eps;
    const T* weight;
    const float* bias;
    u32 channels, height, width, patch;
    const Step* step;

    __device__ u32 across() const {
        return width / patch;
    }

    __device__ u32 columns() const {
        return channels * patch * patch;
    }

    /// What rows `first`.. are shifted and scaled by, counted over the batch.
    __device__ void read_normals(u32 first, u32 rows, Normal* normals) const {
        if (statistics.base != nullptr) {
            for (u32 i = threadIdx.x; i < rows; i += THREADS) {
                normals[i] = normal_of(row_of<Statistics>(statistics, first + i, step), x.columns, eps);
            }
            return;
        }
        for (u32 i = threadIdx.x / WARP; i < rows; i += THREADS / WARP) {
            const Normal normal = normal_of(JoinedRow{row_of<T>(x, first + i, step), nullptr, x.columns, x.columns}, eps);
            if (lane_of_warp() == 0) {
                normals[i] = normal;
            }
        }
    }

    /// Columns `from`.. of all rows of the weight, `SLICE` of each; zeros behind the last.
    __device__ void read_weights(u32 from, float* weights) const {
        for (u32 at = threadIdx.x * CHUNK<T>; at < columns() * SLICE; at += THREADS * CHUNK<T>) {
            const u32 column = from + at % SLICE;
            float own[CHUNK<T>] = {};
            if (column < x.columns) {
                read_some(weight + u64(at / SLICE) * x.columns + column, min(x.columns - column, CHUNK<T>), own);
            }
#pragma unroll
            for (u32 i = 0; i < CHUNK<T>; i++) {
                weights[at + i] = own[i];
            }
        }
    }

    /// Columns `at`.. of a row, normed, at most a chunk; how many they are.
    __device__ u32 read(const T* row, Normal normal, u32 at, float (&out)[CHUNK<T>]) const {
        const u32 count = min(x.columns - at, CHUNK<T>);
        read_some(row + at, count, out);
#pragma unroll
        for (u32 i = 0; i < CHUNK<T>; i++) {
            if (i < count) {
                const float y = (out[i] - normal.mean) * normal.scale;
                out[i] = fmaf(y, gain == nullptr ? 1.0f : gain[at + i], shift == nullptr ? 0.0f : shift[at + i]);
            }
        }
        return count;
    }

    /// Lines of patches `begin`..`end` of image `index` to `image`, [channels, (end − begin) · patch, width].
    template <u32 EACH>
    __device__ void decode(u32 index, u32 begin, u32 end, Normal* normals, float* weights, float* image) const {
        const u32 rows = (end - begin) * across(), first = index * x.rows + begin * across();
        read_normals(first, rows, normals);
        const u32 work = rows * ceiling(columns(), EACH);
        // All threads take every turn: they bring the weights together.
        for (u32 turn = 0; turn < work; turn += THREADS) {
            const u32 own = min(turn + threadIdx.x, work - 1), row = own % rows, column = own / rows * EACH;
            const T* const from = row_of<T>(x, first + row, step);
            float sums[EACH] = {};
            for (u32 slice = 0; slice < x.columns; slice += SLICE) {
                __syncthreads();
                read_weights(slice, weights);
                __syncthreads();
                for (u32 at = 0; at < SLICE && slice + at < x.columns; at += CHUNK<T>) {
                    float y[CHUNK<T>];
                    const u32 count = read(from, normals[row], slice + at, y);
#pragma unroll
                    for (u32 j = 0; j < EACH; j++) {
                        const float* const by = weights + min(column + j, columns() - 1) * SLICE + at;
#pragma unroll
                        for (u32 quad = 0; quad < CHUNK<T>; quad += 4) {
                            const float4 four = *reinterpret_cast<const float4*>(by + quad);
                            const float each[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
                            for (u32 i = 0; i < 4; i++) {
                                sums[j] = quad + i < count ? fmaf(y[quad + i], each[i], sums[j]) : sums[j];
                            }
                        }
                    }
                }
            }
            if (turn + threadIdx.x < work) {
                place<EACH>(row, column, (end - begin) * patch, sums, image);
            }
        }
        __syncthreads();
    }

    /// Columns `column`.. of a patch, [patch, patch, channels], to the block's lines of the image.
    template <u32 EACH>
    __device__ void place(u32 row, u32 column, u32 lines, const float (&sums)[EACH], float* image) const {
#pragma unroll
        for (u32 j = 0; j < EACH; j++) {
            const u32 c = column + j;
            if (c < columns()) {
                const u32 pixel = c / channels;
                const u32 line = row / across() * patch + pixel / patch, at = row % across() * patch + pixel % patch;
                image[(c % channels * lines + line) * width + at] = bias == nullptr ? sums[j] : sums[j] + bias[c];
            }
        }
    }
};

/// [channels, H, W] → [outputs, H, W]; none where `weight` is null.
struct Convolution {
    const float* weight;
    const float* bias;
    u32 outputs;
};

/// The network's output to `out`; or, if `update` has rows, the update of it, and on to the next row.
template <u32 EACH>
__device__ inline void tail(const Decoder& decoder, const Convolution& convolution, u32 lines, float* out, const Update& update) {
    const u32 patch = decoder.patch, width = decoder.width, high = decoder.height / patch;
    const u32 first = blockIdx.x * lines, last = min(first + lines, high), beside = convolution.weight != nullptr;
    const u32 begin = first - min(first, beside), end = min(last + beside, high);
    auto* const weights = reinterpret_cast<float*>(shared_memory());
    auto* const normals = reinterpret_cast<Normal*>(weights + decoder.columns() * SLICE);
    auto* const image = reinterpret_cast<float*>(normals + (end - begin) * decoder.across());
    decoder.decode<EACH>(blockIdx.y, begin, end, normals, weights, image);

    const bool updates = update.rows != nullptr;
    const u32 r = updates ? update.step->row : 0;
    const Row row = updates ? update.rows[r] : Row{};
    const Lines there = {begin * patch, (end - begin) * patch, decoder.height, width};
    const u32 own = (last - first) * patch, quads = width / 4;
    for (u32 index = threadIdx.x; index < convolution.outputs * own * quads; index += THREADS) {
        const u32 output = index / (own * quads), line = first * patch + index / quads % own, at = index % quads * 4;
        float f[4];
#pragma unroll
        for (u32 i = 0; i < 4; i++) {
            const float* const weights = convolution.weight + u64(output) * decoder.channels * 9;
            f[i] = beside ? convolve(image, weights, convolution.bias[output], decoder.channels, there, line, at + i)
                          : image[(output * there.count + line - there.first) * width + at + i];
        }
        const u32 element = (output * decoder.height + line) * width + at;
        if (updates) {
            update.quad(row, r, blockIdx.y, element / 4, f);
        } else {
            write_some(out + u64(blockIdx.y) * update.elements + element, 4, f);
        }
    }
    if (updates) {
        update.advance(row, r);
    }
}

#define TAIL(name, each)                                                                                                                    \
    ENTRY_OF(THREADS, 1, name, Window x, Window statistics, const float* gain, const float* shift, float eps, const T* weight, const float* bias,   \
          u32 channels, u32 height, u32 width, u32 patch, const float* kernel, const float* kernel_bias, u32 outputs, u32 lines, float* out,  \
          u32 images, Step* step, const Row* rows, float* state, float* saved, float* history, const u64* indices, u32 seed_low,              \
          u32 seed_high) {                                                                                                                  \
        const Decoder decoder = {x, statistics, gain, shift, eps, weight, bias, channels, height, width, patch, step};                      \
        const u32 elements = outputs * height * width;                                                                                      \
        const Update update = {rows, step, state, saved, history, indices, {seed_low, seed_high}, elements, images};                        \
        tail<each>(decoder, {kernel, kernel_bias, outputs}, lines, out, update);                                                            \
    }

#ifdef DUODIFF_BF16
TAIL(tail_bf16_4, 4)
TAIL(tail_bf16_16, 16)
#else
TAIL(tail_f32_4, 4)
TAIL(tail_f32_16, 16)
#endif
