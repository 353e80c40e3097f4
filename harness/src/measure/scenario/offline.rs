//! The scenario `offline`, throughput: all test rows in one call.

use bakeoff_models::Model;
use bakeoff_reports::quantile;

use super::super::{Bench, Stop};
use super::Asked;
use super::answers::Answers;
use crate::load::ClockFault;
use crate::phase::Phase;
use crate::protocol::Event;
use crate::stopwatch::Stopwatch;

/// How many passes over the test rows are made, unless the first of them take longer than [`BATCH_BUDGET_S`] together. The throughput is
/// their median.
const BATCH_PASSES: usize = 3;
const BATCH_BUDGET_S: f64 = 4.0;

impl Bench<'_> {
    /// Measures the throughput, with all test rows in one call. The scoring pass before was the warm-up.
    pub(super) fn offline<'p>(&mut self, model: &mut dyn Model, asked: &Asked<'p>) -> Result<Answers<'p>, Stop> {
        (self.emit)(Event::Phase(Phase::PredictBatch));
        let rows = asked.inputs.len();
        let latency = &self.case.latency;
        let (least_s, most_s) = (latency.min_duration_s, latency.max_duration_s.unwrap_or(f64::INFINITY));
        let is_enough = |passes: usize, seconds: f64| {
            let has_passes = passes >= BATCH_PASSES || (passes > 0 && seconds >= BATCH_BUDGET_S);
            passes > 0 && (seconds >= most_s || (has_passes && seconds >= least_s))
        };
        let mut answers = Answers::of(asked.scored);
        let spending = self.spend();
        let mut passes_s = Vec::with_capacity(BATCH_PASSES);
        let mut measured_s = 0.0;
        while !is_enough(passes_s.len(), measured_s) {
            let pass = Stopwatch::start(self.program.machine);
            let predictions = model.predict(asked.inputs)?;
            let pass_s = pass.seconds();
            if pass_s <= 0.0 {
                return Err(ClockFault::Stopped.into());
            }
            measured_s += pass_s;
            passes_s.push(pass_s);
            answers.check(0, rows, &predictions)?;
        }
        let passes = passes_s.len();
        let more = self
            .prolong(&spending, |_| model.predict(asked.inputs).map(|answers| drop(std::hint::black_box(answers))))?;
        self.energy(Phase::PredictBatch, spending, (passes + more) * rows);
        self.keep(Phase::PredictBatch, "pass_s", ("s", "stopwatch"), passes_s.iter().map(|seconds| (None, *seconds)));
        passes_s.sort_by(f64::total_cmp);
        let throughput = rows as f64 / quantile(&passes_s, 0.5);
        let note = if passes < BATCH_PASSES { format!("{passes} of {BATCH_PASSES} passes") } else { String::new() };
        self.record_unless(answers.fault().as_ref(), Phase::PredictBatch, "throughput", throughput, &note);
        self.measured_for(Phase::PredictBatch, measured_s);
        Ok(answers)
    }
}
