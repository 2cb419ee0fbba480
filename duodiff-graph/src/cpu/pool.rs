//! A fixed set of threads that take numbered tasks of one launch at a time; the result never depends on who takes which.
//!
//! Each thread begins with a share of its own, neighbouring tasks, so that from launch to launch it finds in its caches what it wrote
//! there; whoever is done goes on with what others have left. A task is claimed in the counter of its share and counted once it is done, and the
//! caller waits for the counts alone: no thread is waited for that has claimed nothing, because the system gave its core to somebody else.

use std::cell::UnsafeCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::*};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{JoinHandle, spawn};

/// Rounds of waiting in place, before a thread sleeps: some 50 µs, longer than the gap between two launches of a step.
const SPINS: usize = 4000;

/// A launch: called with (worker, task), worker 0 being the caller's thread.
type Work<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// The number of a launch, and how many tasks it has, or how many of them are claimed or done. A number stands for one launch: a thread that
/// still holds an old one would have to sleep for exactly 2³² launches to take it for new.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    launch: u32,
    count: u32,
}

impl Stamp {
    fn of(word: u64) -> Self {
        Self { launch: (word >> 32) as u32, count: word as u32 }
    }

    fn word(self) -> u64 {
        u64::from(self.launch) << 32 | u64::from(self.count)
    }

    /// How many were counted in a launch; none if that is over.
    fn in_launch(self, launch: u32) -> Option<u32> {
        match self.launch.wrapping_sub(launch).cast_signed() {
            0 => Some(self.count),
            ..0 => Some(0),
            1.. => None,
        }
    }
}

/// The threads. Dropping the pool ends them.
pub(super) struct Pool {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
}

struct Shared {
    launch: Launch,
    /// One per thread, the caller's first.
    threads: Vec<Share>,
    rest: Rest,
}

/// What the caller tells the workers, on lines that it alone writes (two, because processors fetch pairs of lines).
#[repr(align(128))]
struct Launch {
    /// [`Stamp`]: the last launch and its tasks.
    last: AtomicU64,
    /// Its work, valid until all of its tasks are done.
    work: UnsafeCell<Option<Work<'static>>>,
}

/// The counters of a thread.
#[derive(Default)]
#[repr(align(128))]
struct Share {
    /// [`Stamp`]: how many tasks of its share are claimed, by anybody.
    claimed: AtomicU64,
    /// [`Stamp`]: how many tasks this thread has done, of anybody's share. It alone writes it.
    done: AtomicU64,
}

/// What is seldom touched.
#[derive(Default)]
#[repr(align(128))]
struct Rest {
    panicked: AtomicBool,
    stop: AtomicBool,
    sleepers: AtomicUsize,
    lock: Mutex<()>,
    wake: Condvar,
}

// SAFETY: `work` is written by the caller only while no task is claimed that is not done, and the store of `last` publishes it; it is read
// between the claim of a task and its count. All else is atomic or locked.
unsafe impl Sync for Shared {}
// SAFETY: the work is `Sync`, so it may be called from any thread.
unsafe impl Send for Shared {}

impl Pool {
    /// A pool of `threads` threads, the caller's included.
    pub fn new(threads: usize) -> Self {
        let launch = Launch { last: AtomicU64::new(0), work: UnsafeCell::new(None) };
        let shares = (0..threads).map(|_| Share::default()).collect();
        let shared = Arc::new(Shared { launch, threads: shares, rest: Rest::default() });
        let worker = |index| {
            let shared = Arc::clone(&shared);
            spawn(move || shared.serve(index))
        };
        let handles = (1..threads).map(worker).collect();
        Self { shared, handles }
    }

    /// Number of threads, the caller's included.
    pub fn threads(&self) -> usize {
        self.handles.len() + 1
    }

