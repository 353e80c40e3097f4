//! Which cases of a stopped run are kept when it is resumed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bakeoff_reports::{Record, RunDir, Status};

use super::is_closing;
use crate::case::Case;
use crate::phase::Phase;
use crate::usage::usage;

/// The cases of a stopped run that are not run again, and those that could have been kept.
#[derive(Debug)]
pub struct Kept {
    /// The ids of the cases that are done: complete, not failed, and, if they waited for search trials, with all of these.
    pub done: BTreeSet<String>,
    /// The ids of the cases that were done, but whose predictions, readings or epochs are missing or cut off. They are run again.
    pub damaged: Vec<String>,
    /// The ids of the cases that have rows and no closing row, because `records.csv` was cut off or the program was stopped while it
    /// stored them. They are run again.
    pub unclosed: Vec<String>,
}

impl Kept {
    /// Looks at the records and the files of the cases.
    ///
    /// # Errors
    /// If `curves.csv` cannot be read, or if a case was measured with other parameters than it has now.
    pub(super) fn of(dir: &RunDir, cases: &[Case], records: &[Record]) -> anyhow::Result<Kept> {
        let mut epochs: BTreeMap<String, usize> = BTreeMap::new();
        for epoch in dir.curves()?.map_or_else(Vec::new, |intact| intact.rows) {
            *epochs.entry(epoch.case).or_default() += 1;
        }
        let results =
            records.iter().filter(|record| is_closing(record) && is_result(record)).map(|record| &record.case);
        let (whole, damaged): (Vec<&String>, Vec<&String>) = results.partition(|case| {
            has_predictions(dir, case, records)
                && has_readings(dir, case, records)
                && has_epochs(epochs.get(*case).copied().unwrap_or(0), case, records)
        });
        let mut done: BTreeSet<String> = whole.into_iter().cloned().collect();
        let lost = waiting_for_lost(cases, &done);
        for id in &lost {
            // Its parameters are chosen anew, so it does not go on from there. If it cannot be removed, the case says so.
            let _ = fs::remove_file(dir.checkpoint_path(id));
        }
        done.retain(|id| !lost.contains(id.as_str()));
        refuse_other_params(cases, records.iter().filter(|record| !lost.contains(record.case.as_str())))?;
        Ok(Kept { done, damaged: damaged.into_iter().cloned().collect(), unclosed: unclosed(records) })
    }
}

/// The cases without a closing row, in the order of their first rows.
fn unclosed(records: &[Record]) -> Vec<String> {
    let closed: BTreeSet<&str> =
        records.iter().filter(|record| is_closing(record)).map(|record| record.case.as_str()).collect();
    let mut unclosed: Vec<String> = Vec::new();
    for record in records.iter().filter(|record| !closed.contains(record.case.as_str())) {
        if unclosed.last() != Some(&record.case) {
            unclosed.push(record.case.clone());
        }
    }
    unclosed
}

/// Whether a closed case is not run again: if it did not fail, or is a search trial whose parameters made it diverge, run out of time or
/// of memory, or that had no parameters and did not begin. One that `failed` may have had a reason outside of it.
fn is_result(closing: &Record) -> bool {
    let was_begun = closing.value.is_some();
    !closing.status.is_failure() || (closing.trial.is_some() && (closing.status != Status::Failed || !was_begun))
}

/// Whether a case has as many predictions as were scored. A case without scores needs none.
fn has_predictions(dir: &RunDir, case: &str, records: &[Record]) -> bool {
    let examples = records.iter().find(|record| record.case == case && record.metric == "examples");
    examples.and_then(|record| record.value).is_none_or(|examples| {
        let stored = dir.predictions(case).ok().flatten();
        stored.is_some_and(|stored| stored.torn_line.is_none() && stored.rows.len() as f64 == examples)
    })
}

/// Whether the readings of a case are there and complete. A case that was not fitted needs none.
fn has_readings(dir: &RunDir, case: &str, records: &[Record]) -> bool {
    let fit = Phase::Fit.name();
    let fitted = records.iter().any(|record| record.case == case && record.phase == fit && record.metric == "fit_s");
    !fitted || matches!(dir.readings(case), Ok(Some(_)))
}

/// Whether so many rows of `curves.csv` are all epochs of a case. A model without epochs needs none, and neither does a case of a
/// program that did not record how many there were.
fn has_epochs(stored: usize, case: &str, records: &[Record]) -> bool {
    let recorded = records.iter().find(|record| record.case == case && record.metric == "epochs");
    recorded.and_then(|record| record.value).is_none_or(|epochs| epochs == stored as f64)
}

/// The cases that waited for a search trial that is not done. Their parameters would have to be chosen again.
fn waiting_for_lost<'a>(cases: &'a [Case], done: &BTreeSet<String>) -> BTreeSet<&'a str> {
    let mut first_lost: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases.iter().filter(|case| !done.contains(&case.id)) {
        if let Some(trial) = case.trial {
            let first = first_lost.entry(case.scored_id()).or_insert(trial);
            *first = trial.min(*first);
        }
    }
    let waits = |case: &&Case| first_lost.get(&case.scored_id()).is_some_and(|first| *first <= case.waits_for);
    cases.iter().filter(waits).map(|case| case.id.as_str()).collect()
}

/// Refuses cases that were measured with other parameters. A default or a range may have changed since the run was begun. A
/// case whose parameters were searched for has those of one of its search trials.
fn refuse_other_params<'a>(cases: &[Case], records: impl Iterator<Item = &'a Record>) -> anyhow::Result<()> {
    let mut params: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in cases {
        params.entry(case.id.clone()).or_default().push(case.params.to_string());
        if case.trial.is_some() {
            params.entry(case.scored_id()).or_default().push(case.params.to_string());
        }
    }
    for record in records {
        if let Some(now) = params.get(record.case.as_str())
            && !now.contains(&record.params)
        {
            let (case, then) = (&record.case, &record.params);
            let now = match now.as_slice() {
                [now] => format!("and would be with '{now}' now"),
                _ => "which no search trial of it has now".to_owned(),
            };
            return Err(usage(format!(
                "cannot resume: case '{case}' was measured with '{then}', {now}; start a new run"
            )));
        }
    }
    Ok(())
}
