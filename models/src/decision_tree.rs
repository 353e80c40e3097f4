//! `decision-tree`: a single tree (CART, Breiman et al. 1984) for classes and for numbers, pruned by its cost and its
//! complexity. It is grown by the code of `random-forest` on the same features, but from all rows and with all features
//! tried at each node. [`Model::rules`] prints it.
//!
//! The values of a feature are sorted into at most `bins` intervals before the tree is grown. If a feature has more
//! different values than that, a threshold may differ from the best one. With as many bins as values, the tree is that
//! of an exhaustive search.

use std::path::Path;

use linfa::ParamGuard;

use crate::device::Device;
use crate::encode::classic::{self, CONCATENATE};
use crate::encode::words::Tokens;
use crate::forest::model::{self, Growing, TreeModel};
use crate::forest::{ForestParams, ForestValidParams, MaxFeatures};
use crate::model::{Model, ModelEntry, ModelError, Spec, Support, TaskShape};
use crate::parallel::Threads;
use crate::params::{DefaultValue, Domain, Param, ParamError, Resolved};
use crate::search::{Scale, Search, SearchDefault};

/// The entry in the registry.
pub(crate) struct DecisionTree;

const PARAMS: &[Param] = &[
    Param {
        name: "cross_validate",
        images: DefaultValue::Bool(true),
        texts: DefaultValue::Bool(true),
        tables: DefaultValue::Bool(true),
        domain: Domain::Switch,
        about: "choose ccp_alpha by the error of five folds of the rows that the tree learns from, as one of at most 50 values",
        source: "Breiman et al. 1984, section 3.4, without their rule of one standard error",
        search: None,
    },
    Param {
        name: "ccp_alpha",
        images: DefaultValue::Float(0.0),
        texts: DefaultValue::Float(0.0),
        tables: DefaultValue::Float(0.0),
        domain: Domain::Float(0.0, 1.0),
        about: "without cross_validate: how much impurity each leaf of a branch must save, or the branch is cut; 0 means no pruning; for numbers, the targets count in standard deviations",
        source: "the parameter: Breiman et al. 1984, section 3.3, under scikit-learn's name; 0: scikit-learn's default",
        search: None,
    },
    Param {
        name: "max_depth",
        images: DefaultValue::Int(0),
        texts: DefaultValue::Int(0),
        tables: DefaultValue::Int(0),
        domain: Domain::Int(0, 10_000),
        about: "largest number of decisions between root and leaf; 0 means no limit",
        source: "trees are grown in full and then pruned (Breiman et al. 1984)",
        search: None,
    },
    Param {
        name: "min_samples_leaf",
        images: DefaultValue::Int(1),
        texts: DefaultValue::Int(1),
        tables: DefaultValue::Int(1),
        domain: Domain::Int(1, 1_000_000),
        about: "smallest number of training rows in a leaf",
        source: "scikit-learn's default",
        search: Some(Search::of_all(SearchDefault::Between(Scale::Log, 1.0, 50.0), "our own choice")),
    },
    Param {
        name: "bins",
        images: DefaultValue::Int(256),
        texts: DefaultValue::Int(256),
        tables: DefaultValue::Int(256),
        domain: Domain::Int(2, 256),
        about: "largest number of intervals for a feature's values",
        source: "as fine as one byte allows",
        search: None,
    },
    classic::features_param("auto", "those of random-forest, so that a tree can be compared with a forest"),
    CONCATENATE,
    Tokens::param("words-or-marks", "those of random-forest, so that a tree can be compared with a forest"),
    Param {
        name: "terms",
        images: DefaultValue::Int(2000),
        texts: DefaultValue::Int(2000),
        tables: DefaultValue::Int(2000),
        domain: Domain::Int(1, 100_000),
        about: "texts: how many of the commonest word 1- and 2-grams are used; for pairs, a quarter of them in each of four blocks",
        source: "those of random-forest, so that a tree can be compared with a forest",
        search: Some(Search::of_texts(SearchDefault::Between(Scale::Log, 500.0, 4000.0), "as random-forest")),
    },
];

impl ModelEntry for DecisionTree {
    fn name(&self) -> &'static str {
        "decision-tree"
    }

    fn about(&self) -> &'static str {
        "pruned decision tree on features (HOG and pixels, TF-IDF, columns of a table, or those of a network)"
    }

    fn version(&self, _device: Device) -> String {
        "1 (linfa 0.8.1)".to_owned()
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn learns_from_validation(&self) -> bool {
        true
    }

    fn supports(&self, shape: &TaskShape, params: &Resolved, device: Device) -> Support {
        model::supports(shape, params, device)
    }

    fn check(&self, params: &Resolved) -> Result<(), ParamError> {
        classic::check(params)?;
        let alpha = params.float("ccp_alpha");
        if params.switch("cross_validate") && alpha != 0.0 {
            return Err(ParamError::Domain {
                name: "ccp_alpha".to_owned(),
                found: alpha.to_string(),
                expected: "0, because cross-validation chooses it; or set cross_validate = false".to_owned(),
            });
        }
        Ok(())
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        /// Seconds for each row, level of the tree and feature.
        const STEP_S: f64 = 1.5e-8;
        let rows = shape.train_rows as f64;
        let features = classic::width(shape, params) as f64;
        // The trees of the folds share the threads, and the whole tree has one.
        let trees = if params.switch("cross_validate") { 1.0 + 4.0 / threads as f64 } else { 1.0 };
        let network_s = classic::fit_s(shape, params, threads, device)?;
        Some(network_s + STEP_S * rows * rows.max(2.0).log2() * features * trees)
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        let (params, growing) = tree_params(spec)?;
        Ok(Box::new(TreeModel::new(&DecisionTree, spec, params, growing)?))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(TreeModel::load(&DecisionTree, (folder, threads, device), tree_params)?))
    }
}

fn tree_params(spec: &Spec) -> Result<(ForestValidParams, Growing), ModelError> {
    let params = &spec.params;
    let tree = ForestParams::default()
        .trees(1)
        .max_depth(Some(params.int("max_depth")).filter(|&depth| depth > 0))
        .min_samples_leaf(params.int("min_samples_leaf"))
        .max_features(MaxFeatures::Share(1.0))
        .max_bins(params.int("bins"))
        .seed(spec.seed_for("tree"));
    let alpha = (!params.switch("cross_validate")).then(|| params.float("ccp_alpha"));
    Ok((tree.check()?, Growing::PrunedTree { alpha }))
}
