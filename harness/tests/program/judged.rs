//! What the commands that read runs say of verdicts, published numbers and bad arguments.

use std::fs;
use std::path::{Path, PathBuf};

use bakeoff::machine::ThisMachine;
use bakeoff::plan::{Overrides, Plan};
use bakeoff::program::Program;
use bakeoff::suite::Source;
use bakeoff::tasks::TASKS;
use bakeoff_models::ENTRIES;
use bakeoff_reports::{Anchor, RunDir, anchors};

use crate::common::{Bench, exits, stderr, stdout};
use crate::older_runs::folder;

const PROGRAM: Program = Program { tasks: TASKS, models: ENTRIES, machine: &ThisMachine };

/// The suites whose runs meet published numbers.
const SUITES: [&str; 5] = ["claims.toml", "anchors.toml", "full-data.toml", "resnet-20.toml", "fashion-mnist.toml"];

fn source(name: &str) -> Source {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("suites").join(name);
    Source::find(path.to_str().unwrap()).unwrap()
}

/// Whether the suite of this file has cases that meet the number.
fn meets(anchor: &Anchor, name: &str) -> bool {
    let suite = source(name).parse().unwrap();
    if !anchor.suite.is_empty() {
        // A task of own data is not planned, because its data need not be here.
        let has_task = suite.tasks.iter().any(|task| task.name.as_ref() == &anchor.task);
        let has_model = suite.models.iter().any(|model| model.name.as_ref() == &anchor.model);
        return suite.name.as_ref() == &anchor.suite && has_task && has_model;
    }
    if suite.tasks.iter().any(|task| task.data.is_some()) {
        return false;
    }
    let plan = Plan::new(&PROGRAM, &source(name), &Overrides::default()).unwrap();
    plan.cases.iter().any(|case| {
        let params = case.params.to_string();
        let has = |name: &String, value: &String| params.split(' ').any(|param| param == format!("{name}={value}"));
        (&case.task, &case.model, case.train_size) == (&anchor.task, &anchor.model, anchor.rows)
            && case.unsupported.is_none()
            && anchor.params.iter().all(|(name, value)| has(name, value))
    })
}

#[test]
fn every_published_number_is_met_by_a_suite() {
    for anchor in anchors() {
        assert!(SUITES.iter().any(|suite| meets(&anchor, suite)), "{}: no case of a suite meets it", anchor.id);
    }
}

/// A bench with a run of schema 1 in `out`.
fn bench_with_run() -> Bench {
    let bench = Bench::new();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/tests/golden/run-v1");
    folder::copy(&golden, &bench.path("out"));
    bench
}

fn rules(bench: &Bench, suite: &str) -> PathBuf {
    rules_of(bench, suite, "reviews", "svm")
}

fn rules_of(bench: &Bench, suite: &str, task: &str, model: &str) -> PathBuf {
    bench.write(
        "mine.toml",
        &format!(
            "[[claim]]\nid = \"M1\"\ndocument = \"a talk\"\nclaim = \"The SVM is better\"\nreading = \"Its score is\"\n\
             suites = [\"{suite}\"]\n[[claim.part]]\ntask = [\"{task}\"]\nfirst = {{ model = [\"{model}\"] }}\nis = \"better\"\n\
             second = {{ model = [\"small-lstm\"] }}\n"
        ),
    )
}

#[test]
fn own_claims_are_judged_by_the_runs_of_their_suite() {
    let bench = bench_with_run();
    let suite = RunDir::new(bench.path("out")).info().unwrap().suite;
    rules(&bench, &suite);
    let output = bench.run(&["claims", "out", "--rules", "mine.toml"]);
    exits(&output, 0);
    let text = stdout(&output);
    assert!(text.contains("reviews: svm better than small-lstm") && text.contains("three seeds or more"), "{text}");
    assert!(!text.contains("C01"), "only own claims are judged: {text}");
    let output = bench.run(&["claims", "out", "--rules", "mine.toml", "--claim", "m1", "--csv"]);
    exits(&output, 0);
    assert!(stdout(&output).contains("\nM1,"), "{}", stdout(&output));
}

#[test]
fn blanks_round_the_comma_of_a_list_of_claims_are_no_part_of_their_ids() {
    let bench = bench_with_run();
    let of = |ids: &str| {
        let output = bench.run(&["claims", "out", "--claim", ids]);
        exits(&output, 0);
        stdout(&output)
    };
    assert_eq!(of("C06, C07"), of("C06,C07"));
    assert!(of(" c07 ").contains("C07") && !of(" c07 ").contains("C06"));
    for ids in ["C06,,C07", "C06, ", ""] {
        let output = bench.run(&["claims", "out", "--claim", ids]);
        exits(&output, 2);
        assert!(stderr(&output).contains("an item of the list is empty"), "{}", stderr(&output));
    }
}

