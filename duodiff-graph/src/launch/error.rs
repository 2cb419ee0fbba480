//! Why a plan has no launches.

/// A plan or a batch that the kernels do not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    /// More rows, elements or blocks than a launch can count.
    #[error("{what} of {found} at this batch, at most {most} are launched -- take a smaller batch")]
    Large {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// The most there may be.
        most: u64,
    },
    /// An operator in a form that no kernel has.
    #[error("{program}: {op}: {why}")]
    Unsupported {
        /// The program.
        program: String,
        /// The operator.
        op: String,
        /// What is asked of it.
        why: &'static str,
    },
}
