//! A cluster whose answers a test makes up, and a run on it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use bakeoff_reports::{Node, Status};
use tempfile::TempDir;

use super::plan;
use crate::executor::slurm::folder::{ArrayFolder, TaskRequest};
use crate::executor::slurm::*;
use crate::executor::{Message, Queue};
use crate::machine::{Machine, ThisMachine};
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::search::Searches;

pub(super) type Submit = dyn FnMut(&Array) -> Result<(), Refusal> + Send;
pub(super) type Ask = dyn FnMut(&[Array]) -> Result<Vec<TaskLine>, Refusal> + Send;

/// What was submitted.
#[derive(Clone)]
pub(super) struct Array {
    pub(super) job: String,
    pub(super) folder: ArrayFolder,
    pub(super) script: String,
}

impl Array {
    pub(super) fn requests(&self) -> Vec<TaskRequest> {
        self.folder.requests().unwrap()
    }

    /// Leaves an outcome of a task, as a task does.
    pub(super) fn deliver(&self, task: u32) {
        let case = self.requests()[task as usize].case.clone();
        let machine = ThisMachine.describe();
        let node = Node { machine, devices: Vec::new(), energy: "none".to_owned() };
        let outcome = Outcome { machine: "node".to_owned(), ..Outcome::without_numbers(Status::Ok, "") };
        Report::new(case, node, 1.5, outcome).write(&self.folder.outcome_path(task)).unwrap();
    }

    pub(super) fn deliver_all(&self) {
        (0..self.requests().len() as u32).for_each(|task| self.deliver(task));
    }

    pub(super) fn line(&self, task: u32, state: &str, reason: &str) -> TaskLine {
        let node = if state == "PENDING" { String::new() } else { "n7".to_owned() };
        let (state, reason) = (state.to_owned(), reason.to_owned());
        TaskLine { job: self.job.clone(), tasks: vec![task..=task], state, reason, node }
    }

    /// All of its tasks in one state.
    pub(super) fn lines(&self, state: &str, reason: &str) -> Vec<TaskLine> {
        (0..self.requests().len() as u32).map(|task| self.line(task, state, reason)).collect()
    }
}

/// A cluster whose answers a test makes up.
pub(super) struct MadeUp {
    most: usize,
    submit: Mutex<Box<Submit>>,
    ask: Mutex<Box<Ask>>,
    pub(super) arrays: Arc<Mutex<Vec<Array>>>,
    pub(super) cancelled: Arc<Mutex<Vec<String>>>,
}

impl Cluster for MadeUp {
    fn most_tasks(&self) -> Result<usize, Refusal> {
        Ok(self.most)
    }

    fn check(&self, _script: &str) -> Result<(), Refusal> {
        Ok(())
    }

    fn submit(&self, script: &str, name: &str) -> Result<String, Refusal> {
        let (_, folder) = script.trim_end().rsplit_once(" --array '").unwrap();
        let folder = ArrayFolder::at(PathBuf::from(folder.trim_end_matches('\''))).unwrap();
        assert_eq!(folder.name(), name);
        let mut arrays = self.arrays.lock().unwrap();
        let array = Array { job: (100 + arrays.len()).to_string(), folder, script: script.to_owned() };
        (self.submit.lock().unwrap())(&array)?;
        arrays.push(array.clone());
        Ok(array.job)
    }

    fn tasks(&self, jobs: &BTreeSet<String>) -> Result<Vec<TaskLine>, Refusal> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let arrays: Vec<Array> =
            self.arrays.lock().unwrap().iter().filter(|array| jobs.contains(&array.job)).cloned().collect();
        (self.ask.lock().unwrap())(&arrays)
    }

    fn named(&self, name: &str) -> Result<Option<String>, Refusal> {
        let arrays = self.arrays.lock().unwrap();
        Ok(arrays.iter().find(|array| array.folder.name() == name).map(|array| array.job.clone()))
    }

    fn accounted(&self, tasks: &BTreeSet<String>) -> HashMap<String, String> {
        tasks.iter().filter(|task| task.ends_with("_9")).map(|task| (task.clone(), "TIMEOUT".to_owned())).collect()
    }

    fn cancel(&self, tasks: &BTreeSet<String>) -> Result<(), Refusal> {
        self.cancelled.lock().unwrap().extend(tasks.iter().cloned());
        Ok(())
    }
}

