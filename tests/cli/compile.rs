//! `duodiff compile`: bundles that are equal byte by byte, the cache, the compiler's failures, executables.

use std::fs;

use crate::session::Session;

/// Compiles Mnist with made-up weights.
fn compile<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["compile", "Mnist", "--weights", "random:1", "--precision", "f32"], more].concat()
}

fn bytes(session: &Session, name: &str) -> Vec<u8> {
    fs::read(session.path(name)).unwrap()
}

#[test]
fn a_bundle_for_the_cpu_is_reproducible_and_samples_like_the_pair() {
    let [session, other] = [Session::new(), Session::new()];
    let outcome = session.run(&compile(&["-o", "x.duo"]));
    assert!(outcome.stderr.contains("Mnist for cpu") && outcome.stderr.contains("weights inside"), "{outcome:?}");
    assert_eq!(outcome.answer(), "x.duo\n");
    other.run(&compile(&["--target", "cpu", "--threads", "1", "-q", "-o", "y.duo"])).answer();
    assert!(bytes(&session, "x.duo") == bytes(&other, "y.duo"));
    assert_eq!(session.names("."), ["x.duo"]);
    for (source, folder) in [(&["x.duo"][..], "a"), (&["Mnist", "--weights", "random:1"], "b")] {
        session.run(&[&["sample", "--count", "1", "--steps", "1", "-o", folder], source].concat()).answer();
    }
    assert!(bytes(&session, "a/images/000000.png") == bytes(&session, "b/images/000000.png"));
    let text = session.run(&["inspect", "x.duo"]).answer();
    assert!(text.starts_with("x.duo: bundle for cpu, weights inside\n"), "{text}");
}

#[test]
fn the_embedded_weights_and_no_weights() {
    let session = Session::new();
    session.run(&["compile", "Mnist", "-o", "full.duo"]).answer();
    let done = session.run(&["compile", "Mnist", "--without-weights", "--emit", "plan", "--json", "-o", "bare.duo"]).json();
    assert_eq!((&done[0]["kind"], &done[0]["output"]), (&"bundle".into(), &"bare.duo".into()));
    assert_eq!((&done[0]["weights"], &done[0]["emitted"]), (&"elsewhere".into(), &"bare.emit".into()));
    let plan = session.run(&["inspect", "Mnist", "--stage", "plan"]).answer();
    assert_eq!(fs::read_to_string(session.path("bare.emit/plan.txt")).unwrap(), plan);
    assert!(bytes(&session, "bare.duo").len() * 10 < bytes(&session, "full.duo").len());
    session.refuses(&["sample", "bare.duo"], 2, "--weights");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let session = Session::new();
    for (more, message) in [
        (&["-o", "x.duo", "--target", "sm90a"][..], "did you mean `sm_90a`?"),
        (&["-o", "x.duo", "--target", "vulkan"], "use `cpu` or `sm_80`"),
        (&["-o", "x.duo", "--batch", "0"], "--batch"),
        (&["-o", "x.duo", "--batch", "5000"], "--batch"),
        (&["-o", "x.duo", "--emit", "ptx"], "--target sm_90a"),
        (&["-o", "."], "-o x.duo"),
        (&[], "--output"),
    ] {
        session.refuses(&compile(more), 2, message);
    }
    session.refuses(&["compile", "Mnist", "-o", "x.duo", "--precision", "fp16"], 2, "did you mean `bf16`?");
    session.refuses(&["compile", "Mnst", "-o", "x.duo"], 2, "`Mnist`");
    session.refuses(&["compile", "Cifar10", "-o", "x.duo"], 2, "--weights shallow.safetensors,deep.safetensors");
    session.refuses(&compile(&["-o", "no/x.duo"]), 74, "no");
}

#[test]
fn without_a_compiler_the_way_to_one_is_shown() {
    let session = Session::new().with("PATH", "");
    session.refuses(&compile(&["--target", "sm_90a", "-o", "x.duo"]), 1, "no CUDA compiler");
    session.refuses(&compile(&["--target", "sm_90a", "-o", "x.duo"]), 1, "try: pip install \"nvidia-cuda-nvcc==13.0.*\"");
    session.refuses(&compile(&["--target", "sm_90a", "-o", "x.duo"]), 1, "CUDA_HOME (not set), CUDA_PATH (not set), PATH (no nvcc)");
}

#[cfg(unix)]
mod fake {
    //! With a script in the place of nvcc.

    use std::process::Stdio;

    use super::*;
    use crate::session::FakeNvcc;

