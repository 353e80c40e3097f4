//! By which angle a photograph was turned: a regression on images.

use std::sync::Arc;

use bakeoff_datasets::{self as datasets, DataFile, Dataset, DatasetError, Inputs, Split, Splits, Store, rotate};
use bakeoff_models::InputShape;

use super::Task;
use super::cifar10::IMAGES;

/// CIFAR-10's images, each turned by a seeded angle in [-60°, 60°], reflected at the border. The angles are part of the
/// task, not of a case: every seed of a case sees the same images.
pub(super) struct Cifar10Rotation;

const TRAIN_ANGLES: u64 = 0x7261_696e;
const TEST_ANGLES: u64 = 0x7465_7374;

impl Task for Cifar10Rotation {
    fn name(&self) -> &'static str {
        "cifar10-rotation"
    }

    fn about(&self) -> &'static str {
        "by which angle in [-60°, 60°] a photograph was turned"
    }

    fn version(&self) -> u32 {
        1
    }

    fn primary(&self) -> &'static str {
        "mse"
    }

    fn unit(&self) -> &'static str {
        "°"
    }

    fn input(&self) -> InputShape {
        IMAGES
    }

    fn classes(&self) -> Arc<[String]> {
        Arc::new([])
    }

    fn mirror_negates(&self) -> bool {
        true
    }

    fn rows(&self) -> usize {
        datasets::Cifar10.train_rows()
    }

    fn files(&self) -> &'static [DataFile] {
        datasets::Cifar10.files()
    }

    fn load(&self, store: &Store) -> Result<Splits, DatasetError> {
        let Splits { train, test } = datasets::Cifar10.load(store)?;
        Ok(Splits { train: turned(train, TRAIN_ANGLES), test: turned(test, TEST_ANGLES) })
    }
}

fn turned(split: Split, seed: u64) -> Split {
    match split.inputs {
        Inputs::Images(images) => rotate(&images, seed),
        Inputs::Texts(_) => unreachable!("CIFAR-10 holds images"),
    }
}
