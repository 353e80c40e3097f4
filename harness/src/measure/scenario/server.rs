//! The scenario `server`: queries arrive at random times, and the highest rate is searched for at which 99 % of them are answered within a
//! bound.

use std::time::Duration;

use bakeoff_datasets::Inputs;
use bakeoff_models::{Device, Model};
use bakeoff_reports::{most_over, quantile, queries_needed};

use super::super::{Bench, Stop, entry_of};
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

/// If the capacity holds the bound, it is measured again, so often at most.
const BURSTS: usize = 3;

/// A capacity that is higher by this factor is another one: the search tells no closer rates apart.
const HIGHER: f64 = 1.005;

/// What the scenario found.
struct Found {
    /// The highest rate that holds, or why there is none.
    highest: Result<Rate, String>,
    /// Queries per second if no worker ever waits.
    capacity: f64,
    /// How many rates were tried.
    tried: usize,
    /// A remark on the search.
    remark: &'static str,
}

/// The rates that were tried so far.
#[derive(Default)]
struct Trials {
    capacity: f64,
    /// The number of distinct examples.
    examples: usize,
    /// The highest rate that held.
    highest: Option<Rate>,
    tried: usize,
    /// The lowest rate that was tried.
    lowest: f64,
    remark: &'static str,
}

impl Trials {
    /// What was found; `reason` says why there is no rate that holds, if there is none.
    fn found(self, reason: String) -> Found {
        let Trials { capacity, highest, tried, remark, .. } = self;
        Found { highest: highest.ok_or(reason), capacity, tried, remark }
    }
}

