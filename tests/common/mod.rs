//! What several tests share.

pub mod dit;
pub mod pairs;
