//! Which compiler is found, and what is said where there is none.

use std::path::PathBuf;

use super::fake::Fake;
use crate::emit::{Search, Toolchain};
use crate::target::Sm;

#[test]
fn without_a_compiler_every_place_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let search = Search { cuda_home: Some(empty.path().into()), path: Some(empty.path().into()), ..Search::default() };
    let message = Toolchain::find(&search).unwrap_err().to_string();
    let home = format!("CUDA_HOME ({}: no bin/nvcc, no NVRTC)", empty.path().display());
    for place in [&home, "CUDA_PATH (not set)", "PATH (no nvcc)", "VIRTUAL_ENV (not set)", "python3 (not on PATH)"] {
        assert!(message.contains(place), "no {place} in {message}");
    }
}

#[test]
fn variables_come_before_the_path_and_python() {
    let [home, path, environment] = [Fake::new(), Fake::new(), Fake::new()];
    let package = environment.root().join("lib/python3.12/site-packages/nvidia");
    std::fs::create_dir_all(&package).unwrap();
    std::os::unix::fs::symlink(environment.root(), package.join("cu13")).unwrap();
    let mut search = Search { cuda_home: Some(home.root().into()), virtual_env: Some(environment.root().into()), ..path.search() };
    let found = |search: &Search| Toolchain::find(search).map(|found| (found.from, found.compiler.path().to_path_buf())).unwrap();
    assert_eq!(found(&search), ("CUDA_HOME", home.bin().join("nvcc")));
    search.cuda_path = search.cuda_home.take();
    assert_eq!(found(&search), ("CUDA_PATH", home.bin().join("nvcc")));
    search.cuda_path = Some(PathBuf::from("/nowhere"));
    assert_eq!(found(&search), ("PATH", path.bin().join("nvcc")), "a wrong variable does not hide the rest");
    search.path = None;
    search.host_compiler = Some(PathBuf::from("cc"));
    assert_eq!(found(&search), ("VIRTUAL_ENV", package.join("cu13/bin/nvcc")));
}

#[test]
fn nvcc_needs_a_host_compiler() {
    let fake = Fake::new();
    std::fs::remove_file(fake.bin().join("gcc")).unwrap();
    let message = Toolchain::find(&fake.search()).unwrap_err().to_string();
    assert!(message.contains("nvcc, but no gcc on PATH for it"), "{message}");
    let told = Search { host_compiler: Some("clang".into()), ..fake.search() };
    assert!(Toolchain::find(&told).is_ok());
}

#[test]
fn a_compiler_says_what_it_is() {
    let compiler = Fake::new().toolchain().compiler;
    assert_eq!(compiler.name(), "nvcc 13.0.99");
    assert_eq!(compiler.known(), [Sm::Sm80, Sm::Sm90, Sm::Sm90a]);
}
