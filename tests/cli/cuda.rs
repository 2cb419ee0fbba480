//! `duodiff sample` and `doctor` with a GPU: kernels compiled for the emulator, on a driver in the place of NVIDIA's.

use std::fs;

use crate::session::{FakeNvcc, Session};
use crate::tensors;

/// Sessions with a compiler for the emulator and a GPU that runs what it compiles.
struct Machine {
    nvcc: FakeNvcc,
}

impl Machine {
    /// None, with a note, where there can be none.
    fn new() -> Option<Self> {
        let machine = Self { nvcc: FakeNvcc::emulator()? };
        Session::new().with_gpu()?;
        Some(machine)
    }

    fn session(&self) -> Session {
        // Kernels are kept from run to run: the compiler says what they are made of.
        let cache = concat!(env!("CARGO_TARGET_TMPDIR"), "/emulated");
        self.nvcc.session().with_gpu().expect("a driver").with("XDG_CACHE_HOME", cache)
    }

    /// A session with Mnist compiled for these targets.
    fn with_bundle(&self, targets: &str) -> Session {
        let session = self.session();
        session.run(&["compile", "Mnist", "--target", targets, "--precision", "f32", "--batch", "1,2", "-o", "x.duo"]).answer();
        session
    }
}

const QUICK: [&str; 7] = ["sample", "x.duo", "--count", "3", "--steps", "2", "-q"];

fn sample<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&QUICK, more].concat()
}

fn images(session: &Session, run: &str) -> Vec<Vec<u8>> {
    let folder = format!("{run}/images");
    session.names(&folder).iter().map(|name| fs::read(session.path(&folder).join(name)).unwrap()).collect()
}

/// The pixels of a PNG.
fn pixels(png: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels
}

#[test]
fn a_gpu_samples_what_the_cpu_does() {
    let Some(machine) = Machine::new() else { return };
    let session = machine.with_bundle("cpu,sm_90a");
    let told = session.run(&["sample", "x.duo", "--count", "3", "--steps", "2", "-v", "-o", "gpu"]);
    assert!(told.stderr.contains("cuda:0 H200, kernels for sm_90a in f32, batch 2"), "{told:?}");
    assert_eq!(told.answer(), "gpu\n");
    let log = session.gpu_log();
    assert_eq!(log.iter().filter(|line| *line == "sync").count(), 2 + 1, "one wait a batch, one before everything is given back");
    assert_eq!(log.iter().filter(|line| *line == "graph").count(), 4, "a graph a step");
    session.run(&sample(&["--device", "cpu", "-o", "cpu"])).answer();
    assert_eq!(session.gpu_log(), [""; 0], "the CPU needs no GPU");
    let (gpu, cpu) = (images(&session, "gpu"), images(&session, "cpu"));
    assert_eq!((gpu.len(), cpu.len()), (3, 3));
    for (gpu, cpu) in gpu.iter().zip(&cpu) {
        let off = pixels(gpu).iter().zip(pixels(cpu)).map(|(a, b)| a.abs_diff(b)).max();
        assert!(off.is_some_and(|off| off <= 1), "{off:?} of 255");
    }
    session.run(&sample(&["--device", "cuda:0", "--batch", "3", "-o", "other"])).answer();
    assert!(images(&session, "other") == gpu, "another batch changes no bit");
    let settings: toml::Table = fs::read_to_string(session.path("gpu/run.toml")).unwrap().parse().unwrap();
    assert_eq!((settings["target"].as_str(), settings["precision"].as_str()), (Some("sm_90a"), Some("f32")));
    let other = session.run(&sample(&["--device", "cpu", "-o", "gpu"]));
    assert!(other.code == Some(2) && other.stderr.contains("target is sm_90a there and cpu here"), "{other:?}");
}

