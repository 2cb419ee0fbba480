//! How a product is cut into tasks, so that all threads end at the same time. It changes no bit: an element's sum is one task's.

use std::ops::Range;

use super::tile::{CHUNK, WIDTH};
use crate::cpu::pool::part;

/// Packed columns of a task, all its groups': they stay in the second-level cache beside two pairs of panels.
const PACKED: usize = 4 << 10;

/// Columns that a group counts for at least, so that a task of few columns has no more groups than others.
const LEAST_COLUMNS: usize = 256;

/// Rows for whose sake a thread reads all of a weight; where it had fewer, threads share the columns too.
const LEAST_ROWS: usize = 8;

/// Most groups of a task of a product over `k` columns.
pub(in crate::cpu) fn most_groups(k: usize) -> usize {
    PACKED / k.clamp(LEAST_COLUMNS, CHUNK)
}

/// Most pieces of columns that the last rows of a part are cut into; fewer where each piece would have to pack these rows again.
const PIECES: [usize; 2] = [4, 2];

/// Multiply-adds of a part that are worth pieces: some 70 µs. Where it has less, another thread comes too late.
const WORTH: usize = 8 << 20;

/// Pairs of panels of a piece, at least.
const LEAST_PAIRS: usize = 2;

/// One part for each thread, some rows by some pairs of panels, all of like size. The rows of a part are cut into groups of like size, and these
/// are dealt to its tasks. Those of the last task are cut by columns, into pieces of which each has half of what is left: if a thread is slower
/// than the others, they take the last pieces from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cpu) struct Cut {
    m: usize,
    /// Pairs of panels.
    pairs: usize,
    /// Parts of the rows, and of the pairs.
    parts: [usize; 2],
    /// Groups of a part.
    groups: usize,
    /// How many tasks these are dealt to.
    tasks: usize,
    /// Pieces of the last of these tasks.
    pieces: usize,
}

impl Cut {
    /// For M, N, K, groups of at most `most` rows.
    pub fn new([m, n, k]: [usize; 3], most: usize, threads: usize) -> Self {
        let pairs = n.div_ceil(WIDTH);
        let mut divisors = (1..=threads.min(pairs)).filter(|columns| threads.is_multiple_of(*columns));
        let many = divisors.clone().find(|columns| m * columns >= LEAST_ROWS * threads);
        let columns = many.or_else(|| divisors.next_back()).unwrap_or(1);
        let rows = (threads / columns).min(m);
        let groups = m.div_ceil(rows).div_ceil(most);
        let pieces = if rows > 1 && columns == 1 && m / rows * n * k >= WORTH { pieces(pairs, PIECES[usize::from(k > CHUNK)]) } else { 1 };
        Self { m, pairs, parts: [rows, columns], groups, tasks: groups.div_ceil(most_groups(k)), pieces }
    }

    /// Number of tasks. Those of a part are neighbours, so that a thread begins with them ([`Pool`](crate::cpu::pool::Pool)).
    pub fn tasks(self) -> usize {
        self.parts[0] * self.parts[1] * self.tasks_of_part()
    }

    fn tasks_of_part(self) -> usize {
        self.tasks - 1 + self.pieces
    }

    /// Groups and pairs of a task.
    pub fn of(self, task: usize) -> (Range<usize>, Range<usize>) {
        let (place, task) = (task / self.tasks_of_part(), task % self.tasks_of_part());
        let (row, column) = (place / self.parts[1], place % self.parts[1]);
        let (first, pairs) = (row * self.groups, part(0..self.pairs, self.parts[1], column));
        let groups = part(first..first + self.groups, self.tasks, task.min(self.tasks - 1));
        let is_last = task + 1 >= self.tasks;
        (groups, if is_last { piece(pairs, self.pieces, task + 1 - self.tasks) } else { pairs })
    }

    /// Rows of a group.
    pub fn rows(self, group: usize) -> Range<usize> {
        part(part(0..self.m, self.parts[0], group / self.groups), self.groups, group % self.groups)
    }
}

/// How many pieces so many pairs are worth.
fn pieces(pairs: usize, most: usize) -> usize {
    (1..most).take_while(|halvings| pairs >> halvings >= LEAST_PAIRS).count() + 1
}

