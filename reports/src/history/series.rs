//! Series: the numbers of one key through all nights.

use super::key::{SeriesId, SeriesKey};
use super::line::{QualityLine, RunKind};
use crate::record::Status;

/// A run of a history, in its place in time.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The run's directory name.
    pub run: String,
    /// Why it was made.
    pub kind: RunKind,
    /// For [`RunKind::Again`], the night's run.
    pub of: Option<String>,
    /// As in [`super::RunLine::settings`].
    pub settings: String,
    /// When it began, RFC 3339, UTC.
    pub started: String,
    /// For [`RunKind::Backfill`], the date of the commit, RFC 3339, UTC.
    pub committed: Option<String>,
    /// The commit that was measured, or `unknown`.
    pub commit: String,
    /// The suite.
    pub suite: String,
    /// The version of the program.
    pub version: String,
    /// The line of `history.jsonl`, from 1.
    pub line: usize,
    /// Its cells.
    pub cells: Vec<RunCell>,
}

/// How a cell of a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunCell {
    /// The index in [`super::History::cells`].
    pub cell: usize,
    /// How it ended.
    pub status: Status,
    /// Why it has no numbers; empty if it has.
    pub note: String,
    /// The model's version and its library's, on that night.
    pub model_version: String,
    /// What the paired test of its primary score says; `None` if it has no numbers.
    pub quality: Option<QualityLine>,
}

impl Run {
    /// Its place in time: when it began, or the date of its commit in a backfill.
    pub fn at(&self) -> &str {
        self.committed.as_deref().unwrap_or(&self.started)
    }
}

/// One run's number of one series: the mean over its seeds and folds. It is finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The index of the run in [`super::History::runs`]. The commit, the time and the name are there.
    pub run: usize,
    /// The number, in the unit of the metric.
    pub value: f64,
}

/// Points from which a series starts anew. Points of two epochs are never judged together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// The index in [`Series::points`] of its first point.
    pub first: usize,
    /// Why it began; `None` for the first epoch, which needs no reason.
    pub why: Option<String>,
    /// When it was accepted, RFC 3339, UTC; `None` for the first.
    pub accepted: Option<String>,
}

/// All numbers of one key. No two points are of the same run, and the points are in the order of [`super::History::runs`].
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The index of its cell in [`super::History::cells`].
    pub cell: usize,
    /// What it is.
    pub key: SeriesKey,
    /// [`SeriesKey::id`].
    pub id: SeriesId,
    /// Its points: nights and backfilled commits.
    pub points: Vec<Point>,
    /// What was measured again of suspects. These numbers are in no baseline, and the run names its night.
    pub again: Vec<Point>,
    /// Its epochs in the order of their first points. There is at least one, and the first begins at 0.
    pub epochs: Vec<Epoch>,
}

impl Series {
    /// A series without a point.
    pub(super) fn new(cell: usize, key: SeriesKey) -> Series {
        let epochs = vec![Epoch { first: 0, why: None, accepted: None }];
        Series { cell, id: key.id(), key, points: Vec::new(), again: Vec::new(), epochs }
    }

    /// The epoch that the point of this index belongs to.
    pub fn epoch_of(&self, index: usize) -> &Epoch {
        let begun = self.epochs.iter().rev().find(|epoch| epoch.first <= index);
        begun.unwrap_or(&self.epochs[0])
    }

    /// The index of the point of this run, which is an index of [`super::History::runs`].
    pub fn at(&self, run: usize) -> Option<usize> {
        self.points.iter().position(|point| point.run == run)
    }

    /// The values that are judged together with the point of this index: those of its epoch, up to it and with it.
    pub fn up_to(&self, index: usize) -> Vec<f64> {
        self.points[self.epoch_of(index).first..=index].iter().map(|point| point.value).collect()
    }
}
