// Launches by name: the kernels of one object, and what it exports.
#pragma once

#include <utility>

#include "block.hpp"

namespace emulator __attribute__((visibility("hidden"))) {

struct Kernel {
    const char* name;
    unsigned threads;
    void (*call)(void**);
    std::vector<size_t> parameters;
};

inline std::vector<Kernel>& kernels() {
    static std::vector<Kernel> kernels;
    return kernels;
}

/// A value that lies anywhere.
template <class Value>
Value copy(const void* from) {
    Value value;
    memcpy(&value, from, sizeof value);
    return value;
}

/// Calls F with arguments from the places that a launch gives.
template <auto F, class... Parameters, size_t... I>
void call_with(void (*)(Parameters...), void** arguments, std::index_sequence<I...>) {
    F(copy<Parameters>(arguments[I])...);
}

template <auto F, class... Parameters>
bool add(const char* name, unsigned threads, void (*)(Parameters...)) {
    auto call = [](void** arguments) {
        constexpr void (*kernel)(Parameters...) = F;
        call_with<F>(kernel, arguments, std::make_index_sequence<sizeof...(Parameters)>());
    };
    kernels().push_back({name, threads, call, {sizeof(Parameters)...}});
    return true;
}

inline const Kernel* find(const char* name) {
    for (const Kernel& kernel : kernels()) {
        if (strcmp(kernel.name, name) == 0) {
            return &kernel;
        }
    }
    return nullptr;
}

enum Outcome { Done, NoSuchKernel, Refused, Failed };

/// The most shared memory that a block may have on any device.
constexpr size_t MOST_SHARED = 232448;

inline int launch(const char* name, dim3 grid, dim3 block_size, size_t shared, void** arguments) {
    Block& block = emulator::block();
    const Kernel* kernel = find(name);
    if (kernel == nullptr) {
        block.error = std::string("no kernel is called ") + name;
        return NoSuchKernel;
    }
    bool bad_block = block_size.x != kernel->threads || block_size.y != 1 || block_size.z != 1;
    bool bad_grid = grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7FFFFFFFu || grid.y > 0xFFFFu || grid.z > 0xFFFFu;
    if (bad_block || bad_grid || shared > MOST_SHARED) {
        block.error = std::string(name) + ": grid " + std::to_string(grid.x) + " x " + std::to_string(grid.y) + " x " + std::to_string(grid.z) +
                      ", blocks of " + std::to_string(block_size.x) + " threads, " + std::to_string(shared) + " bytes of shared memory; it has blocks of " +
                      std::to_string(kernel->threads) + " threads";
        return Refused;
    }
    blockDim = block_size;
    gridDim = grid;
    // The order of blocks goes along x; y and z follow it.
    std::vector<unsigned> columns(grid.x);
    for (unsigned x = 0; x < grid.x; x++) {
        columns[x] = x;
    }
    block.order.arrange(columns);
    for (unsigned z = 0; z < grid.z; z++) {
        for (unsigned y = 0; y < grid.y; y++) {
            for (unsigned x : columns) {
                blockIdx = {x, y, z};
                if (!block.run(block_size.x, shared, kernel->call, arguments)) {
                    block.error = std::string(name) + ", " + block.error;
                    return Failed;
                }
            }
        }
    }
    return Done;
}

}  // namespace emulator

#define EMULATED(threads, name, ...) EMULATED_(threads, name, __VA_ARGS__)
#define EMULATED_(threads, name, ...)                                                    \
    extern "C" void name(__VA_ARGS__);                                                   \
    static const bool name##_is_known = emulator::add<name>(#name, threads, name);       \
    extern "C" void name(__VA_ARGS__)

#define EMULATOR_EXPORT extern "C" __attribute__((visibility("default"), used))

/// Runs a kernel to its end. 0: done, 1: no kernel of this name, 2: refused (block size, grid, shared memory), 3: it went wrong.
EMULATOR_EXPORT int duodiff_emulate(const char* name, dim3 grid, dim3 block, size_t shared, void** arguments) {
    return emulator::launch(name, grid, block, shared, arguments);
}

/// What went wrong in this thread's last launch.
EMULATOR_EXPORT const char* duodiff_emulate_error() {
    return emulator::block().error.c_str();
}

/// The order of threads and blocks in this thread's launches: 0 forward, 1 reverse, 2 shuffled by `seed`.
EMULATOR_EXPORT void duodiff_emulate_order(unsigned kind, uint64_t seed) {
    emulator::block().order.kind = kind;
    emulator::block().order.state = seed * 0x9E3779B97F4A7C15u + 1;
}

/// Writes the sizes of a kernel's parameters, at most `most`; returns how many there are, −1 if there is no such kernel.
EMULATOR_EXPORT int duodiff_emulate_parameters(const char* name, size_t* sizes, size_t most) {
    const emulator::Kernel* kernel = emulator::find(name);
    if (kernel == nullptr) {
        return -1;
    }
    for (size_t i = 0; i < kernel->parameters.size() && i < most; i++) {
        sizes[i] = kernel->parameters[i];
    }
    return static_cast<int>(kernel->parameters.size());
}

/// The name of kernel `index`, null past the last; `threads` becomes the size of its blocks.
EMULATOR_EXPORT const char* duodiff_emulate_kernel(size_t index, unsigned* threads) {
    if (index >= emulator::kernels().size()) {
        return nullptr;
    }
    *threads = emulator::kernels()[index].threads;
    return emulator::kernels()[index].name;
}
