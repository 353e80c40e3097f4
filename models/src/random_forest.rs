//! `random-forest`: Breiman's random forest for classes and for numbers. Its features are HOG features or pixels of
//! images, or TF-IDF values of texts. Pairs of texts are encoded as in `encode/pairs.rs`. The features are dense, which
//! limits the training size.

use std::path::Path;

use linfa::ParamGuard;

use crate::device::Device;
use crate::encode::classic::{self, CONCATENATE};
use crate::encode::words::Tokens;
use crate::forest::model::{self, Growing, MOST_TREES, TreeModel};
use crate::forest::{ForestParams, ForestValidParams, MaxFeatures};
use crate::model::{Model, ModelEntry, ModelError, Spec, Support, TargetShape, TaskShape};
use crate::parallel::Threads;
use crate::params::{DefaultValue, Domain, Param, ParamError, Resolved};
use crate::search::{Scale, Search, SearchDefault};

/// The entry in the registry.
pub(crate) struct RandomForest;

const PARAMS: &[Param] = &[
    Param {
        name: "trees",
        images: DefaultValue::Int(200),
        texts: DefaultValue::Int(200),
        tables: DefaultValue::Int(200),
        domain: Domain::Int(1, MOST_TREES),
        about: "number of trees",
        source: "more never overfit, only cost more (Breiman 2001)",
        search: None,
    },
    Param {
        name: "max_features",
        images: DefaultValue::Float(0.0),
        texts: DefaultValue::Float(0.0),
        tables: DefaultValue::Float(0.0),
        domain: Domain::Float(0.0, 1.0),
        about: "share of the features that a node tries; 0 means the square root of their number for classes, and 1/3 for numbers",
        source: "Breiman's randomForest for R (Liaw and Wiener 2002)",
        search: Some(Search::of_all(
            SearchDefault::Between(Scale::Log, 0.01, 0.33),
            "our own choice: from below the square root of our numbers of features to Breiman's third for numbers",
        )),
    },
    Param {
        name: "max_depth",
        images: DefaultValue::Int(0),
        texts: DefaultValue::Int(0),
        tables: DefaultValue::Int(0),
        domain: Domain::Int(0, 10_000),
        about: "largest number of decisions between root and leaf; 0 means no limit",
        source: "trees are grown in full (Breiman 2001)",
        search: None,
    },
    Param {
        name: "min_samples_leaf",
        images: DefaultValue::Int(1),
        texts: DefaultValue::Int(1),
        tables: DefaultValue::Int(1),
        domain: Domain::Int(1, 1_000_000),
        about: "smallest number of distinct training rows in a leaf",
        source: "scikit-learn's default",
        search: Some(Search::of_all(SearchDefault::Between(Scale::Log, 1.0, 20.0), "our own choice")),
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
    classic::features_param(
        "auto",
        "validation tenths: CIFAR-10, 2,000 rows, HOG 0.441, both 0.424, pixels 0.396; grey digits, 1,797 rows, HOG 0.980, both \
         0.982, pixels 0.980",
    ),
    CONCATENATE,
    Tokens::param(
        "words-or-marks",
        "SST-2, 8,000 rows, three validation tenths: words 0.748, words and marks 0.733, scikit-learn's words 0.748",
    ),
    Param {
        name: "terms",
        images: DefaultValue::Int(2000),
        texts: DefaultValue::Int(2000),
        tables: DefaultValue::Int(2000),
        domain: Domain::Int(1, 100_000),
        about: "texts: how many of the commonest word 1- and 2-grams are used; for pairs, a quarter of them in each of four blocks",
        source: "no search trial on SST-2's validation rows was better (500 to 4,000)",
        search: Some(Search::of_texts(
            SearchDefault::Between(Scale::Log, 500.0, 4000.0),
            "our own choice: the values that were compared for the default",
        )),
    },
];

impl ModelEntry for RandomForest {
    fn name(&self) -> &'static str {
        "random-forest"
    }

    fn about(&self) -> &'static str {
        "random forest on features (HOG and pixels, TF-IDF, columns of a table, or those of a network)"
    }

    fn version(&self, _device: Device) -> String {
        "2 (linfa 0.8.1)".to_owned()
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
        classic::check(params)
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        /// Seconds for each row, level of a tree and tried feature, measured at 2,000 to 8,000 rows.
        const STEP_S: f64 = 1.5e-8;
        let rows = shape.train_rows as f64;
        let features = classic::width(shape, params) as f64;
        let tried = match (params.float("max_features"), shape.target) {
            (0.0, TargetShape::Classes(_)) => features.sqrt(),
            (0.0, TargetShape::Value) => features / 3.0,
            (share, _) => share * features,
        };
        let network_s = classic::fit_s(shape, params, threads, device)?;
        Some(network_s + STEP_S * rows * rows.max(2.0).log2() * tried * params.int("trees") as f64 / threads as f64)
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(TreeModel::new(&RandomForest, spec, forest_params(spec)?, Growing::Forest)?))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        let params = |spec: &Spec| Ok((forest_params(spec)?, Growing::Forest));
        Ok(Box::new(TreeModel::load(&RandomForest, (folder, threads, device), params)?))
    }
}

fn forest_params(spec: &Spec) -> Result<ForestValidParams, ModelError> {
    let params = &spec.params;
    let max_features = match (params.float("max_features"), spec.shape.target) {
        (0.0, TargetShape::Classes(_)) => MaxFeatures::Sqrt,
        (0.0, TargetShape::Value) => MaxFeatures::Share(1.0 / 3.0),
        (share, _) => MaxFeatures::Share(share),
    };
    let forest = ForestParams::default()
        .trees(params.int("trees"))
        .max_depth(Some(params.int("max_depth")).filter(|&depth| depth > 0))
        .min_samples_leaf(params.int("min_samples_leaf"))
        .max_features(max_features)
        .max_bins(params.int("bins"))
        .seed(spec.seed_for("forest"));
    Ok(forest.check()?)
}
