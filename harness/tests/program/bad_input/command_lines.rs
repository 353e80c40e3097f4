//! Command lines: lists, filters and names that the suite does not have.

use super::{MODEL, TASK, refused, says};
use crate::common::{Bench, exits, stderr, stdout};

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
fn an_unknown_or_repeated_device_is_refused_on_the_command_line() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    let output = bench.run(&["run", "suite.toml", "--device", "gpu"]);
    exits(&output, 2);
    says(
        &stderr(&output),
        &["--device", "unknown device 'gpu', did you mean 'wgpu'? (known: cpu, wgpu, cuda, wgpu:1, cuda:1)"],
    );
    let output = bench.run(&["run", "suite.toml", "--device", "cpu,cpu"]);
    exits(&output, 2);
    says(&stderr(&output), &["--device: 'cpu' is given twice"]);
}

#[test]
fn a_repeated_seed_is_refused_on_the_command_line() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    let output = bench.run(&["run", "suite.toml", "--seed", "1,2,1"]);
    exits(&output, 2);
    says(&stderr(&output), &["--seed: 1 is given twice"]);
}

#[test]
fn an_empty_item_of_a_list_on_the_command_line_is_named_as_such() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    for option in ["--seed", "--train-size", "--label-noise", "--fold", "--task", "--skip-model", "--device"] {
        for list in ["1,,2", "1,", ""] {
            let output = bench.run(&["run", "suite.toml", option, list]);
            exits(&output, 2);
            says(&stderr(&output), &[option, "an item of the list is empty: write items with one comma between two"]);
        }
    }
    for (option, list, expected) in
        [("--seed", "1,x", "expected a whole number"), ("--label-noise", "0.1,much", "expected a number")]
    {
        let output = bench.run(&["run", "suite.toml", option, list]);
        exits(&output, 2);
        says(&stderr(&output), &[option, expected]);
    }
}

#[test]
fn blanks_round_the_commas_of_a_list_on_the_command_line_are_no_part_of_its_items() {
    let bench = Bench::new();
    bench.suite("", &["parity", "number"], &["nearly", "constant"]);
    let listed = |arguments: &[&str]| {
        let output = bench.run(&[&["run", "suite.toml", "--list"], arguments].concat());
        exits(&output, 0);
        stdout(&output)
    };
    for (with, without) in [
        (&["-t", "parity, number"][..], &["-t", "parity,number"][..]),
        (&["-M", " constant "], &["-M", "constant"]),
        (&["-m", "nearly ,constant"], &["-m", "nearly,constant"]),
        (&["--seed", "1, 2"], &["--seed", "1,2"]),
        (&["--train-size", "30 , 40"], &["--train-size", "30,40"]),
        (&["-t", "parity", "--label-noise", "0, 0.2"], &["-t", "parity", "--label-noise", "0,0.2"]),
        (&["--folds", "3", "--fold", "1, 3"], &["--folds", "3", "--fold", "1,3"]),
        (&["--device", " cpu"], &["--device", "cpu"]),
    ] {
        assert_eq!(listed(with), listed(without), "{with:?}");
    }
}

#[test]
fn an_unknown_suite_is_refused_with_the_near_name() {
    let bench = Bench::new();
    let output = bench.run(&["run", "quikc"]);
    exits(&output, 2);
    says(&stderr(&output), &["unknown suite 'quikc'", "did you mean 'quick'?", "smoke", ".toml"]);
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
        says(&stderr(&output), &["unknown", filter[1], "suite 'test'"]);
    }
    let output = bench.run(&["run", "suite.toml", "-M", "nearly"]);
    exits(&output, 2);
    says(&stderr(&output), &["nothing to run"]);
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
