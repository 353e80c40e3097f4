//! The models, behind one trait.
//!
//! This is the only crate that may name burn or linfa types. There is one file per model, and all of them have the same
//! structure. `encode/` turns raw inputs into features and is fitted on training rows only. `neural/` holds the one
//! training loop, the batching and the choice of a device. `ensemble.rs` makes an
//! ensemble of any of them.

mod artefact;
mod cnn;
mod compress;
mod decision_tree;
mod device;
mod encode;
mod encoder;
mod ensemble;
mod external;
pub mod forest;
mod fusion;
mod gan;
mod gru;
mod lstm;
mod mlp;
mod model;
mod names;
mod neural;
mod parallel;
mod params;
mod part;
mod prepare;
mod pretrained;
mod random_forest;
mod reason;
mod resnet;
mod search;
mod student;
pub mod svm;
mod target_scale;
mod transformer;

pub use artefact::{ArtefactInfo, inspect};
pub use device::Card;
pub use encode::words::{Tokens, Words, wordless};
pub use ensemble::Ensembled;
pub use external::{External, ExternalSettings, MARK, end_marked, new_mark};
pub use model::{
    Device, EpochReport, Footprint, InputShape, Matrix, Model, ModelEntry, ModelError, Predictions, Spec, Support,
    TargetShape, TaskShape, UNLABELLED, Watch, columns,
};
pub use names::{did_you_mean, unknown_name};
pub use neural::PeakWork;
pub use parallel::{Threads, on_threads};
pub use params::{DefaultValue, Domain, InputKind, ModelValue, Param, ParamError, ParamValue, Resolved};
pub use prepare::prepare;
pub use reason::{Attention, Reason};
pub use resnet::published_resnet;
pub use search::{RangeFault, Scale, Search, SearchDefault, SearchRange};

/// Every model, in the order in which reports show them.
pub static ENTRIES: &[&dyn ModelEntry] = &[
    &TRANSFORMER,
    &RESNET,
    &CNN,
    &LSTM,
    &GRU,
    &GAN,
    &ENCODER,
    &MLP,
    &SVM,
    &RANDOM_FOREST,
    &DECISION_TREE,
    &FUSION,
    &STUDENT,
    &COMPRESS,
];

// Each with the parameter `ensemble`.
static TRANSFORMER: Ensembled = Ensembled::of(&transformer::Transformer);
static RESNET: Ensembled = Ensembled::of(&resnet::Resnet);
static CNN: Ensembled = Ensembled::of(&cnn::Cnn);
static LSTM: Ensembled = Ensembled::of(&lstm::Lstm);
static GRU: Ensembled = Ensembled::of(&gru::Gru);
static GAN: Ensembled = Ensembled::of(&gan::Gan);
static ENCODER: Ensembled = Ensembled::of(&encoder::Encoder);
static MLP: Ensembled = Ensembled::of(&mlp::Mlp);
static COMPRESS: Ensembled = Ensembled::of(&compress::Compress);
static SVM: Ensembled = Ensembled::of(&svm::Svm);
static RANDOM_FOREST: Ensembled = Ensembled::of(&random_forest::RandomForest);
static DECISION_TREE: Ensembled = Ensembled::of(&decision_tree::DecisionTree);
static FUSION: Ensembled = Ensembled::of(&fusion::Fusion);
static STUDENT: Ensembled = Ensembled::of(&student::Student);

#[cfg(test)]
mod tests {
    use super::ENTRIES;

    #[test]
    fn every_model_is_compared_with_another_implementation() {
        let page = include_str!("../../scripts/make-fixtures/README.md");
        for entry in ENTRIES {
            let row = format!("| `{}` |", entry.name());
            let message = "add a fixture, and a row to the last table of scripts/make-fixtures/README.md";
            assert!(page.lines().any(|line| line.starts_with(&row)), "{}: {message}", entry.name());
        }
    }
}
