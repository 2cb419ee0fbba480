//! What several tests share.

pub mod pairs;
