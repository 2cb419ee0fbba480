//! What the emulator must notice: faults that a GPU would hang on, or hide.

use std::env;
use std::process::Command;

use half::bf16;

use super::buffer::Buffer;
use super::object::{Object, arguments, is_sanitized};
use super::tensor::map;
use super::window::Window;

/// Runs a kernel of tests/emulator/faults.cu with 64 threads and 1024 bytes of shared memory.
fn run(name: &str) -> Result<Vec<f64>, String> {
    run_as(name, 64, 1024)
}

fn run_as(name: &str, threads: u32, shared: usize) -> Result<Vec<f64>, String> {
    let out = Buffer::from(&[0.5_f32; 64]);
    let object = Object::of("faults.cu", &[]).unwrap();
    object.launch(name, [1, 1, 1], threads, shared, arguments![out.pointer()])?;
    Ok(out.elements().iter().map(|x| f64::from(*x)).collect())
}

/// Whether the tests run here at all.
fn is_possible() -> bool {
    if super::gpu::is_asked_for() {
        println!("skipped: for the emulator");
    }
    !super::gpu::is_asked_for() && super::object::compiler_or_note().is_some()
}

#[track_caller]
fn assert_fails(name: &str, message: &str) {
    let error = run(name).unwrap_err();
    assert!(error.contains(message), "{error}");
}

#[test]
fn threads_that_wait_for_ever() {
    if is_possible() {
        assert_fails("barrier_left_out", "32 threads wait at a barrier");
        assert_fails("barriers_apart", "while others wait at");
        assert_fails("lane_left_out", "31 in a warp");
        assert_fails("phase_unended", "64 for a phase");
    }
}

#[test]
fn copies_that_go_wrong() {
    if is_possible() {
        assert_fails("copy_unaligned", "at shared address 8 of 1024 bytes");
        assert_fails("copy_outside", "at shared address 1024 of 1024 bytes");
        assert!(run("copy_unawaited").unwrap().iter().all(|x| x.is_nan()));
    }
}

#[test]
fn shared_memory_that_nobody_wrote() {
    if is_possible() {
        assert!(run("shared_unwritten").unwrap().iter().all(|x| x.is_nan()));
        assert!(run("shared_unordered").unwrap().iter().any(|x| x.is_nan()));
    }
}

#[test]
fn products_that_go_wrong() {
    if is_possible() {
        let product = |name: &str| run_as(name, 128, 16384);
        // Pairs of bfloat16 0 and 0.5.
        assert_eq!(product("product_as_it_should_be").unwrap(), [8.0 * 0.25; 64]);
        assert!(product("product_without_fence").unwrap_err().contains("no fence is behind"));
        assert!(product("product_overwritten").unwrap().iter().all(|x| x.is_nan()));
        assert_eq!(product("product_unawaited").unwrap(), [0.0; 64]);
    }
}

#[test]
fn copies_of_tensors_that_go_wrong() {
    if !is_possible() {
        return;
    }
    let row = Buffer::from(&[bf16::from_f32(0.5); 64]);
    let window = Window { base: row.pointer().cast(), image: 64, stride: 64, rows: 1, columns: 64, step: 0 };
    let (tensor, _) = map(window, 1, 64);
    let run = |name: &str| {
        let out = Buffer::<f32>::poisoned(64);
        let object = Object::of("faults.cu", &[]).unwrap();
        object.launch(name, [1, 1, 1], 128, 8200, arguments![tensor, out.pointer()])?;
        Ok::<_, String>((out.elements()[0], out.elements()[1..].iter().all(|x| *x == 0.0)))
    };
    // The other rows are zeros.
    assert_eq!(run("tensor_as_it_should_be"), Ok((4.0, true)));
    for (name, message) in [
        ("tensor_unfenced", "without a fence behind"),
        ("tensor_unawaited", "which a copy is under way to"),
        ("tensor_short", "for a phase"),
        ("tensor_left_behind", "nobody has awaited a copy"),
    ] {
        let error = run(name).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn launches_that_no_device_takes() {
    if is_possible() {
        let object = Object::of("faults.cu", &[]).unwrap();
        let out = Buffer::<f32>::poisoned(64);
        for (grid, block, shared) in [([1, 1, 1], 32, 0), ([0, 1, 1], 64, 0), ([1, 1 << 16, 1], 64, 0), ([1, 1, 1], 64, 232_449)] {
            assert!(object.launch("shared_unwritten", grid, block, shared, arguments![out.pointer()]).is_err());
        }
    }
}

/// A sanitized process runs one kernel and must end with the sanitizer's report: this test starts it, and is it.
#[test]
fn writes_outside_shared_memory_end_a_sanitized_run() {
    const NAME: &str = "faults::writes_outside_shared_memory_end_a_sanitized_run";
    if env::var_os("DUODIFF_TEST_FAULT").is_some() {
        run("write_outside").unwrap();
        return;
    }
    if !is_possible() {
        return;
    }
    let library = Command::new(super::object::compiler().unwrap()).arg("-print-file-name=libasan.so").output().unwrap();
    let library = String::from_utf8(library.stdout).unwrap().trim().to_owned();
    if is_sanitized() || !library.starts_with('/') {
        println!("skipped: no libasan.so to run under, or under it already");
        return;
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", NAME, "--nocapture"]).env("DUODIFF_TEST_FAULT", "1").env("DUODIFF_TEST_SANITIZED", "1");
    let output = command.env("LD_PRELOAD", library).env("ASAN_OPTIONS", "detect_leaks=0").output().unwrap();
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && report.contains("heap-buffer-overflow"), "{report}");
}
