//! The rows of a case, and what is known about them before a model sees them.

use bakeoff_datasets::{
    Inputs, Leakage, Split, Splits, Targets, carve_validation, class_counts, folds, leakage, other_rows,
    repeated_inputs, train_rows, with_label_noise,
};
use bakeoff_models::ModelEntry;

use crate::case::{Case, Fold};

/// The share of the training rows that is set aside for validation.
const VALIDATION_SHARE: f64 = 0.1;

/// The most training rows that are scored. More would say little more, and predicting them takes time.
const MAX_SCORED_TRAINING_ROWS: usize = 1000;

/// The rows of a case. They are the same for every model; only what a model does with the validation rows differs.
#[derive(Debug)]
pub struct Rows {
    /// The rows that a model learns from.
    pub train: Split,
    /// The training rows that are set aside for choosing among epochs or parameters.
    pub validation: Split,
    /// Training rows of the task that are not given to the case, without their targets; `None` if the model asks for none. No row
    /// that is scored is among them.
    pub unlabelled: Option<Inputs>,
    /// The validation rows that the model would learn from, and is not given because its fit is judged by them.
    pub withheld: Option<Split>,
    /// The rows to be scored on: the test rows of the task, those of the case's fold, or those held out of a
    /// search trial.
    pub test: Split,
    /// More splits to be scored on, with their names.
    pub further: Vec<(&'static str, Split)>,
    /// The targets of all rows given to the case, training and validation, before any label was made wrong.
    pub true_targets: Targets,
    /// The test rows that are among all rows given to the case, before any label was made wrong.
    pub leakage: Leakage,
    /// How many test rows are among the unlabelled ones; `None` if there are none of these, and for a search trial.
    pub leaked_unlabelled: Option<usize>,
    /// How many rows given to the case have a label that was made wrong.
    pub noisy_labels: usize,
    /// The rows that the model of the case learns from.
    pub learned: LearnedRows,
}

impl Rows {
    /// Chooses the rows of `case`, a case of `model`, from those of its task.
    ///
    /// # Panics
    /// If the task has fewer training rows than the case wants, unlabelled ones included.
    pub fn choose(splits: Splits, case: &Case, model: &dyn ModelEntry) -> Rows {
        let Splits { train, test, further } = splits;
        let few = |split: Split| match case.test_rows {
            Some(count) if count < split.len() => split.select(&(0..count).collect::<Vec<_>>()),
            _ => split,
        };
        let GivenRows { mut rows, noisy, fold } = given(&train, case);
        let unlabelled = unlabelled(&train, case, model);
        if case.trial.is_some() {
            return Rows { unlabelled, ..Rows::of_trial(rows, noisy, case, model) };
        }
        let (test, further) = match fold {
            Some(fold) => (few(fold), Vec::new()),
            None => (few(test), further),
        };
        let leakage = leakage(&rows, &test);
        let leaked_unlabelled = unlabelled.as_ref().map(|rows| repeated_inputs(rows, &test.inputs));
        let (noisy_targets, noisy_labels) = noisy.unwrap_or_else(|| (rows.targets.clone(), 0));
        let true_targets = std::mem::replace(&mut rows.targets, noisy_targets);
        let learned = LearnedRows::by(model, &rows, case);
        let (train, validation) = carve(&rows, case);
        let (validation, withheld) = if model.learns_from_validation() && case.judged_by().is_some() {
            (validation.select(&[]), Some(validation))
        } else {
            (validation, None)
        };
        let further = further.into_iter().map(|(name, split)| (name, few(split))).collect();
        Rows {
            train,
            validation,
            unlabelled,
            withheld,
            test,
            further,
            true_targets,
            leakage,
            leaked_unlabelled,
            noisy_labels,
            learned,
        }
    }

    /// The training rows that are scored after the fit: the first ones that every model learns from, as many as there are
    /// test rows, with the labels that the model saw.
    pub fn learned_sample(&self) -> Split {
        self.train.select(&(0..self.learned_sample_len()).collect::<Vec<_>>())
    }

    fn learned_sample_len(&self) -> usize {
        self.train.len().min(self.test.len()).min(MAX_SCORED_TRAINING_ROWS)
    }

    /// The inputs of the training rows that nothing asks a model to predict: all but those that are scored.
    pub fn never_predicted(&self, case: &Case) -> Inputs {
        let predicted = if case.train_score { self.learned_sample_len() } else { 0 };
        self.train.inputs.select(&(predicted..self.train.len()).collect::<Vec<_>>())
    }

