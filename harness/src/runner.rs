//! Carries out the cases of a run, some at a time, and stores each of them when it ends.

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use bakeoff_reports::Status;

use crate::case::Case;
use crate::executor::{Executor, UnderWay};
use crate::interrupt;
use crate::machine::Machine;
use crate::outcome::{MetricValue, Outcome, is_stop_from_outside};
use crate::progress::Progress;
use crate::protocol::Event;
use crate::recorder::Recorder;
use crate::search::{Beginning, Searches};
use crate::stopwatch::Stopwatch;

/// How often the progress display is updated without an event, and a waiting thread looks for the user's interrupt.
const TICK: Duration = Duration::from_millis(200);

/// How the cases of a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunTally {
    /// Cases that failed, did not end in time, took too much memory or diverged. A search trial that did is a result, unless its
    /// process was killed or could not be started.
    pub failures: usize,
    /// Whether the user stopped the run before all cases were done.
    pub interrupted: bool,
}

/// What the threads that run cases send to the thread that stores and shows them.
enum Message {
    Started(usize),
    Told(usize, Event),
    /// The case with the parameters that it was run with, its outcome and its wall time.
    Done(usize, Box<(Case, Outcome)>, Option<f64>),
}

/// Runs `cases` by turns, `jobs` at a time. In a turn, all models of a setting have one seed and fold; the next turn has the next seed
/// or fold. A case whose parameters follow from search trials waits for them; `searches` holds those that
/// were done before.
///
/// # Errors
/// If a result cannot be stored. The running cases are then ended, and the stored ones stay.
pub fn run(
    cases: &[Case],
    jobs: usize,
    searches: Searches,
    executor: &dyn Executor,
    machine: &dyn Machine,
    recorder: &mut Recorder,
    progress: &mut dyn Progress,
) -> anyhow::Result<RunTally> {
    let queue = Queue::new(cases, searches);
    let (sender, receiver) = mpsc::channel();
    let mut tally = RunTally::default();
    let mut done = 0;
    let stored = thread::scope(|scope| -> anyhow::Result<anyhow::Result<()>> {
        for job in 0..jobs.min(cases.len()) {
            let (sender, queue) = (sender.clone(), &queue);
            let work = move || Runner { queue, executor, machine, sender: &sender }.work();
            let started = thread::Builder::new().spawn_scoped(scope, work);
            match started {
                // The run goes on with fewer cases at a time.
                Err(_) if job > 0 => break,
                started => started.context("failed to start a thread for the cases")?,
            };
        }
        drop(sender);
        let mut stored = Ok(());
        loop {
            let message = match receiver.recv_timeout(TICK) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => {
                    progress.tick();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            match message {
                Message::Started(index) => progress.started(index, &cases[index]),
                Message::Told(index, event) => progress.on_event(index, &event),
                Message::Done(index, measured, wall_s) if stored.is_ok() => {
                    let (case, outcome) = *measured;
                    done += 1;
                    let is_result = case.trial.is_some() && !is_stop_from_outside(&outcome.note);
                    tally.failures += usize::from(outcome.status.is_failure() && !is_result);
                    stored = recorder.store(&case, &outcome, wall_s);
                    if stored.is_err() {
                        interrupt::request();
                    }
                    progress.done(index, &case, &outcome);
                }
                Message::Done(..) => {}
            }
        }
        Ok(stored)
    })?;
    progress.finished();
    tally.interrupted = done < cases.len();
    stored?;
    Ok(tally)
}

/// The cases that nobody has begun, and what the search trials gave that some of them wait for.
struct Queue<'a> {
    cases: &'a [Case],
    state: Mutex<QueueState>,
    /// Notified when a search trial has ended.
    trial_ended: Condvar,
}

struct QueueState {
    /// Their indexes, in the order in which they are run.
    waiting: VecDeque<usize>,
    searches: Searches,
}

