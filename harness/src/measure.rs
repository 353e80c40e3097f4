//! What one process does for a case: it fits, scores and saves the model, or it loads the saved model and times it. Each phase has
//! a file.

mod artefact;
mod energy;
mod fit;
mod footprint;
mod hidden;
mod images;
mod meter;
mod noise;
mod observer;
mod predictions;
mod scenario;
mod score;
mod serve;
mod target;
mod validate;

use std::time::Duration;

use bakeoff_datasets::{Split, Store};
use bakeoff_models::{Device, Model, ModelEntry, ModelError, Spec, Threads};
use bakeoff_reports::{Better, Reading, Status, metric};

use crate::case::Case;
use crate::conformance;
use crate::load::ClockFault;
use crate::outcome::{MetricValue, Outcome};
use crate::phase::Phase;
use crate::program::Program;
use crate::protocol::{Event, Request, Work};
use crate::rows::Rows;
use crate::scoring::{self, ScoreError};
use crate::tasks::{self, Task};
use crate::threads;

use meter::Meter;
use noise::NoiseWatch;
use predictions::{prediction_rows, written};

/// Does the work of `request` and reports its progress to `emit`.
pub fn measure(program: &Program, request: &Request, store: &Store, emit: &mut dyn FnMut(Event)) -> Outcome {
    let mut outcome = Outcome::without_numbers(Status::Ok, "");
    let done = Subject::of(program, &request.case).and_then(|subject| match request.work {
        Work::Fit => fit(program, &subject, request, store, emit, &mut outcome),
        Work::LoadCold => serve::load_cold(program, &subject, request, emit, &mut outcome),
        Work::Serve => serve::serve(program, &subject, request, emit, &mut outcome),
        Work::Conform => conform(&subject, request, store, emit),
    });
    if let Err(stop) = done {
        outcome.status = stop.status;
        let remarks = std::mem::replace(&mut outcome.note, stop.note);
        if !remarks.is_empty() {
            outcome.remark(&remarks);
        }
    }
    outcome
}

/// What a case is about, by the names in it.
struct Subject<'a> {
    task: &'a dyn Task,
    entry: &'a dyn ModelEntry,
    device: Device,
}

impl<'a> Subject<'a> {
    fn of(program: &Program, case: &'a Case) -> Result<Subject<'a>, Stop> {
        let task = program.task_or(case.own.as_slice(), &case.task);
        Ok(Subject {
            task: task.ok_or_else(|| Stop::failed(format!("no task '{}'", case.task)))?,
            entry: entry_of(program, case)?,
            device: Device::named(&case.device).map_err(Stop::failed)?,
        })
    }
}

/// The entry of the model of a case.
fn entry_of<'a>(program: &Program, case: &'a Case) -> Result<&'a dyn ModelEntry, Stop> {
    let entry = program.model_or(case.external.as_slice(), &case.model);
    entry.ok_or_else(|| Stop::failed(format!("no model '{}'", case.model)))
}

