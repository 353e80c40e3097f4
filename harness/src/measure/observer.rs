//! Observes a fit for the instrument.

use std::path::Path;

use bakeoff_datasets::Targets;
use bakeoff_models::{EpochReport, ModelError, Watch};
use bakeoff_reports::Curve;

use super::better;
use super::meter::Meter;
use crate::budget::Budget;
use crate::case::Case;
use crate::checkpoint::{Checkpoint, CheckpointPlace, FitIdentity, MeasuredFit, MeasuredJoules};
use crate::protocol::Event;
use crate::scoring::{self, ScoreError};
use crate::stopwatch::Stopwatch;

/// Observes a fit: scores each epoch, records its curve, writes checkpoints, says what is left of a budget, and stops the fit when
/// a number is not finite.
pub(super) struct Observer<'a> {
    pub(super) stopwatch: &'a Stopwatch<'a>,
    pub(super) checkpoints: CheckpointSchedule<'a>,
    pub(super) targets: &'a Targets,
    pub(super) primary: &'a str,
    pub(super) case: &'a Case,
    pub(super) fit: FitIdentity,
    /// The seconds of the case's time-out that are left when the stopwatch starts.
    pub(super) left_s: f64,
    /// The meter's joules at the beginning of the fit, or why there are none.
    pub(super) start_j: Result<f64, String>,
    pub(super) meter: &'a mut Meter,
    pub(super) emit: &'a mut dyn FnMut(Event),
    pub(super) curves: &'a mut Vec<Curve>,
}

impl Observer<'_> {
    /// The primary metric of an epoch; `None` if it is undefined.
    fn score(&self, report: &EpochReport<'_>) -> Result<Option<f64>, ModelError> {
        let diverged = |what: &str| ModelError::Diverged { epoch: report.epoch, what: what.to_owned() };
        if !report.train_loss.is_finite() {
            return Err(diverged("the training loss"));
        }
        let scores = scoring::score(self.targets, report.validation).map_err(|error| match error {
            ScoreError::NotFinite { .. } => diverged("a validation prediction"),
            other => ModelError::Failed(other.to_string()),
        })?;
        // A score of numbers whose squares are too large for a number is undefined too.
        let value = scores.iter().find(|(name, value)| *name == self.primary && value.is_finite());
        Ok(value.map(|(_, value)| *value))
    }

    /// How good an epoch is. One whose score is undefined, such as that of a constant answer, is worse than any epoch with a score.
    fn goodness(&self, value: Option<f64>) -> f64 {
        value.map_or(f64::NEG_INFINITY, |value| better(self.primary).goodness(value))
    }
}

impl Watch for Observer<'_> {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        let value = self.score(report)?;
        let energy_j = self.start_j.as_ref().ok().and_then(|start| self.meter.read_j().ok().map(|now| now - start));
        self.curves.push(Curve {
            case: self.case.id.clone(),
            epoch: report.epoch,
            train_loss: report.train_loss,
            metric: self.primary.to_owned(),
            validation: value,
            elapsed_s: self.checkpoints.earlier_s() + self.stopwatch.seconds(),
            energy_j,
        });
        (self.emit)(Event::Progress { done: report.epoch, total: report.epochs });
        Ok(self.goodness(value))
    }

    fn part_epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        let value = self.score(report)?;
        self.progress(report.epoch, report.epochs);
        Ok(self.goodness(value))
    }

    fn progress(&mut self, done: usize, total: usize) {
        (self.emit)(Event::Progress { done, total });
    }

    fn spent(&mut self) -> Option<f64> {
        match self.case.budget? {
            Budget::Seconds(most) => Some((self.checkpoints.earlier_s() + self.stopwatch.seconds()) / most),
            Budget::Joules(most) => {
                // A meter that fails ends the fit, whose joules then say why they are missing.
                let spent_j = self.start_j.as_ref().ok().and_then(|start| Some(self.meter.peek_j()? - start));
                Some(spent_j.map_or(f64::INFINITY, |joules| joules / most))
            }
        }
    }

    fn seconds_left(&mut self) -> Option<f64> {
        Some((self.left_s - self.stopwatch.seconds()).max(0.0))
    }

    fn interrupted(&mut self) -> Option<Vec<u8>> {
        self.checkpoints.interrupted.take()
    }

    fn checkpoint(&mut self, state: &dyn Fn() -> Result<Vec<u8>, ModelError>) -> Result<(), ModelError> {
        let Some(elapsed_s) = self.curves.last().map(|epoch| epoch.elapsed_s) else { return Ok(()) };
        let Some((path, parts_s)) = self.checkpoints.due(elapsed_s) else { return Ok(()) };
        let joules = match &self.start_j {
            Ok(_) => MeasuredJoules::Counted {
                source: self.meter.source().to_owned(),
                reads_j: self.meter.reads_j().to_vec(),
            },
            // A meter may be readable when the fit goes on.
            Err(reason) if parts_s.len() == 1 => {
                MeasuredJoules::Missing(format!("before the fit was interrupted, there were no joules: {reason}"))
            }
            Err(reason) => MeasuredJoules::Missing(reason.clone()),
        };
        let measured = MeasuredFit { parts_s, joules, curves: self.curves.clone() };
        let written = Checkpoint { measured, state: state()? }.write(path, &self.fit);
        // A full disk costs the checkpoint and not the fit.
        self.checkpoints.fault = written.err();
        Ok(())
    }
}

/// The checkpoints of one fit: the one that it goes on from, and when the next is due.
pub(super) struct CheckpointSchedule<'a> {
    /// `None` for a case that belongs to no run.
    pub(super) place: Option<&'a CheckpointPlace>,
    /// The state of the model in the checkpoint that the fit goes on from.
    pub(super) interrupted: Option<Vec<u8>>,
    /// The seconds of each earlier part of the fit.
    pub(super) earlier_parts_s: Vec<f64>,
    /// Why the last checkpoint could not be written.
    pub(super) fault: Option<String>,
    /// When the last checkpoint was written, in seconds since the fit began.
    written_s: f64,
}

impl<'a> CheckpointSchedule<'a> {
    pub(super) fn new(place: Option<&'a CheckpointPlace>, interrupted: Option<Vec<u8>>, parts_s: Vec<f64>) -> Self {
        let written_s = parts_s.iter().sum();
        CheckpointSchedule { place, interrupted, earlier_parts_s: parts_s, fault: None, written_s }
    }

    /// The seconds of all earlier parts.
    fn earlier_s(&self) -> f64 {
        self.earlier_parts_s.iter().sum()
    }

    /// Where a checkpoint is to be written now, and the seconds of each part of the fit; `None` if none is due.
    fn due(&mut self, elapsed_s: f64) -> Option<(&'a Path, Vec<f64>)> {
        let place = self.place.filter(|place| elapsed_s - self.written_s >= place.every_s)?;
        self.written_s = elapsed_s;
        let this_part_s = elapsed_s - self.earlier_s();
        Some((&place.path, [self.earlier_parts_s.as_slice(), &[this_part_s]].concat()))
    }
}