impl<'a> Queue<'a> {
    fn new(cases: &'a [Case], searches: Searches) -> Queue<'a> {
        let state = QueueState { waiting: by_turns(cases).into(), searches };
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

/// Whether two cases differ in their model only, or in their device, so that their times are compared.
fn is_same_turn(one: &Case, other: &Case) -> bool {
    let turn = |case: &Case| (case.train_size, case.label_noise.to_bits(), case.seed, case.fold);
    one.task == other.task && turn(one) == turn(other)
}

/// A case whose model is fitted.
struct Fitted {
    index: usize,
    case: Case,
    /// What its search gave.
    found: Vec<MetricValue>,
    under_way: UnderWay,
    /// The seconds of its processes, without those in which other cases had their turn.
    wall_s: f64,
}

/// A thread that runs cases.
struct Runner<'a> {
    queue: &'a Queue<'a>,
    executor: &'a dyn Executor,
    machine: &'a dyn Machine,
    sender: &'a mpsc::Sender<Message>,
}

impl Runner<'_> {
    /// Takes cases from the queue until there are none left or the user stops the run. If they are served in rounds, those that were
    /// fitted wait for the others with which they take turns.
    fn work(&self) {
        let mut fitted: Vec<Fitted> = Vec::new();
        loop {
            let next = self.queue.next();
            let goes_on = |(index, _): &(usize, Beginning)| {
                fitted.first().is_none_or(|first| is_same_turn(&first.case, &self.queue.cases[*index]))
            };
            if !next.as_ref().is_some_and(goes_on) && self.serve(std::mem::take(&mut fitted)).is_none() {
                return;
            }
            let Some((index, beginning)) = next else { return };
            let Some(case) = self.begin(index, beginning) else { continue };
            let Some(one) = self.fit(index, case) else { return };
            if one.case.latency.rounds > 1 && !one.under_way.is_over() {
                fitted.push(one);
            } else if self.serve(vec![one]).is_none() {
                return;
            }
        }
    }

    /// The case with the parameters that it is run with, and what its search gave. `None` if it is not run, and has ended.
    fn begin(&self, index: usize, beginning: Beginning) -> Option<(Case, Vec<MetricValue>)> {
        let mut case = self.queue.cases[index].clone();
        self.send(Message::Started(index));
        if let Some(reason) = &case.unsupported {
            let outcome = Outcome::without_numbers(Status::Unsupported, reason);
            self.send(Message::Done(index, Box::new((case, outcome)), None));
            return None;
        }
        match beginning {
            Beginning::Run(params, found) => {
                case.params = params;
                Some((case, found))
            }
            Beginning::Refused(outcome) => {
                self.queue.ended(&case, &outcome, None);
                self.send(Message::Done(index, Box::new((case, outcome)), None));
                None
            }
        }
    }

    /// Fits the model of a case. `None` if the user stopped it.
    fn fit(&self, index: usize, (case, found): (Case, Vec<MetricValue>)) -> Option<Fitted> {
        let stopwatch = Stopwatch::start(self.machine);
        let under_way = self.executor.fit(&case, &mut |event| self.send(Message::Told(index, event)))?;
        let wall_s = stopwatch.seconds();
        Some(Fitted { index, case, found, under_way, wall_s })
    }

    /// Serves these models by turns until nothing is left to be served, and reports the outcomes of their cases. `None` if the user
    /// stopped it.
    fn serve(&self, mut fitted: Vec<Fitted>) -> Option<()> {
        while fitted.iter().any(|one| !one.under_way.is_over()) {
            for one in fitted.iter_mut().filter(|one| !one.under_way.is_over()) {
                if interrupt::requested() {
                    return None;
                }
                let stopwatch = Stopwatch::start(self.machine);
                let index = one.index;
                self.executor.serve(&mut one.under_way, &mut |event| self.send(Message::Told(index, event)))?;
                one.wall_s += stopwatch.seconds();
            }
        }
        for Fitted { index, case, found, under_way, wall_s } in fitted {
            let mut outcome = under_way.outcome();
            self.queue.ended(&case, &outcome, Some(wall_s));
            outcome.values.splice(0..0, found);
            self.send(Message::Done(index, Box::new((case, outcome)), Some(wall_s)));
        }
        Some(())
    }

    /// Sending fails only if the receiver is gone. Then nobody needs the message.
    fn send(&self, message: Message) {
        drop(self.sender.send(message));
    }
}
