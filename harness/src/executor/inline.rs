//! Cases in this process, for debuggers, profilers and tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bakeoff_reports::RunDir;

use super::steps::UnderWay;
use super::{Local, metered, shortest_phase_s};
use crate::case::Case;
use crate::energy::Metering;
use crate::interrupt;
use crate::outcome::Outcome;
use crate::program::Program;
use crate::protocol::{Event, Request};
use crate::worker;

/// Carries out cases in this process, for debuggers, profilers and tests. There is no time-out and no memory limit, and
/// a crash ends the run.
pub struct Inline {
    /// The program.
    pub program: Program,
    /// A folder from which samples are read instead of the built-in ones.
    pub samples: Option<PathBuf>,
    /// The directory of the run to which the cases belong, if any.
    pub run: Option<RunDir>,
    /// The meters of the run, if any measures.
    pub metering: Option<Arc<Metering>>,
}

impl Local for Inline {
    fn fit(&self, case: &Case, emit: &mut dyn FnMut(Event)) -> Option<UnderWay> {
        let request = Request::new(case, self.samples.as_ref(), self.run.as_ref());
        let phase_s = shortest_phase_s(self.metering.as_deref(), case);
        UnderWay::begin(Request { alone: false, phase_s, ..request }, self.run.as_ref(), &mut self.step(emit))
    }

    fn serve(&self, case: &mut UnderWay, emit: &mut dyn FnMut(Event)) -> Option<()> {
        case.serve(&mut self.step(emit))
    }
}

impl Inline {
    fn step<'a>(
        &'a self,
        emit: &'a mut dyn FnMut(Event),
    ) -> impl FnMut(&Request, &mut Duration) -> Option<Outcome> + 'a {
        move |request, left| {
            let begun = Instant::now();
            let outcome = metered(self.metering.as_deref(), &request.case, emit, |emit| {
                Some(worker::measure_safely(&self.program, request, emit))
            });
            *left = left.saturating_sub(begun.elapsed());
            outcome.filter(|_| !interrupt::requested())
        }
    }
}
