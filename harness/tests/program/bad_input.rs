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
fn a_train_score_that_is_no_boolean_is_refused_with_its_line() {
    let message = refused(&format!("name = \"x\"\ntrain_score = \"yes\"\n{TASK}{MODEL}"));
    says(&message, &["suite.toml:2:15:", "found the text \"yes\", expected true or false"]);
}

#[test]
fn a_target_that_no_model_can_reach_or_that_every_answer_does_is_refused_with_its_line() {
    for (task, target, expected) in [
        ("parity", "1.5", "target is 1.5, expected a number above 0 and of at most 1"),
        ("parity", "0", "target is 0, expected a number above 0 and of at most 1"),
        ("parity", "nan", "target is NaN, expected a number above 0 and of at most 1"),
        ("number", "-0.5", "target is -0.5, expected a number of at least 0"),
        ("number", "inf", "target is inf, expected a number of at least 0"),
    ] {
        let message = refused(&format!("name = \"x\"\n[[task]]\nname = \"{task}\"\ntarget = {target}\n{MODEL}"));
        says(&message, &["suite.toml:4:10:", expected, &format!("the primary metric of task '{task}' is")]);
    }
    let message = refused(&format!("name = \"x\"\n{TASK}target = \"high\"\n{MODEL}"));
    says(&message, &["suite.toml:4:10:", "found the text \"high\", expected a number"]);
}

#[test]
fn a_target_that_a_task_has_twice_is_refused_with_its_line() {
    let message = refused(&format!("name = \"x\"\n{TASK}target = 0.7\ntarget = 0.8\n{MODEL}"));
    says(&message, &["suite.toml:5:1:", "duplicate key"]);
}

#[test]
fn an_empty_file_is_refused_with_what_is_missing() {
    says(&refused(""), &["suite.toml:1:1:", "the key `name` is missing"]);
}

#[test]
fn a_case_that_is_there_twice_is_refused_with_the_fix() {
    let message = refused(&format!("name = \"x\"\n{TASK}{MODEL}{MODEL}"));
    says(&message, &["suite.toml:7:", "'parity.nearly.n60.s1.cpu' is planned twice", "label = \"nearly-2\""]);
    let message = refused(&format!("name = \"x\"\nseeds = [1, 1]\n{TASK}{MODEL}"));
    says(&message, &["suite.toml:2:13:", "seed 1 is given twice"]);
}

#[test]
fn text_that_is_not_toml_is_refused_with_line_and_column() {
    says(&refused("name = \"x\"\n[[task\n"), &["suite.toml:2:"]);
}

#[test]
fn a_field_that_does_not_exist_is_refused_with_the_fields_that_do() {
    let message = refused("name = \"x\"\ntimeout = 3\n");
    says(&message, &["suite.toml:2:1:", "unknown key `timeout`", "did you mean 'timeout_s'?", "memory_limit_gib"]);
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
        ("threads = 5000", "threads is 5000, expected a whole number in 1..=1024"),
        ("energy = { watts_per_core = 0.0 }", "watts_per_core"),
    ] {
        says(&refused(&format!("name = \"x\"\n{setting}\n{TASK}{MODEL}")), &["suite.toml:2:", says_]);
    }
}

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

#[test]
fn a_wrong_value_is_blamed_at_its_line_and_column_whatever_the_comments_say() {
    let name = "name = \"x\"\n";
    let cells = format!("{TASK}{MODEL}");
    for (key, value, says) in [
        ("seeds", "[]", "seeds is empty"),
        ("seeds", "7", "expected a list"),
        ("devices", "[]", "devices is empty"),
        ("device", "\"gpu\"", "unknown device 'gpu', did you mean 'cpu'? (known: cpu)"),
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
    ] {
        blamed_where_it_is(&energy, key, value, &cells, &[says]);
    }
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
fn an_unknown_or_repeated_device_is_refused_on_the_command_line() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    let output = bench.run(&["run", "suite.toml", "--device", "gpu"]);
    exits(&output, 2);
    says(&stderr(&output), &["--device", "unknown device 'gpu', did you mean 'cpu'? (known: cpu)"]);
    let output = bench.run(&["run", "suite.toml", "--device", "cpu,cpu"]);
    exits(&output, 2);
    says(&stderr(&output), &["--device: 'cpu' is given twice"]);
}

#[test]
fn an_unknown_or_repeated_device_is_refused_where_the_suite_names_it() {
    let refused = |devices: &str| refused(&format!("name = \"x\"\n{devices}\n{TASK}{MODEL}"));
    says(&refused("devices = [\"cpu\", \"cpv\"]"), &["suite.toml:2:19:", "unknown device 'cpv', did you mean 'cpu'?"]);
    says(&refused("devices = [\"cpu\", \"cpu\"]"), &["suite.toml:2:19:", "device 'cpu' is given twice"]);
    says(&refused("device = \"cpv\""), &["suite.toml:2:10:", "unknown device 'cpv', did you mean 'cpu'?"]);
    says(
        &refused("device = \"cpu\"\ndevices = [\"cpu\"]"),
        &["suite.toml:2:10:", "device and devices are both given: keep the list"],
    );
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
fn a_number_or_list_that_a_setting_cannot_take_says_which_number_and_why() {
    for (setting, expected) in [
        ("folds = 3\nfold = 1.5", "found the number `1.5`, expected a whole number"),
        ("folds = 3\nfold = [1, 1.5]", "found the number `1.5`, expected a whole number"),
        ("train_size = -30", "found the number `-30`, expected a whole number"),
        ("label_noise = \"much\"", "found the text \"much\", expected a number or a list of numbers"),
        ("label_noise = [0, \"much\"]", "found the text \"much\", expected a number"),
    ] {
        let message = refused(&format!("name = \"x\"\n{TASK}{setting}\n{MODEL}"));
        let line = 3 + setting.lines().count();
        says(&message, &[&format!("suite.toml:{line}:"), expected]);
    }
    let accepted =
        "name = \"x\"\nseeds = [1, ]\n[[task]]\nname = \"parity\"\nlabel_noise = [0, 0.2, ]\ntrain_size = 40\n";
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{accepted}{MODEL}"));
    exits(&bench.run(&["run", "suite.toml", "--list"]), 0);
    for list in ["[1,,2]", "[,1]"] {
        let message = refused(&format!("name = \"x\"\nseeds = {list}\n{TASK}{MODEL}"));
        says(&message, &["suite.toml:2:"]);
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
