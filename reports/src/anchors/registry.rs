//! `anchors.toml`: the published numbers as they are written.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A published number, and the cases that should come out alike.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// `P01`.
    pub id: String,
    /// What was published.
    pub what: String,
    /// The task.
    pub task: String,
    /// The only suite whose cases meet it; empty for any. A task of own data needs it, because its name does not say which data it is.
    #[serde(default)]
    pub suite: String,
    /// The model's name, not its label.
    pub model: String,
    /// The parameters that matter, as the records write their values.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// How many rows were given for training.
    pub rows: usize,
    /// The score.
    pub metric: String,
    /// The published score, in the unit of the metric.
    pub value: f64,
    /// How many test rows it was scored on.
    pub n: u32,
    /// The largest difference that does not matter, in the unit of the metric. If not given, the metric's region of practical
    /// equivalence.
    #[serde(default)]
    pub tolerance: Option<f64>,
    /// Who published it, and what differs from our cases.
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    anchor: Vec<Anchor>,
}

/// The published numbers of the program, in the order of their ids.
pub fn anchors() -> Vec<Anchor> {
    let file: File = toml::from_str(include_str!("../../anchors.toml")).expect("a test reads anchors.toml");
    file.anchor
}
