//! Carries out the cases of a run, some at a time, and stores each of them when it ends.

use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use bakeoff_reports::Status;

use crate::case::Case;
use crate::executor::Executor;
use crate::interrupt;
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::progress::Progress;
use crate::protocol::Event;
use crate::recorder::Recorder;
use crate::stopwatch::Stopwatch;

/// How often the progress display is updated without an event.
const TICK: Duration = Duration::from_millis(200);

/// How the cases of a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunTally {
    /// Cases that failed, did not end in time, took too much memory or diverged.
    pub failures: usize,
    /// Whether the user stopped the run before all cases were done.
    pub interrupted: bool,
}

/// What the threads that run cases send to the thread that stores and shows them.
enum Message {
    Started(usize),
    Told(usize, Event),
    Done(usize, Box<Outcome>, Option<f64>),
}

/// Runs `cases` in order, `jobs` at a time.
///
/// # Errors
/// If a result cannot be stored. The running cases are then ended, and the stored ones stay.
pub fn run(
    cases: &[Case],
    jobs: usize,
    executor: &dyn Executor,
    machine: &dyn Machine,
    recorder: &mut Recorder,
    progress: &mut dyn Progress,
) -> anyhow::Result<RunTally> {
    let queue = Mutex::new(cases.iter().enumerate());
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
                Message::Done(index, outcome, wall_s) if stored.is_ok() => {
                    done += 1;
                    tally.failures += usize::from(outcome.status.is_failure());
                    stored = recorder.store(&cases[index], &outcome, wall_s);
                    if stored.is_err() {
                        interrupt::request();
                    }
                    progress.done(index, &cases[index], &outcome);
                }
                Message::Done(..) => {}
            }
        }
        Ok(stored)
    })?;
    progress.finished();
    tally.interrupted = done < cases.len();
    stored.with_context(|| {
        format!(
            "the results of the last case could not be stored; what was stored before is complete. Correct the cause, then: \
             bakeoff resume {}",
            recorder.path().display()
        )
    })?;
    Ok(tally)
}

type Queue<'a> = Mutex<std::iter::Enumerate<std::slice::Iter<'a, Case>>>;

/// Takes cases from the queue until there are none left or the user stops the run.
fn work(queue: &Queue<'_>, executor: &dyn Executor, machine: &dyn Machine, sender: &mpsc::Sender<Message>) {
    // Sending fails only if the receiver is gone. Then nobody needs the message.
    let send = |message| drop(sender.send(message));
    loop {
        let next = queue.lock().ok().and_then(|mut queue| queue.next());
        let Some((index, case)) = next else { return };
        if interrupt::requested() {
            return;
        }
        send(Message::Started(index));
        if let Some(reason) = &case.unsupported {
            send(Message::Done(index, Box::new(Outcome::without_numbers(Status::Unsupported, reason)), None));
            continue;
        }
        let stopwatch = Stopwatch::start(machine);
        let Some(outcome) = executor.run(case, &mut |event| send(Message::Told(index, event))) else { return };
        send(Message::Done(index, Box::new(outcome), Some(stopwatch.seconds())));
    }
}
