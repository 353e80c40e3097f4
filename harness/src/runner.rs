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
use crate::recorder::Recorder;
use crate::search::Searches;

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
                Message::Said(text) => progress.said(&text),
                Message::MeasuredOn(node) if stored.is_ok() => stored = recorder.measured_on(*node),
                Message::Done(index, measured, wall_s) if stored.is_ok() => {
                    let (case, outcome) = *measured;
                    done += 1;
                    let is_result = case.trial.is_some() && !is_stop_from_outside(&outcome.note);
                    tally.failures += usize::from(outcome.status.is_failure() && !is_result);
                    stored = recorder.store(&case, &outcome, wall_s);
                    if stored.is_ok() {
                        executor.stored(index);
                    }
                    progress.done(index, &case, &outcome);
                }
                Message::MeasuredOn(_) | Message::Done(..) => {}
            }
            if stored.is_err() {
                interrupt::request();
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
