//! Carries out the cases of a run: in child processes with a time-out and a memory limit, in this process, or as tasks of a Slurm cluster.

mod child;
mod desk;
mod inline;
mod rounds;
pub mod slurm;
mod steps;
mod turns;

use crate::case::Case;
use crate::energy::Metering;
use crate::outcome::Outcome;
use crate::protocol::Event;

pub use child::ChildProcess;
pub use desk::{Assignment, Desk, Message, Queue};
pub use inline::Inline;
pub use slurm::{Slurm, SlurmCommands};
pub use steps::UnderWay;

/// Something that carries out the cases of a run.
pub trait Executor: Sync {
    /// Takes cases from the desk and hands in what they gave, until no case is left or the user stops the run. Several threads may do so
    /// at the same time, each with a desk of the same queue.
    ///
    /// # Errors
    /// If no further case can be carried out. What was handed in stays.
    fn work(&self, desk: &Desk<'_>) -> anyhow::Result<()>;

    /// Called when the outcome of the case of this index is stored, so that the executor need not keep it any longer.
    fn stored(&self, _index: usize) {}
}

/// Something that carries out single cases on this machine.
pub trait Local: Sync {
    /// Fits the model of `case`, and saves it if it is to be served. `None` if the user interrupted it.
    fn fit(&self, case: &Case, emit: &mut dyn FnMut(Event)) -> Option<UnderWay>;

    /// Serves the saved model of a case once. `None` if the user interrupted it.
    fn serve(&self, case: &mut UnderWay, emit: &mut dyn FnMut(Event)) -> Option<()>;

    /// The outcome of `case`, with all rounds of its serving one after the other. `None` if the user interrupted it.
    fn run(&self, case: &Case, emit: &mut dyn FnMut(Event)) -> Option<Outcome> {
        let mut under_way = self.fit(case, emit)?;
        while !under_way.is_over() {
            self.serve(&mut under_way, emit)?;
        }
        Some(under_way.outcome())
    }
}

impl<L: Local> Executor for L {
    fn work(&self, desk: &Desk<'_>) -> anyhow::Result<()> {
        turns::work(self, desk);
        Ok(())
    }
}

/// The seconds that a phase of a case must last for the meters of the run.
fn shortest_phase_s(metering: Option<&Metering>, case: &Case) -> f64 {
    metering.map_or(0.0, |metering| metering.shortest_phase(case.card.as_deref()).as_secs_f64())
}

/// Does the work of one process of a case, and adds the joules of the parent's meters to its outcome. An outcome without numbers stays
/// without.
fn metered(
    metering: Option<&Metering>,
    case: &Case,
    emit: &mut dyn FnMut(Event),
    work: impl FnOnce(&mut dyn FnMut(Event)) -> Option<Outcome>,
) -> Option<Outcome> {
    let mut windows = Vec::new();
    let mut outcome = work(&mut |event| match event {
        Event::Window(window) => windows.push(window),
        other => emit(other),
    })?;
    if let Some(metering) = metering.filter(|_| !outcome.values.is_empty()) {
        metering.complete(&mut outcome, &windows, case.card.as_deref());
    }
    Some(outcome)
}
