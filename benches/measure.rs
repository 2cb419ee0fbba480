//! One measurement: criterion's, and the time that it took for the lines that compare several.

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
