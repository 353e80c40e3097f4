//! The collector on a made-up cluster.
#![expect(clippy::unwrap_used, reason = "tests")]

mod adopted;
mod endings;
mod made_up;
mod unwilling;

use std::fs;

use bakeoff_reports::Status;

use super::*;
use crate::machine::ThisMachine;
use crate::plan::{Overrides, Plan};
use crate::program::Program;
use crate::suite::Source;
use crate::tasks::TASKS;
use made_up::{Array, Bench};

pub(crate) fn plan(settings: &str) -> Plan {
    let program = Program { tasks: TASKS, models: bakeoff_models::ENTRIES, machine: &ThisMachine };
    let text = format!("name = \"x\"\nthreads = 1\nexecutor = \"slurm\"\n{settings}\n");
    let source = Source { origin: "suite.toml".to_owned(), text, folder: PathBuf::new() };
    Plan::new(&program, &source, &Overrides::default()).unwrap()
}

pub(crate) fn seeds(count: usize) -> String {
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
fn cases_are_one_array_and_what_is_stored_is_removed() {
    let bench = Bench::new(&suite(4, ""));
    let mut has_delivered = false;
    let gave = bench.run(100, takes, move |arrays| {
        if !std::mem::replace(&mut has_delivered, true) {
            arrays[0].deliver_all();
        }
        Ok(arrays[0].lines("COMPLETED", "None"))
    });
    gave.all_ok(4);
    assert_eq!(bench.sizes(), ["0-3"]);
    let folder = bench.arrays.lock().unwrap()[0].folder.clone();
    assert_eq!(folder.outcomes(), [0; 0]);
    assert!(bench.cancelled.lock().unwrap().is_empty());
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
        if let Ok(text) = fs::read_to_string(&there)
            && text == "half a fit"
        {
            fs::write(&there, "more of it").unwrap();
        }
        Ok(arrays[0].lines("TIMEOUT", "None"))
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
