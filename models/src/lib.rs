//! Five models behind one trait.
//!
//! The only crate that may name burn or linfa types. One file per model, all of the same inner shape; `encode/` turns
//! raw inputs into features, fitted on training rows only; `neural/` holds the one training loop, batching and device
//! choice.

mod artefact;
mod encode;
pub mod forest;
mod lstm;
mod model;
mod names;
mod neural;
mod parallel;
mod params;
mod random_forest;
mod resnet;
mod search;
pub mod svm;
mod target_scale;
mod transformer;

pub use encode::words::{Tokens, Words, wordless};
pub use model::{
    Device, EpochReport, Footprint, InputShape, Matrix, Model, ModelEntry, ModelError, Predictions, Spec, Support,
    TargetShape, TaskShape, Watch,
};
pub use names::{did_you_mean, unknown_name};
pub use parallel::on_threads;
pub use params::{DefaultValue, Domain, Param, ParamError, ParamValue, Resolved};
pub use resnet::published_resnet;
pub use search::{RangeFault, Scale, Search, SearchDefault, SearchRange};

/// Every model, in the order in which reports show them.
pub static ENTRIES: &[&dyn ModelEntry] =
    &[&transformer::Transformer, &resnet::Resnet, &lstm::Lstm, &svm::Svm, &random_forest::RandomForest];
