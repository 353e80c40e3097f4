//! The rows of a case, and what is known of them before a model sees them.

use bakeoff_datasets::{Leakage, Split, Splits, Targets, carve_validation, class_counts, leakage, train_rows};

use crate::case::Case;

/// Share of the training rows that is kept for validation.
const VALIDATION_SHARE: f64 = 0.1;

/// The rows of a case: the same for every model.
#[derive(Debug)]
pub struct Rows {
    /// Rows that a model learns from.
    pub train: Split,
    /// Training rows set aside for choosing among epochs or parameters.
    pub validation: Split,
    /// Rows to be scored on.
    pub test: Split,
    /// More splits to be scored on, with their names.
    pub further: Vec<(&'static str, Split)>,
    /// The targets of all rows given to the case: training and validation.
    pub given: Targets,
    /// What is known of them.
    pub facts: Facts,
}

impl Rows {
    /// The rows of `case` among those of its task.
    ///
    /// # Panics
    /// If the task has fewer training rows than the case wants.
    pub fn choose(splits: Splits, case: &Case) -> Rows {
        let Splits { train, test, further } = splits;
        let few = |split: Split| match case.test_rows {
            Some(count) if count < split.len() => split.select(&(0..count).collect::<Vec<_>>()),
            _ => split,
        };
        let test = few(test);
        let given = given(&train, case);
        let facts = Facts::of(&given, &test);
        let count = (case.train_size as f64 * VALIDATION_SHARE).round() as usize;
        let (train, validation) = carve_validation(&given, count, case.rows_seed());
        let further = further.into_iter().map(|(name, split)| (name, few(split))).collect();
        Rows { train, validation, test, further, given: given.targets, facts }
    }
}

/// The training rows given to `case`, validation included.
///
/// # Panics
/// As for [`Rows::choose`].
pub fn given(train: &Split, case: &Case) -> Split {
    train.select(&train_rows(&train.targets, case.train_size, case.rows_seed()))
}

/// What no score tells of the rows that a case learns from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// How many there are, validation included.
    pub examples: usize,
    /// How many of them each class has; `None` for a regression.
    pub classes: Option<ClassFacts>,
    /// Test rows that are among them.
    pub leakage: Leakage,
}

/// Classes of which a case sees too little to learn them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassFacts {
    /// The names of those without a row.
    pub without_rows: Vec<String>,
    /// The names of those with a single row.
    pub with_one_row: Vec<String>,
}

impl Facts {
    /// Looks at all rows given to a case, and at those it is scored on.
    pub fn of(given: &Split, test: &Split) -> Facts {
        let classes = match &given.targets {
            Targets::Values(_) => None,
            targets @ Targets::Classes { names, .. } => {
                let counts = class_counts(targets);
                let with = |wanted: usize| {
                    let found = names.iter().zip(&counts).filter(|(_, count)| **count == wanted);
                    found.map(|(name, _)| name.clone()).collect()
                };
                Some(ClassFacts { without_rows: with(0), with_one_row: with(1) })
            }
        };
        Facts { examples: given.len(), classes, leakage: leakage(given, test) }
    }
}

/// Names as a list that stays readable where there are very many.
pub fn listed(names: &[String]) -> String {
    const MOST: usize = 20;
    let first = names[..names.len().min(MOST)].join(", ");
    if names.len() > MOST { format!("{first} and {} more", names.len() - MOST) } else { first }
}
