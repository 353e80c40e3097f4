//! The search for parameters: what the search trials of a case gave, the parameters that follow from it, and what the search
//! trials cost.

use std::collections::BTreeMap;

use bakeoff_models::Resolved;
use bakeoff_reports::{Record, Status, metric};

use crate::case::Case;
use crate::outcome::{MetricValue, Outcome};
use crate::phase::Phase;
use crate::plan::{Plan, SearchMethod, SearchPlan};

mod bayesian;
mod cost;

/// What one search trial gave.
#[derive(Debug, Clone, PartialEq)]
struct TrialResult {
    params: Resolved,
    status: Status,
    note: String,
    /// The name of the task's primary metric, and its value on the held-out rows.
    score: Option<(String, f64)>,
    /// `None` if the fit was cut off.
    fit_s: Option<f64>,
    /// Joules of the fit with their source, or why there are none. Those that its own process counted are known for the shortest fit.
    energy: Result<(f64, String), String>,
    /// The wall time of its case; `None` if it did not begin.
    wall_s: Option<f64>,
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
    fn new<'a>(
        params: Resolved,
        (status, note, wall_s): (Status, &str, Option<f64>),
        numbers: impl Iterator<Item = Number<'a>>,
    ) -> TrialResult {
        let mut result = TrialResult {
            params,
            status,
            note: note.to_owned(),
            score: None,
            fit_s: None,
            energy: Err(String::new()),
            wall_s,
        };
        let (mut counted, mut measured) = (None, None);
        for Number { phase, metric, value, source, note } in numbers {
            if phase == Phase::Validate.name() {
                result.score = value.map(|score| (metric.to_owned(), score));
            } else if phase == Phase::Fit.name() && metric == "fit_s" {
                result.fit_s = value;
            } else if phase == Phase::Fit.name() && ["counted_j", "energy_j"].contains(&metric) {
                let joules = value.map(|joules| (joules, source.to_owned())).ok_or_else(|| note.to_owned());
                // The first meter is the one of budgets. Further ones give rows of their own.
                let found: &mut Option<Result<(f64, String), String>> =
                    if metric == "counted_j" { &mut counted } else { &mut measured };
                found.get_or_insert(joules);
            }
        }
        if let Some(joules) = counted.or(measured) {
            result.energy = joules;
        }
        result
    }
}

/// The search trials of one case that have ended, by their number.
type Ended = BTreeMap<usize, TrialResult>;

/// The searches of a run, and their search trials that have ended.
#[derive(Debug, Clone)]
pub struct Searches {
    /// By the id of the case that they are for.
    plans: BTreeMap<String, SearchPlan>,
    ended: BTreeMap<String, Ended>,
}

/// How a case begins when nothing that it waits for is left.
#[derive(Debug, Clone, PartialEq)]
pub enum Beginning {
    /// It is run with these parameters. The values are those of the search for them.
    Run(Resolved, Vec<MetricValue>),
    /// It is not run, and this is stored.
    Refused(Box<Outcome>),
}

impl Searches {
    /// The searches of a plan, of which nothing has run.
    pub fn new(plan: &Plan) -> Searches {
        Searches { plans: plan.searches.clone(), ended: BTreeMap::new() }
    }

    /// The searches of a plan, with the search trials that `records` show to have ended. Their parameters are chosen once
    /// more, which gives the same ones. What followed from a search trial that is gone is left out.
    pub fn stored(plan: &Plan, records: &[Record]) -> Searches {
        let mut rows: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        for record in records.iter().filter(|record| record.trial.is_some()) {
            rows.entry(&record.case).or_default().push(record);
        }
        let mut searches = Searches::new(plan);
        for case in plan.cases.iter().filter(|case| case.trial.is_some()) {
            let Some(rows) = rows.get(case.id.as_str()).filter(|_| searches.is_ready(case)) else { continue };
            let Some(closing) = rows.iter().find(|row| row.phase == Phase::Case.name()) else { continue };
            let numbers = rows.iter().map(|row| Number {
                phase: &row.phase,
                metric: &row.metric,
                value: row.value,
                source: &row.source,
                note: &row.note,
            });
            let params = match closing.value.map(|_| searches.choice(case)) {
                Some(Ok(params)) => params,
                // It did not begin.
                _ => case.params.clone(),
            };
            let ending = (closing.status, closing.note.as_str(), closing.value);
            searches.insert(case, TrialResult::new(params, ending, numbers));
        }
        searches
    }

