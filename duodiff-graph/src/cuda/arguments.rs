//! Arguments as the kernels' parameters want them: records field by field as in `duodiff-graph/kernels`, addresses in place of regions.

use std::ffi::c_void;

use bytemuck::{Pod, Zeroable, bytes_of};

use crate::launch::{Address, Argument, Element, Tensor, View, Window};
use crate::process::{self, HISTORY};

/// `struct Window` of the kernels.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct WindowRecord {
    base: u64,
    image: u64,
    stride: u32,
    rows: u32,
    columns: u32,
    step: u32,
}

/// Most axes of a view.
const RANK: usize = 10;

/// `struct Axis` of the kernels.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct AxisRecord {
    stride: u64,
    length: u32,
    stored: u32,
    first: i32,
    reserved: u32,
}

/// `struct View` of the kernels.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct ViewRecord {
    base: u64,
    element: u32,
    rank: u32,
    axes: [AxisRecord; RANK],
}

/// `struct Row` of the kernels.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub(super) struct RowRecord {
    a: f32,
    b: f32,
    clip: f32,
    c0: f32,
    cs: f32,
    history: [f32; HISTORY],
    cz: f32,
    scale: f32,
    save: u32,
    entry: u32,
}

impl RowRecord {
    /// A row, and the entry that the row after it reads of its tables.
    pub fn new(row: &process::Row, next: u32) -> Self {
        let process::Row { a, b, clip, c0, cs, history, cz, scale, save, .. } = *row;
        Self { a, b, clip: clip.unwrap_or(f32::INFINITY), c0, cs, history, cz, scale, save: save.into(), entry: next }
    }
}

/// `struct Step` of the kernels.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct StepRecord {
    row: u32,
    entry: u32,
    ticket: u32,
    reserved: u32,
}

impl StepRecord {
    /// Before the first row, which reads this entry of its tables.
    pub fn first(entry: u32) -> Self {
        Self { entry, ..Self::zeroed() }
    }
}

/// The arguments of one launch, laid out for the driver.
pub(super) struct Arguments {
    /// Each argument on a word of its own.
    words: Vec<u64>,
    /// Where each starts.
    starts: Vec<usize>,
}

impl Arguments {
    /// Resolves the regions of a launch's arguments; `encode` makes maps of tensors at their addresses.
    pub fn new<E>(
        arguments: &[Argument],
        resolve: impl Fn(&Address) -> u64,
        encode: impl Fn(&Tensor, u64) -> Result<[u64; 16], E>,
    ) -> Result<Self, E> {
        let mut laid = Self { words: Vec::new(), starts: Vec::with_capacity(arguments.len()) };
        let base = |address: &Option<Address>| address.as_ref().map_or(0, &resolve);
        for argument in arguments {
            match argument {
                Argument::Window(window) => laid.push(&window_record(window, base(&window.base))),
                Argument::View(view) => laid.push(&view_record(view, base(&view.base))),
                Argument::Tensor(tensor) => laid.push(&encode(tensor, base(&tensor.base))?),
                Argument::Pointer(address) => laid.push(&base(address)),
                Argument::U32(number) => laid.push(number),
                Argument::U64(number) => laid.push(number),
                Argument::F32(number) => laid.push(number),
            }
        }
        Ok(laid)
    }

    fn push<T: Pod>(&mut self, value: &T) {
        let bytes = bytes_of(value);
        self.starts.push(self.words.len());
        for chunk in bytes.chunks(size_of::<u64>()) {
            let mut word = [0; size_of::<u64>()];
            word[..chunk.len()].copy_from_slice(chunk);
            self.words.push(u64::from_ne_bytes(word));
        }
    }

    /// A pointer to each argument, valid as long as this is neither moved nor dropped.
    pub fn pointers(&mut self) -> Vec<*mut c_void> {
        let base = self.words.as_mut_ptr();
        self.starts.iter().map(|start| base.wrapping_add(*start).cast()).collect()
    }
}

fn window_record(window: &Window, base: u64) -> WindowRecord {
    let Window { image, stride, rows, columns, step, .. } = *window;
    WindowRecord { base, image, stride, rows, columns, step }
}

fn view_record(view: &View, base: u64) -> ViewRecord {
    let element = match view.element {
        Element::F32 => 0,
        Element::Bf16 => 1,
    };
    let mut record = ViewRecord { base, element, rank: view.axes.len() as u32, ..ViewRecord::zeroed() };
    for (axis, to) in view.axes.iter().zip(&mut record.axes) {
        *to = AxisRecord { stride: axis.stride, length: axis.length, stored: axis.stored, first: axis.first, reserved: 0 };
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_kernels_sizes() {
        let sizes = [size_of::<WindowRecord>(), size_of::<ViewRecord>(), size_of::<RowRecord>(), size_of::<StepRecord>()];
        assert_eq!(sizes, [32, 256, 48, 16]);
    }

    #[test]
    fn arguments_are_laid_out_one_after_the_other() {
        let address = Address { region: crate::launch::Region::Arena, offset: 64 };
        let window = Window { base: Some(address.clone()), image: 5, stride: 6, rows: 7, columns: 8, step: 9 };
        let arguments =
            [Argument::U32(3), Argument::Window(window), Argument::Pointer(None), Argument::pointer(address), Argument::F32(1.5)];
        let encode = |_: &Tensor, _| Err("no tensor is among them");
        let mut laid = Arguments::new(&arguments, |address| 0x1000 + address.offset, encode).unwrap();
        assert_eq!(laid.words, [3, 0x1040, 5, 7 << 32 | 6, 9 << 32 | 8, 0, 0x1040, 1.5_f32.to_bits().into()]);
        assert_eq!(laid.starts, [0, 1, 5, 6, 7]);
        let first = laid.words.as_ptr() as usize;
        assert_eq!(laid.pointers().iter().map(|pointer| *pointer as usize - first).collect::<Vec<_>>(), [0, 8, 40, 48, 56]);
    }
}
