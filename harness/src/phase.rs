//! The phases of a case.

use serde::{Deserialize, Serialize};

/// A part of a case. Records have the phases that give numbers. The others are only shown while a case runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Reading the data.
    Load,
    /// Learning.
    Fit,
    /// Quality of a search trial on the rows held out of its fit.
    Validate,
    /// All search trials of a case.
    Search,
    /// Quality on the test rows.
    Score,
    /// All test rows in one call: the scenario `offline`.
    PredictBatch,
    /// One example a call: the scenario `single-stream`.
    PredictSingle,
    /// Loading the saved model in a fresh process, and its first prediction.
    Serve,
    /// Calls of 1, 2, 4, … examples.
    BatchSize,
    /// Queries that arrive at random times: the scenario `server`.
    Server,
    /// Whether the measurement of latency can be believed.
    Audit,
    /// Predicting splits whose targets are hidden.
    PredictHidden,
    /// The case as a whole.
    Case,
}

impl Phase {
    /// The word in records.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Load => "load",
            Phase::Fit => "fit",
            Phase::Validate => "validate",
            Phase::Search => "search",
            Phase::Score => "score",
            Phase::PredictBatch => "predict-batch",
            Phase::PredictSingle => "predict-single",
            Phase::Serve => "serve",
            Phase::BatchSize => "batch-size",
            Phase::Server => "server",
            Phase::Audit => "audit",
            Phase::PredictHidden => "predict-hidden",
            Phase::Case => "case",
        }
    }
}
