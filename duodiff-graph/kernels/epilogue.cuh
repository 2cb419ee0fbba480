// What a linear does with its sums: layer norm, + bias, activation, + residual, rounded once.
#pragma once

#include "activation.cuh"
#include "chunk.cuh"
#include "statistics.cuh"

/// Layer norm of the rows of a, made up for in the sums: scale · (sum − mean · sum of the weight's row).
///
/// The norm's gain is in the weight, its shift in the bias.
struct FoldedNorm {
    /// Of the weight's rows; null where a is taken as it is.
    const float* sums = nullptr;
    /// Of the rows of a from `first` on.
    const Normal* normals = nullptr;
    u32 first = 0;
};

/// Where statistics of the rows of the output go: those of columns `c`.. of row r to `to[(r − row) · pitch + (c − column) / width]`.
struct Summary {
    /// Null where nobody wants them.
    Statistics* to = nullptr;
    u32 pitch = 0, row = 0, column = 0;
};

struct Epilogue {
    const float* bias;
    Window residual;
    T* out;
    u32 n;
    const Step* step;
    FoldedNorm norm = {};
    Summary summary = {};

    /// Of columns `column`.., the first `count` of N numbers; zeros behind them and where there are none.
    template <u32 N>
    __device__ static void read_columns(const float* from, u32 column, u32 count, float (&out)[N]) {
#pragma unroll
        for (u32 quad = 0; quad < N; quad += 4) {
            float four[4] = {};
            if (from != nullptr && quad < count) {
                read_some(from + column + quad, count - quad, four);
            }
#pragma unroll
            for (u32 i = 0; i < 4; i++) {
                out[quad + i] = four[i];
            }
        }
    }

    /// The bias of columns `column`...
    template <u32 N>
    __device__ void read_bias(u32 column, u32 count, float (&out)[N]) const {
        read_columns(bias, column, count, out);
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
