//! The CPU executor: packed weights, fused epilogues, whole-row attention, one thread pool.
