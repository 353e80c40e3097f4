//! What a fitted model learned, measured through its predictions alone, so that every model is treated alike.
//!
//! The importance of a part of the inputs is the loss of score if that part is permuted among the test rows (permutation
//! importance: Breiman 2001, section 10; for any model: Fisher et al. 2019). A part is a word of texts (`words`) or a region of
//! images (`regions`). For a single example, each part is replaced by that of other rows, and the change of the answer is
//! averaged.

mod regions;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
mod words;

use bakeoff_datasets::{Inputs, Split, Targets};
use bakeoff_models::{Attention, Model, ModelError, Predictions, Reason};
use bakeoff_reports::{
    ExplainedAnswer, ExplainedModel, Importance, Measure, Part, ShownAttention, ShownExample, ShownInput, metric,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::scoring::{self, ScoreError};
use regions::Regions;
use words::WordRows;

/// Why rows of tables are not explained.
const NOT_TABLES: &str =
    "models of texts and of images can be explained, and these are rows of a table: name other tasks with --task";

/// How models are explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExplainSettings {
    /// The most test rows that are used.
    pub rows: usize,
    /// How often each part is permuted.
    pub repeats: usize,
    /// How many words are permuted.
    pub words: usize,
    /// Images are divided into `grid x grid` regions.
    pub grid: usize,
    /// How many examples are shown.
    pub examples: usize,
    /// Draws the rows and the permutations.
    pub seed: u64,
}

/// Why a model cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The model could not predict.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Its predictions could not be scored.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// The score of the rows as they are has no value.
    #[error("{metric} is undefined on the {rows} test rows: {reason}; use more rows (--rows)")]
    Undefined {
        /// The metric.
        metric: String,
        /// How many rows there are.
        rows: usize,
        /// Why it is undefined.
        reason: &'static str,
    },
    /// The inputs cannot be divided so.
    #[error("{0}")]
    Inputs(String),
}

/// The rows of a task on which its models are explained: the same parts and permutations for each of them.
#[derive(Debug)]
pub struct ExplainedRows {
    settings: ExplainSettings,
    primary: String,
    inputs: Divided,
    targets: Targets,
    /// The rows of the examples that are shown, among those that are used.
    shown: Vec<usize>,
    /// The place among the test rows of each row that is used.
    places: Vec<usize>,
}

/// Inputs that are divided into parts.
#[derive(Debug)]
enum Divided {
    Words(WordRows),
    Regions(Regions),
}

/// A part permuted once: the rows that change, and what they change to.
struct Permuted {
    rows: Vec<usize>,
    inputs: Inputs,
}

impl ExplainedRows {
    /// Draws the rows among these test rows of a task with this primary metric.
    ///
    /// # Errors
    /// If there are too few rows to permute anything among them, or images are smaller than the grid.
    pub fn new(test: &Split, primary: &str, settings: ExplainSettings) -> Result<ExplainedRows, ExplainError> {
        if test.len() < 2 || settings.rows < 2 {
            let found = test.len().min(settings.rows);
            return Err(ExplainError::Inputs(format!(
                "there are at most {found} test rows to use, expected at least 2 to permute parts among them"
            )));
        }
        let mut order: Vec<usize> = (0..test.len()).collect();
        shuffle(&mut order, &mut stream(settings.seed, 0));
        order.truncate(settings.rows);
        // The first drawn ones are shown, so that they stay the same with more rows.
        let examples: Vec<usize> = order.iter().copied().take(settings.examples).collect();
        order.sort_unstable();
        let shown = examples.iter().filter_map(|example| order.iter().position(|row| row == example)).collect();
        let Split { inputs, targets } = test.select(&order);
        let inputs = match inputs {
            Inputs::Texts(texts) => Divided::Words(WordRows::new(&texts, &targets, settings.words)),
            Inputs::Images(images) => {
                Divided::Regions(Regions::new(images, settings.grid).map_err(ExplainError::Inputs)?)
            }
            Inputs::Table(_) => return Err(ExplainError::Inputs(NOT_TABLES.to_owned())),
        };
        Ok(ExplainedRows { settings, primary: primary.to_owned(), inputs, targets, shown, places: order })
    }

    /// How many rows are used.
    pub fn rows(&self) -> usize {
        self.places.len()
    }

    /// The examples that are shown.
    pub fn examples(&self) -> Vec<ShownExample> {
        let example = |&row: &usize| ShownExample {
            row: self.places[row],
            target: target(&self.targets, row),
            input: self.inputs.shown(row),
        };
        self.shown.iter().map(example).collect()
    }

