//! The place that is blamed: the line and column of the wrong value, and never a comment.

use std::fs;

use super::{MODEL, TASK, refused, says};
use crate::common::{Bench, exits, stderr};

/// A suite in which one value is wrong. `before` and `after` are the text around it; comments that name the setting, and
/// an indented line after them, stand before it.
#[track_caller]
fn blamed_where_it_is(before: &str, key: &str, value: &str, after: &str, parts: &[&str]) {
    let comment = format!("# {key} = 1\n#{key} = {value}\n# about {key} = \"x\", `{key} = 2`\n");
    let text = format!("# {key} = 0\n{before}{comment}  {key} = {value} # {key} = {value}\n{after}");
    let line = 1 + text.lines().position(|line| line.starts_with(&format!("  {key} = "))).unwrap();
    let column = format!("  {key} = ").len() + 1;
    let message = refused(&text);
    says(&message, &[&format!("suite.toml:{line}:{column}: ")]);
    says(&message, parts);
}

/// As [`blamed_where_it_is`], for a value whose fault is `place` characters behind its beginning, as in a list, or before it, as in
/// its key.
#[track_caller]
fn blamed_in_latency(before: &str, key: &str, value: &str, after: &str, place: isize, part: &str) {
    let text = format!("{before}{key} = {value}\n{after}");
    let (line, column) = (before.lines().count() + 1, (format!("{key} = ").len() + 1).saturating_add_signed(place));
    says(&refused(&text), &[&format!("suite.toml:{line}:{column}: "), part]);
}

#[test]
fn a_wrong_value_of_latency_is_blamed_at_its_line_and_column() {
    let cells = format!("{TASK}{MODEL}");
    let latency = "name = \"x\"\n[latency]\n".to_owned();
    for (key, value, place, says) in [
        ("scenarios", "[\"servers\"]", 1, "unknown scenario 'servers', did you mean 'server'?"),
        ("scenarios", "[\"offline\", \"offline\"]", 12, "scenario 'offline' is given twice"),
        ("scenarios", "\"offline\"", 0, "expected a list"),
        ("scenarios", "[\"server\"]", 0, "the scenario server needs a bound on the latency: add bound_ms"),
        ("min_duration_s", "-1.0", 0, "min_duration_s is -1, expected a number of seconds in 0..=86400"),
        ("min_duration_s", "nan", 0, "min_duration_s is NaN"),
        (
            "min_duration_s",
            "300.0",
            0,
            "the scenarios of a case take at least 600 s, and timeout_s = 600 ends it before",
        ),
        ("max_duration_s", "0", 0, "max_duration_s is 0, expected a number of seconds in 0.001..=86400"),
        ("min_queries", "0", 0, "min_queries is 0, expected a whole number in 1..=10000000"),
        ("max_queries", "-1", 0, "expected a whole number"),
        ("bound_ms", "50", 0, "bound_ms is for the scenario server, which is not measured: add it to scenarios"),
        ("bound_ms", "0", 0, "bound_ms is 0, expected a number of milliseconds in 0.001..=86400000"),
        ("workers", "2", 0, "workers is for the scenario server, which is not measured"),
        ("workers", "0", 0, "workers is 0, expected a whole number in 1..=1024"),
        ("rates_per_s", "[1]", 0, "rates_per_s is for the scenario server, which is not measured"),
        ("audit", "1", 0, "expected true or false"),
        ("max_queries", "10", 0, "max_queries is 10, and a bound of the median needs at least 11 queries"),
        ("bound", "50", -8, "unknown key `bound`, did you mean 'bound_ms'?"),
    ] {
        blamed_in_latency(&latency, key, value, &cells, place, says);
    }
    let server = format!("{latency}scenarios = [\"server\"]\nbound_ms = 50\n");
    for (key, value, place, says) in [
        ("rates_per_s", "[0]", 1, "rates_per_s is 0, expected numbers of queries per second in 0.001..=1000000000"),
        ("rates_per_s", "[10, 10]", 5, "rate 10 is given twice"),
        ("rates_per_s", "[]", 0, "rates_per_s is empty: give a rate, or leave the key out"),
        (
            "rates_per_s",
            "[5]",
            1,
            "rate 5 has 300 queries in max_duration_s = 60, and its 99th percentile needs at least 459",
        ),
        ("max_queries", "400", 0, "max_queries is 400, and the 99th percentile of a rate needs at least 459 queries"),
    ] {
        blamed_in_latency(&server, key, value, &cells, place, says);
    }
    for (before, key, value, says) in [
        (
            "max_duration_s = 5\n",
            "min_duration_s",
            "10",
            "min_duration_s is 10, and max_duration_s is 5: the least must not be above the most",
        ),
        (
            "max_queries = 100\n",
            "min_queries",
            "200",
            "min_queries is 200, and max_queries is 100: the least must not be above the most",
        ),
        (
            "scenarios = [\"offline\"]\n",
            "min_queries",
            "20",
            "min_queries is for the scenarios single-stream and server, and neither is measured: leave it out",
        ),
        (
            "max_duration_s = 2\nscenarios = [\"server\"]\n",
            "bound_ms",
            "2000",
            "bound_ms is 2000, and max_duration_s = 2 ends a rate before a query can be late",
        ),
        ("audit = true\n", "scenarios", "[]", "scenarios is empty and audit is true: an audit compares timed answers"),
    ] {
        blamed_in_latency(&format!("{latency}{before}"), key, value, &cells, 0, says);
    }
}

