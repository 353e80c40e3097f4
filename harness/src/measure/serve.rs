//! The saved model in a process that did not fit it: how long it takes to load and to answer first, how much memory it needs, and
//! what it predicts. Throughput and latency are measured here too.

use std::path::Path;

use bakeoff_datasets::Inputs;
use bakeoff_models::{Model, Predictions, Threads};
use bakeoff_reports::model_bytes_in;

use super::predictions::prediction_rows;
use super::scenario::Asked;
use super::{Bench, Stop, Subject};
use crate::load::{LatencyConfig, Scenario};
use crate::outcome::Outcome;
use crate::phase::Phase;
use crate::program::Program;
use crate::protocol::{Event, Request};
use crate::serving::{ServingPlace, read_inputs};
use crate::stopwatch::Stopwatch;
use crate::threads;

/// What a model that is not served lacks: the phase, the metric and its source.
pub(super) fn of_serving(latency: &LatencyConfig) -> Vec<(Phase, &'static str, &'static str)> {
    const SERVE: &[(Phase, &str, &str)] = &[
        (Phase::Serve, "load_s", "stopwatch"),
        (Phase::Serve, "load_cold_s", "stopwatch"),
        (Phase::Serve, "first_prediction_s", "stopwatch"),
        (Phase::Serve, "peak_memory_bytes", "kernel"),
    ];
    const OFFLINE: &[(Phase, &str, &str)] =
        &[(Phase::PredictBatch, "throughput", "stopwatch"), (Phase::PredictBatch, "energy_j", "")];
    const SINGLE_STREAM: &[(Phase, &str, &str)] = &[
        (Phase::PredictSingle, "latency_p50_s", "stopwatch"),
        (Phase::PredictSingle, "latency_p90_s", "stopwatch"),
        (Phase::PredictSingle, "latency_p95_s", "stopwatch"),
        (Phase::PredictSingle, "latency_p99_s", "stopwatch"),
        (Phase::PredictSingle, "energy_j", ""),
    ];
    const SERVER: &[(Phase, &str, &str)] = &[(Phase::Server, "max_rate_per_s", "stopwatch")];
    let of_scenarios =
        [(Scenario::Offline, OFFLINE), (Scenario::SingleStream, SINGLE_STREAM), (Scenario::Server, SERVER)];
    let measured = of_scenarios.into_iter().filter(|(scenario, _)| latency.has(*scenario));
    SERVE.iter().chain(measured.flat_map(|(_, lacks)| lacks)).copied().collect()
}

/// Measures how long the saved model takes to load if its files are not in the system's cache.
pub(super) fn load_cold(
    program: &Program,
    subject: &Subject<'_>,
    request: &Request,
    emit: &mut dyn FnMut(Event),
    outcome: &mut Outcome,
) -> Result<(), Stop> {
    emit(Event::Phase(Phase::Serve));
    let place = place(request)?;
    let begun = program.machine.now();
    let mut bench = Bench::new(program, request, subject.task, begun, emit, outcome);
    match cold_seconds(program, subject, request, &place.artefact)? {
        Ok(seconds) => bench.record_reading(Phase::Serve, "load_cold_s", ("s", "stopwatch"), (None, seconds)),
        Err(reason) => bench.record(Phase::Serve, "load_cold_s", None, "stopwatch", reason),
    }
    Ok(())
}

/// The seconds of a load from the disk, or why the files did not come from there.
fn cold_seconds(
    program: &Program,
    subject: &Subject<'_>,
    request: &Request,
    artefact: &Path,
) -> Result<Result<f64, String>, Stop> {
    let machine = program.machine;
    if let Err(reason) = machine.evict(artefact) {
        return Ok(Err(reason));
    }
    let before = machine.fetched_bytes();
    let (model, seconds) = load(program, subject, request, artefact)?;
    drop(model);
    let (Some(before), Some(after)) = (before, machine.fetched_bytes()) else {
        return Ok(Err("the system does not show whether the files came from the disk".to_owned()));
    };
    // A system may keep files in memory although it was told not to need them, and some file systems are in memory.
    let size = model_bytes_in(artefact).map_err(|error| Stop::failed(format!("{}: {error}", artefact.display())))?;
    if after.saturating_sub(before) < size {
        let reason = "the files could not be made cold: fewer bytes came from the disk than the saved model has";
        return Ok(Err(reason.to_owned()));
    }
    Ok(Ok(seconds))
}

