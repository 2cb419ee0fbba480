//! An ordered list of small rewrites of a program.
