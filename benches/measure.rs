//! One measurement: criterion's, and the time that it took; two in turn, for the lines that compare.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, Instant};

use criterion::{BenchmarkGroup, Criterion, SamplingMode, measurement::WallTime};

/// The group `name` for what takes milliseconds or less.
pub fn fast<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(400)).sample_size(20);
    group
}

/// The group `name` for what takes longer: ten samples, as few calls as that takes.
pub fn slow<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    let (warm_up, measurement) = (Duration::from_millis(1), Duration::from_millis(500));
    group.warm_up_time(warm_up).measurement_time(measurement).sample_size(10).sampling_mode(SamplingMode::Flat);
    group
}

/// Whether benchmarks are chosen by a filter, which stands first.
pub fn is_filtered() -> bool {
    std::env::args().nth(1).is_some_and(|filter| !filter.starts_with('-'))
}

/// Whether everything is only run once, to see that it runs.
pub fn is_smoke() -> bool {
    !std::env::args().any(|argument| argument == "--bench") || std::env::args().any(|argument| argument == "--test")
}

/// Measures `call`; the median of its seconds, or none if a filter leaves it out.
pub fn measure(group: &mut BenchmarkGroup<'_, WallTime>, id: &str, mut call: impl FnMut()) -> Option<f64> {
    let mut seconds = Vec::new();
    group.bench_function(id, |bencher| {
        bencher.iter_custom(|calls| {
            let start = Instant::now();
            (0..calls).for_each(|_| call());
            let time = start.elapsed();
            seconds.push(time.as_secs_f64() / calls as f64);
            time
        });
    });
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied()
}

/// Seconds that a comparison takes, if its calls are short enough.
const COMPARISON: f64 = 2.0;

/// The ratio of two times, measured in turn: a machine that slows down or speeds up does so for both.
pub struct Ratio {
    /// Of all rounds.
    pub median: f64,
    /// What holds the true median with at least 95 % confidence (order statistics of the sign test).
    pub interval: [f64; 2],
}

/// The time of `a` / that of `b`, which take some `seconds` each.
pub fn compare(mut a: impl FnMut(), mut b: impl FnMut(), seconds: [f64; 2]) -> Ratio {
    /// At least as many as an interval needs, and an odd number.
    const ROUNDS: [f64; 2] = [7.0, 25.0];
    let round = seconds[0] + seconds[1];
    let rounds = (COMPARISON / round).clamp(ROUNDS[0], ROUNDS[1]) as usize | 1;
    let calls = (COMPARISON / rounds as f64 / round).max(1.0) as usize;
    let time = |call: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed().as_secs_f64()
    };
    let mut ratios: Vec<f64> = (0..rounds).map(|_| time(&mut a) / time(&mut b)).collect();
    ratios.sort_by(f64::total_cmp);
    let rank = outer_rank(rounds);
    Ratio { median: ratios[rounds / 2], interval: [ratios[rank], ratios[rounds - 1 - rank]] }
}

/// The largest number of values that may be cut off at each end.
fn outer_rank(count: usize) -> usize {
    let (mut tail, mut term, mut rank) = (0.0, 0.5_f64.powi(count as i32), 0);
    while tail + term <= 0.025 {
        tail += term;
        term *= (count - rank) as f64 / (rank + 1) as f64;
        rank += 1;
    }
    rank.saturating_sub(1)
}

impl Display for Ratio {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [low, high] = self.interval;
        write!(f, "{:.3} [{low:.3}, {high:.3}]", self.median)
    }
}
