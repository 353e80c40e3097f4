//! `claims.toml`: the claims as they are written.

use serde::Deserialize;

/// A statement of a document, with the experiment and the rule that decide on it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// `C01`.
    pub id: String,
    /// Where it stands: the document and the section.
    pub document: String,
    /// The statement, in our words.
    pub claim: String,
    /// The strictest fair reading of it, which the rule judges.
    pub reading: String,
    /// The suites whose runs are judged, first the one to run.
    pub suites: Vec<String>,
    /// Why no suite measures it yet; empty if one does.
    #[serde(default)]
    pub waits_for: String,
    /// More than this share of the parts must hold; all of them if not given.
    #[serde(default)]
    pub most: Option<f64>,
    /// What must hold.
    #[serde(default, rename = "part")]
    pub parts: Vec<Part>,
}

/// One comparison that a claim makes, or several of one kind: one for each task and for each pair of models.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The tasks.
    pub task: Vec<String>,
    /// `primary`, the name of a score or of a cost, or `gap`: the primary score on training rows less that on test rows, as goodness.
    #[serde(default = "primary")]
    pub metric: String,
    /// The left side.
    pub first: Side,
    /// The right side, if it is measured.
    #[serde(default)]
    pub second: Option<Side>,
    /// The right side, if it is a number.
    #[serde(default)]
    pub value: Option<f64>,
    /// How the left side compares with the right one if the claim is true.
    pub is: Relation,
    /// Whether it is the difference at the largest size, less that at the smallest size, that must be so.
    #[serde(default)]
    pub grows: bool,
    /// Whether it is the number of the largest calls that must be so, for a metric of calls of several sizes.
    #[serde(default)]
    pub largest_calls: bool,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// The labels of the models. Empty means the model of the other side.
    #[serde(default)]
    pub model: Vec<String>,
    /// How many rows were given for training.
    #[serde(default)]
    pub rows: Rows,
    /// The share of wrong labels.
    #[serde(default)]
    pub label_noise: f64,
    /// Another task than that of the part; empty for the same.
    #[serde(default)]
    pub task: String,
    /// Where the model computed.
    #[serde(default)]
    pub device: Where,
}

/// The devices that a side is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Where {
    /// One device, and the same for both sides: the first of the run that has both.
    #[default]
    Anywhere,
    /// The processor.
    Cpu,
    /// A graphics card. There is a comparison for each of the runs.
    Card,
}

/// A training size of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "toml::Value")]
pub enum Rows {
    /// The largest that the run has of the task.
    #[default]
    Most,
    /// The smallest.
    Fewest,
    /// This many.
    Exactly(usize),
}

impl TryFrom<toml::Value> for Rows {
    type Error = String;

    fn try_from(written: toml::Value) -> Result<Rows, String> {
        let exactly = || usize::try_from(written.as_integer()?).ok().filter(|rows| *rows > 0).map(Rows::Exactly);
        match written.as_str() {
            Some("most") => Ok(Rows::Most),
            Some("fewest") => Ok(Rows::Fewest),
            _ => exactly().ok_or_else(|| {
                format!("`rows` is {written}, expected \"most\", \"fewest\" or a whole number from 1 on")
            }),
        }
    }
}

/// How two sides compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// In the better direction of the metric.
    Better,
    /// Larger.
    Above,
    /// Smaller.
    Below,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    claim: Vec<Claim>,
}

fn primary() -> String {
    "primary".to_owned()
}

/// The claims of the program, in the order of their ids.
pub fn claims() -> Vec<Claim> {
    parse(include_str!("../../claims.toml")).expect("a test reads claims.toml")
}

/// The claims in a text of the form of `claims.toml`.
pub(super) fn parse(text: &str) -> Result<Vec<Claim>, toml::de::Error> {
    toml::from_str(text).map(|file: File| file.claim)
}
