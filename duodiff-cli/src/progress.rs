//! How far a run is, on stderr: a bar on a terminal, otherwise one line per ten seconds.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How much is said on stderr besides errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Nothing.
    Quiet,
    /// Progress and a summary.
    Normal,
    /// What was chosen and why, too.
    Verbose,
}

impl Verbosity {
    /// Writes a line to stderr, unless quiet.
    pub fn say(self, text: &str) {
        if self > Verbosity::Quiet {
            note(text);
        }
    }

    /// Writes a line to stderr, if verbose.
    pub fn detail(self, text: &str) {
        if self == Verbosity::Verbose {
            note(text);
        }
    }
}

/// Writes to stderr. If that fails there is nobody left to tell.
pub fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Time between two lines where stderr is no terminal.
const INTERVAL: Duration = Duration::from_secs(10);

/// Progress of a run.
pub struct Progress {
    total: u64,
    done: u64,
    /// Images made before this process started: they do not count for the speed.
    before: u64,
    started: Instant,
    shown: Instant,
    output: Output,
}

enum Output {
    Bar(ProgressBar),
    Lines,
    None,
}

/// Where a batch stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position<'a> {
    /// Steps done.
    pub step: usize,
    /// Steps of the trajectory.
    pub steps: usize,
    /// Backbone of the next step.
    pub phase: &'a str,
    /// Share of the batch's work that is done, 0..=1.
    pub share: f64,
    /// Images in the batch.
    pub images: usize,
}

impl Progress {
    /// Of `total` images, `before` exist already.
    pub fn new(total: u64, before: u64, verbosity: Verbosity) -> Self {
        let output = match verbosity {
            Verbosity::Quiet => Output::None,
            _ if std::io::stderr().is_terminal() => Output::Bar(bar()),
            _ => Output::Lines,
        };
        let now = Instant::now();
        Self { total, done: before, before, started: now, shown: now, output }
    }

    /// A step of the current batch is done.
    pub fn step(&mut self, position: Position<'_>) {
        match &self.output {
            Output::Bar(bar) => {
                let made = self.done as f64 + position.share * position.images as f64;
                bar.set_position((1000.0 * made / self.total as f64) as u64);
                bar.set_message(self.text(position));
            }
            Output::Lines if self.shown.elapsed() >= INTERVAL => {
                self.shown = Instant::now();
                note(&self.text(position));
            }
            Output::Lines | Output::None => {}
        }
    }

    /// A batch is written.
    pub fn finish_batch(&mut self, images: usize) {
        self.done += images as u64;
    }

    /// Clears the bar.
    pub fn clear(&self) {
        if let Output::Bar(bar) = &self.output {
            bar.finish_and_clear();
        }
    }

    /// Images of the run that exist.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Images made by this process, and its time.
    pub fn made(&self) -> (u64, Duration) {
        (self.done - self.before, self.started.elapsed())
    }

    fn text(&self, position: Position<'_>) -> String {
        let made = (self.done - self.before) as f64 + position.share * position.images as f64;
        let rate = made / self.started.elapsed().as_secs_f64().max(1e-9);
        let left = (self.total - self.before) as f64 - made;
        let eta = Duration::from_secs_f64((left / rate.max(1e-9)).clamp(0.0, 1e9));
        format!(
            "{}/{} images, step {}/{} ({}), {} images/s, {} left",
            self.done,
            self.total,
            position.step,
            position.steps,
            position.phase,
            speed(rate),
            clock(eta)
        )
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr_with_hz(8));
    let style = ProgressStyle::with_template("{bar:24} {msg}").expect("invariant: the template is well-formed");
    bar.set_style(style);
    bar
}

/// Images per second with three digits.
pub fn speed(rate: f64) -> String {
    match rate {
        _ if rate >= 100.0 => format!("{rate:.0}"),
        _ if rate >= 10.0 => format!("{rate:.1}"),
        _ if rate >= 1.0 => format!("{rate:.2}"),
        _ => format!("{rate:.4}"),
    }
}

/// A duration as `m:ss` or `h:mm:ss`.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_images_step_phase_speed_and_time_left() {
        let mut progress = Progress::new(20, 4, Verbosity::Quiet);
        progress.finish_batch(4);
        progress.started = Instant::now() - Duration::from_secs(12);
        let position = Position { step: 25, steps: 50, phase: "deep", share: 0.5, images: 4 };
        assert_eq!(progress.text(position), "8/20 images, step 25/50 (deep), 0.5000 images/s, 0:20 left");
        assert_eq!(progress.made().0, 4);
    }

    #[test]
    fn clocks_and_speeds() {
        assert_eq!(clock(Duration::from_secs(59)), "0:59");
        assert_eq!(clock(Duration::from_secs(3671)), "1:01:11");
        assert_eq!([0.01234, 1.234, 12.34, 123.4].map(speed), ["0.0123", "1.23", "12.3", "123"]);
    }
}
