//! The scenarios: how queries arrive at a model. They run on the saved model, in the process that has
//! loaded it.

mod answers;
mod audit;
mod batch_size;
mod offline;
mod rates;
mod server;
mod single_stream;
mod team;

use std::path::Path;

use bakeoff_datasets::Inputs;
use bakeoff_models::{Model, Predictions};

use super::{Bench, Stop};
use crate::load::{MLPERF_DURATION_S, Scenario};
use crate::phase::Phase;

use answers::Answers;

/// What the scenarios ask a model about.
pub(super) struct Asked<'a> {
    /// The inputs of the test rows.
    pub(super) inputs: &'a Inputs,
    /// Where the model is saved, from which further instances of it can be loaded.
    pub(super) artefact: &'a Path,
    /// The predictions of these rows in the scoring pass.
    pub(super) scored: &'a Predictions,
    /// Inputs that the model has never been asked to predict, if the scenarios are audited.
    pub(super) unseen: Option<&'a Inputs>,
}

impl Bench<'_> {
    /// Measures the scenarios of the case one after the other, and audits them if there are inputs for that.
    pub(super) fn scenarios(&mut self, model: &mut dyn Model, asked: &Asked<'_>) -> Result<(), Stop> {
        let mut answers = Answers::of(asked.scored);
        if self.case.latency.has(Scenario::Offline) {
            self.look_for_noise();
            answers.add(&self.offline(model, asked)?);
        }
        if self.case.latency.has(Scenario::SingleStream) {
            self.look_for_noise();
            answers.add(&self.single_stream(model, asked)?);
        }
        if self.case.latency.has(Scenario::Server) {
            self.look_for_noise();
            answers.add(&self.server(model, asked)?);
        }
        if let Some(unseen) = asked.unseen {
            self.audit(model, unseen, &answers)?;
        }
        Ok(())
    }

    /// The first test rows, each as inputs of its own: as many as the case wants to predict one at a time.
    fn single_inputs(&self, inputs: &Inputs) -> Vec<Inputs> {
        (0..inputs.len().min(self.case.latency_examples)).map(|row| inputs.select(&[row])).collect()
    }

    /// Records over how many seconds a scenario was measured.
    fn measured_for(&mut self, phase: Phase, seconds: f64) {
        let note = if seconds < MLPERF_DURATION_S { "shortened: MLPerf measures for 600 s" } else { "" };
        self.record(phase, "measured_s", Some(seconds), "stopwatch", note);
    }

    /// Records a number, or why the measurement that it is of is not valid.
    fn record_unless(&mut self, fault: Option<&String>, phase: Phase, metric: &str, value: f64, note: &str) {
        match fault {
            None => self.record(phase, metric, Some(value), "stopwatch", note),
            Some(fault) => self.record(phase, metric, None, "stopwatch", fault.as_str()),
        }
    }
}
