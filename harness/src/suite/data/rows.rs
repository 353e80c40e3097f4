//! The settings that say where the rows of a user's data are and which of them are test rows.

use std::path::PathBuf;

use bakeoff_datasets::own::{Part, TestRows};

use super::keys::Keys;
use crate::suite::SuiteError;

/// The seed that chooses the test rows if a suite does not state one.
const DEFAULT_SPLIT_SEED: u64 = 1;

/// The settings that every format has, as written. Also the label files, which only IDX has.
pub(super) struct RowSettings {
    train: Option<Vec<PathBuf>>,
    train_labels: Option<Vec<PathBuf>>,
    test: Option<Vec<PathBuf>>,
    test_labels: Option<Vec<PathBuf>>,
    test_part: Option<f64>,
    split_seed: Option<u64>,
}

impl RowSettings {
    pub(super) fn take(has_labels: bool, keys: &mut Keys<'_>) -> Result<RowSettings, SuiteError> {
        Ok(RowSettings {
            train: keys.paths("train")?,
            train_labels: if has_labels { keys.paths("train_labels")? } else { None },
            test: keys.paths("test")?,
            test_labels: if has_labels { keys.paths("test_labels")? } else { None },
            test_part: keys.take("test_part")?,
            split_seed: keys.take("split_seed")?,
        })
    }

    pub(super) fn check(self, has_labels: bool, keys: &Keys<'_>) -> Result<(Vec<Part>, TestRows), SuiteError> {
        let parts = |key: &str, files: Vec<PathBuf>, labels: Option<Vec<PathBuf>>| {
            if files.is_empty() {
                return Err(keys.fault(key, "an empty list: give at least one path"));
            }
            if !has_labels {
                return Ok(files.into_iter().map(|path| Part { path, labels: None }).collect());
            }
            let labels = labels.unwrap_or_default();
            if labels.len() != files.len() {
                let count = files.len();
                let message = format!("{key}_labels must name a file of labels for each of the {count} given here");
                return Err(keys.fault(key, message));
            }
            Ok(files.into_iter().zip(labels).map(|(path, labels)| Part { path, labels: Some(labels) }).collect())
        };
        let only_with = |key: &str, other: &str| {
            Err(keys.fault(key, format!("{key} is only used with {other}, which is not given")))
        };
        let train = self.train.ok_or_else(|| keys.missing("train", "name the file or folder of the training rows"))?;
        let train = parts("train", train, self.train_labels)?;
        let test = match (self.test, self.test_part) {
            (Some(_), None) if self.split_seed.is_some() => return only_with("split_seed", "test_part"),
            (Some(files), None) => TestRows::Parts(parts("test", files, self.test_labels)?),
            (None, Some(_)) if self.test_labels.is_some() => return only_with("test_labels", "test"),
            (None, Some(share)) if share > 0.0 && share < 1.0 => {
                TestRows::Share { share, seed: self.split_seed.unwrap_or(DEFAULT_SPLIT_SEED) }
            }
            (None, Some(_)) => {
                let message = "test_part must be a share above 0 and below 1, such as 0.2";
                return Err(keys.fault("test_part", message));
            }
            (Some(_), Some(_)) => {
                let message = "test and test_part are both given: keep one of them";
                return Err(keys.fault("test_part", message));
            }
            (None, None) if self.split_seed.is_some() => return only_with("split_seed", "test_part"),
            (None, None) if self.test_labels.is_some() => return only_with("test_labels", "test"),
            // The plan refuses it without folds.
            (None, None) => TestRows::None,
        };
        Ok((train, test))
    }
}