#[test]
fn a_wrong_value_of_slurm_is_blamed_at_its_line_and_column() {
    let cells = format!("{TASK}{MODEL}");
    let slurm = "name = \"x\"\n[slurm]\n";
    for (key, value, place, says) in [
        ("partition", "\"\"", 0, "partition is '', expected a word without blanks"),
        ("account", "\"a b\"", 0, "account is 'a b', expected a word without blanks"),
        ("gres", "\"gpu\\nrm\"", 0, "gres is 'gpu\\nrm', expected a word without blanks"),
        ("time", "\"an-hour\"", 0, "expected a time limit as Slurm writes it: minutes, minutes:seconds"),
        ("time", "\"10\"", 0, "time is 600 s, and timeout_s = 600: Slurm would end a task before its case"),
        ("extra", "\"--exclusive\"", 0, "expected a list"),
        ("extra", "[\"exclusive\"]", 1, "an option in extra is 'exclusive', expected one as sbatch takes it"),
        ("extra", "[\"--exclusive\", \"--time=5\"]", 16, "extra must not set --time: write it as time = "),
        ("extra", "[\"-c 4\"]", 1, "extra must not set -c: write it as threads = … in the suite"),
        ("extra", "[\"-t5\"]", 1, "extra must not set -t"),
        ("extra", "[\"--array=0-9\"]", 1, "the cases of the run decide it; at_a_time limits"),
        ("at_a_time", "0", 0, "at_a_time is 0, expected a whole number in 1..="),
        ("start_within_s", "0", 0, "start_within_s is 0, expected a number of seconds in 1..=1000000000"),
        ("poll_s", "0.01", 0, "poll_s is 0.01, expected a number of seconds in 0.1..="),
        ("settle_s", "-1", 0, "settle_s is -1, expected a number of seconds in 0..="),
        ("partitions", "\"x\"", -13, "unknown key `partitions`, did you mean 'partition'?"),
    ] {
        blamed_in_latency(slurm, key, value, &cells, place, says);
    }
    let name = "name = \"x\"\n";
    blamed_where_it_is(name, "executor", "\"slrm\"", &cells, &["unknown value `slrm`, expected `process` or `slurm`"]);
    let on_slurm = format!("{name}executor = \"slurm\"\n");
    blamed_where_it_is(&on_slurm, "jobs", "2", &cells, &["jobs is 2, and on Slurm every case is a task of its own"]);
    let rounds = format!("{on_slurm}[latency]\n");
    blamed_in_latency(&rounds, "rounds", "3", &cells, 0, "in rounds, models are served by turns on one machine");
}

