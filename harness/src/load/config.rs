//! Which scenarios a case measures, and for how long.

use serde::{Deserialize, Serialize};

/// How long MLPerf Inference measures a scenario, at least. A shorter measurement is marked.
pub const MLPERF_DURATION_S: f64 = 600.0;

/// The percentile of latency that the scenario `server` holds within its bound, as in MLPerf.
pub const SERVER_PERCENTILE: f64 = 0.99;

/// How many queries of a rate are served, at least, if the suite does not say. So many show the 99th percentile if 10 of them are late.
const SERVER_QUERIES: usize = 2_010;
/// The most queries of a scenario or a rate, if the suite does not say. Each of them is stored.
const MOST_QUERIES: usize = 100_000;
/// The most seconds of a rate, if the suite does not say.
const SERVER_DURATION_S: f64 = 60.0;
/// A rate goes on for at least so many times its bound: a queue that grows shows it only once it is as long as the bound. Our own choice.
const BOUNDS_OF_A_RATE: f64 = 10.0;

/// How queries arrive: the scenarios of MLPerf Inference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// One after another: the next query arrives when the one before is answered.
    SingleStream,
    /// All at once.
    Offline,
    /// At random times of a declared rate.
    Server,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Scenario; 3] = [Scenario::SingleStream, Scenario::Offline, Scenario::Server];

    /// The name in suites.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::SingleStream => "single-stream",
            Scenario::Offline => "offline",
            Scenario::Server => "server",
        }
    }

    /// The scenario of this name.
    pub fn named(name: &str) -> Option<Scenario> {
        Scenario::ALL.into_iter().find(|scenario| scenario.name() == name)
    }
}

/// How a case measures latency and throughput.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyConfig {
    /// What is measured.
    pub scenarios: Vec<Scenario>,
    /// Each scenario goes on for at least so many seconds, and each rate of the scenario `server`.
    pub min_duration_s: f64,
    /// It then ends, even if it has fewer queries than it should. `None` if the suite does not say.
    pub max_duration_s: Option<f64>,
    /// It makes at least so many queries. `None` if the suite does not say.
    pub min_queries: Option<usize>,
    /// It makes at most so many queries. `None` if the suite does not say.
    pub max_queries: Option<usize>,
    /// The bound on the latency of the scenario `server`, in milliseconds.
    pub bound_ms: Option<f64>,
    /// The rates of the scenario `server`, in queries per second, ascending. Empty if the highest one is searched for.
    pub rates_per_s: Vec<f64>,
    /// How many instances of the model serve queries in the scenario `server`.
    pub workers: usize,
    /// How often each saved model is served, by turns with the other models of its setting. An odd number.
    pub rounds: usize,
    /// Whether the measurement itself is audited.
    pub audit: bool,
    /// The numbers of examples in a call for which throughput, latency and energy are measured, ascending.
    pub batch_sizes: Vec<usize>,
}

impl Default for LatencyConfig {
    fn default() -> LatencyConfig {
        LatencyConfig {
            scenarios: vec![Scenario::SingleStream, Scenario::Offline],
            min_duration_s: 0.0,
            max_duration_s: None,
            min_queries: None,
            max_queries: None,
            bound_ms: None,
            rates_per_s: Vec::new(),
            workers: 1,
            rounds: 1,
            audit: false,
            batch_sizes: Vec::new(),
        }
    }
}

impl LatencyConfig {
    /// Whether this scenario is measured.
    pub fn has(&self, scenario: Scenario) -> bool {
        self.scenarios.contains(&scenario)
    }

    /// When single-stream ends. If the suite does not say, every one of its `distinct` examples is a query once.
    pub fn single_stream(&self, distinct: usize) -> Limits {
        let min_queries = self.min_queries.unwrap_or(distinct);
        Limits {
            min_queries,
            max_queries: self.max_queries.unwrap_or(MOST_QUERIES.max(min_queries)),
            min_duration_s: self.min_duration_s,
            max_duration_s: self.max_duration_s.unwrap_or(f64::INFINITY),
        }
    }

    /// When a rate of the scenario `server` ends.
    pub fn server(&self) -> Limits {
        let min_duration_s = self.min_duration_s.max(BOUNDS_OF_A_RATE * self.bound_ms.unwrap_or_default() / 1e3);
        let max_queries = self.max_queries.unwrap_or(MOST_QUERIES.max(self.min_queries.unwrap_or_default()));
        Limits {
            min_queries: self.min_queries.unwrap_or(SERVER_QUERIES.min(max_queries)),
            max_queries,
            min_duration_s,
            max_duration_s: self.max_duration_s.unwrap_or(SERVER_DURATION_S.max(min_duration_s)),
        }
    }

    /// What is measured, in words. Single-stream has `examples` distinct ones.
    pub fn describe(&self, examples: usize) -> String {
        let part = |scenario: &Scenario| match scenario {
            Scenario::SingleStream => {
                let limits = self.single_stream(examples);
                let duration = if limits.min_duration_s > 0.0 {
                    format!(" and {} s", limits.min_duration_s)
                } else {
                    String::new()
                };
                format!("single-stream (at least {} queries{duration})", limits.min_queries.min(limits.max_queries))
            }
            Scenario::Offline => "offline".to_owned(),
            Scenario::Server => {
                let rates: Vec<String> = self.rates_per_s.iter().map(ToString::to_string).collect();
                let rates = match rates.as_slice() {
                    [] => "the highest rate".to_owned(),
                    rates => format!("rates {} per second", rates.join(", ")),
                };
                let bound_ms = self.bound_ms.unwrap_or_default();
                let workers =
                    if self.workers == 1 { "1 worker".to_owned() } else { format!("{} workers", self.workers) };
                format!("server (99 % within {bound_ms} ms: {rates}, {workers})")
            }
        };
        let mut parts: Vec<String> = self.scenarios.iter().map(part).collect();
        if !self.batch_sizes.is_empty() {
            let sizes: Vec<String> = self.batch_sizes.iter().map(ToString::to_string).collect();
            parts.push(format!("calls of {} examples", sizes.join(", ")));
        }
        if self.rounds > 1 {
            parts.push(format!("in {} rounds", self.rounds));
        }
        if self.audit {
            parts.push("audit".to_owned());
        }
        if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
    }

