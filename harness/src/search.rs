//! The search for parameters: what the search trials of a case gave, which of them is the best, and what they cost.

use std::collections::BTreeMap;

use bakeoff_models::Resolved;
use bakeoff_reports::{Record, Status, metric};

use crate::case::Case;
use crate::outcome::{MetricValue, Outcome};
use crate::phase::Phase;

/// What one search trial gave.
#[derive(Debug, Clone, PartialEq)]
struct TrialResult {
    params: Resolved,
    status: Status,
    note: String,
    /// The name of the task's primary metric, and its value on the held-out rows.
    score: Option<(String, f64)>,
    /// Empty if the fit was cut off.
    fit_s: Option<f64>,
    /// Joules of the fit with their source, or why there are none.
    energy: Result<(f64, String), String>,
}

/// A number of a search trial, just measured or stored.
struct Number<'a> {
    phase: &'a str,
    metric: &'a str,
    value: Option<f64>,
    source: &'a str,
    note: &'a str,
}

impl TrialResult {
    fn new<'a>(case: &Case, status: Status, note: &str, numbers: impl Iterator<Item = Number<'a>>) -> TrialResult {
        let mut result = TrialResult {
            params: case.params.clone(),
            status,
            note: note.to_owned(),
            score: None,
            fit_s: None,
            energy: Err(String::new()),
        };
        for Number { phase, metric, value, source, note } in numbers {
            if phase == Phase::Validate.name() {
                result.score = value.map(|score| (metric.to_owned(), score));
            } else if phase == Phase::Fit.name() && metric == "fit_s" {
                result.fit_s = value;
            } else if phase == Phase::Fit.name() && metric == "energy_j" {
                result.energy = value.map(|joules| (joules, source.to_owned())).ok_or_else(|| note.to_owned());
            }
        }
        result
    }
}

/// The search trials of a run that have ended.
#[derive(Debug, Clone, Default)]
pub struct Searches {
    /// By the id of the case that they are for, and their number.
    ended: BTreeMap<String, BTreeMap<usize, TrialResult>>,
}

/// The end of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchEnd {
    /// The parameters of the best search trial, or why there is none.
    pub best: Result<Resolved, String>,
    /// What is stored of the search with the case that it was for.
    pub values: Vec<MetricValue>,
}

impl Searches {
    /// The search trials of `cases` that `records` show to have ended.
    pub fn stored(cases: &[Case], records: &[Record]) -> Searches {
        let mut rows: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        for record in records.iter().filter(|record| record.trial.is_some()) {
            rows.entry(&record.case).or_default().push(record);
        }
        let mut searches = Searches::default();
        for case in cases {
            let Some(rows) = rows.get(case.id.as_str()) else { continue };
            let Some(closing) = rows.iter().find(|row| row.phase == Phase::Case.name()) else { continue };
            let numbers = rows.iter().map(|row| Number {
                phase: &row.phase,
                metric: &row.metric,
                value: row.value,
                source: &row.source,
                note: &row.note,
            });
            searches.insert(case, TrialResult::new(case, closing.status, &closing.note, numbers));
        }
        searches
    }

    /// Adds what `case` gave, if it is a search trial.
    pub fn add(&mut self, case: &Case, outcome: &Outcome) {
        let numbers = outcome.values.iter().map(|value| Number {
            phase: value.phase.name(),
            metric: &value.metric,
            value: value.value,
            source: &value.source,
            note: &value.note,
        });
        self.insert(case, TrialResult::new(case, outcome.status, &outcome.note, numbers));
    }

    fn insert(&mut self, case: &Case, result: TrialResult) {
        if let Some(trial) = case.trial {
            self.ended.entry(case.scored_id()).or_default().insert(trial, result);
        }
    }

    /// Whether all search trials that `case` waits for have ended.
    pub fn is_ready(&self, case: &Case) -> bool {
        case.trials == 0 || self.ended.get(&case.id).is_some_and(|ended| ended.len() == case.trials)
    }

