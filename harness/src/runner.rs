//! Carries out the cases of a run, some at a time, and stores each of them when it ends.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::Context;

use crate::case::Case;
use crate::executor::{Desk, Executor, Message, Queue};
use crate::interrupt;
use crate::machine::Machine;
use crate::outcome::is_stop_from_outside;
use crate::progress::Progress;
use crate::recorder::{Ended, Recorder};
use crate::search::Searches;

/// How many cases that have ended are stored together at most.
const STORED_TOGETHER: usize = 32;

/// How often the progress display is updated without an event.
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

/// Cases that have ended and are not stored yet, and those that have begun since.
#[derive(Default)]
struct Pending {
    ended: Vec<Ended>,
    /// Each with the number of cases that had ended before it began.
    begun: Vec<(usize, usize)>,
}

impl Pending {
    /// Shows what has happened, in its order, and forgets it. `each` is called with the index of each case that has ended.
    fn show(&mut self, cases: &[Case], progress: &mut dyn Progress, mut each: impl FnMut(usize)) {
        let mut begun = self.begun.drain(..).peekable();
        for (at, Ended { index, case, outcome, .. }) in self.ended.drain(..).enumerate() {
            while let Some((_, index)) = begun.next_if(|(before, _)| *before <= at) {
                progress.started(index, &cases[index]);
            }
            each(index);
            progress.done(index, &case, &outcome);
        }
        for (_, index) in begun {
            progress.started(index, &cases[index]);
        }
    }
}

/// Runs `cases` by turns, `jobs` at a time. In a turn, all models of a setting have one seed and fold; the next turn has the next seed
/// or fold. A case whose parameters follow from search trials waits for them; `searches` holds those that
/// were done before.
///
/// # Errors
/// If a result cannot be stored, or if the executor cannot go on. The running cases are then ended, and the stored ones stay.
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
        let mut at_work = Vec::new();
        for job in 0..jobs.min(cases.len()) {
            let desk = Desk::new(&queue, machine, sender.clone());
            let started = thread::Builder::new().spawn_scoped(scope, move || executor.work(&desk));
            at_work.push(match started {
                // The run goes on with fewer cases at a time.
                Err(_) if job > 0 => break,
                started => started.context("failed to start a thread for the cases")?,
            });
        }
        drop(sender);
        let mut stored = Ok(());
        let mut pending = Pending::default();
        loop {
            let next = receiver.try_recv();
            // What has ended meanwhile is stored together with what came first.
            let is_more = matches!(next, Ok(Message::Started(_) | Message::Done(..)));
            if !is_more || pending.ended.len() == STORED_TOGETHER {
                if !pending.ended.is_empty() && stored.is_ok() {
                    stored = recorder.store(&pending.ended);
                }
                if stored.is_err() {
                    interrupt::request();
                }
                pending.show(cases, progress, |index| {
                    if stored.is_ok() {
                        executor.stored(index);
                    }
                });
            }
            let message = match next.or_else(|_| receiver.recv_timeout(TICK)) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => {
                    progress.tick();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            match message {
                Message::Started(index) if pending.ended.is_empty() => progress.started(index, &cases[index]),
                Message::Started(index) => pending.begun.push((pending.ended.len(), index)),
                Message::Told(index, event) => progress.on_event(index, &event),
                Message::Said(text) => progress.said(&text),
                Message::MeasuredOn(node) if stored.is_ok() => stored = recorder.measured_on(*node),
                Message::Done(index, measured, wall_s) if stored.is_ok() => {
                    let (case, outcome) = *measured;
                    done += 1;
                    let is_result = case.trial.is_some() && !is_stop_from_outside(&outcome.note);
                    tally.failures += usize::from(outcome.status.is_failure() && !is_result);
                    pending.ended.push(Ended { index, case, outcome, wall_s });
                }
                Message::MeasuredOn(_) | Message::Done(..) => {}
            }
        }
        for thread in at_work {
            let worked = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            stored = stored.and(worked);
        }
        Ok(stored)
    })?;
    progress.finished();
    tally.interrupted = done < cases.len();
    stored?;
    Ok(tally)
}
