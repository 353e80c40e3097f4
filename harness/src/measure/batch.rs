//! Throughput: all test rows in one call.

use std::time::Duration;

use bakeoff_datasets::Inputs;
use bakeoff_models::Model;
use bakeoff_reports::quantile;

use super::{Bench, Stop};
use crate::phase::Phase;
use crate::protocol::Event;
use crate::stopwatch::Stopwatch;

/// How many passes over the test rows are made, if they take no longer than [`BATCH_BUDGET`]. The throughput is their
/// median.
const BATCH_PASSES: usize = 3;
const BATCH_BUDGET: Duration = Duration::from_secs(4);

impl Bench<'_> {
    /// Measures the throughput, with all test rows in one call. The scoring pass before was the warm-up.
    pub(super) fn batch(&mut self, model: &mut dyn Model, inputs: &Inputs) -> Result<(), Stop> {
        (self.emit)(Event::Phase(Phase::PredictBatch));
        let spending = self.spend();
        let whole = Stopwatch::start(self.program.machine);
        let mut passes_s = Vec::with_capacity(BATCH_PASSES);
        while passes_s.len() < BATCH_PASSES && (passes_s.is_empty() || whole.seconds() < BATCH_BUDGET.as_secs_f64()) {
            let pass = Stopwatch::start(self.program.machine);
            let predictions = model.predict(inputs)?;
            passes_s.push(pass.seconds());
            std::hint::black_box(predictions);
        }
        let passes = passes_s.len();
        let more = self.prolong(&spending, |_| model.predict(inputs).map(|found| drop(std::hint::black_box(found))))?;
        self.energy(Phase::PredictBatch, spending, (passes + more) * inputs.len());
        self.keep(Phase::PredictBatch, "pass_s", ("s", "stopwatch"), passes_s.iter().map(|seconds| (None, *seconds)));
        passes_s.sort_by(f64::total_cmp);
        let median_s = quantile(&passes_s, 0.5);
        let note = if passes < BATCH_PASSES { format!("{passes} of {BATCH_PASSES} passes") } else { String::new() };
        self.record(Phase::PredictBatch, "throughput", Some(inputs.len() as f64 / median_s), "stopwatch", note);
        Ok(())
    }
}