    const GPU: [&str; 4] = ["--target", "sm_90a,cpu", "-o", "x.duo"];

    #[test]
    fn nothing_is_compiled_twice_and_nothing_changes_a_byte() {
        let nvcc = FakeNvcc::new();
        let session = nvcc.session();
        let outcome = session.run(&compile(&[&GPU[..], &["--threads", "2"]].concat()));
        let count = nvcc.calls();
        assert!((4..=24).contains(&count), "{count} cubins");
        assert!(outcome.stderr.contains(&format!("[{count}/{count}] ")), "{outcome:?}");
        assert!(outcome.stderr.contains("] image for sm_90a: 0.") && outcome.stderr.contains("Mnist for cpu, sm_90a"), "{outcome:?}");
        assert_eq!(outcome.answer(), "x.duo\n");
        let first = bytes(&session, "x.duo");
        let again = session.run(&compile(&GPU));
        assert_eq!(again.stderr.matches("from the cache").count(), count, "{again:?}");
        assert_eq!(nvcc.calls(), count);
        assert!(bytes(&session, "x.duo") == first);
        let other = nvcc.session();
        for threads in ["1", "3"] {
            other.run(&compile(&[&GPU[..], &["--no-cache", "-q", "--threads", threads]].concat())).answer();
            assert!(bytes(&other, "x.duo") == first, "{threads} threads");
        }
        assert_eq!(nvcc.calls(), 3 * count);
    }

    #[test]
    fn a_damaged_cache_is_compiled_again() {
        let nvcc = FakeNvcc::new();
        let session = nvcc.session();
        session.run(&compile(&GPU)).answer();
        let (first, count) = (bytes(&session, "x.duo"), nvcc.calls());
        for name in nvcc.cached() {
            let mut entry = fs::read(&name).unwrap();
            entry[40] ^= 1;
            fs::write(name, entry).unwrap();
        }
        session.run(&compile(&GPU)).answer();
        assert_eq!(nvcc.calls(), 2 * count);
        assert!(bytes(&session, "x.duo") == first);
    }

