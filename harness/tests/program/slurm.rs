//! Runs on Slurm: the same rows as here, whatever happens to tasks, nodes and the program itself.
//!
//! Every scenario runs on a made-up Slurm (`slurm/fake-slurm`). Those named `on_a_real_slurm_…` want a real one, and are ignored without:
//!
//! ```text
//! scripts/slurm-one-node cargo test --workspace --test program -- --ignored --test-threads=1 on_a_real_slurm
//! ```
#![cfg(target_os = "linux")]

mod faults;
mod real;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use bakeoff_reports::{History, Nodes, Record, RunDir};

use crate::common::{Bench, endings, exits, stderr, stdout};
use crate::faults::{wait_until, without_times};

/// Which Slurm a scenario runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cluster {
    MadeUp,
    Real,
}

/// A bench whose program finds a Slurm.
struct OnSlurm {
    bench: Bench,
    cluster: Cluster,
}

/// Settings with which tests do not wait long.
const HASTY: &str = "poll_s = 0.2\nsettle_s = 2\n";

impl OnSlurm {
    fn new(cluster: Cluster) -> OnSlurm {
        let bench = Bench::new();
        if cluster == Cluster::Real {
            assert!(std::env::var_os("SLURM_CONF").is_some(), "run it with scripts/slurm-one-node");
            return OnSlurm { bench, cluster };
        }
        fs::create_dir_all(bench.path("bin")).unwrap();
        fs::create_dir_all(bench.path("state")).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/program/slurm/fake-slurm");
        for command in ["sbatch", "squeue", "scancel", "scontrol", "sacct"] {
            symlink(script, bench.path("bin").join(command)).unwrap();
        }
        OnSlurm { bench, cluster }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.bench.path(name)
    }

