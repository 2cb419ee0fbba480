// What a linear does with its sums: + bias, activation, + residual, rounded once.
#pragma once

#include "activation.cuh"
#include "chunk.cuh"

struct Epilogue {
    const float* bias;
    Window residual;
    T* out;
    u32 n;
    const Step* step;

    /// Finishes columns `column`.. of row `r`, the first `count` of N.
    template <Activation F, u32 N>
    __device__ void finish(u32 r, u32 column, u32 count, float (&x)[N]) const {
#pragma unroll
        for (u32 i = 0; i < N; i++) {
            if (bias != nullptr && i < count) {
                x[i] += bias[column + i];
            }
            x[i] = activate<F>(x[i]);
        }
        if (residual.base != nullptr) {
            float other[N] = {};
            read_some(row_of<T>(residual, r, step) + column, count, other);
#pragma unroll
            for (u32 i = 0; i < N; i++) {
                x[i] += other[i];
            }
        }
        write_some(out + u64(r) * n + column, count, x);
    }
};
