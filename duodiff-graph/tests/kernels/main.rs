//! The CUDA kernels of tokens.cu, compiled by the machine's C++ compiler for `tests/emulator` and compared with plain loops in float64.
//!
//! Every output starts as NaN between guards; windows lie inside larger values full of NaN; each runs with its threads
//! in three orders, with equal bits. Without a C++ compiler the tests say so and pass.

mod buffer;
mod object;
mod reference;
mod tokens;
mod window;
