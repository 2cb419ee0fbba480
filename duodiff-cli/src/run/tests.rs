//! A run's folder: continuing, refusing, locking.

use super::settings::tests::example;
use duodiff::graph::sampler::Pixels;

use super::*;
use crate::error::Exit;

fn png(index: u64) -> (Entry, Vec<u8>) {
    let pixels = Pixels { width: 1, height: 1, channels: 1, data: vec![index as u8] };
    (Entry::new(index, None), image::encode(&pixels, &[]).unwrap())
}

#[test]
fn a_stopped_run_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::open(folder.path(), &example()).unwrap();
    run.publish(&[png(0), png(3)]).unwrap();
    fs::write(folder.path().join(".tmp/2.png"), b"half").unwrap();
    drop(run);
    let mut run = Run::open(folder.path(), &example()).unwrap();
    assert_eq!((run.finished(), run.missing(1), run.missing(9)), (2, 1..2, 1..3));
    run.publish(&[png(1), png(2)]).unwrap();
    assert_eq!(run.missing(9), 4..5);
    run.publish(&[png(4)]).unwrap();
    assert!(run.missing(9).is_empty());
    run.finish().unwrap();
    let names = |folder: &Path| {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(folder.path()), [".lock", "grid.png", "images", "manifest.jsonl", "run.toml"]);
    assert_eq!(names(&folder.path().join("images")), [0, 1, 2, 3, 4].map(|i| format!("{i:06}.png")));
}

#[test]
fn other_settings_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    drop(Run::open(folder.path(), &example()).unwrap());
    let mut other = example();
    other.recipe.seed = 8;
    let failure = Run::open(folder.path(), &other).err().unwrap();
    assert_eq!(failure.exit, Exit::Usage);
    assert!(failure.message.ends_with("seed is 7 there and 8 here"), "{}", failure.message);
}

#[test]
fn a_second_run_in_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = Run::open(folder.path(), &example()).unwrap();
    let failure = Run::open(folder.path(), &example()).err().unwrap();
    assert!(failure.message.starts_with("another process"), "{}", failure.message);
    drop(first);
    assert!(Run::open(folder.path(), &example()).is_ok());
}

#[test]
fn files_of_others_are_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("grid.png"), b"mine").unwrap();
    assert_eq!(Run::open(folder.path(), &example()).err().unwrap().exit, Exit::Usage);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["grid.png"], "a refusal leaves no trace");
    fs::rename(folder.path().join("grid.png"), folder.path().join("notes.txt")).unwrap();
    assert!(Run::open(folder.path(), &example()).is_ok());
}

#[test]
fn a_folder_that_cannot_be_made_is_an_output_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), b"").unwrap();
    assert_eq!(Run::open(&folder.path().join("file/run"), &example()).err().unwrap().exit, Exit::Output);
}
