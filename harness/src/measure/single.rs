//! Measures latency: one example a call.

use bakeoff_datasets::Inputs;
use bakeoff_models::Model;
use bakeoff_reports::quantile;

use super::{Bench, Stop};
use crate::phase::Phase;
use crate::protocol::Event;
use crate::stopwatch::Stopwatch;

/// How many single predictions are made before the timed ones.
const WARM_UP: usize = 20;

impl Bench<'_> {
    /// Measures latency: from one raw example to its prediction, encoding included.
    pub(super) fn single(&mut self, model: &mut dyn Model, inputs: &Inputs) -> Result<(), Stop> {
        (self.emit)(Event::Phase(Phase::PredictSingle));
        let examples: Vec<Inputs> =
            (0..inputs.len().min(self.case.latency_examples)).map(|row| inputs.select(&[row])).collect();
        for example in examples.iter().cycle().take(WARM_UP) {
            std::hint::black_box(model.predict(example)?);
        }
        let spending = self.spend();
        let mut seconds = Vec::with_capacity(examples.len());
        for example in &examples {
            let stopwatch = Stopwatch::start(self.program.machine);
            let prediction = model.predict(example)?;
            seconds.push(stopwatch.seconds());
            std::hint::black_box(prediction);
        }
        let more = self.prolong(&spending, |nth| {
            model.predict(&examples[nth % examples.len()]).map(|found| drop(std::hint::black_box(found)))
        })?;
        self.energy(Phase::PredictSingle, spending, examples.len() + more);
        // The examples are the first test rows, in their order.
        let readings = seconds.iter().enumerate().map(|(row, seconds)| (Some(row), *seconds));
        self.keep(Phase::PredictSingle, "latency_s", ("s", "stopwatch"), readings);
        seconds.sort_by(f64::total_cmp);
        let note = format!("{} distinct examples", examples.len());
        for (name, share) in
            [("latency_p50_s", 0.50), ("latency_p90_s", 0.90), ("latency_p95_s", 0.95), ("latency_p99_s", 0.99)]
        {
            self.record(Phase::PredictSingle, name, Some(quantile(&seconds, share)), "stopwatch", note.as_str());
        }
        Ok(())
    }
}
