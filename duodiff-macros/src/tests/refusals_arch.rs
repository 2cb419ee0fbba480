//! Refusals of an arch's names, calls and keys: where it is declared, whatever pairs there are.

use super::base::{Case, check};

#[test]
fn refuses_headers() {
    check(&[
        Case("tiny(image, t, label?;", "tiny(image, t, «lable»?;", &["`lable` is no input of a network -- did you mean `label`"]),
        Case("tiny(image, t, label?;", "tiny(image, t, «t», label?;", &["the input `t` is named twice -- remove one of the two"]),
        Case(
            "tiny(image, t, label?;",
            "tiny(«image»?, t, label?;",
            &["`image` is always there -- remove the `?`, only `label` may be left out"],
        ),
        Case("mlp = 2,", "mlp = 2, «mlp» = 3,", &["there is an input or a parameter `mlp` already -- name this one otherwise"]),
        Case("mlp = 2,", "mlp = 2, «channels» = 3,", &["`channels` comes from the pair -- remove the parameter, or name it otherwise"]),
        Case("mlp = 2,", "mlp = 2, «time» = 3,", &["`time` is a setting of a backbone -- name the parameter otherwise"]),
        Case("fn mlp_of(x, width)", "fn mlp_of(x, width, «x»)", &["there is an argument `x` already -- name this one otherwise"]),
        Case("fn block(x, skip?)", "fn block(x, skip?, «y»)", &["`y` follows an argument that may be left out -- move it before those"]),
        Case("fn mlp_of(x, width) {", "fn «gelu»(x) { x }\n fn mlp_of(x, width) {", &["`gelu` is an operator -- give the fn another name"]),
        Case(
            "fn block(x, skip?)",
            "fn «mlp_of»(x) { x } fn block(x, skip?)",
            &["there is a fn `mlp_of` already -- give this one another name"],
        ),
    ]);
}

#[test]
fn refuses_names() {
    check(&[
        Case(
            "let x = x + linear(a, dim)",
            "let x = x + linear(«b», dim)",
            &["nothing is named `b` here -- introduce it with `let`, or as a parameter of the arch"],
        ),
        Case("sinusoid(t, dim)", "sinusoid(t, «dims»)", &["nothing is named `dims` here -- did you mean `dim`"]),
        Case("linear(a, dim) @ \"proj\"", "«liner»(a, dim) @ \"proj\"", &["there is no operator or fn `liner` -- did you mean `linear`"]),
        Case(
            "x = block(x) @ \"mid\"",
            "«z» = block(x) @ \"mid\"",
            &["nothing is named `z` here -- introduce it with `let`, or as a parameter of the arch"],
        ),
        Case(
            "x = block(x) @ \"mid\"",
            "«dim» = block(x) @ \"mid\"",
            &["`dim` is fixed for a backbone -- introduce a name of your own with `let`"],
        ),
        Case(
            "let a = attention(",
            "let a = embedding(«label», dim) @ \"e\"; let a = attention(",
            &["a fn does not see the input `label` -- pass it as an argument"],
        ),
        Case(
            "let a = attention(",
            "«push»(x); let a = attention(",
            &["`push` belongs in the body of the arch -- pass the tensor as an argument"],
        ),
        Case(
            "        linear(gelu(linear(x",
            "        «block»(x); linear(gelu(linear(x",
            &["the fn `block` is not declared yet -- a fn calls only those above it; move it up"],
        ),
        Case("@ \"in.{i}\"", "@ «\"in.{j}\"»", &["nothing is named `j` here -- introduce it with `let`, or as a parameter of the arch"]),
    ]);
}

#[test]
fn refuses_calls() {
    check(&[
        Case(
            "gelu(linear(x, width) @ \"fc1\")",
            "gelu(«linear»(x) @ \"fc1\")",
            &["`linear` does not take 1 argument -- use linear(x, width, bias = true) @ \"key\""],
        ),
        Case(
            "gelu(linear(x, width) @ \"fc1\")",
            "gelu(«linear»(x, width))",
            &["`linear` has parameters but no checkpoint key -- use linear(x, width, bias = true) @ \"key\""],
        ),
        Case(
            "x = block(x) @ \"mid\"",
            "x = «block»(x, x, x) @ \"mid\"",
            &["the fn `block` does not take 3 arguments -- use block(x, skip)"],
        ),
        Case("x = block(x) @ \"mid\"", "x = block(x, «skip» = x) @ \"mid\"", &["a fn has no named arguments -- remove `skip =`"]),
        Case("norm(x, eps = eps)", "norm(x, «epsilon» = eps)", &["`norm` has no option `epsilon` -- use one of `eps`, `affine`"]),
        Case("norm(x, eps = eps)", "norm(x, eps = eps, «eps» = eps)", &["the option `eps` is given twice -- remove one of the two"]),
        Case("patches(y), patch", "patches(y) @ «\"y\"», patch", &["`patches` has no parameters -- remove the key"]),
        Case(
            "let a = attention(linear(norm(x, eps = eps) @ \"norm1\", 3 * dim, bias = bias) @ \"qkv\", heads);",
            "let a = «attention»(x, x, heads);",
            &["`attention` does not take 3 arguments -- use attention(qkv, heads) or attention(q, k, v, heads)"],
        ),
        Case(
            "    conv3x3(unpatchify(patches(y), patch)) @ \"final\"\n}",
            "    let z = conv3x3(unpatchify(patches(y), patch)) @ \"final\";\n«}»",
            &["the arch ends without a value -- end it with the image that the network returns, without a semicolon"],
        ),
    ]);
}
