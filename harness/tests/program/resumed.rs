//! What a stop at a bad moment or an incomplete copy leaves, and what `resume` makes of it.

use std::fs;
#[cfg(target_os = "linux")]
use std::process::Command;
use std::process::Stdio;

use bakeoff_reports::RunDir;

use crate::common::{Bench, endings, exits, stderr, stdout};
use crate::faults::{curves, wait_until, without_times};

/// The processes that a process has started.
#[cfg(target_os = "linux")]
fn children(of: u32) -> Vec<String> {
    // Threads start them, so look at all of them.
    let tasks = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok()).collect::<String>();
    children.split_whitespace().map(str::to_owned).collect()
}

/// The workers of a run, once there are some.
#[cfg(target_os = "linux")]
fn workers(run: &std::process::Child) -> Vec<String> {
    let mut workers = Vec::new();
    wait_until("a worker", || {
        workers = children(run.id());
        !workers.is_empty()
    });
    workers
}

/// A search of three search trials, each of which takes half a second.
pub(crate) const SLOW_SEARCH: &str = "name = \"test\"\n[search]\ntrials = 3\n[[task]]\nname = \"number\"\n[[model]]\nname = \"tunable\"\n\
                           params = { epochs = 5, pause_s = 0.1 }\n";

#[cfg(target_os = "linux")]
#[test]
fn a_signal_to_all_processes_of_a_run_stops_it_and_is_no_result_of_a_case() {
    for name in ["-TERM", "-INT"] {
        let bench = Bench::new();
        bench.write("suite.toml", SLOW_SEARCH);
        exits(&bench.run(&["run", "suite.toml", "--out", "whole"]), 0);
        let mut command = bench.command(&["run", "suite.toml", "--out", "out"]);
        let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let workers = workers(&run);
        // The worker first, which is the worse order.
        let ids = workers.iter().cloned().chain([run.id().to_string()]);
        assert!(Command::new("kill").arg(name).args(ids).status().unwrap().success());
        exits(&run.wait_with_output().unwrap(), 130);
        let endings = endings(&bench.path("out"));
        assert!(endings.iter().all(|(_, status, _)| status == "ok"), "{name}: {endings:?}");
        exits(&bench.run(&["resume", "out"]), 0);
        assert_eq!(without_times(&bench.path("out")), without_times(&bench.path("whole")), "{name}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_search_trial_whose_process_was_killed_says_nothing_and_is_run_again() {
    let bench = Bench::new();
    bench.write("suite.toml", SLOW_SEARCH);
    exits(&bench.run(&["run", "suite.toml", "--out", "whole"]), 0);
    let mut command = bench.command(&["run", "suite.toml", "--out", "out"]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let workers = workers(&run);
    assert!(Command::new("kill").arg("-KILL").args(&workers).status().unwrap().success());
    let output = run.wait_with_output().unwrap();
    exits(&output, 3);
    assert!(stdout(&output).contains("1 case failed; to try again: bakeoff resume out"), "{}", stdout(&output));
    assert!(endings(&bench.path("out")).iter().any(|(_, status, _)| status == "failed"));
    exits(&bench.run(&["resume", "out"]), 0);
    assert_eq!(without_times(&bench.path("out")), without_times(&bench.path("whole")));
}

#[test]
fn a_search_of_which_all_search_trials_failed_is_tried_again() {
    let bench = Bench::new();
    let model = "[[model]]\nname = \"needs-file\"\nsearch = { mood = [\"calm\", \"cross\"] }\n";
    bench.write("suite.toml", &format!("name = \"test\"\n[search]\ntrials = 2\n[[task]]\nname = \"parity\"\n{model}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    let there = bench.write("there", "");
    exits(&bench.command(&["resume", "out"]).env("FAKE_FILE", &there).output().unwrap(), 0);
    assert!(endings(&bench.path("out")).iter().all(|(_, status, _)| status == "ok"));
}

#[test]
fn a_run_that_was_stopped_before_its_report_gets_one() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    fs::remove_file(bench.path("out/report.html")).unwrap();
    fs::create_dir(bench.path("out/figures/slides")).unwrap();
    for left in [
        "out/.records.csv.77.tmp",
        "out/readings/.x.csv.gz.77.tmp",
        "out/figures/.latency.svg.77.tmp",
        "out/figures/slides/.latency.svg.77.tmp",
    ] {
        bench.write(left, "half");
    }
    let output = bench.run(&["resume", "out"]);
    exits(&output, 0);
    assert!(stderr(&output).contains("the only case is done, and the report was missing"), "{}", stderr(&output));
    assert!(bench.path("out/report.html").exists());
    let left = ["out", "out/readings", "out/figures", "out/figures/slides"]
        .iter()
        .flat_map(|folder| fs::read_dir(bench.path(folder)).unwrap());
    assert!(!left.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(".tmp")));
    exits(&bench.run(&["resume", "out"]), 5);
}

#[test]
fn a_case_whose_last_rows_are_missing_is_named_and_measured_again() {
    let bench = Bench::new();
    bench.suite("seeds = [1, 2]", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let path = bench.path("out/records.csv");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    // Whole lines are gone, so that no line looks cut off.
    fs::write(&path, lines[..lines.len() - 3].concat()).unwrap();
    let output = bench.run(&["resume", "out"]);
    exits(&output, 0);
    let said = "note: case parity.nearly.n60.s2.cpu has no closing row in records.csv: it is measured again\n";
    assert_eq!(stderr(&output).matches(said).count(), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("1 case is done, 1 is left"), "{}", stderr(&output));
    assert_eq!(endings(&bench.path("out")).len(), 2);
    let output = bench.run(&["resume", "out"]);
    assert!(!stderr(&output).contains("closing row"), "{}", stderr(&output));
}

#[test]
fn a_directory_without_records_is_refused_and_nothing_in_it_is_removed() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    fs::write(bench.path("out/records.csv"), "").unwrap();
    for _ in 0..2 {
        let output = bench.run(&["resume", "out"]);
        exits(&output, 2);
        assert!(stderr(&output).contains("records.csv is missing or empty"), "{}", stderr(&output));
        assert!(bench.path("out/predictions/parity.nearly.n60.s1.cpu.csv").exists());
        let _ = fs::remove_file(bench.path("out/records.csv"));
    }
}

#[test]
fn rows_that_no_report_would_take_are_found_before_anything_runs() {
    let bench = Bench::new();
    bench.suite("seeds = [1, 2]", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let records = fs::read_to_string(bench.path("out/records.csv")).unwrap();
    let first: Vec<&str> = records.lines().filter(|line| !line.contains(".s2.")).collect();
    let twice = format!("{}\n{}\n", first.join("\n"), first.last().unwrap());
    bench.write("out/records.csv", &twice);
    let output = bench.run(&["resume", "out"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("twice"), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(bench.path("out/records.csv")).unwrap(), twice);
}

#[test]
fn search_trials_that_all_failed_are_tried_again_and_the_case_chooses_anew() {
    let bench = Bench::new();
    let model = "[[model]]\nname = \"needs-file\"\nsearch = { mood = [\"calm\", \"cross\"] }\n";
    bench.write("suite.toml", &format!("name = \"test\"\n[search]\ntrials = 3\n[[task]]\nname = \"parity\"\n{model}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    let records = fs::read_to_string(bench.path("out/records.csv")).unwrap();
    // One of them is gone, so not all have failed.
    let kept: String = records.lines().filter(|line| !line.contains(".t1.")).map(|line| format!("{line}\n")).collect();
    bench.write("out/records.csv", &kept);
    let there = bench.write("there", "");
    exits(&bench.command(&["resume", "out"]).env("FAKE_FILE", &there).output().unwrap(), 0);
    assert!(endings(&bench.path("out")).iter().all(|(_, status, _)| status == "ok"));
}

#[test]
fn a_directory_without_curves_is_refused_too() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    fs::remove_file(bench.path("out/curves.csv")).unwrap();
    let output = bench.run(&["resume", "out"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("curves.csv is missing or empty"), "{}", stderr(&output));
    exits(&bench.run(&["report", "out"]), 0);
}

#[test]
fn cases_whose_epochs_are_missing_or_cut_off_are_named_and_run_again() {
    let bench = Bench::new();
    bench.suite("", &["parity", "number"], &["nearly", "one-step"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let whole = curves(&bench.path("out"));
    let text = fs::read_to_string(bench.path("out/curves.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5, "two epochs of two cases: {text}");
    // The last epoch, one case, or all of them.
    for (kept, are_run) in [
        (
            4,
            "note: 1 case is run again, because predictions, readings, epochs or the kept model are missing or cut off: number.nearly.",
        ),
        (
            3,
            "note: 1 case is run again, because predictions, readings, epochs or the kept model are missing or cut off: number.nearly.",
        ),
        (
            1,
            "note: 2 cases are run again, because predictions, readings, epochs or the kept model are missing or cut off: parity.nearly.",
        ),
    ] {
        bench.write("out/curves.csv", &format!("{}\n", lines[..kept].join("\n")));
        let output = bench.run(&["resume", "out"]);
        exits(&output, 0);
        assert!(stderr(&output).contains(are_run), "{}", stderr(&output));
        assert_eq!(curves(&bench.path("out")), whole);
        exits(&bench.run(&["resume", "out"]), 5);
    }
}

#[test]
fn records_without_a_case_beside_predictions_are_refused_and_nothing_is_removed() {
    for tasks in [&["parity", "number"][..], &["parity"]] {
        let bench = Bench::new();
        bench.suite("", tasks, &["nearly"]);
        exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
        let records = fs::read_to_string(bench.path("out/records.csv")).unwrap();
        bench.write("out/records.csv", &format!("{}\n", records.lines().next().unwrap()));
        let output = bench.run(&["resume", "out"]);
        exits(&output, 2);
        let said = stderr(&output);
        let (cases, evidence) = match tasks.len() {
            1 => ("1 case", "summary.csv has it"),
            _ => ("2 cases", "a stop leaves one such case at most"),
        };
        let expected =
            format!("records.csv has no closing row of {cases}, of which predictions/ or readings/ have files: ");
        assert!(said.contains(&expected) && said.contains(evidence), "{said}");
        assert!(said.contains("Put the whole records.csv back, or copy the run again"), "{said}");
        for task in tasks {
            assert!(bench.path(&format!("out/predictions/{task}.nearly.n60.s1.cpu.csv")).exists());
        }
    }
}

#[test]
fn cases_that_were_being_stored_together_when_the_program_was_killed_are_no_loss_of_records() {
    let bench = Bench::new();
    bench.suite("", &["parity", "number"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    for file in ["records.csv", "curves.csv"] {
        let text = fs::read_to_string(bench.path("out").join(file)).unwrap();
        bench.write(&format!("out/{file}"), &format!("{}\n", text.lines().next().unwrap()));
    }
    bench.write("out/.storing.tmp", "parity.nearly.n60.s1.cpu\nnumber.nearly.n60.s1.cpu\n");
    let output = bench.run(&["resume", "out"]);
    exits(&output, 0);
    assert!(
        stderr(&output).contains("2 cases have no closing row in records.csv: they are measured again"),
        "{}",
        stderr(&output)
    );
    assert!(!bench.path("out/.storing.tmp").exists(), "what is stored is not being stored");
    // A resume that is refused, or killed, before their files are removed leaves the list for the next one.
    for file in ["records.csv", "curves.csv"] {
        let text = fs::read_to_string(bench.path("out").join(file)).unwrap();
        bench.write(&format!("out/{file}"), &format!("{}\n", text.lines().next().unwrap()));
    }
    bench.write("out/.storing.tmp", "parity.nearly.n60.s1.cpu\nnumber.nearly.n60.s1.cpu\n");
    fs::create_dir(bench.path("out/models")).unwrap();
    bench.write("out/models/.left", "");
    exits(&bench.run(&["resume", "out"]), 0);
    assert_eq!(endings(&bench.path("out")).len(), 2);
}

#[test]
fn a_kill_while_the_first_case_was_stored_is_no_loss_of_records_even_if_a_report_follows() {
    for is_reported in [false, true] {
        let bench = Bench::new();
        bench.suite("", &["parity", "number"], &["nearly"]);
        exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
        let records = fs::read_to_string(bench.path("out/records.csv")).unwrap();
        bench.write("out/records.csv", &format!("{}\n", records.lines().next().unwrap()));
        let curves = fs::read_to_string(bench.path("out/curves.csv")).unwrap();
        bench.write("out/curves.csv", &format!("{}\n", curves.lines().next().unwrap()));
        for later in ["predictions/number.nearly.n60.s1.cpu.csv", "readings/number.nearly.n60.s1.cpu.csv.gz"] {
            fs::remove_file(bench.path("out").join(later)).unwrap();
        }
        for report in ["report.html", "report.md", "summary.csv"] {
            fs::remove_file(bench.path("out").join(report)).unwrap();
        }
        if is_reported {
            exits(&bench.run(&["report", "out"]), 0);
            assert!(bench.path("out/report.html").exists());
        }
        let output = bench.run(&["resume", "out"]);
        exits(&output, 0);
        let said = "note: case parity.nearly.n60.s1.cpu has no closing row in records.csv: it is measured again\n";
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
        assert!(endings(&bench.path("out")).iter().all(|(_, status, _)| status == "ok"));
    }
}

#[test]
fn records_that_were_cut_in_the_middle_are_refused_and_nothing_is_removed() {
    let bench = Bench::new();
    bench.suite("seeds = [1, 2, 3]", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let whole = fs::read_to_string(bench.path("out/records.csv")).unwrap();
    bench.write("out/records.csv", &whole[..whole.find(".s2.").unwrap()]);
    let files = || fs::read_dir(bench.path("out/predictions")).unwrap().count();
    let output = bench.run(&["resume", "out"]);
    exits(&output, 2);
    let said = stderr(&output);
    let expected = "records.csv has no closing row of 2 cases, of which predictions/ or readings/ have files: \
                    parity.nearly.n60.s2.cpu, parity.nearly.n60.s3.cpu; a stop leaves one such case at most";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains("to measure the cases again, remove their files in predictions/ and readings/"), "{said}");
    assert_eq!(files(), 3);
    bench.write("out/records.csv", &whole);
    exits(&bench.run(&["resume", "out"]), 5);
    assert_eq!(files(), 3);
    // What the message says to do.
    bench.write("out/records.csv", &whole[..whole.find(".s2.").unwrap()]);
    for seed in [2, 3] {
        fs::remove_file(bench.path(&format!("out/predictions/parity.nearly.n60.s{seed}.cpu.csv"))).unwrap();
        fs::remove_file(bench.path(&format!("out/readings/parity.nearly.n60.s{seed}.cpu.csv.gz"))).unwrap();
    }
    exits(&bench.run(&["resume", "out"]), 0);
    assert_eq!(endings(&bench.path("out")).len(), 3);
}

#[test]
fn epochs_that_no_fit_can_have_are_refused_with_file_and_line() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let text = fs::read_to_string(bench.path("out/curves.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let loss = lines[2].split(',').nth(2).unwrap();
    let not_finite =
        |column: &str, word: &str| format!("out/curves.csv:3: column {column}: {word} is not a finite number");
    for (changed, expected) in [
        (lines[2].replacen(loss, "NaN", 1), not_finite("train_loss", "NaN")),
        (lines[2].replacen(loss, "inf", 1), not_finite("train_loss", "inf")),
        (
            lines[1].to_owned(),
            "out/curves.csv:3: epoch 1 of case 'parity.nearly.n60.s1.cpu' is on line 2 already".to_owned(),
        ),
    ] {
        bench.write("out/curves.csv", &format!("{}\n{}\n{changed}\n", lines[0], lines[1]));
        for command in ["report", "resume"] {
            let output = bench.run(&[command, "out"]);
            exits(&output, 2);
            assert!(stderr(&output).contains(&expected), "{expected}: {}", stderr(&output));
        }
    }
}

#[test]
fn a_kept_model_that_is_gone_or_cut_is_named_and_its_case_run_again() {
    let bench = Bench::new();
    bench.suite("keep_models = true", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let model = RunDir::new(bench.path("out")).model_path("parity.nearly.n60.s1.cpu");
    let file = model.join("fake.json");
    let whole = fs::read_to_string(&file).unwrap();
    for is_gone in [true, false] {
        if is_gone {
            fs::remove_dir_all(&model).unwrap();
        } else {
            fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        }
        let output = bench.run(&["resume", "out"]);
        exits(&output, 0);
        let said = "note: 1 case is run again, because predictions, readings, epochs or the kept model are missing or cut off: \
                    parity.nearly.n60.s1.cpu\n";
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
        assert_eq!(fs::read_to_string(&file).unwrap(), whole);
        exits(&bench.run(&["resume", "out"]), 5);
    }
}

#[test]
fn a_description_of_a_run_that_is_empty_or_cut_off_is_named_with_what_to_do() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let whole = fs::read_to_string(bench.path("out/run.json")).unwrap();
    for half in ["", &whole[..whole.len() / 2]] {
        bench.write("out/run.json", half);
        for command in ["resume", "report"] {
            let output = bench.run(&[command, "out"]);
            exits(&output, 2);
            let said = stderr(&output);
            assert!(said.contains("out/run.json: it is empty or cut short: put the whole file back"), "{said}");
        }
    }
}

#[test]
fn a_report_that_resume_cannot_write_is_no_fault_of_the_user() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    fs::remove_file(bench.path("out/report.html")).unwrap();
    fs::remove_file(bench.path("out/report.md")).unwrap();
    fs::create_dir(bench.path("out/report.md")).unwrap();
    for command in ["resume", "report"] {
        let output = bench.run(&[command, "out"]);
        exits(&output, 1);
        assert!(stderr(&output).contains("cannot write out/report.md"), "{}", stderr(&output));
    }
    let said = stderr(&bench.run(&["resume", "out"]));
    let expected = "the results are stored, but not the report; correct the cause, then: bakeoff report out";
    assert!(said.contains(expected), "{said}");
}
