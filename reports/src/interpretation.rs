//! What fitted models learned, as far as people can read it: `interpretation.json`, which `bakeoff explain` writes, and the page and
//! the text that are made of it.

mod page;
mod text;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use self::page::page;
pub use self::text::interpretation_text;
pub(crate) use self::text::named;
use crate::error::ReportError;
use crate::record::SCHEMA;
use crate::run_dir::RunDir;
use crate::stored_json;

/// The name of the file in a run's directory.
const FILE: &str = "interpretation.json";
/// The name of the page in a run's directory.
pub(crate) const PAGE: &str = "interpretation.html";

/// The content of `interpretation.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interpretation {
    /// The schema that the file was written with, as in [`crate::Record::schema`].
    pub schema: u32,
    /// The tasks, in the order of the plan. A fold of a task is one of its own.
    pub tasks: Vec<ExplainedTask>,
}

/// The models of one task, explained on the same test rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplainedTask {
    /// The task, with its fold if there is one.
    pub title: String,
    /// The name of the metric whose loss is the importance.
    pub metric: String,
    /// How many test rows were used.
    pub rows: usize,
    /// How often each part was permuted.
    pub repeats: usize,
    /// The seed of the rows and of the permutations.
    pub seed: u64,
    /// The examples that are shown.
    pub examples: Vec<ShownExample>,
    /// The models.
    pub models: Vec<ExplainedModel>,
}

/// An example that is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownExample {
    /// Its place among the test rows, from 0, as in `predictions/<case>.csv`.
    pub row: usize,
    /// Its true class or number.
    pub target: String,
    /// What it is.
    pub input: ShownInput,
}

/// An input and its parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ShownInput {
    /// The words of each text: one text, or the two of a pair.
    Texts(Vec<Vec<String>>),
    /// An image.
    Image {
        /// Colour planes.
        channels: usize,
        /// Rows of pixels.
        height: usize,
        /// Columns of pixels.
        width: usize,
        /// `channels x height x width` values, row-major.
        pixels: Vec<u8>,
        /// The regions are `grid x grid` parts, numbered row by row.
        grid: usize,
    },
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplainedModel {
    /// The case that the model is from; the folder of the artefact if it is from no run.
    pub case: String,
    /// Its label in figures and tables.
    pub label: String,
    /// Its score on the test rows as they are.
    pub score: f64,
    /// How important each part of the inputs is, in the same order for every model of the task.
    pub importances: Vec<Importance>,
    /// The rules that it is made of, if it is made of rules.
    pub rules: Option<String>,
    /// How many support vectors it keeps, if it keeps any.
    pub support_vectors: Option<usize>,
    /// What it answers for each of the examples that are shown.
    pub answers: Vec<ExplainedAnswer>,
}

/// The importance of a part of the inputs for one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Importance {
    /// The part.
    pub part: Part,
    /// By how much the score was worse in each repeat in which it is defined; below 0 where it was better.
    pub losses: Vec<f64>,
}

/// A part of the inputs that is permuted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Part {
    /// A word of texts.
    Word {
        /// The word.
        word: String,
        /// How many of the test rows have it.
        rows: usize,
    },
    /// A region of images.
    Region {
        /// Its row from the top, from 0.
        row: usize,
        /// Its column from the left, from 0.
        column: usize,
    },
}

impl ExplainedTask {
    /// Whether the models of both were explained on the same rows, by the same parts.
    fn is_comparable(&self, other: &ExplainedTask) -> bool {
        let parts = |task: &ExplainedTask| -> Vec<Part> {
            let importances = task.models.first().map_or(&[][..], |model| &model.importances);
            importances.iter().map(|importance| importance.part.clone()).collect()
        };
        (&self.metric, self.rows, self.repeats, self.seed) == (&other.metric, other.rows, other.repeats, other.seed)
            && self.examples == other.examples
            && parts(self) == parts(other)
    }
}

