//! Fitted models that a run keeps.

use std::fs;
use std::path::{Path, PathBuf};

use bakeoff::tasks::TASKS;
use bakeoff_datasets::Store;
use bakeoff_models::{Device, ENTRIES, Predictions, Threads};
use bakeoff_reports::{PredictionRow, Record, RunDir};

use crate::common::{Bench, bytes_of_model, exits, records};

const CASES: [&str; 2] = ["parity.nearly.n60.s1.cpu", "number.nearly.n60.s1.cpu"];

fn model_bytes(run: &Path, case: &str) -> Record {
    records(run).into_iter().find(|row| row.case == case && row.metric == "model_bytes").unwrap()
}

/// What is in the folder of the kept models, hidden or not.
fn kept(bench: &Bench, run: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(bench.path(run).join("models")) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn a_run_keeps_its_models_if_it_is_to_and_their_size_is_the_same_if_not() {
    let bench = Bench::new();
    bench.suite("", &["parity", "number"], &["nearly", "classes-only"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "kept", "--keep-models", "-m", "nearly"]), 0);
    exits(&bench.run(&["run", "suite.toml", "--out", "gone", "-m", "nearly"]), 0);
    let dir = RunDir::new(bench.path("kept"));
    assert_eq!(kept(&bench, "kept").len(), CASES.len());
    assert!(!bench.path("gone/models").exists());
    for case in CASES {
        let bytes = bytes_of_model(&dir.model_path(case)) as f64;
        assert_eq!(model_bytes(&bench.path("kept"), case).value, Some(bytes));
        assert_eq!(model_bytes(&bench.path("gone"), case).value, Some(bytes));
    }
}

#[test]
fn a_resumed_run_keeps_models_too_and_tidies_up_what_a_killed_process_left() {
    let bench = Bench::new();
    bench.suite("keep_models = true", &["parity", "number"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let [first, second] = CASES.map(|case| RunDir::new(bench.path("out")).model_path(case));
    // As a kill leaves it: half a model beside the whole ones, and a case without its predictions.
    fs::create_dir_all(bench.path("out/models/.half/model")).unwrap();
    fs::remove_file(RunDir::new(bench.path("out")).predictions_path(CASES[0])).unwrap();
    fs::write(first.join("old"), "").unwrap();
    exits(&bench.run(&["resume", "out"]), 0);
    assert_eq!(kept(&bench, "out"), [second, first.clone()]);
    assert!(!first.join("old").exists(), "the model is that of the new fit");
}

fn written(names: &[String], predictions: &Predictions, example: usize) -> (String, Vec<u32>) {
    match predictions {
        Predictions::Classes { labels, probabilities } => {
            let bits = |row: &[f32]| row.iter().map(|value| value.to_bits()).collect();
            let probabilities = probabilities.as_ref().map_or_else(Vec::new, |matrix| bits(matrix.row(example)));
            (names[usize::from(labels[example])].clone(), probabilities)
        }
        Predictions::Values(values) => (f64::from(values[example]).to_string(), Vec::new()),
    }
}

#[test]
fn a_kept_model_predicts_what_the_run_stored_to_the_last_bit() {
    let bench = Bench::new();
    let suite = "name = \"kept\"\nthreads = 2\nlatency_examples = 1\n\
                 [[task]]\nname = \"sst2\"\ntrain_size = 200\n[[task]]\nname = \"cifar10\"\ntrain_size = 100\n\
                 [[model]]\nname = \"svm\"\n[[model]]\nname = \"random-forest\"\nparams = { trees = 5, ensemble = 2 }\n\
                 [[model]]\nname = \"lstm\"\nparams = { epochs = 1, hidden = 16, embedding = 16 }\n";
    bench.write("suite.toml", suite);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_bakeoff"))
        .args(["run", "suite.toml", "--out", "out", "--keep-models"])
        .current_dir(bench.path(""))
        .output()
        .unwrap();
    exits(&output, 0);
    let dir = RunDir::new(bench.path("out"));
    let info = dir.info().unwrap();
    assert_eq!(info.cases.len(), 6);
    for case in &info.cases {
        let task = TASKS.iter().find(|task| task.name() == case.task).unwrap();
        let entry = ENTRIES.iter().find(|entry| entry.name() == case.model).unwrap();
        let mut model = entry.load(&dir.model_path(&case.case), Threads::new(1), Device::Cpu).unwrap();
        let inputs = task.load(&Store::embedded()).unwrap().test.inputs;
        let predictions = model.predict(&inputs).unwrap();
        let stored: Vec<PredictionRow> = dir.predictions(&case.case).unwrap().unwrap().rows;
        assert_eq!(stored.len(), inputs.len());
        for row in stored {
            let bits = row.probabilities.iter().map(|value| value.to_bits()).collect();
            assert_eq!((row.prediction, bits), written(&task.classes(), &predictions, row.example), "{}", case.case);
        }
    }
}
