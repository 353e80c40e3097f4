//! What goes wrong on a cluster: no Slurm, refusals, tasks that end too early or never begin, and a program that is killed.

use std::fs;
use std::process::Command;

use super::{Cluster, HASTY, OnSlurm};
use bakeoff_reports::Record;

use crate::common::{exits, records, stderr, stdout};
use crate::faults::{signal, wait_until};

#[test]
fn without_slurm_the_run_is_refused_before_anything_is_made() {
    let on = OnSlurm::new(Cluster::MadeUp);
    on.slow_suite("");
    let mut command = on.bench.command(&["run", "suite.toml", "--executor", "slurm", "--out", "out"]);
    let output = command.env("PATH", "/nowhere").output().unwrap();
    exits(&output, 2);
    let said = stderr(&output);
    assert!(
        said.contains("Slurm is not installed on this machine, or not in PATH: there is no command scontrol"),
        "{said}"
    );
    assert!(!on.path("out").exists());
}

#[test]
fn a_partition_that_slurm_does_not_know_is_refused_before_anything_is_made() {
    refuses_the_partition(Cluster::MadeUp);
}

pub(super) fn refuses_the_partition(cluster: Cluster) {
    let on = OnSlurm::new(cluster);
    on.slow_suite("partition = \"nope\"\n");
    let output = on.run(&["run", "suite.toml", "--executor", "slurm", "--out", "out"]);
    exits(&output, 2);
    let said = stderr(&output);
    assert!(said.contains("Slurm refuses the tasks of this run: sbatch: invalid partition specified: nope"), "{said}");
    assert!(said.contains("[slurm] of the suite says what they ask for"), "{said}");
    assert!(!on.path("out").exists());
}

#[test]
fn a_path_that_slurm_does_not_take_is_refused_before_anything_is_made() {
    let on = OnSlurm::new(Cluster::MadeUp);
    on.slow_suite("");
    for name in ["two\nlines", "back\\slash"] {
        let output = on.run(&["run", "suite.toml", "--executor", "slurm", "--out", name]);
        exits(&output, 2);
        let said = stderr(&output);
        assert!(said.contains("a character that Slurm does not take") && said.contains("give --out another"), "{said}");
        assert!(!on.path(name).exists());
    }
}

#[test]
fn what_a_killed_program_leaves_of_its_tasks_is_removed_when_all_cases_are_done() {
    let on = OnSlurm::new(Cluster::MadeUp);
    on.slow_suite("");
    exits(&on.run(&["run", "suite.toml", "--executor", "slurm", "--out", "out"]), 0);
    assert!(!on.path("out/slurm").exists());
    // It was killed between its last row and its end.
    fs::create_dir_all(on.path("out/slurm/1-abcdef")).unwrap();
    on.bench.write("out/slurm/1-abcdef/cases.jsonl", "");
    exits(&on.run(&["resume", "out"]), 5);
    assert!(!on.path("out/slurm").exists());
}

#[test]
fn ctrl_c_cancels_the_tasks_and_resume_ends_with_the_rows_of_an_undisturbed_run() {
    ctrl_c(Cluster::MadeUp);
}

pub(super) fn ctrl_c(cluster: Cluster) {
    let on = OnSlurm::new(cluster);
    on.slow_suite("");
    on.undisturbed();
    let run = on.start();
    let checkpoints = || fs::read_dir(on.path("out/slurm/work/checkpoints")).into_iter().flatten().flatten();
    wait_until("a checkpoint", || checkpoints().any(|file| !file.file_name().to_string_lossy().starts_with('.')));
    signal(&run, "-INT");
    let output = run.wait_with_output().unwrap();
    exits(&output, 130);
    assert!(stderr(&output).contains("the run is stopped: Slurm was told to end its array job"), "{}", stderr(&output));
    assert!(stdout(&output).contains("to go on: bakeoff resume out"), "{}", stdout(&output));
    let output = on.run(&["resume", "out", "--executor", "slurm"]);
    exits(&output, 0);
    on.has_the_rows_of_an_undisturbed_run();
    let rows = records(&on.path("out"));
    let goes_on = |row: &&Record| row.metric == "fit_s" && row.note.starts_with("in 2 parts");
    assert!(rows.iter().any(|row| goes_on(&row)), "a fit goes on from its checkpoint");
}

