//! Held-out honesty: the targets of the test rows change nothing but the scores, and validation rows are training rows.
//!
//! The whole measurement of a case is run on two tasks that differ in their test targets alone.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bakeoff::case::Case;
use bakeoff::load::LatencyConfig;
use bakeoff::machine::ThisMachine;
use bakeoff::measure::measure;
use bakeoff::meters::EnergyConfig;
use bakeoff::noise::NoiseLimits;
use bakeoff::outcome::Outcome;
use bakeoff::phase::Phase;
use bakeoff::program::Program;
use bakeoff::protocol::Request;
use bakeoff::tasks::{self, Task};
use bakeoff_datasets::{DataFile, DatasetError, Inputs, Split, Splits, Store, Targets, Text};
use bakeoff_models::{
    Device, ENTRIES, Footprint, InputShape, Model, ModelEntry, ModelError, Param, Predictions, Resolved, Spec, Support,
    TaskShape, Threads, Watch,
};
use bakeoff_reports::Status;

const TRAIN: usize = 200;
const TEST: usize = 60;

/// Is the film good, or how good is it?
struct Reviews {
    name: &'static str,
    values: bool,
    /// Whether the test targets are the opposite of what is true.
    poisoned: bool,
    /// Whether the test rows are texts that say nothing.
    blank: bool,
}

static TASKS: &[&dyn Task] = &[
    &Reviews { name: "reviews", values: false, poisoned: false, blank: false },
    &Reviews { name: "reviews", values: false, poisoned: true, blank: false },
    &Reviews { name: "grades", values: true, poisoned: false, blank: false },
    &Reviews { name: "grades", values: true, poisoned: true, blank: false },
];

/// The same with test rows from which nothing true can be learned.
static USELESS_TEST_ROWS: [&dyn Task; 2] = [
    &Reviews { name: "reviews", values: false, poisoned: true, blank: true },
    &Reviews { name: "grades", values: true, poisoned: true, blank: true },
];

impl Reviews {
    fn split(&self, rows: std::ops::Range<usize>, flipped: bool) -> Split {
        let good = |row: usize| row.is_multiple_of(3) || row.is_multiple_of(7);
        let text = |row: usize| {
            let word = if good(row) { "good" } else { "dull" };
            // No two rows are alike, so that a row can be told by its text.
            Text { first: format!("film {row} is {word} {}", ["so", "indeed", "again"][row % 3]), second: None }
        };
        let inputs = Inputs::Texts(rows.clone().map(text).collect());
        let labels = rows.map(|row| u16::from(good(row) != flipped));
        let targets = if self.values {
            Targets::Values(labels.enumerate().map(|(at, label)| f32::from(label) * 4.0 + at as f32 * 0.01).collect())
        } else {
            Targets::Classes { labels: labels.collect(), names: self.classes() }
        };
        Split { inputs, targets }
    }
}

impl Task for Reviews {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        "whether a film is good"
    }

    fn version(&self) -> u32 {
        1
    }

    fn primary(&self) -> &'static str {
        if self.values { "pearson" } else { "matthews" }
    }

    fn unit(&self) -> &'static str {
        ""
    }

    fn input(&self) -> InputShape {
        InputShape::Texts { pairs: false }
    }

    fn classes(&self) -> Arc<[String]> {
        if self.values { Arc::new([]) } else { ["dull", "good"].map(str::to_owned).into() }
    }

    fn rows(&self) -> usize {
        TRAIN
    }

    fn files(&self) -> &'static [DataFile] {
        &[]
    }

    fn load(&self, _store: &Store) -> Result<Splits, DatasetError> {
        let mut test = self.split(TRAIN..TRAIN + TEST, self.poisoned);
        if self.blank {
            let text = |row: usize| Text { first: format!("so {row}"), second: None };
            test.inputs = Inputs::Texts((0..TEST).map(text).collect());
        }
        Ok(Splits::new(self.split(0..TRAIN, false), test))
    }
}

