//! `duodiff sample`: the run's folder, continuing, refusing, interruption, write errors, the two streams.

use std::collections::BTreeMap;
use std::fs;

use crate::session::Session;

/// A run of three images in a moment.
const QUICK: [&str; 7] = ["sample", "--count", "3", "--steps", "2", "-o", "run"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&QUICK, more].concat()
}

/// Names and bytes of the images of a run.
fn images(session: &Session, run: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = format!("{run}/images");
    session.names(&folder).into_iter().map(|name| (name.clone(), fs::read(session.path(&folder).join(name)).unwrap())).collect()
}

#[test]
fn a_run_leaves_images_manifest_settings_and_grid() {
    let session = Session::new();
    let outcome = session.run(&QUICK);
    assert!(outcome.stderr.contains("3 images in"), "{outcome:?}");
    assert_eq!(outcome.answer(), "run\n", "the answer is the folder");
    assert_eq!(session.names("run"), [".lock", "grid.png", "images", "manifest.jsonl", "run.toml"]);
    assert_eq!(session.names("run/images"), ["000000.png", "000001.png", "000002.png"]);
    let manifest = fs::read_to_string(session.path("run/manifest.jsonl")).unwrap();
    assert_eq!(manifest.lines().next().unwrap(), r#"{"schema":1,"index":0,"file":"images/000000.png","class":null}"#);
    assert_eq!(manifest.lines().count(), 3);
    let settings: toml::Table = fs::read_to_string(session.path("run/run.toml")).unwrap().parse().unwrap();
    for (field, value) in [("pair", "\"Mnist\""), ("seed", "0"), ("solver", "\"ddim\""), ("steps", "2"), ("count", "3")] {
        assert_eq!(settings[field].to_string(), value, "{field}");
    }
    assert_eq!(settings["weights"].as_table().unwrap().len(), 2);
}

#[test]
fn quiet_is_quiet_and_json_is_json() {
    let session = Session::new();
    let outcome = session.run(&with(&["-q", "--json"]));
    assert_eq!(outcome.stderr, "");
    let lines = outcome.json();
    assert_eq!(lines.len(), 4);
    assert_eq!((&lines[2]["kind"], &lines[2]["index"]), (&"image".into(), &2.into()));
    assert_eq!(lines[2]["path"], "run/images/000002.png");
    let summary = &lines[3];
    assert_eq!((&summary["kind"], &summary["images"], &summary["made"]), (&"run".into(), &3.into(), &3.into()));
    assert_eq!((&summary["folder"], &summary["grid"]), (&"run".into(), &"run/grid.png".into()));
}

#[test]
fn no_colour_where_there_is_no_terminal() {
    let session = Session::new();
    for arguments in [&with(&["-v"])[..], &["sample", "nonsense"], &["--help"]] {
        let outcome = session.run(arguments);
        assert!(!outcome.stdout.contains('\u{1b}') && !outcome.stderr.contains('\u{1b}'), "{outcome:?}");
    }
}

#[test]
fn without_a_folder_other_settings_get_another_one() {
    let session = Session::new();
    let quick = |more: &[&str]| session.run(&[&["sample", "--count", "1", "--steps", "1"], more].concat()).answer();
    assert_eq!(quick(&[]), "out/mnist-seed0\n");
    assert_eq!(quick(&["--quantize", "round"]), "out/mnist-seed0-2\n");
    assert_eq!(quick(&[]), "out/mnist-seed0\n", "the same settings find their run");
    assert_eq!(quick(&["--seed", "7"]), "out/mnist-seed7\n");
}

#[test]
fn an_image_does_not_depend_on_batch_threads_count_or_history() {
    let session = Session::new();
    session.run(&QUICK).answer();
    let wanted = images(&session, "run");
    let variant = |folder: &str, more: &[&str]| {
        session.run(&[&["sample", "--steps", "2", "-o", folder], more].concat()).answer();
        images(&session, folder)
    };
    assert_eq!(variant("a", &["--count", "3", "--batch", "1", "--threads", "1"]), wanted);
    assert_eq!(variant("b", &["--count", "3", "--batch", "2", "--threads", "2"]), wanted);
    let more = variant("c", &["--count", "5", "--batch", "5"]);
    assert!(wanted.iter().all(|(name, png)| more[name] == *png), "files are the same to the byte whatever the count");
    assert_ne!(variant("d", &["--count", "3", "--seed", "1"])["000000.png"], wanted["000000.png"]);
}

#[test]
fn a_stopped_run_is_continued_to_the_same_images() {
    let session = Session::new();
    session.run(&QUICK).answer();
    let wanted = images(&session, "run");
    let untouched = fs::metadata(session.path("run/images/000000.png")).unwrap().modified().unwrap();
    // As a kill between two files leaves it: one image without its line, one line cut short, a half-written file.
    fs::remove_file(session.path("run/images/000001.png")).unwrap();
    fs::remove_file(session.path("run/grid.png")).unwrap();
    let manifest = fs::read_to_string(session.path("run/manifest.jsonl")).unwrap();
    fs::write(session.path("run/manifest.jsonl"), &manifest[..manifest.len() - 10]).unwrap();
    fs::create_dir(session.path("run/.tmp")).unwrap();
    fs::write(session.path("run/.tmp/1.png"), "half").unwrap();
    let outcome = session.run(&with(&["--batch", "1"]));
    assert!(outcome.stderr.contains("2 images in"), "{outcome:?}");
    assert_eq!(images(&session, "run"), wanted);
    assert_eq!(session.names("run"), [".lock", "grid.png", "images", "manifest.jsonl", "run.toml"]);
    assert_eq!(fs::read_to_string(session.path("run/manifest.jsonl")).unwrap(), manifest);
    assert_eq!(fs::metadata(session.path("run/images/000000.png")).unwrap().modified().unwrap(), untouched);
    let again = session.run(&QUICK);
    assert!(again.stderr.contains("nothing to do"), "{again:?}");
}

#[test]
fn other_settings_in_the_folder_are_refused_naming_the_field() {
    let session = Session::new();
    session.run(&QUICK).answer();
    for (more, field) in [
        (&["--seed", "1"][..], "settings: seed is 0 there and 1 here\n"),
        (&["--quantize", "round"], "quantize"),
        (&["--solver", "ddpm"], "solver is ddim there and ddpm here"),
        (&["--eta", "0.5"], "eta"),
        (&["--phases", "shallow:500,deep:500"], "phases"),
        (&["--weights", "random:1"], "weights.deep"),
    ] {
        let outcome = session.run(&with(more));
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains(field), "{field}: {outcome:?}");
    }
    let outcome = session.run(&["sample", "--count", "4", "--steps", "2", "-o", "run"]);
    assert!(outcome.stderr.contains("count is 3 there and 4 here"), "{outcome:?}");
}

