//! The CUDA kernels, compiled by the machine's C++ compiler for `tests/emulator` and compared with plain loops in float64.
//!
//! Every output starts as NaN between guards; windows lie inside larger values full of NaN; each runs with its threads
//! in three orders, with equal bits. Without a C++ compiler the tests say so and pass.

mod attention;
mod buffer;
mod faults;
mod folded;
mod gpu;
mod image;
mod linear;
mod object;
mod primitive;
mod reference;
mod tail;
mod tensor;
mod tokens;
mod warpgroups;
mod window;
