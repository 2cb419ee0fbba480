//! One file per sub-command.

pub mod compile;
pub mod completions;
pub mod doctor;
pub mod forward;
pub mod inspect;
pub mod pairs;
pub mod sample;
pub mod verify;
