//! Bad input is refused before anything runs: exit code 2, the place, what was expected, and the fix.

use std::fs;

use crate::common::{Bench, exits, stderr, stdout};

/// Runs a suite of this text and gives what the program says of it.
#[track_caller]
fn refused(text: &str) -> String {
    let bench = Bench::new();
    bench.write("suite.toml", text);
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 2);
    assert!(!bench.path("out").exists(), "nothing is written for a suite that is refused");
    stderr(&output)
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
}

const TASK: &str = "[[task]]\nname = \"parity\"\n";
const MODEL: &str = "[[model]]\nname = \"nearly\"\n";

#[test]
fn an_unknown_task_is_named_with_its_line_and_the_near_name() {
    let message = refused(&format!("name = \"x\"\n{MODEL}[[task]]\nname = \"paritty\"\n"));
    says(&message, &["suite.toml:5:", "unknown task 'paritty'", "did you mean 'parity'?", "number"]);
}

#[test]
fn an_unknown_model_is_named_with_its_line_and_the_near_name() {
    let message = refused(&format!("name = \"x\"\n{TASK}[[model]]\nname = \"neerly\"\n"));
    says(&message, &["suite.toml:5:", "unknown model 'neerly'", "did you mean 'nearly'?"]);
}

#[test]
fn an_unknown_parameter_is_named_with_its_line_and_the_near_name() {
    let message = refused(&format!("name = \"x\"\n{TASK}{MODEL}[model.params]\nepoch = 3\n"));
    says(&message, &["suite.toml:7:", "model 'nearly'", "unknown parameter 'epoch'", "did you mean 'epochs'?"]);
}

#[test]
fn a_parameter_out_of_range_is_named_with_its_line_and_range() {
    let message = refused(&format!("name = \"x\"\n{TASK}{MODEL}[model.params]\nepochs = 0\n"));
    says(&message, &["suite.toml:7:", "parameter 'epochs' is 0", "a whole number in 1..=1000"]);
}

#[test]
fn a_parameter_of_the_wrong_kind_is_named_with_what_is_expected() {
    let message = refused(&format!("name = \"x\"\n{TASK}{MODEL}[model.on.parity]\nmood = \"merry\"\n"));
    says(&message, &["suite.toml:7:", "parameter 'mood' is \"merry\"", "one of calm, cross"]);
}

#[test]
fn parameters_for_an_unknown_task_are_refused() {
    let message = refused(&format!("name = \"x\"\n{TASK}{MODEL}[model.on.parities]\nepochs = 1\n"));
    says(&message, &["suite.toml:6:", "unknown task 'parities'"]);
}

#[test]
fn parameters_of_a_task_that_does_not_run_are_checked_too() {
    let message = refused(&format!("name = \"x\"\n{TASK}{MODEL}[model.on.number]\nepochs = -1\n"));
    says(&message, &["suite.toml:7:", "parameter 'epochs' is -1"]);
}

#[test]
fn a_label_that_is_another_models_name_is_refused() {
    says(&refused(&format!("name = \"x\"\n{TASK}{MODEL}label = \"constant\"\n")), &["suite.toml:6:", "another model"]);
}

#[test]
fn a_suite_without_tasks_or_without_models_is_refused() {
    says(&refused("name = \"x\"\n"), &["nothing to run", "[[task]]"]);
    says(&refused(&format!("name = \"x\"\n{TASK}")), &["nothing to run", "[[model]]"]);
}

#[test]
fn an_empty_file_is_refused_with_what_is_missing() {
    says(&refused(""), &["suite.toml", "missing field `name`"]);
}

#[test]
fn a_case_that_is_there_twice_is_refused_with_the_fix() {
    let message = refused(&format!("name = \"x\"\n{TASK}{MODEL}{MODEL}"));
    says(&message, &["suite.toml:7:", "'parity.nearly.n60.s1.cpu' is there twice", "label = \"nearly-2\""]);
    let message = refused(&format!("name = \"x\"\nseeds = [1, 1]\n{TASK}{MODEL}"));
    says(&message, &["is there twice", "a seed is repeated"]);
}

#[test]
fn text_that_is_not_toml_is_refused_with_line_and_column() {
    says(&refused("name = \"x\"\n[[task\n"), &["suite.toml", "line 2"]);
}

#[test]
fn a_field_that_does_not_exist_is_refused_with_the_fields_that_do() {
    says(&refused("name = \"x\"\ntimeout = 3\n"), &["suite.toml", "line 2", "unknown field `timeout`", "timeout_s"]);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (setting, says_) in [
        ("timeout_s = 0.0", "timeout_s"),
        ("timeout_s = nan", "timeout_s"),
        ("memory_limit_gib = -1.0", "memory_limit_gib"),
        ("latency_examples = 0", "latency_examples"),
        ("seeds = []", "seeds is empty"),
        ("jobs = 0", "jobs"),
        ("threads = 5000", "threads must be in 1..=1024"),
        ("energy = { watts_per_core = 0.0 }", "watts_per_core"),
    ] {
        says(&refused(&format!("name = \"x\"\n{setting}\n{TASK}{MODEL}")), &["suite.toml:2:", says_]);
    }
}

#[test]
fn names_that_are_no_file_names_are_refused() {
    says(&refused(&format!("name = \"../x\"\n{TASK}{MODEL}")), &["suite.toml:1:", "a-z"]);
    says(&refused(&format!("name = \"x\"\n{TASK}{MODEL}label = \"a/b\"\n")), &["suite.toml:6:", "a-z"]);
}

