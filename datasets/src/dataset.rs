//! What a dataset is, and the list of all of them.

use crate::cifar10::{Cifar10, Cifar10Sample};
use crate::error::DatasetError;
use crate::example::{Inputs, Splits};
use crate::fetchable::Fetchable;
use crate::glue::{COLA, MNLI, MRPC, QNLI, QQP, RTE, SST2, STSB, WNLI};
use crate::sst2::Sst2Sample;
use crate::store::Store;

/// Raw examples with official splits, verified by checksum.
pub trait Dataset: Fetchable {
    /// Class names in the order of their labels; empty if the targets are numbers.
    fn classes(&self) -> &'static [&'static str];
    /// The number of training examples, so that a plan can be checked before anything is loaded.
    fn train_rows(&self) -> usize;
    /// The number of test examples, without further test splits.
    fn test_rows(&self) -> usize;
    /// Reads every example whose target is public.
    ///
    /// # Errors
    /// If a file is missing, is not the one expected, or breaks its format.
    fn load(&self, store: &Store) -> Result<Splits, DatasetError>;
    /// Reads the inputs of the splits whose targets are hidden, with the splits' names. They are not part of [`Dataset::load`],
    /// because some are larger than the training split and few cases need them.
    ///
    /// # Errors
    /// As for [`Dataset::load`].
    fn load_hidden(&self, store: &Store) -> Result<Vec<(&'static str, Inputs)>, DatasetError> {
        let _ = store;
        Ok(Vec::new())
    }
}

/// All datasets: the samples in the program, then those that are fetched.
pub static DATASETS: &[&dyn Dataset] =
    &[&Cifar10Sample, &Sst2Sample, &Cifar10, &COLA, &SST2, &MRPC, &STSB, &QQP, &MNLI, &QNLI, &RTE, &WNLI];
