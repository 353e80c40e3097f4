//! The scenario `single-stream`, latency: one example a call, one after another.

use bakeoff_datasets::Inputs;
use bakeoff_models::Model;
use bakeoff_reports::{NEEDS_MORE_QUERIES, PercentileBound, percentile_bound, quantile, upper_fence};

use super::super::{Bench, Stop};
use super::Asked;
use super::answers::Answers;
use crate::load::{StillClock, WarmUp, one_after_another, suspended_since};
use crate::phase::Phase;
use crate::protocol::Event;
use crate::stopwatch::Stopwatch;

const PHASE: Phase = Phase::PredictSingle;

impl Bench<'_> {
    /// Measures latency: from one raw example to its prediction, encoding included.
    pub(super) fn single_stream<'p>(&mut self, model: &mut dyn Model, asked: &Asked<'p>) -> Result<Answers<'p>, Stop> {
        (self.emit)(Event::Phase(PHASE));
        let examples = self.single_inputs(asked.inputs);
        let warm_up = self.warm_up(model, asked.inputs)?;
        let limits = self.case.latency.single_stream(examples.len());
        let machine = self.program.machine;
        let mut answers = Answers::of(asked.scored);
        let suspended = machine.suspended();
        let spending = self.spend();
        let predict = |row: usize| Ok::<_, Stop>(model.predict(&examples[row])?);
        let seconds =
            one_after_another(machine, examples.len(), limits, predict, |row, answer| answers.check(row, 1, &answer))?;
        let measured_s = seconds.iter().sum();
        let queries = seconds.len();
        let suspension = suspended_since(machine, suspended).err().map(|fault| fault.to_string());
        let more = self.prolong(&spending, |nth| {
            model.predict(&examples[nth % examples.len()]).map(|answer| drop(std::hint::black_box(answer)))
        })?;
        self.energy(PHASE, spending, queries + more);
        // The examples are the first test rows, in their order.
        let readings = seconds.iter().enumerate().map(|(query, seconds)| (Some(query % examples.len()), *seconds));
        self.keep(PHASE, "latency_s", ("s", "stopwatch"), readings);
        self.record_latencies(seconds, examples.len(), suspension.or(answers.fault()).as_ref());
        let settled = if warm_up.has_settled() { "" } else { ", which did not settle" };
        let note = format!("after {} predictions to warm up{settled}", warm_up.readings_s().len());
        self.record(PHASE, "queries", Some(queries as f64), "stopwatch", note);
        self.measured_for(PHASE, measured_s);
        self.transport(model, &examples)?;
        Ok(answers)
    }

    /// Measures what it takes to send an example to a model that computes in another process, and to get an answer.
    fn transport(&mut self, model: &mut dyn Model, examples: &[Inputs]) -> Result<(), Stop> {
        const QUERIES: usize = 200;
        let mut seconds = Vec::with_capacity(QUERIES);
        for example in examples.iter().cycle().take(QUERIES) {
            let stopwatch = Stopwatch::start(self.program.machine);
            if !model.echo(example)? {
                return Ok(());
            }
            seconds.push(stopwatch.seconds());
        }
        self.keep(PHASE, "transport_s", ("s", "stopwatch"), seconds.iter().map(|seconds| (None, *seconds)));
        seconds.sort_by(f64::total_cmp);
        self.record(PHASE, "transport_s", Some(quantile(&seconds, 0.5)), "stopwatch", "");
        Ok(())
    }

    /// Predicts examples until the times settle. They are the last test rows, so that the first timed ones were not predicted just before.
    fn warm_up(&mut self, model: &mut dyn Model, inputs: &Inputs) -> Result<WarmUp, Stop> {
        let mut warm_up = WarmUp::default();
        let mut clock = StillClock::default();
        for row in (0..inputs.len()).rev().cycle() {
            let example = inputs.select(&[row]);
            let stopwatch = Stopwatch::start(self.program.machine);
            std::hint::black_box(model.predict(&example)?);
            let reading_s = stopwatch.seconds();
            clock.check(reading_s)?;
            warm_up.push(reading_s);
            if warm_up.is_over() {
                break;
            }
        }
        let rows = (0..inputs.len()).rev().cycle();
        let readings = rows.zip(warm_up.readings_s()).map(|(row, seconds)| (Some(row), *seconds));
        self.keep(PHASE, "warm_up_s", ("s", "stopwatch"), readings);
        Ok(warm_up)
    }

    /// Records the percentiles of these latencies, as they were and as MLPerf's bounds, and how many are outliers.
    fn record_latencies(&mut self, mut seconds: Vec<f64>, distinct: usize, fault: Option<&String>) {
        seconds.sort_by(f64::total_cmp);
        let note = format!("{} distinct examples", distinct.min(seconds.len()));
        for (name, share) in
            [("latency_p50_s", 0.50), ("latency_p90_s", 0.90), ("latency_p95_s", 0.95), ("latency_p99_s", 0.99)]
        {
            self.record_unless(fault, PHASE, name, quantile(&seconds, share), &note);
        }
        for (name, share) in
            [("latency_p50_bound_s", 0.50), ("latency_p90_bound_s", 0.90), ("latency_p99_bound_s", 0.99)]
        {
            match percentile_bound(&seconds, share) {
                PercentileBound::Valid { bound, discarded } => {
                    let note = format!("VALID: {discarded} of {} queries are higher", seconds.len());
                    self.record_unless(fault, PHASE, name, bound, &note);
                }
                PercentileBound::TooFew { missing } => {
                    self.record(PHASE, name, None, "stopwatch", format!("{NEEDS_MORE_QUERIES}: {missing}"));
                }
            }
        }
        let fence = upper_fence(&seconds).unwrap_or(f64::INFINITY);
        let outliers = seconds.iter().filter(|seconds| **seconds > fence).count();
        let note = match seconds.last() {
            Some(longest) if outliers > 0 => format!("above {fence:.3e} s; the longest is {longest:.3e} s"),
            _ => String::new(),
        };
        self.record_unless(fault, PHASE, "latency_outliers", outliers as f64, &note);
    }
}
