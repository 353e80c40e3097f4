//! Counts, before a run, the texts in which a model finds no word. The models of a plan may read different words.

use bakeoff_datasets::{Inputs, Split, Splits};
use bakeoff_models::{Resolved, Tokens};

/// One line for each choice of words that these models make with their parameters. It says how many texts of each split
/// hold none of these words. There is no line for images and tables.
pub fn lines<'a>(models: impl Iterator<Item = (&'a str, &'a Resolved)>, splits: &Splits) -> Vec<String> {
    let mut choices: Vec<(Tokens, Vec<&str>)> = Vec::new();
    for (model, tokens) in
        models.flat_map(|(model, params)| words_of(params).into_iter().map(move |words| (model, words)))
    {
        match choices.iter_mut().find(|(other, _)| *other == tokens) {
            Some((_, models)) if models.contains(&model) => {}
            Some((_, models)) => models.push(model),
            None => choices.push((tokens, vec![model])),
        }
    }
    let line = |(tokens, models): (Tokens, Vec<&str>)| {
        let train = counted(&splits.train, tokens, "training")?;
        let test = counted(&splits.test, tokens, "test")?;
        Some(format!("texts without a word: {train}, {test} (tokens = \"{tokens}\": {})", models.join(", ")))
    };
    choices.into_iter().filter_map(line).collect()
}

/// What a model with these parameters takes for words, and what the models take for them that are values of its parameters.
fn words_of(params: &Resolved) -> Vec<Tokens> {
    // A classic model on the features of a network reads no words itself.
    let reads_words = params.has("tokens") && (params.model("features").is_none() || params.switch("concatenate"));
    let own = reads_words.then(|| Tokens::of(params));
    own.into_iter().chain(params.models().flat_map(|part| words_of(part.params()))).collect()
}

fn counted(split: &Split, tokens: Tokens, name: &str) -> Option<String> {
    let Inputs::Texts(texts) = &split.inputs else { return None };
    Some(format!("{} of {} {name} rows", bakeoff_models::wordless(texts, tokens), texts.len()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use bakeoff_datasets::{Images, Targets, Text};
    use bakeoff_models::{ENTRIES, InputShape, TargetShape, TaskShape};

    use super::*;

    fn params(model: &str, written: &str) -> Resolved {
        let entry = ENTRIES.iter().find(|entry| entry.name() == model).unwrap();
        let input = InputShape::Texts { pairs: false };
        let shape =
            TaskShape { input, target: TargetShape::Value, train_rows: 4, mirror_negates: false, characters: None };
        Resolved::new(entry.params(), &shape, &written.parse().unwrap()).unwrap()
    }

    fn texts(texts: &[&str]) -> Split {
        let inputs = texts.iter().map(|text| Text { first: (*text).to_owned(), second: None }).collect();
        Split { inputs: Inputs::Texts(inputs), targets: Targets::Values(vec![0.0; texts.len()]) }
    }

    #[test]
    fn texts_without_a_word_are_counted_for_each_choice_of_words() {
        let splits = Splits::new(texts(&["a film", "!!!", "👍", "\u{200b}"]), texts(&["?", "a"]));
        let models = [
            ("svm", params("svm", "tokens = \"words\"")),
            ("svm", params("svm", "tokens = \"words\"")),
            ("lstm", params("lstm", "")),
            ("resnet", params("resnet", "")),
            ("forest", params("random-forest", "tokens = \"words\"")),
        ];
        let found = lines(models.iter().map(|(name, params)| (*name, params)), &splits);
        assert_eq!(
            found,
            [
                "texts without a word: 2 of 4 training rows, 1 of 2 test rows (tokens = \"words\": svm, forest)",
                "texts without a word: 1 of 4 training rows, 0 of 2 test rows (tokens = \"words+marks\": lstm, resnet)",
            ]
        );
        let hybrids = [
            ("on-lstm", params("svm", "features = \"lstm\"")),
            ("student", params("student", "teacher = \"lstm\"\nlearner = { model = \"svm\", tokens = \"words\" }")),
            ("on-encoder", params("svm", "features = \"encoder\"")),
        ];
        let found = lines(hybrids.iter().map(|(name, params)| (*name, params)), &splits);
        assert_eq!(found.len(), 2);
        assert!(found[0].ends_with("(tokens = \"words+marks\": on-lstm, student)"), "{found:?}");
        assert!(found[1].ends_with("(tokens = \"words\": student)"), "{found:?}");
        let image = || Split {
            inputs: Inputs::Images(Images { channels: 1, height: 1, width: 1, pixels: vec![0] }),
            targets: Targets::Values(vec![0.0]),
        };
        assert!(lines(models.iter().map(|(name, params)| (*name, params)), &Splits::new(image(), image())).is_empty());
    }
}
