//! The entry points, as `cuda.h` declares them.
//!
//! # Safety
//! Every one of them is called as the driver's documentation says: pointers are null or point to what the parameter's type says.

#![allow(non_snake_case, clippy::too_many_arguments, clippy::missing_safety_doc, reason = "NVIDIA's names and parameters")]

pub(crate) mod device;
pub(crate) mod graph;
mod library;
pub(crate) mod memory;
pub(crate) mod stream;
mod tensor;

use crate::code::{Code, INVALID_VALUE};

/// Writes a result to where the caller wants it.
///
/// # Safety
/// The pointer is null or points to a place for the value.
unsafe fn write<T>(to: *mut T, value: T) -> Result<(), Code> {
    if to.is_null() {
        return Err(INVALID_VALUE);
    }
    // SAFETY: granted by the caller.
    unsafe { to.write(value) };
    Ok(())
}
