// A stack of its own for each thread of a block, and the switch from one to another.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define EMULATOR_STACK_BYTES (512u << 10)
#else
#define EMULATOR_STACK_BYTES (128u << 10)
#endif

namespace emulator __attribute__((visibility("hidden"))) {

#if defined(__x86_64__)
// Pushes what a callee keeps, stores the stack pointer, takes the other one.
asm(R"(
    .pushsection .text
    .p2align 4
    .type emulator_switch, @function
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size emulator_switch, . - emulator_switch
    .popsection
)");
extern "C" __attribute__((visibility("hidden"))) void emulator_switch(void** save, void* load);
#endif

/// A suspended flow of control. The one that launches has no stack of its own: it keeps the system's.
class Fiber {
public:
    Fiber() = default;
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    ~Fiber() {
        if (stack != nullptr) {
#if defined(__SANITIZE_ADDRESS__)
            __asan_unpoison_memory_region(static_cast<char*>(stack) + 4096, EMULATOR_STACK_BYTES - 4096);
#endif
            munmap(stack, EMULATOR_STACK_BYTES);
        }
    }

    /// Makes the next switch to this fiber start `body`, which must never return.
    void prepare(void (*body)()) {
        if (stack == nullptr) {
            stack = mmap(nullptr, EMULATOR_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            if (stack == MAP_FAILED) {
                abort();
            }
            // A page that cannot be touched: an overflow stops here.
            mprotect(stack, 4096, PROT_NONE);
        }
#if defined(__SANITIZE_ADDRESS__)
        // What ran here before did not return from its calls.
        __asan_unpoison_memory_region(static_cast<char*>(stack) + 4096, EMULATOR_STACK_BYTES - 4096);
#endif
#if defined(__x86_64__)
        auto top = reinterpret_cast<uintptr_t*>(static_cast<char*>(stack) + EMULATOR_STACK_BYTES);
        // The address that `ret` takes, above six registers; the stack is then as after a call.
        *--top = 0;
        *--top = reinterpret_cast<uintptr_t>(body);
        for (int i = 0; i < 6; i++) {
            *--top = 0;
        }
        pointer = top;
#else
        getcontext(&context);
        context.uc_stack.ss_sp = stack;
        context.uc_stack.ss_size = EMULATOR_STACK_BYTES;
        context.uc_link = nullptr;
        makecontext(&context, body, 0);
#endif
#if defined(__SANITIZE_ADDRESS__)
        bottom = stack;
        bytes = EMULATOR_STACK_BYTES;
        fake = nullptr;
#endif
    }

    /// Suspends this fiber and resumes `other`; `last` if this one will never be resumed.
    void switch_to(Fiber& other, [[maybe_unused]] bool last = false) {
#if defined(__SANITIZE_ADDRESS__)
        __sanitizer_start_switch_fiber(last ? nullptr : &fake, other.bottom, other.bytes);
        other.previous = this;
#endif
#if defined(__x86_64__)
        emulator_switch(&pointer, other.pointer);
#else
        swapcontext(&context, &other.context);
#endif
        arrived();
    }

    /// The first thing on a new stack, and the first after each switch.
    void arrived() {
#if defined(__SANITIZE_ADDRESS__)
        // The launching fiber learns here where its stack lies.
        __sanitizer_finish_switch_fiber(fake, &previous->bottom, &previous->bytes);
#endif
    }

private:
    void* stack = nullptr;
#if defined(__x86_64__)
    void* pointer = nullptr;
#else
    ucontext_t context;
#endif
#if defined(__SANITIZE_ADDRESS__)
    const void* bottom = nullptr;
    size_t bytes = 0;
    void* fake = nullptr;
    Fiber* previous = nullptr;
#endif
};

}  // namespace emulator
