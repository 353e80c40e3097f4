//! Which cases of a stopped run are kept when it is resumed.

use std::collections::{BTreeMap, BTreeSet};

use bakeoff_reports::{Record, Results, RunDir, Status, model_bytes_in};

use super::{StoredRows, is_closing};
use crate::case::Case;
use crate::outcome::is_stop_from_outside;
use crate::phase::Phase;
use crate::usage::usage;

/// The cases of a stopped run that are not run again, and those that could have been kept.
#[derive(Debug)]
pub struct Kept {
    /// The ids of the cases that are done: complete, not failed, and, if they waited for search trials, with all of these.
    pub done: BTreeSet<String>,
    /// The ids of the cases that were done, but whose predictions, readings, epochs or kept model are missing or cut off. They are run
    /// again.
    pub damaged: Vec<String>,
    /// The ids of the cases that have rows or files and no closing row, because `records.csv` was cut off or the program was stopped while
    /// it stored them. They are run again.
    pub unclosed: Vec<String>,
    /// The ids of the cases that were done, and whose parameters follow from search trials that are run again. So they are run again too.
    pub waiting: Vec<String>,
}

impl Kept {
    /// Looks at the records and the files of the cases.
    ///
    /// # Errors
    /// If a case was measured with other parameters than it has now.
    pub(super) fn of(dir: &RunDir, cases: &[Case], rows: &StoredRows, results: &Results) -> anyhow::Result<Kept> {
        let stored = Stored::of(dir, rows, results);
        let mut kept =
            Kept { done: BTreeSet::new(), damaged: Vec::new(), unclosed: stored.unclosed(cases), waiting: Vec::new() };
        for case in cases.iter().filter(|case| stored.is_result(case)) {
            if stored.is_whole(case) {
                kept.done.insert(case.id.clone());
            } else {
                kept.damaged.push(case.id.clone());
            }
        }
        let waiting = waiting_for_lost(cases, &kept.done);
        let of_search = cases.iter().map(|case| &case.id).filter(|id| waiting.contains(id.as_str()));
        kept.waiting = of_search.filter(|id| kept.done.contains(*id)).cloned().collect();
        kept.done.retain(|id| !waiting.contains(id.as_str()));
        refuse_other_params(cases, rows.records.iter().filter(|record| !waiting.contains(record.case.as_str())))?;
        Ok(kept)
    }
}

/// What a stopped run has stored of each case.
struct Stored<'a> {
    dir: &'a RunDir,
    /// What the predictions and readings gave that were whole.
    results: &'a Results,
    records: BTreeMap<&'a str, Vec<&'a Record>>,
    epochs: BTreeMap<&'a str, usize>,
}

impl<'a> Stored<'a> {
    fn of(dir: &'a RunDir, rows: &'a StoredRows, results: &'a Results) -> Stored<'a> {
        let mut stored = Stored { dir, results, records: BTreeMap::new(), epochs: BTreeMap::new() };
        for record in &rows.records {
            stored.records.entry(&record.case).or_default().push(record);
        }
        for epoch in &rows.curves {
            *stored.epochs.entry(&epoch.case).or_default() += 1;
        }
        stored
    }

    fn rows(&self, case: &str) -> &[&'a Record] {
        self.records.get(case).map_or(&[], Vec::as_slice)
    }

    fn closing(&self, case: &str) -> Option<&'a Record> {
        self.rows(case).iter().copied().find(|record| is_closing(record))
    }

    fn value(&self, case: &str, metric: &str) -> Option<f64> {
        self.rows(case).iter().find(|record| record.metric == metric).and_then(|record| record.value)
    }

    /// The cases with rows or files and without a closing row.
    fn unclosed(&self, cases: &[Case]) -> Vec<String> {
        let ids = cases.iter().map(|case| &case.id).filter(|id| self.closing(id).is_none());
        ids.filter(|id| !self.rows(id).is_empty() || has_files(self.dir, id)).cloned().collect()
    }

    /// Whether a case ended so that it is not run again. A search trial that failed is a result, as one that diverged or ran out of time
    /// or of memory. It is run again only if its process was killed or could not be started, which says nothing of its parameters, or if
    /// no search trial of its case was left to choose from.
    fn is_result(&self, case: &Case) -> bool {
        let Some(closing) = self.closing(&case.id) else { return false };
        let was_begun = |closing: &Record| closing.value.is_some();
        let had_choice = || {
            let of_case = self.closing(&case.scored_id());
            of_case.is_none_or(|of_case| of_case.status != Status::Failed || was_begun(of_case))
        };
        match (case.trial, closing.status) {
            (None, status) => !status.is_failure(),
            (Some(_), Status::Failed) => !was_begun(closing) || (!is_stop_from_outside(&closing.note) && had_choice()),
            (Some(_), _) => true,
        }
    }

    /// Whether the files of a case have everything that its records speak of.
    fn is_whole(&self, case: &Case) -> bool {
        self.has_predictions(&case.id)
            && self.has_readings(&case.id)
            && self.has_epochs(&case.id)
            && (!case.keep_model || self.has_model(&case.id))
    }

    /// Whether a case has as many predictions as were scored. A case without scores needs none.
    fn has_predictions(&self, case: &str) -> bool {
        if self.results.answers.contains_key(case) {
            return true;
        }
        self.value(case, "examples").is_none_or(|examples| {
            let stored = self.dir.predictions(case).ok().flatten();
            stored.is_some_and(|stored| stored.torn_line.is_none() && stored.rows.len() as f64 == examples)
        })
    }

    /// Whether the readings of a case are there and complete. A case that was not fitted needs none.
    fn has_readings(&self, case: &str) -> bool {
        if self.results.latencies.contains_key(case) {
            return true;
        }
        let fit = Phase::Fit.name();
        let fitted = self.rows(case).iter().any(|record| record.phase == fit && record.metric == "fit_s");
        !fitted || matches!(self.dir.readings(case), Ok(Some(_)))
    }

    /// Whether all epochs of a case are there. A model without epochs needs none, and neither does a case of a program that did not
    /// record how many there were.
    fn has_epochs(&self, case: &str) -> bool {
        let stored = self.epochs.get(case).copied().unwrap_or(0);
        self.value(case, "epochs").is_none_or(|epochs| epochs == stored as f64)
    }

    /// Whether the kept model of a case has the size that was recorded. None was kept if there is no size.
    fn has_model(&self, case: &str) -> bool {
        let recorded = self.value(case, "model_bytes");
        recorded
            .is_none_or(|bytes| model_bytes_in(&self.dir.model_path(case)).is_ok_and(|stored| stored as f64 == bytes))
    }
}

/// Whether there are predictions or readings of a case.
pub(super) fn has_files(dir: &RunDir, case: &str) -> bool {
    dir.predictions_path(case).exists() || dir.readings_path(case).exists()
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
