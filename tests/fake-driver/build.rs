//! Names the library as programs ask for NVIDIA's: once it is loaded from anywhere, a process that asks for that name gets this one.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libcuda.so.1");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
