//! The command as its users meet it: a process with arguments, two streams, an exit code and files.

mod session;
mod tensors;

/// Bundles and executables.
mod compile;
/// Sampling on a GPU.
#[cfg(target_os = "linux")]
mod cuda;
/// What runs here.
mod doctor;
/// `forward` against the reference.
mod forward;
/// The help texts, pinned, so that a change is a decision.
mod help;
/// What pairs and files hold.
mod inspect;
/// The declared pairs and the figures of the paper.
mod pairs;
/// Runs: their folders, continuing, interrupting, refusing.
mod sample;
/// Every stage as text, pinned.
mod stages;
/// What the command line refuses by itself.
mod usage;
/// What is executed against a reference.
mod verify;
