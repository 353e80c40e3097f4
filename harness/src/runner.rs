//! Carries out the cases of a run, some at a time, and stores each of them when it ends.

use std::collections::VecDeque;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use bakeoff_reports::Status;

use crate::case::Case;
use crate::executor::Executor;
use crate::interrupt;
use crate::machine::Machine;
use crate::outcome::{Outcome, is_stop_from_outside};
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

/// Runs `cases` in order, `jobs` at a time. A case whose parameters follow from search trials waits for them;
/// `searches` holds those that were done before.
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
            let started = thread::Builder::new().spawn_scoped(scope, move || work(queue, executor, machine, &sender));
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
    /// Their indexes, in the order of the plan.
    waiting: VecDeque<usize>,
    searches: Searches,
}

impl<'a> Queue<'a> {
    fn new(cases: &'a [Case], searches: Searches) -> Queue<'a> {
        let state = QueueState { waiting: (0..cases.len()).collect(), searches };
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

/// Takes cases from the queue until there are none left or the user stops the run.
fn work(queue: &Queue<'_>, executor: &dyn Executor, machine: &dyn Machine, sender: &mpsc::Sender<Message>) {
    // Sending fails only if the receiver is gone. Then nobody needs the message.
    let send = |message| drop(sender.send(message));
    while let Some((index, beginning)) = queue.next() {
        let mut case = queue.cases[index].clone();
        send(Message::Started(index));
        if let Some(reason) = &case.unsupported {
            let outcome = Outcome::without_numbers(Status::Unsupported, reason);
            send(Message::Done(index, Box::new((case, outcome)), None));
            continue;
        }
        let found = match beginning {
            Beginning::Run(params, found) => {
                case.params = params;
                found
            }
            Beginning::Refused(outcome) => {
                queue.ended(&case, &outcome, None);
                send(Message::Done(index, Box::new((case, outcome)), None));
                continue;
            }
        };
        let stopwatch = Stopwatch::start(machine);
        let Some(mut outcome) = executor.run(&case, &mut |event| send(Message::Told(index, event))) else { return };
        let wall_s = stopwatch.seconds();
        queue.ended(&case, &outcome, Some(wall_s));
        outcome.values.splice(0..0, found);
        send(Message::Done(index, Box::new((case, outcome)), Some(wall_s)));
    }
}
