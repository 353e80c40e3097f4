//! The scenarios on a real Slurm, which `scripts/slurm-one-node` starts, and those that only a real one has.

use std::time::{Duration, Instant};

use super::{Cluster, OnSlurm, faults};
use crate::common::{exits, stderr};

#[test]
#[ignore = "wants a Slurm: scripts/slurm-one-node cargo test --workspace --test program -- --ignored --test-threads=1 on_a_real_slurm"]
fn on_a_real_slurm_a_run_gives_the_rows_of_a_run_here() {
    super::gives_the_same_rows(Cluster::Real);
}

#[test]
#[ignore = "wants a Slurm: scripts/slurm-one-node cargo test --workspace --test program -- --ignored --test-threads=1 on_a_real_slurm"]
fn on_a_real_slurm_an_unknown_partition_is_refused_before_anything_is_made() {
    faults::refuses_the_partition(Cluster::Real);
}

#[test]
#[ignore = "wants a Slurm: scripts/slurm-one-node cargo test --workspace --test program -- --ignored --test-threads=1 on_a_real_slurm"]
fn on_a_real_slurm_ctrl_c_cancels_the_tasks_and_resume_ends_the_run() {
    faults::ctrl_c(Cluster::Real);
}

#[test]
#[ignore = "wants a Slurm: scripts/slurm-one-node cargo test --workspace --test program -- --ignored --test-threads=1 on_a_real_slurm"]
fn on_a_real_slurm_a_killed_program_leaves_its_tasks_at_work_and_resume_takes_what_they_give() {
    faults::dead_parent(Cluster::Real);
}

#[test]
#[ignore = "wants a Slurm: scripts/slurm-one-node cargo test --workspace --test program -- --ignored --test-threads=1 on_a_real_slurm"]
fn on_a_real_slurm_a_cancelled_task_is_a_failed_row_and_resume_measures_it_again() {
    faults::scancel(Cluster::Real);
}

#[test]
#[ignore = "wants a Slurm: scripts/slurm-one-node cargo test --workspace --test program -- --ignored --test-threads=1 on_a_real_slurm"]
fn on_a_real_slurm_the_limits_of_a_case_hold_on_its_node() {
    faults::limits(Cluster::Real);
}

#[test]
#[ignore = "wants a Slurm: scripts/slurm-one-node cargo test --workspace --test program -- --ignored --test-threads=1 on_a_real_slurm"]
fn on_a_real_slurm_a_partition_that_is_down_ends_the_run_in_time() {
    let on = OnSlurm::new(Cluster::Real);
    on.slow_suite("partition = \"down\"\nstart_within_s = 5\n");
    let output = on.run(&["run", "suite.toml", "--executor", "slurm", "--out", "out"]);
    exits(&output, 1);
    assert!(stderr(&output).contains("Slurm says PartitionDown"), "{}", stderr(&output));
}

#[test]
#[ignore = "wants a Slurm: scripts/slurm-one-node cargo test --workspace --test program -- --ignored --test-threads=1 on_a_real_slurm"]
fn on_a_real_slurm_a_task_that_is_too_long_for_its_partition_ends_the_run_at_once() {
    let on = OnSlurm::new(Cluster::Real);
    on.slow_suite("partition = \"short\"\n");
    let begun = Instant::now();
    let output = on.run(&["run", "suite.toml", "--executor", "slurm", "--out", "out"]);
    exits(&output, 1);
    let said = stderr(&output);
    assert!(said.contains("Slurm will start no task of this run: PartitionTimeLimit"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(60 * 60), "it does not wait for a day");
}

#[test]
#[ignore = "wants a Slurm: scripts/slurm-one-node cargo test --workspace --test program -- --ignored --test-threads=1 on_a_real_slurm"]
fn on_a_real_slurm_preempted_tasks_go_back_to_the_queue_and_the_run_ends_whole() {
    let on = OnSlurm::new(Cluster::Real);
    on.slow_suite("");
    on.undisturbed();
    let run = on.start();
    on.wait_for_a_task();
    // All processors for a job that comes first.
    on.slurm("sbatch", &["--partition=urgent", "--cpus-per-task=4", "--output=/dev/null", "--wrap=sleep 3"]);
    let output = run.wait_with_output().unwrap();
    exits(&output, 0);
    on.has_the_rows_of_an_undisturbed_run();
}

#[test]
#[ignore = "wants a Slurm: scripts/slurm-one-node cargo test --workspace --test program -- --ignored --test-threads=1 on_a_real_slurm"]
fn on_a_real_slurm_a_node_that_goes_down_costs_nothing_but_time() {
    let on = OnSlurm::new(Cluster::Real);
    on.slow_suite("");
    on.undisturbed();
    let run = on.start();
    on.wait_for_a_task();
    let node = on.slurm("sinfo", &["--noheader", "--partition=main", "--format=%n"]);
    let node = format!("NodeName={}", node.trim());
    on.slurm("scontrol", &["update", &node, "State=DOWN", "Reason=test"]);
    std::thread::sleep(Duration::from_secs(2));
    // It may have come back by itself, and then it cannot be resumed.
    let _ = std::process::Command::new("scontrol").args(["update", &node, "State=RESUME"]).output();
    let output = run.wait_with_output().unwrap();
    exits(&output, 0);
    on.has_the_rows_of_an_undisturbed_run();
}
