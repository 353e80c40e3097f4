//! Joules estimated from processor time, where no meter is readable. They are marked as an estimate wherever they are
//! shown.

use std::io;

use super::Counter;
use crate::machine::Machine;

/// `joules = watts_per_core x processor seconds of this process`. docs/methodology.md explains the formula and the
/// constant.
pub struct Estimate<'a> {
    watts_per_core: f64,
    machine: &'a dyn Machine,
}

impl<'a> Estimate<'a> {
    /// `None` if the system does not show a process's processor time.
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
