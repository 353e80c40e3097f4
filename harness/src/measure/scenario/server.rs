//! The scenario `server`: queries arrive at random times, and the highest rate is searched for at which 99 % of them are answered within a
//! bound.

use std::time::Duration;

use bakeoff_models::{Device, Model};
use bakeoff_reports::{quantile, queries_needed};

use super::super::{Bench, Stop};
use super::Asked;
use super::answers::Answers;
use super::rates::Rate;
use super::team::{Alone, Fault, Loaded, Team, or_stop, with_several};
use crate::load::{ClockFault, SERVER_PERCENTILE, Served, arrivals, highest_rate, suspended_since};
use crate::phase::Phase;
use crate::protocol::Event;

const PHASE: Phase = Phase::Server;

/// The share of a case's time-out that the search may use with all that was before it. What comes after needs the rest.
const SHARE_OF_TIMEOUT: f64 = 0.8;

/// The most queries that a rate gets only so that a full queue shows itself. Our own choice: each query is stored.
const MOST_TO_FILL: usize = 20_000;

/// The remark on a search whose first and highest rate held.
const NOT_FULL: &str = ", the queue did not fill: a longer measurement (min_duration_s) may find a lower rate";

/// What the scenario found.
struct Found {
    /// The highest rate that holds, or why there is none.
    highest: Result<Rate, String>,
    /// How many rates were tried.
    tried: usize,
    /// A remark on the search.
    remark: &'static str,
}

impl Bench<'_> {
    /// Measures the scenario on one instance of the model or on several.
    pub(super) fn server<'p>(&mut self, model: &mut dyn Model, asked: &Asked<'p>) -> Result<Answers<'p>, Stop> {
        (self.emit)(Event::Phase(PHASE));
        let examples = self.single_inputs(asked.inputs);
        let none = Answers::of(asked.scored);
        let mut answers = none.clone();
        let machine = self.program.machine;
        let suspended = machine.suspended();
        let values_before = self.outcome.values.len();
        let workers = self.case.latency.workers;
        let found = if workers == 1 {
            let mut team = Alone { machine, model, examples: &examples, answers: &mut answers };
            self.load_up(&mut team, examples.len())
        } else {
            let (program, case) = (self.program, self.case);
            let entry = program.model(&case.model).ok_or_else(|| Stop::failed(format!("no model '{}'", case.model)))?;
            let device =
                Device::named(&case.device).ok_or_else(|| Stop::failed(format!("no device '{}'", case.device)))?;
            let threads = (case.threads / workers).max(1);
            let loaded = Loaded { machine, entry, folder: asked.artefact, device, threads, examples: &examples };
            with_several(workers, loaded, &mut answers, &none, |team| self.load_up(team, examples.len()))
        };
        let found = or_stop(found)?.and_then(|found| suspended_since(machine, suspended).map(|()| found));
        let fault = found.as_ref().err().map(ToString::to_string).or(answers.fault());
        if fault.is_some() {
            self.outcome.values.truncate(values_before);
        }
        let bound_s = self.bound().as_secs_f64();
        self.record(PHASE, "declared_bound_s", Some(bound_s), "suite", "");
        match (fault, found) {
            (None, Ok(Found { highest: Ok(rate), tried, remark })) => {
                let note = format!("{}; {tried} rates tried{remark}", rate.verdict());
                self.record(PHASE, "max_rate_per_s", Some(rate.rate_per_s), "stopwatch", note);
                self.record_times(&rate);
            }
            (None, Ok(Found { highest: Err(reason), tried, remark })) => {
                let note = format!("{reason}; {tried} rates tried{remark}");
                self.record(PHASE, "max_rate_per_s", None, "stopwatch", note);
            }
            (fault, _) => self.record(PHASE, "max_rate_per_s", None, "stopwatch", fault.unwrap_or_default()),
        }
        Ok(answers)
    }

    fn bound(&self) -> Duration {
        Duration::from_secs_f64(self.case.latency.bound_ms.unwrap_or_default() / 1e3)
    }

    /// Finds the capacity of a team, and then the highest rate that it holds.
    fn load_up(&mut self, team: &mut dyn Team, examples: usize) -> Result<Found, Fault> {
        let limits = self.case.latency.server();
        let bound = self.bound();
        let needed = queries_needed(0, SERVER_PERCENTILE);
        // All arrive at once, so that a worker never waits. Only a load that takes too long ends early.
        let all = vec![Duration::ZERO; needed.max(limits.min_queries.min(limits.max_queries))];
        let served = team.serve(&all, Duration::from_secs_f64(limits.max_duration_s), 0)?;
        self.keep_queries("all-at-once", &served, examples);
        let last_s = served.iter().map(Served::latency).max().unwrap_or_default().as_secs_f64();
        if last_s <= 0.0 {
            return Err(ClockFault::Stopped.into());
        }
        let capacity = served.len() as f64 / last_s;
        self.record(PHASE, "capacity_per_s", Some(capacity), "stopwatch", format!("of {} queries", served.len()));
        if let Some(reason) = too_slow(&served, bound) {
            return Ok(Found { highest: Err(reason), tried: 0, remark: "" });
        }
        let lowest = needed as f64 / limits.max_duration_s;
        if self.case.latency.rates_per_s.is_empty() && lowest > capacity {
            let reason = format!(
                "at {} queries per second, which is all it can do, there are fewer than the {needed} queries that the 99th \
                 percentile needs in max_duration_s = {}",
                rounded(capacity),
                limits.max_duration_s
            );
            return Ok(Found { highest: Err(reason), tried: 0, remark: "" });
        }
        self.find(team, examples, lowest, capacity)
    }

    /// Tries the rates of the suite, or searches between `lowest` and `capacity`.
    fn find(&mut self, team: &mut dyn Team, examples: usize, lowest: f64, capacity: f64) -> Result<Found, Fault> {
        let declared = self.case.latency.rates_per_s.clone();
        let (mut highest, mut tried, mut remark): (Option<Rate>, usize, &'static str) = (None, 0, "");
        let mut holds = |rate_per_s: f64| -> Result<bool, Fault> {
            let queries = self.queries_at(rate_per_s, capacity);
            if !self.has_time_for(rate_per_s, queries) {
                remark = ", and timeout_s leaves no time for another: raise it";
                return Ok(false);
            }
            let rate = self.serve_rate(team, rate_per_s, queries, examples)?;
            tried += 1;
            let holds = rate.holds();
            if holds && highest.as_ref().is_none_or(|highest| highest.rate_per_s < rate.rate_per_s) {
                highest = Some(rate);
            }
            Ok(holds)
        };
        if declared.is_empty() {
            let found = highest_rate(lowest, capacity, |rate_per_s| holds(rounded(rate_per_s)))?;
            if found.held == Some(capacity) {
                remark = NOT_FULL;
            }
        } else {
            for rate_per_s in &declared {
                holds(*rate_per_s)?;
            }
        }
        let bound_ms = self.case.latency.bound_ms.unwrap_or_default();
        let reason = match declared.as_slice() {
            [] => format!("no rate from {} per second on holds the bound of {bound_ms} ms", rounded(lowest)),
            _ => format!("no declared rate holds the bound of {bound_ms} ms"),
        };
        Ok(Found { highest: highest.ok_or(reason), tried, remark })
    }

    /// How many queries a rate gets. At the capacity, the wait is a random walk: its standard deviation is `sqrt(n)` services after `n`
    /// queries that arrive by a Poisson process and are all served in the same time. So many are made that it is twice the bound, because
    /// with fewer, the queue is not full yet when the rate ends, and a rate holds that could not be held for long.
    fn queries_at(&self, rate_per_s: f64, capacity: f64) -> usize {
        let limits = self.case.latency.server();
        let to_fill = (2.0 * self.bound().as_secs_f64() * capacity).powi(2).ceil() as usize;
        let most = (rate_per_s * limits.max_duration_s) as usize;
        limits.queries_at(rate_per_s).max(to_fill.min(MOST_TO_FILL).min(limits.max_queries).min(most))
    }

    /// Serves queries of a rate and records what they gave.
    fn serve_rate(
        &mut self,
        team: &mut dyn Team,
        rate_per_s: f64,
        queries: usize,
        examples: usize,
    ) -> Result<Rate, Fault> {
        let latency = &self.case.latency;
        let bound = self.bound();
        let arrivals = arrivals(self.case.arrivals_seed(), rate_per_s, queries);
        let served = team.serve(&arrivals, bound, Rate::most_late(queries).unwrap_or_default())?;
        let rate = Rate::new(rate_per_s, &arrivals, bound, served);
        self.record_rate(&rate, latency.bound_ms.unwrap_or_default(), latency.workers, examples);
        Ok(rate)
    }

    /// Whether the queries of a rate end well before the time-out of the case, if the rate can be served.
    fn has_time_for(&self, rate_per_s: f64, queries: usize) -> bool {
        let so_far_s = self.spent_s + (self.program.machine.now() - self.begun).as_secs_f64();
        so_far_s + queries as f64 / rate_per_s < SHARE_OF_TIMEOUT * self.case.timeout_s
    }
}