#[test]
fn a_gpu_evaluates_what_the_cpu_does() {
    let Some(machine) = Machine::new() else { return };
    let session = machine.with_bundle("cpu,sm_90a");
    let case = format!("{}/../tests/data/mnist.cases.safetensors", env!("CARGO_MANIFEST_DIR"));
    let forward = |net: &'static str, device: &'static str, output: &'static str| {
        session.run(&["forward", "x.duo", "--net", net, "--input", &case, "--device", device, "--output", output, "-v"])
    };
    for net in ["shallow", "deep"] {
        let told = forward(net, "auto", "gpu");
        assert!(told.stderr.contains(&format!("Mnist {net}: batch 4, cuda:0 H200, kernels for sm_90a in f32")), "{told:?}");
        assert_eq!(told.answer(), "gpu\n");
        assert!(!session.gpu_log().is_empty());
        assert!(forward(net, "cpu", "cpu").answer() == "cpu\n" && session.gpu_log().is_empty());
        let [gpu, cpu] = ["gpu", "cpu"].map(|name| tensors::read(&session.path(name)).remove("eps").unwrap());
        let wanted = tensors::read(case.as_ref()).remove(&format!("f.{net}")).unwrap();
        assert!(gpu.0 == wanted.0 && cpu.0 == wanted.0, "{:?} {:?}", gpu.0, cpu.0);
        assert!(tensors::distance(&gpu.1, &wanted.1) <= 1e-4 && tensors::distance(&cpu.1, &wanted.1) <= 2e-5);
    }
    let failing = session.command(&["forward", "x.duo", "--net", "deep", "--input", &case, "--output", "lost"]);
    let failed = crate::session::Outcome::from({ failing }.env("FAKE_CUDA_FAIL", "+40").output().unwrap());
    assert!(failed.code == Some(7) && failed.stderr.contains("try: the same command again"), "{failed:?}");
    assert!(!session.names(".").contains(&"lost".to_owned()));
    session.refuses(&["forward", "Mnist", "--net", "deep", "--input", &case, "--output", "o", "--device", "cuda:0"], 4, "not for a GPU");
}

/// Both precisions against float64 and against the CPU, then with a mistake in a kernel.
#[test]
fn kernels_are_verified() {
    let Some(machine) = Machine::new() else { return };
    for precision in ["f32", "bf16"] {
        let session = machine.session();
        session.run(&["compile", "Mnist", "--target", "sm_90a", "--precision", precision, "--batch", "2", "-o", "x.duo"]).answer();
        for against in ["interpreter", "cpu"] {
            let text = session.run(&["verify", "x.duo", "--net", "shallow", "--batch", "2", "--against", against]).answer();
            let device = format!("Mnist shallow on cuda:0 H200, kernels for sm_90a in {precision}, batch 2, against {against}\n");
            assert!(text.starts_with(&device) && text.contains("operators and the output are within the bound"), "{text}");
        }
        let failed =
            session.command(&["verify", "x.duo"]).env("FAKE_CUDA_FAIL", "+60").output().map(crate::session::Outcome::from).unwrap();
        assert!(failed.code == Some(7) && failed.stderr.contains("the device failed"), "{failed:?}");
    }
}

#[test]
fn a_wrong_kernel_is_named() {
    // Attention that forgets its scale.
    let Some(nvcc) = FakeNvcc::spoiled("s/scores\\[row\\] \\* scale/scores[row]/") else { return };
    let Some(session) = nvcc.session().with_gpu() else { return };
    session.run(&["compile", "Mnist", "--target", "sm_90a", "--precision", "f32", "--batch", "1", "-o", "x.duo"]).answer();
    let failed = session.run(&["verify", "x.duo", "--net", "deep"]);
    assert_eq!(failed.code, Some(6), "{failed:?}");
    assert!(failed.stderr.contains("Mnist deep: attention after in_blocks.0.attn.qkv (body 6) is off by"), "{failed:?}");
    assert!(failed.stderr.contains("try: the same with --device cpu"), "{failed:?}");
    let wrong: Vec<_> = failed.stdout.lines().filter(|line| line.ends_with("  WRONG")).collect();
    assert!(wrong.len() == 9 && wrong.iter().all(|line| line.contains("  attention  ")), "{wrong:?}");
}

#[test]
fn after_a_device_failed_the_same_command_goes_on() {
    let Some(machine) = Machine::new() else { return };
    let session = machine.with_bundle("sm_90a");
    let command = |folder: &str| sample(&["--batch", "1", "-o", folder]).iter().map(ToString::to_string).collect::<Vec<_>>();
    let run = |folder: &str, fail: &str| {
        let command = command(folder);
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        crate::session::Outcome::from(session.command(&arguments).env("FAKE_CUDA_FAIL", fail).output().unwrap())
    };
    run("wanted", "").answer();
    let wanted = images(&session, "wanted");
    let mut kept = Vec::new();
    // From the first call to the last, then calls that give something back.
    for first in (1..).step_by(13) {
        let folder = format!("run-{first}");
        let failed = run(&folder, &format!("+{first}"));
        if failed.code == Some(0) {
            assert!(first > 100, "{first} calls");
            break;
        }
        assert_eq!(failed.code, Some(7), "call {first}: {failed:?}");
        assert!(failed.stderr.contains("the device failed: cu") && failed.stdout.is_empty(), "{failed:?}");
        if session.names(".").contains(&folder) {
            let there = images(&session, &folder);
            assert!(there.len() < 3 && there[..] == wanted[..there.len()], "call {first}");
            assert!(failed.stderr.contains("try: the same command again: it goes on from there"), "{failed:?}");
            kept.push(there.len());
        }
        run(&folder, "").answer();
        assert!(images(&session, &folder) == wanted, "call {first}");
    }
    assert!(kept.contains(&0) && kept.contains(&2), "{kept:?}");
}

