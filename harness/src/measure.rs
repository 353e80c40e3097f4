//! Measures one case in this process: load, fit, score, time, and say how it ended.

use std::time::Duration;

use bakeoff_datasets::{Inputs, Split, Splits, Store, Targets, carve_validation, train_rows};
use bakeoff_models::{Device, EpochReport, Model, ModelError, Predictions, Spec, Watch};
use bakeoff_reports::{Better, Curve, PredictionRow, Status, metric, quantile};

use crate::case::Case;
use crate::meters::{self, Counter};
use crate::outcome::{Outcome, Phase, Reading};
use crate::program::Program;
use crate::scoring::{self, ScoreError, shown};
use crate::stopwatch::Stopwatch;
use crate::tasks::{self, Task};
use crate::threads;
use crate::worker::Event;

/// Share of the training rows that is kept for validation.
const VALIDATION_SHARE: f64 = 0.1;
/// Single predictions before the clock counts.
const WARM_UP: usize = 20;
/// Passes over the test rows, of which the throughput is the median, unless they take longer than [`BATCH_BUDGET`].
const BATCH_PASSES: usize = 3;
const BATCH_BUDGET: Duration = Duration::from_secs(4);

/// How a measurement ended early.
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
            // `unsupported` is what the plan knew; what a model finds out later is a failure.
            ModelError::Unsupported(_) | ModelError::Failed(_) | ModelError::Artefact { .. } => Status::Failed,
        };
        Stop { status, note: error.to_string() }
    }
}

impl From<ScoreError> for Stop {
    fn from(error: ScoreError) -> Stop {
        let status = if matches!(error, ScoreError::NotFinite { .. }) { Status::Diverged } else { Status::Failed };
        Stop { status, note: error.to_string() }
    }
}

/// Measures `case`, telling `tell` of its progress.
pub fn measure(program: &Program, case: &Case, store: &Store, tell: &mut dyn FnMut(Event)) -> Outcome {
    let mut outcome = Outcome::without_numbers(Status::Ok, "");
    if let Err(stop) = run(program, case, store, tell, &mut outcome) {
        outcome.status = stop.status;
        outcome.note = stop.note;
    }
    outcome
}

fn run(
    program: &Program,
    case: &Case,
    store: &Store,
    tell: &mut dyn FnMut(Event),
    outcome: &mut Outcome,
) -> Result<(), Stop> {
    let task = program.task_or(case.own.as_slice(), &case.task);
    let task = task.ok_or_else(|| Stop::failed(format!("no task '{}'", case.task)))?;
    let entry = program.model(&case.model).ok_or_else(|| Stop::failed(format!("no model '{}'", case.model)))?;
    let device = Device::named(&case.device).ok_or_else(|| Stop::failed(format!("no device '{}'", case.device)))?;

    tell(Event::Phase("load".to_owned()));
    let load = || Rows::load(task, case, store);
    // Only images of a user's own are decoded by several threads.
    let rows = if case.own.is_some() { threads::at_most(case.threads, load)? } else { load()? };
    let spec = Spec {
        shape: tasks::shape(task, case.train_size),
        params: case.params.clone(),
        device,
        threads: case.threads,
        seed: case.model_seed(),
    };
    let mut model = entry.build(&spec)?;
    let fewer_threads = model.threads().and_then(|started| threads::fewer(case.threads, started));
    let mut bench = Bench::new(program, case, task, tell, outcome);
    bench.fit(model.as_mut(), &rows)?;
    let predictions = bench.score(model.as_mut(), &rows)?;
    bench.score_further(model.as_mut(), &rows.further)?;
    let targets = &rows.test.targets;
    bench.outcome.predictions = prediction_rows(&predictions, &task.classes(), |example| written(targets, example));
    bench.batch(model.as_mut(), &rows.test.inputs)?;
    bench.single(model.as_mut(), &rows.test.inputs)?;
    bench.footprint(model.as_ref());
    if case.predict_hidden
        && let Err(stop) = bench.predict_hidden(model.as_mut(), store)
    {
        // What was measured stays measured.
        bench.outcome.remark(&format!("splits with hidden targets were not predicted: {}", stop.note));
    }
    if let Some(note) = fewer_threads {
        bench.outcome.remark(&note);
    }
    Ok(())
}

