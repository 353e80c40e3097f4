//! The lines of `history.jsonl`, as they are stored. Each line is a JSON object of one field, which says what the line is. Unknown
//! fields are refused; a newer schema is refused by its number before its fields are read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::key::{MachineClass, Quantity, SeriesId};
use crate::record::Status;

/// The version of what `history.jsonl` stores. It is not that of runs ([`crate::SCHEMA`]): each changes without the other.
pub const HISTORY_SCHEMA: u32 = 1;

/// The first line: `{"history":1,"project":"bakeoff"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The schema, [`HISTORY_SCHEMA`] for what this program writes.
    pub history: u32,
    /// Whose history it is. Nights of another project are refused.
    pub project: String,
}

/// Every line but the first. The cells of a run follow its line without a gap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// A run was added.
    Run(RunLine),
    /// The numbers of one model in one setting in that run.
    Cell(Box<CellLine>),
    /// A known change: some series start anew.
    Epoch(EpochLine),
}

/// Why a run was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// A night. Its numbers are points of series.
    Night,
    /// A past commit that was measured later. Its numbers are points of series, at the date of the commit.
    Backfill,
    /// Suspects of a night that were measured again at once. Its numbers confirm or clear; they are no points of a series.
    Again,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunLine {
    /// The run's directory name, which no other run of the history has.
    pub run: String,
    /// Why it was made.
    pub kind: RunKind,
    /// For [`RunKind::Again`], the night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The digest of an earlier line of the same run, whose place this one takes: failed cases of the run were run again since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Whether it was added later, so that its clock says where it belongs and not its place in the file.
    #[serde(default, skip_serializing_if = "is_false")]
    pub late: bool,
    /// The first eight hexadecimal digits of the SHA-256 of the suite as the run resolved it: settings, tasks and models.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub settings: String,
    /// When it began, RFC 3339, UTC.
    pub started: String,
    /// For [`RunKind::Backfill`], the date of the commit, RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<String>,
    /// The commit that was measured, or `unknown`.
    pub commit: String,
    /// The suite.
    pub suite: String,
    /// The version of the program.
    pub version: String,
    /// The classes of the machines on which its cells were measured.
    pub machines: Vec<MachineClass>,
    /// How many lines of cells follow.
    pub cells: usize,
    /// The first sixteen hexadecimal digits of the SHA-256 of this line without them and of the lines of the cells. A line that was edited
    /// or lost shows.
    pub digest: String,
}

impl RunLine {
    /// Whether this line takes the place of an earlier one of the same run, which is the one that counts so far.
    pub(super) fn takes_the_place_of(&self, before: &RunLine) -> bool {
        self.replaces.as_ref() == Some(&before.digest)
    }
}

/// A cell of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellLine {
    /// The task's name.
    pub task: String,
    /// The task's version.
    pub task_version: u32,
    /// The model's name in figures and tables.
    pub label: String,
    /// The model's name.
    pub model: String,
    /// The model's version and its library's. It is no part of the key, because a change of a model is what a history is to show.
    pub model_version: String,
    /// As in [`super::CellKey::params`].
    pub params: String,
    /// As in [`crate::Record::train_size`].
    pub train_size: usize,
    /// As in [`crate::Record::label_noise`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub label_noise: f64,
    /// As in [`crate::Record::folds`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
    /// As in [`super::CellKey::trials`].
    pub trials: String,
    /// The kind of device.
    pub device: String,
    /// As in [`crate::Record::threads`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// The index of the machine in [`RunLine::machines`].
    pub machine: usize,
    /// How the cell ended.
    pub status: Status,
    /// Why it has no numbers; empty if it has.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The means over its trials. Empty unless every trial was measured: a mean over fewer of them is another number.
    pub numbers: BTreeMap<Quantity, f64>,
    /// What the paired test of its primary score says; `None` if the cell has no numbers. It is stored because the file alone, without the
    /// predictions of the run, must give the same verdicts later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<QualityLine>,
}

/// A paired test of a score against the reference run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityLine {
    /// The reference run; empty if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// The primary metric of the task.
    pub metric: String,
    /// The score of the reference run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
    /// The score less that of the reference run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<f64>,
    /// The 95 % interval of the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
    /// The two-sided p of "nothing changed", of this test alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// How many seeds were compared.
    #[serde(default, skip_serializing_if = "is_no_count")]
    pub seeds: usize,
    /// The largest change that does not matter in practice, as [`crate::Region`] says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<f64>,
    /// Why there is no test; empty if there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub missing: String,
}

/// A known change, which somebody accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochLine {
    /// The series.
    pub series: SeriesId,
    /// The series in words, for a person who reads the file.
    pub named: String,
    /// The run whose point is the first of the epoch.
    pub from: String,
    /// The reason.
    pub why: String,
    /// When it was accepted, RFC 3339, UTC.
    pub accepted: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(is: &bool) -> bool {
    !*is
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_no_count(count: &usize) -> bool {
    *count == 0
}
