//! The operators of the DSL: their arguments, options and keys.

/// An operator and how it is called.
pub struct Signature {
    /// Its name.
    pub name: &'static str,
    /// Fewest and most plain arguments.
    pub arguments: (usize, usize),
    /// Named options.
    pub options: &'static [&'static str],
    /// Whether it owns parameters.
    pub key: KeyRule,
    /// How it is written.
    pub usage: &'static str,
}

/// Whether a call takes `@ "key"`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum KeyRule {
    /// It owns parameters.
    Needed,
    /// It owns none.
    Needless,
    /// Its options decide.
    Depends,
}

const MANY: usize = usize::MAX;

const fn operator(
    name: &'static str,
    arguments: (usize, usize),
    options: &'static [&'static str],
    key: KeyRule,
    usage: &'static str,
) -> Signature {
    Signature { name, arguments, options, key, usage }
}

/// All operators, sorted by what they are for.
pub const OPERATORS: [Signature; 21] = [
    operator("linear", (2, 2), &["bias"], KeyRule::Needed, "linear(x, width, bias = true) @ \"key\""),
    operator("conv3x3", (1, 2), &[], KeyRule::Needed, "conv3x3(image, channels) @ \"key\""),
    operator("norm", (1, 1), &["eps", "affine"], KeyRule::Depends, "norm(x, eps = 1e-5) @ \"key\" or norm(x, affine = false)"),
    operator("attention", (2, 4), &[], KeyRule::Needless, "attention(qkv, heads) or attention(q, k, v, heads)"),
    operator("gelu", (1, 1), &[], KeyRule::Needless, "gelu(x)"),
    operator("gelu_tanh", (1, 1), &[], KeyRule::Needless, "gelu_tanh(x)"),
    operator("silu", (1, 1), &[], KeyRule::Needless, "silu(x)"),
    operator("softmax", (1, 1), &[], KeyRule::Needless, "softmax(x)"),
    operator("broadcast", (1, 1), &[], KeyRule::Needless, "x + broadcast(row)"),
    operator("join_tokens", (2, MANY), &[], KeyRule::Needless, "join_tokens(a, b)"),
    operator("join_features", (2, MANY), &[], KeyRule::Needless, "join_features(a, b)"),
    operator("split", (2, 2), &[], KeyRule::Needless, "let (a, b) = split(x, 2);"),
    operator("embedding", (2, 2), &[], KeyRule::Needed, "embedding(label, width) @ \"key\""),
    operator("sinusoid", (2, 2), &[], KeyRule::Needless, "sinusoid(t, width)"),
    operator("patchify", (3, 3), &[], KeyRule::Needed, "patchify(image, patch, width) @ \"key\""),
    operator("unpatchify", (2, 2), &[], KeyRule::Needless, "unpatchify(x, patch)"),
    operator("patches", (1, 1), &[], KeyRule::Needless, "patches(x)"),
    operator("param", (1, 1), &[], KeyRule::Needed, "param([1, rows, width]) @ \"key\""),
    operator("rows", (1, 1), &[], KeyRule::Needless, "rows(x)"),
    operator("columns", (1, 1), &[], KeyRule::Needless, "columns(x)"),
    operator("pop", (0, 0), &[], KeyRule::Needless, "pop()"),
];

/// The one operator without a value.
pub const PUSH: Signature = operator("push", (1, 1), &[], KeyRule::Needless, "push(x);");

/// The operator of that name.
pub fn find(name: &str) -> Option<&'static Signature> {
    const PUSHED: &Signature = &PUSH;
    OPERATORS.iter().chain([PUSHED]).find(|operator| operator.name == name)
}

/// Integers of the pair that every arch may use.
pub const BUILT_IN: [&str; 4] = ["channels", "height", "width", "classes"];

/// What an arch can be fed.
pub const INPUTS: [&str; 3] = ["image", "t", "label"];
