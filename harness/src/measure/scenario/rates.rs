//! What a rate of queries gave, and how it is recorded.

use std::time::Duration;

use bakeoff_reports::{most_over, quantile};

use super::super::Bench;
use crate::load::{SERVER_PERCENTILE, Served};
use crate::phase::Phase;

const PHASE: Phase = Phase::Server;

/// The times of a query, each with its metrics in `records.csv`.
const PERCENTILES: [(&str, Time, f64); 7] = [
    ("latency_p50_s", Served::latency, 0.50),
    ("latency_p90_s", Served::latency, 0.90),
    ("latency_p99_s", Served::latency, 0.99),
    ("queueing_p50_s", |served| served.queueing, 0.50),
    ("queueing_p99_s", |served| served.queueing, 0.99),
    ("service_p50_s", |served| served.service, 0.50),
    ("service_p99_s", |served| served.service, 0.99),
];

type Time = fn(&Served) -> Duration;

/// The queries of one rate.
pub(super) struct Rate {
    pub(super) rate_per_s: f64,
    /// How many queries there should be.
    pub(super) planned: usize,
    /// From the first query's schedule to the last answer.
    pub(super) measured_s: f64,
    served: Vec<Served>,
    late: usize,
    /// How many queries had waited for longer than the bound when the last one was served.
    waiting: usize,
}

impl Rate {
    /// What these queries gave, which arrived at `arrivals`.
    pub(super) fn new(rate_per_s: f64, arrivals: &[Duration], bound: Duration, served: Vec<Served>) -> Rate {
        let late = served.iter().filter(|served| served.latency() > bound).count();
        let ended = served.iter().map(|served| arrivals[served.query] + served.latency()).max();
        let ended = ended.unwrap_or_default();
        let waits = |arrival: &&Duration| ended.saturating_sub(**arrival) > bound;
        let waiting = arrivals[served.len()..].iter().filter(waits).count();
        Rate { rate_per_s, planned: arrivals.len(), measured_s: ended.as_secs_f64(), served, late, waiting }
    }

    /// How many of its queries may be late.
    pub(super) fn most_late(planned: usize) -> Option<usize> {
        most_over(planned, SERVER_PERCENTILE)
    }

    /// Whether every query was served and no more of them are late than may be.
    pub(super) fn holds(&self) -> bool {
        self.served.len() == self.planned && Rate::most_late(self.planned).is_some_and(|most| self.late <= most)
    }

    /// `12 of 2010 queries are late, at most 10 may be`; of a load that ended early, also how many wait.
    pub(super) fn verdict(&self) -> String {
        let most =
            Rate::most_late(self.planned).map_or("more are needed".to_owned(), |most| format!("at most {most} may be"));
        if self.served.len() == self.planned {
            format!("{} of {} queries are late, {most}", self.late, self.planned)
        } else {
            format!(
                "ended early: {} of {} served queries are late, and {} of the {} that are left have waited for longer than the bound, {most}",
                self.late,
                self.served.len(),
                self.waiting,
                self.planned - self.served.len()
            )
        }
    }

    /// The conditions of its rows.
    fn conditions(&self, bound_ms: f64, workers: usize) -> String {
        format!("bound_ms={bound_ms} rate_per_s={} workers={workers}", self.rate_per_s)
    }
}

impl Bench<'_> {
    /// Records a rate under its conditions, and keeps its readings. `examples` is the number of distinct ones.
    pub(super) fn record_rate(&mut self, rate: &Rate, bound_ms: f64, workers: usize, examples: usize) {
        let conditions = rate.conditions(bound_ms, workers);
        let before = self.outcome.values.len();
        self.record_times(rate);
        for value in &mut self.outcome.values[before..] {
            value.conditions.clone_from(&conditions);
        }
        self.keep_queries(&format!("rate_per_s={}", rate.rate_per_s), &rate.served, examples);
    }

    /// Records the times of a rate. If it was overloaded, they are no percentiles of all its queries, and only counts are recorded.
    pub(super) fn record_times(&mut self, rate: &Rate) {
        self.record(PHASE, "queries", Some(rate.served.len() as f64), "stopwatch", "");
        self.record(PHASE, "late_queries", Some(rate.late as f64), "stopwatch", rate.verdict());
        self.measured_for(PHASE, rate.measured_s);
        if rate.served.len() < rate.planned {
            return;
        }
        for (metric, time, share) in PERCENTILES {
            let mut seconds: Vec<f64> = rate.served.iter().map(|served| time(served).as_secs_f64()).collect();
            seconds.sort_by(f64::total_cmp);
            self.record(PHASE, metric, Some(quantile(&seconds, share)), "stopwatch", "");
        }
    }

    /// Keeps the times of each query of a load.
    pub(super) fn keep_queries(&mut self, load: &str, served: &[Served], examples: usize) {
        let times: [(&str, Time); 2] =
            [("queueing_s", |served| served.queueing), ("service_s", |served| served.service)];
        for (metric, time) in times {
            let readings = served.iter().map(|served| (Some(served.query % examples), time(served).as_secs_f64()));
            self.keep(PHASE, &format!("{metric} {load}"), ("s", "stopwatch"), readings);
        }
    }
}
