//! The processes of a case, one after the other: one fits the model, and then others serve what it saved, as often as the suite has rounds.

use std::time::Duration;

use bakeoff_models::Device;
use bakeoff_reports::{RunDir, Status};

use super::rounds::joined;
use crate::outcome::{MetricValue, Outcome};
use crate::phase::Phase;
use crate::protocol::{Request, Work};
use crate::serving::{ServingFolder, difference};

/// Does the work of one request within what is left of the case's time-out, and takes from that what it used. `None` if the user stopped it.
pub(super) type Step<'a> = dyn FnMut(&Request, &mut Duration) -> Option<Outcome> + 'a;

/// A case whose model is fitted, and which may have to be served.
pub struct UnderWay {
    request: Request,
    fitted: Outcome,
    /// What each round of serving gave.
    rounds: Vec<Outcome>,
    /// Where the saved model is. `None` if nothing is left to be served.
    folder: Option<ServingFolder>,
    /// What is left of the case's time-out, which all of its processes share.
    left: Duration,
}

impl UnderWay {
    /// Fits the model of a case and saves it for its serving. A search trial is only fitted and scored.
    pub(super) fn begin(request: Request, run: Option<&RunDir>, step: &mut Step<'_>) -> Option<UnderWay> {
        let left = Duration::try_from_secs_f64(request.case.timeout_s).unwrap_or(Duration::MAX / 4);
        let over = |request, fitted, left| UnderWay { request, fitted, rounds: Vec::new(), folder: None, left };
        let folder = match request.case.trial.is_none().then(|| ServingFolder::make(&request.case, run)).transpose() {
            Ok(folder) => folder,
            Err(reason) => return Some(over(request, Outcome::without_numbers(Status::Failed, reason), left)),
        };
        let serving = folder.as_ref().map(|folder| folder.place().clone());
        let mut under_way = over(Request { serving, ..request }, Outcome::without_numbers(Status::Ok, ""), left);
        under_way.fitted = under_way.step(Work::Fit, step)?;
        under_way.folder = folder.filter(|folder| !under_way.fitted.status.is_failure() && folder.is_filled());
        Some(under_way)
    }

    /// Whether nothing is left to be served.
    pub fn is_over(&self) -> bool {
        self.folder.is_none()
    }

    /// Serves the saved model once: loads it from the disk, then loads it again and measures it. A failure ends the case.
    pub(super) fn serve(&mut self, step: &mut Step<'_>) -> Option<()> {
        let mut round = Outcome::without_numbers(Status::Ok, "");
        for work in [Work::LoadCold, Work::Serve] {
            let mut served = self.step(work, step)?;
            if let Some(noise) = noise_over_limits(&served).map(str::to_owned) {
                // Times that were taken under noise are not believed. A fit is not repeated, because it may have taken hours.
                served = self.step(work, step)?;
                self.fitted.remark(&format!("the saved model was served a second time, because {noise}"));
            }
            if work == Work::Serve
                && !served.status.is_failure()
                && let Some(difference) = difference(
                    &self.fitted.predictions,
                    &served.predictions,
                    self.request.case.device != Device::Cpu.name(),
                )
            {
                (served.status, served.note) = (Status::Failed, difference);
            }
            round.go_on_with(served);
            if round.status.is_failure() {
                break;
            }
        }
        let is_last = round.status.is_failure() || self.rounds.len() + 1 >= self.request.case.latency.rounds;
        self.rounds.push(round);
        if is_last {
            self.folder = None;
        }
        Some(())
    }

    /// The outcome of the case, when nothing is left to be served.
    pub fn outcome(self) -> Outcome {
        let UnderWay { mut fitted, rounds, .. } = self;
        if let Some(served) = joined(rounds) {
            fitted.add_served(served);
        }
        fitted
    }

    fn step(&mut self, work: Work, step: &mut Step<'_>) -> Option<Outcome> {
        self.request.work = work;
        self.request.spent_s = (self.request.case.timeout_s - self.left.as_secs_f64()).max(0.0);
        step(&self.request, &mut self.left)
    }
}

/// What of the noise while a model was served is above the limits of the suite.
fn noise_over_limits(served: &Outcome) -> Option<&str> {
    let is_over = |value: &&MetricValue| {
        (value.phase, value.metric.as_str()) == (Phase::Serve, "noise_over_limits")
            && value.value.is_some_and(|exceeded| exceeded > 0.0)
    };
    served.values.iter().find(is_over).map(|value| value.note.as_str())
}
