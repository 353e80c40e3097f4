//! Bytes in, typed examples out.
//!
//! This crate knows files, formats, checksums and splits, and how to fetch the files. It knows no model, no metric and
//! no clock.

mod checksum;
mod cifar10;
mod dataset;
mod delimited;
mod error;
mod example;
mod fetch;
mod fetchable;
#[doc(hidden)]
pub mod fuzzing;
pub mod generated;
mod glue;
mod gzip;
mod label_noise;
mod leakage;
mod lock;
mod next_character;
pub mod own;
mod pretrained;
mod records;
mod rotate;
mod split;
mod sst2;
mod stamp;
mod store;
mod tabular;
mod tsv;

pub use checksum::Checksum;
pub use cifar10::{Cifar10, Cifar10Sample};
pub use dataset::{DATASETS, Dataset};
pub use error::DatasetError;
pub use example::{Images, Inputs, Split, Splits, Targets, Text};
pub use fetch::{FetchError, FetchOptions, FetchProgress, Fetched, Mirror, fetch};
pub use fetchable::{Download, Fetchable, Packing, Transport};
pub use glue::{COLA, Glue, MNLI, MRPC, QNLI, QQP, RTE, SST2, STSB, WNLI};
pub use label_noise::with_label_noise;
pub use leakage::{Leakage, class_counts, leakage, repeated_inputs};
pub use lock::has_no_locks;
pub use next_character::{Alphabet, CONTEXT, NEXT_CHARACTER_TEST_ROWS, NEXT_CHARACTER_TRAIN_ROWS, next_character};
pub use pretrained::{BERT_BASE, MINILM, PRETRAINED, PretrainedEncoder};
pub use rotate::{MAX_DEGREES, rotate};
pub use split::{carve_validation, folds, other_rows, train_rows};
pub use sst2::Sst2Sample;
pub use store::{DataFile, FileState, Size, Store};
pub use tabular::{Table, TableColumns};