    /// Explains a fitted model. `case` and `label` are its names.
    ///
    /// # Errors
    /// If the model cannot predict these rows, or its score on them is undefined.
    pub fn explain(&self, model: &mut dyn Model, case: &str, label: &str) -> Result<ExplainedModel, ExplainError> {
        let inputs = self.inputs.all();
        let predictions = model.predict(&inputs)?;
        let score = self.score(&predictions)?.map_err(|reason| ExplainError::Undefined {
            metric: self.primary.clone(),
            rows: self.rows(),
            reason,
        })?;
        let parts = self.inputs.parts();
        let mut importances = Vec::with_capacity(parts.len());
        for (index, part) in parts.into_iter().enumerate() {
            let mut losses = Vec::with_capacity(self.settings.repeats);
            for repeat in 0..self.settings.repeats {
                let mut rng = stream(self.settings.seed, 1 + (index * self.settings.repeats + repeat) as u64);
                let mut sources: Vec<usize> = (0..self.rows()).collect();
                shuffle(&mut sources, &mut rng);
                let Permuted { rows, inputs } = self.inputs.permuted(index, &sources);
                let mut permuted = predictions.clone();
                if !rows.is_empty() {
                    replace(&mut permuted, &rows, &model.predict(&inputs)?)?;
                }
                // Where the score of the permuted rows is undefined, there is no loss.
                if let Ok(other) = self.score(&permuted)? {
                    losses.push(self.goodness(score) - self.goodness(other));
                }
            }
            importances.push(Importance { part, losses });
        }
        let classes = class_names(&self.targets);
        let shown = self.inputs.select(&self.shown);
        let reasons = model.reasons(&shown, classes)?;
        let answers = self.shown.iter().enumerate().map(|(at, &row)| {
            let mut answer = self.answer(model, &predictions, (at, row), classes)?;
            match reasons.as_ref().and_then(|reasons| reasons.get(at)) {
                Some(Reason::Attention(attention)) => answer.attention = Some(shown_attention(attention)),
                Some(Reason::Path(path)) => answer.path = Some(path.clone()),
                None => {}
            }
            Ok(answer)
        });
        let answers = answers.collect::<Result<Vec<_>, ExplainError>>()?;
        Ok(ExplainedModel {
            case: case.to_owned(),
            label: label.to_owned(),
            score,
            importances,
            rules: model.rules(classes),
            support_vectors: model.support_vectors(),
            answers,
        })
    }

    /// The answer for the example `row`, the `at`-th of those that are shown, and how it changes with each part.
    fn answer(
        &self,
        model: &mut dyn Model,
        predictions: &Predictions,
        (at, row): (usize, usize),
        classes: &[String],
    ) -> Result<ExplainedAnswer, ExplainError> {
        let repeats = self.settings.repeats;
        let mut rng = stream(self.settings.seed ^ 0x5eed, at as u64);
        let (parts, variants) = self.inputs.variants(row, repeats, &mut rng);
        let (measure, before) = Held::of(predictions, row);
        let changes = if parts == 0 {
            Vec::new()
        } else {
            let changed = model.predict(&variants)?;
            if count(&changed) != parts * repeats {
                return Err(ExplainError::Inputs(format!(
                    "the model gave {} predictions for {} examples",
                    count(&changed),
                    parts * repeats
                )));
            }
            let mean = |part: usize| {
                let after = (part * repeats..(part + 1) * repeats).map(|variant| before.value(&changed, variant));
                before.value(predictions, row) - after.sum::<f64>() / repeats as f64
            };
            (0..parts).map(mean).collect()
        };
        let answer = match predictions {
            Predictions::Classes { labels, .. } => class_name(classes, labels[row]),
            Predictions::Values(values) => values[row].to_string(),
        };
        Ok(ExplainedAnswer { answer, measure, changes, attention: None, path: None })
    }

    /// The primary metric, or why it is undefined.
    fn score(&self, predictions: &Predictions) -> Result<Result<f64, &'static str>, ScoreError> {
        let scores = scoring::score(&self.targets, predictions)?;
        if let Some((_, score)) = scores.iter().find(|(name, _)| *name == self.primary) {
            return Ok(Ok(*score));
        }
        let undefined = scoring::undefined(&self.targets, &scores);
        let reason = undefined.iter().find(|(name, _)| *name == self.primary);
        Ok(Err(reason.map_or("the model gives no answers for it", |(_, reason)| *reason)))
    }

    fn goodness(&self, score: f64) -> f64 {
        metric(&self.primary).map_or(score, |metric| metric.better.goodness(score))
    }
}

impl Divided {
    /// All rows as they are.
    fn all(&self) -> Inputs {
        match self {
            Divided::Words(words) => words.inputs(),
            Divided::Regions(regions) => regions.inputs(),
        }
    }

    fn select(&self, rows: &[usize]) -> Inputs {
        self.all().select(rows)
    }

    fn shown(&self, row: usize) -> ShownInput {
        match self {
            Divided::Words(words) => words.shown(row),
            Divided::Regions(regions) => regions.shown(row),
        }
    }

