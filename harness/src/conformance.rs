//! What every model promises, checked on a few rows, in words that help the author of one that does not keep it.

use std::sync::Arc;

use bakeoff_datasets::{Images, Inputs, Split, Table, Text};
use bakeoff_models::{EpochReport, Matrix, Model, ModelEntry, ModelError, Predictions, Spec, Watch};
use bakeoff_reports::{Better, metric};

use crate::scoring;

/// A model and the rows on which it is checked.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The primary metric of the task, by which the model may choose among epochs.
    pub primary: &'a str,
    /// The model.
    pub entry: &'a dyn ModelEntry,
    /// What it is built from.
    pub spec: &'a Spec,
    /// What it is built from when it is fitted again, with the same seed.
    pub again: &'a Spec,
    /// The rows that it learns from.
    pub train: &'a Split,
    /// The rows among which it may choose epochs.
    pub validation: &'a Split,
    /// Training rows without their targets, if it asks for such.
    pub unlabelled: Option<&'a Inputs>,
    /// The rows that it predicts, at least two.
    pub test: &'a Split,
}

/// What was found about a model.
#[derive(Debug, Default)]
pub struct Checked {
    /// The promises that it breaks, each in a sentence.
    pub broken: Vec<String>,
    /// What it predicts for the test rows; `None` if it could not predict.
    pub predictions: Option<Predictions>,
}

/// Checks what every model promises.
pub fn check(subject: &Subject<'_>) -> Checked {
    let mut checked = Checked::default();
    // What cannot be fitted or predict at all has one fault, and not one for every check.
    if let Err(fault) = subject.check_all(&mut checked) {
        checked.broken.push(fault);
    }
    checked
}

