//! The rows of a case, and what is known about them before a model sees them.

use bakeoff_datasets::{Leakage, Split, Splits, Targets, carve_validation, class_counts, leakage, train_rows};
use bakeoff_models::ModelEntry;

use crate::case::Case;

/// The share of the training rows that is set aside for validation.
const VALIDATION_SHARE: f64 = 0.1;

/// The rows of a case. They are the same for every model; only what a model does with the validation rows differs.
#[derive(Debug)]
pub struct Rows {
    /// The rows that a model learns from.
    pub train: Split,
    /// The training rows that are set aside for choosing among epochs or parameters.
    pub validation: Split,
    /// The rows to be scored on.
    pub test: Split,
    /// More splits to be scored on, with their names.
    pub further: Vec<(&'static str, Split)>,
    /// The targets of all rows given to the case: training and validation.
    pub given: Targets,
    /// The test rows that are among all rows given to the case.
    pub leakage: Leakage,
    /// The rows that the model of the case learns from.
    pub learned: LearnedRows,
}

impl Rows {
    /// Chooses the rows of `case`, a case of `model`, from those of its task.
    ///
    /// # Panics
    /// If the task has fewer training rows than the case wants.
    pub fn choose(splits: Splits, case: &Case, model: &dyn ModelEntry) -> Rows {
        let Splits { train, test, further } = splits;
        let few = |split: Split| match case.test_rows {
            Some(count) if count < split.len() => split.select(&(0..count).collect::<Vec<_>>()),
            _ => split,
        };
        let test = few(test);
        let given = given(&train, case);
        let leakage = leakage(&given, &test);
        let learned = LearnedRows::by(model, &given, case);
        let (train, validation) = carve(&given, case);
        let further = further.into_iter().map(|(name, split)| (name, few(split))).collect();
        Rows { train, validation, test, further, given: given.targets, leakage, learned }
    }
}

/// The training rows given to `case`, validation included.
///
/// # Panics
/// As for [`Rows::choose`].
pub fn given(train: &Split, case: &Case) -> Split {
    train.select(&train_rows(&train.targets, case.train_size, case.rows_seed()))
}

/// Divides the rows given to a case into those to learn from and those set aside for validation.
fn carve(given: &Split, case: &Case) -> (Split, Split) {
    let count = (case.train_size as f64 * VALIDATION_SHARE).round() as usize;
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

/// Classes that have too few rows to be learned.
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
        if model.learns_from_validation() {
            LearnedRows::from(&given.targets)
        } else {
            LearnedRows::from(&carve(given, case).0.targets)
        }
    }

    fn from(targets: &Targets) -> LearnedRows {
        let classes = match targets {
            Targets::Values(_) => None,
            Targets::Classes { names, .. } => {
                let counts = class_counts(targets);
                let with = |wanted: usize| {
                    let found = names.iter().zip(&counts).filter(|(_, count)| **count == wanted);
                    found.map(|(name, _)| name.clone()).collect()
                };
                Some(RareClasses { without_rows: with(0), with_one_row: with(1) })
            }
        };
        LearnedRows { examples: targets.len(), classes }
    }
}

/// A list of names that stays readable if there are very many.
pub fn listed(names: &[String]) -> String {
    const MOST: usize = 20;
    let first = names[..names.len().min(MOST)].join(", ");
    if names.len() > MOST { format!("{first} and {} more", names.len() - MOST) } else { first }
}
