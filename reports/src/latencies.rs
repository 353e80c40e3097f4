//! The single latencies of each case, which only its readings have.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::error::ReportError;
use crate::format::{count, listed};
use crate::grid::Grid;
use crate::record::Reading;
use crate::run_dir::RunDir;

/// Reads the seconds of every single prediction of each case that has any, ascending. Readings are no part of the tables, so damaged
/// ones are a remark and no error. Runs of older schemas have none.
pub(crate) fn latencies(dir: &RunDir, grid: &Grid, remarks: &mut Vec<String>) -> HashMap<String, Vec<f64>> {
    let cases: Vec<&str> = grid.trials().map(|(_, _, trial)| trial.case.as_str()).collect();
    let read: Vec<(&str, Result<Vec<f64>, ReportError>)> =
        cases.into_par_iter().map(|case| (case, of_case(dir, case))).collect();
    let mut found = HashMap::new();
    let mut damaged = Vec::new();
    for (case, seconds) in read {
        match seconds {
            Ok(seconds) if seconds.is_empty() => {}
            Ok(seconds) => {
                found.insert(case.to_owned(), seconds);
            }
            Err(_) => damaged.push(case.to_owned()),
        }
    }
    if !damaged.is_empty() {
        remarks.push(format!(
            "The readings of {} cannot be read, so the figure latency-ecdf lacks {}.",
            count(damaged.len(), "case"),
            listed(&damaged)
        ));
    }
    found
}

fn of_case(dir: &RunDir, case: &str) -> Result<Vec<f64>, ReportError> {
    // Rounds of serving have readings of their own.
    let is_of_latency = |metric: &str| metric == "latency_s" || metric.starts_with("latency_s round=");
    let is_latency = |reading: &Reading| reading.phase == "predict-single" && is_of_latency(&reading.metric);
    let readings = dir.readings(case)?.unwrap_or_default();
    let mut seconds: Vec<f64> =
        readings.iter().filter(|reading| is_latency(reading)).map(|reading| reading.value).collect();
    seconds.sort_by(f64::total_cmp);
    Ok(seconds)
}
