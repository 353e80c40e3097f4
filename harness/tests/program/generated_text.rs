//! `generate`: text from a fitted model, and what is refused.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use bakeoff::tasks::{self, TASKS};
use bakeoff_datasets::{Store, carve_validation};
use bakeoff_models::{Device, ENTRIES, EpochReport, ModelError, Resolved, Spec, Threads, Watch};
use bakeoff_reports::FittedTask;

use crate::common::{Bench, exits, stderr, stdout};

struct Unwatched;

impl Watch for Unwatched {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        Ok(report.epoch as f64)
    }

    fn progress(&mut self, _done: usize, _total: usize) {}
}

/// A model of few rows of a task, saved.
fn saved(bench: &Bench, model: &str, task: &str) -> PathBuf {
    let entry = *ENTRIES.iter().find(|entry| entry.name() == model).unwrap();
    let task = *TASKS.iter().find(|other| other.name() == task).unwrap();
    let rows: Vec<usize> = (0..300).collect();
    let (train, validation) = carve_validation(&task.load(&Store::embedded()).unwrap().train.select(&rows), 30, 1);
    let shape = tasks::shape(task, rows.len());
    let params = Resolved::new(entry.params(), &shape, &toml::Table::new()).unwrap();
    let spec = Spec { shape, params, device: Device::Cpu, threads: Threads::new(1), seed: 1 };
    let mut fitted = entry.build(&spec).unwrap();
    fitted.fit(&train, &validation, &mut Unwatched).unwrap();
    let folder = bench.path(&format!("{model}-{}", task.name()));
    fitted.save(&folder).unwrap();
    folder
}

fn generate(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bakeoff"));
    command.arg("generate").arg(folder).args(arguments).output().unwrap()
}

#[test]
fn a_fitted_model_goes_on_with_a_prompt_and_the_same_seed_gives_the_same_text() {
    let bench = Bench::new();
    let folder = saved(&bench, "decision-tree", "sst2-next-character");
    let text = |arguments: &[&str]| {
        let output = generate(&folder, &[&["--prompt", "the film"], arguments].concat());
        exits(&output, 0);
        stdout(&output)
    };
    let first = text(&["--length", "50"]);
    assert!(first.starts_with("the film") && (58..=59).contains(&first.chars().count()), "{first:?}");
    assert_eq!(text(&["--length", "50"]), first);
    assert_eq!(text(&["--length", "50", "--seed", "1"]), first, "the default seed is 1");
    assert_ne!(text(&["--length", "50", "--seed", "2"]), first);
    assert_eq!(text(&["--temperature", "0", "--seed", "1"]), text(&["--temperature", "0", "--seed", "2"]));
    assert_eq!(text(&["--length", "0"]), "the film\n");
}

#[test]
fn a_prompt_outside_the_alphabet_and_models_of_other_tasks_are_refused() {
    let bench = Bench::new();
    let folder = saved(&bench, "decision-tree", "sst2-next-character");
    let output = generate(&folder, &["--prompt", "über"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("character 1 of the prompt is 'ü'"), "{}", stderr(&output));
    assert!(stderr(&output).contains("abcdefghijklmnopqrstuvwxyz"), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");

    let other = saved(&bench, "decision-tree", "sst2");
    let output = generate(&other, &["--prompt", "a"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("sst2-next-character"), "{}", stderr(&output));

    let of_reviews = TASKS.iter().find(|task| task.name() == "sst2").unwrap();
    FittedTask::new(tasks::info(*of_reviews)).write(&other).unwrap();
    let output = generate(&other, &["--prompt", "a"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("not fitted on a task of characters but on 'sst2'"), "{}", stderr(&output));

    let output = generate(&bench.path("nothing"), &["--prompt", "a"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("artefact.json"), "{}", stderr(&output));
}

#[test]
fn a_model_that_a_run_has_kept_must_have_the_characters_of_the_alphabet_as_its_classes() {
    let bench = Bench::new();
    let folder = saved(&bench, "decision-tree", "sst2-next-character");
    let older = stdout(&generate(&folder, &["--prompt", "a", "--length", "5"]));
    let task = TASKS.iter().find(|task| task.name() == "sst2-next-character").unwrap();
    let mut info = tasks::info(*task);
    FittedTask::new(info.clone()).write(&folder).unwrap();
    assert_eq!(stdout(&generate(&folder, &["--prompt", "a", "--length", "5"])), older);
    info.classes.swap(30, 31);
    FittedTask::new(info).write(&folder).unwrap();
    let output = generate(&folder, &["--prompt", "a"]);
    exits(&output, 2);
    let says = "the classes of this model are not the 52 characters of the alphabet";
    assert!(stderr(&output).contains(says), "{}", stderr(&output));
}

#[test]
fn a_reader_that_goes_ends_the_text_quietly() {
    let bench = Bench::new();
    let folder = saved(&bench, "decision-tree", "sst2-next-character");
    let mut child = Command::new(env!("CARGO_BIN_EXE_bakeoff"))
        .arg("generate")
        .arg(&folder)
        .args(["--prompt", "a", "--length", "100000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 4];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    // The pipe is closed now, long before the text is at its end.
    let output = child.wait_with_output().unwrap();
    exits(&output, 0);
    assert_eq!(stderr(&output), "");
}
