//! The cases of a run that nobody has begun, how executors get them, and what they hand in for the thread that stores it.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use bakeoff_reports::{Node, Status};

use crate::case::Case;
use crate::interrupt;
use crate::machine::Machine;
use crate::outcome::{MetricValue, Outcome};
use crate::protocol::Event;
use crate::search::{Beginning, Searches};

/// How often a thread that waits for a case looks for the user's interrupt.
const TICK: Duration = Duration::from_millis(200);

/// What executors send to the thread that stores and shows it.
pub enum Message {
    /// The case of this index has begun.
    Started(usize),
    /// A running case says how far it is.
    Told(usize, Event),
    /// What the user must know of the executor itself.
    Said(String),
    /// Another machine than this one measured a case; comes before the case.
    MeasuredOn(Box<Node>),
    /// The case with the parameters that it was run with, its outcome and its wall time.
    Done(usize, Box<(Case, Outcome)>, Option<f64>),
}

/// A case that is to be carried out, with the parameters that it is run with.
pub struct Assignment {
    /// The place of the case in the plan.
    pub index: usize,
    /// The case.
    pub case: Case,
    /// What the search for its parameters gave.
    found: Vec<MetricValue>,
}

/// The cases that nobody has begun, and what the search trials gave that some of them wait for.
pub struct Queue<'a> {
    cases: &'a [Case],
    state: Mutex<State>,
    /// Notified when a search trial has ended.
    trial_ended: Condvar,
}

struct State {
    /// Their indexes, in the order in which they are run.
    waiting: VecDeque<usize>,
    searches: Searches,
}

impl<'a> Queue<'a> {
    /// All `cases`, by turns: in a turn, all models of a setting have one seed and fold. `searches` holds the search trials that were
    /// done before.
    pub fn new(cases: &'a [Case], searches: Searches) -> Queue<'a> {
        let state = State { waiting: by_turns(cases).into(), searches };
        Queue { cases, state: Mutex::new(state), trial_ended: Condvar::new() }
    }

    /// The first case that can begin, and how. Waits while all cases that are left wait for search trials. `None` if no case is
    /// left or the user stops the run.
    fn next(&self) -> Option<(usize, Beginning)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if interrupt::requested() {
                return None;
            }
            let ready = state.waiting.iter().position(|&index| state.searches.is_ready(&self.cases[index]));
            if let Some(index) = ready.and_then(|position| state.waiting.remove(position)) {
                let beginning = state.searches.beginning(&self.cases[index]);
                return Some((index, beginning));
            }
            if state.waiting.is_empty() {
                return None;
            }
            let waited = self.trial_ended.wait_timeout(state, TICK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// All cases that can begin now.
    fn all_ready(&self) -> Vec<(usize, Beginning)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { waiting, searches } = &mut *state;
        let (ready, rest) =
            mem::take(waiting).into_iter().partition(|&index: &usize| searches.is_ready(&self.cases[index]));
        *waiting = rest;
        let ready: VecDeque<usize> = ready;
        ready.into_iter().map(|index| (index, searches.beginning(&self.cases[index]))).collect()
    }

    /// Remembers what a search trial gave. `wall_s` is `None` if it did not begin.
    fn ended(&self, case: &Case, outcome: &Outcome, wall_s: Option<f64>) {
        if case.trial.is_some() {
            self.state.lock().unwrap_or_else(PoisonError::into_inner).searches.add(case, outcome, wall_s);
            self.trial_ended.notify_all();
        }
    }
}

/// The indexes of cases in the order in which they are run. In the plan, each model has all of its seeds and folds one after the other.
/// Drift of the machine would then hit models that come later and spare the others, so the models of a setting take turns: each has its
/// first seed before any has its second. The search trials of a case stay before it.
fn by_turns(cases: &[Case]) -> Vec<usize> {
    let mut settings = HashMap::new();
    let mut turns = HashMap::new();
    let place = |case: &Case| {
        let setting = (case.task.clone(), case.train_size, case.label_noise.to_bits());
        let count = settings.len();
        let setting = *settings.entry(setting).or_insert(count);
        let turn = (setting, case.seed, case.fold.map(|fold| (fold.repeat, fold.fold)));
        let count = turns.len();
        (setting, *turns.entry(turn).or_insert(count))
    };
    let places: Vec<(usize, usize)> = cases.iter().map(place).collect();
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by_key(|index| places[*index]);
    order
}

/// Where one thread of an executor gets cases, and hands in what they gave.
pub struct Desk<'a> {
    queue: &'a Queue<'a>,
    machine: &'a dyn Machine,
    sender: Sender<Message>,
}

