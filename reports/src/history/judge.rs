//! The verdicts of one night, from the history alone.
//!
//! 1. A cost is judged as a series by [`judge_tonight`], a score by the paired test that the night stored.
//! 2. The p-values of all of them are one family, adjusted by Benjamini and Hochberg. What passes its floor and has at most 5 % is a suspect;
//!    so is a change point that the night has shown.
//! 3. A suspect that was measured again is confirmed if the fresh numbers say the same, and cleared if they do not.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::History;
use super::key::{CellKey, Quantity};
use super::line::{QualityLine, RunKind};
use super::night::{Change, Night, NightVerdict, NotJudged, Numbers, SeriesVerdict};
use super::quality::NO_REFERENCE;
use super::rules::Rules;
use super::series::{Run, RunCell, Series};
use super::tonight::{NightTest, NoBaseline, Tonight, judge_tonight};
use crate::comparison::ALPHA;
use crate::format::{count, listed};
use crate::metric::{Better, metric};
use crate::statistics::{Interval, benjamini_hochberg};

/// A series that can be judged, before the other series of the night are known.
struct Candidate<'a> {
    series: &'a Series,
    found: Found<'a>,
}

enum Found<'a> {
    /// A cost, and how many points it was judged by.
    Cost(Tonight, usize),
    Score(&'a QualityLine),
}

impl History {
    /// The index of the last night.
    pub fn last_night(&self) -> Option<usize> {
        self.runs.iter().rposition(|run| run.kind == RunKind::Night)
    }

