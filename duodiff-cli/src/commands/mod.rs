//! One file per sub-command.

pub mod completions;
pub mod forward;
pub mod inspect;
pub mod pairs;
pub mod sample;
