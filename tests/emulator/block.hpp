// One block: its threads run in turn until each waits for the others; barriers and warps meet here.
//
// A thread runs until it waits, so threads interleave at barriers and warp operations only. What that hides, the orders
// show: a kernel whose result depends on which thread runs first gives other bits in another order.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
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

constexpr unsigned WARP = 32, WARPGROUP = 128;

/// A place in the source.
struct Site {
    const char* file;
    int line;

    bool operator!=(const Site& other) const {
        return line != other.line || strcmp(file, other.file) != 0;
    }
};

/// What a warp or a warpgroup is waiting for: where, and each thread's part of it.
struct Meeting {
    Site site;
    unsigned arrived = 0;
    void* parts[WARPGROUP];
};

/// A barrier in shared memory (mbarrier): its phase ends when as many as `count` have arrived, and all bytes that they expect have come.
struct Phases {
    unsigned count, left;
    /// The thread that made it.
    unsigned maker;
    /// Bytes that are expected and have not come.
    long long bytes = 0;
    /// Phases that have ended.
    unsigned ended = 0;
    /// Whether copies of tensors see it: a fence of its maker is behind.
    bool is_fenced = false;
    std::vector<unsigned> waiting;
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

/// A copy that the copy engine has been told to make, and the barrier that counts its bytes.
struct Delivery {
    unsigned barrier, bytes;
    std::function<void()> deliver;
    Site site;
};

struct Thread {
    Fiber fiber;
    enum { Running, AtBarrier, InWarp, AtPhase, Done } state;
    Site site;
    /// Copies of the open group, and the closed ones, oldest first.
    std::vector<Copy> open;
    std::deque<std::vector<Copy>> groups;
    /// Places that have been copied to, and that the tensor cores' own way to shared memory does not see yet.
    std::vector<unsigned char*> unseen;
    /// Products of the open group, and the closed ones, oldest first.
    std::vector<std::function<void()>> products;
    std::deque<std::vector<std::function<void()>>> product_groups;
};

class Block {
public:
    /// Filled with NaN before each block, as floats and as bfloat16.
    std::unique_ptr<unsigned char, decltype(&free)> shared{nullptr, free};
    size_t shared_bytes = 0;
    Order order;
    std::string error;

    /// Runs one block of `count` threads; false if it went wrong.
    bool run(unsigned count, size_t bytes, void (*kernel)(void**), void** arguments) {
        if (shared == nullptr || shared_bytes != bytes) {
            // Not a byte more, so that the sanitizer sees what lies behind.
            void* memory = nullptr;
            if (posix_memalign(&memory, ALIGNMENT, bytes) != 0) {
                abort();
            }
            shared.reset(static_cast<unsigned char*>(memory));
            shared_bytes = bytes;
        }
        memset(memory(), 0xFF, bytes);
        this->kernel = kernel;
        this->arguments = arguments;
        while (threads.size() < count) {
            threads.emplace_back(new Thread);
        }
        warps.assign(count / WARP, Meeting());
        warpgroups.assign(count / WARPGROUP, Meeting());
        phases.clear();
        deliveries.clear();
        unseen.clear();
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
            thread.unseen.clear();
            thread.products.clear();
            thread.product_groups.clear();
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
        return shared.get();
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
        meet_of<WARP>(warps[current / WARP], site, part, operation);
    }

    /// The same of four warps.
    template <class Part, class Operation>
    void meet_warpgroup(Site site, Part& part, Operation operation) {
        if (current / WARPGROUP >= warpgroups.size()) {
            fail("%s:%d wants whole warpgroups", site.file, site.line);
        }
        meet_of<WARPGROUP>(warpgroups[current / WARPGROUP], site, part, operation);
    }

    /// A barrier of `count` arrivals at shared address `address`.
    void make_phases(unsigned address, unsigned count) {
        Phases barrier = {};
        barrier.count = barrier.left = count;
        barrier.maker = current;
        phases[address] = barrier;
    }

    /// Shows the barriers that this thread has made to copies of tensors.
    void fence_phases() {
        for (auto& [address, barrier] : phases) {
            barrier.is_fenced |= barrier.maker == current;
        }
    }

    /// Arrives, and expects so many bytes.
    void arrive(unsigned address, unsigned bytes, Site site) {
        Phases& barrier = find_phases(address, site);
        if (barrier.left == 0) {
            fail("%s:%d: one more arrival at shared address %u than its phase takes", site.file, site.line, address);
        }
        barrier.left--;
        barrier.bytes += bytes;
        end_phase(barrier);
    }