impl Importance {
    /// The mean loss over the repeats. `None` if the score is defined in none of them.
    pub fn mean(&self) -> Option<f64> {
        let count = self.losses.len() as f64;
        (count > 0.0).then(|| self.losses.iter().sum::<f64>() / count)
    }

    /// The standard deviation over the repeats, with their number less one in the denominator. `None` for fewer than two.
    pub fn deviation(&self) -> Option<f64> {
        let mean = self.mean().filter(|_| self.losses.len() > 1)?;
        let squares: f64 = self.losses.iter().map(|loss| (loss - mean).powi(2)).sum();
        Some((squares / (self.losses.len() - 1) as f64).sqrt())
    }
}

/// What a model answers for an example, and what the answer depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplainedAnswer {
    /// The class or the number that it predicts.
    pub answer: String,
    /// What changes.
    pub measure: Measure,
    /// By how much it falls, on average, if this word or region is that of another test row. One for each part of the example in
    /// order.
    pub changes: Vec<f64>,
    /// What its tokens attend to, if it is a Transformer.
    pub attention: Option<ShownAttention>,
    /// The way of the example down its tree, if it is a tree.
    pub path: Option<Vec<String>>,
}

/// What of an answer is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The probability of the predicted class.
    Probability,
    /// Whether the predicted class stays the same, for a model without probabilities: 1 if it does, 0 if not.
    SameClass,
    /// The predicted number.
    Value,
}

/// Where the attention of a Transformer went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownAttention {
    /// The tokens in the order in which the network reads them.
    pub tokens: Vec<String>,
    /// How many patches there are from top to bottom and from left to right, if the last tokens are patches of an image.
    pub patches: Option<[usize; 2]>,
    /// How much each token attends to each other one in the last block, a row for each token.
    pub last_block: Vec<Vec<f32>>,
    /// How much of what the head reads comes from each token (attention rollout).
    pub rollout: Vec<f32>,
}

impl Interpretation {
    /// Of these tasks, in today's schema.
    pub fn new(tasks: Vec<ExplainedTask>) -> Interpretation {
        Interpretation { schema: SCHEMA, tasks }
    }

    /// Reads that of a run. `None` if the run has none.
    ///
    /// # Errors
    /// If the file cannot be read, is of a later schema, or is damaged.
    pub fn read(dir: &RunDir) -> Result<Option<Interpretation>, ReportError> {
        let remedy = format!("make the file again with `bakeoff explain {}`", dir.path().display());
        stored_json::read(&dir.path().join(FILE), &remedy)
    }

    /// Adds what `newer` explains. A model takes the place of its older explanation; the other models of its task stay if they
    /// were explained on the same rows and by the same parts. Returns the titles of the tasks whose other models do not stay.
    pub fn update(&mut self, newer: Interpretation) -> Vec<String> {
        let mut replaced = Vec::new();
        for task in newer.tasks {
            let Some(older) = self.tasks.iter_mut().find(|older| older.title == task.title) else {
                self.tasks.push(task);
                continue;
            };
            if !older.is_comparable(&task) {
                let is_lost = |model: &ExplainedModel| task.models.iter().all(|other| other.label != model.label);
                if older.models.iter().any(is_lost) {
                    replaced.push(task.title.clone());
                }
                *older = task;
                continue;
            }
            for model in task.models {
                match older.models.iter_mut().find(|other| other.label == model.label) {
                    Some(other) => *other = model,
                    None => older.models.push(model),
                }
            }
        }
        replaced
    }

    /// Removes these cases from the interpretation of a run, because their models are.
    ///
    /// # Errors
    /// As [`Interpretation::read`] and [`Interpretation::write`], and if a file cannot be removed.
    pub(crate) fn remove_cases(dir: &RunDir, cases: &BTreeSet<&str>) -> Result<(), ReportError> {
        let Some(mut found) = Interpretation::read(dir)? else { return Ok(()) };
        let is_of = |model: &ExplainedModel| cases.contains(model.case.as_str());
        if !found.tasks.iter().flat_map(|task| &task.models).any(is_of) {
            return Ok(());
        }
        for task in &mut found.tasks {
            task.models.retain(|model| !is_of(model));
        }
        found.tasks.retain(|task| !task.models.is_empty());
        if !found.tasks.is_empty() {
            return found.write(dir);
        }
        for name in [FILE, PAGE] {
            dir.remove(name)?;
        }
        Ok(())
    }

