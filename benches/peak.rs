//! What the machine can do at best, measured in the same run, and what share of it a kernel reaches.

use std::sync::LazyLock;

use duodiff::graph::cpu::bench::{copy_rate, multiply_add_rate};

/// Threads of all benchmarks that do not say otherwise.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Fused multiply-adds on all threads, in operations per second.
static MULTIPLY_ADDS: LazyLock<f64> = LazyLock::new(|| multiply_add_rate(threads()));

/// What one call of a kernel does.
#[derive(Clone, Copy)]
pub enum Work {
    /// Floating-point operations.
    Flops(u64),
    /// Bytes read and written.
    Bytes(u64),
}

impl Work {
    /// Its rate, and the share of the best one: of multiply-adds in registers, or of a plain copy of as many bytes.
    pub fn rate(self, seconds: f64) -> String {
        let (done, best, unit, of) = match self {
            Self::Flops(flops) => (flops, *MULTIPLY_ADDS, "GFLOP/s", "multiply-adds"),
            Self::Bytes(bytes) => (bytes, copy_rate(threads(), bytes as usize), "GB/s", "a copy"),
        };
        let rate = done as f64 / seconds;
        format!("{:.1} {unit}, {:.0} % of {of} ({:.1} on {} threads)", rate / 1e9, 100.0 * rate / best, best / 1e9, threads())
    }
}
