//! Queries one after another, as in the scenario `single-stream`: the next arrives when the one before is answered.

use super::{ClockFault, Limits, StillClock};
use crate::machine::Machine;
use crate::stopwatch::Stopwatch;

/// Lets `predict` answer one of `examples` examples after another, until the limits are met. Gives the seconds of each. `take` is given each
/// answer when no stopwatch runs.
///
/// An example comes again only after all others: a cache with room for fewer of them never has the one that is wanted.
///
/// # Errors
/// Those of `predict` and `take`, and if the clock stands still.
pub fn one_after_another<A, E: From<ClockFault>>(
    machine: &dyn Machine,
    examples: usize,
    limits: Limits,
    mut predict: impl FnMut(usize) -> Result<A, E>,
    mut take: impl FnMut(usize, A) -> Result<(), E>,
) -> Result<Vec<f64>, E> {
    let mut clock = StillClock::default();
    let mut latencies_s = Vec::with_capacity(limits.min_queries);
    let mut measured_s = 0.0;
    while !limits.are_met(latencies_s.len(), measured_s) {
        let example = latencies_s.len() % examples;
        let stopwatch = Stopwatch::start(machine);
        let answer = predict(example)?;
        let latency_s = stopwatch.seconds();
        clock.check(latency_s)?;
        take(example, answer)?;
        latencies_s.push(latency_s);
        measured_s += latency_s;
    }
    Ok(latencies_s)
}