#[test]
fn a_killed_program_leaves_its_tasks_at_work_and_resume_takes_what_they_give() {
    dead_parent(Cluster::MadeUp);
}

pub(super) fn dead_parent(cluster: Cluster) {
    let on = OnSlurm::new(cluster);
    on.slow_suite("");
    on.undisturbed();
    let mut run = on.start();
    on.wait_for_a_task();
    signal(&run, "-KILL");
    run.wait().unwrap();
    let jobs = on.jobs();
    let elsewhere = on.run(&["resume", "out", "--executor", "process"]);
    exits(&elsewhere, 2);
    assert!(stderr(&elsewhere).contains("tasks on Slurm may be at work on out"), "{}", stderr(&elsewhere));
    let output = on.run(&["resume", "out", "--executor", "slurm"]);
    exits(&output, 0);
    let said = stderr(&output);
    let number = said.split(" of an earlier start of this run").next().unwrap().rsplit(' ').nth(1).unwrap();
    let adopted: usize = number.parse().unwrap();
    assert!(adopted > 0 && !jobs.is_empty(), "{said}");
    // What was submitted before is not submitted again.
    let taken =
        said.split("Slurm has taken ").skip(1).map(|rest| rest.split(' ').next().unwrap().parse::<usize>().unwrap());
    assert_eq!(taken.sum::<usize>() + adopted, 6, "{said}");
    on.has_the_rows_of_an_undisturbed_run();
}

#[test]
fn a_cancelled_task_is_a_failed_row_and_resume_measures_it_again() {
    scancel(Cluster::MadeUp);
}

pub(super) fn scancel(cluster: Cluster) {
    let on = OnSlurm::new(cluster);
    on.slow_suite("");
    on.undisturbed();
    let run = on.start();
    on.wait_for_a_task();
    let job = on.jobs().remove(0);
    on.slurm("scancel", &[&job]);
    let output = run.wait_with_output().unwrap();
    exits(&output, 3);
    let cancelled: Vec<(String, String)> =
        on.statuses("out").into_iter().filter(|(_, note)| note.contains("it was cancelled in Slurm")).collect();
    assert!(!cancelled.is_empty() && cancelled.iter().all(|(status, _)| status == "failed"), "{cancelled:?}");
    exits(&on.run(&["resume", "out", "--executor", "slurm"]), 0);
    on.has_the_rows_of_an_undisturbed_run();
}

#[test]
fn the_limits_of_a_case_hold_on_its_node() {
    limits(Cluster::MadeUp);
}

pub(super) fn limits(cluster: Cluster) {
    let on = OnSlurm::new(cluster);
    let text = format!(
        "name = \"x\"\nthreads = 1\ntimeout_s = 2\nmemory_limit_gib = 0.25\n[slurm]\n{HASTY}[[task]]\nname = \"number\"\n\
         [[model]]\nname = \"nearly\"\n[[model]]\nname = \"never-ends\"\n[[model]]\nname = \"eats-memory\"\n[[model]]\nname = \"is-killed\"\n"
    );
    on.bench.write("suite.toml", &text);
    let output = on.run(&["run", "suite.toml", "--executor", "slurm", "--out", "out"]);
    exits(&output, 3);
    let ended = on.statuses("out");
    for ((status, note), (expected, part)) in ended.iter().zip([
        ("ok", ""),
        ("timed-out", "did not end within 2 s"),
        ("out-of-memory", "over the limit of 0.25"),
        ("failed", "signal 9"),
    ]) {
        assert!(status == expected && note.contains(part), "{ended:?}");
        assert!(status == "ok" || note.contains("; on node "), "{ended:?}");
    }
}

