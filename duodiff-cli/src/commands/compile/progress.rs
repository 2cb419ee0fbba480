//! How far the kernels are, on stderr: a bar on a terminal, otherwise a line per module.

use std::io::IsTerminal;
use std::time::Duration;

use duodiff::graph::emit::{Event, Job};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::progress::{Verbosity, note};

/// Progress of the compilers.
pub struct Progress {
    verbosity: Verbosity,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Of `total` cubins.
    pub fn new(total: usize, verbosity: Verbosity) -> Self {
        let bar = (verbosity > Verbosity::Quiet && std::io::stderr().is_terminal()).then(|| bar(total));
        Self { verbosity, bar }
    }

    /// Says what happened. Called from many threads.
    pub fn show(&self, event: &Event<'_>) {
        match event {
            Event::Started(job) => {
                if let Some(bar) = &self.bar {
                    bar.set_message(name(job));
                }
            }
            Event::Done { job, done, total, compiled } => match &self.bar {
                Some(bar) => bar.inc(1),
                None => self.verbosity.say(&format!("[{done}/{total}] {}: {}", name(job), how(*compiled))),
            },
            Event::NotKept(why) => self.warn(&format!("warning: the cache of cubins could not be written: {why}")),
        }
    }

    /// Clears the bar.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn warn(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None if self.verbosity > Verbosity::Quiet => note(text),
            None => {}
        }
    }
}

fn bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr_with_hz(8));
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}, {elapsed}").expect("invariant: the template is well-formed");
    bar.set_style(style);
    bar
}

/// E.g. `linear_bf16 for sm_90a`.
fn name(job: &Job<'_>) -> String {
    format!("{} for {}", job.unit.module, job.target)
}

fn how(compiled: Option<Duration>) -> String {
    compiled.map_or("from the cache".to_string(), |time| format!("{:.1} s", time.as_secs_f64()))
}