    #[test]
    fn two_processes_share_a_cache() {
        let nvcc = FakeNvcc::new();
        let sessions = [nvcc.session(), nvcc.session()];
        let running =
            sessions.each_ref().map(|session| session.command(&compile(&GPU)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        running.into_iter().for_each(|mut process| assert!(process.wait().unwrap().success()));
        assert!(bytes(&sessions[0], "x.duo") == bytes(&sessions[1], "x.duo"));
        assert_eq!(nvcc.cached().iter().filter(|name| name.extension().is_none()).count(), 0, "no temporary files");
    }

    #[test]
    fn what_the_compiler_says_is_shown_cut() {
        let nvcc = FakeNvcc::new();
        let session = nvcc.session().with("FAKE_NVCC", "wrong");
        let outcome = session.run(&compile(&GPU));
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(
            outcome.stderr.contains("for sm_90a: the compiler failed\n") && outcome.stderr.contains(".cu(29): error: no\n… 20 more lines")
        );
        assert_eq!(session.names("."), [""; 0]);
        let session = nvcc.session().with("FAKE_NVCC", "other");
        session.refuses(&compile(&GPU), 1, "wrote 3 bytes that are no ELF file");
        nvcc.session().refuses(&compile(&["--target", "sm_100", "-o", "x.duo"]), 1, "does not compile for sm_100");
        assert_eq!(nvcc.cached().len(), 0);
    }

    #[test]
    fn forms_lie_beside_the_output() {
        let nvcc = FakeNvcc::new();
        let session = nvcc.session();
        let outcome = session.run(&compile(&[&GPU[..], &["--emit", "cuda,ptx"]].concat()));
        assert!(outcome.stderr.contains("\nimage for sm_90a: ptx\n"), "{outcome:?}");
        outcome.answer();
        let names = session.names("x.emit");
        assert!(names.contains(&"image.cu".into()) && names.contains(&"image.sm_90a.ptx".into()), "{names:?}");
        assert_eq!(names.len(), 2 * nvcc.cached().len());
        let source = fs::read_to_string(session.path("x.emit/image.cu")).unwrap();
        assert!(source.starts_with("// image: made of image.cu by duodiff.\n") && source.contains("philox"), "{source}");
        let calls = nvcc.calls();
        let outcome = session.run(&compile(&[&GPU[..], &["--emit", "sass", "--no-cache"]].concat()));
        assert_eq!(outcome.code, Some(1));
        assert!(outcome.stderr.contains("no nvdisasm") && outcome.stderr.contains("nvidia-cuda-nvdisasm"), "{outcome:?}");
        assert_eq!(nvcc.calls(), calls, "said before anything is compiled");
    }

    #[test]
    fn a_bundle_tells_its_kernels_and_machines() {
        let nvcc = FakeNvcc::new();
        let session = nvcc.session();
        session.run(&compile(&["--target", "sm_90a,sm_80", "--batch", "8,1,8", "-o", "gpu.duo"])).answer();
        let text = session.run(&["inspect", "gpu.duo"]).answer();
        assert!(text.starts_with("gpu.duo: bundle for sm_80, sm_90a, weights inside\n"), "{text}");
        assert!(text.contains("memory of a GPU for 1000 steps: ") && text.contains(" MiB at batch 8\n"), "{text}");
        assert!(text.contains("kernels in f32, batches 1, 8\n") && text.contains("\nsm_80   image "), "{text}");
        let json = session.run(&["inspect", "gpu.duo", "--json"]).json();
        assert_eq!(json[0]["cuda"]["batches"], serde_json::json!([1, 8]));
        let bytes = json[0]["cuda"]["memory"]["bytes"].as_array().unwrap().iter().map(|bytes| bytes.as_u64().unwrap());
        assert!(bytes.is_sorted_by(|one, eight| one < eight));
        assert_eq!(json[0]["cuda"]["cubins"].as_array().unwrap().len(), nvcc.calls());
        session.refuses(&["sample", "gpu.duo", "--device", "cpu"], 4, "sm_90a");
    }
}

/// Three compilations by nvcc itself, in three folders, with different threads.
#[test]
fn cubins_of_nvcc_are_reproducible() {
    let Some(home) = std::env::var_os("CUDA_HOME") else {
        assert!(std::env::var_os("DUODIFF_REQUIRE_CUDA").is_none(), "needs a CUDA toolkit in CUDA_HOME");
        println!("skipped: needs a CUDA toolkit in CUDA_HOME");
        return;
    };
    let made = ["1", "2", "2"].map(|threads| {
        let session = Session::new().with("CUDA_HOME", &home);
        session.run(&compile(&["--target", "sm_90a", "--no-cache", "--threads", threads, "-o", "x.duo"])).answer();
        bytes(&session, "x.duo")
    });
    assert!(made[0] == made[1] && made[1] == made[2]);
}

#[cfg(target_os = "linux")]
mod standalone {
    //! Executables with a bundle inside. Copies are made by other processes: one that this process had open for writing while
    //! another test started a process could not be executed.

    use super::*;

    #[test]
    fn an_executable_samples_its_own_pair() {
        let session = Session::new();
        assert_eq!(session.run(&compile(&["--standalone", "-o", "x"])).answer(), "x\n");
        session.shell("./x sample --count 1 --steps 1 -o a").answer();
        session.run(&["sample", "Mnist", "--weights", "random:1", "--count", "1", "--steps", "1", "-o", "b"]).answer();
        assert!(bytes(&session, "a/images/000000.png") == bytes(&session, "b/images/000000.png"));
        let told = session.shell("./x doctor").answer();
        assert!(told.contains("Mnist, standalone, for cpu, weights inside"), "{told}");
        session.shell("./x compile Mnist --weights random:1 --standalone -o y").answer();
        assert!(bytes(&session, "x") == bytes(&session, "y"), "the old bundle is replaced");
        assert!(session.shell("./x sample Cifar10").stderr.contains("Cifar10 comes without weights"));
    }

    #[test]
    fn a_damaged_executable_is_refused() {
        let session = Session::new();
        session.run(&compile(&["--standalone", "-o", "x"])).answer();
        let copy = "cp x y && printf X | dd of=y bs=1 conv=notrunc seek=$(($(wc -c <x) - 100000)) 2>/dev/null && ./y sample";
        let damaged = session.shell(copy);
        assert_eq!(damaged.code, Some(3), "{damaged:?}");
        assert!(damaged.stderr.contains("the bundle in this executable is damaged"), "{damaged:?}");
        let cut = session.shell("head -c $(($(wc -c <x) - 1)) x >z && chmod +x z && ./z sample");
        assert_eq!(cut.code, Some(3), "{cut:?}");
        assert!(cut.stderr.contains("the bundle in this executable is cut"), "{cut:?}");
        assert_eq!(session.names("."), ["x", "y", "z"]);
        assert_eq!(session.shell("./z pairs").code, Some(0), "other commands do not need it");
    }
}
