//! Checks the table `[latency]` of a suite: every key in its range, and no two that contradict each other.

use std::fmt::Display;

use bakeoff_models::unknown_name;
use bakeoff_reports::queries_needed;
use toml::Spanned;

use super::PlanError;
use super::settings::{MAX_THREADS, RangeCheck, repeated};
use crate::load::{LatencyConfig, SERVER_PERCENTILE, Scenario};
use crate::suite::{LatencyEntry, Source, Suite, SuiteError};

/// The most queries of a scenario. Each of them is stored.
const MOST_QUERIES: usize = 10_000_000;
/// The most rounds of serving. A larger number is a typing error.
const MOST_ROUNDS: usize = 99;
/// The largest number of examples in a call. A larger number is a typing error.
const MAX_BATCH: usize = 1 << 16;
/// The median as a percentile.
const MEDIAN: f64 = 0.5;
/// The longest scenario, in seconds: a day.
const LONGEST_S: f64 = 86_400.0;

/// The settings of a checked table, without their places.
pub(super) fn config(entry: &LatencyEntry) -> LatencyConfig {
    let default = LatencyConfig::default();
    let scenarios = entry.scenarios.as_ref().map(|scenarios| {
        scenarios.as_ref().iter().filter_map(|name| Scenario::named(name.as_ref())).collect::<Vec<Scenario>>()
    });
    let mut rates_per_s: Vec<f64> =
        entry.rates_per_s.iter().flat_map(|rates| rates.as_ref()).map(|rate| *rate.as_ref()).collect();
    rates_per_s.sort_by(f64::total_cmp);
    let mut batch_sizes: Vec<usize> = entry.batch_sizes.iter().map(|size| *size.as_ref()).collect();
    batch_sizes.sort_unstable();
    LatencyConfig {
        scenarios: scenarios.unwrap_or(default.scenarios),
        min_duration_s: plain(&entry.min_duration_s).unwrap_or(default.min_duration_s),
        max_duration_s: plain(&entry.max_duration_s),
        min_queries: plain(&entry.min_queries),
        max_queries: plain(&entry.max_queries),
        bound_ms: plain(&entry.bound_ms),
        rates_per_s,
        workers: plain(&entry.workers).unwrap_or(default.workers),
        rounds: plain(&entry.rounds).unwrap_or(default.rounds),
        audit: entry.audit,
        batch_sizes,
    }
}

fn plain<T: Copy>(value: &Option<Spanned<T>>) -> Option<T> {
    value.as_ref().map(|value| *value.as_ref())
}

/// Checks the table.
///
/// # Errors
/// Names the key at fault, its place, and what to write instead.
pub(super) fn check(source: &Source, entry: &LatencyEntry) -> Result<(), SuiteError> {
    check_scenarios(source, entry)?;
    check_ranges(source, entry)?;
    let (seconds, queries) = ("max_duration_s", "max_queries");
    refuse_reversed(source, ("min_duration_s", &entry.min_duration_s), (seconds, &entry.max_duration_s))?;
    refuse_reversed(source, ("min_queries", &entry.min_queries), (queries, &entry.max_queries))?;
    check_queries(source, entry)?;
    check_server(source, entry)
}

/// The numbers of queries must have a scenario that makes queries, and be enough for it.
fn check_queries(source: &Source, entry: &LatencyEntry) -> Result<(), SuiteError> {
    let config = config(entry);
    let keys = [("min_queries", &entry.min_queries), ("max_queries", &entry.max_queries)];
    for (key, value) in keys.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?))) {
        if !config.has(Scenario::SingleStream) && !config.has(Scenario::Server) {
            let message =
                format!("{key} is for the scenarios single-stream and server, and neither is measured: leave it out");
            return Err(source.fault(value, message));
        }
    }
    let needed = queries_needed(1, MEDIAN);
    match &entry.max_queries {
        Some(most) if config.has(Scenario::SingleStream) && *most.as_ref() < needed => {
            let message = format!("max_queries is {most}, and a bound of the median needs at least {needed} queries");
            Err(source.fault(most, message))
        }
        _ => Ok(()),
    }
}

