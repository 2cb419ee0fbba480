//! A built graph through luminal's own compiler for CUDA: another meaning of the same primitives, and a peer for benchmarks.

use std::path::Path;

use luminal_cuda::CudaCompiler;
use luminal_cudarc::driver::{CudaDevice, DriverError};

use super::Built;

/// What upstream's kernels include, in the one place where upstream looks.
const HEADER: &str = "/usr/local/cuda/include/cuda_fp16.h";

/// Why a graph cannot go to a GPU.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// No GPU, or none that the driver gives.
    #[error("luminal_cuda needs an NVIDIA GPU: {0:?}")]
    Device(DriverError),
    /// No headers.
    #[error("luminal_cuda needs {HEADER} -- link /usr/local/cuda to a CUDA toolkit")]
    Headers,
}

impl Built {
    /// Compiles the graph for the first GPU, in float32: [`Built::evaluate`] runs it there from now on. It can be raised no more.
    ///
    /// Upstream makes a kernel of each primitive, by NVRTC, and panics where one of its own calls of CUDA fails.
    pub fn compile_upstream(&mut self) -> Result<(), UpstreamError> {
        if !Path::new(HEADER).is_file() {
            return Err(UpstreamError::Headers);
        }
        CudaDevice::new(0).map_err(UpstreamError::Device)?;
        // What is not to be retrieved stays on the GPU.
        self.graph.retrieve_tensors(self.output.0);
        self.graph.compile(CudaCompiler::<f32>::default(), &mut self.output.0);
        Ok(())
    }

    /// Runs once more what [`Built::evaluate`] ran, on the same values: the graph copies them to the GPU every time.
    pub fn repeat(&mut self) {
        self.graph.drop_tensors(self.output.0);
        self.graph.execute();
    }
}
