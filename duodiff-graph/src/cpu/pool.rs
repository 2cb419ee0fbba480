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

/// Set in [`Shared::state`] while workers may enter.
const OPEN: usize = 1 << 16;
/// One launch in [`Shared::state`].
const LAUNCH: usize = 1 << 17;

/// The threads. Dropping the pool ends them.
pub(super) struct Pool {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
}

struct Shared {
    /// [`LAUNCH`] · launches so far, + [`OPEN`] while workers may enter the last one, + how many are in it.
    state: AtomicUsize,
    /// The launch, valid for those that are in it.
    work: UnsafeCell<Option<Work<'static>>>,
    tasks: AtomicUsize,
    next: AtomicUsize,
    panicked: AtomicBool,
    stop: AtomicBool,
    sleepers: AtomicUsize,
    lock: Mutex<()>,
    wake: Condvar,
}

// SAFETY: `work` is written by the caller only while no worker is in a launch and none may enter; the store of `state`
// publishes it to those that enter. All else is atomic or locked.
unsafe impl Sync for Shared {}
// SAFETY: the work is `Sync`, so it may be called from any thread.
unsafe impl Send for Shared {}

impl Pool {
    /// A pool of `threads` threads, the caller's included.
    pub fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared {
            state: AtomicUsize::new(0),
            work: UnsafeCell::new(None),
            tasks: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
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

    /// Calls `work(worker, task)` once for every task, on all threads; returns when all are done. A worker that does not come
    /// in time, because the system gave its core to somebody else, is not waited for: the others take its share.
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
        // SAFETY: `run` does not return before every worker that entered has left and none can enter, so the longer lifetime
        // is never used.
        let work = unsafe { std::mem::transmute::<Work<'_>, Work<'static>>(work) };
        // SAFETY: the last launch was joined, so no worker reads the cell.
        unsafe { *shared.work.get() = Some(work) };
        shared.tasks.store(tasks, Relaxed);
        shared.next.store(0, Relaxed);
        shared.state.fetch_add(LAUNCH + OPEN, SeqCst);
        shared.wake();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, SeqCst);
        self.shared.wake();
        for handle in self.handles.drain(..) {
            // A worker catches the panics of its work; there is nothing to learn from its end.
            let _ = handle.join();
        }
    }
}

struct Join<'a>(&'a Shared);

impl Drop for Join<'_> {
    fn drop(&mut self) {
        self.0.state.fetch_sub(OPEN, SeqCst);
        let mut rounds = 0;
        while inside(self.0.state.load(Acquire)) > 0 {
            rounds += 1;
            if rounds < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

impl Shared {
    /// Wakes whoever sleeps.
    fn wake(&self) {
        if self.sleepers.load(SeqCst) > 0 {
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.wake.notify_all();
        }
    }

    /// The life of worker `index`.
    fn serve(&self, index: usize) {
        let mut seen = 0;
        while let Some(launch) = self.enter(seen) {
            // SAFETY: the worker is in the launch, whose work was written before it was opened.
            if let Some(work) = unsafe { *self.work.get() }
                && catch_unwind(AssertUnwindSafe(|| self.take(index, work))).is_err()
            {
                self.panicked.store(true, SeqCst);
            }
            self.state.fetch_sub(1, Release);
            seen = launch;
        }
    }

    /// Waits for a launch other than the `seen`-th that is open, and enters it; returns its number, or none at the end.
    fn enter(&self, seen: usize) -> Option<usize> {
        let mut rounds = 0;
        loop {
            if self.stop.load(SeqCst) {
                return None;
            }
            let state = self.state.load(SeqCst);
            let launch = state / LAUNCH;
            if is_open(state) && launch != seen {
                if self.state.compare_exchange(state, state + 1, SeqCst, Relaxed).is_ok() {
                    return Some(launch);
                }
            } else if rounds < SPINS {
                rounds += 1;
                std::hint::spin_loop();
            } else {
                self.sleep(seen);
                rounds = 0;
            }
        }
    }

    /// Sleeps until there may be something to enter.
    fn sleep(&self, seen: usize) {
        self.sleepers.fetch_add(1, SeqCst);
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let nothing = |state: usize| !is_open(state) || state / LAUNCH == seen;
        while nothing(self.state.load(SeqCst)) && !self.stop.load(SeqCst) {
            guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        drop(guard);
        self.sleepers.fetch_sub(1, SeqCst);
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

fn is_open(state: usize) -> bool {
    state & OPEN != 0
}

/// Workers in the launch.
fn inside(state: usize) -> usize {
    state & (OPEN - 1)
}
