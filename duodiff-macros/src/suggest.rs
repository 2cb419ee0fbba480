//! "did you mean …": the nearest of the known words.

/// ` -- did you mean …` if a word is near, else ` -- use one of …`.
pub fn mend<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    near(found, &known).unwrap_or_else(|| match known.as_slice() {
        [] => " -- remove it".into(),
        [only] => format!(" -- use `{only}`"),
        words => format!(" -- use one of {}", words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")),
    })
}

/// ` -- did you mean …` if a word is near.
pub fn near(found: &str, known: &[&str]) -> Option<String> {
    // A beginning of at least three letters counts as a slip of the pen.
    let begun = known.iter().filter(|word| found.len() >= 3 && word.starts_with(found)).map(|word| (0, *word));
    let misspelt = known.iter().map(|word| (distance(found, word), *word)).filter(|(far, word)| *far <= tolerance(found, word));
    let near = begun.chain(misspelt).min();
    near.map(|(_, word)| format!(" -- did you mean `{word}`"))
}

/// Edits after which two words no longer look alike.
fn tolerance(found: &str, word: &str) -> usize {
    (found.chars().count().min(word.chars().count()) / 2).min(3)
}

/// Edit distance with transpositions of neighbours (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    // Words of a program are short; a hostile one is cut so that the table stays small.
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().take(40).collect(), right.chars().take(40).collect());
    let mut table = vec![vec![0; right.len() + 1]; left.len() + 1];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            table[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let replaced = table[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
                    let best = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    let swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
                    if swapped { best.min(table[i - 2][j - 2] + 1) } else { best }
                }
            };
        }
    }
    table[left.len()][right.len()]
}
