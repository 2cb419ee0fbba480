//! The CUDA C++ sources, as files that an editor understands.

/// A source file that others may include by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, without a folder.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(File { name: $name, text: include_str!(concat!("../../kernels/", $name)) }),*]
    };
}

/// Every file of `duodiff-graph/kernels`.
pub const KERNELS: &[File] = files![
    "activation.cuh",
    "attention.cu",
    "attention_mma.cu",
    "barrier.cuh",
    "chunk.cuh",
    "convolution.cuh",
    "epilogue.cuh",
    "exchange.cuh",
    "image.cu",
    "linear.cu",
    "linear_mma.cu",
    "linear_wgmma.cu",
    "noise.cuh",
    "norm.cuh",
    "primitive.cu",
    "primitive.cuh",
    "ptx.cuh",
    "slices.cuh",
    "softmax.cuh",
    "statistics.cuh",
    "tail.cu",
    "tensor.cuh",
    "tokens.cu",
    "types.cuh",
    "update.cuh",
    "warp.cuh",
    "wgmma.cuh",
];
