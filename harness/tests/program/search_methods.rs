//! Searches that choose by what came before: Bayesian search, halving, and searches with a budget.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::process::Stdio;

use bakeoff_reports::Record;

use crate::common::{Bench, endings, exits, records, stderr, stdout};
use crate::faults::without_times;
#[cfg(unix)]
use crate::faults::{signal, wait_until};

const TASKS: &str = "[[task]]\nname = \"number\"\n";
const TUNABLE: &str = "[[model]]\nname = \"tunable\"\n";
const BAYESIAN: &str = "[search]\nmethod = \"bayesian\"\ntrials = 12\n";

fn suite(bench: &Bench, search: &str, model: &str) {
    bench.write("suite.toml", &format!("name = \"test\"\n{search}{TASKS}{model}"));
}

fn value(rows: &[Record], case: &str, phase: &str, metric: &str) -> Option<f64> {
    rows.iter().find(|row| row.case == case && row.phase == phase && row.metric == metric).and_then(|row| row.value)
}

fn params(rows: &[Record], case: &str) -> String {
    rows.iter().find(|row| row.case == case).unwrap().params.clone()
}

/// The parameters of each search trial of a run of one case, in order.
fn tried(run: &Path) -> Vec<String> {
    let rows = records(run);
    rows.iter().filter(|row| row.trial.is_some() && row.phase == "case").map(|row| row.params.clone()).collect()
}

fn rate(params: &str) -> f64 {
    params.rsplit_once("rate=").unwrap().1.parse().unwrap()
}

/// Removes one search trial's readings, as if the disk had lost them.
fn lose(bench: &Bench, run: &str, case: &str) {
    fs::remove_file(bench.path(run).join(format!("readings/{case}.csv.gz"))).unwrap();
}