    /// Calls `work(worker, task)` once for every task, on all threads; returns when all are done.
    pub fn run(&mut self, tasks: usize, work: Work<'_>) {
        if tasks <= 1 || self.handles.is_empty() {
            (0..tasks).for_each(|task| work(0, task));
            return;
        }
        let shared = &*self.shared;
        let count = u32::try_from(tasks).expect("invariant: tasks are many floats each");
        let stamp = Stamp { launch: Stamp::of(shared.launch.last.load(Relaxed)).launch.wrapping_add(1), count };
        // SAFETY: this function does not return before every task is done, so the longer lifetime is never used.
        let work = unsafe { std::mem::transmute::<Work<'_>, Work<'static>>(work) };
        // SAFETY: all tasks of the last launch are done, and nobody reads the cell without a task.
        unsafe { *shared.launch.work.get() = Some(work) };
        shared.launch.last.store(stamp.word(), Release);
        shared.wake();
        shared.take(0, stamp);
        shared.join(stamp);
        assert!(!shared.rest.panicked.swap(false, Relaxed), "invariant: kernels do not panic");
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let Rest { stop, lock, wake, .. } = &self.shared.rest;
        {
            let _guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
            stop.store(true, SeqCst);
        }
        wake.notify_all();
        for handle in self.handles.drain(..) {
            // A worker catches the panics of its work; there is nothing to learn from its end.
            let _ = handle.join();
        }
    }
}

impl Shared {
    /// Wakes whoever sleeps. A thread that is just falling asleep may be missed: it is not needed, and the next launch wakes it.
    fn wake(&self) {
        if self.rest.sleepers.load(Relaxed) > 0 {
            drop(self.rest.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.rest.wake.notify_all();
        }
    }

    /// The life of worker `index`.
    fn serve(&self, index: usize) {
        let mut seen = 0;
        while let Some(stamp) = self.next(seen) {
            self.take(index, stamp);
            seen = stamp.launch;
        }
    }

    /// Waits for a launch other than `seen`; none at the end.
    fn next(&self, seen: u32) -> Option<Stamp> {
        let new = || Some(Stamp::of(self.launch.last.load(Acquire))).filter(|stamp| stamp.launch != seen);
        let Rest { stop, sleepers, lock, wake, .. } = &self.rest;
        for _ in 0..SPINS {
            if let Some(stamp) = new() {
                return Some(stamp);
            }
            std::hint::spin_loop();
        }
        let mut guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        sleepers.fetch_add(1, SeqCst);
        let stamp = loop {
            if stop.load(SeqCst) {
                break None;
            }
            if let Some(stamp) = new() {
                break Some(stamp);
            }
            guard = wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        };
        sleepers.fetch_sub(1, SeqCst);
        drop(guard);
        stamp
    }

    /// Takes the tasks of the worker's own share, then what others have left of theirs.
    fn take(&self, worker: usize, stamp: Stamp) {
        let (tasks, threads) = (stamp.count as usize, self.threads.len());
        let mut done = 0;
        for share in (worker..threads).chain(0..worker) {
            let own = part(0..tasks, threads, share);
            while let Some(index) = self.claim(share, stamp.launch, own.len() as u32) {
                // SAFETY: the task is claimed and not done, so its launch is the last one, whose work was written before it was published.
                if let Some(work) = unsafe { *self.launch.work.get() }
                    && catch_unwind(AssertUnwindSafe(|| work(worker, own.start + index as usize))).is_err()
                {
                    self.rest.panicked.store(true, Relaxed);
                }
                done += 1;
                self.threads[worker].done.store(Stamp { count: done, ..stamp }.word(), Release);
            }
        }
    }

    /// Claims one of `length` tasks of a share; none if all are claimed.
    fn claim(&self, share: usize, launch: u32, length: u32) -> Option<u32> {
        let claimed = &self.threads[share].claimed;
        let mut word = claimed.load(Relaxed);
        loop {
            let count = Stamp::of(word).in_launch(launch).filter(|count| *count < length)?;
            match claimed.compare_exchange_weak(word, Stamp { launch, count: count + 1 }.word(), Relaxed, Relaxed) {
                Ok(_) => return Some(count),
                Err(other) => word = other,
            }
        }
    }

    /// Waits until all tasks are done. All of them are claimed.
    fn join(&self, stamp: Stamp) {
        let done = |share: &Share| Stamp::of(share.done.load(Acquire)).in_launch(stamp.launch).unwrap_or(0);
        let mut rounds = 0;
        while self.threads.iter().map(done).sum::<u32>() < stamp.count {
            rounds += 1;
            if rounds < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

/// Part `index` of a range in `parts` nearly equal parts: a thread's share of the tasks.
pub(super) fn part(range: Range<usize>, parts: usize, index: usize) -> Range<usize> {
    range.start + range.len() * index / parts..range.start + range.len() * (index + 1) / parts
}
