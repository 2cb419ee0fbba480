//! Tensor maps.

use std::ffi::{c_int, c_uint};
use std::slice::from_raw_parts;

use crate::code::INVALID_VALUE;
use crate::state::call;
use crate::tensor::{Layout, Tensor};

/// Most axes.
const RANK: usize = 5;

/// The pieces of a call as slices.
///
/// # Safety
/// Pointers are to as many values as the rank says; to one stride fewer.
unsafe fn tensor<'a>(
    [element, rank]: [c_uint; 2],
    address: u64,
    sizes: *const u64,
    strides: *const u64,
    steps: *const c_uint,
    modes: [c_uint; 4],
) -> Option<Tensor<'a>> {
    let rank = (1..=RANK).contains(&(rank as usize)).then_some(rank as usize)?;
    if sizes.is_null() || steps.is_null() || strides.is_null() && rank > 1 {
        return None;
    }
    // SAFETY: granted by the caller.
    let (sizes, steps) = unsafe { (from_raw_parts(sizes, rank), from_raw_parts(steps, rank)) };
    // SAFETY: granted by the caller.
    let strides = if rank > 1 { unsafe { from_raw_parts(strides, rank - 1) } } else { &[] };
    Some(Tensor { element, address, sizes, strides, steps, modes })
}

/// Needs no context, and may be called while a stream is captured.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuTensorMapEncodeTiled(
    map: *mut Layout,
    element: c_uint,
    rank: c_uint,
    address: u64,
    sizes: *const u64,
    strides: *const u64,
    part: *const c_uint,
    steps: *const c_uint,
    interleave: c_uint,
    swizzle: c_uint,
    promotion: c_uint,
    fill: c_uint,
) -> c_uint {
    call("cuTensorMapEncodeTiled", |state| {
        state.check_initialized()?;
        // SAFETY: granted by the caller.
        let tensor = unsafe { tensor([element, rank], address, sizes, strides, steps, [interleave, swizzle, promotion, fill]) };
        let tensor = tensor.ok_or(INVALID_VALUE)?;
        if map.is_null() || !map.is_aligned() || part.is_null() {
            return Err(INVALID_VALUE);
        }
        // SAFETY: granted by the caller.
        unsafe { map.write(tensor.tiled(from_raw_parts(part, tensor.sizes.len()))?) };
        Ok(())
    })
}

/// As the one above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuTensorMapEncodeIm2col(
    map: *mut Layout,
    element: c_uint,
    rank: c_uint,
    address: u64,
    sizes: *const u64,
    strides: *const u64,
    lower: *const c_int,
    upper: *const c_int,
    channels: c_uint,
    pixels: c_uint,
    steps: *const c_uint,
    interleave: c_uint,
    swizzle: c_uint,
    promotion: c_uint,
    fill: c_uint,
) -> c_uint {
    call("cuTensorMapEncodeIm2col", |state| {
        state.check_initialized()?;
        // SAFETY: granted by the caller.
        let tensor = unsafe { tensor([element, rank], address, sizes, strides, steps, [interleave, swizzle, promotion, fill]) };
        let tensor = tensor.filter(|tensor| tensor.sizes.len() > 2).ok_or(INVALID_VALUE)?;
        if map.is_null() || !map.is_aligned() || lower.is_null() || upper.is_null() {
            return Err(INVALID_VALUE);
        }
        let corners = tensor.sizes.len() - 2;
        // SAFETY: granted by the caller.
        unsafe { map.write(tensor.im2col(from_raw_parts(lower, corners), from_raw_parts(upper, corners), channels, pixels)?) };
        Ok(())
    })
}
