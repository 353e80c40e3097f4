//! Ensembles of the real models: what a run stores of them.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use bakeoff_reports::{Record, RunDir};

use crate::common::{Bench, bytes_of_model, endings, exits, records, stderr, stdout};

/// The real program in the folder of a bench.
fn bakeoff(bench: &Bench, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bakeoff"));
    command.args(arguments).current_dir(bench.path("")).env_remove("BAKEOFF_SAMPLES").output().unwrap()
}

/// A suite of models, each a name, a label and parameters, on few rows of `sst2`.
fn suite(models: &[(&str, &str, &str)]) -> String {
    let head = "name = \"ensembles\"\nthreads = 2\nlatency_examples = 1\n[[task]]\nname = \"sst2\"\ntrain_size = 200\n";
    let model = |&(name, label, params): &(&str, &str, &str)| {
        format!("[[model]]\nname = \"{name}\"\nlabel = \"{label}\"\nparams = {{ {params} }}\n")
    };
    head.to_owned() + &models.iter().map(model).collect::<String>()
}

#[test]
fn a_run_stores_the_epochs_the_size_and_the_answers_of_all_members() {
    const LSTM: &str = "epochs = 2, hidden = 4, embedding = 4";
    let bench = Bench::new();
    let text = suite(&[
        ("lstm", "lstm-1", LSTM),
        ("lstm", "lstm-3", &format!("{LSTM}, ensemble = 3")),
        ("svm", "svm-1", ""),
        ("svm", "svm-2", "ensemble = 2"),
    ]);
    bench.write("suite.toml", &text);
    exits(&bakeoff(&bench, &["run", "suite.toml", "--out", "out", "--keep-models"]), 0);
    let dir = RunDir::new(bench.path("out"));
    let records = records(&bench.path("out"));
    let case = |label: &str| format!("sst2.{label}.n200.s1.cpu");
    let row = |label: &str, metric: &str| -> Option<&Record> {
        records.iter().find(|row| row.case == case(label) && row.metric == metric)
    };
    let value = |label: &str, metric: &str| row(label, metric).unwrap().value.unwrap();

    for metric in ["parameters", "flops"] {
        assert_eq!(value("lstm-3", metric), 3.0 * value("lstm-1", metric), "{metric}");
    }
    for metric in ["train_examples", "truncated_examples", "wordless_examples"] {
        assert_eq!(value("lstm-3", metric), value("lstm-1", metric), "{metric}");
    }
    for (label, members) in [("lstm-3", 3), ("svm-2", 2)] {
        let folder = dir.model_path(&case(label));
        assert_eq!(value(label, "model_bytes"), bytes_of_model(&folder) as f64);
        assert!((1..=members).all(|member| folder.join(format!("member-{member}")).is_dir()));
    }
    let params = |label: &str| row(label, "wall_s").unwrap().params.clone();
    assert!(params("lstm-1").contains(" ensemble=1 ") && params("lstm-3").contains(" ensemble=3 "));
    let versions: Vec<_> = ["lstm-1", "lstm-3"].map(|label| row(label, "wall_s").unwrap().model_version.clone()).into();
    assert_eq!(versions[0], versions[1]);

    let mut curves: BTreeMap<String, Vec<(usize, f64)>> = BTreeMap::new();
    for row in dir.curves().unwrap().unwrap().rows {
        curves.entry(row.case).or_default().push((row.epoch, row.train_loss));
    }
    let (alone, ensemble) = (&curves[&case("lstm-1")], &curves[&case("lstm-3")]);
    assert_eq!(ensemble.iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), (1..=6).collect::<Vec<_>>());
    assert_eq!(ensemble[..2], alone[..], "the first member is the model alone");
    assert!(ensemble[2..4] != ensemble[..2] && ensemble[4..] != ensemble[2..4], "every member has a seed of its own");

    // The members of an SVM are all alike, and it has no probabilities.
    assert!(row("svm-2", "brier").is_none());
    let predictions = |label: &str| dir.predictions(&case(label)).unwrap().unwrap().rows;
    assert_eq!(predictions("svm-2"), predictions("svm-1"));
    assert!(predictions("lstm-3") != predictions("lstm-1"));
}

#[test]
fn a_member_that_diverges_is_named_and_the_case_has_diverged() {
    let bench = Bench::new();
    let params = "ensemble = 2, epochs = 2, depth = 8, width = 4, optimizer = \"sgd\", learning_rate = 1e6, clip = 1e9";
    bench.write("suite.toml", &suite(&[("resnet", "resnet-2", params)]));
    exits(&bakeoff(&bench, &["run", "suite.toml", "--out", "out"]), 3);
    let [(_, status, note)] = endings(&bench.path("out")).try_into().unwrap();
    assert_eq!(status, "diverged");
    assert!(note.contains(" of member 1 of 2 is not a finite number"), "{note}");
}

#[test]
fn check_tries_two_members_and_leaves_one_alone() {
    let bench = Bench::new();
    let text = suite(&[("random-forest", "one", ""), ("random-forest", "hundred", "ensemble = 100")]);
    bench.write("suite.toml", &text);
    let output = bakeoff(&bench, &["check", "suite.toml"]);
    exits(&output, 0);
    assert!(stdout(&output).ends_with("2 of 2 cases are ready (0 unsupported)\n"), "{}", stdout(&output));
}

#[test]
fn a_number_of_members_that_cannot_be_is_refused_at_its_place() {
    for (written, found) in [("0", "0"), ("101", "101"), ("2.5", "2.5")] {
        let bench = Bench::new();
        bench.write("suite.toml", &suite(&[("svm", "svms", &format!("ensemble = {written}"))]));
        let output = bakeoff(&bench, &["run", "suite.toml", "--out", "out"]);
        exits(&output, 2);
        let expected = format!(
            "suite.toml:10:23: model 'svm': parameter 'ensemble' is {found}, expected a whole number in 1..=100"
        );
        assert!(stderr(&output).contains(&expected), "{}", stderr(&output));
        assert!(!bench.path("out").exists());
    }
}
