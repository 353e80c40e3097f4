//! What only the readings of a case have: its single latencies, and what meters showed during its fit.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::error::ReportError;
use crate::format::{count, listed};
use crate::grid::Grid;
use crate::record::Reading;
use crate::run_dir::RunDir;

/// The readings that are shown, by case.
#[derive(Debug, Default)]
pub(crate) struct CaseReadings {
    /// The seconds of every single prediction, ascending.
    pub(crate) latencies: HashMap<String, Vec<f64>>,
    /// What each meter showed during the fit.
    pub(crate) power: HashMap<String, Vec<PowerTrace>>,
}

/// What one meter showed during a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct PowerTrace {
    /// The meter, as in [`crate::Record::source`].
    pub source: String,
    /// Seconds since the fit began, and joules, ascending.
    pub points: Vec<(f64, f64)>,
}

/// Reads the readings of each case that has any. Readings are no part of the tables, so damaged ones are a remark and no error. Runs of
/// older schemas have none.
pub(crate) fn case_readings(dir: &RunDir, grid: &Grid, remarks: &mut Vec<String>) -> CaseReadings {
    let cases: Vec<&str> = grid.trials().map(|(_, _, trial)| trial.case.as_str()).collect();
    let shown = |readings: Vec<Reading>| (latencies(&readings), power(&readings));
    let of_case = |case: &str| dir.readings(case).map(|readings| shown(readings.unwrap_or_default()));
    // The readings of thousands of cases would not fit into memory together.
    let read: Vec<(&str, Result<_, ReportError>)> = cases.into_par_iter().map(|case| (case, of_case(case))).collect();
    let mut found = CaseReadings::default();
    let mut damaged = Vec::new();
    for (case, shown) in read {
        let Ok((latencies, power)) = shown else {
            damaged.push(case.to_owned());
            continue;
        };
        if !latencies.is_empty() {
            found.latencies.insert(case.to_owned(), latencies);
        }
        if !power.is_empty() {
            found.power.insert(case.to_owned(), power);
        }
    }
    if !damaged.is_empty() {
        remarks.push(format!(
            "The readings of {} cannot be read, so the figures latency-ecdf and power lack {}.",
            count(damaged.len(), "case"),
            listed(&damaged)
        ));
    }
    found
}

fn latencies(readings: &[Reading]) -> Vec<f64> {
    // Rounds of serving have readings of their own.
    let is_of_latency = |metric: &str| metric == "latency_s" || metric.starts_with("latency_s round=");
    let is_latency = |reading: &&Reading| reading.phase == "predict-single" && is_of_latency(&reading.metric);
    let mut seconds: Vec<f64> = readings.iter().filter(is_latency).map(|reading| reading.value).collect();
    seconds.sort_by(f64::total_cmp);
    seconds
}

/// The samples of each meter. Those of two meters follow one another, each with as many seconds as joules.
fn power(readings: &[Reading]) -> Vec<PowerTrace> {
    let of = |name: &str| -> Vec<&Reading> {
        readings.iter().filter(|reading| reading.phase == "fit" && reading.metric == name).collect()
    };
    let mut traces: Vec<PowerTrace> = Vec::new();
    for (second, joule) in of("sample_s").into_iter().zip(of("sample_j")) {
        let point = (second.value, joule.value);
        match traces.last_mut().filter(|trace| trace.source == joule.source) {
            Some(trace) => trace.points.push(point),
            None => traces.push(PowerTrace { source: joule.source.clone(), points: vec![point] }),
        }
    }
    traces
}