    /// Writes the file and the page of a run into this folder.
    ///
    /// # Errors
    /// If a file cannot be written, or a figure cannot be drawn.
    pub fn write(&self, dir: &RunDir) -> Result<(), ReportError> {
        let mut text = serde_json::to_string(self).expect("it has string keys only");
        text.push('\n');
        dir.write(FILE, text.as_bytes())?;
        self.write_page(dir)
    }

    /// Writes the page alone.
    ///
    /// # Errors
    /// As [`Interpretation::write`].
    pub(crate) fn write_page(&self, dir: &RunDir) -> Result<(), ReportError> {
        dir.write(PAGE, page(self)?.as_bytes())
    }

    /// Whether any model is explained.
    pub fn is_empty(&self) -> bool {
        self.tasks.iter().all(|task| task.models.is_empty())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use super::*;

    fn importance(part: Part, losses: &[f64]) -> Importance {
        Importance { part, losses: losses.to_vec() }
    }

    fn word(word: &str) -> Part {
        Part::Word { word: word.to_owned(), rows: 3 }
    }

    fn answer(changes: Vec<f64>) -> ExplainedAnswer {
        ExplainedAnswer {
            answer: "good".to_owned(),
            measure: Measure::Probability,
            changes,
            attention: None,
            path: None,
        }
    }

    /// A Transformer and a tree on texts, and a model of images.
    pub(crate) fn interpretation() -> Interpretation {
        let tokens: Vec<String> = ["a", "fine", "<film>"].map(str::to_owned).to_vec();
        let attention = ShownAttention {
            tokens: tokens.clone(),
            patches: None,
            last_block: vec![vec![0.2, 0.5, 0.3]; 3],
            rollout: vec![0.1, 0.6, 0.3],
        };
        let importances = vec![importance(word("fine"), &[0.25, 0.75]), importance(word("<film>"), &[-0.125])];
        let model = |label: &str, answer: ExplainedAnswer| ExplainedModel {
            case: format!("texts.{label}.n9.s1.cpu"),
            label: label.to_owned(),
            score: 0.75,
            importances: importances.clone(),
            rules: None,
            support_vectors: None,
            answers: vec![answer],
        };
        let transformer =
            model("transformer", ExplainedAnswer { attention: Some(attention), ..answer(vec![0.0, 0.5, -0.25]) });
        let path = vec!["fine > 0.5 (it is 1)".to_owned(), "good (0.90)".to_owned()];
        let tree = ExplainedModel {
            rules: Some("if fine <= 0.5:\n  bad\nelse:\n  good\n".to_owned()),
            ..model("decision-tree", ExplainedAnswer { path: Some(path), ..answer(vec![0.0, 1.0, 0.0]) })
        };
        let texts = ExplainedTask {
            title: "texts".to_owned(),
            metric: "accuracy".to_owned(),
            rows: 4,
            repeats: 2,
            seed: 1,
            examples: vec![ShownExample { row: 2, target: "good".to_owned(), input: ShownInput::Texts(vec![tokens]) }],
            models: vec![transformer, tree],
        };
        let region = |at: usize| importance(Part::Region { row: at / 2, column: at % 2 }, &[0.1 * at as f64; 2]);
        let image = ShownInput::Image { channels: 1, height: 2, width: 2, pixels: vec![0, 80, 160, 255], grid: 2 };
        let patches = ShownAttention {
            tokens: ["[CLS]", "row 1, column 1"].map(str::to_owned).to_vec(),
            patches: Some([1, 1]),
            last_block: vec![vec![0.5, 0.5]; 2],
            rollout: vec![0.25, 0.75],
        };
        let of_images = ExplainedModel {
            support_vectors: Some(12),
            importances: (0..4).map(region).collect(),
            ..model("svm", ExplainedAnswer { attention: Some(patches), ..answer(vec![0.0, 0.25, 0.5, 1.0]) })
        };
        let images = ExplainedTask {
            title: "images".to_owned(),
            examples: vec![ShownExample { row: 0, target: "cat".to_owned(), input: image }],
            models: vec![of_images],
            ..texts.clone()
        };
        Interpretation::new(vec![texts, images])
    }

    #[test]
    fn the_mean_and_the_deviation_are_those_over_the_repeats() {
        let all = importance(word("a"), &[0.25, 0.75]);
        assert_eq!(all.mean(), Some(0.5));
        assert!((all.deviation().unwrap_or_default() - 0.125_f64.sqrt()).abs() < 1e-12);
        let one = importance(word("a"), &[0.5]);
        assert_eq!((one.mean(), one.deviation()), (Some(0.5), None));
        assert_eq!(importance(word("a"), &[]).mean(), None);
    }

    /// The labels of each task.
    fn labels(interpretation: &Interpretation) -> Vec<Vec<&str>> {
        interpretation.tasks.iter().map(|task| task.models.iter().map(|model| model.label.as_str()).collect()).collect()
    }

    #[test]
    fn a_newer_explanation_of_one_model_leaves_the_others_unless_they_cannot_be_compared_with_it() {
        let mut page = interpretation();
        let before = labels(&page).concat().len();
        let mut newer = Interpretation::new(vec![page.tasks[0].clone()]);
        newer.tasks[0].models.remove(0);
        newer.tasks[0].models[0].score = 0.5;
        assert!(page.update(newer.clone()).is_empty());
        assert_eq!(labels(&page).concat().len(), before);
        assert_eq!(page.tasks[0].models[1].score, 0.5);

        newer.tasks[0].seed = 2;
        assert_eq!(page.update(newer.clone()), ["texts"]);
        assert_eq!(labels(&page)[0], ["decision-tree"]);
        assert_eq!(labels(&page).len(), 2, "the other task stays");
        newer.tasks[0].seed = 3;
        assert!(page.update(newer).is_empty(), "no other model is lost");
    }

    #[test]
    fn what_was_told_of_a_model_goes_with_it() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let dir = RunDir::new(folder.path());
        let all = interpretation();
        all.write(&dir)?;
        dir.remove_cases(&BTreeSet::from(["texts.transformer.n9.s1.cpu"]))?;
        let left = Interpretation::read(&dir)?.ok_or("one model was removed, not all")?;
        assert_eq!(labels(&left)[0], ["decision-tree"]);
        let cases = all.tasks.iter().flat_map(|task| &task.models).map(|model| model.case.as_str()).collect();
        dir.remove_cases(&cases)?;
        assert_eq!(Interpretation::read(&dir)?, None);
        assert!(!folder.path().join(PAGE).exists());
        Ok(())
    }

    #[test]
    fn it_is_read_as_it_was_written_and_damage_is_named() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let dir = RunDir::new(folder.path());
        assert_eq!(Interpretation::read(&dir)?, None);
        let all = interpretation();
        all.write(&dir)?;
        assert_eq!(Interpretation::read(&dir)?, Some(all));
        assert!(folder.path().join(PAGE).exists());
        let path = folder.path().join(FILE);
        let text = fs::read_to_string(&path)?;
        fs::write(&path, &text[..text.len() / 2])?;
        let error = Interpretation::read(&dir).expect_err("half of a file").to_string();
        assert!(error.contains("interpretation.json") && error.contains("bakeoff explain"), "{error}");
        fs::write(&path, text.replace("\"schema\":3", "\"schema\":99"))?;
        let error = Interpretation::read(&dir).expect_err("a later schema").to_string();
        assert!(error.contains("newer bakeoff"), "{error}");
        Ok(())
    }
}
