//! The rows of a case.

use bakeoff_datasets::{Split, Splits, Store, Targets, carve_validation, train_rows};

use super::Stop;
use crate::case::Case;
use crate::tasks::Task;

/// Share of the training rows that is kept for validation.
const VALIDATION_SHARE: f64 = 0.1;

/// The rows of a case: the same for every model.
pub(super) struct Rows {
    pub(super) train: Split,
    pub(super) validation: Split,
    pub(super) test: Split,
    /// More splits to be scored on, with their names.
    pub(super) further: Vec<(&'static str, Split)>,
    /// The targets of all rows given to the case: training and validation.
    pub(super) given: Targets,
}

impl Rows {
    pub(super) fn load(task: &dyn Task, case: &Case, store: &Store) -> Result<Rows, Stop> {
        let Splits { train, test, further } = task.load(store).map_err(Stop::failed)?;
        let seed = case.rows_seed();
        let given = train.select(&train_rows(&train.targets, case.train_size, seed));
        let (train, validation) =
            carve_validation(&given, (case.train_size as f64 * VALIDATION_SHARE).round() as usize, seed);
        let few = |split: Split| match case.test_rows {
            Some(count) if count < split.len() => split.select(&(0..count).collect::<Vec<_>>()),
            _ => split,
        };
        let further = further.into_iter().map(|(name, split)| (name, few(split))).collect();
        Ok(Rows { train, validation, test: few(test), further, given: given.targets })
    }
}
