//! Energy meters: where joules come from, and how a window of time is measured.

mod estimate;
mod rapl;

pub use estimate::Estimate;
pub use rapl::Rapl;

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// A counter of joules that only grows.
pub trait Counter {
    /// The source of the joules, as the `source` of a record: `rapl` or `estimate`.
    fn source(&self) -> &'static str;
    /// Joules since some fixed moment, corrected for the wrap-around of the hardware's register.
    ///
    /// # Errors
    /// If the hardware's register cannot be read.
    fn read_j(&mut self) -> io::Result<f64>;
}

/// How a suite wants energy measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnergyConfig {
    /// Whether to estimate joules if no meter is readable. If not, such runs have no joules.
    pub estimate: bool,
    /// Watts of one busy core, for the estimate. docs/methodology.md has the source of the default.
    pub watts_per_core: f64,
}

impl Default for EnergyConfig {
    fn default() -> EnergyConfig {
        EnergyConfig { estimate: true, watts_per_core: 12.0 }
    }
}

/// Opens the best meter of this machine. That is RAPL if it is readable, or else the estimate if it is wanted.
///
/// # Errors
/// Why there is no meter, and how to get joules.
pub fn open<'a>(config: &EnergyConfig, machine: &'a dyn Machine) -> Result<Box<dyn Counter + 'a>, String> {
    let reason = match Rapl::open(&machine.powercap()) {
        Ok(rapl) => return Ok(Box::new(rapl)),
        Err(reason) => reason,
    };
    if !config.estimate {
        return Err(format!("{reason}; the estimate is switched off"));
    }
    Estimate::new(config.watts_per_core, machine)
        .map(|estimate| Box::new(estimate) as Box<dyn Counter + 'a>)
        .ok_or_else(|| format!("{reason}; the processor time that the estimate needs is not readable here either"))
}

/// What a meter measured while this process slept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdleWindow {
    /// The meter's joules before the window and after it.
    pub reads_j: [f64; 2],
    /// The length of the window in seconds.
    pub seconds: f64,
}

impl IdleWindow {
    /// Sleeps for `window` between two reads of `counter`. `None` for an estimate, because it cannot measure an idle
    /// machine.
    pub fn measure(counter: &mut dyn Counter, machine: &dyn Machine, window: Duration) -> Option<IdleWindow> {
        if counter.source() == "estimate" {
            return None;
        }
        let (from, before) = (machine.now(), counter.read_j().ok()?);
        std::thread::sleep(window);
        let after = counter.read_j().ok()?;
        Some(IdleWindow { reads_j: [before, after], seconds: (machine.now() - from).as_secs_f64() })
    }

    /// The mean power over the window, in watts.
    pub fn watts(&self) -> f64 {
        (self.reads_j[1] - self.reads_j[0]) / self.seconds
    }
}