/// The rows of a case: the same for every model.
struct Rows {
    train: Split,
    validation: Split,
    test: Split,
    /// More splits to be scored on, with their names.
    further: Vec<(&'static str, Split)>,
}

impl Rows {
    fn load(task: &dyn Task, case: &Case, store: &Store) -> Result<Rows, Stop> {
        let Splits { train, test, further } = task.load(store).map_err(Stop::failed)?;
        let seed = case.rows_seed();
        let given = train.select(&train_rows(&train.targets, case.train_size, seed));
        let (train, validation) =
            carve_validation(&given, (case.train_size as f64 * VALIDATION_SHARE).round() as usize, seed);
        let few = |split: Split| match case.test_rows {
            Some(count) if count < split.len() => split.select(&(0..count).collect::<Vec<_>>()),
            _ => split,
        };
        let further = further.into_iter().map(|(name, split)| (name, few(split))).collect();
        Ok(Rows { train, validation, test: few(test), further })
    }
}

/// The instruments of one case and what they have read.
struct Bench<'a> {
    program: &'a Program,
    case: &'a Case,
    task: &'a dyn Task,
    meter: Result<Box<dyn Counter + 'a>, String>,
    tell: &'a mut dyn FnMut(Event),
    outcome: &'a mut Outcome,
}