    /// The verdicts of a run, which is an index of [`History::runs`], of a night or a backfilled commit.
    ///
    /// # Panics
    /// If there is no such run.
    pub fn judge(&self, run: usize, rules: &Rules) -> Night {
        let mut night = Night { run, verdicts: Vec::new(), remarks: Vec::new() };
        let mut candidates: Vec<(usize, Candidate<'_>)> = Vec::new();
        let gone = self.gone(run);
        for series in &self.series {
            let Some(cell) = self.runs[run].cells.iter().find(|cell| cell.cell == series.cell) else {
                let has_points = series.points.iter().any(|point| point.run < run);
                let before = gone.get(&series.cell).filter(|_| has_points);
                let quantity = &series.key.quantity;
                let is_judged = !quantity.is_estimate() && (!quantity.is_quality() || self.was_primary(series, run));
                if let (Some(before), true) = (before, is_judged) {
                    let verdict = NightVerdict::NotJudged(NotJudged::Gone(self.runs[*before].run.clone()));
                    let (key, id) = (series.key.clone(), series.id.clone());
                    night.verdicts.push(SeriesVerdict { key, id, verdict, numbers: None });
                }
                continue;
            };
            let (verdict, numbers) = match self.look_at(series, run, cell, rules) {
                Look::At(found) => {
                    candidates.push((night.verdicts.len(), Candidate { series, found }));
                    (NightVerdict::Unchanged, None)
                }
                Look::Away(reason) => (NightVerdict::NotJudged(reason), self.only_tonight(series, run)),
                Look::Past => continue,
            };
            night.verdicts.push(SeriesVerdict { key: series.key.clone(), id: series.id.clone(), verdict, numbers });
        }
        let p_values: Vec<f64> = candidates.iter().map(|(_, one)| one.p()).collect();
        let adjusted = benjamini_hochberg(&p_values);
        for ((at, candidate), p) in candidates.iter().zip(adjusted) {
            let verdict = &mut night.verdicts[*at];
            let again = self.again(candidate.series, run);
            verdict.numbers = Some(candidate.numbers(rules, p, &again));
            let change = candidate.change();
            if candidate.is_suspect(p) {
                verdict.verdict = match candidate.is_confirmed(&again, self.quality_again(candidate.series, run)) {
                    None => NightVerdict::Suspected(change),
                    Some(true) => NightVerdict::Confirmed(change),
                    Some(false) => NightVerdict::Cleared(change),
                };
            }
        }
        self.remark(&mut night);
        night
    }

    /// Since which run a series is where it is, if that changed in its present epoch: where a known change begins unless the user says it.
    /// What the last point shows counts before an older change, whose alarm is over.
    /// `at` is the run up to which it is looked at; without one, or without a point of it, that is all of the series.
    pub fn changed_since(&self, series: &Series, at: Option<usize>, rules: &Rules) -> Option<usize> {
        let last = at.and_then(|run| series.at(run)).or_else(|| series.points.len().checked_sub(1))?;
        let first = series.epoch_of(last).first;
        let values = series.up_to(last);
        let (tonight, earlier) = values.split_last()?;
        let floors = rules.floors(series.unit());
        let shown = judge_tonight(earlier, *tonight, &floors).ok().filter(|found| found.is_suspect(found.p));
        let at = shown.map(|found| found.begins(earlier.len())).or_else(|| {
            let changes = super::change_points::change_points(&values, &floors);
            changes.last().map(|change| change.at)
        })?;
        Some(series.points[first + at].run)
    }

    fn look_at<'a>(&'a self, series: &'a Series, run: usize, cell: &'a RunCell, rules: &Rules) -> Look<'a> {
        let quantity = &series.key.quantity;
        let point = series.at(run);
        if quantity.is_quality() {
            let found = cell.quality.as_ref().filter(|found| found.metric == quantity.metric);
            return match (point, found) {
                (None, _) if !cell.note.is_empty() && self.was_primary(series, run) => {
                    Look::Away(NotJudged::NoNumber(format!("{}: {}", cell.status, cell.note)))
                }
                (None, _) | (_, None) => Look::Past,
                (Some(_), Some(found)) if found.p.is_none() => {
                    Look::Away(NotJudged::NoReference(found.missing.clone()))
                }
                (Some(_), Some(found)) => Look::At(Found::Score(found)),
            };
        }
        if quantity.is_estimate() && point.is_none() {
            return Look::Past;
        }
        let Some(index) = point else {
            return if series.points.iter().all(|point| point.run > run) {
                Look::Past
            } else {
                let has_none = || "its cases have none".to_owned();
                let because = if cell.note.is_empty() { has_none() } else { format!("{}: {}", cell.status, cell.note) };
                Look::Away(NotJudged::NoNumber(because))
            };
        };
        if quantity.is_estimate() {
            return Look::Away(NotJudged::Estimate);
        }
        let Some(rule) = quantity.rules() else { return Look::Away(NotJudged::NoRule) };
        let values = series.up_to(index);
        let (tonight, earlier) = values.split_last().expect("the point is one of them");
        if earlier.is_empty() {
            return Look::Away(self.why_first(series, run, index));
        }
        match judge_tonight(earlier, *tonight, &rules.floors(rule.unit)) {
            Ok(found) => Look::At(Found::Cost(found, earlier.len())),
            Err(NoBaseline::TooFewNights { nights, needed }) => {
                Look::Away(NotJudged::TooFewPoints { points: nights, needed })
            }
            Err(NoBaseline::NoPositiveNumber) => {
                Look::Away(NotJudged::NoNumber(format!("{tonight} is no positive number")))
            }
        }
    }

    /// Why a series has no earlier point in its epoch.
    fn why_first(&self, series: &Series, run: usize, index: usize) -> NotJudged {
        if let Some(why) = &series.epoch_of(index).why {
            return NotJudged::NewEpoch(why.clone());
        }
        let before = |other: &&Series| {
            other.key.quantity == series.key.quantity
                && is_same_cell(&other.key.cell, &series.key.cell)
                && other.points.first().is_some_and(|point| point.run < run)
        };
        let others: Vec<&Series> = self.series.iter().filter(before).collect();
        let cell = &series.key.cell;
        let machines: Vec<String> = {
            // Another machine may give a case other threads, if the suite does not set them.
            let same = |other: &&&Series| {
                let differ = differences(&other.key.cell, cell);
                differ.contains(&"machine") && differ.iter().all(|what| matches!(*what, "machine" | "threads"))
            };
            others.iter().filter(same).map(|other| other.key.cell.machine.to_string()).collect()
        };
        if !machines.is_empty() {
            return NotJudged::NewMachine(machines);
        }
        // The most like it, and of several the latest.
        let nearest = others.iter().min_by_key(|other| {
            (differences(&other.key.cell, cell).len(), Reverse(other.points.last().map(|point| point.run)))
        });
        nearest.map_or(NotJudged::FirstPoint, |other| {
            NotJudged::Changed(format!("other {} than before", differences(&other.key.cell, cell).join(", ")))
        })
    }

    /// Whether a score was the primary one of its cell when that last had one, before this run.
    fn was_primary(&self, series: &Series, run: usize) -> bool {
        let mut before = self.runs[..run].iter().rev().flat_map(|other| &other.cells);
        let last = before.find_map(|cell| cell.quality.as_ref().filter(|_| cell.cell == series.cell));
        last.is_some_and(|quality| quality.metric == series.key.quantity.metric)
    }

    /// The number of a series that is not judged.
    fn only_tonight(&self, series: &Series, run: usize) -> Option<Numbers> {
        let tonight = series.points[series.at(run)?].value;
        Some(Numbers {
            tonight,
            baseline: None,
            interval: None,
            change: None,
            points: 0,
            p: None,
            floor: None,
            again: self.again(series, run),
        })
    }

    /// What was measured again of this night.
    fn again(&self, series: &Series, run: usize) -> Vec<f64> {
        let of_night = |index: usize| self.runs[index].of.as_deref() == Some(self.runs[run].run.as_str());
        series.again.iter().filter(|point| of_night(point.run)).map(|point| point.value).collect()
    }

    /// The paired tests of what was measured again of this night.
    fn quality_again(&self, series: &Series, run: usize) -> Vec<&QualityLine> {
        let of_night = self.runs.iter().filter(|other| other.of.as_deref() == Some(self.runs[run].run.as_str()));
        let cells = of_night.flat_map(|other| &other.cells).filter(|cell| cell.cell == series.cell);
        cells.filter_map(|cell| cell.quality.as_ref()).filter(|found| found.p.is_some()).collect()
    }

    fn remark(&self, night: &mut Night) {
        let run = &self.runs[night.run];
        let without = run.cells.iter().filter(|cell| !self.has_numbers(night.run, cell.cell));
        let without: Vec<String> =
            without.map(|cell| format!("{} ({}{})", self.cells[cell.cell], cell.status, noted(&cell.note))).collect();
        if !without.is_empty() {
            night.remarks.push(format!("{} without numbers: {}.", count(without.len(), "cell"), listed(&without)));
        }
        let no_reference = |one: &SeriesVerdict| matches!(&one.verdict, NightVerdict::NotJudged(NotJudged::NoReference(why)) if why != NO_REFERENCE);
        if let Some(before) = self.before(night.run)
            && self.runs[before].settings != run.settings
        {
            night.remarks.push(format!(
                "The suite is not what it was in run {} before: settings, tasks or models have changed, and numbers may have changed for \
                 that reason. Both have it in run.json, as suite_toml.",
                self.runs[before].run
            ));
        }
        if night.verdicts.iter().any(no_reference) {
            night.remarks.push(
                "To test scores of later nights against another run: bakeoff history reference, with the folder of the history and that \
                 of the run."
                    .to_owned(),
            );
        }
    }

    /// The run of the same kind and suite before this one on its machines.
    fn before(&self, run: usize) -> Option<usize> {
        let of = &self.runs[run];
        let machine = |cell: &RunCell| &self.cells[cell.cell].machine;
        let is_alike = |other: &Run| {
            let shares = |cell: &RunCell| of.cells.iter().any(|own| machine(own) == machine(cell));
            other.kind == of.kind && other.suite == of.suite && other.cells.iter().any(shares)
        };
        self.runs[..run].iter().rposition(is_alike)
    }

    /// The cells that the run before had, and that this one does not have in any way, with that run.
    fn gone(&self, run: usize) -> HashMap<usize, usize> {
        let Some(before) = self.before(run) else { return HashMap::new() };
        let of = &self.runs[run];
        let is_there =
            |cell: &&RunCell| of.cells.iter().any(|own| is_same_cell(&self.cells[own.cell], &self.cells[cell.cell]));
        let cells = &self.runs[before].cells;
        cells.iter().filter(|cell| !is_there(cell)).map(|cell| (cell.cell, before)).collect()
    }

    fn has_numbers(&self, run: usize, cell: usize) -> bool {
        self.series.iter().any(|series| series.cell == cell && series.at(run).is_some())
    }
}

