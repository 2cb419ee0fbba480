// One block: its threads run in turn until each waits for the others; barriers and warps meet here.
//
// A thread runs until it waits, so threads interleave at barriers and warp operations only. What that hides, the orders
// show: a kernel whose result depends on which thread runs first gives other bits in another order.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "fiber.hpp"

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};

struct uint3 {
    unsigned x, y, z;
};

// Hidden: several objects in one process must not share these.
inline thread_local uint3 threadIdx __attribute__((visibility("hidden"))), blockIdx __attribute__((visibility("hidden")));
inline thread_local dim3 blockDim __attribute__((visibility("hidden"))), gridDim __attribute__((visibility("hidden")));

namespace emulator __attribute__((visibility("hidden"))) {

constexpr unsigned WARP = 32;

/// A place in the source.
struct Site {
    const char* file;
    int line;

    bool operator!=(const Site& other) const {
        return line != other.line || strcmp(file, other.file) != 0;
    }
};

/// What a warp is waiting for: where, and each lane's part of it.
struct Meeting {
    Site site;
    unsigned arrived = 0;
    void* lanes[WARP];
};

/// The order in which threads and blocks take turns.
struct Order {
    enum Kind : unsigned { Forward, Reverse, Shuffled };

    unsigned kind = Forward;
    uint64_t state = 1;

    /// A number below `count`.
    size_t pick(size_t count) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state % count;
    }

    void arrange(std::vector<unsigned>& numbers) {
        if (kind == Reverse) {
            for (size_t i = 0; i < numbers.size() / 2; i++) {
                std::swap(numbers[i], numbers[numbers.size() - 1 - i]);
            }
        }
        for (size_t i = numbers.size(); kind == Shuffled && i > 1; i--) {
            std::swap(numbers[i - 1], numbers[pick(i)]);
        }
    }
};

/// A copy to shared memory that has been started.
struct Copy {
    unsigned char* to;
    const unsigned char* from;
    unsigned bytes;
};

struct Thread {
    Fiber fiber;
    enum { Running, AtBarrier, InWarp, Done } state;
    Site site;
    /// Copies of the open group, and the closed ones, oldest first.
    std::vector<Copy> open;
    std::deque<std::vector<Copy>> groups;
};

class Block {
public:
    /// Filled with NaN before each block, as floats and as bfloat16.
    std::unique_ptr<unsigned char[]> shared;
    size_t shared_bytes = 0;
    Order order;
    std::string error;

    /// Runs one block of `count` threads; false if it went wrong.
    bool run(unsigned count, size_t bytes, void (*kernel)(void**), void** arguments) {
        if (shared == nullptr || shared_bytes != bytes) {
            shared.reset(new unsigned char[bytes + ALIGNMENT]);
            shared_bytes = bytes;
        }
        memset(memory(), 0xFF, bytes);
        this->kernel = kernel;
        this->arguments = arguments;
        while (threads.size() < count) {
            threads.emplace_back(new Thread);
        }
        warps.assign(count / WARP, Meeting());
        at_barrier = 0;
        turns.resize(count);
        for (unsigned i = 0; i < count; i++) {
            turns[i] = i;
        }
        order.arrange(turns);
        ready.assign(turns.begin(), turns.end());
        left = count;
        for (unsigned i = 0; i < count; i++) {
            Thread& thread = *threads[i];
            thread.state = Thread::Running;
            thread.open.clear();
            thread.groups.clear();
            thread.fiber.prepare(start);
        }
        error.clear();
        current = ready.front();
        ready.pop_front();
        launcher.switch_to(enter());
        return error.empty();
    }

    /// Shared memory, aligned as on the device.
    unsigned char* memory() {
        auto address = reinterpret_cast<uintptr_t>(shared.get());
        return shared.get() + (-address % ALIGNMENT);
    }

    Thread& self() {
        return *threads[current];
    }

    unsigned lane() const {
        return current % WARP;
    }