/// Why no rate can hold the bound, if the services alone break it.
fn too_slow(served: &[Served], bound: Duration) -> Option<String> {
    let late = served.iter().filter(|served| served.service > bound).count();
    let most = Rate::most_late(served.len()).unwrap_or(served.len() / 2);
    let mut services: Vec<f64> = served.iter().map(|served| served.service.as_secs_f64()).collect();
    services.sort_by(f64::total_cmp);
    (late > most).then(|| {
        format!(
            "no rate holds the bound of {} ms: {late} of {} predictions take longer by themselves, the median {:.3} ms",
            bound.as_secs_f64() * 1e3,
            served.len(),
            quantile(&services, 0.5) * 1e3
        )
    })
}

/// The rate with four significant digits, which is finer than the search.
fn rounded(rate_per_s: f64) -> f64 {
    let digits = 10_f64.powf(3.0 - rate_per_s.abs().log10().floor());
    (rate_per_s * digits).round() / digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_four_significant_digits() {
        assert_eq!([98.43756, 1234.5, 0.0123456, 100_049.0].map(rounded), [98.44, 1235.0, 0.01235, 100_000.0]);
    }

    #[test]
    fn predictions_that_are_too_slow_by_themselves_hold_the_bound_at_no_rate() {
        let served = |query, ms| Served { query, queueing: Duration::ZERO, service: Duration::from_millis(ms) };
        let bound = Duration::from_millis(5);
        let some_slow: Vec<Served> = (0..662).map(|query| served(query, if query < 2 { 8 } else { 1 })).collect();
        let reason = too_slow(&some_slow, bound).expect("a reason");
        assert_eq!(
            reason,
            "no rate holds the bound of 5 ms: 2 of 662 predictions take longer by themselves, the median 1.000 ms"
        );
        let one_slow = [&some_slow[1..], &some_slow[2..3]].concat();
        assert_eq!(too_slow(&one_slow, bound), None, "one of 662 may be late");
        let few: Vec<Served> = (0..20).map(|query| served(query, if query < 10 { 8 } else { 1 })).collect();
        assert_eq!(too_slow(&few, bound), None, "half of too few queries");
        assert!(too_slow(&few[..19], bound).is_some());
    }
}
