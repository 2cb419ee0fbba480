//! What was written, before any of it is judged.

mod arch;
mod expression;
mod pair;

pub use arch::{Arch, Block, Function, Input, Parameter, Presence, Statement};
pub use expression::{BinaryOperator, Call, Expression, ExpressionKind, Key, Scalar, Setting, UnaryOperator};
pub use pair::{ArchUse, Argument, BackboneUse, Field, PairDeclaration, PhaseUse, ProcessUse, Spanned, TimeUse};
