//! Energy meters: where joules come from. docs/energy.md says what each of them shows and what it does not.

mod estimate;
mod kept_up;
mod nvml;
mod rapl;
mod register;
mod sampler;
mod steady;
mod trace;

pub use kept_up::KeptUp;
pub use sampler::{Sampled, Sampler};
pub use steady::Steady;
pub use trace::{Sample, Trace, Window};

use std::fmt;
use std::time::Duration;

use bakeoff_models::unknown_name;
use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// A kind of meter. Each is a line of [`METERS`].
pub trait MeterKind: Sync {
    /// Its name, which is the `source` of the joules in a record.
    fn name(&self) -> &'static str;
    /// What it is, in a line.
    fn about(&self) -> &'static str;
    /// Whether it is tried on this machine if a suite names no meter.
    fn is_tried(&self, machine: &dyn Machine) -> bool;
    /// Whether its joules are measured, and not computed from something else.
    fn is_measured(&self) -> bool {
        true
    }
    /// Opens the meter of this machine. `card` is the address of the graphics card that a case computes on, if any: a meter of cards
    /// then counts this one only.
    ///
    /// # Errors
    /// Why it gives no joules here, and what enables it.
    fn open<'a>(
        &self,
        config: &EnergyConfig,
        machine: &'a dyn Machine,
        card: Option<&str>,
    ) -> Result<Box<dyn Counter + 'a>, Unavailable>;
}

/// The meter of NVIDIA's GPUs.
pub const NVML: &str = "nvml";

/// Every kind of meter, in the order in which they are tried.
pub static METERS: &[&dyn MeterKind] = &[&rapl::OfHardware, &rapl::OfHypervisor, &nvml::Nvml, &estimate::Estimated];

/// A counter of joules that only grows.
pub trait Counter: Send {
    /// The name of its kind, which is the `source` of a record.
    fn source(&self) -> &'static str;
    /// What it counts, for the note of a record: which packages, which GPUs, in which way.
    fn how(&self) -> String;
    /// The address of the graphics card whose joules it counts. `None` if it counts those of the machine.
    fn card(&self) -> Option<&str> {
        None
    }
    /// When it must be read. `None` if each read is exact, so that nothing has to be read between two of them.
    fn timing(&self) -> Option<Timing>;
    /// Joules since some fixed moment, corrected for what the hardware does. `now` is the moment of the read on the clock that all
    /// processes of the machine share.
    ///
    /// # Errors
    /// If it cannot be read, or if joules were lost since the read before.
    fn read_j(&mut self, now: Duration) -> Result<f64, Fault>;
}

/// Why a read gave no joules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The meter could not be read now. Nothing is lost: a later read counts on.
    Unreadable(String),
    /// The joules since the read before are unknown. The counter starts anew from here.
    Lost(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Unreadable(why) => write!(f, "the meter could not be read: {why}"),
            Fault::Lost(why) => f.write_str(why),
        }
    }
}

/// When a counter must be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How old what it shows can be.
    pub update: Duration,
    /// The time between two reads of a sampler.
    pub poll: Duration,
    /// The longest time between two reads without which nothing is lost.
    pub keep_up: Duration,
}

/// The share of a window by which its edges may be misplaced. docs/energy.md derives it.
pub(crate) const MAX_EDGE_ERROR: f64 = 0.02;

impl Timing {
    /// The shortest window whose joules are known: each edge is misplaced by at most one update and a quarter of the time between two
    /// reads, which on a busy machine may be four times as far apart as planned.
    pub fn shortest_window(self) -> Duration {
        (self.update + self.poll).mul_f64(2.0 / MAX_EDGE_ERROR)
    }
}

/// Why a kind of meter gives no joules here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// The reason.
    pub why: String,
    /// Ways to enable it, each a sentence with a command.
    pub remedy: Vec<String>,
}

impl Unavailable {
    /// A reason that nothing can be done about.
    fn because(why: impl Into<String>) -> Unavailable {
        Unavailable { why: why.into(), remedy: Vec::new() }
    }
}

/// How a suite wants energy measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnergyConfig {
    /// The meters that are read. If there are none, the first of [`METERS`] that is readable.
    pub meters: Vec<String>,
    /// Whether to estimate joules if no meter is readable. If not, such runs have no joules.
    pub estimate: bool,
    /// Watts of one busy core, for the estimate. docs/energy.md has the source of the default.
    pub watts_per_core: f64,
}