/// What there is to say of a series before the others are known.
enum Look<'a> {
    At(Found<'a>),
    Away(NotJudged),
    Past,
}

impl Candidate<'_> {
    fn p(&self) -> f64 {
        match &self.found {
            Found::Cost(tonight, _) => tonight.p,
            Found::Score(found) => found.p.unwrap_or(1.0),
        }
    }

    fn change(&self) -> Change {
        let rises = match &self.found {
            Found::Cost(tonight, _) => tonight.change() > 0.0,
            Found::Score(found) => found.change.is_some_and(|change| change > 0.0),
        };
        let better = metric(&self.series.key.quantity.metric).map_or(Better::Lower, |metric| metric.better);
        if rises == (better == Better::Higher) { Change::Improvement } else { Change::Regression }
    }

    fn is_suspect(&self, adjusted: f64) -> bool {
        match &self.found {
            Found::Cost(tonight, _) => tonight.is_suspect(adjusted),
            Found::Score(found) => matters(found) && adjusted <= ALPHA,
        }
    }

    /// `None` if nothing was measured again.
    fn is_confirmed(&self, again: &[f64], quality: Vec<&QualityLine>) -> Option<bool> {
        match &self.found {
            Found::Cost(..) if again.is_empty() => None,
            Found::Cost(tonight, _) => Some(tonight.confirmed_by(again)),
            Found::Score(_) if quality.is_empty() => None,
            Found::Score(found) => {
                let says_so = |other: &QualityLine| {
                    let same = other.change.zip(found.change).is_some_and(|(one, two)| (one > 0.0) == (two > 0.0));
                    same && matters(other) && other.p.is_some_and(|p| p <= ALPHA)
                };
                Some(quality.into_iter().all(says_so))
            }
        }
    }

    fn numbers(&self, rules: &Rules, p: f64, again: &[f64]) -> Numbers {
        match &self.found {
            Found::Cost(tonight, points) => {
                let floors = rules.floors(self.series.unit());
                let is_of_one = tonight.new_change.is_none() && tonight.test == NightTest::Tonight;
                let share = if is_of_one { floors.tonight } else { floors.history };
                Numbers {
                    tonight: tonight.value,
                    baseline: Some(tonight.level),
                    interval: Some(Interval { low: tonight.low, high: tonight.high }),
                    change: Some(tonight.change()),
                    points: *points,
                    p: Some(p),
                    floor: Some(floors.absolute.max(share * tonight.level)),
                    again: again.to_vec(),
                }
            }
            Found::Score(found) => {
                let before = found.before.unwrap_or_default();
                Numbers {
                    tonight: before + found.change.unwrap_or_default(),
                    baseline: found.before,
                    interval: found.interval.map(|(low, high)| Interval { low, high }),
                    change: found.change,
                    points: found.seeds,
                    p: Some(p),
                    floor: found.region,
                    again: again.to_vec(),
                }
            }
        }
    }
}

