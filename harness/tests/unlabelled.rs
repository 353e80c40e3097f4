//! Rows without labels: which rows they are, and that nothing depends on their targets.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use bakeoff::case::{Case, Fold};
use bakeoff::machine::ThisMachine;
use bakeoff::measure::measure;
use bakeoff::outcome::{MetricValue, Outcome};
use bakeoff::phase::Phase;
use bakeoff::plan::{Overrides, Plan};
use bakeoff::program::Program;
use bakeoff::protocol::Request;
use bakeoff::rows::Rows;
use bakeoff::suite::Source;
use bakeoff::tasks::Task;
use bakeoff_datasets::{DataFile, DatasetError, Inputs, Split, Splits, Store, Targets, Text, train_rows};
use bakeoff_models::{ENTRIES, InputShape, ModelEntry, ParamValue, UNLABELLED};
use proptest::prelude::*;

/// Is the film good, or how good is it? Each text begins with the name of its row.
struct Reviews {
    name: &'static str,
    splits: Splits,
}

impl Task for Reviews {
    fn name(&self) -> &str {
        self.name
    }

    fn about(&self) -> &'static str {
        "whether a film is good"
    }

    fn version(&self) -> u32 {
        1
    }

    fn primary(&self) -> &'static str {
        match self.splits.train.targets {
            Targets::Classes { .. } => "accuracy",
            Targets::Values(_) => "pearson",
        }
    }

    fn unit(&self) -> &'static str {
        ""
    }

    fn input(&self) -> InputShape {
        InputShape::Texts { pairs: false }
    }

    fn classes(&self) -> Arc<[String]> {
        match &self.splits.train.targets {
            Targets::Classes { names, .. } => Arc::clone(names),
            Targets::Values(_) => Arc::new([]),
        }
    }

    fn rows(&self) -> usize {
        self.splits.train.len()
    }

    fn files(&self) -> &'static [DataFile] {
        &[]
    }

    fn load(&self, _store: &Store) -> Result<Splits, DatasetError> {
        Ok(self.splits.clone())
    }
}

const WORDS: [&str; 3] = ["dull", "fair", "good"];

/// Rows of three classes, or of three numbers and a little more.
fn reviews(name: &str, rows: usize, values: bool) -> Split {
    let class = |row: usize| (row * row + row / 7) % 3;
    let text = |row: usize| format!("{name}{row} this film is {} {}", WORDS[class(row)], ["so", "yes"][row % 2]);
    let texts = (0..rows).map(|row| Text { first: text(row), second: None }).collect();
    let targets = match values {
        true => Targets::Values((0..rows).map(|row| class(row) as f32 + row as f32 * 1e-3).collect()),
        false => Targets::Classes {
            labels: (0..rows).map(|row| class(row) as u16).collect(),
            names: WORDS.map(str::to_owned).into(),
        },
    };
    Split { inputs: Inputs::Texts(texts), targets }
}

/// The name of each row.
fn names(inputs: &Inputs) -> Vec<String> {
    let Inputs::Texts(texts) = inputs else { panic!("not texts") };
    texts.iter().map(|text| text.first.split(' ').next().unwrap().to_owned()).collect()
}

fn program(task: &'static dyn Task) -> Program {
    Program { tasks: Box::leak(Box::new([task])), models: ENTRIES, machine: &ThisMachine }
}

fn entry(name: &str) -> &'static dyn ModelEntry {
    *ENTRIES.iter().find(|entry| entry.name() == name).unwrap()
}

const SMALL: &str = "learner = { model = \"svm\" }\n\
    teacher = { model = \"mlp\", epochs = 5, learning_rate = 0.01, batch = 16, shard = 8, hidden = 8 }";

/// A case of a model on 60 rows of the task.
fn case(task: &'static dyn Task, model: &str, params: &str) -> Case {
    let text = format!(
        "name = \"rows\"\nthreads = 2\nlatency_examples = 1\n[[task]]\nname = \"{}\"\ntrain_size = 60\n\
         [[model]]\nname = \"{model}\"\n[model.params]\n{params}\n",
        task.name()
    );
    let source = Source { origin: "suite.toml".to_owned(), text, folder: PathBuf::new() };
    Plan::new(&program(task), &source, &Overrides::default()).unwrap().cases.remove(0)
}

