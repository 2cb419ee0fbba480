// Everything on images, which are float in every precision: convolution, noise, guidance, the solver's update.
//
// Blocks of 256 threads, no shared memory. conv3x3, scale_image, guide: a thread to each element, grid = ⌈elements / 256⌉. start, update:
// a thread to each four elements of an image, grid = (⌈⌈elements / 4⌉ / 256⌉, images). Compile with -fmad=false.
#include "noise.cuh"
#include "types.cuh"

constexpr u32 THREADS = 256;

__device__ inline u64 thread_of_grid() {
    return u64(blockIdx.x) * THREADS + threadIdx.x;
}

/// [C, H, W] → [O, H, W], padding 1: one chain over (channel, line, column) of the kernel, then the bias.
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
    float sum = 0;
    for (u32 channel = 0; channel < channels; channel++) {
#pragma unroll
        for (u32 tap = 0; tap < 9; tap++) {
            // Line and column 0 of the padded image are zeros.
            const u32 from_line = line + tap / 3, from_at = at + tap % 3;
            const bool inside = from_line >= 1 && from_line <= height && from_at >= 1 && from_at <= width;
            const float pixel = inside ? image[u64(channel) * pixels + (from_line - 1) * width + from_at - 1] : 0.0f;
            sum = fmaf(weights[channel * 9 + tap], pixel, sum);
        }
    }
    out[index] = sum + bias[output];
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

/// sum + factor · *from; *from is not read where the factor is 0.
__device__ inline float add_term(float sum, float factor, const float* from) {
    return factor == 0.0f ? sum : fmaf(factor, *from, sum);
}

/// The row's step on each image: m = a·x + b·f, clipped; x' = c0·x + cs·saved + Σ history[i]·m_i + cz·z; if `save`, saved = x.
///
/// `history` is HISTORY buffers of images · elements floats; m of row r lies in buffer r % HISTORY. The block that ends last goes on
/// to the next row.
ENTRY(THREADS, update, const Row* rows, Step* step, float* x, const float* f, float* saved, float* history, const u64* indices, u32 seed_low,
      u32 seed_high, u32 elements, u32 images) {
    const u32 r = step->row;
    const Row row = rows[r];
    const u32 quad = static_cast<u32>(thread_of_grid());
    const u64 buffer = u64(images) * elements;
    float each[4] = {};
    if (row.cz != 0.0f && quad < ceiling(elements, 4)) {
        const float4 z = normal_quad({seed_low, seed_high}, indices[blockIdx.y], r + 1, quad);
        each[0] = z.x, each[1] = z.y, each[2] = z.z, each[3] = z.w;
    }
#pragma unroll
    for (u32 i = 0; i < 4; i++) {
        if (4 * quad + i < elements) {
            const u64 at = u64(blockIdx.y) * elements + 4 * quad + i;
            const float before = x[at];
            float m = fmaf(row.a, before, row.b * f[at]);
            if (row.clip < infinity()) {
                m = fmaxf(fminf(m, row.clip), -row.clip);
            }
            history[r % HISTORY * buffer + at] = m;
            float after = add_term(row.c0 * before, row.cs, saved + at);
            after = add_term(after, row.history[0], &m);
#pragma unroll
            for (u32 older = 1; older < HISTORY; older++) {
                after = add_term(after, row.history[older], history + (r + HISTORY - older) % HISTORY * buffer + at);
            }
            after = add_term(after, row.cz, &each[i]);
            if (row.save != 0) {
                saved[at] = before;
            }
            x[at] = after;
        }
    }
    // Every thread has read the step by now.
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence();
        const u32 blocks = gridDim.x * gridDim.y;
        if (atomicAdd(&step->ticket, 1) == blocks - 1) {
            step->row = r + 1;
            step->entry = row.entry;
            step->ticket = 0;
        }
    }
}