impl<'a> Desk<'a> {
    /// A desk for one thread. `machine` has its clock.
    pub fn new(queue: &'a Queue<'a>, machine: &'a dyn Machine, sender: Sender<Message>) -> Desk<'a> {
        Desk { queue, machine, sender }
    }

    pub(super) fn machine(&self) -> &'a dyn Machine {
        self.machine
    }

    /// The next case to be carried out. Waits while all that are left wait for search trials. `None` if none is left or the user stops
    /// the run.
    pub(super) fn next(&self) -> Option<Assignment> {
        loop {
            let (index, beginning) = self.queue.next()?;
            if let Some(assignment) = self.begin(index, beginning) {
                return Some(assignment);
            }
        }
    }

    /// All cases that can be carried out now.
    pub(super) fn all_ready(&self) -> Vec<Assignment> {
        let mut assignments = Vec::new();
        loop {
            let ready = self.queue.all_ready();
            if ready.is_empty() {
                return assignments;
            }
            // A search trial that is refused has ended, so that others may be ready now.
            assignments.extend(ready.into_iter().filter_map(|(index, beginning)| self.begin(index, beginning)));
        }
    }

    /// The case with the parameters that it is run with. `None` if it is not run, and has ended.
    fn begin(&self, index: usize, beginning: Beginning) -> Option<Assignment> {
        let case = self.queue.cases[index].clone();
        let (params, found) = match (&case.unsupported, beginning) {
            (Some(reason), _) => {
                self.not_run(index, case.clone(), Outcome::without_numbers(Status::Unsupported, reason));
                return None;
            }
            (None, Beginning::Refused(outcome)) => {
                self.queue.ended(&case, &outcome, None);
                self.not_run(index, case, *outcome);
                return None;
            }
            (None, Beginning::Run(params, found)) => (params, found),
        };
        Some(Assignment { index, case: Case { params, ..case }, found })
    }

    fn not_run(&self, index: usize, case: Case, outcome: Outcome) {
        self.started(index);
        self.send(Message::Done(index, Box::new((case, outcome)), None));
    }

    /// Says that a case has begun.
    pub(super) fn started(&self, index: usize) {
        self.send(Message::Started(index));
    }

    /// Passes on what a running case says.
    pub(super) fn told(&self, index: usize, event: Event) {
        self.send(Message::Told(index, event));
    }

    /// Tells the user something.
    pub(super) fn say(&self, text: impl Into<String>) {
        self.send(Message::Said(text.into()));
    }

    /// Says which machine measured a case in place of this one.
    pub(super) fn measured_on(&self, node: Node) {
        self.send(Message::MeasuredOn(Box::new(node)));
    }

    /// Hands in the outcome of a case.
    pub(super) fn done(&self, assignment: Assignment, mut outcome: Outcome, wall_s: Option<f64>) {
        let Assignment { index, case, found } = assignment;
        self.queue.ended(&case, &outcome, wall_s);
        outcome.values.splice(0..0, found);
        self.send(Message::Done(index, Box::new((case, outcome)), wall_s));
    }

    /// Sending fails only if the receiver is gone. Then nobody needs the message.
    fn send(&self, message: Message) {
        drop(self.sender.send(message));
    }
}