fn task(name: &'static str, train: Split, test: Split) -> &'static Reviews {
    Box::leak(Box::new(Reviews { name, splits: Splits::new(train, test) }))
}

/// A case of a student and the same case of an SVM.
fn both(values: bool) -> [Case; 2] {
    let task = task("reviews", reviews("train", 100, values), reviews("test", 20, values));
    [case(task, "student", SMALL), case(task, "svm", "")]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_unlabelled_row_is_one_that_its_case_is_given_chosen_by_or_scored_on(
        values: bool,
        (rows, train_size) in (60_usize..160).prop_flat_map(|rows| (Just(rows), 40..=rows)),
        share in 0.0..=1.0_f64,
        less in 0.0..=1.0_f64,
        seed in 0_u64..1000,
        fold in prop::option::of((2_usize..6, 1_usize..3)),
        trial in prop::option::of((1_usize..4, 1_usize..4)),
        label_noise in prop::sample::select(vec![0.0, 0.3]),
        target in prop::option::of(Just(0.5)),
    ) {
        let splits = Splits::new(reviews("train", rows, values), reviews("test", 20, values));
        let asked = (share * (rows - train_size) as f64) as usize;
        let [student, svm] = both(values).map(|case| Case {
            train_size,
            seed,
            target,
            label_noise: if values { 0.0 } else { label_noise },
            fold: fold.map(|(folds, repeat)| Fold { fold: 1 + seed as usize % folds, folds, repeat }),
            ..case
        });
        let asking = |case: &Case, count: usize| {
            let mut case = case.clone();
            case.params.set(UNLABELLED, ParamValue::Int(count as i64));
            Rows::choose(splits.clone(), &case, entry("student"))
        };
        let scored = asking(&student, asked);
        let unlabelled = |rows: &Rows| rows.unlabelled.as_ref().map(names).unwrap_or_default();
        let given = unlabelled(&scored);
        prop_assert_eq!(given.len(), asked);
        prop_assert_eq!(scored.unlabelled.is_some(), asked > 0);
        let distinct: BTreeSet<String> = given.iter().cloned().collect();
        prop_assert_eq!(distinct.len(), asked);
        let train: BTreeSet<String> = names(&splits.train.inputs).into_iter().collect();
        prop_assert!(distinct.is_subset(&train), "they are training rows");
        let known = |rows: &Rows| -> BTreeSet<String> {
            let splits = [&rows.train, &rows.validation, &rows.test].into_iter().chain(&rows.withheld);
            splits.flat_map(|split| names(&split.inputs)).collect()
        };
        prop_assert!(distinct.is_disjoint(&known(&scored)));
        prop_assert_eq!(scored.leaked_unlabelled.unwrap_or(0), 0, "every text is another one");

        // Fewer are among more, and the other rows stay as they are for every model.
        let fewer = (less * asked as f64) as usize;
        prop_assert_eq!(unlabelled(&asking(&student, fewer)), &given[..fewer]);
        let other = Rows::choose(splits.clone(), &svm, entry("svm"));
        prop_assert!(other.unlabelled.is_none());
        prop_assert_eq!(known(&other), known(&scored));

        // A search trial sees none of the rows that it or its case is scored on.
        let Some((trial, row_divisor)) = trial else { return Ok(()) };
        let tried = asking(&Case { trial: Some(trial), row_divisor, ..student.clone() }, asked);
        let given_trial = unlabelled(&tried);
        prop_assert_eq!(&given_trial[..], &given[..asked / row_divisor]);
        let given_trial: BTreeSet<String> = given_trial.into_iter().collect();
        prop_assert!(given_trial.is_disjoint(&known(&tried)) && given_trial.is_disjoint(&known(&scored)));
    }
}

/// The same rows with other targets where no row that is drawn for `case` changes: the targets of the rest change places.
fn other_targets_left_over(train: &Split, case: &Case) -> Split {
    let drawn = |split: &Split| train_rows(&split.targets, case.train_size, case.draw_seed());
    let before = drawn(train);
    let left: Vec<usize> = (0..train.len()).filter(|row| !before.contains(row)).collect();
    let mut changed = train.clone();
    for (&one, &other) in left.iter().zip(left.iter().rev()) {
        let mut swapped = changed.clone();
        match &mut swapped.targets {
            Targets::Classes { labels, .. } => labels.swap(one, other),
            Targets::Values(values) => values.swap(one, other),
        }
        // Rows are drawn by class, so another class of a row may draw others.
        if drawn(&swapped) == before && one < other {
            changed = swapped;
        }
    }
    let (now, then) = (changed.targets.select(&left), train.targets.select(&left));
    assert_ne!(now, then, "no target has changed");
    assert_eq!(changed.targets.select(&before), train.targets.select(&before));
    changed
}

fn outcome(task: &'static dyn Task, params: &str) -> Outcome {
    let case = case(task, "student", &format!("{SMALL}\n{params}"));
    measure(&program(task), &Request::new(&case, None, None), &Store::embedded(), &mut |_| {})
}

#[test]
fn the_targets_of_unlabelled_rows_change_no_bit_of_a_result() {
    for values in [false, true] {
        let (train, test) = (reviews("train", 160, values), reviews("test", 30, values));
        let honest = task("reviews", train.clone(), test.clone());
        let changed = other_targets_left_over(&train, &case(honest, "student", SMALL));
        let poisoned = task("reviews", changed, test);
        let numbers = |outcome: &Outcome| -> Vec<_> {
            // Times, memory, joules and the noise of the machine differ from run to run.
            let is_measured = |value: &&MetricValue| {
                ["stopwatch", "kernel"].contains(&value.source.as_str()) || value.metric.ends_with("_j")
            };
            let values = outcome.values.iter().filter(|value| !is_measured(value));
            values.map(|value| (value.phase, value.metric.clone(), value.value.map(f64::to_bits))).collect()
        };
        for more in ["", "ensemble = 2", "truth = 0.5"] {
            let params = format!("unlabelled = 100\n{more}");
            let [one, other] = [honest, poisoned].map(|task| outcome(task, &params));
            assert!(!one.predictions.is_empty(), "{}", one.note);
            assert_eq!(one.value(Phase::Fit, "unlabelled_examples"), Some(100.0));
            assert_eq!(one.value(Phase::Score, "leaked_unlabelled"), Some(0.0));
            assert_eq!(one.predictions, other.predictions, "values: {values}, {more}");
            assert_eq!(numbers(&one), numbers(&other), "values: {values}, {more}");
            // The rows themselves are not ignored.
            let without = outcome(honest, more);
            assert_eq!(without.value(Phase::Fit, "unlabelled_examples"), None);
            assert_ne!(one.predictions, without.predictions, "values: {values}, {more}");
            // The parameter at 0 is the student without it.
            assert_eq!(outcome(honest, &format!("unlabelled = 0\n{more}")).predictions, without.predictions);
        }
    }
}

#[test]
fn a_test_row_among_the_unlabelled_ones_is_counted() {
    let train = reviews("train", 160, false);
    let case = case(task("reviews", train.clone(), reviews("test", 30, false)), "student", SMALL);
    let drawn = train_rows(&train.targets, case.train_size, case.draw_seed());
    let left: Vec<usize> = (0..train.len()).filter(|row| !drawn.contains(row)).collect();
    let leaking = task("reviews", train.clone(), train.select(&[left[0], left[1], drawn[0]]));
    let all = outcome(leaking, "unlabelled = 100");
    assert_eq!(all.value(Phase::Score, "leaked_unlabelled"), Some(2.0));
    assert_eq!(all.value(Phase::Score, "leaked_examples"), Some(1.0));
}

#[test]
fn no_model_but_a_student_asks_for_unlabelled_rows() {
    let task = task("reviews", reviews("train", 100, false), reviews("test", 20, false));
    for entry in ENTRIES {
        let asks = entry.params().iter().any(|param| param.name == UNLABELLED);
        assert_eq!(asks, entry.name() == "student", "{}", entry.name());
        if !["resnet", "cnn", "gan", "encoder"].contains(&entry.name()) {
            assert_eq!(case(task, entry.name(), "").unlabelled_rows(*entry), 0, "{}", entry.name());
        }
    }
    assert_eq!(case(task, "student", "unlabelled = 7").unlabelled_rows(entry("student")), 7);
}
