// Everything on images, which are float in every precision: convolution, noise, guidance, the solver's update.
//
// Blocks of 256 threads, no shared memory. conv3x3, scale_image, guide: a thread to each element, grid = ⌈elements / 256⌉. start, update:
// a thread to each four elements of an image, grid = (⌈⌈elements / 4⌉ / 256⌉, images). Compile with -fmad=false.
#include "chunk.cuh"
#include "convolution.cuh"
#include "noise.cuh"
#include "types.cuh"
#include "update.cuh"

constexpr u32 THREADS = 256;

__device__ inline u64 thread_of_grid() {
    return u64(blockIdx.x) * THREADS + threadIdx.x;
}

/// [C, H, W] → [O, H, W], padding 1.
ENTRY(THREADS, conv3x3, const float* x, const float* weight, const float* bias, u32 channels, u32 height, u32 width, u32 outputs, float* out, u32 images) {
    const u64 index = thread_of_grid();
    const u32 pixels = height * width;
    if (index >= u64(images) * outputs * pixels) {
        return;
    }
    const u32 pixel = static_cast<u32>(index % pixels), line = pixel / width, at = pixel % width;
    const u32 output = static_cast<u32>(index / pixels % outputs);
    const float* image = x + index / (u64(outputs) * pixels) * channels * pixels;
    const float* weights = weight + u64(output) * channels * 9;
    out[index] = convolve(image, weights, bias[output], channels, {0, height, height, width}, line, at);
}

/// x = draw 0 of each image.
ENTRY(THREADS, start, float* x, const u64* indices, u32 seed_low, u32 seed_high, u32 elements, u32) {
    const u32 quad = static_cast<u32>(thread_of_grid());
    if (quad >= ceiling(elements, 4)) {
        return;
    }
    const float4 z = normal_quad({seed_low, seed_high}, indices[blockIdx.y], 0, quad);
    const float each[4] = {z.x, z.y, z.z, z.w};
#pragma unroll
    for (u32 i = 0; i < 4; i++) {
        if (4 * quad + i < elements) {
            x[u64(blockIdx.y) * elements + 4 * quad + i] = each[i];
        }
    }
}

/// fed = x · the current row's scale.
ENTRY(THREADS, scale_image, const Row* rows, const Step* step, const float* x, float* fed, u64 count) {
    const u64 index = thread_of_grid();
    if (index < count) {
        fed[index] = rows[step->row].scale * x[index];
    }
}

/// conditional += scale · (conditional − unconditional).
ENTRY(THREADS, guide, float scale, float* conditional, const float* unconditional, u64 count) {
    const u64 index = thread_of_grid();
    if (index < count) {
        conditional[index] = fmaf(scale, conditional[index] - unconditional[index], conditional[index]);
    }
}

/// The row's step on each image (`Update`), of the network's output f. The block that ends last goes on to the next row.
ENTRY_OF(THREADS, 4, update, const Row* rows, Step* step, float* x, const float* f, float* saved, float* history, const u64* indices, u32 seed_low,
      u32 seed_high, u32 elements, u32 images) {
    const Update update = {rows, step, x, saved, history, indices, {seed_low, seed_high}, elements, images};
    const u32 r = step->row;
    const Row row = rows[r];
    const u32 quad = static_cast<u32>(thread_of_grid());
    if (quad < ceiling(elements, 4)) {
        float own[4] = {};
        read_some(f + u64(blockIdx.y) * elements + 4 * quad, elements - 4 * quad, own);
        update.quad(row, r, blockIdx.y, quad, own);
    }
    update.advance(row, r);
}
