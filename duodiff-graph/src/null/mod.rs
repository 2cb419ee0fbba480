//! Executes a plan without arithmetic and proves that no live buffers overlap.