#[test]
fn what_does_not_fit_the_pair_is_refused() {
    let session = Session::new();
    for (more, message) in [
        (&["--phases", "shallow:300"][..], "1000"),
        (&["--phases", "shalow:300,deep:700"], "`shallow`"),
        (&["--phases", "x"], "shallow:300"),
        (&["--steps", "1001"], "1000"),
        (&["--solver", "ddpm", "--eta", "1"], "--eta"),
        (&["--class", "3"], "no classes"),
        (&["--guidance", "1"], "guidance"),
        (&["Minst"], "`Mnist`"),
        (&["Imagenet64", "--weights", "random:0", "--class", "7,1000"], "no class 1000 -- use 0 to 999"),
        (&["Imagenet64", "--weights", "random:0", "--guidance", "0.4"], "null label"),
        (&["Imagenet256", "--weights", "random:0"], "1 or 3 channels"),
        (&["Cifar10"], "--weights"),
        (&["--weights", "random:1,random:2"], ""),
        (&["--weights", "one.safetensors"], "2"),
    ] {
        let arguments =
            if more[0].starts_with("--steps") { [&["sample", "-o", "run"], more].concat() } else { [&["sample"], more].concat() };
        let outcome = session.run(&arguments);
        assert!(matches!(outcome.code, Some(2 | 3)), "{arguments:?}: {outcome:?}");
        assert!(outcome.stderr.contains(message), "{arguments:?}: {message:?} in {outcome:?}");
        assert_eq!(session.names("."), [""; 0], "{arguments:?} left a trace");
    }
}

#[test]
fn a_malformed_input_is_exit_3() {
    let session = Session::new();
    fs::write(session.path("a.safetensors"), "not tensors").unwrap();
    fs::write(session.path("a.duo"), "not a bundle").unwrap();
    for arguments in [
        &["sample", "--weights", "a.safetensors,a.safetensors"][..],
        &["sample", "--weights", "no.safetensors,no.safetensors"],
        &["sample", "a.duo"],
        &["sample", "no.duo"],
    ] {
        session.refuses(arguments, 3, ".");
    }
}

#[test]
fn shallow_and_deep_swapped_are_refused() {
    let session = Session::new();
    let weights = |net: &str| format!("{}/../models/weights/mnist.{net}.safetensors", env!("CARGO_MANIFEST_DIR"));
    let right = format!("{},{}", weights("shallow"), weights("deep"));
    let wrong = format!("{},{}", weights("deep"), weights("shallow"));
    session.refuses(&["sample", "--weights", &wrong], 3, "mnist.deep.safetensors");
    session.run(&QUICK).answer();
    let outcome = session.run(&with(&["--weights", &right]));
    assert!(outcome.stderr.contains("nothing to do"), "the embedded weights are these, to the hash: {outcome:?}");
}

#[test]
fn too_large_is_exit_5_and_starts_nothing() {
    let session = Session::new();
    session.refuses(&["sample", "--count", "1000000000000"], 5, "-o DIR");
    if cfg!(target_os = "linux") {
        session.refuses(&["sample", "--count", "4000000", "--batch", "4000000"], 5, "--batch");
    }
}

