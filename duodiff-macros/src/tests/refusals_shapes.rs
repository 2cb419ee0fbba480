//! Refusals that need the sizes of a pair: they name the pair and the backbones.

use super::base::{Case, check};

#[test]
fn refuses_sizes() {
    check(&[
        Case(
            "tiny(dim = 8)",
            "tiny(dim = 8, patch = «3»)",
            &["in `Sound` (`shallow`, `deep`): patch 3 does not divide the image of 4 x 4 -- use one of 1, 2, 4"],
        ),
        Case(
            "tiny(dim = 8)",
            "tiny(dim = 8, heads = «3»)",
            &["in `Sound` (`shallow`, `deep`): 3 heads do not divide the width 8 -- use one of 1, 2, 4, 8"],
        ),
        Case(
            "deep: depth = 3",
            "deep: depth = 3, heads = «5»",
            &["in `Sound` (`deep`): 5 heads do not divide the width 8 -- use one of 1, 2, 4, 8"],
        ),
        Case(
            "tiny(dim = 8)",
            "tiny(dim = «7»)",
            &["in `Sound` (`shallow`, `deep`): a sinusoid has as many cosines as sines, found width 7 -- use an even width"],
        ),
        Case(
            "tiny(dim = 8)",
            "tiny(dim = «0»)",
            &["in `Sound` (`shallow`, `deep`): the width cannot be 0 -- use an integer from 1 to 16777216"],
        ),
        Case(
            "tiny(dim = 8)",
            "tiny(dim = «true»)",
            &["in `Sound` (`shallow`, `deep`): the option true where the width belongs -- use an integer"],
        ),
        Case(
            "tiny(dim = 8)",
            "tiny(dim = 8, eps = «1»)",
            &["in `Sound` (`shallow`, `deep`): eps cannot be 1.0 -- use a small positive number, e.g. 1e-5"],
        ),
        Case(
            "norm(x, eps = eps)",
            "norm(x, eps = «0.0»)",
            &["in `Sound` (`shallow`, `deep`): eps cannot be 0.0 -- use a small positive number, e.g. 1e-5"],
        ),
        Case(
            "channels) @ \"head\";\n    conv3x3(unpatchify(patches(y), patch))",
            "channels + 1) @ \"head\";\n    conv3x3(unpatchify(«patches»(y), patch))",
            &["in `Sound` (`shallow`, `deep`): 13 columns are no patch of 2 x 2 -- make them patch * patch * channels"],
        ),
    ]);
}

#[test]
fn refuses_shapes() {
    check(&[
        Case(
            "join_tokens(extras, patchify(",
            "join_tokens(linear(extras, 4) @ \"e\", «patchify»(",
            &["in `Sound` (`shallow`, `deep`): tokens 8 wide do not join tokens 4 wide -- make them equally wide"],
        ),
        Case(
            "linear(norm(x, eps = eps) @ \"norm1\", 3 * dim, bias",
            "«linear»(norm(x, eps = eps) @ \"norm1\", 4 * dim, bias",
            &["in `Sound` (`shallow`, `deep`): 32 columns are not q, k and v side by side -- make it 3 times as wide as the tokens"],
        ),
        Case(
            "let x = x + linear(a, dim)",
            "let x = x «+» linear(a, 2 * dim)",
            &["in `Sound` (`shallow`, `deep`): `+` of tokens [6, 8] and [6, 16] -- make both of one shape"],
        ),
        Case(
            "x + param([1, rows(x), dim])",
            "x «+» param([1, 1, dim])",
            &["in `Sound` (`shallow`, `deep`): `+` of tokens [6, 8] and [1, 8] -- spread the single row with broadcast(…)"],
        ),
        Case(
            "unpatchify(patches(y), patch)",
            "unpatchify(«y», patch)",
            &["in `Sound` (`shallow`, `deep`): 6 tokens do not make 2 x 2 patches of 2 x 2 -- drop the others with patches(x)"],
        ),
        Case(
            "channels) @ \"head\";\n    conv3x3",
            "channels * 2) @ \"head\";\n    «conv3x3»",
            &[
                "in `Sound` (`shallow`, `deep`): the arch returns an image [6, 4, 4], the pair's is [3, 4, 4] -- learned variance is not sampled, make its last linear patch * patch * channels wide",
            ],
        ),
        Case(
            "conv3x3(unpatchify(patches(y), patch)) @ \"final\"",
            "«y»",
            &["in `Sound` (`shallow`, `deep`): the arch returns tokens [6, 12] -- return an image, e.g. unpatchify(patches(x), patch)"],
        ),
        Case(
            "join_features(x, skip)",
            "join_features(x, «time_of»)",
            &["nothing is named `time_of` here -- introduce it with `let`, or as a parameter of the arch"],
        ),
    ]);
}