fn run(entry: &'static dyn ModelEntry, task: &'static dyn Task, params: &str) -> Outcome {
    run_as((None, 1), entry, task, params)
}

/// The outcome of a case, or of a search trial of it on one row in so many.
fn run_as(
    (trial, row_divisor): (Option<usize>, usize),
    entry: &'static dyn ModelEntry,
    task: &'static dyn Task,
    params: &str,
) -> Outcome {
    run_for((trial, row_divisor, None), entry, task, params)
}

/// The same, with a target.
fn run_for(
    (trial, row_divisor, target): (Option<usize>, usize, Option<f64>),
    entry: &'static dyn ModelEntry,
    task: &'static dyn Task,
    params: &str,
) -> Outcome {
    let program = Program { tasks: leaked(task), models: leaked(entry), machine: &ThisMachine };
    let mut table: toml::Table = of_pieces(entry, params).parse().unwrap();
    table.insert("weights".to_owned(), TINY.into());
    table.retain(|name, _| entry.params().iter().any(|param| param.name == name));
    let case = Case {
        id: format!("{}.{}", task.name(), entry.name()),
        task: task.name().to_owned(),
        own: None,
        external: None,
        model: entry.name().to_owned(),
        label: entry.name().to_owned(),
        params: Resolved::new(entry.params(), &tasks::shape(task, TRAIN), &table).unwrap(),
        train_size: TRAIN,
        label_noise: 0.0,
        seed: 1,
        fold: None,
        trial,
        waits_for: 0,
        row_divisor,
        device: "cpu".to_owned(),
        card: None,
        threads: 2,
        timeout_s: 60.0,
        budget: None,
        checkpoint_s: 60.0,
        memory_limit_bytes: 1 << 30,
        latency_examples: 1,
        latency: LatencyConfig::default(),
        predict_hidden: false,
        keep_model: false,
        target,
        train_score: false,
        test_rows: None,
        energy: EnergyConfig { estimate: false, ..EnergyConfig::default() },
        noise: NoiseLimits::default(),
        peak: None,
        unsupported: None,
    };
    measure(&program, &Request::new(&case, None, None), &Store::embedded(), &mut |_| {})
}

/// Parameters with limits on words, or for a model of word pieces with limits that as many texts exceed.
fn of_pieces(entry: &dyn ModelEntry, params: &str) -> String {
    if entry.name() != "encoder" {
        return params.to_owned();
    }
    params.replace("max_tokens = 5", "max_tokens = 64").replace("max_tokens = 4", "max_tokens = 6")
}

