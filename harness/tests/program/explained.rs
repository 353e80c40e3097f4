//! `explain`: what fitted models use, of a run and of a single artefact.

use std::fs;
use std::process::{Command, Output};

use crate::common::{Bench, bytes_of_model, exits, records, stderr, stdout};

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

    // Explained alone, a model leaves the others on the page.
    exits(&bakeoff(&bench, &[&["explain", "out", "-m", "svm"][..], &FEW].concat()), 0);
    assert_eq!(fs::read_to_string(bench.path("out/interpretation.json")).unwrap(), stored);

    for (arguments, says) in [
        (&["explain", "out", "-t", "cifar10"][..], "in this run: unknown task 'cifar10'"),
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

const TREE: &str = "\
name = \"explained\"
latency_examples = 1
[[task]]
name = \"sst2\"
train_size = 200
[[model]]
name = \"decision-tree\"
params = { cross_validate = false, max_depth = 3 }
";

/// The folder of the tree that a run of [`TREE`] in `out` keeps.
const ARTEFACT: &str = "out/models/sst2.decision-tree.n200.s1.cpu";

fn refused(bench: &Bench, arguments: &[&str], says: &str) {
    let output = bakeoff(bench, &[&["explain", ARTEFACT], arguments].concat());
    exits(&output, 2);
    assert!(stderr(&output).contains(says), "{arguments:?}: {}", stderr(&output));
}

#[test]
fn a_kept_model_knows_its_task_and_refuses_another_one_of_the_same_shape() {
    let bench = Bench::new();
    bench.write("suite.toml", TREE);
    exits(&bakeoff(&bench, &["run", "suite.toml", "--out", "out", "--keep-models"]), 0);
    let file = bench.path(ARTEFACT).join("task.json");
    let text = fs::read_to_string(&file).unwrap();
    for part in ["\"name\": \"sst2\"", "\"version\": ", "\"positive\""] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    // It is no part of the model, whose size is what it was.
    let rows = records(&bench.path("out"));
    let recorded = rows.iter().find(|row| row.metric == "model_bytes").unwrap().value;
    assert_eq!(recorded, Some(bytes_of_model(&bench.path(ARTEFACT)) as f64));
    exits(&bakeoff(&bench, &["resume", "out"]), 5);

    for task in [&[][..], &["-t", "sst2"]] {
        let output = bakeoff(&bench, &[&["explain", ARTEFACT, "--out", "alone"][..], task, &FEW].concat());
        exits(&output, 0);
        assert!(stdout(&output).contains("decision-tree (") && bench.path("alone/interpretation.html").exists());
        assert!(!stderr(&output).contains("not checked"), "{}", stderr(&output));
    }
    for task in ["cola", "sst2-full", "xor", "cifar10"] {
        refused(&bench, &["-t", task], &format!("was fitted on task 'sst2', and not on '{task}': name the task that"));
    }
    refused(&bench, &["-t", "sst"], "did you mean 'sst2'");
    refused(&bench, &["-t", "sst2,cola"], "name one task with --task, or none");
    for (from, to, says) in [
        (
            "\"version\": 1",
            "\"version\": 9",
            "was fitted on version 9 of task 'sst2', and this bakeoff has version 1: fit it again",
        ),
        (
            "\"positive\"",
            "\"praise\"",
            "was fitted on task 'sst2' with the classes negative, praise, and not negative, positive",
        ),
        ("\"sst2\"", "\"mine\"", "was fitted on task 'mine', which is not in this program"),
        ("\"schema\": 3", "\"schema\": 99", "newer bakeoff"),
        ("{", "", "task.json"),
    ] {
        assert!(text.contains(from), "{from} is not in {text}");
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
        refused(&bench, &[], says);
    }
}

#[test]
fn a_model_of_an_older_run_is_explained_with_a_note_that_its_task_is_not_checked() {
    let bench = Bench::new();
    bench.write("suite.toml", TREE);
    exits(&bakeoff(&bench, &["run", "suite.toml", "--out", "out", "--keep-models"]), 0);
    fs::remove_file(bench.path(ARTEFACT).join("task.json")).unwrap();
    exits(&bakeoff(&bench, &["resume", "out"]), 5);
    let output = bakeoff(&bench, &[&["explain", ARTEFACT, "-t", "sst2"][..], &FEW].concat());
    exits(&output, 0);
    let note = "does not say on which task it was fitted, as models of older runs do not. So it is not checked that this was 'sst2'";
    assert!(stderr(&output).contains(note), "{}", stderr(&output));
    refused(&bench, &[], "name one with --task");
    refused(
        &bench,
        &["-t", "cifar10"],
        "was fitted to predict one of 2 classes from texts, but task 'cifar10' asks for one of 10 classes from images of 32 x 32 \
         pixels with 3 channels: name the task that it was fitted on",
    );
    refused(&bench, &["-t", "mrpc"], "asks for one of 2 classes from pairs of texts");
    refused(&bench, &["-t", "cifar10-rotation"], "asks for a number from images");
    // A run knows its tasks, whatever its models say.
    exits(&bakeoff(&bench, &[&["explain", "out"][..], &FEW].concat()), 0);
    let info = bench.path("out/run.json");
    let text = fs::read_to_string(&info).unwrap();
    fs::write(&info, text.replacen("\"positive\"", "\"praise\"", 1)).unwrap();
    let output = bakeoff(&bench, &["explain", "out"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("with the classes negative, praise"), "{}", stderr(&output));
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