fn check_scenarios(source: &Source, entry: &LatencyEntry) -> Result<(), SuiteError> {
    let Some(scenarios) = &entry.scenarios else { return Ok(()) };
    let known = Scenario::ALL.map(Scenario::name);
    for name in scenarios.as_ref() {
        if Scenario::named(name.as_ref()).is_none() {
            return Err(source.fault(name, unknown_name("scenario", name.as_ref(), &known)));
        }
    }
    if let Some(name) = repeated(scenarios.as_ref()) {
        return Err(source.fault(name, format!("scenario '{name}' is given twice")));
    }
    if scenarios.as_ref().is_empty() && entry.audit {
        let message = "scenarios is empty and audit is true: an audit compares timed answers, so give a scenario";
        return Err(source.fault(scenarios, message));
    }
    Ok(())
}

fn check_ranges(source: &Source, entry: &LatencyEntry) -> Result<(), SuiteError> {
    let range = RangeCheck { source };
    for size in &entry.batch_sizes {
        range.check("batch_sizes", size, 1..=MAX_BATCH, &format!("whole numbers in 1..={MAX_BATCH}"))?;
    }
    if let Some(rounds) = &entry.rounds {
        let expected = odd_rounds();
        range.check("rounds", rounds, 1..=MOST_ROUNDS, &expected)?;
        if rounds.as_ref() % 2 == 0 {
            return Err(source.fault(rounds, format!("rounds is {rounds}, expected {expected}")));
        }
    }
    if let Some(size) = repeated(&entry.batch_sizes) {
        return Err(source.fault(size, format!("batch size {size} is given twice")));
    }
    let seconds = format!("a number of seconds in 0..={LONGEST_S}");
    if let Some(value) = &entry.min_duration_s {
        range.check("min_duration_s", value, 0.0..=LONGEST_S, &seconds)?;
    }
    if let Some(value) = &entry.max_duration_s {
        range.check(
            "max_duration_s",
            value,
            1e-3..=LONGEST_S,
            &format!("a number of seconds in 0.001..={LONGEST_S}"),
        )?;
    }
    let counts = format!("a whole number in 1..={MOST_QUERIES}");
    for (key, value) in [("min_queries", &entry.min_queries), ("max_queries", &entry.max_queries)] {
        if let Some(value) = value {
            range.check(key, value, 1..=MOST_QUERIES, &counts)?;
        }
    }
    if let Some(value) = &entry.bound_ms {
        range.check("bound_ms", value, 1e-3..=LONGEST_S * 1e3, "a number of milliseconds in 0.001..=86400000")?;
    }
    if let Some(value) = &entry.workers {
        range.check("workers", value, 1..=MAX_THREADS, &format!("a whole number in 1..={MAX_THREADS}"))?;
    }
    let Some(rates) = &entry.rates_per_s else { return Ok(()) };
    for rate in rates.as_ref() {
        range.check("rates_per_s", rate, 1e-3..=1e9, "numbers of queries per second in 0.001..=1000000000")?;
    }
    if rates.as_ref().is_empty() {
        let message = "rates_per_s is empty: give a rate, or leave the key out to search for the highest one";
        return Err(source.fault(rates, message));
    }
    match repeated(rates.as_ref()) {
        Some(rate) => Err(source.fault(rate, format!("rate {rate} is given twice"))),
        None => Ok(()),
    }
}

/// Refuses a least value above the most.
fn refuse_reversed<T: PartialOrd + Display>(
    source: &Source,
    (least_key, least): (&str, &Option<Spanned<T>>),
    (most_key, most): (&str, &Option<Spanned<T>>),
) -> Result<(), SuiteError> {
    let (Some(least), Some(most)) = (least, most) else { return Ok(()) };
    if least.as_ref() <= most.as_ref() {
        return Ok(());
    }
    Err(source.fault(
        least,
        format!("{least_key} is {least}, and {most_key} is {most}: the least must not be above the most"),
    ))
}