/// A program is made of statics; a test's is made here.
fn leaked<T: ?Sized>(item: &'static T) -> &'static [&'static T] {
    Box::leak(Box::new([item]))
}

/// The models that do the tasks here, which are on texts. What is held out is the same for every model; one of images alone is held to
/// its images in conformance.rs.
fn readers() -> impl Iterator<Item = &'static &'static dyn ModelEntry> {
    let reads = |entry: &&&dyn ModelEntry| {
        let shape = tasks::shape(TASKS[0], TRAIN);
        let params = Resolved::new(entry.params(), &shape, &toml::Table::new()).unwrap();
        entry.supports(&shape, &params, Device::Cpu) == Support::Yes
    };
    ENTRIES.iter().filter(reads)
}

/// A pretrained encoder of random weights.
const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/fixtures/encoder");

/// Only the commonest terms, because each row has a number that no other row has: it changes the norm of TF-IDF values, and a
/// tree may split by that norm.
const SMALL: &str = "epochs = 4\nlearning_rate = 0.01\noptimizer = \"adamw\"\nbatch = 16\nshard = 8\nwidth = 16\n\
    heads = 2\nlayers = 1\nfeed_forward = 16\ndepth = 8\nhidden = 16\nembedding = 16\ntrees = 10\nmax_tokens = 5\nterms = 8\n\
    cross_validate = false\nlearner = { model = \"svm\", terms = 8 }\n\
    teacher = { model = \"mlp\", epochs = 20, learning_rate = 0.01, batch = 16, shard = 8, hidden = 16, terms = 8 }\n\
    of = { model = \"mlp\", epochs = 20, learning_rate = 0.01, batch = 16, shard = 8, hidden = 16, terms = 8 }\nshare = 0.25\n\
    network = { model = \"lstm\", epochs = 8, learning_rate = 0.01, batch = 16, shard = 8, hidden = 16, embedding = 16, max_tokens = 5 }";

#[test]
fn poisoned_test_targets_change_the_scores_and_nothing_else() {
    for entry in readers() {
        for pair in TASKS.chunks(2) {
            let what = format!("{} on {}", entry.name(), pair[0].name());
            let [honest, poisoned] = [run(*entry, pair[0], SMALL), run(*entry, pair[1], SMALL)];
            assert_eq!(honest.status, Status::Ok, "{what}: {}", honest.note);
            assert_eq!(poisoned.status, Status::BelowFloor, "{what}: {}", poisoned.note);

            let answers = |outcome: &Outcome| -> Vec<(String, Vec<f32>)> {
                outcome.predictions.iter().map(|row| (row.prediction.clone(), row.probabilities.clone())).collect()
            };
            assert_eq!(answers(&honest), answers(&poisoned), "{what}: the fit has seen the test targets");
            let epochs = |outcome: &Outcome| -> Vec<(f64, Option<f64>)> {
                outcome.curves.iter().map(|curve| (curve.train_loss, curve.validation)).collect()
            };
            assert_eq!(epochs(&honest), epochs(&poisoned), "{what}: validation has seen the test targets");
        }
    }
}

#[test]
fn no_search_trial_depends_on_a_test_row() {
    for entry in readers() {
        for (honest, useless) in TASKS.iter().step_by(2).zip(USELESS_TEST_ROWS) {
            let what = format!("{} on {}", entry.name(), honest.name());
            let [honest, useless] = [*honest, useless].map(|task| run_as((Some(1), 1), *entry, task, SMALL));
            assert_eq!(honest.status, Status::Ok, "{what}: {}", honest.note);
            // Seconds differ, and there is no meter.
            let numbers = |outcome: &Outcome| -> Vec<_> {
                let values = outcome.values.iter().filter(|value| value.metric != "fit_s");
                values.map(|value| (value.phase, value.metric.clone(), value.value)).collect()
            };
            assert_eq!(numbers(&honest), numbers(&useless), "{what}: a search trial has seen a test row");
            let epochs = |outcome: &Outcome| -> Vec<(f64, Option<f64>)> {
                outcome.curves.iter().map(|curve| (curve.train_loss, curve.validation)).collect()
            };
            assert_eq!(epochs(&honest), epochs(&useless), "{what}");
            let phases: BTreeSet<&str> = honest.values.iter().map(|value| value.phase.name()).collect();
            assert_eq!(phases, ["fit", "validate"].into(), "{what}");
            assert!(honest.predictions.is_empty(), "{what}");
        }
    }
}

#[test]
fn a_search_trial_is_scored_on_the_validation_rows_of_its_case_and_sees_none_of_them() {
    run(&SPY, TASKS[0], "");
    let trial = run_as((Some(2), 1), &SPY, TASKS[0], "");
    run_as((Some(3), 3), &SPY, TASKS[0], "");
    assert_eq!(trial.value(Phase::Validate, "matthews"), Some(0.0));
    // Other tests write here too.
    let seen = SEEN.lock().unwrap().clone();
    let (fitted, validation) = seen.iter().find(|(fitted, _)| fitted.len() == 162).unwrap();
    assert_eq!(validation.len(), 18);
    let learned: BTreeSet<&String> = fitted.iter().chain(validation).collect();
    assert_eq!(learned.len(), 180);
    let is_its_case = |(fitted, validation): &&(Vec<String>, Vec<String>)| {
        validation.len() == 20 && fitted.iter().collect::<BTreeSet<&String>>() == learned
    };
    let (_, held_out) = seen.iter().find(is_its_case).expect("it learns from the rows that its case learns from");
    assert!(held_out.iter().all(|row| !learned.contains(row)));
    // A third of the 180 rows.
    let (fitted, validation) =
        seen.iter().find(|(fitted, _)| fitted.len() == 54).expect("an earlier rung has fewer rows");
    assert_eq!(validation.len(), 6);
    assert!(fitted.iter().chain(validation).all(|row| learned.contains(row)), "they are among those of a later rung");
}

#[test]
fn texts_that_lose_their_ends_are_counted_where_a_model_has_a_limit() {
    for entry in readers() {
        let count = |most: usize| {
            let limited = SMALL.replace("max_tokens = 5", &format!("max_tokens = {most}"));
            // Of what an MLP can read, only words have a limit.
            let outcome = run(*entry, TASKS[0], &format!("{limited}\ntext_features = \"embeddings\""));
            [Phase::Fit, Phase::Score].map(|phase| outcome.value(phase, "truncated_examples"))
        };
        // A fusion has the limit of its network.
        if entry.name() == "fusion" || entry.params().iter().any(|param| param.name == "max_tokens") {
            assert_eq!(count(4), [Some(TRAIN as f64), Some(TEST as f64)], "{}", entry.name());
            assert_eq!(count(5), [Some(0.0), Some(0.0)], "{}", entry.name());
        } else {
            assert_eq!(count(5), [None, None], "{} reads texts of any length", entry.name());
        }
    }
}

#[test]
fn with_a_target_no_model_learns_from_the_validation_rows_that_judge_it() {
    for entry in readers() {
        let of = |trial, target| run_for((trial, 1, target), *entry, TASKS[0], SMALL);
        let [usual, judged] = [None, Some(0.9)].map(|target| of(None, target));
        let examples = |outcome: &Outcome| outcome.value(Phase::Fit, "train_examples");
        assert_eq!(examples(&judged), Some(TRAIN as f64 * 0.9), "{}", entry.name());
        assert_eq!(judged.value(Phase::Fit, "target"), Some(0.9));
        let of_validation = judged.values.iter().filter(|value| value.metric == "validation").count();
        assert_eq!(of_validation, usize::from(entry.learns_from_validation()), "{}", entry.name());
        if !entry.learns_from_validation() {
            assert_eq!(usual.predictions, judged.predictions, "{} does not see the target", entry.name());
        }
        let [usual, judged] = [None, Some(0.9)].map(|target| of(Some(1), target));
        assert_eq!(examples(&usual), examples(&judged), "{}: a search trial has no target", entry.name());
        assert_eq!(judged.value(Phase::Fit, "target"), None, "{}", entry.name());
    }
}

#[test]
fn with_a_target_a_model_that_learns_from_validation_rows_is_not_even_given_them() {
    let model = Spy { learns_from_validation: true };
    let model: &'static Spy = Box::leak(Box::new(model));
    let judged = run_for((None, 1, Some(0.9)), model, TASKS[0], "");
    assert!(judged.value(Phase::Fit, "target").is_some());
    let seen = SEEN.lock().unwrap().clone();
    let (fitted, validation) =
        seen.iter().rev().find(|(_, validation)| validation.is_empty()).expect("it was given none");
    assert_eq!((fitted.len(), validation.len()), (TRAIN * 9 / 10, 0));
    // The rows that judge it are those that a model with epochs chooses by.
    run(&SPY, TASKS[0], "");
    let seen = SEEN.lock().unwrap().clone();
    let is_the_same = |(rows, held): &&(Vec<String>, Vec<String>)| rows == fitted && held.len() == TRAIN / 10;
    let (_, held_out) = seen.iter().find(is_the_same).expect("another model gets the same rows");
    assert!(held_out.iter().all(|row| !fitted.contains(row)), "no row that judges it was given to it");
}

/// Always gives the same answer, and remembers what it was given.
struct Spy {
    learns_from_validation: bool,
}

static SPY: Spy = Spy { learns_from_validation: false };

static SEEN: Mutex<Vec<(Vec<String>, Vec<String>)>> = Mutex::new(Vec::new());

impl ModelEntry for Spy {
    fn name(&self) -> &'static str {
        "spy"
    }

    fn about(&self) -> &'static str {
        "remembers its rows"
    }

    fn version(&self, _device: Device) -> String {
        "1".to_owned()
    }

    fn params(&self) -> &'static [Param] {
        &[]
    }

    fn learns_from_validation(&self) -> bool {
        self.learns_from_validation
    }

    fn supports(&self, _shape: &TaskShape, _params: &Resolved, _device: Device) -> Support {
        Support::Yes
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(SpyModel { values: spec.shape.target == bakeoff_models::TargetShape::Value }))
    }

    fn load(&self, _folder: &Path, _threads: Threads, _device: Device) -> Result<Box<dyn Model>, ModelError> {
        Err(ModelError::Unsupported("a spy is not saved".to_owned()))
    }
}