#[test]
fn own_claims_of_an_unknown_suite_are_refused_with_their_line() {
    let bench = bench_with_run();
    rules(&bench, "quikc");
    let output = bench.run(&["claims", "out", "--rules", "mine.toml"]);
    exits(&output, 2);
    let message = stderr(&output);
    assert!(message.contains("mine.toml:6: claim M1: unknown suite 'quikc', did you mean 'quick'?"), "{message}");
    let run = RunDir::new(bench.path("out"));
    change_suite(&run, "claims-quick");
    let output = bench.run(&["claims", "out", "out", "--rules", "mine.toml"]);
    exits(&output, 2);
    assert_eq!(stderr(&output).matches("claims-quick").count(), 1, "{}", stderr(&output));
    let output = bench.run(&["claims", "out", "--rules", "absent.toml"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("cannot read absent.toml"), "{}", stderr(&output));
    let output = bench.run(&["claims", "out", "--claim", "C99"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("there is no claim 'C99': expected one of C01, C02"), "{}", stderr(&output));
}

/// Makes a run one of another suite.
fn change_suite(run: &RunDir, suite: &str) {
    let info = fs::read_to_string(run.info_path()).unwrap();
    let own = format!("\"suite\": \"{}\"", run.info().unwrap().suite);
    assert!(info.contains(&own), "{info}");
    fs::write(run.info_path(), info.replace(&own, &format!("\"suite\": \"{suite}\""))).unwrap();
}

#[test]
fn own_claims_of_an_unknown_task_or_model_are_refused_with_the_near_name() {
    let bench = bench_with_run();
    let suite = RunDir::new(bench.path("out")).info().unwrap().suite;
    for (task, model, expected) in [
        ("reviewz", "svm", "mine.toml:8: claim M1: unknown task 'reviewz', did you mean 'reviews'?"),
        ("reviews", "smal-lstm", "mine.toml:9: claim M1: unknown model 'smal-lstm', did you mean 'small-lstm'?"),
        ("reviews", "transformr", "did you mean 'transformer'?"),
    ] {
        rules_of(&bench, &suite, task, model);
        let output = bench.run(&["claims", "out", "--rules", "mine.toml"]);
        exits(&output, 2);
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn own_claims_of_a_known_task_or_model_that_the_run_lacks_are_not_measured() {
    let bench = bench_with_run();
    let suite = RunDir::new(bench.path("out")).info().unwrap().suite;
    // A task and a model of the program, and a task and a label of a suite that ships with it.
    for (task, model) in [("parity", "svm"), ("reviews", "nearly"), ("sst2", "svm"), ("reviews", "resnet-deep")] {
        rules_of(&bench, &suite, task, model);
        let output = bench.run(&["claims", "out", "--rules", "mine.toml"]);
        exits(&output, 0);
        assert!(stdout(&output).contains("not measured"), "{task}, {model}: {}", stdout(&output));
    }
}

#[test]
fn what_is_no_run_is_refused_by_every_command_that_reads_runs() {
    let bench = bench_with_run();
    fs::create_dir(bench.path("empty")).unwrap();
    for path in ["empty", "missing", "out/run.json"] {
        for command in [
            &["report", path][..],
            &["rank", path],
            &["rank", path, "--impute", "floor"],
            &["claims", path],
            &["claims", "out", path],
            &["compare", path, "out"],
            &["compare", "out", path],
        ] {
            let output = bench.run(command);
            exits(&output, 2);
            assert!(
                stderr(&output).contains(&format!("{path} is no run directory")),
                "{command:?}: {}",
                stderr(&output)
            );
        }
    }
    let output = bench.run(&["rank", "out", "--impute", "flor"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("floor"), "{}", stderr(&output));
}

#[test]
fn the_same_run_twice_is_the_same_and_says_so() {
    let bench = bench_with_run();
    let output = bench.run(&["compare", "out", "out"]);
    exits(&output, 0);
    assert!(stdout(&output).contains("note: this is the same run twice"), "{}", stdout(&output));
    let (once, twice) = (bench.run(&["claims", "out"]), bench.run(&["claims", "out", "out"]));
    exits(&twice, 0);
    assert_eq!(stdout(&once), stdout(&twice));
}
