//! `duodiff pairs`: the declared pairs with the figures of the paper.

use crate::session::Session;

#[test]
fn lists_the_ready_pairs() {
    let table = Session::new().run(&["pairs"]).answer();
    let words: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let row = |first: &str| words.iter().position(|row| row[0] == first).unwrap_or_else(|| panic!("no {first} in\n{table}"));
    let cifar = row("Cifar10");
    assert_eq!(words[cifar], ["Cifar10", "3x32x32", "epsilon", "shallow:300,deep:700", "shallow", "10,122,848", "5.53"]);
    assert_eq!(words[cifar + 1], ["deep", "44,255,328", "24.40"]);
    assert_eq!(words[row("Mnist")][1], "1x28x28");
    assert_eq!(words[row("Imagenet64") + 1], ["deep", "130,940,292", "70.47"]);
    assert_eq!(words[row("Imagenet256") + 1], ["deep", "286,763,172", "152.91"]);
}

#[test]
fn json_has_the_exact_numbers() {
    let pairs = Session::new().run(&["pairs", "--json"]).json();
    let cifar = pairs.iter().find(|pair| pair["pair"] == "Cifar10").unwrap();
    assert_eq!(cifar["image"], serde_json::json!([3, 32, 32]));
    assert_eq!(cifar["backbones"][1]["parameters"], 44_255_328);
    assert_eq!((&cifar["timesteps"], &cifar["classes"]), (&1000.into(), &serde_json::Value::Null));
}