/// A run on a made-up cluster.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) plan: Plan,
    pub(super) arrays: Arc<Mutex<Vec<Array>>>,
    pub(super) cancelled: Arc<Mutex<Vec<String>>>,
}

/// What a run gave.
pub(super) struct Gave {
    pub(super) result: anyhow::Result<()>,
    /// The id, status and note of each case, in the order of the plan.
    pub(super) cases: Vec<(String, Status, String)>,
    pub(super) said: Vec<String>,
}

impl Gave {
    pub(super) fn statuses(&self) -> Vec<Status> {
        self.cases.iter().map(|(_, status, _)| *status).collect()
    }

    #[track_caller]
    pub(super) fn all_ok(&self, count: usize) {
        assert!(self.result.is_ok(), "{:?}", self.result);
        assert_eq!(self.statuses(), vec![Status::Ok; count], "{:?}", self.cases);
    }

    #[track_caller]
    pub(super) fn error(&self) -> String {
        format!("{:#}", self.result.as_ref().unwrap_err())
    }
}

impl Bench {
    pub(super) fn new(settings: &str) -> Bench {
        let plan = plan(settings);
        Bench { folder: tempfile::tempdir().unwrap(), plan, arrays: Arc::default(), cancelled: Arc::default() }
    }

    pub(super) fn run_dir(&self) -> RunDir {
        RunDir::new(self.folder.path().join("run"))
    }

    /// The sizes of the arrays that were submitted.
    pub(super) fn sizes(&self) -> Vec<String> {
        let size = |array: &Array| {
            let line = array.script.lines().find(|line| line.contains("--array=")).unwrap();
            line.rsplit_once('=').unwrap().1.to_owned()
        };
        self.arrays.lock().unwrap().iter().map(size).collect()
    }

    pub(super) fn run(
        &self,
        most: usize,
        submit: impl FnMut(&Array) -> Result<(), Refusal> + Send + 'static,
        ask: impl FnMut(&[Array]) -> Result<Vec<TaskLine>, Refusal> + Send + 'static,
    ) -> Gave {
        let cluster = MadeUp {
            most,
            submit: Mutex::new(Box::new(submit)),
            ask: Mutex::new(Box::new(ask)),
            arrays: Arc::clone(&self.arrays),
            cancelled: Arc::clone(&self.cancelled),
        };
        let mut settings = self.plan.slurm().unwrap();
        settings.poll = std::time::Duration::from_millis(1);
        let slurm = Slurm::new(Box::new(cluster), settings, None, self.run_dir()).unwrap();
        let queue = Queue::new(&self.plan.cases, Searches::new(&self.plan));
        let (sender, receiver) = mpsc::channel();
        let (mut done, mut said) = (HashMap::new(), Vec::new());
        let result = thread::scope(|scope| {
            let desk = Desk::new(&queue, &ThisMachine, sender);
            let slurm = &slurm;
            let worker = scope.spawn(move || slurm.work(&desk));
            for message in receiver {
                match message {
                    Message::Done(index, measured, _) => {
                        done.insert(index, (measured.0.id, measured.1.status, measured.1.note));
                        slurm.stored(index);
                    }
                    Message::Said(text) => said.push(text),
                    _ => {}
                }
            }
            worker.join().unwrap()
        });
        let cases = (0..self.plan.cases.len()).filter_map(|index| done.remove(&index)).collect();
        Gave { result, cases, said }
    }
}