struct SpyModel {
    values: bool,
}

fn lines(split: &Split) -> Vec<String> {
    let Inputs::Texts(texts) = &split.inputs else { panic!("not texts") };
    texts.iter().map(|text| text.first.clone()).collect()
}

impl Model for SpyModel {
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        SEEN.lock().unwrap().push((lines(train), lines(validation)));
        if validation.is_empty() {
            return Ok(());
        }
        let predictions = self.predict(&validation.inputs)?;
        let report = bakeoff_models::EpochReport { epoch: 1, epochs: 1, train_loss: 1.0, validation: &predictions };
        let score = watch.epoch(&report)?;
        // What a model that keeps its best epoch must be able to compare with.
        assert!(!score.is_nan());
        Ok(())
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        Ok(if self.values {
            Predictions::Values(vec![0.1; inputs.len()])
        } else {
            Predictions::Classes { labels: vec![0; inputs.len()], probabilities: None }
        })
    }

    fn save(&self, _folder: &Path) -> Result<(), ModelError> {
        Err(ModelError::Unsupported("a spy is not saved".to_owned()))
    }

    fn footprint(&self) -> Footprint {
        Footprint::default()
    }
}

#[test]
fn validation_rows_are_training_rows_and_no_test_row_is_seen_in_a_fit() {
    let outcome = run(&SPY, TASKS[0], "");
    assert_eq!(outcome.status, Status::BelowFloor);
    assert_eq!(outcome.value(Phase::Score, "matthews"), Some(0.0));
    let Splits { train, test, .. } = TASKS[0].load(&Store::embedded()).unwrap();
    let (train, test): (BTreeSet<_>, BTreeSet<_>) =
        (lines(&train).into_iter().collect(), lines(&test).into_iter().collect());
    let seen = SEEN.lock().unwrap();
    let (fitted, validation) = seen.iter().find(|(fitted, _)| fitted.len() == TRAIN * 9 / 10).unwrap();
    assert_eq!(validation.len(), TRAIN / 10);
    assert!(validation.iter().all(|row| train.contains(row) && !fitted.contains(row)));
    assert!(fitted.iter().all(|row| train.contains(row) && !test.contains(row)));
}

#[test]
fn a_correlation_that_is_undefined_is_below_the_floor_with_an_empty_number_and_the_reason() {
    let outcome = run(&SPY, TASKS[2], "");
    assert_eq!(outcome.status, Status::BelowFloor);
    assert_eq!(outcome.note, "pearson is undefined: all predictions or all targets are the same");
    for metric in ["pearson", "spearman"] {
        let reading = outcome.values.iter().find(|value| value.metric == metric).unwrap();
        assert_eq!((reading.value, reading.note.as_str()), (None, "all predictions or all targets are the same"));
    }
    assert_eq!(outcome.value(Phase::Score, "floor"), Some(0.0));
    assert_eq!(outcome.curves[0].validation, None);
    // It travels from the child to its parent as JSON, which has no NaN.
    let text = serde_json::to_string(&outcome).unwrap();
    assert_eq!(serde_json::from_str::<Outcome>(&text).unwrap(), outcome);
}