    void barrier(Site site) {
        Thread& me = self();
        if (at_barrier != 0 && site != barrier_site) {
            fail("thread %u waits at %s:%d while others wait at %s:%d", current, site.file, site.line, barrier_site.file, barrier_site.line);
        }
        barrier_site = site;
        if (++at_barrier < turns.size()) {
            me.state = Thread::AtBarrier;
            me.site = site;
            suspend();
            return;
        }
        at_barrier = 0;
        for (unsigned thread : turns) {
            if (thread != current) {
                wake(thread);
            }
        }
    }

    /// Waits for the other lanes of the warp; the last one to come runs `operation` on the parts of all.
    template <class Part, class Operation>
    void meet(Site site, Part& part, Operation operation) {
        Meeting& meeting = warps[current / WARP];
        if (meeting.arrived == 0) {
            meeting.site = site;
        } else if (meeting.site != site) {
            fail("lanes of one warp are at %s:%d and at %s:%d", meeting.site.file, meeting.site.line, site.file, site.line);
        }
        meeting.lanes[lane()] = &part;
        if (++meeting.arrived < WARP) {
            self().state = Thread::InWarp;
            self().site = site;
            suspend();
            return;
        }
        meeting.arrived = 0;
        operation(reinterpret_cast<Part**>(meeting.lanes));
        unsigned first = current / WARP * WARP;
        for (unsigned i = 0; i < WARP; i++) {
            unsigned thread = order.kind == Order::Reverse ? first + WARP - 1 - i : first + i;
            if (thread != current) {
                wake(thread);
            }
        }
    }

    /// Gives the block up with a message; does not return.
    [[noreturn]] __attribute__((format(printf, 2, 3))) void fail(const char* format, ...) {
        char text[512];
        va_list list;
        va_start(list, format);
        vsnprintf(text, sizeof text, format, list);
        va_end(list);
        error = "block (" + std::to_string(blockIdx.x) + ", " + std::to_string(blockIdx.y) + ", " + std::to_string(blockIdx.z) + "): " + text;
        self().fiber.switch_to(launcher, true);
        abort();
    }

private:
    static constexpr size_t ALIGNMENT = 1024;

    std::vector<std::unique_ptr<Thread>> threads;
    std::vector<Meeting> warps;
    std::vector<unsigned> turns;
    std::deque<unsigned> ready;
    Fiber launcher;
    void (*kernel)(void**) = nullptr;
    void** arguments = nullptr;
    unsigned current = 0, at_barrier = 0, left = 0;
    Site barrier_site = {};

    static void start();

    /// The body of the current thread, on its own stack.
    [[noreturn]] void body() {
        self().fiber.arrived();
        kernel(arguments);
        self().state = Thread::Done;
        left--;
        Fiber& mine = self().fiber;
        mine.switch_to(left == 0 ? launcher : next(), true);
        abort();
    }

    void wake(unsigned thread) {
        threads[thread]->state = Thread::Running;
        ready.push_back(thread);
    }

    /// Makes the next thread the current one.
    Fiber& next() {
        if (ready.empty()) {
            report_wait();
        }
        if (order.kind == Order::Shuffled) {
            std::swap(ready.front(), ready[order.pick(ready.size())]);
        }
        current = ready.front();
        ready.pop_front();
        return enter();
    }

    Fiber& enter() {
        threadIdx = {current, 0, 0};
        return self().fiber;
    }

    void suspend() {
        Fiber& mine = self().fiber;
        mine.switch_to(next());
    }

    /// Nobody can go on: says who waits where.
    [[noreturn]] void report_wait() {
        unsigned counts[4] = {};
        const Thread* waiting = nullptr;
        for (unsigned i = 0; i < turns.size(); i++) {
            counts[threads[i]->state]++;
            if (threads[i]->state == Thread::AtBarrier || threads[i]->state == Thread::InWarp) {
                waiting = threads[i].get();
            }
        }
        fail("%u threads wait at a barrier and %u in a warp, one of them at %s:%d, for others; %u have ended", counts[Thread::AtBarrier],
             counts[Thread::InWarp], waiting->site.file, waiting->site.line, counts[Thread::Done]);
    }
};

/// The block that this thread of the host runs.
inline Block& block() {
    static thread_local Block block;
    return block;
}

inline void Block::start() {
    block().body();
}

}  // namespace emulator
