//! How a product is cut into tasks, so that all threads end at the same time. It changes no bit: an element's sum is one task's.

use std::ops::Range;

use super::tile::{CHUNK, GROUP, WIDTH};
use crate::cpu::pool::part;

/// Floats of the packed chunks of a task: they stay in the second-level cache beside two pairs of panels.
const PACKED: usize = 48 << 10;

/// Columns that a group counts for at least, so that a task of few columns has no more rows than others.
const LEAST: usize = 256;

/// Most groups of a task of `k` columns.
pub(in crate::cpu) fn most_groups(k: usize) -> usize {
    PACKED / (GROUP * k.clamp(LEAST, CHUNK))
}

/// First tasks of all columns of some groups of rows, then tasks of some columns of the groups that are left: groups may be few, and the last
/// one is shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cpu) struct Cut {
    groups: usize,
    pairs: usize,
    /// Groups whose columns stay together.
    whole: usize,
    /// Tasks of these groups.
    rows: usize,
    /// Tasks of the other groups, rows by columns.
    left: [usize; 2],
}

impl Cut {
    /// For M, N, K. What is left has two groups at least where there are many, so that panels are read for more than one.
    pub fn new(m: usize, n: usize, k: usize, threads: usize) -> Self {
        let (groups, pairs) = (m.div_ceil(GROUP), n.div_ceil(WIDTH));
        let even = m / GROUP / threads * threads;
        let whole = match groups - even {
            _ if threads == 1 => groups,
            1 if even >= 8 * threads => even - threads,
            _ => even,
        };
        let tasks = |groups: usize| groups.div_ceil(most_groups(k));
        let rows = tasks(whole).next_multiple_of(threads).min(whole);
        Self { groups, pairs, whole, rows, left: [tasks(groups - whole), threads.min(pairs)] }
    }

    /// Number of tasks.
    pub fn tasks(self) -> usize {
        self.rows + self.left[0] * self.left[1]
    }

    /// Groups and pairs of a task. A thread begins with neighbouring tasks ([`Pool`](crate::cpu::pool::Pool)): its part of the whole groups, then
    /// some columns of those that are left.
    pub fn of(self, task: usize) -> (Range<usize>, Range<usize>) {
        match self.place(task) {
            Place::Whole(task) => (part(0..self.whole, self.rows, task), 0..self.pairs),
            Place::Left([row, column]) => {
                let [rows, columns] = self.left;
                (part(self.whole..self.groups, rows, row), part(0..self.pairs, columns, column))
            }
        }
    }

    fn place(self, task: usize) -> Place {
        let [left, threads] = self.left;
        if !self.rows.is_multiple_of(threads) {
            // Fewer whole groups than threads.
            return task.checked_sub(self.rows).map_or(Place::Whole(task), |task| Place::Left([task / threads, task % threads]));
        }
        let whole = self.rows / threads;
        let (thread, task) = (task / (whole + left), task % (whole + left));
        task.checked_sub(whole).map_or(Place::Whole(thread * whole + task), |row| Place::Left([row, thread]))
    }
}

/// What a task is.
enum Place {
    /// One of the tasks of whole groups.
    Whole(usize),
    /// One of the others: which rows, which columns.
    Left([usize; 2]),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Row by row and pair by pair, how often the tasks cover the product.
    fn covered(m: usize, n: usize, cut: Cut) -> Vec<usize> {
        let mut tiles = vec![0; m.div_ceil(GROUP) * n.div_ceil(WIDTH)];
        for task in 0..cut.tasks() {
            let (groups, pairs) = cut.of(task);
            for group in groups {
                pairs.clone().for_each(|pair| tiles[group * n.div_ceil(WIDTH) + pair] += 1);
            }
        }
        tiles
    }

    #[test]
    fn tasks_cover_each_tile_once() {
        for m in [1, 11, 12, 13, 25, 50, 257, 514, 1028] {
            for (n, k) in [(1, 1), (12, 512), (128, 128), (512, 2048), (2048, 512)] {
                for threads in [1, 2, 3, 5, 8, 64] {
                    let cut = Cut::new(m, n, k, threads);
                    assert!(covered(m, n, cut).iter().all(|&times| times == 1), "M {m}, N {n}, K {k}, {threads} threads: {cut:?}");
                    let most = (0..cut.tasks()).map(|task| cut.of(task).0.len()).max();
                    assert!(most <= Some(most_groups(k)), "M {m}, N {n}, K {k}, {threads} threads: {cut:?}");
                }
            }
        }
    }

    #[test]
    fn threads_end_together() {
        for (m, n, k) in [(257, 512, 512), (257, 2048, 512), (514, 512, 2048), (514, 1536, 512)] {
            let cut = Cut::new(m, n, k, 2);
            let work = [0, 1].map(|thread| {
                let tiles = part(0..cut.tasks(), 2, thread).map(|task| {
                    let (groups, pairs) = cut.of(task);
                    (m.min(groups.end * GROUP) - groups.start * GROUP) * pairs.len()
                });
                tiles.sum::<usize>()
            });
            // Groups alone would leave up to a group's rows between them.
            let between = work[0].abs_diff(work[1]) as f64 / (m * n.div_ceil(WIDTH)) as f64;
            assert!(between < 0.01, "M {m}, N {n}: {work:?}");
        }
    }
}
