//! Kernels and executor against plain float64 loops, and against themselves on every instruction set.

mod speed;
mod uvit;
