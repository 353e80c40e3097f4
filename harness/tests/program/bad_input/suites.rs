//! Suites that say what cannot be: the line, what was expected, and the fix.

use super::{MODEL, TASK, refused, says};
use crate::common::{Bench, exits};

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
fn the_threads_of_a_model_are_a_number_in_their_range_with_their_line() {
    let message = refused(&format!("name = \"x\"\n{TASK}{MODEL}threads = 0\n"));
    says(&message, &["suite.toml:6:", "threads is 0, expected a whole number in 1..=1024"]);
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

#[test]
fn a_meter_that_is_unknown_repeated_or_not_readable_is_refused_where_the_suite_names_it() {
    for (meters, column, expected) in [
        ("[\"rappl\"]", 11, "unknown meter 'rappl', did you mean 'rapl'? (known: rapl, rapl-virtual, nvml)"),
        ("[\"estimate\"]", 11, "'estimate' is no meter: it is used where no meter is readable"),
        ("[\"rapl\", \"rapl\"]", 19, "meter 'rapl' is given twice"),
        ("[\"rapl\"]", 11, "meter 'rapl' is not readable here: no RAPL: /nowhere does not exist"),
        ("[\"nvml\"]", 11, "meter 'nvml' is not readable here: no NVML: "),
    ] {
        let message = refused(&format!("name = \"x\"\n[energy]\nmeters = {meters}\n{TASK}{MODEL}"));
        says(&message, &[&format!("suite.toml:3:{column}: "), expected]);
    }
}

#[test]
fn names_that_are_no_file_names_are_refused() {
    says(&refused(&format!("name = \"../x\"\n{TASK}{MODEL}")), &["suite.toml:1:", "a-z"]);
    says(&refused(&format!("name = \"x\"\n{TASK}{MODEL}label = \"a/b\"\n")), &["suite.toml:6:", "a-z"]);
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
