//! The whole program on fake models and a fake machine: every number is exact.

use std::fs;
use std::path::Path;

use crate::common::{Bench, endings, exits, records, stderr, stdout};

/// A run of two models and an unsupported case on both tasks; the program's own commit is not part of the promise.
fn run(bench: &Bench, arguments: &[&str]) -> std::process::Output {
    bench.suite("about = \"fakes\"\nthreads = 2", &["parity", "number"], &["nearly", "constant", "classes-only"]);
    bench.run(&[&["run", "suite.toml", "--out", "out"], arguments].concat())
}

fn read(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let run = path.ancestors().find(|folder| folder.join("run.json").exists()).unwrap();
    let commit = bakeoff_reports::RunDir::new(run).info().unwrap().commit;
    text.replace(&format!(",{commit},"), ",COMMIT,")
}

#[test]
fn a_run_stores_these_rows() {
    let bench = Bench::new();
    let output = run(&bench, &[]);
    exits(&output, 0);
    insta::assert_snapshot!("records", read(&bench.path("out/records.csv")));
    insta::assert_snapshot!("curves", read(&bench.path("out/curves.csv")));
    insta::assert_snapshot!("summary", read(&bench.path("out/summary.csv")));
    insta::assert_snapshot!("predictions", read(&bench.path("out/predictions/number.nearly.n60.s1.cpu.csv")));
    insta::assert_snapshot!("terminal", stdout(&output));
    insta::assert_snapshot!("progress", stderr(&output));
}

#[test]
fn a_run_leaves_every_promised_file() {
    let bench = Bench::new();
    exits(&run(&bench, &[]), 0);
    for name in ["records.csv", "summary.csv", "curves.csv", "run.json", "report.html", "report.md"] {
        assert!(bench.path("out").join(name).is_file(), "{name}");
    }
    let files = fs::read_dir(bench.path("out/figures")).unwrap().map(|entry| entry.unwrap().file_name());
    let files: Vec<String> = files.map(|name| name.to_string_lossy().into_owned()).collect();
    // Only a run with a search, a claim, a meter, several settings, or several values of an axis or a parameter has something to show
    // there.
    let needs_more = [
        "tuning",
        "learning-curve",
        "label-noise",
        "ablation",
        "verdicts",
        "critical-difference",
        "threads",
        "server",
        "batch-size",
        "devices",
        "sequence-length",
        "power",
    ];
    for figure in bakeoff_reports::FIGURES.iter().map(|figure| figure.name()).filter(|name| !needs_more.contains(name))
    {
        for ending in [".svg", ".png", ".pdf"] {
            let is_there = files.iter().any(|file| file.starts_with(figure) && file.ends_with(ending));
            assert!(is_there, "no {ending} file of the figure {figure}: {files:?}");
        }
    }
}

#[test]
fn a_brier_score_follows_from_the_stored_predictions() {
    let bench = Bench::new();
    exits(&run(&bench, &[]), 0);
    let dir = bakeoff_reports::RunDir::new(bench.path("out"));
    let info = dir.info().unwrap();
    let recorded: Vec<_> = records(&bench.path("out")).into_iter().filter(|row| row.metric == "brier").collect();
    assert!(!recorded.is_empty(), "a fake model gives probabilities");
    for record in recorded {
        let classes = &info.tasks.iter().find(|task| task.name == record.task).unwrap().classes;
        let rows = dir.predictions(&record.case).unwrap().unwrap().rows;
        let distance = |row: &bakeoff_reports::PredictionRow| -> f64 {
            assert_eq!(row.probabilities.len(), classes.len(), "the whole row is kept");
            let indicator = classes.iter().map(|class| f64::from(u8::from(*class == row.target)));
            row.probabilities.iter().zip(indicator).map(|(&p, is)| (f64::from(p) - is).powi(2)).sum()
        };
        let brier = rows.iter().map(distance).sum::<f64>() / rows.len() as f64;
        assert!((brier - record.value.unwrap()).abs() <= 1e-12, "{}: {brier}, not {:?}", record.case, record.value);
    }
}

