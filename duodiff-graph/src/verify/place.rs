//! Where in a network an operator stands, in the words of its checkpoint.

use crate::program::{Input, Op, Origin, Program, ValueId};

/// The layer whose parameters the operator reads, e.g. `blocks.0.attn.qkv`; for one that reads none, what it reads, e.g. `after
/// blocks.0.attn.qkv`.
pub(super) fn place(program: &Program, op: &Op) -> String {
    let inputs: Vec<ValueId> = op.inputs().iter().map(Input::value).collect();
    let key = |id: Option<ValueId>| match &program.value(id?).origin {
        Origin::Param { key, .. } => Some(key.as_str()),
        _ => None,
    };
    let own = match op {
        Op::Linear(op) => key(Some(op.weight)),
        Op::Conv3x3(op) => key(Some(op.weight)),
        Op::Norm(op) => key(op.norm.gain),
        _ => inputs.iter().find_map(|id| key(Some(*id))),
    };
    match own {
        Some(key) => layer(key).to_owned(),
        None => inputs.first().map_or_else(String::new, |input| source(program, *input)),
    }
}

/// A parameter's key without its last word, where that is what every layer calls it.
fn layer(key: &str) -> &str {
    [".weight", ".bias"].iter().find_map(|word| key.strip_suffix(word)).unwrap_or(key)
}

/// What a value is.
fn source(program: &Program, id: ValueId) -> String {
    match &program.value(id).origin {
        Origin::Image => "the image".into(),
        Origin::Sinusoid => "the time".into(),
        Origin::Label => "the label".into(),
        Origin::StepTable(index) => format!("step table {index}"),
        Origin::Param { key, .. } => key.clone(),
        Origin::Op | Origin::Shared => {
            let writer = program.ops.iter().find(|op| op.out() == id);
            let place = writer.map_or_else(String::new, |op| place(program, op));
            if place.starts_with("after ") { place } else { format!("after {place}") }
        }
    }
}
