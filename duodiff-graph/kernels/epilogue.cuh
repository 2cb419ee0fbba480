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

    /// The bias of columns `column`.., the first `count` of N; zeros behind them and where there is none.
    template <u32 N>
    __device__ void read_bias(u32 column, u32 count, float (&out)[N]) const {
#pragma unroll
        for (u32 quad = 0; quad < N; quad += 4) {
            float four[4] = {};
            if (bias != nullptr && quad < count) {
                read_some(bias + column + quad, count - quad, four);
            }
#pragma unroll
            for (u32 i = 0; i < 4; i++) {
                out[quad + i] = four[i];
            }
        }
    }

    /// Finishes columns `column`.. of row `r`, the first `count` of N, which have the bias `own`.
    template <Activation F, u32 N>
    __device__ void finish(u32 r, u32 column, u32 count, const float (&own)[N], float (&x)[N]) const {
#pragma unroll
        for (u32 i = 0; i < N; i++) {
            if (bias != nullptr) {
                x[i] += own[i];
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
