//! What tests of several modules share: programs written by hand, random weights, and the golden cases.

pub mod golden;
pub mod pairs;
pub mod sketch;
pub mod uvit;