impl Bench<'_> {
    /// Measures the scenario on one instance of the model or on several.
    pub(super) fn server<'p>(&mut self, model: &mut dyn Model, asked: &Asked<'p>) -> Result<Answers<'p>, Stop> {
        (self.emit)(Event::Phase(PHASE));
        let examples = self.single_inputs(asked.inputs);
        let mut answers = Answers::of(asked.scored);
        let (values_before, readings_before) = (self.outcome.values.len(), self.outcome.readings.len());
        let mut found = self.load_team(model, asked, &examples, &mut answers);
        if let Err(Fault::Clock(pause)) = &found {
            // A pause of the process or the machine says nothing about the model.
            self.outcome.values.truncate(values_before);
            self.outcome.readings.truncate(readings_before);
            self.outcome.remark(&format!("the scenario server was measured a second time: {pause}"));
            if let ClockFault::Gap(gap) = pause {
                // The parent does not count it as time of the case either.
                self.spent_s -= gap.as_secs_f64();
            }
            found = self.load_team(model, asked, &examples, &mut answers);
        }
        let found = or_stop(found)?;
        let fault = found.as_ref().err().map(ToString::to_string).or(answers.fault());
        if fault.is_some() {
            self.outcome.values.truncate(values_before);
        }
        let bound_s = self.bound().as_secs_f64();
        self.record(PHASE, "declared_bound_s", Some(bound_s), "suite", "");
        match (fault, found) {
            (None, Ok(Found { highest: Ok(rate), tried, remark, .. })) => {
                let note = format!("{}; {}{remark}", rate.verdict(), count(tried));
                self.record(PHASE, "max_rate_per_s", Some(rate.rate_per_s), "stopwatch", note);
                self.record_times(&rate);
            }
            (None, Ok(Found { highest: Err(reason), tried, remark, .. })) => {
                let note = format!("{reason}; {}{remark}", count(tried));
                self.record(PHASE, "max_rate_per_s", None, "stopwatch", note);
            }
            (fault, _) => self.record(PHASE, "max_rate_per_s", None, "stopwatch", fault.unwrap_or_default()),
        }
        Ok(answers)
    }

    fn bound(&self) -> Duration {
        Duration::from_secs_f64(self.case.latency.bound_ms.unwrap_or_default() / 1e3)
    }

    /// Loads one instance of the model, or several on threads of their own.
    fn load_team<'p>(
        &mut self,
        model: &mut dyn Model,
        asked: &Asked<'p>,
        examples: &[Inputs],
        answers: &mut Answers<'p>,
    ) -> Result<Found, Fault> {
        let machine = self.program.machine;
        let workers = self.case.latency.workers;
        if workers == 1 {
            let mut team = Alone { machine, model, examples, answers };
            return self.load_up(&mut team, examples.len());
        }
        let (program, case) = (self.program, self.case);
        let entry = entry_of(program, case)?;
        let device = Device::named(&case.device).map_err(Stop::failed)?;
        let threads = (case.threads / workers).max(1);
        let loaded = Loaded { machine, entry, folder: asked.artefact, device, threads, examples };
        let none = Answers::of(asked.scored);
        with_several(workers, loaded, answers, &none, |team| self.load_up(team, examples.len()))
    }

    /// Finds the capacity of a team, and then the highest rate that it holds. It is a fault if the machine was suspended meanwhile.
    fn load_up(&mut self, team: &mut dyn Team, examples: usize) -> Result<Found, Fault> {
        let machine = self.program.machine;
        let suspended = machine.suspended();
        let burst = self.burst(team, examples, 0)?;
        let found = self.find(team, examples, &burst)?;
        suspended_since(machine, suspended)?;
        let note = format!("of {} queries", burst.len());
        self.record(PHASE, "capacity_per_s", Some(found.capacity), "stopwatch", note);
        Ok(found)
    }

    /// Serves queries that all arrive at once, so that a worker never waits. Only a load that takes too long ends early. `attempt`
    /// counts from 0.
    fn burst(&mut self, team: &mut dyn Team, examples: usize, attempt: usize) -> Result<Vec<Served>, Fault> {
        let limits = self.case.latency.server();
        let needed = queries_needed(0, SERVER_PERCENTILE);
        let all = vec![Duration::ZERO; needed.max(limits.min_queries.min(limits.max_queries))];
        let served = team.serve(&all, Duration::from_secs_f64(limits.max_duration_s), 0)?;
        let load = if attempt == 0 { "all-at-once".to_owned() } else { format!("all-at-once again={attempt}") };
        self.keep_queries(&load, &served, examples);
        if served.iter().all(|served| served.latency().is_zero()) {
            return Err(ClockFault::Stopped.into());
        }
        Ok(served)
    }

    /// Tries the rates of the suite, or searches for the highest rate up to the capacity that a burst of queries showed.
    fn find(&mut self, team: &mut dyn Team, examples: usize, burst: &[Served]) -> Result<Found, Fault> {
        let mut trials = Trials { capacity: capacity(burst), examples, ..Trials::default() };
        let declared = self.case.latency.rates_per_s.clone();
        let bound_ms = self.case.latency.bound_ms.unwrap_or_default();
        if !declared.is_empty() {
            for rate_per_s in &declared {
                self.holds(team, &mut trials, *rate_per_s)?;
            }
            return Ok(trials.found(format!("no declared rate holds the bound of {bound_ms} ms")));
        }
        // Workers that share the processors are slower together than each of them is by itself.
        if self.case.latency.workers == 1
            && let Some(reason) = too_slow(burst, self.bound())
        {
            return Ok(trials.found(reason));
        }
        let limits = self.case.latency.server();
        let needed = queries_needed(0, SERVER_PERCENTILE);
        let lowest = needed as f64 / limits.max_duration_s;
        if lowest > trials.capacity {
            let reason = format!(
                "at {} queries per second, which is all it can do, there are fewer than the {needed} queries that the 99th \
                 percentile needs in max_duration_s = {}",
                rounded(trials.capacity),
                limits.max_duration_s
            );
            return Ok(trials.found(reason));
        }
        let mut low = lowest;
        for attempt in 1..=BURSTS {
            let top = trials.capacity;
            let search = highest_rate(low, top, |rate_per_s| self.holds(team, &mut trials, rounded(rate_per_s)))?;
            if search.held != Some(top) {
                break;
            }
            // The capacity is the most that any queue can hold for long. So a burst that something disturbed showed too little of it, or
            // the rate ended before the queue was full.
            trials.capacity = trials.capacity.max(capacity(&self.burst(team, examples, attempt)?));
            if trials.capacity <= HIGHER * top || attempt == BURSTS {
                trials.remark = NOT_FULL;
                break;
            }
            low = top;
        }
        let reason = if trials.tried == 0 {
            "no rate was tried".to_owned()
        } else if !trials.remark.is_empty() {
            format!(
                "none of the rates from {} to {} per second holds the bound of {bound_ms} ms",
                trials.lowest,
                rounded(trials.capacity)
            )
        } else {
            format!("no rate from {} per second on holds the bound of {bound_ms} ms", rounded(lowest))
        };
        Ok(trials.found(reason))
    }

    /// Tries a rate, unless the time-out is too near.
    fn holds(&mut self, team: &mut dyn Team, trials: &mut Trials, rate_per_s: f64) -> Result<bool, Fault> {
        let queries = self.queries_at(rate_per_s, trials.capacity);
        if !self.has_time_for(rate_per_s, queries) {
            trials.remark = ", and timeout_s leaves no time for another: raise it";
            return Ok(false);
        }
        let rate = self.serve_rate(team, rate_per_s, queries, trials.examples)?;
        trials.lowest = if trials.tried == 0 { rate_per_s } else { trials.lowest.min(rate_per_s) };
        trials.tried += 1;
        let holds = rate.holds();
        if holds && trials.highest.as_ref().is_none_or(|highest| highest.rate_per_s < rate.rate_per_s) {
            trials.highest = Some(rate);
        }
        Ok(holds)
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

/// The rate of queries that arrived all at once.
fn capacity(burst: &[Served]) -> f64 {
    let last_s = burst.iter().map(Served::latency).max().unwrap_or_default().as_secs_f64();
    burst.len() as f64 / last_s
}

/// Why no rate can hold the bound, if the services of one worker show that: so many of them are above the bound that more than 1 % of all
/// services are, at the confidence with which a rate holds.
fn too_slow(served: &[Served], bound: Duration) -> Option<String> {
    let late = served.iter().filter(|served| served.service > bound).count();
    // As many within the bound show the opposite, by the same rule with the shares exchanged.
    let most_within = most_over(served.len(), 1.0 - SERVER_PERCENTILE);
    let mut services: Vec<f64> = served.iter().map(|served| served.service.as_secs_f64()).collect();
    services.sort_by(f64::total_cmp);
    most_within.is_some_and(|most| served.len() - late <= most).then(|| {
        format!(
            "no rate holds the bound of {} ms: {late} of {} predictions take longer by themselves, the median {:.3} ms",
            bound.as_secs_f64() * 1e3,
            served.len(),
            quantile(&services, 0.5) * 1e3
        )
    })
}

/// `1 rate tried`, `9 rates tried`.
fn count(tried: usize) -> String {
    format!("{tried} rate{} tried", if tried == 1 { "" } else { "s" })
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
        let with_slow =
            |slow| (0..662).map(|query| served(query, if query < slow { 8 } else { 1 })).collect::<Vec<_>>();
        assert_eq!(
            too_slow(&with_slow(20), bound).as_deref(),
            Some(
                "no rate holds the bound of 5 ms: 20 of 662 predictions take longer by themselves, the median 1.000 ms"
            )
        );
        assert_eq!(too_slow(&with_slow(7), bound), None, "7 of 662 may be 1 %");
        let few: Vec<Served> = (0..20).map(|query| served(query, if query < 10 { 8 } else { 1 })).collect();
        assert!(too_slow(&few, bound).is_some(), "half of 20 is not 1 %");
        assert_eq!(too_slow(&few[9..], bound), None, "1 of 11 may be 1 %");
    }
}
