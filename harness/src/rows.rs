//! The rows of a case, and what is known of them before a model sees them.

use bakeoff_datasets::{
    Leakage, Split, Splits, Targets, carve_validation, class_counts, folds, leakage, train_rows, with_label_noise,
};
use bakeoff_models::ModelEntry;

use crate::case::{Case, Fold};

/// Share of the training rows that is kept for validation.
const VALIDATION_SHARE: f64 = 0.1;

/// The rows of a case: the same for every model, but for what a model does with the validation rows.
#[derive(Debug)]
pub struct Rows {
    /// Rows that a model learns from.
    pub train: Split,
    /// Training rows set aside for choosing among epochs or parameters.
    pub validation: Split,
    /// Rows to be scored on: the test rows of the task, those of the case's fold, or those held out of a search trial.
    pub test: Split,
    /// More splits to be scored on, with their names.
    pub further: Vec<(&'static str, Split)>,
    /// The targets of all rows to learn from: training and validation.
    pub given: Targets,
    /// Test rows that are among all rows given to the case, before any of their labels was made wrong. A search trial sees no
    /// test rows and has none.
    pub leakage: Leakage,
    /// Rows given to the case whose labels were made wrong.
    pub noisy_labels: usize,
    /// The rows that the model of the case learns from.
    pub learned: LearnedRows,
}

impl Rows {
    /// The rows of `case`, a case of `model`, among those of its task.
    ///
    /// # Panics
    /// If the task has fewer training rows than the case wants.
    pub fn choose(splits: Splits, case: &Case, model: &dyn ModelEntry) -> Rows {
        let Splits { train, test, further } = splits;
        let few = |split: Split| match case.test_rows {
            Some(count) if count < split.len() => split.select(&(0..count).collect::<Vec<_>>()),
            _ => split,
        };
        let Given { rows: mut given, fold } = given(&train, case);
        if case.trial.is_some() {
            return Rows::of_trial(given, case, model);
        }
        let (test, further) = match fold {
            Some(fold) => (few(fold), Vec::new()),
            None => (few(test), further),
        };
        let leakage = leakage(&given, &test);
        let noisy_labels;
        (given.targets, noisy_labels) = with_label_noise(&given.targets, case.label_noise, case.noise_seed());
        let learned = LearnedRows::by(model, &given, case);
        let (train, validation) = carve(&given, case);
        let further = further.into_iter().map(|(name, split)| (name, few(split))).collect();
        Rows { train, validation, test, further, given: given.targets, leakage, noisy_labels, learned }
    }

    /// The rows of a search trial. It is scored on the validation rows that `given` has for the case that is scored, and
    /// what it learns from has validation rows of its own: a model never sees the rows that it is chosen by.
    fn of_trial(mut given: Split, case: &Case, model: &dyn ModelEntry) -> Rows {
        let noisy_labels;
        (given.targets, noisy_labels) = with_label_noise(&given.targets, case.label_noise, case.noise_seed());
        let (learning, held_out) = carve(&given, case);
        let learned = LearnedRows::by(model, &learning, case);
        let (train, validation) = carve(&learning, case);
        Rows {
            train,
            validation,
            test: held_out,
            further: Vec::new(),
            given: learning.targets,
            leakage: Leakage::default(),
            noisy_labels,
            learned,
        }
    }
}

/// The training rows of a task that a case uses.
#[derive(Debug)]
pub struct Given {
    /// The rows given to the case to learn from, validation included.
    pub rows: Split,
    /// The rows of the case's fold, if it has one.
    pub fold: Option<Split>,
}

/// The training rows that `case` uses, their labels as they are.
///
/// # Panics
/// As for [`Rows::choose`].
pub fn given(train: &Split, case: &Case) -> Given {
    let rows = train.select(&train_rows(&train.targets, case.train_size, case.rows_seed()));
    let Some(Fold { fold, folds: count, .. }) = case.fold else { return Given { rows, fold: None } };
    let fold_of = folds(&rows.targets, count, case.folds_seed());
    let select = |is_wanted: &dyn Fn(usize) -> bool| {
        rows.select(&(0..rows.len()).filter(|&row| is_wanted(fold_of[row])).collect::<Vec<_>>())
    };
    Given { rows: select(&|other| other != fold - 1), fold: Some(select(&|other| other == fold - 1)) }
}

/// The rows given to a case as those to learn from and those set aside for validation.
fn carve(given: &Split, case: &Case) -> (Split, Split) {
    let count = (given.len() as f64 * VALIDATION_SHARE).round() as usize;
    carve_validation(given, count, case.rows_seed())
}

/// The rows that a model really learns from: all rows given to a case, or all but the validation rows.
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
    /// The names of those without a row.
    pub without_rows: Vec<String>,
    /// The names of those with a single row.
    pub with_one_row: Vec<String>,
}

impl LearnedRows {
    /// What `model` learns from among the rows given to `case`. How many rows each class has does not depend on the seed.
    pub fn by(model: &dyn ModelEntry, given: &Split, case: &Case) -> LearnedRows {
        if model.learns_from_validation() {
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

/// Names as a list that stays readable where there are very many.
pub fn listed(names: &[String]) -> String {
    const MOST: usize = 20;
    let first = names[..names.len().min(MOST)].join(", ");
    if names.len() > MOST { format!("{first} and {} more", names.len() - MOST) } else { first }
}
