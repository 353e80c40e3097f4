//! Which of ten things a small photograph shows.

use std::sync::Arc;

use bakeoff_datasets::{self as datasets, DataFile, Dataset, DatasetError, Splits, Store};
use bakeoff_models::InputShape;

use super::Task;

/// The inputs of every task on CIFAR-10.
pub(super) const IMAGES: InputShape = InputShape::Images { channels: 3, height: 32, width: 32 };

/// CIFAR-10's ten classes.
pub(super) struct Cifar10;

impl Task for Cifar10 {
    fn name(&self) -> &'static str {
        "cifar10"
    }

    fn about(&self) -> &'static str {
        "which of ten classes a 32 x 32 colour photograph shows"
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
        IMAGES
    }

    fn classes(&self) -> Arc<[String]> {
        datasets::Cifar10.classes().iter().map(|name| (*name).to_owned()).collect()
    }

    fn rows(&self) -> usize {
        datasets::Cifar10.train_rows()
    }

    fn files(&self) -> &'static [DataFile] {
        datasets::Cifar10.files()
    }

    fn load(&self, store: &Store) -> Result<Splits, DatasetError> {
        datasets::Cifar10.load(store)
    }
}
