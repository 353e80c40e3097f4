//! What a dataset is, and the list of all of them.

use std::path::Path;

use crate::cifar10::{Cifar10, Cifar10Sample};
use crate::error::DatasetError;
use crate::example::{Inputs, Splits};
use crate::glue::{COLA, MNLI, MRPC, QNLI, QQP, RTE, SST2, STSB, WNLI};
use crate::sst2::Sst2Sample;
use crate::store::{DataFile, Store};

/// Raw examples with official splits, verified by checksum.
pub trait Dataset: Sync {
    /// The name, in lower case. For a full dataset, it is also its folder in the data folder.
    fn id(&self) -> &'static str;
    /// What the dataset holds, in one line.
    fn about(&self) -> &'static str;
    /// The files from which it is read.
    fn files(&self) -> &'static [DataFile];
    /// Its licence, as far as known.
    fn licence(&self) -> &'static str;
    /// How to cite it.
    fn citation(&self) -> &'static str;
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
    /// Where its files can be downloaded; `None` for a sample, which is in the program.
    fn transport(&self) -> Option<&'static Transport> {
        None
    }
    /// Makes the files that no address offers from downloaded ones. All of them are in `folder`.
    ///
    /// # Errors
    /// If a file cannot be read or written, or breaks its format.
    fn derive(&self, folder: &Path) -> Result<(), DatasetError> {
        let _ = folder;
        Ok(())
    }
}

/// Where the files of a dataset can be downloaded.
#[derive(Debug)]
pub struct Transport {
    /// The folder of the files in archives and in unpacked copies.
    pub folder: &'static str,
    /// The downloads.
    pub downloads: &'static [Download],
}

/// A file that is downloaded: an archive, or a plain file.
#[derive(Debug)]
pub struct Download {
    /// The official address.
    pub url: &'static str,
    /// The file's name, which is the same in a mirror.
    pub name: &'static str,
    /// How the download holds the files.
    pub packing: Packing,
    /// The largest size that is accepted, in bytes.
    pub max_bytes: u64,
    /// The files to take from the download: `folder/base` in an archive, or the plain file itself.
    pub files: &'static [DataFile],
}

/// How a download holds files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// A zip archive.
    Zip,
    /// A gzipped tar archive.
    TarGz,
    /// The download is the file.
    Plain,
}

/// All datasets: the samples in the program, then those that are fetched.
pub static DATASETS: &[&dyn Dataset] =
    &[&Cifar10Sample, &Sst2Sample, &Cifar10, &COLA, &SST2, &MRPC, &STSB, &QQP, &MNLI, &QNLI, &RTE, &WNLI];
