//! Rewrites the messages of the TOML reader in the words of a user.

use bakeoff_models::did_you_mean;

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

/// The reader's message without names of types, and with a suggestion for an unknown key.
pub(super) fn in_plain_words(message: &str) -> String {
    if let Some(names) = message.strip_prefix("unknown field ") {
        let names: Vec<&str> = names.split('`').skip(1).step_by(2).collect();
        if let [name, known @ ..] = names.as_slice() {
            let near = did_you_mean(name, known.iter().copied());
            return format!("unknown key `{name}`{near} (known: {})", known.join(", "));
        }
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return format!("the key {name} is missing");
    }
    TYPES.iter().fold(message.trim_end().to_owned(), |message, (theirs, ours)| message.replace(theirs, ours))
}

#[cfg(test)]
mod tests {
    use super::in_plain_words;

    #[test]
    fn an_unknown_key_is_answered_with_the_near_one() {
        let theirs = "unknown field `timeout`, expected one of `name`, `timeout_s`, `jobs`";
        let ours = "unknown key `timeout`, did you mean 'timeout_s'? (known: name, timeout_s, jobs)";
        assert_eq!(in_plain_words(theirs), ours);
    }

    #[test]
    fn types_are_named_as_a_user_writes_them() {
        for (theirs, ours) in [
            ("missing field `name`", "the key `name` is missing"),
            ("invalid type: string \"x\", expected f64", "found the text \"x\", expected a number"),
            ("invalid type: floating point `1.5`, expected usize", "found the number `1.5`, expected a whole number"),
            ("invalid value: integer `-1`, expected usize", "found the number `-1`, expected a whole number"),
            ("invalid type: integer `1`, expected a sequence", "found the number `1`, expected a list"),
            ("invalid type: map, expected a sequence", "found a table, expected a list"),
        ] {
            assert_eq!(in_plain_words(theirs), ours);
        }
    }
}
