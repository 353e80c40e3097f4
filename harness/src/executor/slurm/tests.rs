//! The collector on a made-up cluster: every way in which tasks end, and what becomes of their cases.
#![expect(clippy::unwrap_used, reason = "tests")]

mod made_up;

use std::fs;
use std::sync::{Arc, Mutex};

use bakeoff_reports::Status;

use super::folder::TaskRequest;
use super::*;
use crate::machine::ThisMachine;
use crate::plan::{Overrides, Plan};
use crate::program::Program;
use crate::suite::Source;
use crate::tasks::TASKS;
use made_up::{Array, Bench};

fn plan(settings: &str) -> Plan {
    let program = Program { tasks: TASKS, models: bakeoff_models::ENTRIES, machine: &ThisMachine };
    let text = format!("name = \"x\"\nthreads = 1\nexecutor = \"slurm\"\n{settings}\n");
    let source = Source { origin: "suite.toml".to_owned(), text, folder: PathBuf::new() };
    Plan::new(&program, &source, &Overrides::default()).unwrap()
}

fn seeds(count: usize) -> String {
    let seeds: Vec<String> = (1..=count).map(|seed| seed.to_string()).collect();
    format!("seeds = [{}]\n[[task]]\nname = \"sst2\"\ntrain_size = 100\n[[model]]\nname = \"svm\"\n", seeds.join(", "))
}

/// So many cases that differ in their seed.
pub(crate) fn cases(count: usize) -> Vec<Case> {
    plan(&seeds(count)).cases
}

/// A suite of so many cases; `slurm` are lines of its table.
fn suite(count: usize, slurm: &str) -> String {
    let seeds = seeds(count);
    let (seeds, cells) = seeds.split_once('\n').unwrap();
    format!("{seeds}\n[slurm]\nsettle_s = 0\n{slurm}\n{cells}")
}

fn takes(_: &Array) -> Result<(), Refusal> {
    Ok(())
}

fn delivers(arrays: &[Array]) -> Result<Vec<TaskLine>, Refusal> {
    arrays.iter().for_each(Array::deliver_all);
    Ok(arrays.iter().flat_map(|array| array.lines("COMPLETED", "None")).collect())
}

/// The tasks are in this state until they were asked for so often, and then have delivered.
fn after(
    polls: usize,
    state: &'static str,
    reason: &'static str,
) -> impl FnMut(&[Array]) -> Result<Vec<TaskLine>, Refusal> + Send {
    let mut left = polls;
    move |arrays| {
        if left == 0 {
            return delivers(arrays);
        }
        left -= 1;
        Ok(arrays.iter().flat_map(|array| array.lines(state, reason)).collect())
    }
}

#[test]
fn cases_are_one_array_and_nothing_of_it_is_left_in_the_run() {
    let bench = Bench::new(&suite(4, ""));
    bench.run(100, takes, delivers).all_ok(4);
    assert_eq!(bench.sizes(), ["0-3"]);
    assert!(!bench.run_dir().slurm_path().exists());
}

#[test]
fn an_array_has_no_more_tasks_than_the_cluster_allows() {
    let bench = Bench::new(&suite(7, "at_a_time = 2"));
    bench.run(3, takes, delivers).all_ok(7);
    assert_eq!(bench.sizes(), ["0-2%2", "0-2%2", "0-0%2"]);
}

#[test]
fn cases_with_other_threads_are_in_an_array_of_their_own() {
    let text = format!("{}[[model]]\nname = \"random-forest\"\nthreads = 2\n", suite(2, ""));
    let bench = Bench::new(&text);
    bench.run(100, takes, delivers).all_ok(4);
    let arrays = bench.arrays.lock().unwrap();
    let cpus = |array: &Array| array.script.lines().find(|line| line.contains("--cpus-per-task")).unwrap().to_owned();
    let cpus: Vec<String> = arrays.iter().map(cpus).collect();
    assert_eq!(cpus, ["#SBATCH --cpus-per-task=1", "#SBATCH --cpus-per-task=2"]);
}

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

