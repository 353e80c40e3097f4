//! The parameters of the forest. As is usual in linfa, they are checked before use.

use linfa::ParamGuard;

/// How many features a node tries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxFeatures {
    /// The square root of the number of features, rounded down: Breiman's and scikit-learn's choice for classes.
    Sqrt,
    /// This share of the features, in (0, 1].
    Share(f64),
}

impl MaxFeatures {
    /// How many of `features` features a node tries; at least one.
    pub(super) fn of(self, features: usize) -> usize {
        let number = match self {
            MaxFeatures::Sqrt => features.isqrt(),
            MaxFeatures::Share(share) => (features as f64 * share) as usize,
        };
        number.clamp(1, features)
    }
}

/// Checked parameters of a random forest.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestValidParams {
    pub(super) trees: usize,
    pub(super) max_depth: Option<usize>,
    pub(super) min_samples_leaf: usize,
    pub(super) max_features: MaxFeatures,
    pub(super) max_bins: usize,
    pub(super) seed: u64,
}

/// Parameters of a random forest (Breiman 2001). Each tree learns from a bootstrap sample, each node draws features
/// anew, and trees are grown until their leaves are pure. The defaults are scikit-learn's for classes. Features are
/// binned, which scikit-learn's forest does not do.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestParams(ForestValidParams);

impl Default for ForestParams {
    fn default() -> Self {
        ForestParams(ForestValidParams {
            trees: 100,
            max_depth: None,
            min_samples_leaf: 1,
            max_features: MaxFeatures::Sqrt,
            max_bins: 256,
            seed: 0,
        })
    }
}

impl ForestParams {
    /// The number of trees, at least one.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.0.trees = trees;
        self
    }

    /// The largest number of decisions between the root and a leaf. `None` for no limit.
    #[must_use]
    pub fn max_depth(mut self, max_depth: Option<usize>) -> Self {
        self.0.max_depth = max_depth;
        self
    }

    /// The smallest number of distinct training rows in a leaf, at least one.
    #[must_use]
    pub fn min_samples_leaf(mut self, min_samples_leaf: usize) -> Self {
        self.0.min_samples_leaf = min_samples_leaf;
        self
    }

    /// How many features a node tries.
    #[must_use]
    pub fn max_features(mut self, max_features: MaxFeatures) -> Self {
        self.0.max_features = max_features;
        self
    }

    /// The largest number of intervals into which a feature's values are sorted, in 2..=256.
    #[must_use]
    pub fn max_bins(mut self, max_bins: usize) -> Self {
        self.0.max_bins = max_bins;
        self
    }

    /// The seed of all random choices. Tree `t` uses stream `t` of it, so that the order in which trees are grown does
    /// not matter.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }
}

/// Why a forest was not grown.
#[derive(Debug, thiserror::Error)]
pub enum ForestError {
    /// A parameter is outside its domain.
    #[error("{name} is {found}, expected {expected}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// Its value.
        found: String,
        /// The values it may have.
        expected: &'static str,
    },
    /// There are no rows or no features to learn from, or too many rows.
    #[error("a forest takes 1 to {most} rows of at least one feature, found {rows} x {features}")]
    Size {
        /// The number of training rows.
        rows: usize,
        /// The number of features.
        features: usize,
        /// The largest number of rows.
        most: usize,
    },
    /// A class number is too large.
    #[error("class {label} is too large, expected 0 to 65535")]
    Class {
        /// The label.
        label: usize,
    },
    /// The number of targets is not the number of rows.
    #[error("{rows} rows have {targets} targets, expected one each")]
    Targets {
        /// The number of training rows.
        rows: usize,
        /// The number of targets.
        targets: usize,
    },
    /// A feature or a target is infinite or not a number.
    #[error("{what} of row {row} is not a finite number")]
    NotFinite {
        /// What is not finite: a feature or the target.
        what: &'static str,
        /// The row's index, counted from zero.
        row: usize,
    },
    /// An error of linfa itself.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

impl ParamGuard for ForestParams {
    type Checked = ForestValidParams;
    type Error = ForestError;

    fn check_ref(&self) -> Result<&ForestValidParams, ForestError> {
        let params = &self.0;
        let wrong = |name, found: String, expected| Err(ForestError::Parameter { name, found, expected });
        if params.trees == 0 {
            return wrong("trees", "0".to_owned(), "at least 1");
        }
        if params.max_depth == Some(0) {
            return wrong("max_depth", "0".to_owned(), "at least 1, or no limit");
        }
        if params.min_samples_leaf == 0 {
            return wrong("min_samples_leaf", "0".to_owned(), "at least 1");
        }
        if !(2..=256).contains(&params.max_bins) {
            return wrong("max_bins", params.max_bins.to_string(), "2 to 256");
        }
        match params.max_features {
            MaxFeatures::Share(share) if !(share > 0.0 && share <= 1.0) => {
                wrong("max_features", share.to_string(), "above 0 and at most 1")
            }
            _ => Ok(params),
        }
    }

    fn check(self) -> Result<ForestValidParams, ForestError> {
        self.check_ref()?;
        Ok(self.0)
    }
}
