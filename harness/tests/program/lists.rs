//! `list`: one screen, the names of a kind, the whole of one.

use std::process::Command;

use crate::common::{Bench, exits, stderr, stdout};

/// What the real program prints.
fn bakeoff(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bakeoff")).args(arguments).output().unwrap();
    exits(&output, 0);
    stdout(&output)
}

#[test]
fn list_fits_one_screen_and_names_everything() {
    let screen = bakeoff(&["list"]);
    // A terminal of 55 lines shows all names at once.
    assert!(screen.lines().count() <= 55, "{} lines:\n{screen}", screen.lines().count());
    for line in screen.lines() {
        assert!(line.chars().count() <= 80, "wider than 80 columns: {line}");
        assert!(!line.contains('…'), "cut within a clause: {line}");
    }
    let words: Vec<&str> = screen.split(|c: char| c.is_whitespace() || c == ',').collect();
    let names = ["cifar10-rotation-full", "wnli", "random-forest", "smoke", "paper", "f1_positive", "confusion"];
    for name in names {
        assert!(words.contains(&name), "{name}:\n{screen}");
    }
}

#[test]
fn list_has_a_line_for_a_family_of_tasks_and_list_tasks_a_line_for_each() {
    let screen = bakeoff(&["list"]);
    let lines = |start: &str| screen.lines().filter(|line| line.trim_start().starts_with(start)).count();
    assert_eq!((lines("long-range-8 to -512  "), lines("long-range"), lines("cola, mrpc, ")), (1, 1, 1), "{screen}");
    let tasks = bakeoff(&["list", "tasks"]);
    for name in ["long-range-8 ", "long-range-512 ", "xor ", "cola ", "wnli "] {
        assert_eq!(tasks.lines().filter(|line| line.starts_with(name)).count(), 1, "{name}:\n{tasks}");
    }
    let one = bakeoff(&["list", "tasks", "long-range-8"]);
    assert!(one.contains("8 words apart") && one.contains("made by the program"), "{one}");
}

#[test]
fn list_of_a_kind_has_a_line_for_each_name() {
    assert_eq!(bakeoff(&["list", "models"]).lines().count(), bakeoff_models::ENTRIES.len());
    assert_eq!(bakeoff(&["list", "tasks"]).lines().count(), bakeoff::tasks::TASKS.len());
    assert_eq!(bakeoff(&["list", "metrics"]).lines().count(), bakeoff_reports::METRICS.len());
    assert_eq!(bakeoff(&["list", "figures"]).lines().count(), bakeoff_reports::FIGURES.len());
    assert_eq!(bakeoff(&["list", "suites"]).lines().count(), bakeoff::suite::BUILT_IN.len());
    assert_eq!(bakeoff(&["list", "model"]), bakeoff(&["list", "models"]), "the singular is taken too");
}

#[test]
fn list_of_a_name_tells_the_whole_of_it() {
    let svm = bakeoff(&["list", "models", "svm"]);
    for param in bakeoff_models::ENTRIES.iter().find(|model| model.name() == "svm").unwrap().params() {
        assert!(svm.contains(&format!("  {} = ", param.name)), "{}:\n{svm}", param.name);
        let words: Vec<&str> = svm.split_whitespace().collect();
        let text = words.join(" ");
        for part in [param.about, param.source, &param.domain.to_string()] {
            assert!(text.contains(part), "{part}:\n{svm}");
        }
    }
    assert!(!svm.contains("random-forest: "), "{svm}");
    let two = bakeoff(&["list", "tasks", "sst2", "mrpc"]);
    assert!(two.contains("sst2: ") && two.contains("mrpc: ") && two.contains("f1_positive"), "{two}");
    assert!(bakeoff(&["list", "suites", "quick"]).contains("name = \"quick\""));
}

#[test]
fn lists_look_like_this() {
    let bench = Bench::new();
    let said = |arguments: &[&str]| {
        let output = bench.run(&[&["list"], arguments].concat());
        exits(&output, 0);
        // Which cards a build can use is its own affair.
        let said = stdout(&output);
        let lines =
            said.split_inclusive('\n').filter(|line| !line.starts_with("  version on ") || line.contains("on cpu"));
        lines.collect::<String>()
    };
    insta::assert_snapshot!("list", said(&[]));
    insta::assert_snapshot!("list_tasks", said(&["tasks"]));
    insta::assert_snapshot!("list_task", said(&["tasks", "parity", "number"]));
    insta::assert_snapshot!("list_model", said(&["models", "nearly"]));
    insta::assert_snapshot!("list_metric", said(&["metrics", "accuracy", "fit_s"]));
    insta::assert_snapshot!("list_figure", said(&["figures", "quality"]));
}

#[test]
fn a_mistyped_name_is_answered_with_the_near_one() {
    let bench = Bench::new();
    for (arguments, said) in [
        (["models", "nearli"], "unknown model 'nearli', did you mean 'nearly'? (known: nearly, "),
        (["tasks", "Parity"], "unknown task 'Parity', did you mean 'parity'? (known: parity, number)"),
        (["suites", "quik"], "unknown suite 'quik', did you mean 'quick'? (known: smoke, "),
        (["metrics", "acuracy"], "unknown metric 'acuracy', did you mean 'accuracy'? (known: floor, "),
        (["figures", "qualities"], "unknown figure 'qualities', did you mean 'quality'? (known: verdicts, quality, "),
        (["modles", "svm"], "a similar value exists: 'models'"),
    ] {
        let output = bench.run(&[&["list"], arguments.as_slice()].concat());
        exits(&output, 2);
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}
