//! Ready pairs, and everything a user of the library needs.

pub use duodiff_graph as graph;