#[test]
fn a_later_start_of_the_run_takes_what_has_ended_or_still_runs_and_submits_the_rest() {
    let bench = Bench::new(&suite(4, ""));
    // The first start is killed: 0 has delivered, 1 runs, 2 is lost, and 3 was measured with other settings.
    let place = Place::of(&bench.run_dir()).unwrap();
    let folder = place.new_array(1, "abcdef");
    let mut requests: Vec<TaskRequest> =
        bench.plan.cases.iter().map(|case| TaskRequest { case: case.clone(), samples: None }).collect();
    requests[3].case.timeout_s = 1.0;
    folder.fill(&requests).unwrap();
    // It was killed before it could store the number of the array.
    let first = Array { job: "100".to_owned(), folder, script: "--array=0-3".to_owned() };
    first.deliver(0);
    bench.arrays.lock().unwrap().push(first);
    let mut polls = 0;
    let gave = bench.run(100, takes, move |arrays| {
        polls += 1;
        let mut lines = Vec::new();
        for array in arrays {
            if array.job != "100" {
                array.deliver_all();
                lines.extend(array.lines("COMPLETED", "None"));
                continue;
            }
            if polls > 3 {
                array.deliver(1);
            }
            lines.push(array.line(1, "RUNNING", "None"));
            lines.push(array.line(3, "RUNNING", "None"));
        }
        Ok(lines)
    });
    gave.all_ok(4);
    assert_eq!(bench.sizes(), ["0-3", "0-1"]);
    assert_eq!(*bench.cancelled.lock().unwrap(), ["100_3"], "its outcome would be of no use");
    let told = "3 tasks of an earlier start of this run have ended or are still at work on Slurm: they are not submitted again";
    assert!(gave.said.iter().any(|text| text == told), "{:?}", gave.said);
    assert!(!bench.run_dir().slurm_path().exists());
}

#[test]
fn a_case_is_submitted_when_the_search_trials_that_it_waits_for_have_ended() {
    let text = "seeds = [1, 2]\n[slurm]\nsettle_s = 0\n[search]\ntrials = 3\n[[task]]\nname = \"sst2\"\ntrain_size = 100\n[[model]]\nname = \"svm\"\n";
    let bench = Bench::new(text);
    let gave = bench.run(100, takes, delivers);
    assert!(gave.result.is_ok(), "{:?}", gave.result);
    assert_eq!(gave.cases.len(), 8);
    // The made-up outcomes have no score, so no parameters can be chosen.
    let failed = gave.cases.iter().filter(|(_, status, _)| *status == Status::Failed).count();
    assert_eq!((bench.sizes(), failed), (vec!["0-5".to_owned()], 2));
}

#[test]
fn a_checkpoint_goes_to_the_task_and_comes_back_with_the_outcome() {
    let bench = Bench::new(&suite(1, ""));
    let (run, id) = (bench.run_dir(), bench.plan.cases[0].id.clone());
    fs::create_dir_all(run.checkpoint_path(&id).parent().unwrap()).unwrap();
    fs::write(run.checkpoint_path(&id), "half a fit").unwrap();
    let there = Place::of(&run).unwrap().work().checkpoint_path(&id);
    let gave = bench.run(100, takes, move |arrays| {
        if let Ok(text) = fs::read_to_string(&there) {
            assert_eq!(text, "half a fit");
            fs::write(&there, "more of it").unwrap();
            return Ok(arrays[0].lines("TIMEOUT", "None"));
        }
        panic!("the task finds no checkpoint");
    });
    assert_eq!(gave.statuses(), [Status::TimedOut]);
    assert_eq!(fs::read_to_string(run.checkpoint_path(&id)).unwrap(), "more of it");
}

#[test]
fn the_script_asks_for_what_the_suite_says_and_quotes_its_paths() {
    let slurm = "partition = \"long\"\naccount = \"ml\"\ngres = \"gpu:1\"\ntime = \"1:00:00\"\nextra = [\"--exclusive\", \"--mem=0\"]\n";
    let mut case = plan(&suite(1, slurm)).cases.remove(0);
    case.threads = 4;
    let settings = plan(&suite(1, slurm)).slurm().unwrap();
    let script = Script {
        settings: &settings,
        name: "bakeoff-1-abcdef",
        folder: Path::new("/shared/my 100% \"run\"/slurm/1-abcdef"),
        program: Path::new("/shared/it's/slurm/bakeoff-abcdef"),
        tasks: 12,
        case: &case,
    };
    insta::assert_snapshot!(script.to_string());
    let plain = plan(&suite(1, "")).slurm().unwrap();
    let script = Script { settings: &plain, folder: Path::new("/run/slurm/1-abcdef"), ..script };
    assert!(script.to_string().contains("#SBATCH --time=15\n"), "600 s and five minutes: {script}");
}