/// Whether the change of a score is larger than what does not matter in practice.
fn matters(found: &QualityLine) -> bool {
    found.change.is_some_and(|change| change.abs() >= found.region.unwrap_or(0.0) && change != 0.0)
}

fn noted(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(": {note}") }
}

/// Whether a person would call them the same, whatever the machine, the versions and the parameters are.
fn is_same_cell(one: &CellKey, other: &CellKey) -> bool {
    one.suite == other.suite
        && one.task == other.task
        && one.label == other.label
        && one.train_size == other.train_size
        && one.label_noise.to_bits() == other.label_noise.to_bits()
        && one.folds == other.folds
        && one.device == other.device
}

/// What tells two such cells apart.
fn differences(one: &CellKey, other: &CellKey) -> Vec<&'static str> {
    let differ = [
        ("version of the task", one.task_version != other.task_version),
        ("model", one.model != other.model),
        ("parameters", one.params != other.params),
        ("seeds or folds", one.trials != other.trials),
        ("threads", one.threads != other.threads),
        ("machine", one.machine != other.machine),
    ];
    differ.into_iter().filter(|(_, differ)| *differ).map(|(what, _)| what).collect()
}

impl Series {
    /// The unit of its numbers; empty if it has none.
    pub fn unit(&self) -> &'static str {
        Quantity::rules(&self.key.quantity).map_or("", |rules| rules.unit)
    }
}

impl Night {
    /// Whether cases of it failed.
    pub fn has_failures(&self, history: &History) -> bool {
        history.runs[self.run].cells.iter().any(|cell| cell.status.is_failure())
    }

    /// Whether a regression is confirmed.
    pub fn is_regression(&self) -> bool {
        self.verdicts.iter().any(|one| one.verdict == NightVerdict::Confirmed(Change::Regression))
    }

    /// The series that have no baseline. A missing baseline is no pass. An estimate needs none.
    pub fn without_baseline(&self) -> impl Iterator<Item = &SeriesVerdict> {
        self.verdicts.iter().filter(|one| match &one.verdict {
            NightVerdict::NotJudged(reason) => !matches!(reason, NotJudged::Estimate | NotJudged::NoRule),
            _ => false,
        })
    }

    /// The cells of what is suspected, which are measured again: indices of [`History::cells`].
    pub fn suspected_cells(&self, history: &History) -> Vec<usize> {
        let suspected = self.verdicts.iter().filter(|one| matches!(one.verdict, NightVerdict::Suspected(_)));
        let mut cells: Vec<usize> =
            suspected.filter_map(|one| history.by_id(&one.id)).map(|series| series.cell).collect();
        cells.sort_unstable();
        cells.dedup();
        cells
    }
}

impl History {
    /// The series of this id.
    pub fn by_id(&self, id: &super::SeriesId) -> Option<&Series> {
        self.series.iter().find(|series| series.id == *id)
    }
}