#[test]
fn the_report_is_rebuilt_from_the_csv_alone_to_the_same_bytes() {
    let bench = Bench::new();
    exits(&run(&bench, &[]), 0);
    let files = [
        "summary.csv",
        "report.md",
        "report.html",
        "figures/quality.svg",
        "figures/quality.png",
        "figures/quality.pdf",
    ];
    let before: Vec<Vec<u8>> = files.iter().map(|name| fs::read(bench.path("out").join(name)).unwrap()).collect();
    for name in files {
        fs::remove_file(bench.path("out").join(name)).unwrap();
    }
    exits(&bench.run(&["report", "out"]), 0);
    for (name, before) in files.iter().zip(before) {
        assert_eq!(fs::read(bench.path("out").join(name)).unwrap(), before, "{name}");
    }
}

#[test]
fn a_run_inside_the_process_gives_the_scores_of_one_in_children() {
    let bench = Bench::new();
    exits(&run(&bench, &[]), 0);
    exits(&bench.run(&["run", "suite.toml", "--out", "inline", "--inline"]), 0);
    let scores = |run: &str| -> Vec<_> {
        let rows = records(&bench.path(run)).into_iter().filter(|row| row.phase == "score");
        rows.map(|row| (row.case, row.metric, row.value)).collect()
    };
    assert_eq!(scores("out"), scores("inline"));
}

#[test]
fn jobs_change_the_order_of_work_but_not_of_rows() {
    let bench = Bench::new();
    exits(&run(&bench, &[]), 0);
    exits(&bench.run(&["run", "suite.toml", "--out", "jobs", "--jobs", "3"]), 0);
    let order = |run: &str| -> Vec<_> {
        records(&bench.path(run)).into_iter().map(|row| (row.case, row.phase, row.metric, row.status)).collect()
    };
    assert_eq!(order("out"), order("jobs"));
}

#[test]
fn joules_are_left_empty_with_the_reason_when_the_estimate_is_off() {
    let bench = Bench::new();
    exits(&run(&bench, &["--no-energy-estimate"]), 0);
    let rows = records(&bench.path("out"));
    let joules: Vec<_> = rows.iter().filter(|row| row.metric == "energy_j").collect();
    assert!(!joules.is_empty());
    for row in joules {
        assert_eq!(row.value, None);
        assert!(row.note.contains("no RAPL") && row.note.contains("switched off"), "{}", row.note);
    }
}

#[test]
fn check_makes_a_pass_of_every_case_and_stores_nothing() {
    let bench = Bench::new();
    bench.suite("", &["number"], &["nearly", "classes-only", "panics"]);
    let output = bench.run(&["check", "suite.toml"]);
    exits(&output, 3);
    insta::assert_snapshot!("check", stdout(&output).split(" at ").next().unwrap());
    assert_eq!(fs::read_dir(bench.path("")).unwrap().count(), 1, "only the suite");
}

#[test]
fn a_suite_of_which_some_cases_are_unsupported_succeeds_and_one_of_which_all_are_measures_nothing() {
    let bench = Bench::new();
    bench.suite("", &["number"], &["nearly", "classes-only"]);
    let checked = bench.run(&["check", "suite.toml"]);
    exits(&checked, 0);
    assert!(stdout(&checked).ends_with("\n1 of 2 cases is ready (1 unsupported)\n"), "{}", stdout(&checked));
    exits(&bench.run(&["run", "suite.toml", "--out", "some"]), 0);

    bench.suite("seeds = [1, 2]", &["number"], &["classes-only"]);
    let checked = bench.run(&["check", "suite.toml"]);
    exits(&checked, 5);
    assert!(stdout(&checked).ends_with("\n0 of 2 cases are ready (2 unsupported)\n"), "{}", stdout(&checked));
    exits(&bench.run(&["run", "suite.toml", "--list"]), 0);
    let run = bench.run(&["run", "suite.toml", "--out", "none"]);
    exits(&run, 5);
    let says = "nothing was measured: every case is unsupported, and its row says why\n";
    assert!(stdout(&run).ends_with(says), "{}", stdout(&run));
    assert_eq!(endings(&bench.path("none")).len(), 2, "no case is dropped");
    exits(&bench.run(&["resume", "none"]), 5);
    fs::remove_file(bench.path("none/report.html")).unwrap();
    exits(&bench.run(&["resume", "none"]), 5);
}

#[test]
fn help_names_every_command_and_exit_code() {
    let output = Bench::new().run(&["--help"]);
    exits(&output, 0);
    insta::assert_snapshot!("help", stdout(&output));
}

#[test]
fn doctor_says_what_can_be_measured() {
    let output = Bench::new().run(&["doctor"]);
    exits(&output, 0);
    for part in ["energy, rapl: no RAPL", "memory", "time", "Fake 9000"] {
        assert!(stdout(&output).contains(part), "{part}: {}", stdout(&output));
    }
}

