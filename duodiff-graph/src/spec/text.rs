//! Text for error messages: foreign input made safe to print, and the name that was probably meant.

/// Longest piece of foreign input in a message, in characters.
const ECHO: usize = 80;

/// Foreign input, control characters escaped, cut at 80 characters.
pub fn echo(input: &str) -> String {
    let mut escaped = input.chars().take(ECHO + 1).flat_map(char::escape_debug);
    let mut text: String = escaped.by_ref().take(ECHO).collect();
    if escaped.next().is_some() {
        text.push('…');
    }
    text
}

/// The candidate that `word` was probably meant to be, if one is near.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().take(ECHO + 1).count();
    if length > ECHO {
        return None;
    }
    let near = |candidate: &&str| distance(word, candidate) <= 1 + length / 4;
    candidates.into_iter().filter(near).min_by_key(|candidate| distance(word, candidate))
}

/// `did you mean …?` for the nearest candidate, else the list of all.
pub fn hint(word: &str, candidates: &[&str]) -> String {
    match closest(word, candidates.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("use {}", candidates.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")),
    }
}

/// Levenshtein distance, in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_at_most_eighty_escaped_characters() {
        assert_eq!(echo("a\nb\u{1b}[2J"), "a\\nb\\u{1b}[2J");
        assert_eq!(echo(&"x".repeat(80)), "x".repeat(80));
        assert_eq!(echo(&"\n".repeat(1000)).chars().count(), 81);
    }

    #[test]
    fn finds_the_name_that_was_meant() {
        let names = ["shallow", "deep"];
        assert_eq!(closest("shalow", names), Some("shallow"));
        assert_eq!(closest("dep", names), Some("deep"));
        assert_eq!(closest("teacher", names), None);
        assert_eq!(hint("teacher", &names), "use `shallow` or `deep`");
    }
}