    /// The end of the search for the parameters of `case`; `None` if they were not searched for.
    pub fn end(&self, case: &Case) -> Option<SearchEnd> {
        let ended: Vec<&TrialResult> = self.ended.get(&case.id).filter(|_| case.trials > 0)?.values().collect();
        let scored = || ended.iter().filter_map(|trial| Some((*trial, usable_score(trial)?)));
        let mut best: Option<(&TrialResult, f64)> = None;
        for (trial, (name, score)) in scored() {
            let is_better =
                |(_, other): (_, f64)| metric(name).is_some_and(|metric| metric.better.prefers(score, other));
            if best.is_none_or(is_better) {
                best = Some((trial, score));
            }
        }
        let failed = ended.len() - scored().count();
        let value = |metric: &str, value, source: &str, note: String| MetricValue {
            phase: Phase::Search,
            metric: metric.to_owned(),
            value,
            source: source.to_owned(),
            note,
        };
        let (fit_s, fit_note) = seconds(&ended);
        let (energy_j, source, energy_note) = joules(&ended);
        let mut values = vec![
            value("trials", Some(ended.len() as f64), "search", String::new()),
            value("failed_trials", Some(failed as f64), "search", String::new()),
            value("fit_s", fit_s, "stopwatch", fit_note),
            value("energy_j", energy_j, &source, energy_note),
        ];
        if let Some((_, score)) = best {
            values.push(value("best_validation", Some(score), "scorer", String::new()));
        }
        let reason = || {
            let first = ended.first().map_or("", |trial| trial.note.as_str());
            format!("all {} search trials failed; the first: {first}", ended.len())
        };
        let best = best.map(|(trial, _)| trial.params.clone()).ok_or_else(reason);
        Some(SearchEnd { best, values })
    }
}

/// The score of a search trial that can be chosen.
fn usable_score(trial: &TrialResult) -> Option<(&str, f64)> {
    let (name, score) = trial.score.as_ref().filter(|_| trial.status == Status::Ok)?;
    Some((name, *score))
}

/// What is said of a sum that lacks the fits that were cut off.
fn without(ended: &[&TrialResult]) -> String {
    match ended.iter().filter(|trial| trial.fit_s.is_none()).count() {
        0 => String::new(),
        1 => "without 1 search trial whose fit was cut off".to_owned(),
        count => format!("without {count} search trials whose fit was cut off"),
    }
}

/// Seconds of all fits, and what they lack.
fn seconds(ended: &[&TrialResult]) -> (Option<f64>, String) {
    let fits: Vec<f64> = ended.iter().filter_map(|trial| trial.fit_s).collect();
    ((!fits.is_empty()).then(|| fits.iter().sum()), without(ended))
}

/// Joules of all fits, their source, and what they lack. Joules of two sources are not added up.
fn joules(ended: &[&TrialResult]) -> (Option<f64>, String, String) {
    let mut sum = 0.0;
    let mut first_source: Option<&str> = None;
    for trial in ended.iter().filter(|trial| trial.fit_s.is_some()) {
        match &trial.energy {
            Err(reason) => return (None, String::new(), reason.clone()),
            Ok((_, source)) if first_source.is_some_and(|first| first != source) => {
                return (None, String::new(), "the joules of the search trials are of two sources".to_owned());
            }
            Ok((joules, source)) => {
                sum += joules;
                first_source = Some(source);
            }
        }
    }
    (first_source.map(|_| sum), first_source.unwrap_or_default().to_owned(), without(ended))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(fit_s: Option<f64>, energy: Result<(f64, &str), &str>) -> TrialResult {
        let params: Resolved = serde_json::from_str("{}").expect("no parameters are parameters");
        let energy = energy.map(|(joules, source)| (joules, source.to_owned())).map_err(str::to_owned);
        TrialResult { params, status: Status::Ok, note: String::new(), score: None, fit_s, energy }
    }

    #[test]
    fn costs_are_summed_and_say_what_they_lack() {
        let trials = [trial(Some(1.5), Ok((10.0, "rapl"))), trial(None, Err("")), trial(Some(2.0), Ok((5.0, "rapl")))];
        let all: Vec<&TrialResult> = trials.iter().collect();
        let lacking = "without 1 search trial whose fit was cut off";
        assert_eq!(seconds(&all), (Some(3.5), lacking.to_owned()));
        assert_eq!(joules(&all), (Some(15.0), "rapl".to_owned(), lacking.to_owned()));
        assert_eq!(seconds(&all[1..2]), (None, lacking.to_owned()));
    }

    #[test]
    fn joules_of_two_sources_or_with_a_gap_are_not_added_up() {
        let [rapl, estimate] = ["rapl", "estimate"].map(|source| trial(Some(1.0), Ok((10.0, source))));
        let gap = trial(Some(1.0), Err("no meter is readable"));
        let (sum, _, reason) = joules(&[&rapl, &estimate]);
        assert_eq!((sum, reason.as_str()), (None, "the joules of the search trials are of two sources"));
        assert_eq!(joules(&[&rapl, &gap]), (None, String::new(), "no meter is readable".to_owned()));
    }
}
