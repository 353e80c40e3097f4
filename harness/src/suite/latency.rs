//! The table `[latency]` of a suite.

use serde::{Deserialize, Serialize};
use toml::Spanned;

/// Which scenarios are measured, and for how long. What is not given has the default of
/// [`LatencyConfig`](crate::load::LatencyConfig).
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LatencyEntry {
    /// The scenarios, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenarios: Option<Spanned<Vec<Spanned<String>>>>,
    /// Each scenario and each rate goes on for at least so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_duration_s: Option<Spanned<f64>>,
    /// It then ends, even if it has too few queries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_duration_s: Option<Spanned<f64>>,
    /// It makes at least so many queries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_queries: Option<Spanned<usize>>,
    /// It makes at most so many queries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_queries: Option<Spanned<usize>>,
    /// The bound on the latency of the scenario `server`, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_ms: Option<Spanned<f64>>,
    /// The rates of the scenario `server`, in queries per second. If not given, the highest one that holds the bound is searched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rates_per_s: Option<Spanned<Vec<Spanned<f64>>>>,
    /// How many instances of the model serve queries in the scenario `server`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<Spanned<usize>>,
    /// How often each saved model is served, by turns with the other models of its setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounds: Option<Spanned<usize>>,
    /// Whether the measurement is audited.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub audit: bool,
    /// Numbers of examples in a call, for each of which throughput, latency and energy are measured. None, if it is empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub batch_sizes: Vec<Spanned<usize>>,
}

impl LatencyEntry {
    /// Whether nothing is given.
    pub(crate) fn is_empty(&self) -> bool {
        let LatencyEntry {
            scenarios,
            min_duration_s,
            max_duration_s,
            min_queries,
            max_queries,
            bound_ms,
            rates_per_s,
            workers,
            rounds,
            audit,
            batch_sizes,
        } = self;
        let has_time = min_duration_s.is_some() || max_duration_s.is_some();
        let has_count = min_queries.is_some() || max_queries.is_some() || rounds.is_some();
        let has_server = bound_ms.is_some() || rates_per_s.is_some() || workers.is_some();
        !(scenarios.is_some() || has_time || has_count || has_server || *audit || !batch_sizes.is_empty())
    }
}
