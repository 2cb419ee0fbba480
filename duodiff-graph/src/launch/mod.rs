//! From a plan to launches: which kernel with which grid, block and arguments, as plain data without a driver.

mod kernel;
mod module;
mod precision;

pub use kernel::Kernel;
pub use module::Module;
pub use precision::{Element, Precision, PrecisionError};
