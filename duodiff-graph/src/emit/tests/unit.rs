//! Sources are inlined once each, and the compiler's complaints keep their lines.

use std::collections::BTreeSet;

use crate::emit::unit::inline;
use crate::emit::{File, KERNELS, Unit};
use crate::launch::{Element, Module};

const FILES: &[File] = &[
    File { name: "a.cu", text: "#include \"b.cuh\"\n#include <cuda_bf16.h>\n  # include \"c.cuh\"\nint a;\n" },
    File { name: "b.cuh", text: "#pragma once\n#include \"c.cuh\"\nint b;\n" },
    File { name: "c.cuh", text: "#pragma once\n#include \"host.hpp\"\nint c; // #include \"d.cuh\"\n" },
    File { name: "wrong.cu", text: "#include \"d.cuh\"\n" },
];

#[test]
fn files_are_inlined_once_with_their_lines() {
    let wanted = "\
#define WIDTH 4
#define BF16 1
#line 1 \"a.cu\"
#line 1 \"b.cuh\"

#line 1 \"c.cuh\"

#include \"host.hpp\"
int c; // #include \"d.cuh\"
#line 3 \"b.cuh\"
int b;
#line 2 \"a.cu\"
#include <cuda_bf16.h>
#line 4 \"a.cu\"
int a;
";
    assert_eq!(inline("a.cu", &["WIDTH=4", "BF16"], FILES).as_deref(), Ok(wanted));
}

#[test]
fn names_the_file_that_is_not_there() {
    assert_eq!(inline("wrong.cu", &[], FILES), Err("d.cuh".to_owned()));
    assert_eq!(inline("none.cu", &[], FILES), Err("none.cu".to_owned()));
}

#[test]
fn every_module_is_whole_and_differs() {
    let units = Module::all().map(|module| Unit::of(module).unwrap()).collect::<Vec<_>>();
    assert_eq!(units.iter().map(|unit| &unit.text).collect::<BTreeSet<_>>().len(), units.len());
    assert!(units.iter().all(|unit| unit.file_name() == format!("{}.cu", unit.module)));
}

/// What a text is made of: its head, definitions, files in their order, headers of the toolkit, entry points.
fn structure(text: &str) -> String {
    let heads = text.lines().take(1);
    let kept = |line: &&str| ["#define", "#line", "#include", "#if", "#el", "#endif"].iter().any(|start| line.starts_with(start));
    let entry = |line: &&str| line.contains("__global__") || line.starts_with("LINEAR") || line.starts_with("ENTRY");
    let lines = text.lines().filter(|line| kept(line) || entry(line)).map(|line| line.trim_end_matches('\\').trim_end());
    heads.chain(lines).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_structure_of_a_text_is_known() {
    let found = structure(&Unit::of(Module::Linear(Element::Bf16)).unwrap().text);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/emit/tests/linear_bf16.txt");
    if std::env::var_os("DUODIFF_BLESS").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), found, "DUODIFF_BLESS=1 writes it anew");
}

#[test]
fn every_file_of_the_kernels_is_there() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/kernels");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".cu") || name.ends_with(".cuh")).collect();
    names.sort();
    assert_eq!(KERNELS.iter().map(|file| file.name).collect::<Vec<_>>(), names);
}
