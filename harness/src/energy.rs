//! The joules of phases, from samples that this process takes of the machine's meters while children work.
//!
//! A child says when each phase began and ended, on the clock that both share. It counts joules itself too, for what needs them inside
//! a fit: epochs, targets, budgets and checkpoints.

mod phase_energy;

use std::time::Duration;

use bakeoff_reports::IdleRow;

use crate::machine::Machine;
use crate::meters::{self, EnergyConfig, NVML, Sampled, Sampler, Window};
use crate::outcome::{MetricValue, Outcome};
use crate::protocol::PhaseWindow;

use phase_energy::PhaseEnergy;

/// The meters of a run, which are read all the time.
pub struct Metering {
    sampler: Sampler,
    machine: &'static dyn Machine,
    /// Watts of the idle machine by each meter, or why they are not known.
    idle_w: Vec<Result<f64, String>>,
    /// The source of the joules that children count. `None` if they only estimate.
    of_children: Option<&'static str>,
    /// Whether phases are made as long as the meter of a card needs, which is many times what others need: if the suite names it.
    waits_for_cards: bool,
}

/// The shortest time for which the idle machine is measured.
const IDLE: Duration = Duration::from_secs(1);

impl Metering {
    /// Starts to read the meters that a suite wants, and those of the graphics cards at these addresses, on which cases compute. `None`
    /// if none of them measures.
    ///
    /// # Errors
    /// If a meter that the suite names cannot be read.
    pub fn start(
        config: &EnergyConfig,
        machine: &'static dyn Machine,
        cards: &[String],
    ) -> Result<Option<Metering>, String> {
        let mut counters = meters::open_all(config, machine)?;
        let of_children = counters.first().map(|counter| counter.source());
        counters.extend(meters::open_cards(config, machine, cards));
        if counters.is_empty() {
            return Ok(None);
        }
        let sampler = Sampler::start(counters, machine)
            .map_err(|error| format!("cannot start the thread that reads the meters: {error}"))?;
        let unknown = || Err("the idle machine was not measured".to_owned());
        let idle_w = sampler.sampled().iter().map(|_| unknown()).collect();
        Ok(Some(Metering { sampler, machine, idle_w, of_children, waits_for_cards: config.names(NVML) }))
    }

    /// How long a phase must be so that the meters of a case can tell its joules. `card` is the address of the graphics card that it
    /// computes on, if any.
    pub fn shortest_phase(&self, card: Option<&str>) -> Duration {
        self.shortest_window(|sampled| self.is_of_case(sampled, card))
    }

    /// The longest of the shortest windows of some of the meters that are waited for.
    fn shortest_window(&self, is_one: impl Fn(&Sampled) -> bool) -> Duration {
        let waited_for = self.sampler.sampled().iter().filter(|sampled| self.is_waited_for(sampled) && is_one(sampled));
        waited_for.map(|sampled| sampled.timing.shortest_window()).max().unwrap_or_default()
    }

    fn is_waited_for(&self, sampled: &Sampled) -> bool {
        sampled.card.is_none() || self.waits_for_cards
    }

    /// Whether a meter counts for a case that computes on this card, if any: of all meters of cards only that of its own.
    fn is_of_case(&self, sampled: &Sampled, card: Option<&str>) -> bool {
        match &sampled.card {
            Some(own) => card == Some(own),
            None => card.is_none() || sampled.source != NVML,
        }
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
        let shortest = self.shortest_window(|_| true);
        let settle = shortest / 4;
        std::thread::sleep(settle + IDLE.max(shortest));
        let end = self.machine.moment().monotonic;
        let window = |(meter, sampled): (usize, &Sampled)| {
            if !self.is_waited_for(sampled) {
                let asked = format!("name it in [energy] meters = [\"{}\"]", sampled.source);
                return Err(format!("the idle card is only measured if the suite asks for it: {asked}"));
            }
            self.sampler.window(meter, start + settle, end)
        };
        self.sampler.sampled().iter().enumerate().map(window).collect()
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

    /// Replaces the joules that a child counted by those of the samples, and adds what only these show. `card` is the address of the
    /// graphics card that the child computed on, if any.
    pub fn complete(&self, outcome: &mut Outcome, windows: &[PhaseWindow], card: Option<&str>) {
        for phase in windows {
            let [start, end] = [phase.start_ns, phase.end_ns].map(Duration::from_nanos);
            let of_child = |value: &MetricValue| {
                value.phase == phase.phase && value.conditions == phase.conditions && value.metric == "energy_j"
            };
            // What several meters show of a phase stands together, and an estimate before it.
            let is_sampled = |value: &MetricValue| self.sampler.sampled().iter().any(|one| one.source == value.source);
            let counted = outcome.values.iter().position(of_child);
            let mut at = counted.map_or(outcome.values.len(), |at| at + usize::from(!is_sampled(&outcome.values[at])));
            let of_case = |(_, sampled): &(usize, &Sampled)| self.is_of_case(sampled, card);
            for (meter, sampled) in self.sampler.sampled().iter().enumerate().filter(of_case) {
                let energy = PhaseEnergy {
                    phase,
                    sampled,
                    is_first: self.of_children == Some(sampled.source),
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
