//! Bytes in, typed examples out.
//!
//! This crate knows files, formats, checksums and splits. It knows no model, no metric and no clock.

mod cifar10;
mod dataset;
mod error;
mod example;
pub mod own;
mod rotate;
mod split;
mod sst2;
mod store;

pub use cifar10::Cifar10;
pub use dataset::{DATASETS, Dataset};
pub use error::DatasetError;
pub use example::{Images, Inputs, Split, Splits, Targets, Text};
pub use rotate::{MAX_DEGREES, rotate};
pub use split::{carve_validation, train_rows};
pub use sst2::Sst2;
pub use store::{DataFile, Store};
