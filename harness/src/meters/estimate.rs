//! Joules estimated from processor time, where no meter is readable. They are marked as an estimate wherever they are
//! shown.

use std::time::Duration;

use super::{Counter, EnergyConfig, Fault, MeterKind, Timing, Unavailable};
use crate::machine::Machine;

/// The estimate, which a suite can switch off.
pub(super) struct Estimated;

impl MeterKind for Estimated {
    fn name(&self) -> &'static str {
        "estimate"
    }

    fn about(&self) -> &'static str {
        "processor time times a constant power"
    }

    fn is_tried(&self, _: &dyn Machine) -> bool {
        true
    }

    fn is_measured(&self) -> bool {
        false
    }

    fn open<'a>(
        &self,
        config: &EnergyConfig,
        machine: &'a dyn Machine,
        _card: Option<&str>,
    ) -> Result<Box<dyn Counter + 'a>, Unavailable> {
        if !config.estimate {
            return Err(Unavailable::because("the estimate is switched off"));
        }
        if machine.cpu_time().is_none() {
            let why = "the processor time that the estimate needs is not readable here either";
            return Err(Unavailable::because(why));
        }
        Ok(Box::new(Estimate { watts_per_core: config.watts_per_core, machine }))
    }
}

/// `joules = watts_per_core x processor seconds of this process`. docs/energy.md explains the formula and the constant.
struct Estimate<'a> {
    watts_per_core: f64,
    machine: &'a dyn Machine,
}

impl Counter for Estimate<'_> {
    fn source(&self) -> &'static str {
        "estimate"
    }

    fn how(&self) -> String {
        format!("{} W for each busy processor core", self.watts_per_core)
    }

    fn timing(&self) -> Option<Timing> {
        None
    }

    fn read_j(&mut self, _: Duration) -> Result<f64, Fault> {
        let unreadable = || Fault::Unreadable("processor time is not readable".to_owned());
        let cpu = self.machine.cpu_time().ok_or_else(unreadable)?;
        Ok(self.watts_per_core * cpu.as_secs_f64())
    }
}
