//! The forest's parameters, checked before use as linfa does it.

use linfa::ParamGuard;

/// How many features a node tries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxFeatures {
    /// The square root of their number, rounded down: Breiman's and scikit-learn's choice for classes.
    Sqrt,
    /// This share of them, in (0, 1].
    Share(f64),
}

impl MaxFeatures {
    /// The number out of `features`, at least one.
    pub(super) fn of(self, features: usize) -> usize {
        let number = match self {
            MaxFeatures::Sqrt => features.isqrt(),
            MaxFeatures::Share(share) => (features as f64 * share) as usize,
        };
        number.clamp(1, features)
    }
}

/// Parameters that were checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestValidParams {
    pub(super) trees: usize,
    pub(super) max_depth: Option<usize>,
    pub(super) min_samples_leaf: usize,
    pub(super) max_features: MaxFeatures,
    pub(super) max_bins: usize,
    pub(super) seed: u64,
}

/// Parameters of a random forest (Breiman 2001): bootstrap, features drawn anew for each node, trees grown until their
/// leaves are pure. The defaults are scikit-learn's for classes; features are binned, which scikit-learn's forest
/// does not do.
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

    /// The largest number of decisions on the way to a leaf; `None` for no limit.
    #[must_use]
    pub fn max_depth(mut self, max_depth: Option<usize>) -> Self {
        self.0.max_depth = max_depth;
        self
    }

    /// The fewest distinct training rows in a leaf, at least one.
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

    /// The most intervals that a feature's values are sorted into, in 2..=256.
    #[must_use]
    pub fn max_bins(mut self, max_bins: usize) -> Self {
        self.0.max_bins = max_bins;
        self
    }

    /// The root of all random choices. Tree `t` uses stream `t` of it, so the order of growth does not matter.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }
}

/// Why a forest was not grown.
#[derive(Debug, thiserror::Error)]
pub enum ForestError {
    /// A parameter outside its domain.
    #[error("{name} is {found}, expected {expected}")]
    Parameter {
        /// Which.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Nothing to learn from, or too much.
    #[error("a forest takes 1 to {most} rows of at least one feature, found {rows} x {features}")]
    Size {
        /// Training rows.
        rows: usize,
        /// Features.
        features: usize,
        /// The largest number of rows.
        most: usize,
    },
    /// A class number that does not fit.
    #[error("class {label} is too large, expected 0 to 65535")]
    Class {
        /// The label.
        label: usize,
    },
    /// Not one target for each row.
    #[error("{rows} rows have {targets} targets, expected one each")]
    Targets {
        /// Training rows.
        rows: usize,
        /// Their targets.
        targets: usize,
    },
    /// A feature or a target that is infinite or no number.
    #[error("{what} of row {row} is not a finite number")]
    NotFinite {
        /// A feature or the target.
        what: &'static str,
        /// Counted from zero.
        row: usize,
    },
    /// linfa's own.
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
