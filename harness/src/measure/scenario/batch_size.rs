//! Throughput, latency and energy by the number of examples in a call.

use std::time::Duration;

use bakeoff_datasets::Inputs;
use bakeoff_models::Model;
use bakeoff_reports::quantile;

use super::super::{Bench, Stop};
use super::Asked;
use super::answers::Answers;
use crate::phase::Phase;
use crate::protocol::Event;
use crate::stopwatch::Stopwatch;

/// Calls of one size are repeated for this long. It is many times the interval at which RAPL counters advance.
const WINDOW: Duration = Duration::from_millis(250);
/// How many calls of one size are made at least, if they take no longer than [`LONGEST`].
const FEWEST_CALLS: usize = 5;
const LONGEST: Duration = Duration::from_secs(4);
/// How many calls of one size are made at most.
const MOST_CALLS: usize = 1000;

impl Bench<'_> {
    /// Measures calls of each of the case's batch sizes. Each size is measured after one call that is not counted.
    pub(in crate::measure) fn batch_sizes(&mut self, model: &mut dyn Model, asked: &Asked<'_>) -> Result<(), Stop> {
        let sizes = self.case.latency.batch_sizes.clone();
        if sizes.is_empty() {
            return Ok(());
        }
        (self.emit)(Event::Phase(Phase::BatchSize));
        for (done, size) in sizes.iter().enumerate() {
            self.batch_size(model, asked, *size)?;
            (self.emit)(Event::Progress { done: done + 1, total: sizes.len() });
        }
        Ok(())
    }

    fn batch_size(&mut self, model: &mut dyn Model, asked: &Asked<'_>, size: usize) -> Result<(), Stop> {
        let machine = self.program.machine;
        let distinct = asked.inputs.len();
        let batches: Vec<Inputs> = batches(distinct, size).iter().map(|rows| asked.inputs.select(rows)).collect();
        let mut answers = Answers::of(asked.scored);
        std::hint::black_box(model.predict(&batches[0])?);
        let spending = self.spend();
        let whole = Stopwatch::start(machine);
        let mut calls_s = Vec::new();
        for (number, batch) in batches.iter().enumerate().cycle().take(MOST_CALLS) {
            let call = Stopwatch::start(machine);
            let predictions = model.predict(batch)?;
            calls_s.push(call.seconds());
            answers.check_rows(rows_of(number, size, distinct), &predictions)?;
            let so_far = whole.seconds();
            let is_long = so_far >= LONGEST.as_secs_f64();
            if is_long || (calls_s.len() >= FEWEST_CALLS && so_far >= WINDOW.as_secs_f64()) {
                break;
            }
        }
        let calls = calls_s.len();
        let conditions = format!("batch={size}");
        let of_energy = format!("batch_{size}_j");
        let more = self.prolong(&spending, |nth| {
            model.predict(&batches[nth % batches.len()]).map(|answers| drop(std::hint::black_box(answers)))
        })?;
        self.energy_under((&conditions, &of_energy), Phase::BatchSize, spending, (calls + more) * size);
        let of_calls = format!("batch_{size}_s");
        let readings = calls_s.iter().map(|seconds| (None, *seconds));
        self.keep(Phase::BatchSize, &of_calls, ("s", "stopwatch"), readings.collect::<Vec<_>>());
        calls_s.sort_by(f64::total_cmp);
        let median_s = quantile(&calls_s, 0.5);
        let mut note = if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") };
        if size > distinct {
            note += &format!(" of {distinct} distinct examples");
        }
        let fault = answers.fault();
        for (metric, value) in [("latency_p50_s", median_s), ("throughput", size as f64 / median_s)] {
            let (value, note) = fault.as_deref().map_or((Some(value), note.as_str()), |fault| (None, fault));
            self.record_under(&conditions, Phase::BatchSize, metric, value, "stopwatch", note);
        }
        Ok(())
    }
}

/// The rows of call `number` of `size` examples: the test rows in their order, from the first again after the last.
fn rows_of(number: usize, size: usize, distinct: usize) -> impl ExactSizeIterator<Item = usize> {
    (0..size).map(move |at| (number * size + at) % distinct)
}

/// The rows of calls of `size` examples. There are as many calls as it takes to have every row in one, up to [`MOST_CALLS`].
fn batches(distinct: usize, size: usize) -> Vec<Vec<usize>> {
    let number = distinct.div_ceil(size).min(MOST_CALLS);
    (0..number).map(|number| rows_of(number, size, distinct).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_have_every_row_and_one_size() {
        let made = |size| batches(5, size);
        assert_eq!(made(1), [[0], [1], [2], [3], [4]]);
        assert_eq!(made(2), [[0, 1], [2, 3], [4, 0]]);
        assert_eq!(made(7), [[0, 1, 2, 3, 4, 0, 1]]);
    }
}