#[test]
fn a_wrong_value_is_blamed_at_its_line_and_column_whatever_the_comments_say() {
    let name = "name = \"x\"\n";
    let cells = format!("{TASK}{MODEL}");
    for (key, value, says) in [
        ("seeds", "[]", "seeds is empty"),
        ("seeds", "7", "expected a list"),
        ("devices", "[]", "devices is empty"),
        ("device", "\"gpu\"", "unknown device 'gpu', did you mean 'wgpu'? (known: cpu, wgpu, cuda, wgpu:1, cuda:1)"),
        ("device", "3", "found the number `3`"),
        ("timeout_s", "0.0", "timeout_s is 0, expected a number of seconds in 0.001..=1000000000"),
        ("timeout_s", "nan", "timeout_s is NaN"),
        ("timeout_s", "\"long\"", "found the text \"long\", expected a number"),
        ("memory_limit_gib", "-1.5", "memory_limit_gib is -1.5, expected a number above 0"),
        ("memory_limit_gib", "inf", "memory_limit_gib is inf"),
        ("latency_examples", "0", "latency_examples is 0"),
        ("latency_examples", "-2", "expected a whole number"),
        ("jobs", "0", "jobs is 0, expected a whole number in 1..=1024"),
        ("jobs", "true", "expected a whole number"),
        ("threads", "0", "threads is 0, expected a whole number in 1..=1024"),
        ("threads", "2.5", "expected a whole number"),
        ("predict_hidden", "1", "expected true or false"),
        ("about", "5", "found the number `5`"),
        ("energy", "3", "found the number `3`"),
    ] {
        blamed_where_it_is(name, key, value, &cells, &[says]);
    }
    blamed_where_it_is("", "name", "\"a b\"", &cells, &["directory", "a-z"]);
    let energy = format!("{name}[energy]\n");
    for (key, value, says) in [
        ("watts_per_core", "0.0", "watts_per_core is 0, expected a number of watts in 0.001..=10000"),
        ("watts_per_core", "\"12\"", "expected a number"),
        ("estimate", "\"no\"", "expected true or false"),
        ("meters", "[]", "meters is empty: name at least one"),
        ("meters", "\"rapl\"", "expected a list"),
        ("grams_per_kwh", "420", "grams_per_kwh has no source: add grid = "),
        ("grams_per_kwh", "-1", "grams_per_kwh has no source"),
        ("grid", "\"here\"", "grid is given without grams_per_kwh"),
    ] {
        blamed_where_it_is(&energy, key, value, &cells, &[says]);
    }
    let of_grid = format!("{energy}grid = \"here\"\n");
    blamed_where_it_is(&of_grid, "grams_per_kwh", "-1", &cells, &["expected a number of grams in 0..=10000"]);
    let grams = format!("{energy}grams_per_kwh = 420\n");
    blamed_where_it_is(&grams, "grid", "\" \"", &cells, &["grid is empty"]);
    let task = format!("{name}{TASK}");
    blamed_where_it_is(&task, "train_size", "19", MODEL, &["train_size 19 is out of range", "20 to 60"]);
    blamed_where_it_is(&task, "train_size", "\"all\"", MODEL, &["expected a number or a list of numbers"]);
    for (key, value, says) in [
        ("train_size", "[30, 61]", "train_size 61 is out of range for task 'parity': expected 20 to 60"),
        ("train_size", "[30, 40, 30]", "train_size 30 is given twice"),
        ("train_size", "[]", "train_size is an empty list: give at least one value"),
        ("label_noise", "0.95", "label_noise 0.95 is out of range for task 'parity': expected 0, or 0.000001 to 0.9"),
        ("label_noise", "[0.1, nan]", "label_noise NaN is out of range"),
        ("label_noise", "[0.1, 0.1000000001]", "label_noise 10 % is given twice"),
        ("folds", "1", "folds is 1, expected 2 to 60: the rows of task 'parity' that are divided"),
        ("folds", "61", "folds is 61, expected 2 to 60"),
        ("repeats", "3", "task 'parity' has repeats and no folds: add folds = 5, or leave repeats out"),
    ] {
        blamed_where_it_is(&task, key, value, MODEL, &[says]);
    }
    let folded = format!("{task}folds = 5\n");
    blamed_where_it_is(&folded, "repeats", "0", MODEL, &["repeats is 0, expected a whole number in 1..=1000"]);
    let number = task.replace("parity", "number");
    blamed_where_it_is(&number, "label_noise", "0.2", MODEL, &["only classes have labels", "targets are numbers"]);
    let small = format!("{task}train_size = 22\n");
    blamed_where_it_is(&small, "folds", "2", MODEL, &["2 folds of 22 rows leave fewer than 20 rows"]);
    let model = format!("{name}{TASK}{MODEL}");
    blamed_where_it_is(&model, "label", "\"a/b\"", "", &["a-z"]);
    for place in ["[model.params]", "[model.on.parity]", "[model.on.number]"] {
        let before = format!("{model}{place}\n");
        blamed_where_it_is(
            &before,
            "epochs",
            "0",
            "",
            &["parameter 'epochs' is 0, expected a whole number in 1..=1000"],
        );
        blamed_where_it_is(&before, "mood", "\"merry\"", "", &["expected one of calm, cross"]);
    }
}

#[test]
fn a_wrong_parameter_in_a_table_on_one_line_is_blamed_at_its_value() {
    let message = refused(&format!("name = \"x\"\n{TASK}{MODEL}params = {{ mood = \"calm\", epochs = 0 }}\n"));
    says(&message, &["suite.toml:6:36: model 'nearly': parameter 'epochs' is 0"]);
}

#[test]
fn a_column_is_counted_in_characters() {
    let message =
        refused(&format!("name = \"x\"\nabout = \"é\"\nenergy = {{ \"watts_per_core\" = -1 }} # é\n{TASK}{MODEL}"));
    says(&message, &["suite.toml:3:31: watts_per_core is -1"]);
    let message = refused("name = \"x\"\n\"é\" = \"é\"\n");
    says(&message, &["suite.toml:2:1: unknown key `é`"]);
    let message = refused(&format!("name = \"x\"\n{TASK}{MODEL}params = {{ mood = \"calm\", \"épochs\" = 1 }}\n"));
    says(&message, &["suite.toml:6:27: model 'nearly': unknown parameter 'épochs'"]);
}

#[test]
fn the_example_that_ships_is_blamed_at_the_setting_and_not_at_a_comment() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/example.toml");
    let text = fs::read_to_string(path).unwrap();
    let commented = "# threads = 2\n";
    assert!(text.contains(commented), "the example names the setting in a comment");
    let bad = text.replace(commented, &format!("{commented}threads = 0\n"));
    let line = 1 + bad.lines().position(|line| line == "threads = 0").unwrap();
    let bench = Bench::new();
    bench.write("suite.toml", &bad);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_bakeoff"))
        .args(["run", "suite.toml", "--list"])
        .current_dir(bench.path(""))
        .output()
        .unwrap();
    exits(&output, 2);
    says(&stderr(&output), &[&format!("suite.toml:{line}:11: threads is 0")]);
}
