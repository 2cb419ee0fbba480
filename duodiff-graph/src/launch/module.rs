//! The units in which kernels are compiled: a source file with definitions. Each becomes one cubin per kind of GPU.

use std::fmt::{self, Display, Formatter};

use super::Element;
use super::Element::{Bf16, F32};
use crate::program::Activation::{self, Gelu, GeluTanh, Silu};
use crate::target::Sm;

/// A unit of kernels. What a plan needs at any batch decides which: products on tensor cores, whose kernels take long to compile, have a
/// module for each function that is applied to their sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Module {
    /// Row by row: norms, softmax, pointwise functions, copies, patches.
    Tokens(Element),
    /// Products of any shape.
    Linear(Element),
    /// Attention of any shape.
    Attention(Element),
    /// Products on tensor cores, of bfloat16 ([`Element::Bf16`]) or of float32 rounded to tf32.
    LinearMma(Element, Option<Activation>),
    /// Products of bfloat16 on the tensor cores of [`Sm::Sm90a`].
    LinearWgmma(Option<Activation>),
    /// Attention on tensor cores, in bfloat16.
    AttentionMma,
    /// The end of a network, from the last norm to the solver's update.
    Tail(Element),
    /// Images: convolution, noise, guidance, the solver's update.
    Image,
    /// Operators that no recogniser claimed.
    Primitive,
}

/// Of every module: its name; its source, a file of `duodiff-graph/kernels`; what is defined while it is compiled.
type Row = (Module, &'static str, &'static str, &'static [&'static str]);

const BF16: &str = "DUODIFF_BF16";
const NONE: &str = "DUODIFF_ACTIVATION=none";
const GELU: &str = "DUODIFF_ACTIVATION=gelu";
const GELU_TANH: &str = "DUODIFF_ACTIVATION=gelu_tanh";
const SILU: &str = "DUODIFF_ACTIVATION=silu";

const MODULES: [Row; 23] = [
    (Module::Tokens(F32), "tokens_f32", "tokens.cu", &[]),
    (Module::Tokens(Bf16), "tokens_bf16", "tokens.cu", &[BF16]),
    (Module::Linear(F32), "linear_f32", "linear.cu", &[]),
    (Module::Linear(Bf16), "linear_bf16", "linear.cu", &[BF16]),
    (Module::Attention(F32), "attention_f32", "attention.cu", &[]),
    (Module::Attention(Bf16), "attention_bf16", "attention.cu", &[BF16]),
    (Module::LinearMma(F32, None), "linear_mma_tf32_none", "linear_mma.cu", &[NONE]),
    (Module::LinearMma(F32, Some(Gelu)), "linear_mma_tf32_gelu", "linear_mma.cu", &[GELU]),
    (Module::LinearMma(F32, Some(GeluTanh)), "linear_mma_tf32_gelu_tanh", "linear_mma.cu", &[GELU_TANH]),
    (Module::LinearMma(F32, Some(Silu)), "linear_mma_tf32_silu", "linear_mma.cu", &[SILU]),
    (Module::LinearMma(Bf16, None), "linear_mma_bf16_none", "linear_mma.cu", &[BF16, NONE]),
    (Module::LinearMma(Bf16, Some(Gelu)), "linear_mma_bf16_gelu", "linear_mma.cu", &[BF16, GELU]),
    (Module::LinearMma(Bf16, Some(GeluTanh)), "linear_mma_bf16_gelu_tanh", "linear_mma.cu", &[BF16, GELU_TANH]),
    (Module::LinearMma(Bf16, Some(Silu)), "linear_mma_bf16_silu", "linear_mma.cu", &[BF16, SILU]),
    (Module::LinearWgmma(None), "linear_wgmma_bf16_none", "linear_wgmma.cu", &[BF16, NONE]),
    (Module::LinearWgmma(Some(Gelu)), "linear_wgmma_bf16_gelu", "linear_wgmma.cu", &[BF16, GELU]),
    (Module::LinearWgmma(Some(GeluTanh)), "linear_wgmma_bf16_gelu_tanh", "linear_wgmma.cu", &[BF16, GELU_TANH]),
    (Module::LinearWgmma(Some(Silu)), "linear_wgmma_bf16_silu", "linear_wgmma.cu", &[BF16, SILU]),
    (Module::AttentionMma, "attention_mma_bf16", "attention_mma.cu", &[]),
    (Module::Tail(F32), "tail_f32", "tail.cu", &[]),
    (Module::Tail(Bf16), "tail_bf16", "tail.cu", &[BF16]),
    (Module::Image, "image", "image.cu", &[]),
    (Module::Primitive, "primitive", "primitive.cu", &[]),
];

impl Module {
    /// Every module.
    pub fn all() -> impl Iterator<Item = Self> {
        MODULES.into_iter().map(|(module, ..)| module)
    }

    /// The modules that a kind of GPU has the instructions for.
    pub fn all_for(target: Sm) -> impl Iterator<Item = Self> {
        Self::all().filter(move |module| !matches!(module, Self::LinearWgmma(_)) || target == Sm::Sm90a)
    }

    fn row(self) -> Row {
        MODULES.into_iter().find(|(module, ..)| *module == self).expect("invariant: every module has a row")
    }

    /// Its name, which is also that of its cubin.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The module of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|module| module.name() == name)
    }

    /// Its source, a file of `duodiff-graph/kernels`.
    pub fn source(self) -> &'static str {
        self.row().2
    }

    /// What is defined while it is compiled.
    pub fn defines(self) -> &'static [&'static str] {
        self.row().3
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

    use super::*;

    #[test]
    fn names_tell_modules_apart() {
        let names: BTreeSet<_> = Module::all().map(Module::name).collect();
        assert_eq!(names.len(), MODULES.len());
        assert!(Module::all().all(|module| Module::named(module.name()) == Some(module)));
        let units: BTreeSet<_> = Module::all().map(|module| (module.source(), module.defines())).collect();
        assert_eq!(units.len(), MODULES.len());
    }

    #[test]
    fn every_module_has_a_row() {
        for activation in [None, Some(Gelu), Some(GeluTanh), Some(Silu)] {
            let define = format!("DUODIFF_ACTIVATION={}", Activation::name_of(activation));
            let mut modules = vec![Module::LinearWgmma(activation)];
            for element in [F32, Bf16] {
                modules.push(Module::LinearMma(element, activation));
                let others = [Module::Tokens(element), Module::Linear(element), Module::Attention(element)];
                assert!(others.into_iter().all(|module| module.name().ends_with(&element.to_string())));
            }
            for module in modules {
                assert!(
                    module.name().ends_with(Activation::name_of(activation)) && module.defines().contains(&define.as_str()),
                    "{module}"
                );
            }
        }
    }
}
