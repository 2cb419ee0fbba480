//! Maps of tensors, which the driver encodes for the GPU's copy engine.

use cudarc::driver::sys::{
    CUtensorMap, CUtensorMapDataType, CUtensorMapFloatOOBfill, CUtensorMapInterleave, CUtensorMapL2promotion, CUtensorMapSwizzle,
};

use super::driver::Driver;
use crate::executor::Fault;
use crate::launch::{Element, SPAN, Tensor};

/// The map of a tensor that starts at `address`; zeros for an operand that is absent.
pub(super) fn encode(driver: &Driver, tensor: &Tensor, address: u64) -> Result<[u64; 16], Fault> {
    let mut map = CUtensorMap { opaque: [0; 16] };
    if tensor.base.is_none() {
        return Ok(map.opaque);
    }
    let element = match tensor.element {
        Element::F32 => CUtensorMapDataType::CU_TENSOR_MAP_DATA_TYPE_FLOAT32,
        Element::Bf16 => CUtensorMapDataType::CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
    } as u32;
    const { assert!(SPAN == 128) };
    let interleave = CUtensorMapInterleave::CU_TENSOR_MAP_INTERLEAVE_NONE as u32;
    let swizzle = CUtensorMapSwizzle::CU_TENSOR_MAP_SWIZZLE_128B as u32;
    let promotion = CUtensorMapL2promotion::CU_TENSOR_MAP_L2_PROMOTION_L2_128B as u32;
    let fill = CUtensorMapFloatOOBfill::CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE as u32;
    let (rank, sizes, strides) = (tensor.sizes.len() as u32, tensor.sizes.as_ptr(), tensor.strides.as_ptr());
    let (to, [columns, rows], steps) = (&raw mut map, tensor.part, [1; 5]);
    if tensor.rows() == 0 {
        let part = tensor.part.as_ptr();
        // SAFETY: two axes: two sizes, a stride, two elements of a copy and two steps.
        unsafe {
            driver.cuTensorMapEncodeTiled(
                to,
                element,
                rank,
                address,
                sizes,
                strides,
                part,
                steps.as_ptr(),
                interleave,
                swizzle,
                promotion,
                fill,
            )?;
        }
    } else {
        // A filter of one pixel: its box is the whole image.
        let corner = [0];
        // SAFETY: three axes: three sizes, two strides, three steps and one corner at each end.
        unsafe {
            driver.cuTensorMapEncodeIm2col(
                to,
                element,
                rank,
                address,
                sizes,
                strides,
                corner.as_ptr(),
                corner.as_ptr(),
                columns,
                rows,
                steps.as_ptr(),
                interleave,
                swizzle,
                promotion,
                fill,
            )?;
        }
    }
    Ok(map.opaque)
}
