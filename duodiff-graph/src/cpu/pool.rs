//! A fixed set of threads that take numbered tasks of one launch at a time; the result never depends on who takes which.

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{JoinHandle, spawn};

/// Rounds of waiting in place, before a thread sleeps: some 50 µs, longer than the gap between two launches of a step.
const SPINS: usize = 4000;

/// A launch: called with (worker, task), worker 0 being the caller's thread.
type Work<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// The threads. Dropping the pool ends them.
pub(super) struct Pool {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
}

struct Shared {
    /// Number of launches so far; a change is the signal to start.
    launches: AtomicUsize,
    /// The launch, valid while `busy` is not 0.
    work: UnsafeCell<Option<Work<'static>>>,
    tasks: AtomicUsize,
    next: AtomicUsize,
    /// Workers that have not finished the launch.
    busy: AtomicUsize,
    panicked: AtomicBool,
    stop: AtomicBool,
    sleepers: AtomicUsize,
    lock: Mutex<()>,
    wake: Condvar,
}

// SAFETY: `work` is written by the caller only while `busy` is 0, so while no worker reads it; the release store of
// `launches` publishes it. All else is atomic or locked.
unsafe impl Sync for Shared {}
// SAFETY: the work is `Sync`, so it may be called from any thread.
unsafe impl Send for Shared {}

impl Pool {
    /// A pool of `threads` threads, the caller's included.
    pub fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared {
            launches: AtomicUsize::new(0),
            work: UnsafeCell::new(None),
            tasks: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            sleepers: AtomicUsize::new(0),
            lock: Mutex::new(()),
            wake: Condvar::new(),
        });
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
        self.start(tasks, work);
        // Joins the workers even if the caller's own share panics: they hold a reference into its stack.
        let join = Join(&self.shared);
        self.shared.take(0, work);
        drop(join);
        assert!(!self.shared.panicked.swap(false, SeqCst), "invariant: kernels do not panic");
    }

    fn start(&mut self, tasks: usize, work: Work<'_>) {
        let shared = &*self.shared;
        // SAFETY: `run` does not return before every worker is done with it, so the longer lifetime is never used.
        let work = unsafe { std::mem::transmute::<Work<'_>, Work<'static>>(work) };
        // SAFETY: `busy` is 0 (the last launch was joined), so no worker reads the cell.
        unsafe { *shared.work.get() = Some(work) };
        shared.tasks.store(tasks, Relaxed);
        shared.next.store(0, Relaxed);
        shared.busy.store(self.handles.len(), Relaxed);
        shared.announce();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, SeqCst);
        self.shared.announce();
        for handle in self.handles.drain(..) {
            // A worker catches the panics of its work; there is nothing to learn from its end.
            let _ = handle.join();
        }
    }
}

struct Join<'a>(&'a Shared);

impl Drop for Join<'_> {
    fn drop(&mut self) {
        let mut rounds = 0;
        while self.0.busy.load(Acquire) > 0 {
            rounds += 1;
            if rounds < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

impl Shared {
    fn announce(&self) {
        self.launches.fetch_add(1, SeqCst);
        if self.sleepers.load(SeqCst) > 0 {
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.wake.notify_all();
        }
    }

    /// The life of worker `index`.
    fn serve(&self, index: usize) {
        let mut seen = 0;
        loop {
            seen = self.wait(seen);
            if self.stop.load(SeqCst) {
                return;
            }
            // SAFETY: a launch was announced after its work was written, and `busy` counts this worker.
            if let Some(work) = unsafe { *self.work.get() }
                && catch_unwind(AssertUnwindSafe(|| self.take(index, work))).is_err()
            {
                self.panicked.store(true, SeqCst);
            }
            self.busy.fetch_sub(1, Release);
        }
    }

    /// Waits for a launch after the `seen`-th; returns its number.
    fn wait(&self, seen: usize) -> usize {
        for _ in 0..SPINS {
            let now = self.launches.load(Acquire);
            if now != seen {
                return now;
            }
            std::hint::spin_loop();
        }
        self.sleepers.fetch_add(1, SeqCst);
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while self.launches.load(SeqCst) == seen {
            guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        drop(guard);
        self.sleepers.fetch_sub(1, SeqCst);
        self.launches.load(SeqCst)
    }

    fn take(&self, worker: usize, work: Work<'_>) {
        let tasks = self.tasks.load(Relaxed);
        loop {
            let task = self.next.fetch_add(1, Relaxed);
            if task >= tasks {
                return;
            }
            work(worker, task);
        }
    }
}