    /// `case` with the parameters that were chosen for it, if it is a search trial that has ended.
    pub fn as_run(&self, case: &Case) -> Case {
        let ended = case.trial.and_then(|trial| self.ended.get(&case.scored_id())?.get(&trial));
        let params = ended.map_or(&case.params, |ended| &ended.params).clone();
        Case { params, ..case.clone() }
    }

    /// Adds what `case` gave, if it is a search trial. `wall_s` is `None` if it did not begin.
    pub fn add(&mut self, case: &Case, outcome: &Outcome, wall_s: Option<f64>) {
        let numbers = outcome.values.iter().map(|value| Number {
            phase: value.phase.name(),
            metric: &value.metric,
            value: value.value,
            source: &value.source,
            note: &value.note,
        });
        let ending = (outcome.status, outcome.note.as_str(), wall_s);
        self.insert(case, TrialResult::new(case.params.clone(), ending, numbers));
    }

    fn insert(&mut self, case: &Case, result: TrialResult) {
        if let Some(trial) = case.trial {
            self.ended.entry(case.scored_id()).or_default().insert(trial, result);
        }
    }

    /// Whether all search trials that `case` waits for have ended.
    pub fn is_ready(&self, case: &Case) -> bool {
        if case.waits_for == 0 {
            return true;
        }
        let ended = self.ended.get(&case.scored_id());
        ended.is_some_and(|ended| ended.range(1..=case.waits_for).count() == case.waits_for)
    }

    /// How `case` begins, which must be ready.
    pub fn beginning(&self, case: &Case) -> Beginning {
        let of_search = self.plans.get(&case.scored_id()).zip(self.ended.get(&case.scored_id()));
        let Some((search, ended)) = of_search.filter(|_| case.waits_for > 0) else {
            return Beginning::Run(case.params.clone(), Vec::new());
        };
        let Some(trial) = case.trial else {
            let (best, values) = end(search, ended);
            return match best {
                Ok(params) => Beginning::Run(params, values),
                Err((status, reason)) => {
                    Beginning::Refused(Box::new(Outcome { values, ..Outcome::without_numbers(status, reason) }))
                }
            };
        };
        let before: Vec<&TrialResult> =
            ended.range(..trial).map(|(_, result)| result).filter(|result| result.wall_s.is_some()).collect();
        if let Some(reason) = search.budget.and_then(|budget| cost::used_up(budget, &before)) {
            return Beginning::Refused(Box::new(Outcome::without_numbers(Status::OverBudget, reason)));
        }
        match self.choice(case) {
            Ok(params) => Beginning::Run(params, Vec::new()),
            Err(reason) => Beginning::Refused(Box::new(Outcome::without_numbers(Status::Failed, reason))),
        }
    }

    /// The parameters of a search trial, which follow from those before it or are planned.
    ///
    /// # Errors
    /// If there are no parameters left for it.
    fn choice(&self, case: &Case) -> Result<Resolved, String> {
        let scored = case.scored_id();
        let of_search = self.plans.get(&scored).zip(self.ended.get(&scored)).zip(case.trial);
        let Some(((search, ended), trial)) = of_search.filter(|((search, _), trial)| *trial > search.drawn()) else {
            return Ok(case.params.clone());
        };
        match search.method {
            SearchMethod::Random => Ok(case.params.clone()),
            SearchMethod::Bayesian => {
                let history: Vec<bayesian::Tried<'_>> =
                    ended.range(..trial).map(|(_, result)| (&result.params, goodness(result))).collect();
                bayesian::next(search, case, &history)
            }
            SearchMethod::Halving => promoted(search, ended, trial),
        }
    }
}

/// The parameters of a search trial of a later rung: the best search trial of the rung before gives them to the first, the
/// second best to the second.
fn promoted(search: &SearchPlan, ended: &Ended, trial: usize) -> Result<Resolved, String> {
    let (rung, before) = search.rung_of(trial);
    let from = before - search.rungs[rung - 1];
    let mut scored: Vec<(&TrialResult, f64)> =
        ended.range(from + 1..=before).filter_map(|(_, result)| Some((result, goodness(result)?))).collect();
    // A stable sort: of equal scores, the first one's is better.
    scored.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let place = trial - before;
    let found = scored.get(place - 1).map(|(result, _)| result.params.clone());
    found.ok_or_else(|| {
        let (scores, trials) = (scored.len(), search.rungs[rung - 1]);
        format!("the previous rung has no search trial left for this one: {scores} of its {trials} gave a score")
    })
}

/// Why no search trial can be chosen, and how the case ends that it was for.
type NoChoice = (Status, String);

