//! Ctrl-C and termination: the first asks for an orderly end, the second ends at once.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Exit;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on, a signal is noted instead of ending the process. Where no handler can be set, signals end the process as
/// before, which is safe: every file is whole or absent.
pub fn install() {
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(Exit::Interrupted as i32);
        }
    });
}

/// Whether an orderly end was asked for.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
