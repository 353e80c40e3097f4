//! `[search]` of a suite, as it is written.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::not_written;
use crate::budget::Budget;

/// `[search]` of a suite.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SearchEntry {
    /// How the parameters of a search trial are chosen.
    #[serde(default = "random")]
    pub method: Spanned<String>,
    /// Search trials of each model, of which the first has the parameters as they are written. With halving, those that
    /// begin. If not given, the budget decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials: Option<Spanned<usize>>,
    /// What the fits of the search trials of a case may use before no further one begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Spanned<Budget>>,
}

/// The most search trials of a case if only a budget is given.
const MOST_TRIALS_WITHIN_BUDGET: usize = 100;

impl SearchEntry {
    /// Random search with so many search trials.
    pub(crate) fn random(trials: usize) -> SearchEntry {
        SearchEntry { method: random(), trials: Some(not_written(trials)), budget: None }
    }

    /// The most search trials of each model.
    pub fn most_trials(&self) -> usize {
        self.trials.as_ref().map_or(MOST_TRIALS_WITHIN_BUDGET, |trials| *trials.as_ref())
    }
}

fn random() -> Spanned<String> {
    not_written("random".to_owned())
}