#[test]
fn files_of_others_are_not_written_over() {
    let session = Session::new();
    fs::create_dir(session.path("run")).unwrap();
    fs::write(session.path("run/grid.png"), "mine").unwrap();
    session.refuses(&QUICK, 2, "grid.png");
    assert_eq!(fs::read_to_string(session.path("run/grid.png")).unwrap(), "mine");
}

#[cfg(unix)]
mod unix {
    use std::process::{Child, Stdio};
    use std::time::{Duration, Instant};

    use super::*;

    /// A run of many images, stopped by a signal when it has made some.
    fn stop(session: &Session, signal: &str) -> std::process::Output {
        let arguments = ["sample", "--count", "400", "--steps", "2", "--batch", "1", "-o", "run"];
        let child = session.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for_images(session, 3, &child);
        let killed = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        child.wait_with_output().unwrap()
    }

    fn wait_for_images(session: &Session, count: usize, child: &Child) {
        let started = Instant::now();
        let made = || fs::read_dir(session.path("run/images")).map_or(0, Iterator::count);
        while made() < count {
            assert!(started.elapsed() < Duration::from_secs(60), "process {} makes no images", child.id());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Every file under a final name is a whole PNG, and those of the manifest are there.
    fn check_folder(session: &Session) -> usize {
        let images = images(session, "run");
        for (name, png) in &images {
            assert!(png.starts_with(b"\x89PNG") && png.ends_with(b"IEND\xae\x42\x60\x82"), "{name} is not whole");
        }
        images.len()
    }

    #[test]
    fn ctrl_c_keeps_what_is_finished() {
        let session = Session::new();
        let output = stop(&session, "-INT");
        assert_eq!(output.status.code(), Some(130));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("of 400 images are kept in run") && stderr.contains("same command again"), "{stderr}");
        let kept = check_folder(&session);
        assert!(stderr.contains(&format!("{kept} of 400")), "{kept} kept: {stderr}");
        assert_eq!(fs::read_to_string(session.path("run/manifest.jsonl")).unwrap().lines().count(), kept);
    }

    #[test]
    fn ctrl_c_does_not_wait_for_a_long_batch() {
        let session = Session::new();
        let arguments = ["sample", "--count", "500", "--batch", "500", "--solver", "ddpm", "-o", "run"];
        let child = session.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let started = Instant::now();
        while !session.path("run/manifest.jsonl").exists() {
            assert!(started.elapsed() < Duration::from_secs(60), "the run does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(500));
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        let signalled = Instant::now();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        assert!(signalled.elapsed() < Duration::from_secs(30), "half an hour of work was waited for");
        assert_eq!(session.names("run/images"), [""; 0]);
    }

    #[test]
    fn a_kill_leaves_whole_files_and_a_run_that_goes_on() {
        let session = Session::new();
        let output = stop(&session, "-KILL");
        assert_eq!(output.status.code(), None);
        let kept = check_folder(&session);
        assert!((3..400).contains(&kept));
        let arguments = ["sample", "--count", "400", "--steps", "2", "-o", "run", "--json", "-q"];
        let made = session.run(&arguments).json().len() - 1;
        assert!(made <= 400 - kept + 1, "{kept} were kept, {made} made: more than one batch was redone");
        assert_eq!(check_folder(&session), 400);
    }

    #[test]
    fn a_second_run_in_the_folder_is_refused() {
        let session = Session::new();
        let arguments = ["sample", "--count", "400", "--steps", "2", "--batch", "1", "-o", "run"];
        let mut child = session.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for_images(&session, 1, &child);
        let second = session.run(&arguments);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(second.code, Some(2), "{second:?}");
        assert!(second.stderr.contains("another process is running in run"), "{second:?}");
    }

    #[test]
    fn a_write_error_is_exit_74_and_can_be_continued() {
        let session = Session::new();
        // Files of at most two blocks of 512 bytes: settings and images fit, the manifest or the grid does not.
        let limited = session.shell("trap '' XFSZ; ulimit -f 2; exec $DUODIFF sample --count 20 --steps 2 --batch 4 -o run");
        assert_eq!(limited.code, Some(74), "{limited:?}");
        assert!(limited.stderr.contains("could not write run/") && limited.stderr.contains("same command again"), "{limited:?}");
        check_folder(&session);
        session.run(&["sample", "--count", "20", "--steps", "2", "--batch", "4", "-o", "run"]).answer();
        assert_eq!(check_folder(&session), 20);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_answer_that_cannot_be_written_is_exit_74() {
        let session = Session::new();
        let outcome = session.shell("$DUODIFF sample --count 1 --steps 1 -o run >/dev/full");
        assert_eq!(outcome.code, Some(74), "{outcome:?}");
        assert!(outcome.stderr.contains("stdout"), "{outcome:?}");
    }
}