#[test]
fn search_trials_on_the_command_line_replace_those_of_the_suite_or_add_a_random_search() {
    let bench = Bench::new();
    let listed = |arguments: &[&str]| {
        let output = bench.run(&[&["run", "suite.toml", "--list"], arguments].concat());
        exits(&output, 0);
        stdout(&output).lines().count()
    };
    suite(&bench, "[search]\ntrials = 6\n", TUNABLE);
    assert_eq!([listed(&[]), listed(&["--trials", "3"])], [7, 4]);
    suite(&bench, "", &format!("{TUNABLE}[model.search]\nrate = [0.2, 0.3]\n"));
    assert_eq!(listed(&["--trials", "3"]), 4, "a written range needs no [search] then");
    suite(&bench, "", TUNABLE);
    exits(&bench.run(&["run", "suite.toml", "--trials", "4", "--out", "out"]), 0);
    suite(&bench, "[search]\ntrials = 4\n", TUNABLE);
    exits(&bench.run(&["run", "suite.toml", "--out", "written"]), 0);
    assert_eq!(without_times(&bench.path("out")), without_times(&bench.path("written")));
    exits(&bench.run(&["resume", "out"]), 5);
    for (count, says) in [
        ("0", "--trials: trials is 0, expected a whole number in 1..=100000"),
        ("many", "invalid value 'many' for '--trials <N>'"),
        ("100001", "--trials: trials is 100001, expected a whole number in 1..=100000"),
    ] {
        let output = bench.run(&["run", "suite.toml", "--trials", count]);
        exits(&output, 2);
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
}

#[test]
fn bayesian_search_begins_as_random_search_and_then_tries_near_what_was_good() {
    let bench = Bench::new();
    suite(&bench, &BAYESIAN.replace("12", "24"), TUNABLE);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    suite(&bench, "[search]\ntrials = 24\n", TUNABLE);
    exits(&bench.run(&["run", "suite.toml", "--out", "random"]), 0);
    let [chosen, random] = ["out", "random"].map(|run| tried(&bench.path(run)));
    assert_eq!(chosen[..6], random[..6], "a quarter of the search trials are the same draws");
    assert_eq!(chosen.iter().zip(&random).filter(|(one, other)| one == other).count(), 6);
    // The best rate is a tenth.
    let decades_off = |tried: &[String]| {
        let off = tried[6..].iter().map(|params| (rate(params).log10() + 1.0).abs());
        off.sum::<f64>() / (tried.len() - 6) as f64
    };
    assert!(decades_off(&chosen) < decades_off(&random), "{chosen:?} {random:?}");
    let rows = records(&bench.path("out"));
    let best = rows.iter().filter(|row| row.phase == "validate").filter_map(|row| row.value).min_by(f64::total_cmp);
    assert_eq!(value(&rows, "number.tunable.n60.s1.cpu", "search", "best_validation"), best);
}

#[test]
fn bayesian_search_chooses_among_whole_numbers_and_words_too() {
    let bench = Bench::new();
    let ranges = "[model.search]\nepochs = [1, 4]\nmood = [\"calm\", \"cross\"]\n";
    suite(&bench, BAYESIAN, &format!("[[model]]\nname = \"nearly\"\n{ranges}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let tried: BTreeSet<String> = tried(&bench.path("out")).into_iter().collect();
    let in_range = |params: &String| {
        (1..=4).any(|epochs| params.starts_with(&format!("epochs={epochs} mood=c"))) && params.ends_with("pause_s=0")
    };
    assert!(tried.iter().all(in_range), "{tried:?}");
    assert!(tried.len() > 3, "{tried:?}");
}

#[test]
fn bayesian_search_is_the_same_with_several_jobs() {
    let bench = Bench::new();
    suite(&bench, &format!("seeds = [1, 2]\n{BAYESIAN}"), TUNABLE);
    exits(&bench.run(&["run", "suite.toml", "--out", "out", "--threads", "1"]), 0);
    exits(&bench.run(&["run", "suite.toml", "--out", "jobs", "--threads", "1", "--jobs", "4"]), 0);
    assert_eq!(without_times(&bench.path("out")), without_times(&bench.path("jobs")));
}

#[cfg(unix)]
#[test]
fn a_bayesian_search_that_was_killed_goes_on_as_an_undisturbed_one() {
    let bench = Bench::new();
    suite(&bench, BAYESIAN, &format!("{TUNABLE}params = {{ pause_s = 0.05 }}\n"));
    exits(&bench.run(&["run", "suite.toml", "--out", "whole"]), 0);
    let mut command = bench.command(&["run", "suite.toml", "--out", "out"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let out = bench.path("out");
    wait_until("seven search trials", || out.join("run.json").exists() && endings(&out).len() >= 7);
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(endings(&out).len() < 13, "the run was to be killed before its end");
    exits(&bench.run(&["resume", "out"]), 0);
    assert_eq!(without_times(&out), without_times(&bench.path("whole")));
    exits(&bench.run(&["resume", "out"]), 5);
}

#[test]
fn what_followed_from_a_lost_search_trial_is_chosen_again() {
    let bench = Bench::new();
    suite(&bench, BAYESIAN, TUNABLE);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let before = without_times(&bench.path("out"));
    lose(&bench, "out", "number.tunable.n60.s1.t9.cpu");
    let output = bench.run(&["resume", "out"]);
    exits(&output, 0);
    assert!(stderr(&output).contains("8 cases are done, 5 are left"), "{}", stderr(&output));
    assert_eq!(without_times(&bench.path("out")), before);
    lose(&bench, "out", "number.tunable.n60.s1.t2.cpu");
    let output = bench.run(&["resume", "out"]);
    exits(&output, 0);
    assert!(stderr(&output).contains("4 cases are done, 9 are left"), "t1, t3, t4, t5: {}", stderr(&output));
    assert_eq!(without_times(&bench.path("out")), before);
}

#[test]
fn a_stored_search_trial_must_be_the_one_that_the_search_would_choose() {
    let bench = Bench::new();
    suite(&bench, BAYESIAN, TUNABLE);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let path = bench.path("out/records.csv");
    let text = fs::read_to_string(&path).unwrap();
    let chosen = params(&records(&bench.path("out")), "number.tunable.n60.s1.t8.cpu");
    fs::write(&path, text.replace(&chosen, "epochs=2 pause_s=0 rate=7")).unwrap();
    let output = bench.run(&["resume", "out"]);
    exits(&output, 2);
    let expected =
        "case 'number.tunable.n60.s1.t8.cpu' was measured with 'epochs=2 pause_s=0 rate=7', and would be with";
    assert!(stderr(&output).contains(expected), "{}", stderr(&output));
}

#[test]
fn a_search_whose_every_trial_fails_fails_the_case_under_each_method() {
    for (search, trials) in [(BAYESIAN, 12), ("[search]\nmethod = \"halving\"\ntrials = 9\n", 9)] {
        let bench = Bench::new();
        halving_suite(&bench, search, "[[model]]\nname = \"panics\"\n[model.search]\nepochs = [1, 3]\n");
        let output = bench.run(&["run", "suite.toml", "--out", "out"]);
        exits(&output, 3);
        assert!(stdout(&output).contains("1 case failed"), "{}", stdout(&output));
        let endings = endings(&bench.path("out"));
        let (_, status, note) = endings.last().unwrap();
        assert_eq!(status, "failed");
        let expected = format!("all {trials} search trials that began failed; the first: the model panicked");
        assert!(note.starts_with(&expected), "{note}");
        let output = bench.run(&["resume", "out"]);
        exits(&output, 3);
        assert!(stderr(&output).contains("0 cases are done, "), "{}", stderr(&output));
    }
}

/// A suite on 200 rows of a user's own, of which a search trial may learn from 180.
fn halving_suite(bench: &Bench, search: &str, model: &str) {
    let row = |n: usize| format!("{n},{}\n", if n % 2 == 1 { "odd" } else { "even" });
    for (name, rows) in [("train.csv", 0..200), ("test.csv", 200..240)] {
        bench.write(name, &format!("text,label\n{}", rows.map(row).collect::<String>()));
    }
    let data = "[task.data]\nformat = \"csv\"\ntext = \"text\"\nlabel = \"label\"\ntrain = \"train.csv\"\ntest = \"test.csv\"\n";
    let text = format!("name = \"test\"\nthreads = 1\n{search}[[task]]\nname = \"mine\"\n{data}{model}");
    bench.write("suite.toml", &text);
}

const HALVING: &str = "[search]\nmethod = \"halving\"\ntrials = 9\n";

#[test]
fn the_best_third_of_a_rung_goes_on_with_three_times_as_many_rows() {
    let bench = Bench::new();
    halving_suite(&bench, HALVING, TUNABLE);
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    exits(&bench.run(&["run", "suite.toml", "--out", "jobs", "--jobs", "4"]), 0);
    assert_eq!(without_times(&bench.path("out")), without_times(&bench.path("jobs")));
    let rows = records(&bench.path("out"));
    let trial = |number: usize| format!("mine.tunable.n200.s1.t{number}.cpu");
    // 180 rows, 60 and 20, without a tenth for the choice of an epoch.
    let learned: Vec<f64> =
        (1..=13).map(|number| value(&rows, &trial(number), "fit", "train_examples").unwrap()).collect();
    assert_eq!(learned, [[18.0; 9].as_slice(), &[54.0; 3], &[162.0]].concat());
    let figure = fs::read_to_string(bench.path("out/figures/tuning.svg")).unwrap();
    assert!(
        figure.contains("\n3\n") && !figure.contains("\n4\n"),
        "the rung of three is the last one of several: {figure}"
    );
    let ranked = |numbers: std::ops::RangeInclusive<usize>| -> Vec<String> {
        let score = |number: &usize| value(&rows, &trial(*number), "validate", "accuracy").unwrap_or(-1.0);
        let mut numbers: Vec<usize> = numbers.collect();
        numbers.sort_by(|one, other| score(other).total_cmp(&score(one)));
        numbers.into_iter().map(|number| params(&rows, &trial(number))).collect()
    };
    let later: Vec<String> = (10..=13).map(|number| params(&rows, &trial(number))).collect();
    assert_eq!(later[..3], ranked(1..=9)[..3]);
    assert_eq!(later[3], ranked(10..=12)[0]);
    let scored = "mine.tunable.n200.s1.cpu";
    assert_eq!(params(&rows, scored), later[3]);
    let last = value(&rows, &trial(13), "validate", "accuracy");
    assert_eq!(value(&rows, scored, "search", "best_validation"), last);
    assert_eq!(value(&rows, scored, "search", "trials"), Some(13.0));
    let cost: f64 = (1..=13).filter_map(|number| value(&rows, &trial(number), "fit", "fit_s")).sum();
    assert_eq!(value(&rows, scored, "search", "fit_s"), Some(cost));
}

#[test]
fn a_later_rung_that_was_lost_follows_from_the_rung_before_again() {
    let bench = Bench::new();
    halving_suite(&bench, HALVING, TUNABLE);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let before = without_times(&bench.path("out"));
    lose(&bench, "out", "mine.tunable.n200.s1.t11.cpu");
    let output = bench.run(&["resume", "out"]);
    exits(&output, 0);
    assert!(stderr(&output).contains("11 cases are done, 3 are left"), "{}", stderr(&output));
    assert_eq!(without_times(&bench.path("out")), before);
    lose(&bench, "out", "mine.tunable.n200.s1.t4.cpu");
    let output = bench.run(&["resume", "out"]);
    exits(&output, 0);
    assert!(stderr(&output).contains("8 cases are done, 6 are left"), "{}", stderr(&output));
    assert_eq!(without_times(&bench.path("out")), before);
}

#[test]
fn failed_search_trials_do_not_go_on_to_the_next_rung() {
    let bench = Bench::new();
    // From 50 on every draw diverges, and the first search trial does not.
    halving_suite(&bench, HALVING, &format!("{TUNABLE}[model.search]\nrate = [50.0, 60.0]\n"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let endings = endings(&bench.path("out"));
    assert_eq!(endings[9].1, "ok");
    assert_eq!(endings[10].1, "failed");
    assert_eq!(endings[10].2, "the previous rung has no search trial left for this one: 1 of its 9 gave a score");
    let rows = records(&bench.path("out"));
    let scored = "mine.tunable.n200.s1.cpu";
    assert_eq!(params(&rows, scored), "epochs=2 pause_s=0 rate=1");
    assert_eq!(value(&rows, scored, "search", "trials"), Some(11.0), "two did not begin");
    assert_eq!(value(&rows, scored, "search", "failed_trials"), Some(8.0));
    exits(&bench.run(&["resume", "out"]), 5);
}

/// The numbers of the search trials that began, of one case.
fn begun(run: &Path) -> Vec<usize> {
    let rows = records(run);
    let closing = rows.iter().filter(|row| row.phase == "case" && row.status.name() != "over-budget");
    closing.filter_map(|row| row.trial).collect()
}

#[test]
fn no_search_trial_begins_when_the_budget_is_used_up() {
    let bench = Bench::new();
    suite(&bench, "[search]\ntrials = 6\nbudget = \"0.25s\"\n", &format!("{TUNABLE}params = {{ epochs = 2 }}\n"));
    exits(&bench.run(&["run", "suite.toml", "--out", "probe"]), 0);
    let rows = records(&bench.path("probe"));
    let fit_s = value(&rows, "number.tunable.n60.s1.t1.cpu", "fit", "fit_s").unwrap();
    // Fits of the same number of epochs take equally long by the fake clock.
    let search = format!("[search]\ntrials = 6\nbudget = \"{}s\"\n", fit_s * 2.5);
    suite(&bench, &search, &format!("{TUNABLE}params = {{ epochs = 2 }}\n[model.search]\nrate = [0.1, 1.0]\n"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    assert_eq!(begun(&bench.path("out")), [1, 2, 3]);
    let all = endings(&bench.path("out"));
    assert_eq!((all[3].1.as_str(), all[5].1.as_str(), all[6].1.as_str()), ("over-budget", "over-budget", "ok"));
    assert!(all[3].2.starts_with("the fits of the search trials before this one used 0.0"), "{:?}", all[3]);
    let rows = records(&bench.path("out"));
    let scored = "number.tunable.n60.s1.cpu";
    assert_eq!(value(&rows, scored, "search", "trials"), Some(3.0));
    assert_eq!(value(&rows, scored, "search", "failed_trials"), Some(0.0));
    let trials = rows.iter().find(|row| row.case == scored && row.metric == "trials").unwrap();
    assert_eq!(trials.note, "3 more did not begin");
    let report = fs::read_to_string(bench.path("out/report.md")).unwrap();
    assert!(report.contains("## Tuning") && bench.path("out/figures/tuning.svg").exists());
    // The same search trials run whatever the number of jobs is.
    exits(&bench.run(&["run", "suite.toml", "--out", "jobs", "--jobs", "4", "--threads", "1"]), 0);
    assert_eq!(begun(&bench.path("jobs")), [1, 2, 3]);
    exits(&bench.run(&["resume", "out"]), 5);
    lose(&bench, "out", "number.tunable.n60.s1.t2.cpu");
    exits(&bench.run(&["resume", "out"]), 0);
    assert_eq!(begun(&bench.path("out")), [1, 2, 3]);
}

#[test]
fn the_first_search_trial_runs_on_any_budget_under_each_method() {
    for method in ["random", "bayesian", "halving"] {
        let bench = Bench::new();
        let search = format!("[search]\nmethod = \"{method}\"\ntrials = 9\nbudget = \"0.000001s\"\n");
        halving_suite(&bench, &search, TUNABLE);
        exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
        assert_eq!(begun(&bench.path("out")), [1], "{method}");
        assert_eq!(params(&records(&bench.path("out")), "mine.tunable.n200.s1.cpu"), "epochs=2 pause_s=0 rate=1");
        exits(&bench.run(&["resume", "out"]), 5);
    }
}

#[test]
fn a_budget_in_joules_is_counted_by_the_meter_and_refused_without_one() {
    let bench = Bench::new();
    suite(&bench, "[search]\nbudget = \"0.001J\"\n", TUNABLE);
    let output = bench.run(&["run", "suite.toml", "--list"]);
    assert_eq!(stdout(&output).lines().count(), 101, "a hundred search trials at most if only a budget is given");
    exits(&bench.run(&["run", "suite.toml", "--trials", "3", "--out", "out"]), 0);
    assert_eq!(begun(&bench.path("out")), [1]);
    let note = &endings(&bench.path("out"))[1].2;
    assert!(note.contains(" J of the budget of 0.001J, source estimate ± 40 %"), "{note}");
    let output = bench.run(&["run", "suite.toml", "--no-energy-estimate"]);
    exits(&output, 2);
    assert!(
        stderr(&output).contains("suite.toml:3:10: joules can be neither measured nor estimated"),
        "{}",
        stderr(&output)
    );
    assert!(stderr(&output).contains("give the budget in seconds, such as 600s"), "{}", stderr(&output));
}

#[test]
fn a_fault_of_a_search_is_refused_where_it_is_written() {
    let bench = Bench::new();
    for (search, says) in [
        ("[search]\nmethod = \"bayesian\"\ntrials = 0\n", "suite.toml:4:10: trials is 0, expected a whole number"),
        ("[search]\nmethod = \"bayesien\"\ntrials = 3\n", "unknown search method 'bayesien', did you mean 'bayesian'?"),
        ("[search]\nbudget = \"10 parsecs\"\n", "suite.toml:3:10: expected a number above 0 and its unit"),
        ("[search]\nbudget = \"10 parsecs\"\n", "found '10 parsecs'"),
        ("[search]\nbudget = \"0s\"\n", "suite.toml:3:10: expected a number above 0 and its unit"),
        ("[search]\nbudget = 600\n", "suite.toml:3:10: found the number `600`, expected"),
        (
            "[search]\nmethod = \"random\"\n",
            "suite.toml:2:1: the search has neither trials nor a budget: add trials = 20",
        ),
        ("[search]\nmethod = \"halving\"\ntrials = 2\n", "suite.toml:4:10: trials is 2, and halving keeps one of 3"),
        (
            "[search]\nmethod = \"halving\"\ntrials = 9\n",
            "suite.toml:3:10: halving needs at least 60 rows for a search trial, and task 'number' leaves 54: raise train_size, \
             or use method = \"random\"",
        ),
    ] {
        suite(&bench, search, TUNABLE);
        let output = bench.run(&["run", "suite.toml", "--list"]);
        exits(&output, 2);
        assert!(stderr(&output).contains(says), "{says}: {}", stderr(&output));
    }
}
