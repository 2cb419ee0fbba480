//! House rules that a reader relies on: file headers, file lengths, the direction of the data flow, where luminal may appear.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules of `duodiff-graph/src` in the order of the data flow: each may use only those before it.
const FLOW: &[&str] = &[
    "spec",
    "target",
    "process",
    "noise",
    "program",
    "build",
    "pair",
    "raise",
    "passes",
    "plan",
    "null",
    "launch",
    "compile",
    "weights",
    "interpret",
    "emit",
    "bundle",
    "executor",
    "cpu",
    "cuda",
    "verify",
    "sampler",
    "lib",
    "tests",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `dir` with the given extension, sorted.
fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a readable folder").map(|entry| entry.expect("a readable entry").path()) {
        let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if entry.is_dir() {
            if !name.starts_with('.') && !["target", "out"].contains(&name) {
                found.extend(files(&entry, extension));
            }
        } else if entry.extension().is_some_and(|found| found == extension) {
            found.push(entry);
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("a path of the project").display().to_string()
}

/// Collects complaints about every Rust file and fails with all of them.
fn complain(check: impl Fn(&str, &str) -> Option<String>) {
    let complaints: Vec<String> = files(root(), "rs")
        .iter()
        .filter_map(|path| {
            let name = relative(path);
            let text = fs::read_to_string(path).expect("UTF-8 source");
            check(&name, &text).map(|complaint| format!("{name}: {complaint}"))
        })
        .collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn files_say_what_they_are() {
    complain(|name, text| {
        let is_refusal = name.starts_with("tests/ui/");
        (!is_refusal && !text.starts_with("//!")).then(|| "does not open with //!".into())
    });
}

#[test]
fn files_stay_short() {
    complain(|_, text| (text.lines().count() > 400).then(|| format!("{} lines, at most 400", text.lines().count())));
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!("), concat!("FIX", "ME"), concat!("TO", "DO")];
    complain(|_, text| marks.iter().find(|mark| text.contains(**mark)).map(|mark| format!("contains {mark}")));
}

/// Where unsafe code may stand: the kernels' module, the calls of NVIDIA's driver, one call across instruction sets, the libraries of CUDA
/// that are loaded at run time, the allocator that a test counts with, the calls of the CUDA kernels that tests compile for the host, and
/// the driver that tests put in NVIDIA's place.
const UNSAFE: &[&str] = &[
    "duodiff-graph/src/cpu/",
    "duodiff-graph/src/cuda/",
    "duodiff-graph/src/noise/gauss.rs",
    "duodiff-graph/src/emit/toolchain/nvrtc.rs",
    "duodiff-graph/tests/kernels/",
    "tests/fake-driver/",
    "tests/gpu/products.rs",
    "tests/memory.rs",
    "tests/tidy.rs",
];

/// That each block gives its reason is clippy's to check: `undocumented_unsafe_blocks`.
#[test]
fn unsafe_code_stays_where_it_belongs() {
    complain(|name, text| {
        let allowed = UNSAFE.iter().any(|place| name.starts_with(place));
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let found = || code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_')).any(|word| word == "unsafe");
        (!allowed && found()).then(|| "contains unsafe code".into())
    });
}

/// The first path segments after `crate::` (also in `use crate::{a, b}` groups).
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        if text[..at].ends_with('$') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            let mut taking = true;
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => taking = true,
                    c if depth == 0 && taking && (c.is_alphanumeric() || c == '_') => word.push(c),
                    c if depth == 0 && taking && !c.is_whitespace() => taking = false,
                    _ => {}
                }
                if (c == ',' || !taking) && !word.is_empty() {
                    found.push(std::mem::take(&mut word));
                }
            }
            found.extend((!word.is_empty()).then_some(word));
        } else {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found
}

#[test]
fn imports_are_read_right() {
    let text = "use crate::spec::Pair; use crate::{plan::{Plan, Place}, cpu};";
    assert_eq!(imports(text), ["spec", "plan", "cpu"]);
}

#[test]
fn data_flows_one_way() {
    let place = |module: &str| FLOW.iter().position(|known| *known == module);
    complain(|name, text| {
        let inside = name.strip_prefix("duodiff-graph/src/")?;
        let module = inside.split(['/', '.']).next()?;
        let Some(own) = place(module) else { return Some(format!("module {module} has no place in the data flow")) };
        let is_test = inside.contains("test");
        let backwards = |import: &String| !is_test && place(import).is_some_and(|at| at > own);
        let code = text.split("#[cfg(test)]").next()?;
        let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        imports(&code).iter().find(|import| backwards(import)).map(|import| format!("uses {import}, which comes after {module}"))
    });
}

#[test]
fn luminal_stays_where_it_belongs() {
    complain(|name, text| {
        let inside = name.strip_prefix("duodiff-graph/src/")?;
        let allowed = inside.starts_with("build/") || inside.starts_with("raise/") || inside.contains("test");
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        (!allowed && (code.contains("luminal::") || code.contains("use luminal"))).then(|| "uses luminal".into())
    });
}