    /// The fewest seconds that the scenarios of a case take: that of `server` has at least two rates.
    pub fn least_s(&self) -> f64 {
        let rates = if self.rates_per_s.is_empty() { 2 } else { self.rates_per_s.len() };
        let parts = |scenario: &Scenario| if *scenario == Scenario::Server { rates } else { 1 };
        self.min_duration_s * self.scenarios.iter().map(parts).sum::<usize>() as f64 * self.rounds as f64
    }
}

/// When a scenario, or one rate of it, ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The fewest queries, unless the most seconds end it before.
    pub min_queries: usize,
    /// The most queries.
    pub max_queries: usize,
    /// The fewest seconds, unless the most queries end it before.
    pub min_duration_s: f64,
    /// The most seconds.
    pub max_duration_s: f64,
}

impl Limits {
    /// Whether so many queries in so many seconds are enough.
    pub fn are_met(&self, queries: usize, seconds: f64) -> bool {
        let is_enough = queries >= self.min_queries && seconds >= self.min_duration_s;
        is_enough || queries >= self.max_queries || seconds >= self.max_duration_s
    }

    /// How many queries of this rate are served: as many as the fewest seconds have, but not fewer than the fewest queries and not more
    /// than the most seconds and queries have.
    pub fn queries_at(&self, rate_per_s: f64) -> usize {
        let of_duration = (rate_per_s * self.min_duration_s).ceil() as usize;
        let most = ((rate_per_s * self.max_duration_s).floor() as usize).min(self.max_queries);
        of_duration.max(self.min_queries).min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_ends_when_it_has_enough_of_both_or_the_most_of_one() {
        let limits = Limits { min_queries: 10, max_queries: 100, min_duration_s: 1.0, max_duration_s: 5.0 };
        assert!(!limits.are_met(10, 0.5) && !limits.are_met(9, 4.0));
        assert!(limits.are_met(10, 1.0) && limits.are_met(100, 0.5) && limits.are_met(9, 5.0));
    }

    #[test]
    fn a_rate_has_the_queries_of_its_seconds_within_the_limits() {
        let limits = Limits { min_queries: 500, max_queries: 5_000, min_duration_s: 10.0, max_duration_s: 60.0 };
        assert_eq!([20.0, 100.0, 1000.0, 5.0].map(|rate| limits.queries_at(rate)), [500, 1_000, 5_000, 300]);
    }

    #[test]
    fn a_rate_goes_on_for_ten_times_its_bound_unless_the_most_of_something_ends_it() {
        let mut config = LatencyConfig { bound_ms: Some(50.0), ..LatencyConfig::default() };
        assert_eq!([100.0, 10_000.0].map(|rate| config.server().queries_at(rate)), [2_010, 5_000]);
        config.max_queries = Some(4_000);
        assert_eq!(config.server().queries_at(10_000.0), 4_000);
        config.max_duration_s = Some(0.1);
        assert_eq!(config.server().queries_at(10_000.0), 1_000);
        let slow = LatencyConfig { bound_ms: Some(9_000.0), ..LatencyConfig::default() };
        assert_eq!(slow.server().max_duration_s, 90.0);
    }

    #[test]
    fn a_suite_that_says_nothing_has_one_query_for_each_example_and_no_server() {
        let config = LatencyConfig::default();
        let limits = config.single_stream(200);
        assert!(!limits.are_met(199, 1e6) && limits.are_met(200, 0.0));
        assert!(!config.has(Scenario::Server));
        assert_eq!(config.least_s(), 0.0);
    }

    #[test]
    fn what_is_measured_is_said_in_words() {
        let mut config = LatencyConfig::default();
        assert_eq!(config.describe(200), "single-stream (at least 200 queries), offline");
        config.scenarios = vec![Scenario::SingleStream, Scenario::Server];
        (config.min_duration_s, config.bound_ms, config.audit) = (10.0, Some(50.0), true);
        assert_eq!(
            config.describe(200),
            "single-stream (at least 200 queries and 10 s), server (99 % within 50 ms: the highest rate, 1 worker), audit"
        );
        (config.rates_per_s, config.workers) = (vec![10.0, 20.5], 2);
        assert!(config.describe(1).contains("rates 10, 20.5 per second, 2 workers"));
        (config.batch_sizes, config.rounds) = (vec![1, 2], 3);
        assert!(config.describe(1).ends_with(", calls of 1, 2 examples, in 3 rounds, audit"));
        config.scenarios.clear();
        config.audit = false;
        config.batch_sizes.clear();
        config.rounds = 1;
        assert_eq!(config.describe(1), "nothing");
    }

    #[test]
    fn names_of_scenarios_are_those_of_suites() {
        for scenario in Scenario::ALL {
            assert_eq!(Scenario::named(scenario.name()), Some(scenario));
            assert_eq!(serde_json::to_string(&scenario).expect("a name"), format!("\"{}\"", scenario.name()));
        }
        assert_eq!(Scenario::named("multi-stream"), None);
    }
}