    fn on(&self, mut command: Command) -> Command {
        if self.cluster == Cluster::MadeUp {
            let bin = self.bench.path("bin").display().to_string();
            let path = std::env::var("PATH").unwrap();
            command.env("PATH", format!("{bin}:{path}")).env("FAKE_SLURM", self.bench.path("state"));
        }
        command
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.on(self.bench.command(arguments))
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts a run of `suite.toml` in the background.
    fn start(&self) -> Child {
        let mut command = self.command(&["run", "suite.toml", "--executor", "slurm", "--out", "out"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// What a command of Slurm prints.
    fn slurm(&self, command: &str, arguments: &[&str]) -> String {
        let mut command = self.on(Command::new(command));
        if self.cluster == Cluster::MadeUp {
            command = self.on(Command::new(self.bench.path("bin").join(command.get_program())));
        }
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    }

    /// The arrays of the run that were submitted and are not over.
    fn jobs(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("out/slurm")).into_iter().flatten().flatten();
        entries.filter_map(|entry| fs::read_to_string(entry.path().join("job")).ok()).collect()
    }

    /// Waits until a task of the run has begun.
    fn wait_for_a_task(&self) {
        wait_until("a task that runs", || {
            let jobs = self.jobs().join(",");
            !jobs.is_empty()
                && self
                    .slurm(
                        "squeue",
                        &["--noheader", "--states=all", &format!("--jobs={jobs}"), "--format=%F|%K|%T|%r|%N"],
                    )
                    .contains("|RUNNING|")
        });
        // Its case has begun too.
        wait_until("a case that is under way", || {
            fs::read_dir(self.path("out/slurm/work")).is_ok_and(|mut work| work.next().is_some())
        });
    }

    fn statuses(&self, run: &str) -> Vec<(String, String)> {
        endings(&self.path(run)).into_iter().map(|(_, status, note)| (status, note)).collect()
    }

    /// Writes a suite of two models on two tasks and three seeds, each of which takes a while; `slurm` are lines of its table.
    fn slow_suite(&self, slurm: &str) {
        let text = format!(
            "name = \"slow\"\nseeds = [1, 2, 3]\nthreads = 1\nmemory_limit_gib = 0.5\ncheckpoint_s = 0\n[slurm]\n{HASTY}{slurm}\n\
             [[task]]\nname = \"parity\"\n[[task]]\nname = \"number\"\n\
             [[model]]\nname = \"nearly\"\nparams = {{ epochs = 10, pause_s = 0.2 }}\n"
        );
        self.bench.write("suite.toml", &text);
    }

    /// The rows of the same suite without Slurm.
    fn undisturbed(&self) {
        exits(&self.bench.run(&["run", "suite.toml", "--out", "whole"]), 0);
    }

    /// The rows of a run without times, and without the remark that a fit had several parts.
    fn rows(&self, run: &str) -> Vec<Record> {
        let mut rows = without_times(&self.path(run));
        rows.iter_mut().filter(|row| row.metric == "fit_s").for_each(|row| row.note.clear());
        rows
    }

    #[track_caller]
    fn has_the_rows_of_an_undisturbed_run(&self) {
        assert_eq!(self.rows("out"), self.rows("whole"));
        assert!(self.path("out/report.html").exists());
        assert!(!self.path("out/slurm").exists(), "nothing of the tasks is left");
    }
}

/// Writes a suite with every kind of row: searched parameters, a kept model, cases that fail, and one that no model can do.
fn suite_of_all_kinds(bench: &Bench) {
    let text = format!(
        "name = \"kinds\"\nthreads = 1\ntimeout_s = 20\nmemory_limit_gib = 0.5\nkeep_models = true\n[slurm]\n{HASTY}[search]\ntrials = 3\n\
         [[task]]\nname = \"parity\"\n[[task]]\nname = \"number\"\n\
         [[model]]\nname = \"nearly\"\n[[model]]\nname = \"tunable\"\n[[model]]\nname = \"classes-only\"\ntasks = [\"number\"]\n\
         [[model]]\nname = \"panics\"\ntasks = [\"parity\"]\n"
    );
    bench.write("suite.toml", &text);
}

fn gives_the_same_rows(cluster: Cluster) {
    let on = OnSlurm::new(cluster);
    suite_of_all_kinds(&on.bench);
    exits(&on.bench.run(&["run", "suite.toml", "--out", "whole"]), 3);
    let output = on.run(&["run", "suite.toml", "--executor", "slurm", "--out", "out"]);
    exits(&output, 3);
    let (mut here, mut there) = (without_times(&on.path("whole")), without_times(&on.path("out")));
    for row in here.iter_mut().chain(&mut there) {
        if row.status.to_string() == "unsupported" {
            // Nobody measured it, so on Slurm it is of no machine.
            (row.machine, row.device_name) = (String::new(), String::new());
        }
        // A failed case says on which node.
        row.note.truncate(row.note.find("; on node ").unwrap_or(row.note.len()));
    }
    assert_eq!(there, here);
    for model in ["parity.nearly.n60.s1.cpu", "number.tunable.n60.s1.cpu"] {
        let file = format!("models/{model}/fake.json");
        let read = |run: &str| fs::read(on.path(run).join(&file)).unwrap();
        assert_eq!(read("out"), read("whole"));
    }
    let said = stderr(&output);
    assert!(said.contains("note: Slurm has taken"), "{said}");
    assert!(!on.path("out/slurm").exists() && on.path("out/report.html").exists());
    let report = fs::read_to_string(on.path("out/report.md")).unwrap();
    assert!(!report.contains("were measured on 2 machines"), "{report}");
}

#[test]
fn a_run_on_slurm_gives_the_rows_of_a_run_here() {
    gives_the_same_rows(Cluster::MadeUp);
}

#[test]
fn rows_name_the_machine_that_measured_and_the_report_is_of_that_one() {
    let on = OnSlurm::new(Cluster::MadeUp);
    let text = format!(
        "name = \"x\"\nthreads = 1\n[slurm]\n{HASTY}[[task]]\nname = \"number\"\n[[model]]\nname = \"nearly\"\n[[model]]\nname = \"classes-only\"\n"
    );
    on.bench.write("suite.toml", &text);
    let mut command = on.command(&["run", "suite.toml", "--executor", "slurm", "--out", "out"]);
    exits(&command.env("FAKE_WORKER_CPU", "Node 7000").output().unwrap(), 0);
    let info = bakeoff_reports::RunDir::new(on.path("out")).info().unwrap();
    assert_eq!((info.machine.cpu.as_str(), info.devices[0].name.as_str()), ("Node 7000", "Node 7000"));
    for row in crate::common::records(&on.path("out")) {
        let expected = if row.model == "nearly" { info.machine.fingerprint.as_str() } else { "" };
        assert_eq!(row.machine, expected, "{}", row.case);
    }
    let report = fs::read_to_string(on.path("out/report.md")).unwrap();
    assert!(report.contains("Node 7000") && !report.contains("2 machines"), "{report}");
}

#[test]
fn every_machine_that_measured_is_described_and_a_history_keeps_them_apart() {
    let on = OnSlurm::new(Cluster::MadeUp);
    let text = format!(
        "name = \"x\"\nthreads = 1\nseeds = [1, 2, 3]\n[slurm]\n{HASTY}[[task]]\nname = \"number\"\n[[model]]\nname = \"nearly\"\n"
    );
    on.bench.write("suite.toml", &text);
    // Tasks 0 and 2 run on one kind of node, and task 1 on another.
    let sh = "#!/bin/bash\nexport FAKE_WORKER_CPU=\"Node $((SLURM_ARRAY_TASK_ID % 2))\"\nexec /bin/sh \"$@\"\n";
    let sh = on.bench.write("bin/sh", sh);
    assert!(Command::new("chmod").arg("+x").arg(sh).status().unwrap().success());
    exits(&on.run(&["run", "suite.toml", "--executor", "slurm", "--out", "out"]), 0);
    let nodes = Nodes::read(&RunDir::new(on.path("out"))).unwrap();
    let cpus: BTreeSet<&str> = nodes.all().iter().map(|node| node.machine.cpu.as_str()).collect();
    assert_eq!(cpus, BTreeSet::from(["Node 0", "Node 1"]));
    let report = fs::read_to_string(on.path("out/report.md")).unwrap();
    assert!(report.contains("were measured on 2 machines"), "{report}");
    assert!(cpus.iter().all(|cpu| report.contains(cpu)), "{report}");

    let added = on.run(&["history", "add", "perf", "out"]);
    exits(&added, 0);
    let said = format!("{}{}", stdout(&added), stderr(&added));
    assert!(said.contains("These cells were measured on several classes of machines: nearly on number"), "{said}");
    let shown = on.run(&["history", "show", "perf"]);
    exits(&shown, 0);
    let history = History::read(&on.path("perf")).unwrap();
    let fits = history.series.iter().filter(|series| series.key.quantity.metric == "fit_s");
    let kept: BTreeSet<(&str, &str)> =
        fits.map(|series| (series.key.cell.machine.cpu.as_str(), series.key.cell.trials.as_str())).collect();
    assert_eq!(kept, BTreeSet::from([("Node 0", "s1 s3"), ("Node 1", "s2")]));
}

#[test]
fn the_suite_can_name_slurm_and_the_command_line_another_executor() {
    let on = OnSlurm::new(Cluster::MadeUp);
    let text = format!(
        "name = \"x\"\nexecutor = \"slurm\"\nthreads = 1\n[slurm]\n{HASTY}[[task]]\nname = \"number\"\n[[model]]\nname = \"nearly\"\n"
    );
    on.bench.write("suite.toml", &text);
    exits(&on.run(&["run", "suite.toml", "--out", "there"]), 0);
    assert!(on.path("state/1.sh").exists());
    for (out, here) in [("one", &["--executor", "process"][..]), ("two", &["--inline"])] {
        exits(&on.run(&[&["run", "suite.toml", "--out", out], here].concat()), 0);
    }
    assert!(!on.path("state/2.sh").exists());
    let output = on.run(&["run", "suite.toml", "--executor", "slurmm"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("possible values: process, slurm"), "{}", stderr(&output));
}

#[test]
fn a_dry_run_prints_the_scripts_and_submits_nothing() {
    let on = OnSlurm::new(Cluster::MadeUp);
    let text = "name = \"x\"\nseeds = [1, 2, 3, 4]\nthreads = 2\n[slurm]\npartition = \"long\"\ntime = \"2:00:00\"\nextra = [\"--exclusive\"]\n\
                [search]\ntrials = 1\n[[task]]\nname = \"number\"\n[[model]]\nname = \"nearly\"\n[[model]]\nname = \"tunable\"\n";
    on.bench.write("suite.toml", text);
    let output = on.run(&["run", "suite.toml", "--executor", "slurm", "--dry-run", "--out", "/shared/run"]);
    exits(&output, 0);
    insta::assert_snapshot!(format!("{}---\n{}", stdout(&output), stderr(&output)));
    assert!(!on.path("state/1.sh").exists());
    let output = on.run(&["run", "suite.toml", "--dry-run"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("add --executor slurm"), "{}", stderr(&output));
    let output = on
        .bench
        .command(&["run", "suite.toml", "--executor", "slurm", "--dry-run"])
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    exits(&output, 0);
    assert!(stderr(&output).contains("An array is taken to have 1001 tasks at most"), "{}", stderr(&output));
}
