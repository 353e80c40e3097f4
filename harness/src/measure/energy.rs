//! The joules of a phase, as the process of the case counts them. The parent has more samples of a meter, and replaces these numbers
//! by its own (`energy.rs`).

use std::time::Duration;

use bakeoff_models::ModelError;

use super::{Bench, Stop};
use crate::checkpoint::MeasuredFit;
use crate::load::StillClock;
use crate::phase::Phase;
use crate::protocol::{EarlierParts, Event, PhaseWindow};

/// A phase whose joules are being counted.
pub(super) struct Spending {
    /// On the clock that the parent shares.
    pub(super) start: Duration,
    /// What the meter showed, or why it showed nothing.
    pub(super) before: Result<f64, String>,
    /// What earlier processes did of a fit.
    pub(super) earlier: EarlierParts,
}

impl Bench<'_> {
    /// Begins to count the joules of a phase.
    pub(super) fn spend(&mut self) -> Spending {
        let before = self.meter.begin();
        Spending { start: self.moment(), before, earlier: EarlierParts::none() }
    }

    /// Counts on from what earlier processes measured of a fit.
    pub(super) fn spend_on(&mut self, earlier: &MeasuredFit) -> Spending {
        let before = self.meter.count_on(&earlier.joules);
        let joules = before.clone().and_then(|_| earlier.joules.spent_j());
        let (parts, seconds) = (earlier.parts_s.len(), earlier.parts_s.iter().sum());
        Spending { start: self.moment(), before, earlier: EarlierParts { parts, seconds, joules } }
    }

    /// Now, on the clock that the parent shares.
    pub(super) fn moment(&self) -> Duration {
        self.program.machine.moment().monotonic
    }

    /// Repeats work until the phase is long enough for the meters of the run. Returns how often it was repeated.
    pub(super) fn prolong(
        &mut self,
        spending: &Spending,
        mut work: impl FnMut(usize) -> Result<(), ModelError>,
    ) -> Result<usize, Stop> {
        let until = spending.start + Duration::try_from_secs_f64(self.request.phase_s).unwrap_or_default();
        let mut times = 0;
        let mut clock = StillClock::default();
        let mut now = self.moment();
        while now < until {
            work(times)?;
            times += 1;
            let before = std::mem::replace(&mut now, self.moment());
            clock.check(now.saturating_sub(before).as_secs_f64())?;
        }
        Ok(times)
    }

    /// Records the joules of a phase that ended now, divided by `count` predictions (1 for a fit).
    pub(super) fn energy(&mut self, phase: Phase, spending: Spending, count: usize) {
        self.energy_under(("", "energy_j"), phase, spending, count);
    }

    /// As [`Bench::energy`], for joules that were measured under further conditions. Their readings have a name of their own.
    pub(super) fn energy_under(&mut self, named: (&str, &str), phase: Phase, spending: Spending, count: usize) {
        let end = self.moment();
        self.energy_until(end, named, phase, spending, count);
    }

    /// Records the joules of a phase that ended at a moment.
    pub(super) fn energy_until(
        &mut self,
        end: Duration,
        (conditions, reading): (&str, &str),
        phase: Phase,
        spending: Spending,
        count: usize,
    ) {
        let Spending { start, before, earlier } = spending;
        let spent = before.and_then(|before| self.meter.read_j().map(|after| (after - before) / count as f64));
        let source = self.meter.source();
        let (joules, reason) = match spent {
            Ok(joules) => (Some(joules), String::new()),
            Err(reason) => (None, reason),
        };
        self.record_under(conditions, phase, "energy_j", joules, source, reason.as_str());
        if phase == Phase::Fit && self.meter.is_sampled() {
            self.record(phase, "counted_j", joules, source, reason);
        }
        let reads = self.meter.take_reads_j();
        self.keep(phase, reading, ("J", source), reads.into_iter().map(|joules| (None, joules)));
        let [start_ns, end_ns] = [start, end].map(|at| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX));
        let conditions = conditions.to_owned();
        (self.emit)(Event::Window(PhaseWindow { phase, conditions, start_ns, end_ns, count, earlier }));
    }
}
