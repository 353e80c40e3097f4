//! The tasks: a dataset, what to predict, and how a prediction is scored.

use std::sync::Arc;

use bakeoff_datasets::{Alphabet, DataFile, DatasetError, Inputs, Splits, Store};
use bakeoff_models::{InputShape, TargetShape, TaskShape};
use bakeoff_reports::TaskInfo;

mod decoded;
mod generated;
mod next_character;
mod official;
mod own;

pub use own::{OwnTask, OwnTaskError, TaskSettings};

/// A dataset, what to predict, the metrics and the floor.
///
/// The metrics follow from the kind of target ([`crate::scoring::score`]). The floor is the primary metric of a constant
/// answer on the test rows ([`crate::scoring::floor`]).
pub trait Task: Sync {
    /// The name in suites, on the command line and in records.
    fn name(&self) -> &str;
    /// One line about the task.
    fn about(&self) -> &str;
    /// Raised when rows, targets or metrics change. Records of different versions are not compared.
    fn version(&self) -> u32;
    /// The metric that ranks, one of [`bakeoff_reports::METRICS`].
    fn primary(&self) -> &str;
    /// The unit of the targets; empty for classes.
    fn unit(&self) -> &str;
    /// The shape of the inputs.
    fn input(&self) -> InputShape;
    /// Class names in the order of their labels; empty for a regression.
    fn classes(&self) -> Arc<[String]>;
    /// Whether the target of a mirrored image is the negative of the original's.
    fn mirror_negates(&self) -> bool {
        false
    }
    /// The characters, if each text is a sequence of them and the classes are the characters that may come next.
    fn characters(&self) -> Option<Alphabet> {
        None
    }
    /// The number of training rows.
    fn rows(&self) -> usize;
    /// Whether it has test rows; cross-validation needs none.
    fn has_test_rows(&self) -> bool {
        true
    }
    /// The tasks with which it shares a line in the overview of `list`; `None` if it has a line of its own.
    fn family(&self) -> Option<&'static Family> {
        None
    }
    /// The files it reads from the store; none if the program makes its examples.
    fn files(&self) -> &'static [DataFile];
    /// The name and the sha256 of each file that the task reads.
    fn checksums(&self) -> Vec<(String, String)> {
        self.files().iter().map(|file| (file.name.to_owned(), file.checksum.hex().to_owned())).collect()
    }
    /// Loads the examples.
    ///
    /// # Errors
    /// If a file is missing, broken or has another checksum than expected.
    fn load(&self, store: &Store) -> Result<Splits, DatasetError>;
    /// Loads the inputs of the splits whose targets are hidden, with the splits' names.
    ///
    /// # Errors
    /// As for [`Task::load`].
    fn load_hidden(&self, store: &Store) -> Result<Vec<(&'static str, Inputs)>, DatasetError> {
        let _ = store;
        Ok(Vec::new())
    }
}

/// Tasks that are much alike, so that the overview of `list` shows all of them in one line.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// Their names, so that a reader can write each.
    pub names: &'static str,
    /// What they ask.
    pub about: &'static str,
}

/// What a model must know about `task` when it learns from `train_rows` rows.
pub fn shape(task: &dyn Task, train_rows: usize) -> TaskShape {
    let classes = task.classes().len();
    TaskShape {
        input: task.input(),
        target: if classes > 0 { TargetShape::Classes(classes) } else { TargetShape::Value },
        train_rows,
        mirror_negates: task.mirror_negates(),
        characters: task.characters(),
    }
}

/// What a run and a fitted model store about `task`.
pub fn info(task: &dyn Task) -> TaskInfo {
    TaskInfo {
        name: task.name().to_owned(),
        version: task.version(),
        about: task.about().to_owned(),
        primary: task.primary().to_owned(),
        unit: task.unit().to_owned(),
        classes: task.classes().to_vec(),
    }
}

/// Every task: first those on the samples inside the program, then those on full datasets, which must be downloaded, then
/// those whose examples the program makes. The tasks of a family are neighbours.
pub static TASKS: &[&dyn Task] = &[
    &official::CIFAR10,
    &official::CIFAR10_ROTATION,
    &official::SST2_TASK,
    &next_character::SST2_NEXT_CHARACTER,
    &official::CIFAR10_FULL,
    &official::CIFAR10_ROTATION_FULL,
    &official::SST2_FULL,
    &official::COLA_TASK,
    &official::MRPC_TASK,
    &official::STSB_TASK,
    &official::QQP_TASK,
    &official::MNLI_TASK,
    &official::QNLI_TASK,
    &official::RTE_TASK,
    &official::WNLI_TASK,
    &generated::LONG_RANGE_8,
    &generated::LONG_RANGE_16,
    &generated::LONG_RANGE_32,
    &generated::LONG_RANGE_64,
    &generated::LONG_RANGE_128,
    &generated::LONG_RANGE_256,
    &generated::LONG_RANGE_512,
    &generated::XOR,
];
