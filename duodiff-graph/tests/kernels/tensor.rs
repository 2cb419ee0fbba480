//! Maps of tensors: the GPU's driver makes them or, on the emulator, tests/fake-driver.

use duodiff_graph::launch::{Address, Element, Region, Tensor, Window as Recipe};
use fake_driver::tensor::Tensor as Fake;

use super::gpu;
use super::window::Window;

/// `CUtensorMap`.
#[repr(C, align(128))]
#[derive(Clone, Copy, Debug)]
pub struct TensorMap([u64; 16]);

/// `CU_TENSOR_MAP_DATA_TYPE_BFLOAT16`.
const BF16: u32 = 9;

/// Nothing interleaved, a pattern of 128 bytes, lines of 128 bytes, zeros outside.
const MODES: [u32; 4] = [0, 3, 2, 0];

/// The map of `total` rows of a window of bfloat16, copied `part` rows at a time, and the rows of an image if there are gaps.
pub fn map(window: Window, total: usize, part: u32) -> (TensorMap, u32) {
    let Window { base, image, stride, rows, columns, step } = window;
    let recipe = Recipe { base: Some(Address::of(Region::Arena)), image, stride, rows, columns, step };
    let tensor = if base.is_null() { Tensor::ABSENT } else { Tensor::of(&recipe, Element::Bf16, total as u32, part) };
    (TensorMap(encode(&tensor, base.addr() as u64)), tensor.rows())
}

fn encode(tensor: &Tensor, address: u64) -> [u64; 16] {
    if gpu::is_asked_for() {
        return gpu::map(tensor, address);
    }
    if tensor.base.is_none() {
        return [0; 16];
    }
    let Tensor { sizes, strides, part, .. } = tensor;
    let steps = &[1; 3][..sizes.len()];
    let fake = Fake { element: BF16, address, sizes, strides, steps, modes: MODES };
    let laid = if sizes.len() == 2 { fake.tiled(part) } else { fake.im2col(&[0], &[0], part[0], part[1]) };
    laid.unwrap().words()
}
