//! Kernels and executor against plain float64 loops, and against themselves on every instruction set.

mod attention;
mod case;
mod executor;
mod image;
mod linear;
mod math;
mod pool;
mod primitive;
mod rows;
mod trajectory;
mod uvit;
