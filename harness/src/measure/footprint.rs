//! The size of the fitted model, and the memory that the process has held that measured it.

use bakeoff_models::{Device, Model};

use super::Bench;
use crate::phase::Phase;

impl Bench<'_> {
    pub(super) fn footprint(&mut self, model: &dyn Model) {
        let footprint = model.footprint();
        self.record(Phase::Case, "parameters", Some(footprint.parameters as f64), "model", "");
        match footprint.flops_per_example {
            Some(flops) => self.record(Phase::Case, "flops", Some(flops as f64), "model", ""),
            None => self.record(Phase::Case, "flops", None, "model", "not countable for this model"),
        }
        match footprint.weight_bytes {
            Some(bytes) => self.record(Phase::Case, "weight_bytes", Some(bytes as f64), "model", ""),
            None => self.record(Phase::Case, "weight_bytes", None, "model", "not countable for this model"),
        }
        if let Some(peak) = self.case.peak {
            self.record(Phase::Case, "peak_flops_per_s", Some(peak.flops_per_s), "stopwatch", "");
            self.record(Phase::Case, "peak_bytes_per_s", Some(peak.bytes_per_s), "stopwatch", "");
        }
        match self.program.machine.peak_memory_bytes() {
            Some(bytes) => {
                self.record_reading(Phase::Case, "peak_memory_bytes", ("B", "kernel"), (None, bytes as f64));
            }
            None => self.record(Phase::Case, "peak_memory_bytes", None, "kernel", "this system does not show it"),
        }
        self.device_memory(Phase::Case);
    }

    /// Records the memory of the graphics card that this process has held, if the case computes on one.
    pub(super) fn device_memory(&mut self, phase: Phase) {
        if self.case.exclusive_card().is_none() {
            return;
        }
        let held =
            Device::named(&self.case.device).ok().and_then(|device| self.program.machine.device_memory_bytes(device));
        match held {
            _ if !self.request.alone => {
                let why = "the case ran inside the program's own process, which may have held memory for others";
                self.record(phase, "device_memory_bytes", None, "library", why);
            }
            Some(bytes) => self.record_reading(phase, "device_memory_bytes", ("B", "library"), (None, bytes as f64)),
            None => self.record(phase, "device_memory_bytes", None, "library", "the graphics library does not show it"),
        }
    }
}
