//! What the compiler is given for one module: one self-contained text, and flags.

use super::EmitError;
use super::kernels::{File, KERNELS};
use crate::launch::{DevicePlan, Module, Precision};
use crate::plan::Plan;
use crate::target::Sm;

/// The sources of all modules that a plan launches kernels of on a kind of GPU.
pub fn units(plan: &Plan, precision: Precision, target: Sm) -> Result<Vec<Unit>, EmitError> {
    let modules = DevicePlan::new(plan, precision, target)?.modules()?;
    modules.into_iter().map(Unit::of).collect()
}

/// The source of one module. It is the same for every target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The module.
    pub module: Module,
    /// The whole source: our own files are inlined, each once; those of the toolkit stay `#include <…>`.
    pub text: String,
    /// Flags of its own, in the words that nvcc and NVRTC share.
    pub flags: Vec<String>,
}

impl Unit {
    /// The source of a module.
    pub fn of(module: Module) -> Result<Self, EmitError> {
        let flags = module.flags().iter().map(|flag| (*flag).to_owned()).collect();
        let text = inline(module.source(), module.defines(), KERNELS).map_err(|name| EmitError::NoSource { module, name })?;
        Ok(Self { module, text: format!("// {module}: made of {} by duodiff.\n{text}", module.source()), flags })
    }

    /// The name under which the compiler sees the text, and under which it is kept.
    pub fn file_name(&self) -> String {
        format!("{}.cu", self.module)
    }
}

/// The text of `root` with these macros defined and with all `files` in place that it includes. An include of another file is its
/// name. The macros stand in the text, so that it says everything but the target.
pub(super) fn inline(root: &str, defines: &[&str], files: &[File]) -> Result<String, String> {
    let mut text = String::new();
    for define in defines {
        let (name, value) = define.split_once('=').unwrap_or((define, "1"));
        text.push_str(&format!("#define {name} {value}\n"));
    }
    let mut inliner = Inliner { files, seen: Vec::new(), text };
    inliner.file(root)?;
    Ok(inliner.text)
}

/// Puts files in the place of the lines that include them. `#line` keeps the compiler's complaints about the files as they are.
struct Inliner<'a> {
    files: &'a [File],
    seen: Vec<&'static str>,
    text: String,
}

impl Inliner<'_> {
    fn file(&mut self, name: &str) -> Result<(), String> {
        let file = self.files.iter().find(|file| file.name == name).ok_or(name)?;
        if self.seen.contains(&file.name) {
            return Ok(());
        }
        self.seen.push(file.name);
        self.text.push_str(&format!("#line 1 \"{}\"\n", file.name));
        for (number, line) in (2..).zip(file.text.lines()) {
            match included(line) {
                Some(other) => {
                    self.file(other)?;
                    self.text.push_str(&format!("#line {number} \"{}\"\n", file.name));
                }
                // Each file is there once anyway, and the pragma is a warning in a main file.
                None if line.trim() == "#pragma once" => self.text.push('\n'),
                None => {
                    self.text.push_str(line);
                    self.text.push('\n');
                }
            }
        }
        Ok(())
    }
}

/// The file of kernels that a line includes. Other files, those of the emulator, stay where they stand: the compiler skips them.
fn included(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("include")?;
    rest.trim_start().strip_prefix('"')?.split_once('"').map(|(name, _)| name).filter(|name| name.ends_with(".cuh"))
}
