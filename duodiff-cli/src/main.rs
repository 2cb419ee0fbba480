//! The `duodiff` command with the ready pairs.

use std::process::ExitCode;

use duodiff::{Cifar10, Mnist};

fn main() -> ExitCode {
    duodiff_cli::main(&[&Mnist, &Cifar10])
}
