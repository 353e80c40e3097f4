//! Rewrites the messages of the TOML reader in the words of a user.

use bakeoff_models::did_you_mean;
use bakeoff_reports::toml_in_plain_words;

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
    toml_in_plain_words(message)
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
    fn a_missing_key_and_a_wrong_type_are_named_as_a_user_writes_them() {
        for (theirs, ours) in [
            ("missing field `name`", "the key `name` is missing"),
            ("invalid type: string \"x\", expected f64", "found the text \"x\", expected a number"),
        ] {
            assert_eq!(in_plain_words(theirs), ours);
        }
    }
}
