//! What is lacking where numbers decide nothing, in words that verdicts and published numbers share.

/// The fewest seeds that decide anything: the spread of one is unknown, and tests of two find too many differences
/// (docs/methodology.md).
pub(crate) const FEWEST_SEEDS: usize = 3;

/// There are fewer than [`FEWEST_SEEDS`].
pub(crate) const SEEDS: &str = "three seeds or more";

/// A seed left no answers.
pub(crate) const PREDICTIONS: &str = "predictions of every seed";

/// The sides were asked other test rows, so that their answers cannot be paired.
pub(crate) const SAME_ROWS: &str = "both sides on the same test rows: run them again on the same data";

/// No seed and no row differs.
pub(crate) const VARIATION: &str = "numbers that vary: these are all the same, so their error is unknown";

/// The metric has no region of practical equivalence where its floor is not known.
pub(crate) const TOLERANCE: &str = "a tolerance beside the published number: without a floor, its metric has none";