#[test]
fn what_does_not_fit_is_refused_or_runs_on_the_cpu() {
    let Some(machine) = Machine::new() else { return };
    let [gpu, both] = ["sm_90a", "cpu,sm_90a"].map(|targets| machine.with_bundle(targets));
    let run = |session: &Session, machine: &str, more: &[&str]| {
        let arguments = [&["sample", "x.duo", "--count", "1", "--steps", "1", "-o", "run"], more].concat();
        crate::session::Outcome::from(session.command(&arguments).env("FAKE_CUDA_DEVICES", machine).output().unwrap())
    };
    for (machine, message) in [
        ("13000;A100,8.0,81920,108,166912", "A100 has compute capability 8.0, the kernels are for sm_90a"),
        ("12080;H100,9.0,81559,132,232448", "H100 has a driver for CUDA 12.8, the kernels need 13.0"),
        ("13000", "the NVIDIA driver finds no GPU"),
    ] {
        let refused = run(&gpu, machine, &[]);
        assert!(refused.code == Some(4) && refused.stderr.contains(message), "{refused:?}");
        assert!(refused.stderr.contains("x.duo is compiled for sm_90a: ") && refused.stdout.is_empty(), "{refused:?}");
        assert_eq!(gpu.names("."), ["x.duo"], "no trace");
        let asked = run(&both, machine, &["--device", "cuda:0"]);
        assert!(asked.code == Some(4) && asked.stderr.contains(message), "{asked:?}");
        let told = run(&both, machine, &[]);
        assert!(told.code == Some(0) && told.stderr.contains(&format!("on the CPU: {message}")), "{told:?}");
    }
    let refused = run(&gpu, "13000;H100,9.0,1,132,232448", &[]);
    assert!(refused.code == Some(5) && refused.stderr.contains("of memory on cuda:0, 1.0 MiB are free"), "{refused:?}");
    assert_eq!(gpu.names("."), ["x.duo"], "no trace");
    let large = gpu.run(&["sample", "x.duo", "--count", "70000", "--steps", "1", "--batch", "70000", "-o", "run"]);
    assert!(large.code == Some(2) && large.stderr.contains("take a smaller batch"), "{large:?}");
    assert_eq!(gpu.names("."), ["x.duo"], "no trace");
    let second = run(&gpu, "13000;A100,8.0,81920,108,166912;H100,9.0,81559,132,232448", &["-v"]);
    assert!(second.code == Some(0) && second.stderr.contains("cuda:1 H100"), "{second:?}");
}

#[test]
fn without_a_driver_nothing_panics() {
    let Some(machine) = Machine::new() else { return };
    let session = machine.with_bundle("sm_90a");
    let hidden = Session::new();
    fs::copy(session.path("x.duo"), hidden.path("x.duo")).unwrap();
    hidden.refuses(&["sample", "x.duo"], 4, "no NVIDIA driver was found (libcuda.so.1) -- install the NVIDIA driver 580 or newer");
    hidden.refuses(&["sample", "x.duo", "--device", "cuda:0"], 4, "no NVIDIA driver was found");
    hidden.refuses(&["sample", "--device", "cuda:0"], 4, "try: duodiff compile Mnist --target sm_90a -o x.duo");
    let told = hidden.run(&["doctor", "x.duo"]).answer();
    assert!(told.contains("Mnist, x.duo, for sm_90a, weights inside; no: x.duo is compiled for sm_90a: no NVIDIA driver"), "{told}");
}

#[test]
fn the_doctor_knows_every_gpu() {
    let Some(machine) = Machine::new() else { return };
    let session = machine.with_bundle("cpu,sm_90a").with("FAKE_CUDA_DEVICES", "13010;T4,7.5,15360,40,65536;H200,9.0,143771,132,232448");
    let text = session.run(&["doctor", "x.duo"]).answer();
    for wanted in [
        "cuda:0     T4, capability 7.5, 15.0 GiB, driver for CUDA 13.1; no: this version compiles nothing for it\n",
        "cuda:1     H200, capability 9.0, 140.4 GiB, driver for CUDA 13.1, runs sm_90, sm_90a\n",
        "pair       Mnist, built in, for cpu, weights inside, runs on cpu\n",
        "pair       Mnist, x.duo, for cpu, sm_90a, weights inside, runs on cuda:1\n",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    let json = session.run(&["doctor", "x.duo", "--json"]).json();
    let kinds: Vec<_> = json.iter().map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["cpu", "cuda", "cuda", "compiler", "cache", "pair", "pair"]);
    assert_eq!((&json[2]["gpu"]["name"], &json[2]["runs"]), (&"H200".into(), &serde_json::json!(["sm_90", "sm_90a"])));
    assert_eq!(json[6]["device"], "cuda:1");
}