#[test]
fn tasks_that_do_not_start_in_time_end_the_run_and_resume_goes_on() {
    let on = OnSlurm::new(Cluster::MadeUp);
    on.slow_suite("start_within_s = 1\n");
    on.undisturbed();
    fs::write(on.path("state/waits"), "PartitionDown").unwrap();
    let output = on.run(&["run", "suite.toml", "--executor", "slurm", "--out", "out"]);
    exits(&output, 1);
    let said = stderr(&output);
    assert!(said.contains("0 run; in the queue of Slurm wait 6 tasks (PartitionDown)"), "{said}");
    assert!(said.contains("no task of this run has started within 1 s"), "{said}");
    assert!(said.contains("Slurm says PartitionDown") && said.contains("bakeoff resume out"), "{said}");
    fs::remove_file(on.path("state/waits")).unwrap();
    exits(&on.run(&["resume", "out", "--executor", "slurm"]), 0);
    on.has_the_rows_of_an_undisturbed_run();
}

#[test]
fn a_full_queue_is_said_and_waited_for() {
    let on = OnSlurm::new(Cluster::MadeUp);
    on.slow_suite("");
    on.undisturbed();
    let full = on.bench.write("state/full", "");
    let run = on.start();
    wait_until("the run", || on.path("out/slurm").exists());
    std::thread::sleep(std::time::Duration::from_secs(1));
    fs::remove_file(full).unwrap();
    let output = run.wait_with_output().unwrap();
    exits(&output, 0);
    let said = stderr(&output);
    assert_eq!(said.matches("Slurm takes no more tasks now: sbatch: Batch job submission failed").count(), 1, "{said}");
    on.has_the_rows_of_an_undisturbed_run();
}

#[test]
fn a_task_whose_program_does_not_run_is_a_failed_row_with_its_log() {
    let on = OnSlurm::new(Cluster::MadeUp);
    on.slow_suite("");
    let sh = on.bench.write("bin/sh", "#!/bin/bash\necho \"sh: exec: bakeoff: not found\"\nexit 127\n");
    assert!(Command::new("chmod").arg("+x").arg(sh).status().unwrap().success());
    let output = on.run(&["run", "suite.toml", "--executor", "slurm", "--out", "out"]);
    exits(&output, 3);
    for (status, note) in on.statuses("out") {
        let expected = "the case's task ended without a result: it failed on node n1; its last output: sh: exec: bakeoff: not found";
        assert_eq!((status.as_str(), note.as_str()), ("failed", expected));
    }
}

#[test]
fn the_hidden_worker_of_a_task_says_that_it_is_for_slurm() {
    let on = OnSlurm::new(Cluster::MadeUp);
    let output = on.run(&["worker", "--array", "."]);
    exits(&output, 2);
    assert!(stderr(&output).contains("Slurm starts it, with SLURM_ARRAY_TASK_ID"), "{}", stderr(&output));
}

#[cfg(feature = "wgpu")]
#[test]
fn a_node_without_the_card_of_a_case_is_a_failed_row_and_a_node_with_it_measures() {
    let on = OnSlurm::new(Cluster::MadeUp);
    let text = format!(
        "name = \"cards\"\nthreads = 1\nmemory_limit_gib = 0.5\ndevices = [\"cpu\", \"wgpu\"]\n[slurm]\n{HASTY}\n\
         [[task]]\nname = \"parity\"\n[[model]]\nname = \"nearly\"\n"
    );
    on.bench.write("suite.toml", &text);
    // The machine that submits has no card, and need not have one.
    exits(&on.run(&["run", "suite.toml", "--executor", "slurm", "--out", "out"]), 3);
    let [(of_cpu, _), (of_card, why)] = &on.statuses("out")[..] else { panic!("two cases") };
    assert_eq!((of_cpu.as_str(), of_card.as_str()), ("ok", "failed"));
    assert!(why.starts_with("its node has no device wgpu: the fake machine has no such card"), "{why}");
    assert!(why.contains("[slurm] gres asks for nodes with cards"), "{why}");
    let mut command = on.command(&["resume", "out"]);
    exits(&command.env("FAKE_CARDS", "wgpu=0000:01:00.0").output().unwrap(), 0);
    let rows = records(&on.path("out"));
    let row = rows.iter().find(|row| row.device == "wgpu" && row.metric == "fit_s").unwrap();
    assert_eq!(row.device_name, "Fake Card");
}
