//! The pool runs every task once, again and again, and survives nothing but correct kernels.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::cpu::pool::Pool;

#[test]
fn every_task_runs_once() {
    for threads in [1, 2, 3, 8] {
        let mut pool = Pool::new(threads);
        assert_eq!(pool.threads(), threads);
        for tasks in [0, 1, 2, 7, 100] {
            for _ in 0..50 {
                let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                pool.run(tasks, &|worker, task| {
                    assert!(worker < threads);
                    counts[task].fetch_add(1, Relaxed);
                });
                assert!(counts.iter().all(|count| count.load(Relaxed) == 1));
            }
        }
    }
}

#[test]
fn sleeping_workers_wake() {
    let mut pool = Pool::new(3);
    for _ in 0..3 {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let count = AtomicUsize::new(0);
        pool.run(64, &|_, _| {
            count.fetch_add(1, Relaxed);
        });
        assert_eq!(count.into_inner(), 64);
    }
}

/// Neighbours stay together: no thread is so slow that the others take its first task too.
#[test]
fn threads_begin_with_their_own_share() {
    let mut pool = Pool::new(2);
    let barrier = std::sync::Barrier::new(2);
    let firsts = [const { AtomicUsize::new(usize::MAX) }; 2];
    pool.run(10, &|worker, task| {
        if firsts[worker].compare_exchange(usize::MAX, task, Relaxed, Relaxed).is_ok() {
            barrier.wait();
        }
    });
    assert_eq!(firsts.map(AtomicUsize::into_inner), [0, 5]);
}

/// One thread does everything while the other is held in its first task.
#[test]
fn shares_of_a_slow_thread_are_taken() {
    let mut pool = Pool::new(2);
    let counts = [const { AtomicUsize::new(0) }; 2];
    pool.run(100, &|worker, _| {
        counts[worker].fetch_add(1, Relaxed);
        while counts[1].load(Relaxed) == 0 || worker == 1 && counts[0].load(Relaxed) < 99 {
            std::thread::yield_now();
        }
    });
    assert_eq!(counts.map(AtomicUsize::into_inner), [99, 1]);
}

#[test]
fn a_panic_waits_for_all_other_tasks() {
    let done = AtomicUsize::new(0);
    let result = std::panic::catch_unwind(|| {
        Pool::new(2).run(20, &|_, task| {
            assert!(task != 0, "expected by the test");
            done.fetch_add(1, Relaxed);
        });
    });
    assert!(result.is_err());
    assert_eq!(done.into_inner(), 19);
}

#[test]
#[should_panic(expected = "kernels do not panic")]
fn a_panic_of_a_worker_reaches_the_caller() {
    Pool::new(2).run(2, &|worker, _| {
        // The caller waits until the worker has taken its task, so it is the worker that panics.
        if worker == 0 { std::thread::sleep(std::time::Duration::from_millis(50)) } else { panic!("expected by the test") }
    });
}
