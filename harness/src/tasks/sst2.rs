//! Whether a phrase of a film review is favourable.

use std::sync::Arc;

use bakeoff_datasets::{self as datasets, DataFile, Dataset, DatasetError, Splits, Store};
use bakeoff_models::InputShape;

use super::Task;

/// GLUE's SST-2, scored on its dev sentences: the test labels are not public.
pub(super) struct Sst2;

impl Task for Sst2 {
    fn name(&self) -> &'static str {
        "sst2"
    }

    fn about(&self) -> &'static str {
        "whether a sentence of a film review is favourable (GLUE SST-2, dev split)"
    }

    fn version(&self) -> u32 {
        1
    }

    fn primary(&self) -> &'static str {
        "accuracy"
    }

    fn unit(&self) -> &'static str {
        ""
    }

    fn input(&self) -> InputShape {
        InputShape::Texts { pairs: false }
    }

    fn classes(&self) -> Arc<[String]> {
        datasets::Sst2.classes().iter().map(|name| (*name).to_owned()).collect()
    }

    fn rows(&self) -> usize {
        datasets::Sst2.train_rows()
    }

    fn files(&self) -> &'static [DataFile] {
        datasets::Sst2.files()
    }

    fn load(&self, store: &Store) -> Result<Splits, DatasetError> {
        datasets::Sst2.load(store)
    }
}
