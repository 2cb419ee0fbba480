//! The units in which kernels are compiled: a source file with definitions. Each becomes one cubin per kind of GPU.

use std::fmt::{self, Display, Formatter};

use super::Element;

/// A unit of kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Module {
    /// Row by row: norms, softmax, pointwise functions, copies, patches.
    Tokens(Element),
    /// Products of any shape.
    Linear(Element),
    /// Attention of any shape.
    Attention(Element),
    /// Products on tensor cores, of bfloat16 ([`Element::Bf16`]) or of float32 rounded to tf32.
    LinearMma(Element),
    /// Products of bfloat16 on the tensor cores of [`crate::target::Sm::Sm90a`].
    LinearWgmma,
    /// Attention on tensor cores, in bfloat16.
    AttentionMma,
    /// Images: convolution, noise, guidance, the solver's update.
    Image,
    /// Operators that no recogniser claimed.
    Primitive,
}

impl Module {
    /// Every module.
    pub const ALL: [Self; 12] = [
        Self::Tokens(Element::F32),
        Self::Tokens(Element::Bf16),
        Self::Linear(Element::F32),
        Self::Linear(Element::Bf16),
        Self::Attention(Element::F32),
        Self::Attention(Element::Bf16),
        Self::LinearMma(Element::F32),
        Self::LinearMma(Element::Bf16),
        Self::LinearWgmma,
        Self::AttentionMma,
        Self::Image,
        Self::Primitive,
    ];

    /// Its name, which is also that of its cubin.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tokens(Element::F32) => "tokens_f32",
            Self::Tokens(Element::Bf16) => "tokens_bf16",
            Self::Linear(Element::F32) => "linear_f32",
            Self::Linear(Element::Bf16) => "linear_bf16",
            Self::Attention(Element::F32) => "attention_f32",
            Self::Attention(Element::Bf16) => "attention_bf16",
            Self::LinearMma(Element::F32) => "linear_mma_tf32",
            Self::LinearMma(Element::Bf16) => "linear_mma_bf16",
            Self::LinearWgmma => "linear_wgmma_bf16",
            Self::AttentionMma => "attention_mma_bf16",
            Self::Image => "image",
            Self::Primitive => "primitive",
        }
    }

    /// The module of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|module| module.name() == name)
    }

    /// Its source, a file of `duodiff-graph/kernels`.
    pub fn source(self) -> &'static str {
        match self {
            Self::Tokens(_) => "tokens.cu",
            Self::Linear(_) => "linear.cu",
            Self::Attention(_) => "attention.cu",
            Self::LinearMma(_) => "linear_mma.cu",
            Self::LinearWgmma => "linear_wgmma.cu",
            Self::AttentionMma => "attention_mma.cu",
            Self::Image => "image.cu",
            Self::Primitive => "primitive.cu",
        }
    }

    /// What is defined while it is compiled.
    pub fn defines(self) -> &'static [&'static str] {
        match self {
            Self::Tokens(Element::Bf16) | Self::Linear(Element::Bf16) | Self::Attention(Element::Bf16) => &["DUODIFF_BF16"],
            Self::LinearMma(Element::Bf16) | Self::LinearWgmma => &["DUODIFF_BF16"],
            _ => &[],
        }
    }

    /// What the compiler is told besides: every rounding counts, so it may not fuse a product and a sum by itself.
    pub fn flags(self) -> &'static [&'static str] {
        &["-fmad=false"]
    }
}

impl Display for Module {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Module;

    #[test]
    fn names_tell_modules_apart() {
        let names: BTreeSet<_> = Module::ALL.iter().map(|module| module.name()).collect();
        assert_eq!(names.len(), Module::ALL.len());
        assert!(Module::ALL.into_iter().all(|module| Module::named(module.name()) == Some(module)));
        let units: BTreeSet<_> = Module::ALL.iter().map(|module| (module.source(), module.defines())).collect();
        assert_eq!(units.len(), Module::ALL.len());
    }
}
