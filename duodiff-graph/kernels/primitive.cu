// luminal's primitive operators over views of any shape: correct and slow, a thread to each element of the output.
//
// Blocks of 256 threads, grid = ⌈count / 256⌉, no shared memory. `count` is the number of elements of the output, all images together.
// For a reduction the axis that goes away stands last in the view, whatever its place was.
#include "primitive.cuh"

constexpr u32 THREADS = 256;

/// The order is that of the host's enumeration.
enum class Function : u32 { Constant, Contiguous, Log2, Exp2, Sin, Sqrt, Recip, Add, Mul, Mod, LessThan, SumReduce, MaxReduce };

__device__ inline float reduce(const View& view, u64 index, bool is_sum) {
    u32 length = 1;
#pragma unroll
    for (u32 axis = 0; axis < RANK; axis++) {
        length = axis + 1 == view.rank ? view.axes[axis].length : length;
    }
    float result = is_sum ? 0.0f : -infinity();
    for (u32 i = 0; i < length; i++) {
        const float x = at(view, index * length + i);
        result = is_sum ? result + x : fmaxf(result, x);
    }
    return result;
}

__device__ inline float apply(Function f, float x, float y) {
    switch (f) {
    case Function::Log2:
        return log2f(x);
    case Function::Exp2:
        return exp2f(x);
    case Function::Sin:
        return sinf(x);
    case Function::Sqrt:
        return sqrtf(x);
    case Function::Recip:
        return 1.0f / x;
    case Function::Add:
        return x + y;
    case Function::Mul:
        return x * y;
    case Function::Mod:
        return fmodf(x, y);
    case Function::LessThan:
        return x < y ? 1.0f : 0.0f;
    default:
        return x;
    }
}

__device__ inline float evaluate(Function f, float constant, const View& a, const View& b, u64 index) {
    if (f == Function::SumReduce || f == Function::MaxReduce) {
        return reduce(a, index, f == Function::SumReduce);
    }
    const bool is_binary = f >= Function::Add && f <= Function::LessThan;
    const float x = f == Function::Constant ? constant : at(a, index);
    return apply(f, x, is_binary ? at(b, index) : 0.0f);
}

/// out[i] = f(a, b) at logical position i; `type` is that of out, as in View. `constant` is the value of Constant.
ENTRY(THREADS, primitive, u32 f, float constant, View a, View b, void* out, u32 type, u64 count) {
    const u64 index = u64(blockIdx.x) * THREADS + threadIdx.x;
    if (index >= count) {
        return;
    }
    const float y = evaluate(static_cast<Function>(f), constant, a, b, index);
    if (type == 0) {
        static_cast<float*>(out)[index] = y;
    } else {
        from_float(y, static_cast<bf16*>(out)[index]);
    }
}