/// Loads the data, fits the model, scores it and saves it.
fn fit(
    program: &Program,
    subject: &Subject<'_>,
    request: &Request,
    store: &Store,
    emit: &mut dyn FnMut(Event),
    outcome: &mut Outcome,
) -> Result<(), Stop> {
    let begun = program.machine.now();
    let case = &request.case;
    let Subject { task, entry, .. } = *subject;
    emit(Event::Phase(Phase::Load));
    let load = || task.load(store);
    // Only a user's own images are decoded by several threads.
    let splits = if case.own.is_some() { threads::at_most(case.threads, load) } else { load() };
    let rows = Rows::choose(splits.map_err(Stop::failed)?, case, entry);
    let spec = spec_of(subject, case, &rows);
    let mut model = entry.build(&spec)?;
    outcome.threads = model.threads().map(|started| started.min(case.threads));
    let fewer_threads = model.threads().and_then(|started| threads::fewer(case.threads, started));
    let mut bench = Bench::new(program, request, task, begun, emit, outcome);
    bench.look_for_noise();
    bench.prepare(entry, &spec, &rows)?;
    bench.fit(model.as_mut(), &rows, request.checkpoint.as_ref())?;
    if case.trial.is_none() {
        bench.noise(Phase::Fit);
        bench.processors();
    }
    bench.judge(model.as_mut(), &rows)?;
    if case.trial.is_some() {
        bench.validate(model.as_mut(), &rows)?;
        fewer_threads.iter().for_each(|note| bench.outcome.remark(note));
        return Ok(());
    }
    let predictions = bench.score(model.as_mut(), &rows)?;
    bench.score_further(model.as_mut(), &rows.further)?;
    if case.train_score {
        bench.score_further(model.as_mut(), &[("train", rows.learned_sample())])?;
    }
    let targets = &rows.test.targets;
    bench.outcome.predictions = prediction_rows(&predictions, &task.classes(), |example| written(targets, example));
    bench.footprint(model.as_ref());
    if case.external.is_some() {
        // Built-in models are tested for it.
        conformance::keeps_rows(model.as_mut(), &rows.test.inputs, &predictions).map_err(Stop::failed)?;
    }
    // After the peak memory was read, because saving takes memory too.
    if let Some(place) = &request.serving {
        let unseen = case.latency.audit.then(|| rows.never_predicted(case));
        bench.hand_over(model.as_ref(), &rows.test.inputs, unseen.as_ref(), place)?;
    }
    bench.images(model.as_ref(), &rows.train.inputs);
    if case.predict_hidden
        && let Err(stop) = bench.predict_hidden(model.as_mut(), store)
    {
        // What was measured before remains valid.
        bench.outcome.remark(&format!("splits with hidden targets were not predicted: {}", stop.note));
    }
    if let Some(note) = fewer_threads {
        bench.outcome.remark(&note);
    }
    Ok(())
}

/// Checks what every model promises, on the rows of the case.
fn conform(subject: &Subject<'_>, request: &Request, store: &Store, emit: &mut dyn FnMut(Event)) -> Result<(), Stop> {
    let case = &request.case;
    let rows = Rows::choose(subject.task.load(store).map_err(Stop::failed)?, case, subject.entry);
    let (train, validation, test) = (&rows.train, &rows.validation, &rows.test);
    let unlabelled = rows.unlabelled.as_ref();
    let spec = spec_of(subject, case, &rows);
    let (entry, primary) = (subject.entry, subject.task.primary());
    let subject =
        conformance::Subject { primary, entry, spec: &spec, again: &spec, train, validation, unlabelled, test };
    conformance::check(&subject).broken.into_iter().for_each(|broken| emit(Event::BrokenPromise(broken)));
    Ok(())
}

/// What the model of a case is built from.
fn spec_of(subject: &Subject<'_>, case: &Case, rows: &Rows) -> Spec {
    Spec {
        shape: tasks::shape(subject.task, rows.train.len() + rows.validation.len()),
        params: case.params.clone(),
        device: subject.device,
        threads: Threads::new(case.threads),
        seed: case.model_seed(),
    }
}

/// The instruments of one case, and what they have measured.
struct Bench<'a> {
    program: &'a Program,
    request: &'a Request,
    case: &'a Case,
    task: &'a dyn Task,
    /// The time at which the process began its work.
    begun: Duration,
    /// The seconds of the case's time-out that were used before.
    spent_s: f64,
    meter: Meter,
    noise: NoiseWatch,
    emit: &'a mut dyn FnMut(Event),
    outcome: &'a mut Outcome,
}

