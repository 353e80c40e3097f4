//! The size of the fitted model, and the memory of the process that measured it.

use bakeoff_models::Model;

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
    }
}
