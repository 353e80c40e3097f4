//! What is said of one night: a verdict on each series, with the numbers that it rests on.

use super::key::{SeriesId, SeriesKey};
use crate::format::count;
use crate::statistics::Interval;

/// The judgement of one run of a history.
#[derive(Debug, Clone, PartialEq)]
pub struct Night {
    /// The index of the run in [`super::History::runs`].
    pub run: usize,
    /// The verdicts, in the order of [`super::History::series`]: on each cost, and on the primary score of each cell, that the run has, that
    /// an earlier run of the same cell had, or that the run before on the same machine had.
    pub verdicts: Vec<SeriesVerdict>,
    /// What a reader must know beside the verdicts, in sentences: clocks that went back, cells that failed, series of other machines.
    pub remarks: Vec<String>,
}

/// What is said of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesVerdict {
    /// The series.
    pub key: SeriesKey,
    /// [`SeriesKey::id`].
    pub id: SeriesId,
    /// The verdict.
    pub verdict: NightVerdict,
    /// What it rests on; `None` if there is no number of the night.
    pub numbers: Option<Numbers>,
}

/// In which direction a number went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// It became worse by the rules of its metric.
    Regression,
    /// It became better.
    Improvement,
}

/// The verdict on a series.
#[derive(Debug, Clone, PartialEq)]
pub enum NightVerdict {
    /// Nothing to report.
    Unchanged,
    /// The night alerts, and nothing was measured again.
    Suspected(Change),
    /// The night alerts, and so does what was measured again.
    Confirmed(Change),
    /// The night alerts, and what was measured again does not: it was noise.
    Cleared(Change),
    /// It cannot be judged, for this reason. It is no pass.
    NotJudged(NotJudged),
}

/// Why a series is not judged.
#[derive(Debug, Clone, PartialEq)]
pub enum NotJudged {
    /// This machine was never measured with the same cell; the others that were.
    NewMachine(Vec<String>),
    /// The cell is in the history with another version of the task, or with other parameters or seeds: what differs.
    Changed(String),
    /// The series begins with this night.
    FirstPoint,
    /// A known change begins with this night: its reason.
    NewEpoch(String),
    /// Its epoch has too few points before this night.
    TooFewPoints {
        /// How many there are.
        points: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The night has no such case, and this run before it had.
    Gone(String),
    /// The night has no such number: how the case ended, and why.
    NoNumber(String),
    /// An estimate is never judged.
    Estimate,
    /// A score without the predictions of a reference run, or with predictions of other rows: what is missing.
    NoReference(String),
    /// This program does not know the metric, or it is neither a cost nor a score.
    NoRule,
}

/// The numbers behind a verdict. Relative numbers are shares: 0.05 is 5 %.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    /// The value of the night.
    pub tonight: f64,
    /// The level of the baseline: that of the current segment before the night, or the score of the reference.
    pub baseline: Option<f64>,
    /// Where tonight's value was expected: the prediction interval of a series, or for a score the interval of the difference to the
    /// reference.
    pub interval: Option<Interval>,
    /// The change that the verdict is about: of a cost as a share of the level from which it went, of a score as a difference. It need not be
    /// that from the baseline to tonight's value: a drift is a change of weeks.
    pub change: Option<f64>,
    /// How many points, or for a score how many seeds, the baseline has.
    pub points: usize,
    /// The p of "nothing changed", adjusted over all series of the night by Benjamini and Hochberg.
    pub p: Option<f64>,
    /// The smallest change that is reported, in the unit of the metric.
    pub floor: Option<f64>,
    /// What was measured again, in the order of its runs.
    pub again: Vec<f64>,
}

impl NightVerdict {
    /// The word of it: `unchanged`, `regression suspected`, `improvement confirmed`, `regression not confirmed`, `not judged`.
    pub fn words(&self) -> String {
        let what = |change: &Change| match change {
            Change::Regression => "regression",
            Change::Improvement => "improvement",
        };
        match self {
            NightVerdict::Unchanged => "unchanged".to_owned(),
            NightVerdict::Suspected(change) => format!("{} suspected", what(change)),
            NightVerdict::Confirmed(change) => format!("{} confirmed", what(change)),
            NightVerdict::Cleared(change) => format!("{} not confirmed", what(change)),
            NightVerdict::NotJudged(_) => "not judged".to_owned(),
        }
    }
}

impl std::fmt::Display for NotJudged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NotJudged::NewMachine(others) => {
                write!(f, "this machine is new to the history, which has it on {}", others.join("; "))
            }
            NotJudged::Changed(what) => write!(f, "it is measured in another way than before: {what}"),
            NotJudged::NewEpoch(why) => write!(f, "a known change begins with this night: {why}"),
            NotJudged::FirstPoint => f.write_str("the series begins with this night"),
            NotJudged::TooFewPoints { points, needed } => {
                write!(f, "{}, and {needed} are needed", count(*points, "earlier night"))
            }
            NotJudged::Gone(before) => write!(f, "the night has no such case, and run {before} before it had"),
            NotJudged::NoNumber(why) => write!(f, "no number of this night: {why}"),
            NotJudged::Estimate => f.write_str("an estimate is never judged"),
            NotJudged::NoReference(what) => write!(f, "no reference: {what}"),
            NotJudged::NoRule => f.write_str("no rule judges this metric"),
        }
    }
}