#[test]
fn the_suites_that_ship_keep_their_promises() {
    let run = |suite: &str| {
        // A machine need not have the cards of the suites of devices.
        let output = planned(suite, &["--device", "cpu"]);
        exits(&output, 0);
        assert!(stderr(&output).contains("a rough forecast"), "{}", stderr(&output));
        stdout(&output)
    };
    let parsed = |suite: &str| bakeoff::suite::Source::find(suite).unwrap().parse().unwrap();
    // The cases of `standard` are known without its data: what there will be to do is shown before anything is fetched.
    for suite in ["smoke", "quick", "standard"] {
        let (cases, parsed) = (run(suite), parsed(suite));
        let of_model = |task: &str| parsed.models.iter().filter(|model| model.runs_on(task)).count();
        let expected: usize = parsed.tasks.iter().map(|task| of_model(task.name.as_ref())).sum();
        assert_eq!(cases.lines().count(), expected, "{cases}");
        assert!(!cases.contains("unsupported"), "{cases}");
    }
    let in_smoke: Vec<String> = parsed("smoke").models.iter().map(|model| model.name.as_ref().clone()).collect();
    let registered: Vec<&str> =
        bakeoff_models::ENTRIES.iter().map(|entry| entry.name()).filter(|name| *name != NEEDS_A_DOWNLOAD).collect();
    assert_eq!(in_smoke, registered, "harness/suites/smoke.toml has every other model, in the order of ENTRIES");
    let (paper, parsed_paper) = (run("paper"), parsed("paper"));
    let cases = parsed_paper.tasks.len() * parsed_paper.models.len() * parsed_paper.seeds.as_ref().len();
    assert_eq!(paper.lines().count(), cases, "{paper}");
    let unsupported: Vec<&str> = paper.lines().filter(|line| line.contains("unsupported")).collect();
    assert!(unsupported.iter().all(|line| line.contains(".svm.") && line.contains("bytes")), "{unsupported:#?}");
    // The kernel of six tasks is too large, for each of five seeds.
    assert_eq!(unsupported.len(), 30, "{unsupported:#?}");
    let quick = parsed("quick");
    assert!(*quick.latency_examples.as_ref() >= 200 && *quick.memory_limit_gib.as_ref() <= 1.5);
    assert_eq!(*quick.jobs.as_ref(), 1);
    for suite in suites_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("suites")) {
        // Users' data, Fashion-MNIST and the environment of the peers are not here.
        let needs_more = ["own-data", "fashion-mnist", "peers"].contains(&suite.file_stem().unwrap().to_str().unwrap());
        assert!(needs_more || !run(suite.to_str().unwrap()).is_empty(), "{}", suite.display());
    }
    for (suite, case) in [
        ("example", "cifar10.resnet-20.n2000.s2.cpu"),
        ("solvers", "cifar10.svm-linfa.n2000.s1.cpu"),
        ("full-data", "sst2-full.lstm.n67349.s1.cpu"),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("suites/{suite}.toml"));
        assert!(run(path.to_str().unwrap()).contains(case), "{suite}");
    }
}

/// What the program itself answers when it shows the cases of a suite.
fn planned(suite: &str, arguments: &[&str]) -> std::process::Output {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_bakeoff"));
    program.args([&["run", suite, "--list"], arguments].concat()).output().unwrap()
}

#[test]
fn a_build_without_wgpu_says_how_to_run_the_suites_of_devices() {
    for suite in ["devices", "devices-quick"] {
        let named: Vec<String> = {
            let parsed = bakeoff::suite::Source::find(suite).unwrap().parse().unwrap();
            let devices = parsed.devices.iter().flat_map(|devices| devices.as_ref().iter());
            devices.map(|device| device.as_ref().clone()).collect()
        };
        assert_eq!(named, ["cpu", "wgpu"], "{suite}");
        if cfg!(feature = "wgpu") {
            continue;
        }
        let output = planned(suite, &[]);
        exits(&output, 2);
        let said = stderr(&output);
        assert!(said.contains("built without wgpu") && said.contains("--features wgpu"), "{suite}: {said}");
    }
}

/// The model whose weights are in no program.
const NEEDS_A_DOWNLOAD: &str = "encoder";

/// The suite files in a folder and in the folders in it.
fn suites_in(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { suites_in(&path) } else { vec![path] }).collect()
}
