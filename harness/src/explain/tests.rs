//! What explanations promise, against a model that uses one thing.

use std::path::Path;
use std::sync::Arc;

use bakeoff_datasets::{Images, Text};
use bakeoff_models::{Footprint, Matrix, Watch};

use super::*;

/// Predicts class 1 where the text has the word `good`, and for an image where its first pixel is bright.
struct OneThing {
    probabilities: bool,
}

impl Model for OneThing {
    fn fit(&mut self, _: &Split, _: &Split, _: &mut dyn Watch) -> Result<(), ModelError> {
        Ok(())
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        let labels: Vec<u16> = match inputs {
            Inputs::Texts(texts) => {
                texts.iter().map(|text| u16::from(text.first.split(' ').any(|word| word == "good"))).collect()
            }
            Inputs::Images(images) => (0..images.len()).map(|at| u16::from(images.image(at)[0] > 100)).collect(),
            Inputs::Table(_) => unreachable!("tables are not explained"),
        };
        let data = labels.iter().flat_map(|&label| if label == 1 { [0.1, 0.9] } else { [0.9, 0.1] }).collect();
        let probabilities = self.probabilities.then_some(Matrix { rows: labels.len(), cols: 2, data });
        Ok(Predictions::Classes { labels, probabilities })
    }

    fn save(&self, _: &Path) -> Result<(), ModelError> {
        Ok(())
    }

    fn footprint(&self) -> Footprint {
        Footprint::default()
    }
}

const SETTINGS: ExplainSettings = ExplainSettings { rows: 100, repeats: 4, words: 5, grid: 2, examples: 3, seed: 1 };

fn classes(labels: Vec<u16>) -> Targets {
    Targets::Classes { labels, names: Arc::new(["bad", "fine"].map(String::from)) }
}

/// 40 texts that are fine if they have the word `good`.
fn texts() -> Split {
    let text = |at: usize| {
        let first = if at.is_multiple_of(2) { "A good film" } else { "a Dull film" };
        Text { first: format!("{first} {}", ["now", "then"][at / 2 % 2]), second: None }
    };
    let inputs = Inputs::Texts((0..40).map(text).collect());
    Split { inputs, targets: classes((0..40).map(|at| u16::from(at % 2 == 0)).collect()) }
}

fn importance(explained: &ExplainedModel, wanted: &str) -> f64 {
    let found = explained.importances.iter().find(|importance| match &importance.part {
        Part::Word { word, .. } => word == wanted,
        Part::Region { .. } => false,
    });
    found.and_then(Importance::mean).unwrap()
}

#[test]
fn only_the_word_that_decides_is_important() {
    let rows = ExplainedRows::new(&texts(), "accuracy", SETTINGS).unwrap();
    let explained = rows.explain(&mut OneThing { probabilities: true }, "case", "label").unwrap();
    assert_eq!(explained.score, 1.0);
    assert!(importance(&explained, "good") > 0.3, "{:?}", explained.importances);
    assert_eq!(importance(&explained, "dull"), 0.0);
    // The same rows and permutations, whatever was explained before.
    let again = rows.explain(&mut OneThing { probabilities: true }, "case", "label").unwrap();
    assert_eq!(again, explained);
}

#[test]
fn an_answer_changes_with_the_word_that_decides_only() {
    let rows = ExplainedRows::new(&texts(), "accuracy", SETTINGS).unwrap();
    for (probabilities, measure) in [(true, Measure::Probability), (false, Measure::SameClass)] {
        let explained = rows.explain(&mut OneThing { probabilities }, "case", "label").unwrap();
        assert_eq!(explained.answers.len(), 3);
        for (example, answer) in rows.examples().iter().zip(&explained.answers) {
            assert_eq!(answer.measure, measure);
            let ShownInput::Texts(words) = &example.input else { panic!("they are texts") };
            assert_eq!(answer.changes.len(), words[0].len());
            for (word, change) in words[0].iter().zip(&answer.changes) {
                match word.as_str() {
                    "good" => assert!(*change > 0.3, "{change}"),
                    // Another word can turn into `good`.
                    _ if answer.answer == "bad" => assert!(*change >= 0.0, "{change}"),
                    _ => assert_eq!(*change, 0.0, "{word}"),
                }
            }
        }
    }
}

#[test]
fn only_the_region_that_decides_is_important() {
    let pixels = (0..40).flat_map(|at| [if at % 2 == 0 { 255 } else { 0 }, 7, at, 9]).collect();
    let inputs = Inputs::Images(Images { channels: 1, height: 2, width: 2, pixels });
    let split = Split { inputs, targets: classes((0..40).map(|at| u16::from(at % 2 == 0)).collect()) };
    let rows = ExplainedRows::new(&split, "accuracy", SETTINGS).unwrap();
    let explained = rows.explain(&mut OneThing { probabilities: true }, "case", "label").unwrap();
    let means: Vec<f64> = explained.importances.iter().filter_map(Importance::mean).collect();
    assert!(means[0] > 0.3, "{means:?}");
    assert_eq!(means[1..], [0.0; 3]);
    assert!(explained.answers.iter().all(|answer| answer.changes[1..] == [0.0; 3]));
}

#[test]
fn a_single_row_and_a_grid_finer_than_the_image_are_refused() {
    let error = ExplainedRows::new(&texts().select(&[0]), "accuracy", SETTINGS).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there are at most 1 test rows to use, expected at least 2 to permute parts among them"
    );
    let images = Images { channels: 1, height: 2, width: 2, pixels: vec![0; 12] };
    let split = Split { inputs: Inputs::Images(images), targets: classes(vec![0, 1, 0]) };
    let settings = ExplainSettings { grid: 3, ..SETTINGS };
    let error = ExplainedRows::new(&split, "accuracy", settings).unwrap_err();
    assert!(error.to_string().contains("--grid"), "{error}");
}