    /// Starts what the copy engine does by itself, later: `deliver` brings `bytes` bytes, which the barrier counts.
    void start_delivery(unsigned address, unsigned bytes, std::function<void()> deliver, Site site) {
        if (!find_phases(address, site).is_fenced) {
            fail("%s:%d: a copy counts at shared address %u, where a barrier was made without a fence behind", site.file, site.line, address);
        }
        deliveries.push_back({address, bytes, std::move(deliver), site});
    }

    /// Waits until the phase whose number has this parity has ended.
    void await_phase(unsigned address, unsigned parity, Site site) {
        Phases& barrier = find_phases(address, site);
        while (barrier.ended % 2 == parity) {
            barrier.waiting.push_back(current);
            self().state = Thread::AtPhase;
            self().site = site;
            suspend();
        }
    }

    /// Places that copies are under way to, or that no fence is behind.
    std::set<const unsigned char*> unseen;

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
    std::vector<Meeting> warps, warpgroups;
    std::map<unsigned, Phases> phases;
    std::deque<Delivery> deliveries;
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
        if (left == 0 && !deliveries.empty()) {
            const Delivery& late = deliveries.front();
            fail("the block has ended and nobody has awaited a copy that was started at %s:%d", late.site.file, late.site.line);
        }
        Fiber& mine = self().fiber;
        mine.switch_to(left == 0 ? launcher : next(), true);
        abort();
    }

    template <unsigned SIZE, class Part, class Operation>
    void meet_of(Meeting& meeting, Site site, Part& part, Operation operation) {
        if (meeting.arrived == 0) {
            meeting.site = site;
        } else if (meeting.site != site) {
            fail("lanes of one warp are at %s:%d and at %s:%d", meeting.site.file, meeting.site.line, site.file, site.line);
        }
        meeting.parts[current % SIZE] = &part;
        if (++meeting.arrived < SIZE) {
            self().state = Thread::InWarp;
            self().site = site;
            suspend();
            return;
        }
        meeting.arrived = 0;
        operation(reinterpret_cast<Part**>(meeting.parts));
        unsigned first = current / SIZE * SIZE;
        for (unsigned i = 0; i < SIZE; i++) {
            unsigned thread = order.kind == Order::Reverse ? first + SIZE - 1 - i : first + i;
            if (thread != current) {
                wake(thread);
            }
        }
    }

    Phases& find_phases(unsigned address, Site site) {
        auto found = phases.find(address);
        if (found == phases.end()) {
            fail("%s:%d: no barrier was made at shared address %u", site.file, site.line, address);
        }
        return found->second;
    }

    /// Ends the phase if nothing is missing.
    void end_phase(Phases& barrier) {
        if (barrier.left != 0 || barrier.bytes != 0) {
            return;
        }
        barrier.left = barrier.count;
        barrier.ended++;
        for (unsigned thread : barrier.waiting) {
            wake(thread);
        }
        barrier.waiting.clear();
    }

    /// Makes one of the copies that were started: in any order.
    void deliver() {
        size_t at = order.kind == Order::Forward ? 0 : order.kind == Order::Reverse ? deliveries.size() - 1 : order.pick(deliveries.size());
        Delivery delivery = std::move(deliveries[at]);
        deliveries.erase(deliveries.begin() + at);
        delivery.deliver();
        Phases& barrier = find_phases(delivery.barrier, delivery.site);
        barrier.bytes -= delivery.bytes;
        end_phase(barrier);
    }

    void wake(unsigned thread) {
        threads[thread]->state = Thread::Running;
        ready.push_back(thread);
    }

    /// Makes the next thread the current one. Copies come as late as they may, or now and then.
    Fiber& next() {
        while (!deliveries.empty() && (ready.empty() || (order.kind == Order::Shuffled && order.pick(4) == 0))) {
            deliver();
        }
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
        unsigned counts[5] = {};
        const Thread* waiting = nullptr;
        for (unsigned i = 0; i < turns.size(); i++) {
            counts[threads[i]->state]++;
            if (threads[i]->state != Thread::Running && threads[i]->state != Thread::Done) {
                waiting = threads[i].get();
            }
        }
        fail("%u threads wait at a barrier, %u in a warp and %u for a phase, one of them at %s:%d, for others; %u have ended",
             counts[Thread::AtBarrier], counts[Thread::InWarp], counts[Thread::AtPhase], waiting->site.file, waiting->site.line,
             counts[Thread::Done]);
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
