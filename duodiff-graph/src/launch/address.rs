//! Where arguments of kernels lie: a region whose address is known once memory is allocated, and an offset.

use super::{Element, Folded, Tensor};

/// A piece of device memory that is allocated as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Region {
    /// All values that operators write.
    Arena,
    /// A parameter in one element type.
    Param {
        /// Its key in the checkpoint.
        key: String,
        /// Its type on the device.
        element: Element,
    },
    /// A parameter of a product that a norm is folded into.
    Folded(Folded),
    /// What the network is fed, `[n, C, H, W]`.
    Image,
    /// The network's output, `[n, C, H, W]`.
    Output,
    /// The network's output for the null label.
    Unconditional,
    /// One label per image.
    Labels,
    /// Sinusoids, one per step, in one element type.
    Sinusoid(Element),
    /// A table that the prelude computes, one entry per step.
    Table(usize),
    /// The state, `[n, C, H, W]`.
    State,
    /// The saved state.
    Saved,
    /// Earlier converted outputs, as many buffers as the history is long.
    History,
    /// The solver's rows.
    Rows,
    /// Where the trajectory is.
    Step,
    /// Global indices of the images.
    Indices,
}

/// A place in device memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The piece.
    pub region: Region,
    /// Bytes from its start.
    pub offset: u64,
}

impl Address {
    /// The start of a region.
    pub fn of(region: Region) -> Self {
        Self { region, offset: 0 }
    }

    /// An address so many bytes on.
    pub fn plus(mut self, bytes: u64) -> Self {
        self.offset += bytes;
        self
    }
}

/// Rows of tokens, counted over the batch: row r starts `(r / rows) · image + (r % rows) · stride + entry · step` elements from the base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Row 0 of image 0; none where there is no such operand.
    pub base: Option<Address>,
    /// From one image to the next; 0 where all images share the rows.
    pub image: u64,
    /// From one row to the next; 0 where one row stands for all.
    pub stride: u32,
    /// Rows per image.
    pub rows: u32,
    /// Elements per row.
    pub columns: u32,
    /// From one step's entry to the next; 0 where the value is no table of steps.
    pub step: u32,
}

impl Window {
    /// No operand.
    pub const ABSENT: Self = Self { base: None, image: 0, stride: 0, rows: 0, columns: 0, step: 0 };
}

/// A value of any rank, read by strides: axes in logical order, outermost first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The value; none where there is no such operand.
    pub base: Option<Address>,
    /// Its type.
    pub element: Element,
    /// At most ten.
    pub axes: Vec<Axis>,
}

/// An axis of a [`View`]: index i stands for element `i + first` of the stored axis, and for 0 where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Elements from one index to the next.
    pub stride: u64,
    /// How many indices there are.
    pub length: u32,
    /// How many elements are stored.
    pub stored: u32,
    /// Element of index 0.
    pub first: i32,
}

/// An argument of a kernel, in the order of its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// A window, by value.
    Window(Window),
    /// A view, by value.
    View(View),
    /// A tensor, as a map of it, by value.
    Tensor(Tensor),
    /// A pointer; none is null.
    Pointer(Option<Address>),
    /// A whole number of 32 bits.
    U32(u32),
    /// A whole number of 64 bits.
    U64(u64),
    /// A float32.
    F32(f32),
}

impl Argument {
    /// The place that it names, if it names one.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Window(window) => window.base.as_ref(),
            Self::View(view) => view.base.as_ref(),
            Self::Tensor(tensor) => tensor.base.as_ref(),
            Self::Pointer(address) => address.as_ref(),
            Self::U32(_) | Self::U64(_) | Self::F32(_) => None,
        }
    }

    /// A pointer.
    pub fn pointer(address: Address) -> Self {
        Self::Pointer(Some(address))
    }

    /// The start of a region.
    pub fn region(region: Region) -> Self {
        Self::pointer(Address::of(region))
    }
}
