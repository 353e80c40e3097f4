//! Messages about a name that a user wrote and that does not exist.

/// The end of a message about an unknown name: `, did you mean 'x'?` if a known name is close, or else nothing.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map_or(String::new(), |near| format!(", did you mean '{near}'?"))
}

/// The known name that is closest to `name`, if one is close. Upper and lower case are treated alike.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name, &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, near)| near)
}

/// `unknown model 'swm', did you mean 'svm'? (known: svm, …)`.
pub fn unknown_name(kind: &str, name: &str, known: &[&str]) -> String {
    let near = did_you_mean(name, known.iter().copied());
    format!("unknown {kind} '{name}'{near} (known: {})", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["svm", "random-forest", "resnet"];

    #[test]
    fn a_close_name_is_suggested_whatever_its_case() {
        for (written, meant) in
            [("svn", "svm"), ("SVM", "svm"), ("random_forest", "random-forest"), ("Resnett", "resnet")]
        {
            assert_eq!(did_you_mean(written, KNOWN), format!(", did you mean '{meant}'?"));
        }
    }

    #[test]
    fn a_name_that_is_like_none_is_answered_with_all() {
        assert_eq!(unknown_name("model", "xyzzy", &KNOWN), "unknown model 'xyzzy' (known: svm, random-forest, resnet)");
    }
}
