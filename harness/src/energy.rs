//! The joules of phases, from samples that this process takes of the machine's meters while children work.
//!
//! A child says when each phase began and ended, on the clock that both share. It counts joules itself too, for what needs them inside
//! a fit: epochs, targets, budgets and checkpoints.

mod phase_energy;

use std::time::Duration;

use bakeoff_reports::IdleRow;

use crate::machine::Machine;
use crate::meters::{self, EnergyConfig, Sampled, Sampler, Window};
use crate::outcome::{MetricValue, Outcome};
use crate::protocol::PhaseWindow;

use phase_energy::PhaseEnergy;

/// The meters of a run, which are read all the time.
pub struct Metering {
    sampler: Sampler,
    machine: &'static dyn Machine,
    /// Watts of the idle machine by each meter, or why they are not known.
    idle_w: Vec<Result<f64, String>>,
}

/// The shortest time for which the idle machine is measured.
const IDLE: Duration = Duration::from_secs(1);

impl Metering {
    /// Starts to read the meters that a suite wants. `None` if none of them measures.
    ///
    /// # Errors
    /// If a meter that the suite names cannot be read.
    pub fn start(config: &EnergyConfig, machine: &'static dyn Machine) -> Result<Option<Metering>, String> {
        let counters = meters::open_all(config, machine)?;
        if counters.is_empty() {
            return Ok(None);
        }
        let sampler = Sampler::start(counters, machine)
            .map_err(|error| format!("cannot start the thread that reads the meters: {error}"))?;
        let unknown = || Err("the idle machine was not measured".to_owned());
        let idle_w = sampler.sampled().iter().map(|_| unknown()).collect();
        Ok(Some(Metering { sampler, machine, idle_w }))
    }

    /// The shortest phase whose joules every meter can tell.
    pub fn shortest_phase(&self) -> Duration {
        self.sampler.shortest_window()
    }

    /// Measures the idle machine, and takes its power for that of the run.
    pub fn baseline(&mut self) -> Vec<IdleRow> {
        let windows = self.idle();
        self.idle_w = windows.iter().map(|window| window.as_ref().map(Window::watts).map_err(Clone::clone)).collect();
        self.rows("before", &windows)
    }

    /// Measures the idle machine once more, after the last case.
    pub fn afterwards(&self) -> Vec<IdleRow> {
        self.rows("after", &self.idle())
    }

    /// What each meter shows while this process sleeps.
    fn idle(&self) -> Vec<Result<Window, String>> {
        let start = self.machine.moment().monotonic;
        // The first read of a sampler that has just begun comes a moment later.
        let settle = self.sampler.shortest_window() / 4;
        std::thread::sleep(settle + IDLE.max(self.sampler.shortest_window()));
        let end = self.machine.moment().monotonic;
        (0..self.sampler.sampled().len()).map(|meter| self.sampler.window(meter, start + settle, end)).collect()
    }

    fn rows(&self, when: &str, windows: &[Result<Window, String>]) -> Vec<IdleRow> {
        let row = |(sampled, window): (&Sampled, &Result<Window, String>)| IdleRow {
            at: self.machine.utc(),
            when: when.to_owned(),
            source: sampled.source.to_owned(),
            joules: window.as_ref().ok().map(Window::joules),
            seconds: window.as_ref().ok().map(Window::seconds),
            note: window.as_ref().err().cloned().unwrap_or_default(),
        };
        self.sampler.sampled().iter().zip(windows).map(row).collect()
    }

    /// Replaces the joules that a child counted by those of the samples, and adds what only these show.
    pub fn complete(&self, outcome: &mut Outcome, windows: &[PhaseWindow]) {
        for phase in windows {
            let [start, end] = [phase.start_ns, phase.end_ns].map(Duration::from_nanos);
            let of_child = |value: &MetricValue| {
                value.phase == phase.phase && value.conditions == phase.conditions && value.metric == "energy_j"
            };
            // What several meters show of a phase stands together.
            let mut at = outcome.values.iter().position(of_child).unwrap_or(outcome.values.len());
            for (meter, sampled) in self.sampler.sampled().iter().enumerate() {
                let energy = PhaseEnergy {
                    phase,
                    sampled,
                    is_first: meter == 0,
                    idle_w: self.idle_w[meter].clone(),
                    measured: self.sampler.window(meter, start, end),
                };
                let is_replaced = |value: &MetricValue| of_child(value) && value.source == sampled.source;
                let replaced = outcome.values.get(at).is_some_and(is_replaced);
                let values = energy.values();
                let after = at + values.len();
                outcome.values.splice(at..at + usize::from(replaced), values);
                at = after;
                energy.add_readings(&mut outcome.readings);
            }
        }
    }
}
