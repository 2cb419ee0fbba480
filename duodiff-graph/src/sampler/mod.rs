//! From an executor and steps to images.
