//! A cluster that is full, silent, or starts nothing.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bakeoff_reports::Status;

use super::made_up::{Array, Bench};
use super::{after, delivers, suite, takes};
use crate::executor::slurm::cluster::Refusal;

#[test]
fn a_full_queue_takes_fewer_tasks_and_the_rest_when_there_is_room() {
    let bench = Bench::new(&suite(7, ""));
    let in_queue = Arc::new(Mutex::new(0));
    let (taken, ended) = (Arc::clone(&in_queue), Arc::clone(&in_queue));
    let submit = move |array: &Array| {
        let mut in_queue = taken.lock().unwrap();
        if *in_queue + array.requests().len() > 3 {
            return Err(Refusal::Full("Job violates accounting/QOS policy".to_owned()));
        }
        *in_queue += array.requests().len();
        Ok(())
    };
    let gave = bench.run(100, submit, move |arrays| {
        *ended.lock().unwrap() = 0;
        delivers(arrays)
    });
    gave.all_ok(7);
    assert_eq!(bench.sizes()[0], "0-2");
    assert!(gave.said.iter().any(|text| text.contains("Slurm takes no more tasks now")), "{:?}", gave.said);
}

#[test]
fn a_queue_that_stays_full_ends_the_run_and_loses_nothing() {
    let bench = Bench::new(&suite(2, "start_within_s = 1"));
    let full = |_: &Array| Err(Refusal::Full("the job limit is reached".to_owned()));
    let gave = bench.run(100, full, |_| Ok(Vec::new()));
    let error = gave.error();
    assert!(error.contains("no task of this run has started within 1 s") && error.contains("job limit"), "{error}");
    assert!(error.contains("To go on: bakeoff resume"), "{error}");
}

#[test]
fn tasks_that_never_start_end_the_run_with_slurms_reason() {
    let bench = Bench::new(&suite(2, ""));
    let gave = bench.run(100, takes, after(usize::MAX, "PENDING", "PartitionTimeLimit"));
    let error = gave.error();
    assert!(error.contains("Slurm will start no task of this run: PartitionTimeLimit"), "{error}");
    assert_eq!(*bench.cancelled.lock().unwrap(), ["100"]);
}

#[test]
fn tasks_that_do_not_start_in_time_end_the_run_with_slurms_reason() {
    let bench = Bench::new(&suite(2, "start_within_s = 1"));
    let gave = bench.run(100, takes, after(usize::MAX, "PENDING", "PartitionDown"));
    let error = gave.error();
    assert!(error.contains("within 1 s (start_within_s in [slurm]): Slurm says PartitionDown"), "{error}");
    assert_eq!(*bench.cancelled.lock().unwrap(), ["100"]);
    let told =
        gave.said.iter().filter(|text| text.contains("0 run; in the queue of Slurm wait 2 tasks (PartitionDown)"));
    assert_eq!(told.count(), 1, "{:?}", gave.said);
}

#[test]
fn a_controller_that_is_away_for_a_while_costs_nothing() {
    let bench = Bench::new(&suite(2, ""));
    let mut polls = 0;
    let gave = bench.run(100, takes, move |arrays| {
        polls += 1;
        if polls <= 3 {
            Err(Refusal::Silent("squeue: Unable to contact slurm controller".to_owned()))
        } else {
            delivers(arrays)
        }
    });
    gave.all_ok(2);
    let told = gave.said.iter().filter(|text| text.contains("Slurm does not answer"));
    assert_eq!(told.count(), 1, "{:?}", gave.said);
}

#[test]
fn tasks_that_ran_when_slurm_fell_silent_are_taken_to_run_on() {
    let bench = Bench::new(&suite(2, "start_within_s = 1"));
    let mut fell_silent = None;
    let gave = bench.run(100, takes, move |arrays| match fell_silent {
        None => {
            fell_silent = Some(Instant::now());
            Ok(arrays[0].lines("RUNNING", "None"))
        }
        Some(since) if since.elapsed() < Duration::from_millis(1500) => {
            Err(Refusal::Silent("squeue: Unable to contact slurm controller".to_owned()))
        }
        Some(_) => delivers(arrays),
    });
    gave.all_ok(2);
    assert!(bench.cancelled.lock().unwrap().is_empty());
}

#[test]
fn a_refused_array_ends_the_run_and_one_that_is_refused_later_ends_it_after_the_others() {
    let bench = Bench::new(&suite(5, ""));
    let refused = |_: &Array| Err(Refusal::Refused("sbatch: invalid partition specified: x".to_owned()));
    let gave = bench.run(100, refused, |_| Ok(Vec::new()));
    assert!(
        gave.error().contains("Slurm refuses the tasks of this run: sbatch: invalid partition"),
        "{}",
        gave.error()
    );
    assert!(gave.cases.is_empty());

    let bench = Bench::new(&suite(5, ""));
    let mut arrays = 0;
    let submit = move |_: &Array| {
        arrays += 1;
        if arrays == 1 { Ok(()) } else { Err(Refusal::Refused("sbatch: the partition is gone".to_owned())) }
    };
    let gave = bench.run(3, submit, after(2, "RUNNING", "None"));
    assert_eq!(gave.statuses(), [Status::Ok; 3]);
    assert!(
        gave.error().contains("the partition is gone") && gave.error().contains("bakeoff resume"),
        "{}",
        gave.error()
    );
}
