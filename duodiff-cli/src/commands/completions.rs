//! `duodiff completions SHELL`: the completion script on stdout.

use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs};
use crate::error::Result;
use crate::report;

/// Prints the script.
pub fn run(args: &CompletionsArgs) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "duodiff", &mut script);
    report::print(&String::from_utf8_lossy(&script))
}