#[test]
fn a_training_size_out_of_range_is_refused_with_the_range() {
    let message = refused(&format!("name = \"x\"\n{TASK}train_size = 61\n{MODEL}"));
    says(&message, &["suite.toml:4:", "train_size 61", "20 to 60"]);
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    let output = bench.run(&["run", "suite.toml", "--train-size", "7"]);
    exits(&output, 2);
    says(&stderr(&output), &["--train-size", "20 to 60"]);
}

#[test]
fn an_unknown_device_is_refused_with_the_known_ones() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    let output = bench.run(&["run", "suite.toml", "--device", "gpu"]);
    exits(&output, 2);
    says(&stderr(&output), &["--device", "unknown device 'gpu'", "cpu"]);
    let output = bench.run(&["run", "suite.toml", "--seed", "1,2,1"]);
    exits(&output, 2);
    says(&stderr(&output), &["--seed: 1 is given twice"]);
}

#[test]
fn an_unknown_suite_is_refused_with_the_near_name() {
    let bench = Bench::new();
    let output = bench.run(&["run", "quikc"]);
    exits(&output, 2);
    says(&stderr(&output), &["no suite 'quikc'", "did you mean 'quick'?", "smoke"]);
    let output = bench.run(&["run", "missing.toml"]);
    exits(&output, 2);
    says(&stderr(&output), &["missing.toml", "No such file"]);
}

#[test]
fn a_filter_that_names_nothing_of_the_suite_is_refused() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    for filter in [["-t", "number"], ["-T", "number"], ["-m", "constant"], ["-M", "nerly"]] {
        let output = bench.run(&["run", "suite.toml", filter[0], filter[1]]);
        exits(&output, 2);
        says(&stderr(&output), &["unknown", filter[1], "in suite 'test'"]);
    }
    let output = bench.run(&["run", "suite.toml", "-M", "nearly"]);
    exits(&output, 2);
    says(&stderr(&output), &["nothing to run"]);
}

#[test]
fn an_existing_output_directory_is_refused_and_left_as_it_is() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    fs::create_dir(bench.path("out")).unwrap();
    fs::write(bench.path("out/mine.txt"), "mine").unwrap();
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 2);
    says(&stderr(&output), &["out exists already", "give another --out"]);
    assert!(!stderr(&output).contains("resume"), "a folder that is no run cannot be resumed");
    assert_eq!(fs::read_to_string(bench.path("out/mine.txt")).unwrap(), "mine");
    assert_eq!(fs::read_dir(bench.path("out")).unwrap().count(), 1);
}

#[test]
fn an_output_directory_that_cannot_be_made_is_refused() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    bench.write("file", "");
    // A file where a folder should be: refused for every user, root included.
    let output = bench.run(&["run", "suite.toml", "--out", "file/out"]);
    exits(&output, 2);
    says(&stderr(&output), &["file"]);
}

#[test]
fn a_broken_sample_file_is_refused_with_path_and_both_checksums() {
    let bench = Bench::new();
    fs::create_dir(bench.path("samples")).unwrap();
    let real = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/samples");
    for entry in fs::read_dir(&real).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().ends_with(".gz") {
            fs::copy(entry.path(), bench.path("samples").join(entry.file_name())).unwrap();
        }
    }
    let file = bench.path("samples/sst2-dev.tsv.gz");
    let bytes = fs::read(&file).unwrap();
    let run = || {
        std::process::Command::new(env!("CARGO_BIN_EXE_bakeoff"))
            .args(["run", "smoke", "-t", "sst2", "-m", "random-forest", "--samples", "samples", "--out", "out"])
            .current_dir(bench.path(""))
            .output()
            .unwrap()
    };
    for broken in [&bytes[..bytes.len() / 2], b"<html>", b""] {
        fs::write(&file, broken).unwrap();
        let output = run();
        exits(&output, 2);
        says(&stderr(&output), &["sst2-dev.tsv.gz", "sha256"]);
        assert!(!bench.path("out").exists());
    }
    fs::remove_file(&file).unwrap();
    let output = run();
    exits(&output, 2);
    says(&stderr(&output), &["sst2-dev.tsv.gz"]);
}

#[test]
fn commands_on_a_folder_that_is_no_run_say_so() {
    let bench = Bench::new();
    for command in ["report", "resume"] {
        bench.write("file", "");
        for folder in [".", "missing", "file"] {
            let output = bench.run(&[command, folder]);
            exits(&output, 2);
            says(&stderr(&output), &["is no run directory"]);
        }
    }
}

#[test]
fn a_reader_that_leaves_is_no_fault() {
    let bench = Bench::new();
    let mut child = bench.command(&["list"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_run_whose_reader_has_left_still_says_by_its_exit_code_that_cases_failed() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly", "panics"]);
    let mut child =
        bench.command(&["run", "suite.toml", "--out", "out"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn list_prints_the_cases_and_runs_nothing() {
    let bench = Bench::new();
    bench.suite("seeds = [1, 2]", &["parity", "number"], &["nearly", "classes-only"]);
    let output = bench.run(&["run", "suite.toml", "--list", "-t", "number", "--seed", "5"]);
    exits(&output, 0);
    assert_eq!(
        stdout(&output),
        "number.nearly.n60.s5.cpu\nnumber.classes-only.n60.s5.cpu  (unsupported: does no regression)\n"
    );
    assert!(!bench.path("runs").exists());
}
