//! Observes a fit for the instrument.

use bakeoff_datasets::Targets;
use bakeoff_models::{EpochReport, ModelError, Watch};
use bakeoff_reports::Curve;

use super::better;
use super::meter::Meter;
use crate::protocol::Event;
use crate::scoring::{self, ScoreError};
use crate::stopwatch::Stopwatch;

/// Observes a fit: scores each epoch, records its curve, and stops the fit when a number is not finite.
pub(super) struct Observer<'a, 'm> {
    pub(super) stopwatch: &'a Stopwatch<'a>,
    pub(super) targets: &'a Targets,
    pub(super) primary: &'a str,
    pub(super) case: &'a str,
    pub(super) start_j: Option<f64>,
    pub(super) meter: &'a mut Meter<'m>,
    pub(super) emit: &'a mut dyn FnMut(Event),
    pub(super) curves: &'a mut Vec<Curve>,
}

impl Watch for Observer<'_, '_> {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        let diverged = |what: &str| ModelError::Diverged { epoch: report.epoch, what: what.to_owned() };
        if !report.train_loss.is_finite() {
            return Err(diverged("the training loss"));
        }
        let scores = scoring::score(self.targets, report.validation).map_err(|error| match error {
            ScoreError::NotFinite { .. } => diverged("a validation prediction"),
            other => ModelError::Failed(other.to_string()),
        })?;
        let value = scores.iter().find(|(name, _)| *name == self.primary).map(|(_, value)| *value);
        let energy_j = self.start_j.and_then(|start| self.meter.read_j().ok().map(|now| now - start));
        self.curves.push(Curve {
            case: self.case.to_owned(),
            epoch: report.epoch,
            train_loss: report.train_loss,
            metric: self.primary.to_owned(),
            validation: value,
            elapsed_s: self.stopwatch.seconds(),
            energy_j,
        });
        (self.emit)(Event::Progress { done: report.epoch, total: report.epochs });
        // An epoch whose score is undefined, such as that of a constant answer, is worse than any epoch with a score.
        Ok(value.map_or(f64::NEG_INFINITY, |value| better(self.primary).goodness(value)))
    }

    fn progress(&mut self, done: usize, total: usize) {
        self.meter.keep_up();
        (self.emit)(Event::Progress { done, total });
    }
}
