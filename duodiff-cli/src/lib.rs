//! The `duodiff` command as a library call, so that a crate with pairs of its own gets the whole command in three lines:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     duodiff_cli::main(&[])
//! }
//! ```

mod args;
mod case;
mod catalog;
mod commands;
mod device;
mod environment;
mod error;
mod file;
mod image;
mod progress;
mod report;
mod resources;
mod run;
mod signals;
mod source;
mod standalone;
mod tensors;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use duodiff::Pair;

use args::{Args, Command};
use catalog::Catalog;
use error::{Exit, Result};
use progress::Verbosity;

/// Runs the command line of this process with the given pairs and returns its exit code.
pub fn main(pairs: &[&dyn Pair]) -> ExitCode {
    panic::set_hook(Box::new(|bug| {
        progress::note(&format!("bug: {bug}\n  please report this, with the command: {}/issues", env!("CARGO_PKG_REPOSITORY")));
    }));
    let exit = match args::parse(std::env::args_os()) {
        Ok(args) => panic::catch_unwind(AssertUnwindSafe(|| finish(run(pairs, &args)))).unwrap_or(Exit::Failed),
        Err(exit) => exit,
    };
    ExitCode::from(exit as u8)
}

fn run(pairs: &[&dyn Pair], args: &Args) -> Result {
    let catalog = Catalog(pairs);
    let verbosity = match (args.quiet, args.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    match &args.command {
        Command::Pairs(args) => commands::pairs::run(catalog, args),
        Command::Sample(args) => commands::sample::run(catalog, args, verbosity),
        Command::Compile(args) => commands::compile::run(catalog, args, verbosity),
        Command::Inspect(args) => commands::inspect::run(catalog, args),
        Command::Forward(args) => commands::forward::run(catalog, args, verbosity),
        Command::Verify(args) => commands::verify::run(catalog, args, verbosity),
        Command::Doctor(args) => commands::doctor::run(args),
        Command::Completions(args) => commands::completions::run(args),
    }
}

/// Reports a failure.
fn finish(result: Result) -> Exit {
    match result {
        Ok(()) => Exit::Done,
        Err(failure) => {
            eprint(&failure.render());
            failure.exit
        }
    }
}

fn eprint(text: &str) {
    if !text.is_empty() {
        progress::note(text.trim_end());
    }
}