    /// The rows of a search trial. It is scored on the validation rows that `given` has for the case that is scored, and
    /// what it learns from has validation rows of its own: a model never sees the rows that it is chosen by. The rows of a
    /// larger divisor are among those of a smaller one. It says nothing of unlabelled rows.
    fn of_trial(mut rows: Split, noisy: Option<(Targets, usize)>, case: &Case, model: &dyn ModelEntry) -> Rows {
        let mut noisy_labels = 0;
        if let Some((targets, changed)) = noisy {
            (rows.targets, noisy_labels) = (targets, changed);
        }
        let (mut learning, held_out) = carve(&rows, case);
        if case.row_divisor > 1 {
            let few = train_rows(&learning.targets, learning.len() / case.row_divisor, case.rows_seed());
            learning = learning.select(&few);
        }
        let learned = LearnedRows::by(model, &learning, case);
        let (train, validation) = carve(&learning, case);
        Rows {
            train,
            validation,
            unlabelled: None,
            withheld: None,
            test: held_out,
            further: Vec::new(),
            true_targets: learning.targets,
            leakage: Leakage::default(),
            leaked_unlabelled: None,
            noisy_labels,
            learned,
        }
    }
}

/// The training rows of a task that a case uses.
#[derive(Debug)]
pub struct GivenRows {
    /// The rows given to the case to learn from, validation included, with their true targets.
    pub rows: Split,
    /// Their targets with the labels that were made wrong, and how many those are; `None` without label noise.
    pub noisy: Option<(Targets, usize)>,
    /// The rows of the case's fold, if it has one.
    pub fold: Option<Split>,
}

/// The training rows that `case` uses.
///
/// # Panics
/// As for [`Rows::choose`].
pub fn given(train: &Split, case: &Case) -> GivenRows {
    let drawn = train.select(&drawn_rows(train, case));
    // Before the rows are divided, so that a row has the same label in every fold that learns from it.
    let noisy = (case.label_noise > 0.0).then(|| with_label_noise(&drawn.targets, case.label_noise, case.noise_seed()));
    let Some(Fold { fold, folds: count, .. }) = case.fold else { return GivenRows { rows: drawn, noisy, fold: None } };
    let fold_of = folds(&drawn.targets, count, case.folds_seed());
    let (inside, outside): (Vec<usize>, Vec<usize>) = (0..drawn.len()).partition(|&row| fold_of[row] == fold - 1);
    let rows = drawn.select(&outside);
    let noisy = noisy.map(|(targets, _)| {
        let targets = targets.select(&outside);
        let changed = differing(&rows.targets, &targets);
        (targets, changed)
    });
    GivenRows { rows, noisy, fold: Some(drawn.select(&inside)) }
}

/// The training rows of the task that `case` is given, or that are divided into its folds.
fn drawn_rows(train: &Split, case: &Case) -> Vec<usize> {
    train_rows(&train.targets, case.train_size, case.draw_seed())
}

/// The rows without targets that `case`, a case of `model`, is given: some of those that were not drawn for it. So none of its
/// validation rows, of the rows of its fold or of those held out of a search trial is among them. `None` if it asks for none.
///
/// # Panics
/// As for [`Rows::choose`].
pub fn unlabelled(train: &Split, case: &Case, model: &dyn ModelEntry) -> Option<Inputs> {
    let count = case.unlabelled_rows(model);
    if count == 0 {
        return None;
    }
    let rows = other_rows(train.len(), &drawn_rows(train, case), count, case.unlabelled_seed());
    Some(train.inputs.select(&rows))
}

/// How many labels differ.
fn differing(one: &Targets, other: &Targets) -> usize {
    match (one, other) {
        (Targets::Classes { labels, .. }, Targets::Classes { labels: others, .. }) => {
            labels.iter().zip(others).filter(|(label, other)| label != other).count()
        }
        _ => 0,
    }
}

/// Divides the rows given to a case into those to learn from and those set aside for validation.
fn carve(given: &Split, case: &Case) -> (Split, Split) {
    let count = (given.len() as f64 * VALIDATION_SHARE).round() as usize;
    carve_validation(given, count, case.rows_seed())
}

/// The rows that a model really learns from: all rows given to a case, or all except the validation rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnedRows {
    /// How many there are.
    pub examples: usize,
    /// Classes with too few of them; `None` for a regression.
    pub classes: Option<RareClasses>,
}

/// Classes with too few rows to learn them or to be scored on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RareClasses {
    /// The names of the classes without a row.
    pub without_rows: Vec<String>,
    /// The names of the classes with a single row.
    pub with_one_row: Vec<String>,
}

impl LearnedRows {
    /// The rows from which `model` learns, among those given to `case`. How many rows each class has does not depend on
    /// the seed.
    pub fn by(model: &dyn ModelEntry, given: &Split, case: &Case) -> LearnedRows {
        if model.learns_from_validation() && case.judged_by().is_none() {
            LearnedRows::from(&given.targets)
        } else {
            LearnedRows::from(&carve(given, case).0.targets)
        }
    }

    fn from(targets: &Targets) -> LearnedRows {
        LearnedRows { examples: targets.len(), classes: RareClasses::of(targets) }
    }
}

impl RareClasses {
    /// Those of `targets`; `None` if the targets are numbers.
    pub fn of(targets: &Targets) -> Option<RareClasses> {
        let Targets::Classes { names, .. } = targets else { return None };
        let counts = class_counts(targets);
        let with = |wanted: usize| {
            let found = names.iter().zip(&counts).filter(|(_, count)| **count == wanted);
            found.map(|(name, _)| name.clone()).collect()
        };
        Some(RareClasses { without_rows: with(0), with_one_row: with(1) })
    }
}

/// A list of names that stays readable if there are very many.
pub fn listed(names: &[String]) -> String {
    const MOST: usize = 20;
    let first = names[..names.len().min(MOST)].join(", ");
    if names.len() > MOST { format!("{first} and {} more", names.len() - MOST) } else { first }
}
