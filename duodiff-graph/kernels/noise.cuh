// Gaussian noise keyed by (seed, image, draw, element): the host's, operation by operation, so equal bits.
//
// Element e of draw d of image i is lane e mod 4 of the Philox4x32-10 block with counter [e / 4, d, i low, i high]; Box and
// Muller's transform in explicit fused multiply-adds. Compile with -fmad=false: no other product may be fused.
#pragma once

#include "types.cuh"

struct Words {
    u32 x[4];
};

/// One block of Philox4x32-10 (Salmon et al. 2011).
__device__ inline Words philox(Words counter, u32 key0, u32 key1) {
#pragma unroll
    for (u32 round = 0; round < 10; round++) {
        const u32 high0 = __umulhi(0xD2511F53, counter.x[0]), low0 = 0xD2511F53 * counter.x[0];
        const u32 high1 = __umulhi(0xCD9E8D57, counter.x[2]), low1 = 0xCD9E8D57 * counter.x[2];
        counter = {{high1 ^ counter.x[1] ^ key0, low1, high0 ^ counter.x[3] ^ key1, low0}};
        key0 += 0x9E3779B9;
        key1 += 0xBB67AE85;
    }
    return counter;
}

/// Natural logarithm of a normal number in (0, 1]: ln(2^e·m) = e·ln 2 + 2 artanh((m − 1)/(m + 1)).
__device__ inline float natural_logarithm(float x) {
    // Mantissas are taken from [√½, √2).
    const u32 bits = __float_as_uint(x);
    const int exponent = static_cast<int>(bits - 0x3F3504F3) >> 23;
    const float f = __uint_as_float(bits - (static_cast<u32>(exponent) << 23)) - 1.0f;
    const float s = f / (2.0f + f);
    const float z = s * s;
    float series = fmaf(z, 2.0f / 9.0f, 2.0f / 7.0f);
    series = fmaf(z, series, 2.0f / 5.0f);
    series = fmaf(z, series, 2.0f / 3.0f);
    const float e = static_cast<float>(exponent);
    const float small = fmaf(e, -2.1219444e-4f, s * z * series);
    return fmaf(e, 0.6933594f, fmaf(s, 2.0f, small));
}

/// cos and sin of `word` / 2³² turns.
__device__ inline float2 cosine_and_sine(u32 word) {
    // The nearest quarter turn, and what is left of the angle: −½..½ of a quarter turn.
    const u32 quarter = (word + (1u << 29)) >> 30;
    const float rest = static_cast<float>(static_cast<int>(word - (quarter << 30)));
    const float x = rest * (1.0f / 1073741824.0f) * 1.57079633f;
    const float z = x * x;
    float sine = fmaf(z, 2.7557319e-6f, -1.984127e-4f);
    sine = fmaf(z, sine, 8.333333e-3f);
    sine = fmaf(z, sine, -1.6666667e-1f);
    sine = fmaf(x * z, sine, x);
    float cosine = fmaf(z, -2.755732e-7f, 2.4801587e-5f);
    cosine = fmaf(z, cosine, -1.3888889e-3f);
    cosine = fmaf(z, cosine, 4.1666668e-2f);
    cosine = fmaf(z, cosine, -0.5f);
    cosine = fmaf(z, cosine, 1.0f);
    const bool swapped = quarter % 2 == 1;
    const u32 c = __float_as_uint(swapped ? sine : cosine), s = __float_as_uint(swapped ? cosine : sine);
    return {__uint_as_float(c ^ (((quarter + 1) & 2) << 30)), __uint_as_float(s ^ ((quarter & 2) << 30))};
}

/// Two independent standard normal numbers from two words: √(−2 ln u)·(cos θ, sin θ).
__device__ inline float2 normal_pair(u32 radius_word, u32 angle_word) {
    const float uniform = fmaf(static_cast<float>(radius_word), 1.0f / 4294967296.0f, 0.5f / 4294967296.0f);
    const float radius = sqrtf(fabsf(-2.0f * natural_logarithm(uniform)));
    const float2 angle = cosine_and_sine(angle_word);
    return {radius * angle.x, radius * angle.y};
}

/// The run's key.
struct Seed {
    u32 low, high;
};

/// Elements 4·quad.. of draw `draw` of image `image`.
__device__ inline float4 normal_quad(Seed seed, u64 image, u32 draw, u32 quad) {
    const Words words = philox({{quad, draw, static_cast<u32>(image), static_cast<u32>(image >> 32)}}, seed.low, seed.high);
    const float2 first = normal_pair(words.x[0], words.x[1]), second = normal_pair(words.x[2], words.x[3]);
    return {first.x, first.y, second.x, second.y};
}
