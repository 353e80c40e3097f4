//! The tasks on official datasets: one row each.

use std::sync::Arc;

use bakeoff_datasets::{
    COLA, Cifar10, Cifar10Sample, DataFile, Dataset, DatasetError, Inputs, MNLI, MRPC, QNLI, QQP, RTE, SST2, STSB,
    Split, Splits, Sst2Sample, Store, WNLI, rotate,
};
use bakeoff_models::InputShape;

use super::{Family, Task};

/// A task on an official dataset. Its primary metric is the one by which the dataset's authors rank.
pub(super) struct Official {
    name: &'static str,
    about: &'static str,
    primary: &'static str,
    input: InputShape,
    dataset: &'static dyn Dataset,
    family: Option<&'static Family>,
    /// Whether the dataset's targets are replaced: the task is then to predict the angle by which each image was
    /// turned.
    turned: bool,
}

const IMAGES: InputShape = InputShape::Images { channels: 3, height: 32, width: 32 };
const TEXTS: InputShape = InputShape::Texts { pairs: false };
const PAIRS: InputShape = InputShape::Texts { pairs: true };

const fn official(
    name: &'static str,
    about: &'static str,
    primary: &'static str,
    input: InputShape,
    dataset: &'static dyn Dataset,
) -> Official {
    Official { name, about, primary, input, dataset, family: None, turned: false }
}

/// A task of GLUE that has no line of its own in the overview.
const fn glue(
    name: &'static str,
    about: &'static str,
    primary: &'static str,
    input: InputShape,
    dataset: &'static dyn Dataset,
) -> Official {
    Official { family: Some(&GLUE), ..official(name, about, primary, input, dataset) }
}

static GLUE: Family = Family { names: "cola, mrpc, stsb, qqp, mnli, qnli, rte, wnli", about: "the rest of GLUE" };

/// CIFAR-10's images, each turned by a seeded angle in [-60°, 60°] and reflected at the border. The angles belong to
/// the task and not to a case, so every seed sees the same images.
const fn turned(name: &'static str, about: &'static str, dataset: &'static dyn Dataset) -> Official {
    Official { name, about, primary: "mse", input: IMAGES, dataset, family: None, turned: true }
}

const TRAIN_ANGLES: u64 = 0x7261_696e;
const TEST_ANGLES: u64 = 0x7465_7374;

pub(super) static CIFAR10: Official =
    official("cifar10", "which of ten classes a 32 x 32 colour photograph shows", "accuracy", IMAGES, &Cifar10Sample);
pub(super) static CIFAR10_ROTATION: Official =
    turned("cifar10-rotation", "by which angle in [-60°, 60°] a photograph was turned", &Cifar10Sample);
pub(super) static SST2_TASK: Official = official(
    "sst2",
    "whether a sentence of a film review is favourable (GLUE SST-2, dev split)",
    "accuracy",
    TEXTS,
    &Sst2Sample,
);
pub(super) static CIFAR10_FULL: Official = official(
    "cifar10-full",
    "which of ten classes a 32 x 32 colour photograph shows (all of CIFAR-10)",
    "accuracy",
    IMAGES,
    &Cifar10,
);
pub(super) static CIFAR10_ROTATION_FULL: Official = turned(
    "cifar10-rotation-full",
    "by which angle in [-60°, 60°] a photograph was turned (all of CIFAR-10)",
    &Cifar10,
);
pub(super) static COLA_TASK: Official =
    glue("cola", "whether a sentence is acceptable English (GLUE CoLA, dev split)", "matthews", TEXTS, &COLA);
pub(super) static SST2_FULL: Official = official(
    "sst2-full",
    "whether a sentence of a film review is favourable (GLUE SST-2, all training rows, dev split)",
    "accuracy",
    TEXTS,
    &SST2,
);
pub(super) static MRPC_TASK: Official = glue(
    "mrpc",
    "whether two sentences from the news say the same (GLUE MRPC, dev split)",
    "f1_positive",
    PAIRS,
    &MRPC,
);
pub(super) static QQP_TASK: Official =
    glue("qqp", "whether two questions ask the same (GLUE QQP, dev split)", "f1_positive", PAIRS, &QQP);
pub(super) static STSB_TASK: Official =
    glue("stsb", "how similar two sentences are, from 0 to 5 (GLUE STS-B, dev split)", "pearson", PAIRS, &STSB);
pub(super) static MNLI_TASK: Official = glue(
    "mnli",
    "whether a sentence implies or contradicts another, or neither (GLUE MNLI, dev splits, matched and mismatched)",
    "accuracy",
    PAIRS,
    &MNLI,
);
pub(super) static QNLI_TASK: Official =
    glue("qnli", "whether a sentence answers a question (GLUE QNLI, dev split)", "accuracy", PAIRS, &QNLI);
pub(super) static RTE_TASK: Official =
    glue("rte", "whether a sentence follows from a text (GLUE RTE, dev split)", "accuracy", PAIRS, &RTE);
pub(super) static WNLI_TASK: Official = glue(
    "wnli",
    "whether a sentence follows with its pronoun replaced (GLUE WNLI, dev split)",
    "accuracy",
    PAIRS,
    &WNLI,
);

impl Task for Official {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn version(&self) -> u32 {
        1
    }

    fn primary(&self) -> &'static str {
        self.primary
    }

    fn unit(&self) -> &'static str {
        if self.turned { "°" } else { "" }
    }

    fn input(&self) -> InputShape {
        self.input
    }

    fn classes(&self) -> Arc<[String]> {
        let names = if self.turned { &[] } else { self.dataset.classes() };
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn mirror_negates(&self) -> bool {
        self.turned
    }

    fn rows(&self) -> usize {
        self.dataset.train_rows()
    }

    fn family(&self) -> Option<&'static Family> {
        self.family
    }

    fn files(&self) -> &'static [DataFile] {
        self.dataset.files()
    }

    fn load_hidden(&self, store: &Store) -> Result<Vec<(&'static str, Inputs)>, DatasetError> {
        self.dataset.load_hidden(store)
    }

    fn load(&self, store: &Store) -> Result<Splits, DatasetError> {
        let splits = self.dataset.load(store)?;
        if !self.turned {
            return Ok(splits);
        }
        Ok(Splits::new(turn(splits.train, TRAIN_ANGLES), turn(splits.test, TEST_ANGLES)))
    }
}

fn turn(split: Split, seed: u64) -> Split {
    match split.inputs {
        Inputs::Images(images) => rotate(&images, seed),
        Inputs::Texts(_) | Inputs::Table(_) => unreachable!("only tasks on images are turned"),
    }
}