impl<'a> Bench<'a> {
    fn new(
        program: &'a Program,
        case: &'a Case,
        task: &'a dyn Task,
        tell: &'a mut dyn FnMut(Event),
        outcome: &'a mut Outcome,
    ) -> Bench<'a> {
        let meter = meters::open(&case.energy, program.machine);
        Bench { program, case, task, meter, tell, outcome }
    }

    fn read(&mut self, phase: Phase, metric: &str, value: Option<f64>, source: &str, note: impl Into<String>) {
        let (value, note) = match value {
            Some(number) if !number.is_finite() => (None, format!("{number} is not a finite number")),
            value => (value, note.into()),
        };
        self.outcome.readings.push(Reading {
            phase,
            metric: metric.to_owned(),
            value,
            source: source.to_owned(),
            note,
        });
    }

    /// Joules so far, or why there are none.
    fn joules(&mut self) -> Result<f64, String> {
        match &mut self.meter {
            Ok(counter) => counter.read_j().map_err(|error| format!("the meter could not be read: {error}")),
            Err(reason) => Err(reason.clone()),
        }
    }

    /// The joules of a phase since `before`, for each of `count` predictions (1 for a fit).
    fn energy(&mut self, phase: Phase, before: Result<f64, String>, count: usize) {
        let spent = before.and_then(|before| self.joules().map(|after| (after - before) / count as f64));
        let source = self.meter.as_ref().map_or("", |meter| meter.source()).to_owned();
        match spent {
            Ok(joules) => self.read(phase, "energy_j", Some(joules), &source, ""),
            Err(reason) => self.read(phase, "energy_j", None, &source, reason),
        }
    }

    fn fit(&mut self, model: &mut dyn Model, rows: &Rows) -> Result<(), Stop> {
        (self.tell)(Event::Phase("fit".to_owned()));
        let before = self.joules();
        let stopwatch = Stopwatch::start(self.program.machine);
        let mut watch = Observer {
            stopwatch: &stopwatch,
            targets: &rows.validation.targets,
            primary: self.task.primary(),
            case: &self.case.id,
            start_j: before.as_ref().ok().copied(),
            meter: self.meter.as_mut().ok(),
            tell: self.tell,
            curves: &mut self.outcome.curves,
        };
        let fitted = model.fit(&rows.train, &rows.validation, &mut watch);
        let seconds = stopwatch.seconds();
        fitted?;
        self.read(Phase::Fit, "fit_s", Some(seconds), "stopwatch", "");
        self.energy(Phase::Fit, before, 1);
        if let Some(idle_w) = self.case.idle_w {
            let source = self.meter.as_ref().map_or("", |meter| meter.source()).to_owned();
            self.read(Phase::Fit, "idle_w", Some(idle_w), &source, "");
        }
        let cut = [&rows.train, &rows.validation].map(|split| model.truncated(&split.inputs));
        self.truncated(Phase::Fit, cut.into_iter().sum());
        Ok(())
    }

    /// How many inputs of a phase the model did not read to their ends, if it has a limit.
    fn truncated(&mut self, phase: Phase, examples: Option<usize>) {
        if let Some(examples) = examples {
            self.read(phase, "truncated_examples", Some(examples as f64), "model", "");
        }
    }

    /// Quality on the test rows, and whether it is a quality at all.
    fn score(&mut self, model: &mut dyn Model, rows: &Rows) -> Result<Predictions, Stop> {
        (self.tell)(Event::Phase("score".to_owned()));
        let predictions = model.predict(&rows.test.inputs)?;
        let scores = scoring::score(&rows.test.targets, &predictions)?;
        let primary = self.task.primary();
        let floor = scoring::floor(&rows.train.targets, &rows.test.targets, primary);
        for (name, value) in &scores {
            self.read(Phase::Score, name, Some(*value), "scorer", "");
        }
        let value = |wanted: &str| scores.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        let (correlations, reason) = scoring::UNDEFINED;
        if matches!(predictions, Predictions::Values(_)) {
            for name in correlations.into_iter().filter(|name| value(name).is_none()) {
                self.read(Phase::Score, name, None, "scorer", reason);
            }
        }
        self.read(Phase::Score, "floor", Some(floor), "scorer", "");
        self.read(Phase::Score, "examples", Some(rows.test.len() as f64), "scorer", "");
        let truncated = model.truncated(&rows.test.inputs);
        self.truncated(Phase::Score, truncated);
        let note = match value(primary) {
            Some(value) if better(primary, value, floor) => return Ok(predictions),
            Some(value) => format!(
                "{primary} {} is no better than {}, that of a constant answer",
                shown(primary, value),
                shown(primary, floor)
            ),
            None if correlations.contains(&primary) => format!("{primary} is undefined: {reason}"),
            None => return Err(Stop::failed(format!("the scorer gives no {primary} for task '{}'", self.task.name()))),
        };
        self.outcome.status = Status::BelowFloor;
        self.outcome.note = note;
        Ok(predictions)
    }

    /// The primary metric on further test splits, as `<metric>_<split>`.
    fn score_further(&mut self, model: &mut dyn Model, further: &[(&'static str, Split)]) -> Result<(), Stop> {
        let primary = self.task.primary();
        for (name, split) in further {
            let predictions = model.predict(&split.inputs)?;
            let scores = scoring::score(&split.targets, &predictions)?;
            let value = scores.iter().find(|(metric, _)| *metric == primary).map(|(_, value)| *value);
            self.read(Phase::Score, &format!("{primary}_{name}"), value, "scorer", "");
        }
        Ok(())
    }

    /// Throughput: all test rows in one call. The scoring pass was the warm-up.
    fn batch(&mut self, model: &mut dyn Model, inputs: &Inputs) -> Result<(), Stop> {
        (self.tell)(Event::Phase("predict-batch".to_owned()));
        let before = self.joules();
        let whole = Stopwatch::start(self.program.machine);
        let mut passes_s = Vec::with_capacity(BATCH_PASSES);
        while passes_s.len() < BATCH_PASSES && (passes_s.is_empty() || whole.seconds() < BATCH_BUDGET.as_secs_f64()) {
            let pass = Stopwatch::start(self.program.machine);
            let predictions = model.predict(inputs)?;
            passes_s.push(pass.seconds());
            std::hint::black_box(predictions);
        }
        let passes = passes_s.len();
        self.energy(Phase::PredictBatch, before, passes * inputs.len());
        passes_s.sort_by(f64::total_cmp);
        let median_s = quantile(&passes_s, 0.5);
        let note = if passes < BATCH_PASSES { format!("{passes} of {BATCH_PASSES} passes") } else { String::new() };
        self.read(Phase::PredictBatch, "throughput", Some(inputs.len() as f64 / median_s), "stopwatch", note);
        Ok(())
    }

    /// Latency: one raw example in, one prediction out, encoding included.
    fn single(&mut self, model: &mut dyn Model, inputs: &Inputs) -> Result<(), Stop> {
        (self.tell)(Event::Phase("predict-single".to_owned()));
        let examples: Vec<Inputs> =
            (0..inputs.len().min(self.case.latency_examples)).map(|row| inputs.select(&[row])).collect();
        for example in examples.iter().cycle().take(WARM_UP) {
            std::hint::black_box(model.predict(example)?);
        }
        let before = self.joules();
        let mut seconds = Vec::with_capacity(examples.len());
        for example in &examples {
            let stopwatch = Stopwatch::start(self.program.machine);
            let prediction = model.predict(example)?;
            seconds.push(stopwatch.seconds());
            std::hint::black_box(prediction);
        }
        self.energy(Phase::PredictSingle, before, examples.len());
        seconds.sort_by(f64::total_cmp);
        let note = format!("{} distinct examples", examples.len());
        for (name, share) in
            [("latency_p50_s", 0.50), ("latency_p90_s", 0.90), ("latency_p95_s", 0.95), ("latency_p99_s", 0.99)]
        {
            self.read(Phase::PredictSingle, name, Some(quantile(&seconds, share)), "stopwatch", note.as_str());
        }
        Ok(())
    }

    /// Predicts what cannot be scored here. It comes last: nothing of it may show in the measurements.
    fn predict_hidden(&mut self, model: &mut dyn Model, store: &Store) -> Result<(), Stop> {
        (self.tell)(Event::Phase("predict-hidden".to_owned()));
        for (name, inputs) in self.task.load_hidden(store).map_err(Stop::failed)? {
            let predictions = model.predict(&inputs)?;
            let rows = prediction_rows(&predictions, &self.task.classes(), |_| String::new());
            self.outcome.hidden.push((name.to_owned(), rows));
        }
        Ok(())
    }

    fn footprint(&mut self, model: &dyn Model) {
        let footprint = model.footprint();
        self.read(Phase::Case, "parameters", Some(footprint.parameters as f64), "model", "");
        self.read(Phase::Case, "model_bytes", Some(footprint.bytes as f64), "model", "");
        match footprint.flops_per_example {
            Some(flops) => self.read(Phase::Case, "flops", Some(flops as f64), "model", ""),
            None => self.read(Phase::Case, "flops", None, "model", "not countable for this model"),
        }
        match self.program.machine.peak_memory_bytes() {
            Some(bytes) => self.read(Phase::Case, "peak_memory_bytes", Some(bytes as f64), "kernel", ""),
            None => self.read(Phase::Case, "peak_memory_bytes", None, "kernel", "this system does not tell"),
        }
    }
}

/// Watches a fit: scores each epoch, keeps its curve, stops it when a number is not finite.
struct Observer<'a, 'm> {
    stopwatch: &'a Stopwatch<'a>,
    targets: &'a Targets,
    primary: &'a str,
    case: &'a str,
    start_j: Option<f64>,
    meter: Option<&'a mut Box<dyn Counter + 'm>>,
    tell: &'a mut dyn FnMut(Event),
    curves: &'a mut Vec<Curve>,
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
        let energy_j = match (&mut self.meter, self.start_j) {
            (Some(meter), Some(start)) => meter.read_j().ok().map(|now| now - start),
            _ => None,
        };
        self.curves.push(Curve {
            case: self.case.to_owned(),
            epoch: report.epoch,
            train_loss: report.train_loss,
            metric: self.primary.to_owned(),
            validation: value,
            elapsed_s: self.stopwatch.seconds(),
            energy_j,
        });
        (self.tell)(Event::Progress { done: report.epoch, total: report.epochs });
        // An epoch without a score, as of a constant answer, is worse than any that has one.
        Ok(value.map_or(f64::NEG_INFINITY, |value| if is_higher_better(self.primary) { value } else { -value }))
    }

    fn progress(&mut self, done: usize, total: usize) {
        // A register that wraps twice between two readings loses a turn, so a long fit reads it on the way.
        if let Some(meter) = &mut self.meter {
            let _ = meter.read_j();
        }
        (self.tell)(Event::Progress { done, total });
    }
}