/// Serves the saved model: loads it, measures its first prediction, predicts the test rows, and measures the scenarios.
pub(super) fn serve(
    program: &Program,
    subject: &Subject<'_>,
    request: &Request,
    emit: &mut dyn FnMut(Event),
    outcome: &mut Outcome,
) -> Result<(), Stop> {
    emit(Event::Phase(Phase::Serve));
    let case = &request.case;
    let place = place(request)?;
    let begun = program.machine.now();
    let mut bench = Bench::new(program, request, subject.task, begun, emit, outcome);
    let inputs = read_inputs(&place.inputs).map_err(Stop::failed)?;
    bench.look_for_noise();
    let (mut model, load_s) = load(program, subject, request, &place.artefact)?;
    let fewer_threads = model.threads().and_then(|started| threads::fewer(case.threads, started));
    bench.record_reading(Phase::Serve, "load_s", ("s", "stopwatch"), (None, load_s));
    bench.first_prediction(model.as_mut(), &inputs)?;
    let predictions = bench.predict_again(model.as_mut(), &inputs)?;
    // Before the scenarios, because the memory must not depend on what a suite asks for.
    bench.serving_memory(request.alone);
    bench.device_memory(Phase::Serve);
    // These predictions are compared with the scored ones, so an answer that agrees with them is the scored one.
    let unseen = case.latency.audit.then(|| read_inputs(&place.unseen).map_err(Stop::failed)).transpose()?;
    let asked = Asked { inputs: &inputs, artefact: &place.artefact, scored: &predictions, unseen: unseen.as_ref() };
    bench.scenarios(model.as_mut(), &asked)?;
    bench.batch_sizes(model.as_mut(), &asked)?;
    bench.noise(Phase::Serve);
    if let Some(note) = fewer_threads {
        bench.outcome.remark(&note);
    }
    Ok(())
}

fn place(request: &Request) -> Result<&ServingPlace, Stop> {
    request.serving.as_ref().ok_or_else(|| Stop::failed("the request names no saved model"))
}

/// Loads the saved model, and gives the seconds that this took.
fn load(
    program: &Program,
    subject: &Subject<'_>,
    request: &Request,
    artefact: &Path,
) -> Result<(Box<dyn Model>, f64), Stop> {
    let stopwatch = Stopwatch::start(program.machine);
    let model = subject.entry.load(artefact, Threads::new(request.case.threads), subject.device);
    let seconds = stopwatch.seconds();
    Ok((model.map_err(|error| Stop::failed(format!("it cannot be loaded: {error}")))?, seconds))
}

impl Bench<'_> {
    /// Measures the first prediction of the process, for the first test row.
    fn first_prediction(&mut self, model: &mut dyn Model, inputs: &Inputs) -> Result<(), Stop> {
        let example = inputs.select(&[0]);
        let stopwatch = Stopwatch::start(self.program.machine);
        let prediction = model.predict(&example)?;
        let seconds = stopwatch.seconds();
        std::hint::black_box(prediction);
        self.record_reading(Phase::Serve, "first_prediction_s", ("s", "stopwatch"), (Some(0), seconds));
        Ok(())
    }

    /// Predicts all test rows, which the parent compares with what the fitted model predicted. No stopwatch runs meanwhile.
    fn predict_again(&mut self, model: &mut dyn Model, inputs: &Inputs) -> Result<Predictions, Stop> {
        let predictions = model.predict(inputs)?;
        let found = match &predictions {
            Predictions::Classes { labels, .. } => labels.len(),
            Predictions::Values(values) => values.len(),
        };
        if found != inputs.len() {
            let rows = inputs.len();
            return Err(Stop::failed(format!(
                "the loaded model gives {found} predictions, the fitted one gave {rows}"
            )));
        }
        let classes = self.task.classes();
        if let Predictions::Classes { labels, .. } = &predictions
            && let Some(label) = labels.iter().find(|label| usize::from(**label) >= classes.len())
        {
            let classes = classes.len();
            return Err(Stop::failed(format!("the loaded model predicts class {label} of {classes}, counted from 0")));
        }
        self.outcome.predictions = prediction_rows(&predictions, &classes, |_| String::new());
        Ok(predictions)
    }

    /// Records the largest resident set of this process, if it does nothing but serve.
    fn serving_memory(&mut self, alone: bool) {
        let peak = match self.program.machine.peak_memory_bytes() {
            _ if !alone => Err("the case ran inside the program's own process, whose memory includes the fit"),
            Some(bytes) => Ok(bytes as f64),
            None => Err("this system does not show it"),
        };
        match peak {
            Ok(bytes) => self.record_reading(Phase::Serve, "peak_memory_bytes", ("B", "kernel"), (None, bytes)),
            Err(reason) => self.record(Phase::Serve, "peak_memory_bytes", None, "kernel", reason),
        }
    }
}
