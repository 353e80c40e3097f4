//! Bytes in, typed examples out.
//!
//! This crate knows files, formats, checksums and splits. It knows no model, no metric and no clock.

mod example;

pub use example::{Images, Inputs, Split, Splits, Targets, Text};
