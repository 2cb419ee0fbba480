//! The kernels: each a piece of work over plain memory, cut into tasks that any thread may take.

pub(super) mod attention;
pub(super) mod conv;
pub(super) mod copy;
pub(super) mod cut;
pub(super) mod epilogue;
pub(super) mod linear;
pub(super) mod near;
pub(super) mod norm;
pub(super) mod pack;
pub(super) mod patch;
pub(super) mod pointwise;
pub(super) mod primitive;
mod sixteen;
pub(super) mod softmax;
pub(super) mod tile;
pub(super) mod update;
