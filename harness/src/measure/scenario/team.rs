//! The workers of the scenario `server`: the model itself, or several instances of it, each on a thread of its own.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use bakeoff_datasets::Inputs;
use bakeoff_models::{Device, Model, ModelEntry, ModelError, Predictions, Threads};

use super::super::Stop;
use super::answers::Answers;
use crate::load::{ClockFault, Load, Served, Worker, serve_all, wait_until};
use crate::machine::Machine;
use crate::threads::refused;

/// The time until the first arrival, in which workers take up their load.
const LEAD: Duration = Duration::from_millis(10);

/// Why a load was not served to its end.
pub(super) enum Fault {
    /// The case ends.
    Stop(Stop),
    /// The times of this load are not valid.
    Clock(ClockFault),
    /// A worker panicked with this.
    Panic(Box<dyn Any + Send>),
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Fault {
        Fault::Stop(stop)
    }
}

impl From<ModelError> for Fault {
    fn from(error: ModelError) -> Fault {
        Fault::Stop(error.into())
    }
}

impl From<ClockFault> for Fault {
    fn from(fault: ClockFault) -> Fault {
        match fault {
            ClockFault::Stopped => Fault::Stop(fault.into()),
            ClockFault::Gap(_) | ClockFault::Suspended(_) => Fault::Clock(fault),
        }
    }
}

/// What a load gave.
#[derive(Default)]
pub(super) struct Given {
    /// In the order of arrival.
    pub(super) served: Vec<Served>,
    /// When the last worker had finished, by the clock of the workers.
    ended: Duration,
}

/// Something that serves loads one after the other.
pub(super) trait Team {
    /// Serves queries that arrive at these times, of which `most_late` may take longer than `bound`. The load ends early if more do.
    ///
    /// # Errors
    /// If a worker cannot go on.
    fn serve(&mut self, arrivals: &[Duration], bound: Duration, most_late: usize) -> Result<Vec<Served>, Fault>;
}

/// A worker with an instance of the model.
struct ModelWorker<'a> {
    machine: &'a dyn Machine,
    model: &'a mut dyn Model,
    examples: &'a [Inputs],
}

impl Worker for ModelWorker<'_> {
    type Answer = Predictions;
    type Fault = Fault;

    fn now(&mut self) -> Duration {
        self.machine.now()
    }

    fn wait_until(&mut self, time: Duration) -> Result<Duration, Fault> {
        Ok(wait_until(self.machine, time)?)
    }

    fn serve(&mut self, query: usize) -> Result<Predictions, Fault> {
        Ok(self.model.predict(&self.examples[query % self.examples.len()])?)
    }
}

impl ModelWorker<'_> {
    /// Serves its part of a load.
    fn take_part(&mut self, load: &Load, answers: &mut Answers<'_>) -> Result<Given, Fault> {
        let examples = self.examples.len();
        let mut served = Vec::new();
        serve_all(load, self, |query, answer| {
            served.push(query);
            Ok(answers.check(query.query % examples, 1, &answer)?)
        })?;
        Ok(Given { served, ended: self.machine.now() })
    }
}

/// A team of one: the model itself, on this thread.
pub(super) struct Alone<'a, 'p> {
    pub(super) machine: &'a dyn Machine,
    pub(super) model: &'a mut dyn Model,
    pub(super) examples: &'a [Inputs],
    pub(super) answers: &'a mut Answers<'p>,
}

impl Team for Alone<'_, '_> {
    fn serve(&mut self, arrivals: &[Duration], bound: Duration, most_late: usize) -> Result<Vec<Served>, Fault> {
        let load = Load::new(self.machine.now() + LEAD, arrivals, bound, most_late);
        let mut worker = ModelWorker { machine: self.machine, model: &mut *self.model, examples: self.examples };
        Ok(worker.take_part(&load, self.answers)?.served)
    }
}

/// From what the threads of a team load their instances, and what they are asked.
#[derive(Clone, Copy)]
pub(super) struct Loaded<'a> {
    pub(super) machine: &'a dyn Machine,
    pub(super) entry: &'a dyn ModelEntry,
    pub(super) folder: &'a Path,
    pub(super) device: Device,
    /// How many processor threads each of them has.
    pub(super) threads: usize,
    pub(super) examples: &'a [Inputs],
}

