//! The one stopwatch.

use std::time::Duration;

use crate::machine::Machine;

/// Measures the time since its start.
pub struct Stopwatch<'a> {
    machine: &'a dyn Machine,
    start: Duration,
}

impl<'a> Stopwatch<'a> {
    /// Starts a stopwatch.
    pub fn start(machine: &'a dyn Machine) -> Stopwatch<'a> {
        Stopwatch { machine, start: machine.now() }
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        (self.machine.now() - self.start).as_secs_f64()
    }
}
