//! Executes any program operator by operator in float64, with plain loops: the reference of all executors.
//!
//! Parameters, images and sinusoids enter as float32; nothing is rounded afterwards. Nothing here is fast.

mod attention;
mod conv;
mod inputs;
mod linear;
mod movement;
mod operator;
mod pointwise;
mod primitive;
mod rows;
mod run;
mod scope;

#[cfg(test)]
mod tests;

use crate::program::{Net, Program, VerifyError};
use crate::weights::Weights;

pub use run::Run;

/// What a run reads besides parameters. The batch B is the number of times.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs<'a> {
    /// `[B, C, H, W]`; empty for programs that read no image.
    pub images: &'a [f32],
    /// `[B]`, as the networks are fed them: after the pair's time map.
    pub times: &'a [f32],
    /// `[B]`, for programs that read a label.
    pub labels: Option<&'a [u32]>,
}

/// Why a program could not be executed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InterpretError {
    /// The program breaks a rule.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// An input has the wrong number of elements.
    #[error("{what}: {found} elements found, {wanted} wanted -- one entry per time")]
    Size {
        /// The input.
        what: String,
        /// Its length.
        found: usize,
        /// The length that fits.
        wanted: usize,
    },
    /// The program reads a label, and none was given.
    #[error("the program reads class labels -- give one per image")]
    NoLabels,
    /// A label beyond the table.
    #[error("label {label} found, labels below {classes} wanted")]
    Label {
        /// The label.
        label: u32,
        /// Rows of the table.
        classes: usize,
    },
    /// A parameter that the weights lack.
    #[error("parameter {0} not found in the weights")]
    Missing(String),
    /// A step table that the prelude does not compute.
    #[error("step table {0} is not computed by the prelude")]
    Table(usize),
}

/// Executes a network: prelude, then body. Returns its output, `[B, C, H, W]`.
pub fn net(net: &Net, inputs: &Inputs, weights: &Weights) -> Result<Vec<f64>, InterpretError> {
    let tables = program(&net.prelude, inputs, &[], weights)?;
    let mut outputs = program(&net.body, inputs, &tables, weights)?;
    Ok(outputs.swap_remove(0))
}

/// Executes one program. `tables`: what it reads as step tables, `[B, rows, columns]` each.
///
/// Returns its outputs in order, `[B, shape…]` each (`[shape…]` if the output is the same for all images).
pub fn program(program: &Program, inputs: &Inputs, tables: &[Vec<f64>], weights: &Weights) -> Result<Vec<Vec<f64>>, InterpretError> {
    let mut run = Run::new(program, inputs, tables, weights)?;
    while run.step()?.is_some() {}
    Ok(run.outputs())
}
