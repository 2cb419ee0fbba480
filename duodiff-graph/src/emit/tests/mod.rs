//! The emitter with made-up compilers, and with the real ones where they are installed.

#[cfg(unix)]
mod cubins;
#[cfg(unix)]
mod fake;
mod real;
#[cfg(unix)]
mod search;
mod unit;
