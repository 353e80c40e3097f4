//! The messages of the TOML reader in the words of who writes a file.

/// The names that the reader has for types of the program, and the words for what a user writes. Longer names come
/// first.
const TYPES: &[(&str, &str)] = &[
    ("expected usize", "expected a whole number"),
    ("expected u64", "expected a whole number"),
    ("expected f64", "expected a number"),
    ("expected a boolean", "expected true or false"),
    ("expected a sequence", "expected a list"),
    ("expected a map", "expected a table"),
    ("unknown variant `", "unknown value `"),
    ("invalid type: ", "found "),
    ("invalid value: ", "found "),
    ("floating point `", "the number `"),
    ("integer `", "the number `"),
    ("boolean `", "`"),
    ("string \"", "the text \""),
    (": sequence", ": a list"),
    (": map", ": a table"),
    ("found sequence", "found a list"),
    ("found map", "found a table"),
];

/// A message of the TOML reader without names of types of the program.
pub fn toml_in_plain_words(message: &str) -> String {
    let plain =
        TYPES.iter().fold(message.trim_end().to_owned(), |message, (theirs, ours)| message.replace(theirs, ours));
    // `expected struct WrittenFloors`: a table, whatever the program calls it.
    match plain.split_once("expected struct ") {
        Some((before, after)) => {
            let rest = after.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_');
            format!("{before}expected a table{rest}")
        }
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::toml_in_plain_words;

    #[test]
    fn types_are_named_as_a_user_writes_them() {
        for (theirs, ours) in [
            ("invalid type: string \"x\", expected f64", "found the text \"x\", expected a number"),
            ("invalid type: floating point `1.5`, expected usize", "found the number `1.5`, expected a whole number"),
            ("invalid value: integer `-1`, expected usize", "found the number `-1`, expected a whole number"),
            ("invalid type: integer `1`, expected a sequence", "found the number `1`, expected a list"),
            ("invalid type: map, expected a sequence", "found a table, expected a list"),
            ("invalid type: sequence, expected struct LatencyEntry", "found a list, expected a table"),
        ] {
            assert_eq!(toml_in_plain_words(theirs), ours);
        }
    }
}