/// The keys of the scenario `server`, which belong together.
fn check_server(source: &Source, entry: &LatencyEntry) -> Result<(), SuiteError> {
    let config = config(entry);
    let server = Scenario::Server.name();
    let Some(scenarios) = entry.scenarios.as_ref().filter(|_| config.has(Scenario::Server)) else {
        let only =
            |key: &str| format!("{key} is for the scenario {server}, which is not measured: add it to scenarios");
        let keys = [
            entry.bound_ms.as_ref().map(|value| source.fault(value, only("bound_ms"))),
            entry.rates_per_s.as_ref().map(|value| source.fault(value, only("rates_per_s"))),
            entry.workers.as_ref().map(|value| source.fault(value, only("workers"))),
        ];
        return keys.into_iter().flatten().next().map_or(Ok(()), Err);
    };
    if entry.bound_ms.is_none() {
        let message =
            format!("the scenario {server} needs a bound on the latency: add bound_ms, such as bound_ms = 50");
        return Err(source.fault(scenarios, message));
    }
    if let (Some(bound), Some(most)) = (&entry.bound_ms, &entry.max_duration_s)
        && bound.as_ref() / 1e3 >= *most.as_ref()
    {
        let message = format!(
            "bound_ms is {bound}, and max_duration_s = {most} ends a rate before a query can be late: lower the bound, or raise \
             max_duration_s"
        );
        return Err(source.fault(bound, message));
    }
    let needed = queries_needed(0, SERVER_PERCENTILE);
    if let Some(most) = entry.max_queries.as_ref().filter(|most| *most.as_ref() < needed) {
        let message =
            format!("max_queries is {most}, and the 99th percentile of a rate needs at least {needed} queries");
        return Err(source.fault(most, message));
    }
    let limits = config.server();
    for rate in entry.rates_per_s.iter().flat_map(|rates| rates.as_ref()) {
        let queries = limits.queries_at(*rate.as_ref());
        if queries < needed {
            let message = format!(
                "rate {rate} has {queries} queries in max_duration_s = {}, and its 99th percentile needs at least {needed}: raise \
                 max_duration_s",
                limits.max_duration_s
            );
            return Err(source.fault(rate, message));
        }
    }
    Ok(())
}

/// The scenarios must end before the time-out of a case does.
pub(super) fn check_timeout(source: &Source, suite: &Suite) -> Result<(), SuiteError> {
    let entry = &suite.latency;
    let (least_s, timeout_s) = (config(entry).least_s(), *suite.timeout_s.as_ref());
    let Some(key) = entry.min_duration_s.as_ref().filter(|_| least_s >= timeout_s) else { return Ok(()) };
    let message = format!(
        "with min_duration_s = {key}, the scenarios of a case take at least {least_s} s, and timeout_s = {timeout_s} ends it before: \
         raise timeout_s"
    );
    Err(source.fault(key, message))
}

/// Refuses what compares times of one case with each other, or of cases by turns, if several cases run at a time.
pub(super) fn check_jobs(source: &Source, suite: &Suite) -> Result<(), PlanError> {
    let jobs = *suite.jobs.as_ref();
    if jobs == 1 {
        return Ok(());
    }
    let refused = |what: &str, instead: &str| {
        format!("{what}, and {jobs} cases run at a time, which changes each other's times: use jobs = 1, or {instead}")
    };
    let entry = &suite.latency;
    if let Some(rounds) = entry.rounds.as_ref().filter(|rounds| *rounds.as_ref() > 1) {
        return Err(source.fault(rounds, refused(&format!("rounds is {rounds}"), "leave rounds out")).into());
    }
    if let Some(scenarios) = entry.scenarios.as_ref().filter(|_| config(entry).has(Scenario::Server)) {
        let message = refused("the scenario server is measured", "leave it out of scenarios");
        return Err(source.fault(scenarios, message).into());
    }
    if entry.audit {
        return Err(PlanError::Filter(refused("latencies are audited", "leave the audit out")));
    }
    Ok(())
}

/// Checks the rounds of the command line.
pub(super) fn check_rounds(rounds: usize) -> Result<(), PlanError> {
    if (1..=MOST_ROUNDS).contains(&rounds) && rounds % 2 == 1 {
        return Ok(());
    }
    Err(PlanError::Filter(format!("--rounds: {rounds} is not {}", odd_rounds())))
}

/// What a number of rounds must be.
fn odd_rounds() -> String {
    format!("an odd number in 1..={MOST_ROUNDS}, so that the median is the number of a round")
}

/// Checks the batch sizes of the command line.
pub(super) fn check_batch_sizes(sizes: &[usize]) -> Result<(), PlanError> {
    if let Some(size) = sizes.iter().find(|size| !(1..=MAX_BATCH).contains(*size)) {
        let message = format!("--batch-sizes: {size} is not a whole number in 1..={MAX_BATCH}");
        return Err(PlanError::Filter(message));
    }
    match repeated(sizes) {
        Some(size) => Err(PlanError::Filter(format!("--batch-sizes: {size} is given twice"))),
        None => Ok(()),
    }
}