/// A team of several loaded instances.
struct Several<'a, 'p> {
    machine: &'a dyn Machine,
    loads: Vec<Sender<Arc<Load>>>,
    results: Receiver<Result<(Given, Answers<'p>), Fault>>,
    answers: &'a mut Answers<'p>,
    ended: Duration,
}

impl<'p> Several<'_, 'p> {
    /// What each worker says next, in any order.
    fn results(&self) -> Result<Vec<(Given, Answers<'p>)>, Fault> {
        let gone = || Fault::Stop(Stop::failed("a worker of the scenario server ended without a result"));
        self.loads.iter().map(|_| self.results.recv().map_err(|_| gone())?).collect()
    }
}

impl Team for Several<'_, '_> {
    fn serve(&mut self, arrivals: &[Duration], bound: Duration, most_late: usize) -> Result<Vec<Served>, Fault> {
        let start = self.machine.now().max(self.ended) + LEAD;
        let load = Arc::new(Load::new(start, arrivals, bound, most_late));
        for worker in &self.loads {
            // A worker that is gone has said why, which is read below.
            let _ = worker.send(Arc::clone(&load));
        }
        let mut served = Vec::with_capacity(arrivals.len());
        for (given, answers) in self.results()? {
            served.extend(given.served);
            self.ended = self.ended.max(given.ended);
            self.answers.add(&answers);
        }
        served.sort_by_key(|served| served.query);
        Ok(served)
    }
}

/// Lets `work` use a team of `workers` loaded instances.
///
/// # Errors
/// If a thread cannot be started or an instance cannot be loaded, and what `work` returns.
pub(super) fn with_several<'p, R>(
    workers: usize,
    loaded: Loaded<'_>,
    answers: &mut Answers<'p>,
    none: &Answers<'p>,
    work: impl FnOnce(&mut dyn Team) -> Result<R, Fault>,
) -> Result<R, Fault> {
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        let mut loads = Vec::new();
        for _ in 0..workers {
            let (load_sender, load_receiver) = mpsc::channel();
            let (sender, none) = (sender.clone(), none.clone());
            let begin = move || {
                let said = catch_unwind(AssertUnwindSafe(|| serve_loads(loaded, &load_receiver, &sender, &none)));
                let fault = match said {
                    Ok(Ok(())) => return,
                    Ok(Err(fault)) => fault,
                    Err(panic) => Fault::Panic(panic),
                };
                // If nobody listens any more, another worker has said why.
                let _ = sender.send(Err(fault));
            };
            let started = thread::Builder::new().spawn_scoped(scope, begin);
            started.map_err(|error| Stop::failed(format!("failed to start a worker: {}", refused(&error))))?;
            loads.push(load_sender);
        }
        drop(sender);
        let mut team = Several { machine: loaded.machine, loads, results, answers, ended: Duration::ZERO };
        // All instances are loaded before the first query.
        let worked = team.results().map(drop).and_then(|()| work(&mut team));
        drop(team);
        worked
    })
}

/// A thread of a team: loads its instance, says so, and serves its part of every load.
fn serve_loads<'p>(
    loaded: Loaded<'_>,
    loads: &Receiver<Arc<Load>>,
    results: &Sender<Result<(Given, Answers<'p>), Fault>>,
    none: &Answers<'p>,
) -> Result<(), Fault> {
    let mut model = loaded.entry.load(loaded.folder, Threads::new(loaded.threads), loaded.device)?;
    let mut worker = ModelWorker { machine: loaded.machine, model: model.as_mut(), examples: loaded.examples };
    // Sending fails only if nobody listens any more, and then no more loads come either.
    let _ = results.send(Ok((Given::default(), none.clone())));
    for load in loads {
        let _ends = EndsLoad(&load);
        let mut answers = none.clone();
        let given = worker.take_part(&load, &mut answers)?;
        let _ = results.send(Ok((given, answers)));
    }
    Ok(())
}

/// Ends a load when its worker goes on no more, also by a fault or a panic: the others then need not serve the rest.
struct EndsLoad<'a>(&'a Load);

impl Drop for EndsLoad<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The end of a case by a fault, or why its times are not valid.
pub(super) fn or_stop<R>(worked: Result<R, Fault>) -> Result<Result<R, ClockFault>, Stop> {
    match worked {
        Ok(result) => Ok(Ok(result)),
        Err(Fault::Clock(fault)) => Ok(Err(fault)),
        Err(Fault::Stop(stop)) => Err(stop),
        Err(Fault::Panic(panic)) => resume_unwind(panic),
    }
}
