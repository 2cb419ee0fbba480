// Convolution of images with a kernel of 3 × 3, padding 1.
#pragma once

#include "types.cuh"

/// Lines of an image that lie in memory: `count` from `first` on, of `height`.
struct Lines {
    u32 first, count, height, width;
};

/// The sum at (line, at): one chain over (channel, line, column) of the kernel, then the bias. Lines beside `line` lie in memory.
__device__ inline float convolve(const float* image, const float* weights, float bias, u32 channels, Lines lines, u32 line, u32 at) {
    float sum = 0;
    for (u32 channel = 0; channel < channels; channel++) {
#pragma unroll
        for (u32 tap = 0; tap < 9; tap++) {
            // Line and column 0 of the padded image are zeros.
            const u32 from_line = line + tap / 3, from_at = at + tap % 3;
            const bool inside = from_line >= 1 && from_line <= lines.height && from_at >= 1 && from_at <= lines.width;
            const u64 from = (u64(channel) * lines.count + from_line - 1 - lines.first) * lines.width + from_at - 1;
            sum = fmaf(weights[channel * 9 + tap], inside ? image[from] : 0.0f, sum);
        }
    }
    return sum + bias;
}
