//! The `duodiff` command with the ready pairs.

use std::process::ExitCode;

use duodiff::{Celeba64, Cifar10, Imagenet64, Imagenet256, Mnist};

fn main() -> ExitCode {
    duodiff_cli::main(&[&Mnist, &Cifar10, &Celeba64, &Imagenet64, &Imagenet256])
}