impl Subject<'_> {
    fn check_all(&self, checked: &mut Checked) -> Result<(), String> {
        let Checked { broken, predictions: of_test } = checked;
        let mut model = self.build(self.spec)?;
        if model.predict(&self.test.inputs).is_ok() {
            broken.push("it predicts before it was fitted: answer with an error".to_owned());
        }
        self.fit_to(model.as_mut(), self.train).map_err(|error| format!("its fit failed: {error}"))?;
        let predictions = self.predict(model.as_mut(), &self.test.inputs)?;
        scoring::score(&self.test.targets, &predictions)
            .map_err(|error| format!("its predictions are refused: {error}"))?;
        *of_test = Some(predictions.clone());
        broken.extend(self.order(model.as_mut(), &predictions)?);
        broken.extend(keeps_rows(model.as_mut(), &self.test.inputs, &predictions).err());
        if model.footprint().parameters == 0 {
            broken
                .push("it counts no learned numbers: give their number as the parameters of its footprint".to_owned());
        }
        broken.extend(self.saved(model.as_ref(), &predictions)?);
        broken.extend(self.other_kinds(model.as_mut())?);
        drop(model);
        broken.extend(self.again(&predictions)?);
        Ok(())
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, String> {
        self.entry.build(spec).map_err(|error| error.to_string())
    }

    fn fit_to(&self, model: &mut dyn Model, train: &Split) -> Result<(), ModelError> {
        let mut judge = Judge { validation: self.validation, primary: self.primary, epochs: 0 };
        match self.unlabelled {
            None => model.fit(train, self.validation, &mut judge),
            Some(unlabelled) => model.fit_with_unlabelled(train, self.validation, unlabelled, &mut judge),
        }
    }

    fn predict(&self, model: &mut dyn Model, inputs: &Inputs) -> Result<Predictions, String> {
        model.predict(inputs).map_err(|error| format!("it could not predict: {error}"))
    }

    /// Rows in another order have the same predictions, in that order.
    fn order(&self, model: &mut dyn Model, predictions: &Predictions) -> Result<Option<String>, String> {
        let backwards: Vec<usize> = (0..self.test.len()).rev().collect();
        let reversed = self.predict(model, &self.test.inputs.select(&backwards))?;
        let rows = differing(&reversed, &select(predictions, &backwards), TOLERANCE);
        Ok((rows > 0).then(|| {
            format!(
                "it does not keep the order: {rows} of {} rows have another prediction when the rows are reversed; the first prediction \
                 must be that of the first row, whatever the other rows are",
                self.test.len()
            )
        }))
    }

    /// The model is the same after it was saved and loaded.
    fn saved(&self, model: &dyn Model, predictions: &Predictions) -> Result<Option<String>, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("it could not be saved: {error}"))?;
        let folder = folder.path().join("model");
        if let Err(error) = model.save(&folder) {
            return Ok(Some(format!("it could not be saved, so that it cannot be served: {error}")));
        }
        let loaded = self.entry.load(&folder, self.spec.threads.clone(), self.spec.device);
        let mut loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => return Ok(Some(format!("it could not be loaded again: {error}"))),
        };
        let after = self.predict(loaded.as_mut(), &self.test.inputs)?;
        let rows = differing(&after, predictions, 0.0);
        Ok((rows > 0).then(|| {
            format!(
                "after it was saved and loaded, it predicts otherwise ({rows} of {} rows): save everything that a prediction needs",
                self.test.len()
            )
        }))
    }

    /// Two fits with the same seed give the same model, whatever was fitted before.
    fn again(&self, predictions: &Predictions) -> Result<Option<String>, String> {
        let mut model = self.build(self.again)?;
        self.fit_to(model.as_mut(), self.validation)
            .map_err(|error| format!("its fit to fewer rows failed: {error}"))?;
        self.fit_to(model.as_mut(), self.train).map_err(|error| format!("its second fit failed: {error}"))?;
        let after_another = self.predict(model.as_mut(), &self.test.inputs)?;
        if differing(&after_another, predictions, 0.0) == 0 {
            return Ok(None);
        }
        let mut model = self.build(self.again)?;
        self.fit_to(model.as_mut(), self.train).map_err(|error| format!("its second fit failed: {error}"))?;
        let again = self.predict(model.as_mut(), &self.test.inputs)?;
        let (rows, of) = (differing(&again, predictions, 0.0), self.test.len());
        Ok(Some(match rows {
            0 => "a fit goes on from the fit before it: begin each fit afresh".to_owned(),
            rows => format!(
                "two fits with the same seed give other predictions ({rows} of {of} rows): take every random choice from the seed of the \
                 task, and no choice from the time or from the order in which threads end"
            ),
        }))
    }

    /// Inputs of another kind are refused.
    fn other_kinds(&self, model: &mut dyn Model) -> Result<Option<String>, String> {
        let text = |second: Option<&str>| Text { first: "a text".to_owned(), second: second.map(str::to_owned) };
        let wrong = match &self.test.inputs {
            Inputs::Images(_) => vec![Inputs::Texts(vec![text(None)])],
            Inputs::Table(table) => {
                let mut more = table.columns.as_ref().clone();
                more.numbers.push("another".to_owned());
                let numbers = vec![1.0; more.numbers.len()];
                let categories = table.categories_of(0).to_vec();
                let wider = Table { columns: Arc::new(more), numbers, categories };
                // One column has another name.
                let mut renamed = self.test.inputs.select(&[0]);
                if let Inputs::Table(table) = &mut renamed {
                    let columns = Arc::make_mut(&mut table.columns);
                    columns
                        .numbers
                        .iter_mut()
                        .chain(&mut columns.categories)
                        .take(1)
                        .for_each(|name| name.push_str(" 2"));
                }
                vec![Inputs::Texts(vec![text(None)]), Inputs::Table(wider), renamed]
            }
            Inputs::Texts(texts) => {
                let is_pair = texts.first().is_some_and(|text| text.second.is_some());
                let image = Images { channels: 1, height: 1, width: 1, pixels: vec![0] };
                vec![Inputs::Images(image), Inputs::Texts(vec![text((!is_pair).then_some("another"))])]
            }
        };
        let answered = wrong.iter().any(|inputs| model.predict(inputs).is_ok());
        Ok(answered
            .then(|| "it answers inputs of another kind than it has learned from: answer with an error".to_owned()))
    }
}

