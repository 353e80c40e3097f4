//! The program's side of a run on a cluster: submits cases as they become ready, and hands in what their tasks leave.

mod adopt;
mod collect;
mod submit;
mod watch;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use bakeoff_reports::Nodes;

use super::Slurm;
use super::cluster::Refusal;
use super::folder::{ArrayFolder, Place};
use super::states::{Stage, TaskLine, stage};
use crate::case::Case;
use crate::executor::{Assignment, Desk};
use crate::interrupt;
use crate::usage::usage;

/// How often the outcomes are looked for, unless Slurm is asked even more often.
const LOOK: Duration = Duration::from_secs(1);
/// How many outcomes are held in memory until they are stored.
const MOST_UNSTORED: usize = 96;

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
    /// The machines that have measured so far.
    nodes: Nodes,
    /// Whether all tasks wait in the queue, by the last answer.
    all_wait: bool,
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
            nodes: Nodes::default(),
            all_wait: false,
            reasons: Vec::new(),
            trouble: String::new(),
        })
    }

    /// Carries out the cases of the desk.
    pub(super) fn work(mut self) -> anyhow::Result<()> {
        self.adopt()?;
        loop {
            if interrupt::requested() {
                self.cancel("the run is stopped");
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
        let jobs = self.jobs(self.adopted.values().map(|adopted| adopted.task.0));
        if jobs.is_empty() {
            return;
        }
        let arrays = match jobs.len() {
            1 => "its array job",
            _ => "its array jobs",
        };
        let ids = jobs.iter().cloned().collect::<Vec<_>>().join(" ");
        match self.slurm.cluster.cancel(&jobs) {
            Ok(()) => self.desk.say(format!("{why}: Slurm was told to end {arrays} {ids}")),
            Err(refusal) => self.desk.say(format!(
                "{why}, and Slurm could not be told to end {arrays} ({refusal}). The tasks go on, and resume takes what they give. To end \
                 them: scancel {ids}"
            )),
        }
    }

    /// The ids of the arrays in flight and of `others`. An array of an earlier process that Slurm does not know has none.
    fn jobs(&self, others: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
        let arrays: BTreeSet<usize> = self.flights.keys().map(|(array, _)| *array).chain(others).collect();
        let jobs = arrays.iter().filter_map(|array| Some(self.arrays.get(array)?.job.clone()));
        jobs.filter(|job| !job.is_empty()).collect()
    }

    fn cancel_task(&self, (array, task): TaskId) {
        let Some(array) = self.arrays.get(&array) else { return };
        // If it cannot be cancelled, its outcome is of no use and is removed with its folder.
        let _ = self.slurm.cluster.cancel(&BTreeSet::from([format!("{}_{task}", array.job)]));
    }

    /// Ends the tasks that no case is left for: those of an earlier process, and those that Slurm has sent back to the queue although they
    /// had left their outcome.
    ///
    /// # Errors
    /// If the cluster has refused cases that are left.
    fn finish(self) -> anyhow::Result<()> {
        if let Some(refusal) = self.refused.as_ref().filter(|_| !self.waiting.is_empty()) {
            return Err(usage(format!("{refusal}. {}", self.how_to_go_on())));
        }
        for adopted in self.adopted.values() {
            self.cancel_task(adopted.task);
        }
        let jobs = self.jobs(self.arrays.keys().copied());
        let lines = self.slurm.cluster.tasks(&jobs).unwrap_or_default();
        let waits = |line: &&TaskLine| stage(&line.state) == Stage::Waits;
        let left: BTreeSet<String> = lines
            .iter()
            .filter(waits)
            .flat_map(|line| line.tasks.iter().cloned().flatten().map(|task| format!("{}_{task}", line.job)))
            .collect();
        // What is left in the queue does no harm: its folder is gone.
        let _ = self.slurm.cluster.cancel(&left);
        Ok(())
    }
}
