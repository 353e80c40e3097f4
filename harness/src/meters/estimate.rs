//! Joules from processor time: what is left where no meter is readable. Marked as an estimate wherever it is shown.

use std::io;

use super::Counter;
use crate::machine::Machine;

/// `joules = watts_per_core x processor seconds of this process`. Formula and constant: docs/methodology.md.
pub struct Estimate<'a> {
    watts_per_core: f64,
    machine: &'a dyn Machine,
}

impl<'a> Estimate<'a> {
    /// `None` where the system does not tell a process's processor time.
    pub fn new(watts_per_core: f64, machine: &'a dyn Machine) -> Option<Estimate<'a>> {
        machine.cpu_time()?;
        Some(Estimate { watts_per_core, machine })
    }
}

impl Counter for Estimate<'_> {
    fn source(&self) -> &'static str {
        "estimate"
    }

    fn read_j(&mut self) -> io::Result<f64> {
        let cpu = self.machine.cpu_time().ok_or_else(|| io::Error::other("processor time is not readable"))?;
        Ok(self.watts_per_core * cpu.as_secs_f64())
    }
}