    fn parts(&self) -> Vec<Part> {
        match self {
            Divided::Words(words) => words.parts(),
            Divided::Regions(regions) => regions.parts(),
        }
    }

    /// The rows with a part from other rows: row `i` gets that of row `sources[i]`.
    fn permuted(&self, part: usize, sources: &[usize]) -> Permuted {
        match self {
            Divided::Words(words) => words.permuted(part, sources),
            Divided::Regions(regions) => regions.permuted(part, sources),
        }
    }

    /// How many parts an example has, and `repeats` variants for each part, in which it is that of another row.
    fn variants(&self, row: usize, repeats: usize, rng: &mut ChaCha8Rng) -> (usize, Inputs) {
        match self {
            Divided::Words(words) => words.variants(row, repeats, rng),
            Divided::Regions(regions) => regions.variants(row, repeats, rng),
        }
    }
}

/// What of an answer is held against the answers for variants.
#[derive(Debug, Clone, Copy)]
enum Held {
    /// The probability of this class.
    Probability(u16),
    /// Whether it is this class.
    Class(u16),
    Value,
}

impl Held {
    fn of(predictions: &Predictions, row: usize) -> (Measure, Held) {
        match predictions {
            Predictions::Classes { labels, probabilities: Some(_) } => {
                (Measure::Probability, Held::Probability(labels[row]))
            }
            Predictions::Classes { labels, probabilities: None } => (Measure::SameClass, Held::Class(labels[row])),
            Predictions::Values(_) => (Measure::Value, Held::Value),
        }
    }

    fn value(self, predictions: &Predictions, row: usize) -> f64 {
        match (self, predictions) {
            (Held::Probability(class), Predictions::Classes { probabilities: Some(all), .. }) => {
                f64::from(all.row(row)[usize::from(class)])
            }
            (Held::Probability(class) | Held::Class(class), Predictions::Classes { labels, .. }) => {
                f64::from(u8::from(labels[row] == class))
            }
            (_, Predictions::Values(values)) => f64::from(values[row]),
            (Held::Value, Predictions::Classes { labels, .. }) => f64::from(labels[row]),
        }
    }
}

/// How many predictions there are.
fn count(predictions: &Predictions) -> usize {
    match predictions {
        Predictions::Classes { labels, .. } => labels.len(),
        Predictions::Values(values) => values.len(),
    }
}

/// Replaces the predictions of these rows.
fn replace(all: &mut Predictions, rows: &[usize], changed: &Predictions) -> Result<(), ExplainError> {
    if count(changed) != rows.len() {
        return Err(ExplainError::Inputs(format!(
            "the model gave {} predictions for {} examples",
            count(changed),
            rows.len()
        )));
    }
    match (all, changed) {
        (Predictions::Values(all), Predictions::Values(changed)) => {
            rows.iter().zip(changed).for_each(|(&row, &value)| all[row] = value);
        }
        (
            Predictions::Classes { labels, probabilities },
            Predictions::Classes { labels: changed, probabilities: of_changed },
        ) => {
            rows.iter().zip(changed).for_each(|(&row, &label)| labels[row] = label);
            if let (Some(all), Some(changed)) = (probabilities, of_changed) {
                for (at, &row) in rows.iter().enumerate() {
                    all.data[row * all.cols..][..all.cols].copy_from_slice(changed.row(at));
                }
            }
        }
        _ => {
            return Err(ExplainError::Inputs(
                "the model predicts classes at one time and numbers at another".to_owned(),
            ));
        }
    }
    Ok(())
}

fn shown_attention(attention: &Attention) -> ShownAttention {
    ShownAttention {
        tokens: attention.tokens.clone(),
        patches: attention.patches,
        last_block: (0..attention.last_block.rows).map(|row| attention.last_block.row(row).to_vec()).collect(),
        rollout: attention.rollout.clone(),
    }
}

fn class_names(targets: &Targets) -> &[String] {
    match targets {
        Targets::Classes { names, .. } => names,
        Targets::Values(_) => &[],
    }
}

fn class_name(classes: &[String], label: u16) -> String {
    classes.get(usize::from(label)).map_or_else(|| format!("class {label}"), String::clone)
}

/// The true class or number of a row.
fn target(targets: &Targets, row: usize) -> String {
    match targets {
        Targets::Classes { labels, names } => class_name(names, labels[row]),
        Targets::Values(values) => values[row].to_string(),
    }
}

/// Random numbers of their own for each purpose.
fn stream(seed: u64, purpose: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(purpose);
    rng
}

/// A whole number below `end`, which must not be 0. The remainder's bias is below 2^-40 for the numbers of rows that there are.
fn below(end: usize, rng: &mut ChaCha8Rng) -> usize {
    (rng.next_u64() % end as u64) as usize
}

/// Puts the items into a random order (Fisher and Yates).
fn shuffle(items: &mut [usize], rng: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(last + 1, rng));
    }
}