impl<'a> Bench<'a> {
    fn new(
        program: &'a Program,
        request: &'a Request,
        task: &'a dyn Task,
        begun: Duration,
        emit: &'a mut dyn FnMut(Event),
        outcome: &'a mut Outcome,
    ) -> Bench<'a> {
        let meter = Meter::open(&request.case.energy, program.machine, request.case.card.as_deref());
        let (case, spent_s) = (&request.case, request.spent_s);
        let noise = NoiseWatch::default();
        Bench { program, request, case, task, begun, spent_s, meter, noise, emit, outcome }
    }

    fn record(&mut self, phase: Phase, metric: &str, value: Option<f64>, source: &str, note: impl Into<String>) {
        self.record_under("", phase, metric, value, source, note);
    }

    /// Records a number that was measured under further conditions, such as `batch=64`.
    fn record_under(
        &mut self,
        conditions: &str,
        phase: Phase,
        metric: &str,
        value: Option<f64>,
        source: &str,
        note: impl Into<String>,
    ) {
        let (value, note) = match value {
            Some(number) if !number.is_finite() => (None, format!("{number} is not a finite number")),
            value => (value, note.into()),
        };
        self.outcome.values.push(MetricValue {
            phase,
            metric: metric.to_owned(),
            conditions: conditions.to_owned(),
            value,
            source: source.to_owned(),
            note,
        });
    }

    /// Stores raw readings of one instrument in a phase. Each has its test row, if it measured a single one.
    fn keep(
        &mut self,
        phase: Phase,
        metric: &str,
        (unit, source): (&str, &str),
        readings: impl IntoIterator<Item = (Option<usize>, f64)>,
    ) {
        let rows = readings.into_iter().enumerate().map(|(index, (example, value))| Reading {
            phase: phase.name().to_owned(),
            metric: metric.to_owned(),
            index,
            example,
            value,
            unit: unit.to_owned(),
            source: source.to_owned(),
        });
        self.outcome.readings.extend(rows);
    }

    /// Records a number, and keeps it as the single reading that it is, with its test row if it has one.
    fn record_reading(&mut self, phase: Phase, metric: &str, of: (&str, &str), reading: (Option<usize>, f64)) {
        let ((_, source), (_, value)) = (of, reading);
        self.record(phase, metric, Some(value), source, "");
        self.keep(phase, metric, of, [reading]);
    }

    /// The seconds of the case's time-out that are left.
    fn case_s_left(&self) -> f64 {
        self.case.timeout_s - self.spent_s - (self.program.machine.now() - self.begun).as_secs_f64()
    }

    /// The task's primary metric of a model's predictions of these rows, or why it is undefined.
    fn primary_on(&self, model: &mut dyn Model, split: &Split) -> Result<Result<f64, &'static str>, Stop> {
        let predictions = model.predict(&split.inputs)?;
        let scores = scoring::score(&split.targets, &predictions)?;
        let primary = self.task.primary();
        if let Some((_, value)) = scores.iter().find(|(name, _)| *name == primary) {
            return Ok(Ok(*value));
        }
        let undefined = scoring::undefined(&split.targets, &scores);
        Ok(Err(undefined.iter().find(|(name, _)| *name == primary).map_or("", |(_, reason)| *reason)))
    }

    /// Records how many inputs of a phase were truncated, if the model has a limit.
    fn truncated(&mut self, phase: Phase, examples: Option<usize>) {
        if let Some(examples) = examples {
            self.record(phase, "truncated_examples", Some(examples as f64), "model", "");
        }
    }

    /// Records how many inputs of a phase have a text in which the model finds no word, if it reads words.
    fn wordless(&mut self, phase: Phase, examples: Option<usize>) {
        if let Some(examples) = examples {
            self.record(phase, "wordless_examples", Some(examples as f64), "model", "");
        }
    }
}

/// Why a measurement ended early.
struct Stop {
    status: Status,
    note: String,
}

impl Stop {
    fn failed(note: impl ToString) -> Stop {
        Stop { status: Status::Failed, note: note.to_string() }
    }
}

impl From<ModelError> for Stop {
    fn from(error: ModelError) -> Stop {
        let status = match error {
            ModelError::Diverged { .. } => Status::Diverged,
            ModelError::OverBudget(_) => Status::OverBudget,
            // `unsupported` is for what the plan knew. What a model finds out later is a failure.
            ModelError::Unsupported(_) | ModelError::Failed(_) | ModelError::State(_) | ModelError::Artefact { .. } => {
                Status::Failed
            }
        };
        Stop { status, note: error.to_string() }
    }
}

impl From<ClockFault> for Stop {
    fn from(fault: ClockFault) -> Stop {
        Stop::failed(fault)
    }
}

impl From<ScoreError> for Stop {
    fn from(error: ScoreError) -> Stop {
        let status = if matches!(error, ScoreError::NotFinite { .. }) { Status::Diverged } else { Status::Failed };
        Stop { status, note: error.to_string() }
    }
}

/// The better direction of a metric.
fn better(name: &str) -> Better {
    metric(name).map_or(Better::Higher, |metric| metric.better)
}