fn is_higher_better(name: &str) -> bool {
    metric(name).is_none_or(|metric| metric.better == Better::Higher)
}

/// Whether `value` of a metric is strictly better than `other`.
fn better(name: &str, value: f64, other: f64) -> bool {
    if is_higher_better(name) { value > other } else { value < other }
}

/// One row per example; `target` gives what is right, or nothing where that is hidden.
fn prediction_rows(
    predictions: &Predictions,
    classes: &[String],
    target: impl Fn(usize) -> String,
) -> Vec<PredictionRow> {
    let row = |example: usize, prediction: String, probability: Option<f32>| PredictionRow {
        example,
        target: target(example),
        prediction,
        probability: probability.map(f64::from),
    };
    match predictions {
        Predictions::Classes { labels, probabilities } => labels
            .iter()
            .map(|&label| usize::from(label))
            .enumerate()
            .map(|(example, label)| {
                let probability = probabilities.as_ref().map(|matrix| matrix.row(example)[label]);
                row(example, classes[label].clone(), probability)
            })
            .collect(),
        Predictions::Values(values) => values
            .iter()
            .enumerate()
            .map(|(example, value)| row(example, f64::from(*value).to_string(), None))
            .collect(),
    }
}

/// The target of an example as it is written.
fn written(targets: &Targets, example: usize) -> String {
    match targets {
        Targets::Classes { labels, names } => names[usize::from(labels[example])].clone(),
        Targets::Values(values) => f64::from(values[example]).to_string(),
    }
}
