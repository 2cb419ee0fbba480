//! The duodiff! macro.