/// The parameters of the best search trial or why there is none, and what is stored of the search with the case that it was
/// for.
fn end(search: &SearchPlan, ended: &Ended) -> (Result<Resolved, NoChoice>, Vec<MetricValue>) {
    let begun: Vec<&TrialResult> = ended.values().filter(|result| result.wall_s.is_some()).collect();
    let failed = begun.iter().filter(|result| usable_score(result).is_none()).count();
    let value = |metric: &str, value, source: &str, note: String| MetricValue {
        phase: Phase::Search,
        metric: metric.to_owned(),
        value,
        source: source.to_owned(),
        note,
        conditions: String::new(),
    };
    let (fit_s, fit_note) = cost::seconds(&begun);
    let (energy_j, source, energy_note) = cost::joules(&begun);
    let not_begun = match ended.len() - begun.len() {
        0 => String::new(),
        1 => "1 more did not begin".to_owned(),
        count => format!("{count} more did not begin"),
    };
    let mut values = vec![
        value("trials", Some(begun.len() as f64), "search", not_begun),
        value("failed_trials", Some(failed as f64), "search", String::new()),
        value("fit_s", fit_s, "stopwatch", fit_note),
        value("energy_j", energy_j, &source, energy_note),
    ];
    let best = best(search, ended);
    if let Some((_, score)) = best.and_then(usable_score) {
        values.push(value("best_validation", Some(score), "scorer", String::new()));
    }
    (best.map(|trial| trial.params.clone()).ok_or_else(|| no_choice(&begun)), values)
}

/// Why none of the search trials that began can be chosen. If the budget of a fit was too small for all of them, it is too small for
/// the case as well, which is no failure.
fn no_choice(begun: &[&TrialResult]) -> NoChoice {
    let first = begun.first().map_or("", |trial| trial.note.as_str());
    let all_over_budget = !begun.is_empty() && begun.iter().all(|trial| trial.status == Status::OverBudget);
    let (status, how) =
        if all_over_budget { (Status::OverBudget, "were over-budget") } else { (Status::Failed, "failed") };
    let reason = match begun.len() {
        1 => format!("the only search trial that began {}: {first}", how.replace("were", "was")),
        count => format!("all {count} search trials that began {how}; the first: {first}"),
    };
    (status, reason)
}

/// The best search trial of the last rung with a score: scores of different rungs are not compared. Of equal ones, the first.
fn best<'a>(search: &SearchPlan, ended: &'a Ended) -> Option<&'a TrialResult> {
    let mut best: Option<(usize, &TrialResult, f64)> = None;
    for (trial, result) in ended {
        let Some(goodness) = goodness(result) else { continue };
        let (rung, _) = search.rung_of(*trial);
        if best.is_none_or(|(of, _, other)| rung > of || goodness > other) {
            best = Some((rung, result, goodness));
        }
    }
    best.map(|(_, result, _)| result)
}

/// The score of a search trial that can be chosen.
fn usable_score(trial: &TrialResult) -> Option<(&str, f64)> {
    let (name, score) = trial.score.as_ref().filter(|_| trial.status == Status::Ok)?;
    Some((name, *score))
}

/// The score of a search trial that can be chosen, as one of which larger is better.
fn goodness(trial: &TrialResult) -> Option<f64> {
    let (name, score) = usable_score(trial)?;
    Some(metric(name)?.better.goodness(score))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joules(numbers: &[(&str, Option<f64>, &str, &str)]) -> Result<(f64, String), String> {
        let numbers = numbers.iter().map(|&(metric, value, source, note)| {
            let phase = Phase::Fit.name();
            Number { phase, metric, value, source, note }
        });
        let params: Resolved = serde_json::from_str("{}").expect("no parameters are parameters");
        TrialResult::new(params, (Status::Ok, "", Some(1.0)), numbers).energy
    }

    #[test]
    fn a_search_pays_by_what_the_fit_counted_and_never_by_a_second_meter() {
        let rapl = |value: f64| Ok((value, "rapl".to_owned()));
        let short = ("energy_j", None, "rapl", "window-too-short");
        let counted = ("counted_j", Some(0.5), "rapl", "");
        let gpu = ("energy_j", Some(99.0), "nvml", "");
        assert_eq!(joules(&[short, gpu, counted]), rapl(0.5));
        assert_eq!(joules(&[("energy_j", Some(7.0), "rapl", ""), gpu]), rapl(7.0));
        assert_eq!(joules(&[("energy_j", None, "rapl", "it was reset"), gpu]), Err("it was reset".to_owned()));
        assert_eq!(joules(&[]), Err(String::new()));
    }
}
