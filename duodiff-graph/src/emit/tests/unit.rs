//! Sources are inlined once each, and the compiler's complaints keep their lines.

use std::collections::BTreeSet;

use crate::emit::unit::inline;
use crate::emit::{EmitError, File, KERNELS, Unit};
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
fn every_module_of_the_sources_is_whole() {
    let (units, missing): (Vec<_>, Vec<_>) = Module::ALL.map(Unit::of).into_iter().partition(Result::is_ok);
    let texts: BTreeSet<_> = units.iter().flatten().map(|unit| &unit.text).collect();
    assert_eq!(texts.len(), units.len());
    for why in missing.into_iter().map(Result::unwrap_err) {
        assert!(matches!(&why, EmitError::NoSource { module, name } if name == module.source()), "{why}: an include of a kernel");
    }
    let unit = Unit::of(Module::Tokens(Element::Bf16)).unwrap();
    assert_eq!(unit.file_name(), "tokens_bf16.cu");
    let start = "// tokens_bf16: made of tokens.cu by duodiff.\n#define DUODIFF_BF16 1\n#line 1 \"tokens.cu\"\n";
    assert!(unit.text.starts_with(start), "{}", &unit.text[..200]);
}

#[test]
fn every_file_of_the_kernels_is_there() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/kernels");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".cu") || name.ends_with(".cuh")).collect();
    names.sort();
    assert_eq!(KERNELS.iter().map(|file| file.name).collect::<Vec<_>>(), names);
}