/// Piece `index` of `count`: half of what those before it have left; the last is all of that.
fn piece(mut range: Range<usize>, count: usize, index: usize) -> Range<usize> {
    let half = |range: &Range<usize>| range.start + range.len().div_ceil(2);
    (0..index).for_each(|_| range.start = half(&range));
    if index + 1 < count {
        range.end = half(&range);
    }
    range
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_cover_each_element_once() {
        for m in [1, 2, 11, 12, 13, 15, 25, 50, 257, 514, 1028] {
            for (n, k) in [(1, 1), (12, 512), (128, 128), (512, 2048), (2048, 512)] {
                for (most, threads) in [(4, 1), (13, 2), (13, 3), (6, 5), (13, 8), (6, 64)] {
                    let cut = Cut::new([m, n, k], most, threads);
                    let pairs = n.div_ceil(WIDTH);
                    let mut times = vec![0; m * pairs];
                    for task in 0..cut.tasks() {
                        let (groups, columns) = cut.of(task);
                        assert!((1..=most_groups(k)).contains(&groups.len()), "M {m}, N {n}, K {k}, {threads} threads: {cut:?}");
                        for group in groups {
                            let rows = cut.rows(group);
                            assert!((1..=most).contains(&rows.len()), "M {m}, N {n}, K {k}, {threads} threads: {cut:?}");
                            rows.for_each(|row| columns.clone().for_each(|pair| times[row * pairs + pair] += 1));
                        }
                    }
                    assert!(times.iter().all(|&times| times == 1), "M {m}, N {n}, K {k}, {threads} threads: {cut:?}");
                }
            }
        }
    }

    #[test]
    fn threads_end_together() {
        for threads in [2, 3, 4, 8] {
            for (m, n, k) in [(50, 384, 128), (257, 512, 512), (257, 2048, 512), (514, 512, 2048), (514, 1536, 512)] {
                let cut = Cut::new([m, n, k], 13, threads);
                let work = |thread| -> usize {
                    let tiles = part(0..cut.tasks(), threads, thread).map(|task| {
                        let (groups, pairs) = cut.of(task);
                        groups.map(|group| cut.rows(group).len()).sum::<usize>() * pairs.len()
                    });
                    tiles.sum()
                };
                let (most, ideal) = ((0..threads).map(work).max(), (m * n.div_ceil(WIDTH)) as f64 / threads as f64);
                let over = most.map_or(0.0, |most| most as f64 / ideal - 1.0);
                assert!(over < 0.05, "M {m}, N {n}, {threads} threads: {over} over, {cut:?}");
            }
        }
    }

    #[test]
    fn pieces_are_halves_of_what_is_left() {
        let pieces = |m, n, k| {
            let cut = Cut::new([m, n, k], 13, 2);
            (0..cut.tasks() / 2).map(|task| cut.of(task)).collect::<Vec<_>>()
        };
        assert_eq!(pieces(257, 512, 512), [(0..5, 0..16), (5..10, 0..8), (5..10, 8..12), (5..10, 12..14), (5..10, 14..16)]);
        // Each piece packs its rows again, where they are packed chunk by chunk.
        assert_eq!(pieces(257, 512, 2048), [(0..3, 0..16), (3..6, 0..16), (6..10, 0..8), (6..10, 8..16)]);
        // Too few columns, or too little work.
        assert_eq!(pieces(2560, 64, 512).last(), Some(&(91..99, 0..2)));
        assert_eq!(pieces(50, 512, 128), [(0..2, 0..16)]);
    }

    /// All of a weight for each thread's rows, unless they are few.
    #[test]
    fn columns_are_shared_where_rows_are_few() {
        let parts = |m, threads| Cut::new([m, 512, 512], 13, threads).parts;
        assert_eq!([parts(50, 2), parts(16, 2), parts(15, 2), parts(1, 2)], [[2, 1], [2, 1], [1, 2], [1, 2]]);
        assert_eq!([parts(50, 8), parts(1, 64), parts(50, 3), parts(9, 3)], [[4, 2], [1, 16], [3, 1], [1, 3]]);
        // One pair of panels: rows alone, as many as there are.
        assert_eq!(Cut::new([1, 12, 512], 13, 4).parts, [1, 1]);
    }
}
