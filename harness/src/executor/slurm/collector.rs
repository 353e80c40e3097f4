//! The program's side of a run on a cluster: submits cases as they become ready, and hands in what their tasks leave.

mod adopt;
mod collect;
mod submit;
mod watch;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use super::Slurm;
use super::cluster::Refusal;
use super::folder::{ArrayFolder, Place};
use crate::case::Case;
use crate::executor::{Assignment, Desk};
use crate::interrupt;
use crate::usage::usage;

/// How often the outcomes are looked for, unless Slurm is asked even more often.
const LOOK: Duration = Duration::from_secs(1);
/// How many outcomes are held in memory until they are stored.
const MOST_UNSTORED: usize = 32;

/// A task: the number of its array and its own.
type TaskId = (usize, u32);

/// A case whose task was submitted and has left no outcome yet.
struct Flight {
    assignment: Assignment,
    has_begun: bool,
    /// When it was first seen to run.
    began: Option<Instant>,
    /// Since when Slurm says that it is over, with the state and the node; the state is empty if Slurm does not know the task.
    over: Option<(Instant, String, String)>,
}

impl Flight {
    fn new(assignment: Assignment) -> Flight {
        Flight { assignment, has_begun: false, began: None, over: None }
    }
}

/// An array that was submitted.
#[derive(Clone)]
struct Submitted {
    folder: ArrayFolder,
    job: String,
}

/// What an earlier process has submitted, and what this one may go on with.
struct Adopted {
    task: TaskId,
    case: Case,
}

pub(super) struct Collector<'a> {
    slurm: &'a Slurm,
    desk: &'a Desk<'a>,
    place: Place,
    /// The copy of the program, once there is one.
    program: Option<PathBuf>,
    arrays: BTreeMap<usize, Submitted>,
    next_array: usize,
    adopted: HashMap<String, Adopted>,
    /// Cases that can begin and are not submitted yet.
    waiting: VecDeque<Assignment>,
    flights: BTreeMap<TaskId, Flight>,
    /// How often each case was submitted, by its index.
    submissions: HashMap<usize, usize>,
    /// How many tasks an array may have, and how many the queue last took.
    most_tasks: usize,
    next_size: usize,
    /// Why the cluster takes no more tasks.
    refused: Option<Refusal>,
    next_submission: Instant,
    next_poll: Instant,
    silent_since: Option<Instant>,
    /// When a task was last seen to run, or has left an outcome.
    alive: Instant,
    /// Whether all tasks wait in the queue, by the last answer.
    all_wait: bool,
    has_named_node: bool,
    /// The reasons for which tasks wait, as the user was told last.
    reasons: Vec<String>,
    /// What the user was told last of a queue that takes no more, or of a cluster that does not answer.
    trouble: String,
}

impl<'a> Collector<'a> {
    pub(super) fn new(slurm: &'a Slurm, desk: &'a Desk<'a>) -> anyhow::Result<Collector<'a>> {
        let place = Place::of(&slurm.run)?;
        let most_tasks = slurm.cluster.most_tasks().map_err(usage)?;
        let now = Instant::now();
        Ok(Collector {
            slurm,
            desk,
            place,
            program: None,
            arrays: BTreeMap::new(),
            next_array: 1,
            adopted: HashMap::new(),
            waiting: VecDeque::new(),
            flights: BTreeMap::new(),
            submissions: HashMap::new(),
            most_tasks,
            next_size: most_tasks,
            refused: None,
            next_submission: now,
            next_poll: now,
            silent_since: None,
            alive: now,
            all_wait: false,
            has_named_node: false,
            reasons: Vec::new(),
            trouble: String::new(),
        })
    }

    /// Carries out the cases of the desk.
    pub(super) fn work(mut self) -> anyhow::Result<()> {
        self.adopt()?;
        loop {
            if interrupt::requested() {
                self.cancel("the user stops the run");
                // What ended meanwhile counts.
                self.collect(usize::MAX);
                return Ok(());
            }
            for assignment in self.desk.all_ready() {
                self.take(assignment);
            }
            self.submit()?;
            if self.flights.is_empty() && (self.waiting.is_empty() || self.refused.is_some()) {
                return self.finish();
            }
            let is_complete = self.collect(MOST_UNSTORED);
            if is_complete {
                self.judge();
            }
            if !self.flights.is_empty() && Instant::now() >= self.next_poll {
                self.poll()?;
                self.next_poll = Instant::now() + self.slurm.settings.poll;
            }
            self.check_patience()?;
            // What waits for room is looked at soon again.
            thread::sleep(LOOK.min(self.slurm.settings.poll).div_f64(if is_complete { 1.0 } else { 20.0 }));
        }
    }

    fn how_to_go_on(&self) -> String {
        format!("To go on: bakeoff resume {}", self.slurm.run.path().display())
    }

    fn tell_trouble(&mut self, trouble: String) {
        if trouble != self.trouble {
            self.desk.say(trouble.clone());
            self.trouble = trouble;
        }
    }

    /// Cancels all tasks that are not over, of this process and of earlier ones.
    fn cancel(&mut self, why: &str) {
        let adopted = self.adopted.values().map(|adopted| adopted.task.0);
        let in_flight: BTreeSet<usize> = self.flights.keys().map(|(array, _)| *array).chain(adopted).collect();
        let jobs: BTreeSet<String> =
            in_flight.iter().filter_map(|array| Some(self.arrays.get(array)?.job.clone())).collect();
        if jobs.is_empty() {
            return;
        }
        let listed = jobs.iter().cloned().collect::<Vec<_>>().join(", ");
        match self.slurm.cluster.cancel(&jobs) {
            Ok(()) => self.desk.say(format!("array job {listed} of Slurm is cancelled: {why}")),
            Err(refusal) => self.desk.say(format!(
                "array job {listed} of Slurm could not be cancelled ({refusal}): its tasks go on, and resume takes what they give; to end \
                 them: scancel {}",
                jobs.iter().cloned().collect::<Vec<_>>().join(" ")
            )),
        }
    }

    fn cancel_task(&self, (array, task): TaskId) {
        let Some(array) = self.arrays.get(&array) else { return };
        // If it cannot be cancelled, its outcome is of no use and is removed with its folder.
        let _ = self.slurm.cluster.cancel(&BTreeSet::from([format!("{}_{task}", array.job)]));
    }

    /// Waits until everything is stored, and removes the folder of the tasks.
    fn finish(self) -> anyhow::Result<()> {
        if let Some(refusal) = self.refused.as_ref().filter(|_| !self.waiting.is_empty()) {
            return Err(usage(format!("{refusal}. {}", self.how_to_go_on())));
        }
        for adopted in self.adopted.values() {
            self.cancel_task(adopted.task);
        }
        while self.slurm.unstored() > 0 {
            if interrupt::requested() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(5));
        }
        // On a shared file system, a file that somebody has open can stay. It disturbs nobody.
        let _ = fs::remove_dir_all(self.place.path());
        Ok(())
    }
}
