// The solver's update: the same fused multiply-adds in the same order as on the CPU, so equal bits. Compile with -fmad=false.
#pragma once

#include "noise.cuh"
#include "types.cuh"

/// sum + factor · *from; *from is not read where the factor is 0.
__device__ inline float add_term(float sum, float factor, const float* from) {
    return factor == 0.0f ? sum : fmaf(factor, *from, sum);
}

/// The row's step on each image: m = a·x + b·f, clipped; x' = c0·x + cs·saved + Σ history[i]·m_i + cz·z; if `save`, saved = x.
///
/// `history` is HISTORY buffers of images · elements floats; m of row r lies in buffer r % HISTORY.
struct Update {
    const Row* rows;
    Step* step;
    float* x;
    float* saved;
    float* history;
    const u64* indices;
    Seed seed;
    u32 elements, images;

    /// Elements 4 · quad.. of image `image`, as many as there are, in row `r`.
    __device__ void quad(const Row& row, u32 r, u32 image, u32 quad, const float (&f)[4]) const {
        const u64 buffer = u64(images) * elements;
        float each[4] = {};
        if (row.cz != 0.0f) {
            const float4 z = normal_quad(seed, indices[image], r + 1, quad);
            each[0] = z.x, each[1] = z.y, each[2] = z.z, each[3] = z.w;
        }
#pragma unroll
        for (u32 i = 0; i < 4; i++) {
            if (4 * quad + i < elements) {
                const u64 at = u64(image) * elements + 4 * quad + i;
                const float before = x[at];
                float m = fmaf(row.a, before, row.b * f[i]);
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
    }

    /// The block that ends last goes on to the next row; by all threads, when their quads are done.
    __device__ void advance(const Row& row, u32 r) const {
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
};