#[test]
fn refuses_values_of_the_wrong_kind() {
    check(&[
        Case(
            "if skip {",
            "if «x» {",
            &[
                "in `Sound` (`shallow`, `deep`): a condition cannot be tokens [6, 8] -- test an option, a comparison or an argument declared with `?`",
            ],
        ),
        Case(
            "linear(a, dim) @ \"proj\"",
            "linear(«skip», dim) @ \"proj\"",
            &["in `Sound` (`shallow`, `deep`): this value may be left out, and is left out here -- test it first, e.g. if skip { … }"],
        ),
        Case(
            "        push(x);\n    }\n    x = block(x) @ \"mid\";\n    for i in 0..depth / 2 {\n        x = block(x, pop())",
            "    }\n    x = block(x) @ \"mid\";\n    for i in 0..depth / 2 {\n        x = block(x, «pop»())",
            &["in `Sound` (`deep`): nothing is left to pop -- push as often as you pop"],
        ),
        Case(
            "        push(x);\n",
            "        «push»(x); push(x);\n",
            &["in `Sound` (`deep`): this value is pushed and never popped -- add a `pop()`, or remove the push"],
        ),
        Case("x = block(x, pop()) @ \"out.{i}\";", "x = block(x, pop()) @ \"out\";", &[]),
        Case(
            "patchify(image, patch",
            "patchify(«t», patch",
            &["in `Sound` (`shallow`, `deep`): the time where an image belongs -- use the input `image`"],
        ),
        Case(
            "sinusoid(t, dim)",
            "sinusoid(«image», dim)",
            &["in `Sound` (`shallow`, `deep`): an image [3, 4, 4] where the time belongs -- use the input `t`; the pair's `time` maps it"],
        ),
        Case(
            "embedding(label, dim)",
            "embedding(«t», dim)",
            &["in `Sound` (`shallow`, `deep`): the time where the label belongs -- use the input `label`"],
        ),
        Case(
            "0..depth / 2 {\n        x = block(x) @ \"in",
            "0..depth «/» 0 {\n        x = block(x) @ \"in",
            &["in `Sound` (`shallow`, `deep`): this divides by zero -- use another divisor"],
        ),
        Case(
            "for i in 0..depth / 2 {\n        x = block(x) @ \"in.{i}\";\n        push(x);",
            "for «i» in 0..depth * 1000000 {\n        push(x);",
            &["in `Sound` (`shallow`, `deep`): the network has too many operators to be meant -- use fewer repetitions"],
        ),
        Case(
            "let time = sinusoid(t, dim);",
            "let time = sinusoid(t, dim); «gelu»(time);",
            &["in `Sound` (`shallow`, `deep`): this computes tokens [1, 8] and drops it -- bind it with `let`, or remove it"],
        ),
        Case(
            "let time = sinusoid(t, dim);",
            "let (a, b, c) = «split»(sinusoid(t, dim), 2); let time = a;",
            &["in `Sound` (`shallow`, `deep`): 3 names for 2 parts -- split the value into as many parts as names"],
        ),
    ]);
}

#[test]
fn refuses_one_key_for_two_shapes() {
    check(&[Case(
        "@ \"head\"",
        "@ «\"mid.norm1\"»",
        &[
            "in `Sound` (`shallow`, `deep`): the parameter `mid.norm1.weight` is [12, 8] here and [8] before -- give one of the two another key",
        ],
    )]);
}
