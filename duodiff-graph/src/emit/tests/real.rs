//! nvcc and NVRTC themselves, where `CUDA_HOME` has them.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::emit::{Compiler, Job, Nvcc, Nvrtc, Options, Unit, cubins};
use crate::launch::Module;
use crate::target::Sm;

/// A kernel whose machine code is easy to recognise.
const TEXT: &str = "\
#include <cuda_bf16.h>
static __device__ __noinline__ float square(float x) { return x * x; }
extern \"C\" __global__ void __launch_bounds__(128) squares(const float *x, __nv_bfloat16 *y, unsigned n) {
    unsigned i = blockIdx.x * 128 + threadIdx.x;
    if (i < n) y[i] = __float2bfloat16(square(x[i]));
}
";

fn unit(text: &str) -> Unit {
    Unit { module: Module::Image, text: text.to_owned(), flags: vec!["-fmad=false".to_owned()] }
}

/// The toolkit that the tests may use.
fn toolkit() -> Option<PathBuf> {
    let home = std::env::var_os("CUDA_HOME").map(PathBuf::from).filter(|home| home.is_dir());
    if home.is_none() {
        assert!(std::env::var_os("DUODIFF_REQUIRE_CUDA").is_none(), "needs a CUDA toolkit in CUDA_HOME");
        println!("skipped: needs a CUDA toolkit in CUDA_HOME");
    }
    home
}

fn compilers(home: &Path) -> Vec<Compiler> {
    let nvcc = Nvcc::probe(&home.join("bin/nvcc")).map(Compiler::Nvcc);
    let nvrtc = Nvrtc::locate(home).ok_or("none".to_owned()).and_then(|path| Nvrtc::probe(&path, home)).map(Compiler::Nvrtc);
    vec![nvcc.unwrap(), nvrtc.unwrap()]
}

#[test]
fn both_compile_alike_every_time() {
    let Some(home) = toolkit() else { return };
    for compiler in compilers(&home) {
        let make = |threads| {
            let options = Options { threads, cache: None };
            let unit = unit(TEXT);
            let jobs = [Sm::Sm80, Sm::Sm80, Sm::Sm90a].map(|target| Job { unit: &unit, target });
            cubins(&compiler, &jobs, &options, &|_| ControlFlow::Continue(())).unwrap()
        };
        let made = make(1);
        assert!(made == make(2), "{}", compiler.name());
        assert!(made[0] == made[1] && made[0].bytes != made[2].bytes);
        for cubin in &made {
            // ELF for CUDA, and the kernel by its name.
            assert_eq!(cubin.bytes[18..20], [190, 0]);
            assert!(cubin.bytes.windows(7).any(|name| name == b"squares"));
        }
        let ptx = String::from_utf8(compiler.ptx(&unit(TEXT), Sm::Sm90a).unwrap()).unwrap();
        assert!(ptx.contains(".target sm_90a") && ptx.contains(".entry squares") && !ptx.contains('\0'), "{ptx}");
    }
}

#[test]
fn both_say_where_a_source_is_wrong() {
    let Some(home) = toolkit() else { return };
    for compiler in compilers(&home) {
        let message = compiler.cubin(&unit("#line 7 \"tokens.cuh\"\nint x = nothing;\n"), Sm::Sm80).unwrap_err().to_string();
        assert!(message.contains("tokens.cuh(7)") && message.contains("\"nothing\" is undefined"), "{message}");
    }
}
