//! How far a comparison is, on stderr: a bar on a terminal, otherwise a line per ten seconds.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::AgainstArg;
use crate::progress::{Verbosity, clock};
use crate::report;

/// Time between two lines where stderr is no terminal.
const INTERVAL: Duration = Duration::from_secs(10);

/// Progress of one backbone.
pub struct Meter {
    name: String,
    verbosity: Verbosity,
    bar: Option<ProgressBar>,
    started: Instant,
    shown: Instant,
}

impl Meter {
    /// Says what begins.
    pub fn new(name: &str, against: AgainstArg, flops: u64, verbosity: Verbosity) -> Self {
        let work = format!("{} GFLOP", report::gflop(flops));
        let how = match against {
            AgainstArg::Interpreter => format!("{work}, two or three times in float64 by plain loops"),
            AgainstArg::Cpu => format!("{work} on the CPU"),
            AgainstArg::Luminal => format!("{work} in luminal's interpreter, about {} left", clock(luminal_time(flops))),
            AgainstArg::LuminalCuda => format!("{work} by luminal_cuda, which compiles a kernel per primitive first"),
        };
        verbosity.say(&format!("{name}: {how}"));
        let bar = (verbosity > Verbosity::Quiet && std::io::stderr().is_terminal()).then(bar);
        let now = Instant::now();
        Self { name: name.to_owned(), verbosity, bar, started: now, shown: now }
    }

    /// Says how far it is: a share of the work.
    pub fn show(&mut self, share: f64) {
        if self.bar.is_none() && self.shown.elapsed() < INTERVAL {
            return;
        }
        self.shown = Instant::now();
        let left = self.started.elapsed().as_secs_f64() * (1.0 - share) / share.max(1e-9);
        let text = format!("{}: {:.0} %, {} left", self.name, 100.0 * share, clock(Duration::from_secs_f64(left.clamp(0.0, 1e9))));
        match &self.bar {
            Some(bar) => {
                bar.set_position((1000.0 * share) as u64);
                bar.set_message(text);
            }
            None => self.verbosity.say(&text),
        }
    }

    /// Clears the bar.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// luminal takes about 0.7 microseconds per multiply-add.
fn luminal_time(flops: u64) -> Duration {
    Duration::from_secs_f64(flops as f64 / 2.0 * 0.7e-6)
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr_with_hz(8));
    let style = ProgressStyle::with_template("{bar:24} {msg}").expect("invariant: the template is well-formed");
    bar.set_style(style);
    bar
}
