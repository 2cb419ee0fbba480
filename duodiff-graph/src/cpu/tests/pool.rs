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

#[test]
#[should_panic(expected = "kernels do not panic")]
fn a_panic_of_a_worker_reaches_the_caller() {
    Pool::new(2).run(2, &|worker, _| {
        // The caller waits until the worker has taken its task, so it is the worker that panics.
        if worker == 0 { std::thread::sleep(std::time::Duration::from_millis(50)) } else { panic!("expected by the test") }
    });
}
