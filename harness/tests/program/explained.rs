//! `explain`: what fitted models use, of a run and of a single artefact.

use std::fs;
use std::process::{Command, Output};

use crate::common::{Bench, exits, stderr, stdout};

/// The real program in the folder of a bench.
fn bakeoff(bench: &Bench, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bakeoff"));
    command.args(arguments).current_dir(bench.path("")).env_remove("BAKEOFF_SAMPLES").output().unwrap()
}

const SUITE: &str = "name = \"explained\"
threads = 2
latency_examples = 1
[[task]]
name = \"sst2\"
train_size = 200
[[model]]
name = \"transformer\"
params = { epochs = 1, layers = 2, width = 8, heads = 2, feed_forward = 8 }
[[model]]
name = \"svm\"
params = { kernel = \"rbf\" }
[[model]]
name = \"decision-tree\"
params = { cross_validate = false, max_depth = 3 }
";

const FEW: [&str; 8] = ["--rows", "30", "--repeats", "2", "--words", "3", "--examples", "1"];

#[test]
fn the_kept_models_of_a_run_are_explained_side_by_side_and_the_report_links_to_the_page() {
    let bench = Bench::new();
    bench.write("suite.toml", SUITE);
    exits(&bakeoff(&bench, &["run", "suite.toml", "--out", "out", "--keep-models"]), 0);
    let explain = || bakeoff(&bench, &[&["explain", "out"][..], &FEW].concat());
    let first = explain();
    exits(&first, 0);
    let text = stdout(&first);
    for expected in [
        "sst2: loss of",
        "transformer (",
        "svm (",
        "decision-tree (",
        "attention rollout:",
        "rules:",
        "support vectors",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    let stored = fs::read_to_string(bench.path("out/interpretation.json")).unwrap();
    let page = fs::read_to_string(bench.path("out/interpretation.html")).unwrap();
    for label in ["transformer", "svm", "decision-tree"] {
        assert!(page.contains(label), "{label}");
    }
    assert!(fs::read_to_string(bench.path("out/report.html")).unwrap().contains("href=\"interpretation.html\""));
    // The same seed gives the same numbers, and the report makes the page again from them.
    exits(&explain(), 0);
    assert_eq!(fs::read_to_string(bench.path("out/interpretation.json")).unwrap(), stored);
    fs::remove_file(bench.path("out/interpretation.html")).unwrap();
    exits(&bakeoff(&bench, &["report", "out"]), 0);
    assert_eq!(fs::read_to_string(bench.path("out/interpretation.html")).unwrap(), page);

    // A single artefact, on the task that the user names.
    let artefact = "out/models/sst2.decision-tree.n200.s1.cpu";
    let alone = bakeoff(&bench, &[&["explain", artefact, "-t", "sst2", "--out", "alone"][..], &FEW].concat());
    exits(&alone, 0);
    assert!(stdout(&alone).contains("decision-tree (") && bench.path("alone/interpretation.html").exists());
    for (arguments, says) in [
        (&["explain", artefact][..], "name one with --task"),
        (&["explain", artefact, "-t", "cifar10"], "name the task that it was fitted on"),
        (&["explain", artefact, "-t", "sst"], "did you mean 'sst2'"),
        (&["explain", "out", "-t", "cifar10"], "in this run: unknown task 'cifar10'"),
        (&["explain", "out", "-m", "swm"], "did you mean 'svm'"),
        (&["explain", "out", "--rows", "1"], "expected at least 2"),
        (&["explain", "out", "--repeats", "0"], "expected a whole number in 1..="),
        (&["explain", "nowhere"], "is no run directory"),
    ] {
        let output = bakeoff(&bench, arguments);
        exits(&output, 2);
        assert!(stderr(&output).contains(says), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_folder_for_the_page_that_cannot_be_written_is_noticed_before_anything_is_read() {
    let bench = Bench::new();
    bench.write("file", "");
    for out in ["file", "file/page"] {
        // That there is no such run would be noticed next.
        let output = bench.run(&["explain", "nowhere", "--out", out]);
        exits(&output, 2);
        let message = stderr(&output);
        assert!(message.contains("cannot write to file") && message.contains("give --out another place"), "{message}");
    }
    let output = bench.run(&["explain", "nowhere", "--out", "page"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("is no run directory"), "{}", stderr(&output));
    assert!(!bench.path("page").exists(), "nothing is made for a run that is refused");
}

#[test]
fn a_run_without_kept_models_says_how_to_keep_them() {
    let bench = Bench::new();
    let suite = bench.suite("", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", suite.to_str().unwrap(), "--out", "out"]), 0);
    let output = bench.run(&["explain", "out"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("--keep-models"), "{}", stderr(&output));
}

#[test]
fn a_share_of_one_is_refused_and_a_share_of_zero_is_a_row() {
    let bench = Bench::new();
    let suite = |share: &str| {
        format!(
            "name = \"pruned\"\nlatency_examples = 1\n[[task]]\nname = \"sst2\"\ntrain_size = 200\n[[model]]\nname = \"compress\"\n\
             params = {{ of = {{ model = \"mlp\", epochs = 1, hidden = 4, terms = 50 }}, share = {share}, fine_tune = 0 }}\n"
        )
    };
    bench.write("all.toml", &suite("1"));
    let output = bakeoff(&bench, &["run", "all.toml", "--out", "all"]);
    exits(&output, 2);
    let message = stderr(&output);
    assert!(message.contains("all.toml:") && message.contains("nothing would be left of the network"), "{message}");
    bench.write("none.toml", &suite("0"));
    exits(&bakeoff(&bench, &["run", "none.toml", "--out", "none"]), 0);
    let records = fs::read_to_string(bench.path("none/records.csv")).unwrap();
    assert!(records.contains("method=prune") && records.contains("share=0"), "{records}");
}