/// Checks that a few rows have the same predictions alone as among others.
///
/// # Errors
/// Names the first row that has another one, or says why it could not be predicted.
pub fn keeps_rows(model: &mut dyn Model, inputs: &Inputs, predictions: &Predictions) -> Result<(), String> {
    const ROWS: usize = 8;
    for row in (0..inputs.len()).step_by(inputs.len().div_ceil(ROWS).max(1)) {
        let alone = model.predict(&inputs.select(&[row])).map_err(|error| format!("it could not predict: {error}"))?;
        if differing(&alone, &select(predictions, &[row]), TOLERANCE) > 0 {
            return Err(format!(
                "test row {row} alone has another prediction than among others: the first prediction must be that of the first row, and \
                 must not depend on other rows"
            ));
        }
    }
    Ok(())
}

/// How far apart two predictions of one row may be if the rows beside it are others: what another size of a product does to its last bits.
const TOLERANCE: f32 = 1e-3;

/// How many rows differ, each number by more than `tolerance` of its size. All of them, if the predictions are of another number or kind.
fn differing(left: &Predictions, right: &Predictions, tolerance: f32) -> usize {
    let near = |a: &f32, b: &f32| a.to_bits() == b.to_bits() || (a - b).abs() <= tolerance * (1.0 + b.abs());
    let rows_near = |a: &Matrix, b: &Matrix, row: usize| a.row(row).iter().zip(b.row(row)).all(|(a, b)| near(a, b));
    match (left, right) {
        (Predictions::Values(a), Predictions::Values(b)) if a.len() == b.len() => {
            a.iter().zip(b).filter(|(a, b)| !near(a, b)).count()
        }
        (
            Predictions::Classes { labels: a, probabilities: Some(p) },
            Predictions::Classes { labels: b, probabilities: Some(q) },
        ) if a.len() == b.len() && p.cols == q.cols => {
            // Two classes that are as likely as each other may change places.
            (0..a.len()).filter(|&row| !rows_near(p, q, row) || tolerance == 0.0 && a[row] != b[row]).count()
        }
        (
            Predictions::Classes { labels: a, probabilities: None },
            Predictions::Classes { labels: b, probabilities: None },
        ) if a.len() == b.len() => a.iter().zip(b).filter(|(a, b)| a != b).count(),
        _ => match right {
            Predictions::Classes { labels, .. } => labels.len(),
            Predictions::Values(values) => values.len(),
        },
    }
}

/// The predictions at `rows`.
fn select(predictions: &Predictions, rows: &[usize]) -> Predictions {
    match predictions {
        Predictions::Values(values) => Predictions::Values(rows.iter().map(|&row| values[row]).collect()),
        Predictions::Classes { labels, probabilities } => Predictions::Classes {
            labels: rows.iter().map(|&row| labels[row]).collect(),
            probabilities: probabilities.as_ref().map(|matrix| Matrix {
                rows: rows.len(),
                cols: matrix.cols,
                data: rows.iter().flat_map(|&row| matrix.row(row).to_vec()).collect(),
            }),
        },
    }
}

/// Scores epochs as the instrument does, and checks how they are reported.
struct Judge<'a> {
    validation: &'a Split,
    primary: &'a str,
    epochs: usize,
}

impl Watch for Judge<'_> {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.epochs += 1;
        if report.epoch != self.epochs {
            let (epoch, expected) = (report.epoch, self.epochs);
            return Err(ModelError::Failed(format!("it reports epoch {epoch} where epoch {expected} comes")));
        }
        self.part_epoch(report)
    }

    fn part_epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        if !report.train_loss.is_finite() {
            return Err(ModelError::Failed(format!("the loss of epoch {} is {}", report.epoch, report.train_loss)));
        }
        let scores = scoring::score(&self.validation.targets, report.validation);
        let scores = scores.map_err(|error| ModelError::Failed(format!("in epoch {}: {error}", report.epoch)))?;
        let better = metric(self.primary).map_or(Better::Higher, |metric| metric.better);
        // A correlation with a constant answer is undefined.
        let score = scores.iter().find(|(name, _)| *name == self.primary);
        Ok(score.map_or(f64::NEG_INFINITY, |(_, score)| better.goodness(*score)))
    }

    fn progress(&mut self, _: usize, _: usize) {}
}