impl EnergyConfig {
    /// Whether a suite names this meter.
    pub fn names(&self, meter: &str) -> bool {
        self.meters.iter().any(|name| name == meter)
    }
}

impl Default for EnergyConfig {
    fn default() -> EnergyConfig {
        EnergyConfig { meters: Vec::new(), estimate: true, watts_per_core: 12.0 }
    }
}

/// Opens the meter that every case has joules from: the first that the suite names, or the first that is readable. `card` is as in
/// [`MeterKind::open`].
///
/// # Errors
/// Why there is no meter.
pub fn open<'a>(
    config: &EnergyConfig,
    machine: &'a dyn Machine,
    card: Option<&str>,
) -> Result<Box<dyn Counter + 'a>, String> {
    if let Some(name) = config.meters.first() {
        return open_named(name, config, machine, card);
    }
    let mut reasons = Vec::new();
    for kind in METERS.iter().filter(|kind| kind.is_tried(machine)) {
        match kind.open(config, machine, card) {
            Ok(counter) => return Ok(counter),
            Err(Unavailable { why, .. }) => reasons.push(why),
        }
    }
    Err(reasons.join("; "))
}

/// Opens every meter that measures and that the suite wants, the one that every case has joules from first. None if only an estimate
/// gives joules.
///
/// # Errors
/// If a meter that the suite names is not readable.
pub fn open_all<'a>(config: &EnergyConfig, machine: &'a dyn Machine) -> Result<Vec<Box<dyn Counter + 'a>>, String> {
    if config.meters.is_empty() {
        return Ok(open(config, machine, None).ok().filter(|counter| counter.timing().is_some()).into_iter().collect());
    }
    config.meters.iter().map(|name| open_named(name, config, machine, None)).collect()
}

/// Opens a meter for each of these graphics cards that has one. A suite that names meters, and not this one, has none.
pub fn open_cards<'a>(config: &EnergyConfig, machine: &'a dyn Machine, cards: &[String]) -> Vec<Box<dyn Counter + 'a>> {
    if !config.meters.is_empty() && !config.names(NVML) {
        return Vec::new();
    }
    cards.iter().filter_map(|card| nvml::Nvml.open(config, machine, Some(card)).ok()).collect()
}

/// The names of the meters that cases have joules from, the first one first, and last that of the graphics cards that they compute on.
///
/// # Errors
/// Why there is none.
pub fn sources(config: &EnergyConfig, machine: &dyn Machine, cards: &[String]) -> Result<Vec<&'static str>, String> {
    let mut sources = if config.meters.is_empty() {
        open(config, machine, None).map(|counter| vec![counter.source()])
    } else {
        open_all(config, machine).map(|counters| counters.iter().map(|counter| counter.source()).collect())
    };
    if !open_cards(config, machine, cards).is_empty() && !config.names(NVML) {
        sources = Ok(sources.into_iter().flatten().chain([NVML]).collect());
    }
    sources
}

/// Opens the meter of this name. `card` is as in [`MeterKind::open`].
///
/// # Errors
/// If there is none that measures, or why it is not readable.
pub fn open_named<'a>(
    name: &str,
    config: &EnergyConfig,
    machine: &'a dyn Machine,
    card: Option<&str>,
) -> Result<Box<dyn Counter + 'a>, String> {
    let unavailable = |Unavailable { why, .. }| format!("{why}; `bakeoff doctor` shows what enables it");
    kind_named(name)?.open(config, machine, card).map_err(unavailable)
}

/// The kind of meter of this name that measures.
///
/// # Errors
/// If there is none.
pub fn kind_named(name: &str) -> Result<&'static dyn MeterKind, String> {
    let measuring = || METERS.iter().copied().filter(|kind| kind.is_measured());
    if METERS.iter().any(|kind| kind.name() == name && !kind.is_measured()) {
        return Err(format!("'{name}' is no meter: it is used where no meter is readable, unless estimate = false"));
    }
    measuring().find(|kind| kind.name() == name).ok_or_else(|| {
        let known: Vec<&str> = measuring().map(|kind| kind.name()).collect();
        unknown_name("meter", name, &known)
    })
}

#[cfg(test)]
mod tests;
