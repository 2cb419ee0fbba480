//! Launches as text, for people and for goldens: a line per launch.

use std::fmt::{self, Display, Formatter};

use super::{Address, Argument, Folded, FoldedPart, Launch, Region, View, Window};

impl Display for Launch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.grid;
        write!(f, "{}<<<{x}", self.kernel)?;
        match (y, z) {
            (1, 1) => {}
            (_, 1) => write!(f, "x{y}")?,
            _ => write!(f, "x{y}x{z}")?,
        }
        write!(f, ", {}", self.block)?;
        if self.shared > 0 {
            write!(f, ", {}", self.shared)?;
        }
        f.write_str(">>>(")?;
        for (index, argument) in self.arguments.iter().enumerate() {
            write!(f, "{}{argument}", if index == 0 { "" } else { ", " })?;
        }
        f.write_str(")")
    }
}

impl Display for Argument {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window(window) => write!(f, "{window}"),
            Self::View(view) => write!(f, "{view}"),
            Self::Tensor(tensor) => write!(f, "{tensor}"),
            Self::Pointer(Some(address)) => write!(f, "{address}"),
            Self::Pointer(None) => f.write_str("null"),
            Self::U32(number) => write!(f, "{number}"),
            Self::U64(number) => write!(f, "{number}"),
            Self::F32(number) => write!(f, "{number:?}"),
        }
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (&self.region, self.offset) {
            (Region::Arena, offset) => write!(f, "@{offset}"),
            (region, 0) => write!(f, "{region}"),
            (region, offset) => write!(f, "{region}+{offset}"),
        }
    }
}

impl Display for Region {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arena => f.write_str("arena"),
            Self::Param { key, element } => write!(f, "{key:?}:{element}"),
            Self::Folded(folded) => write!(f, "{folded}"),
            Self::Image => f.write_str("image"),
            Self::Output => f.write_str("output"),
            Self::Unconditional => f.write_str("unconditional"),
            Self::Labels => f.write_str("labels"),
            Self::Sinusoid(element) => write!(f, "sinusoid:{element}"),
            Self::Table(index) => write!(f, "table{index}"),
            Self::State => f.write_str("state"),
            Self::Saved => f.write_str("saved"),
            Self::History => f.write_str("history"),
            Self::Rows => f.write_str("rows"),
            Self::Step => f.write_str("step"),
            Self::Indices => f.write_str("indices"),
        }
    }
}

/// `folded "attn.qkv.weight":bias`: a parameter of the product with this weight.
impl Display for Folded {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            FoldedPart::Weight => "weight",
            FoldedPart::Bias => "bias",
            FoldedPart::Sums => "sums",
        };
        write!(f, "folded {:?}:{part}", self.weight)
    }
}

/// `@256[50 x 128]`: rows per image and columns; then what does not follow from them: elements from row to row, from image to image,
/// from step to step.
impl Display for Window {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(base) = &self.base else { return f.write_str("-") };
        write!(f, "{base}[{} x {}", self.rows, self.columns)?;
        if self.stride != self.columns {
            write!(f, " stride {}", self.stride)?;
        }
        if self.image != u64::from(self.stride) * u64::from(self.rows) {
            write!(f, " image {}", self.image)?;
        }
        if self.step != 0 {
            write!(f, " step {}", self.step)?;
        }
        f.write_str("]")
    }
}

/// `@256:f32[3*50, 50*1]`: length and stride of each axis; `from` and `of` where it is not the whole stored one.
impl Display for View {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(base) = &self.base else { return f.write_str("-") };
        write!(f, "{base}:{}[", self.element)?;
        for (index, axis) in self.axes.iter().enumerate() {
            write!(f, "{}{}*{}", if index == 0 { "" } else { ", " }, axis.length, axis.stride)?;
            if (axis.first, axis.stored) != (0, axis.length) {
                write!(f, " from {} of {}", axis.first, axis.stored)?;
            }
        }
        f.write_str("]")
    }
}
