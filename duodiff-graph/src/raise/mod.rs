//! From luminal's primitive graph to a program of named operators.
