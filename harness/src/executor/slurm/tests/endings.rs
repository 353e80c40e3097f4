//! How tasks end, and what becomes of their cases.

use std::fs;

use bakeoff_reports::Status;

use super::made_up::Bench;
use super::{delivers, suite, takes};

#[test]
fn a_task_that_slurm_sends_back_to_the_queue_after_its_outcome_does_not_stay_there() {
    let bench = Bench::new(&suite(2, ""));
    let gave = bench.run(100, takes, |arrays| {
        arrays[0].deliver_all();
        Ok(arrays[0].lines("PENDING", "launch failed requeued held"))
    });
    gave.all_ok(2);
    assert_eq!(*bench.cancelled.lock().unwrap(), ["100_0", "100_1"]);
}

#[test]
fn tasks_of_a_lost_node_are_submitted_again() {
    for state in ["NODE_FAIL", "PREEMPTED"] {
        let bench = Bench::new(&suite(3, ""));
        let mut polls = 0;
        let gave = bench.run(100, takes, move |arrays| {
            polls += 1;
            let [first, ..] = arrays else { return Ok(Vec::new()) };
            if first.job != "100" {
                return delivers(arrays);
            }
            // One task has delivered, one runs, and one is lost.
            first.deliver(0);
            let last = if polls > 3 {
                first.deliver(2);
                "COMPLETED"
            } else {
                "RUNNING"
            };
            let mut lines =
                vec![first.line(0, "COMPLETED", "None"), first.line(1, state, "None"), first.line(2, last, "None")];
            if let Some(second) = arrays.get(1) {
                second.deliver(0);
                lines.extend(second.lines("COMPLETED", "None"));
            }
            Ok(lines)
        });
        gave.all_ok(3);
        assert_eq!(bench.sizes(), ["0-2", "0-0"], "{state}");
        assert!(
            gave.said.iter().any(|text| text.contains("was lost") && text.contains("submitted again")),
            "{:?}",
            gave.said
        );
    }
}

#[test]
fn a_case_that_is_lost_every_time_is_a_failed_row_that_says_nothing_of_its_parameters() {
    let bench = Bench::new(&suite(1, ""));
    let gave =
        bench.run(100, takes, |arrays| Ok(arrays.iter().flat_map(|array| array.lines("NODE_FAIL", "None")).collect()));
    assert_eq!(bench.sizes().len(), 3);
    let (_, status, note) = &gave.cases[0];
    assert_eq!(*status, Status::Failed);
    assert_eq!(note, "the case's task ended without a result: its node failed on node n7; it was submitted 3 times");
    assert!(crate::outcome::is_stop_from_outside(note));
}

#[test]
fn a_task_that_slurm_sends_back_to_the_queue_is_waited_for() {
    let bench = Bench::new(&suite(1, ""));
    let mut polls = 0;
    let gave = bench.run(100, takes, move |arrays| {
        polls += 1;
        match polls {
            1 => Ok(arrays[0].lines("RUNNING", "None")),
            2 => Ok(arrays[0].lines("PENDING", "BeginTime")),
            _ => delivers(arrays),
        }
    });
    gave.all_ok(1);
    assert_eq!(bench.sizes(), ["0-0"]);
}

#[test]
fn how_slurm_ended_a_task_is_how_its_case_ended() {
    for (state, status, note) in [
        ("CANCELLED", Status::Failed, "the case's task ended without a result: it was cancelled in Slurm on node n7"),
        ("TIMEOUT", Status::TimedOut, "at the time limit of the task: raise time in [slurm]"),
        ("OUT_OF_MEMORY", Status::OutOfMemory, "raise memory_limit_gib in the suite"),
        ("FAILED", Status::Failed, "it failed on node n7; its last output: no such library"),
    ] {
        let bench = Bench::new(&suite(1, ""));
        let gave = bench.run(100, takes, move |arrays| {
            fs::write(arrays[0].folder.log_path(0), "no such library\n").unwrap();
            Ok(arrays[0].lines(state, "None"))
        });
        assert!(gave.result.is_ok(), "{:?}", gave.result);
        assert_eq!(gave.cases[0].1, status, "{state}");
        assert!(gave.cases[0].2.contains(note), "{state}: {}", gave.cases[0].2);
        assert_eq!(bench.sizes().len(), 1, "{state}: it is not submitted again");
    }
}

#[test]
fn a_task_that_slurm_has_forgotten_is_judged_by_the_accounts_or_else_is_lost() {
    let bench = Bench::new(&suite(10, ""));
    let gave = bench.run(100, takes, |arrays| {
        let lost = arrays[0].job == "100";
        if lost { Ok(Vec::new()) } else { delivers(arrays) }
    });
    let timed_out: Vec<usize> = (0..10).filter(|at| gave.cases[*at].1 == Status::TimedOut).collect();
    assert_eq!(timed_out, [9], "the accounts know the last one");
    assert_eq!(gave.statuses().iter().filter(|status| **status == Status::Ok).count(), 9);
    assert_eq!(bench.sizes(), ["0-9", "0-8"]);
}

#[test]
fn an_outcome_that_the_shared_file_system_shows_late_counts() {
    let bench = Bench::new(&suite(1, "").replace("settle_s = 0", "settle_s = 60"));
    let mut polls = 0;
    let gave = bench.run(100, takes, move |arrays| {
        polls += 1;
        if polls > 3 {
            arrays[0].deliver_all();
        }
        Ok(arrays[0].lines("COMPLETED", "None"))
    });
    gave.all_ok(1);
    assert_eq!(bench.sizes().len(), 1);
}

#[test]
fn an_outcome_that_cannot_be_read_is_measured_again() {
    let bench = Bench::new(&suite(1, ""));
    let gave = bench.run(100, takes, |arrays| {
        let array = arrays.last().unwrap();
        if array.job == "100" {
            fs::write(array.folder.outcome_path(0), "{\"format\": 1").unwrap();
        } else {
            array.deliver_all();
        }
        Ok(array.lines("COMPLETED", "None"))
    });
    gave.all_ok(1);
    assert!(gave.said.iter().any(|text| text.contains("cannot be used: EOF")), "{:?}", gave.said);
}
