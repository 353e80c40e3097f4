//! What a dataset is, and the list of all of them.

use crate::cifar10::Cifar10;
use crate::error::DatasetError;
use crate::example::Splits;
use crate::sst2::Sst2;
use crate::store::{DataFile, Store};

/// Raw examples with official splits, verified by checksum.
pub trait Dataset: Sync {
    /// The name, in lower case.
    fn id(&self) -> &'static str;
    /// One line on what it holds.
    fn about(&self) -> &'static str;
    /// The files it is read from.
    fn files(&self) -> &'static [DataFile];
    /// Its licence, as far as known.
    fn licence(&self) -> &'static str;
    /// How to cite it.
    fn citation(&self) -> &'static str;
    /// Class names in the order of their labels.
    fn classes(&self) -> &'static [&'static str];
    /// How many examples the training split holds, so that a plan can be checked with nothing loaded.
    fn train_rows(&self) -> usize;
    /// Reads every example.
    ///
    /// # Errors
    /// If a file is missing, is not the one expected, or breaks its format.
    fn load(&self, store: &Store) -> Result<Splits, DatasetError>;
}

/// Every dataset.
pub static DATASETS: &[&dyn Dataset] = &[&Cifar10, &Sst2];
