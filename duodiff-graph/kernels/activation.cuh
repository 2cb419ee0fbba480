// Exponential, error function and the activations made of them: the same fused multiply-adds as on the CPU, so equal bits.
#pragma once

#include "types.cuh"

/// e^x to 2 ulp, x clamped to [−87.3, 88.3].
///
/// x = n·ln 2 + r with whole n and |r| ≤ ½ ln 2; e^r by a polynomial; 2^n exact.
__device__ inline float exponential(float x) {
    // 1.5·2²³: adding it rounds to a whole number, which then stands in the lowest bits.
    constexpr float ROUND = 12582912.0f;
    x = fmaxf(fminf(x, 88.3f), -87.3f);
    const float shifted = fmaf(x, 1.44269504f, ROUND);
    const float n = shifted - ROUND;
    const float r = fmaf(n, 2.1219444e-4f, fmaf(n, -0.6933594f, x));
    float sum = 1.0f / 5040.0f;
    sum = fmaf(sum, r, 1.0f / 720.0f);
    sum = fmaf(sum, r, 1.0f / 120.0f);
    sum = fmaf(sum, r, 1.0f / 24.0f);
    sum = fmaf(sum, r, 1.0f / 6.0f);
    sum = fmaf(sum, r, 0.5f);
    sum = fmaf(sum, r, 1.0f);
    return fmaf(sum, r, 1.0f) * __uint_as_float((__float_as_uint(shifted) << 23) + 0x3F800000);
}

/// The error function to 4e-7 absolute; exactly ±1 beyond ±3.75.
///
/// x·P(x²) with P a minimax polynomial in 2x²/3.75² − 1, constrained to erf(3.75) = 1.
__device__ inline float error_function(float x) {
    constexpr float BOUND = 3.75f;
    x = fmaxf(fminf(x, BOUND), -BOUND);
    const float u = fmaf(x * x, 2.0f / (BOUND * BOUND), -1.0f);
    float sum = -0.00180632f;
    sum = fmaf(sum, u, 0.004764572f);
    sum = fmaf(sum, u, -0.0042440584f);
    sum = fmaf(sum, u, 0.005443223f);
    sum = fmaf(sum, u, -0.015321268f);
    sum = fmaf(sum, u, 0.02726568f);
    sum = fmaf(sum, u, -0.038079415f);
    sum = fmaf(sum, u, 0.0528755f);
    sum = fmaf(sum, u, -0.071413616f);
    sum = fmaf(sum, u, 0.0908539f);
    sum = fmaf(sum, u, -0.11196139f);
    sum = fmaf(sum, u, 0.13926226f);
    sum = fmaf(sum, u, -0.18802938f);
    sum = fmaf(sum, u, 0.377057f);
    return x * sum;
}

/// 1 / (1 + e^−x).
__device__ inline float sigmoid(float x) {
    return 1.0f / (1.0f + exponential(-x));
}

enum class Activation : u32 { gelu = 0, gelu_tanh = 1, silu = 2, none = 3 };

template <Activation F>
__device__ inline float activate(float x) {
    if constexpr (F == Activation::gelu) {
        const float half = x * 0.5f;
        return fmaf(half, error_function(x * 0.70710678f), half);
    } else if constexpr (F == Activation::gelu_tanh) {
        // ½(1 + tanh y) is the sigmoid of 2y.
        constexpr float FACTOR = 1.595769f;
        const float cubic = x * x * (0.044715f * FACTOR);
        return x * sigmoid(x * (cubic + FACTOR));
    } else if constexpr (F == Activation::silu) {
        return x * sigmoid(x);
    } else {
        return x;
    }
}
