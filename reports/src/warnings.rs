//! Warnings about the rows of a setting, which a reader must know before believing its table: test rows that leaked,
//! classes without enough rows, inputs that a model did not read. And about scores that are not those of their predictions.

use std::collections::{HashMap, HashSet};

use crate::cell::{Contradiction, SEEN_IN_PRETRAINING, Trial};
use crate::format::{count, listed};
use crate::grid::Grid;
use crate::record::Status;
use crate::repeatability::not_repeated;
use crate::sheet::COLLAPSED_BELOW;

/// The warnings of a setting, a few sentences each.
pub(crate) fn warnings(grid: &Grid, setting: usize) -> Vec<String> {
    let about = About { grid, setting };
    [
        about.leakage(),
        about.leaked_unlabelled(),
        about.pretraining(),
        about.classes(),
        about.wordless(),
        about.markless(),
        about.truncated(),
        about.collapsed(),
        about.audit(),
        about.noise(),
        not_repeated(grid, setting).into_iter().collect(),
        about.processors(),
    ]
    .concat()
}

/// The warning about all cases whose recorded score is not that of their predictions; `None` if there is no such case.
pub(crate) fn contradicted(grid: &Grid) -> Option<String> {
    let named = |trial: &Trial| {
        let Contradiction { metric, recorded, recomputed } = trial.contradiction?;
        let recomputed = recomputed.map_or("none".to_owned(), |score| score.to_string());
        Some(format!("{} ({metric} is {recorded} in records.csv, and {recomputed} by its predictions)", trial.case))
    };
    let cases: Vec<String> = grid.trials().filter_map(|(_, _, trial)| named(trial)).collect();
    let (has, its, of_it) = if cases.len() == 1 { ("has", "its", "it") } else { ("have", "their", "them") };
    (!cases.is_empty()).then(|| {
        format!(
            "{} {has} another score in records.csv than {its} predictions give, as if a file had been changed after the run: {}. \
             The scores of {of_it} are left out, so they decide nothing. Put the files back as the run wrote them, or remove \
             predictions/<case>.csv and run `bakeoff resume`, which measures such a case again.",
            count(cases.len(), "case"),
            listed(&cases)
        )
    })
}

/// A setting of a grid, about which warnings are made.
struct About<'a> {
    grid: &'a Grid,
    setting: usize,
}

/// What the trials of one model report. If all models agree, what all of them report.
struct ModelReport<T> {
    /// The model's label and a colon. Empty if all models agree.
    who: String,
    /// Whether a trial is a fold, and not a seed.
    are_folds: bool,
    /// What each trial says: its seed, and its fold if it has one (`1`, `s1.r1f2`).
    by_trial: Vec<(String, T)>,
}

impl About<'_> {
    /// What the trials say, once where all models say the same in each of them, else by model.
    fn reports<T: PartialEq>(&self, read: impl Fn(&Trial) -> Option<T>) -> Vec<ModelReport<T>> {
        let by_model = self.by_model(read);
        let all: Vec<&(String, T)> = by_model.iter().flat_map(|report| &report.by_trial).collect();
        let mut first: HashMap<&str, &T> = HashMap::new();
        let agree = all.iter().all(|(trial, value)| *first.entry(trial).or_insert(value) == value);
        if !agree {
            return by_model;
        }
        let mut seen = HashSet::new();
        let by_trial = by_model.into_iter().flat_map(|report| report.by_trial);
        let by_trial: Vec<(String, T)> = by_trial.filter(|(trial, _)| seen.insert(trial.clone())).collect();
        let are_folds = self.are_folds();
        if by_trial.is_empty() { Vec::new() } else { vec![ModelReport { who: String::new(), are_folds, by_trial }] }
    }

    fn by_model<T>(&self, read: impl Fn(&Trial) -> Option<T>) -> Vec<ModelReport<T>> {
        let report = self.grid.row(self.setting).map(|(label, cell)| ModelReport {
            who: format!("{}: ", self.grid.labels[label]),
            are_folds: self.are_folds(),
            by_trial: cell.trials.iter().filter_map(|trial| Some((name_of(trial), read(trial)?))).collect(),
        });
        report.filter(|report| !report.by_trial.is_empty()).collect()
    }

    fn are_folds(&self) -> bool {
        self.grid.settings[self.setting].folds.is_some()
    }

    fn leakage(&self) -> Vec<String> {
        let read = |trial: &Trial| {
            let leaked = number(trial, "score", "leaked_examples")?;
            let other = number(trial, "score", "leaked_other_target").unwrap_or(0.0);
            Some([leaked, other, number(trial, "score", "examples")?])
        };
        let sentence = |report: ModelReport<[f64; 3]>| {
            let [leaked, other, examples] = [0, 1, 2].map(|part| TrialRange::of(&report, |values| values[part]));
            if leaked.high == 0.0 {
                return None;
            }
            let differ = if other.high > 0.0 {
                format!(" {other} of these {} another target than the training row.", other.verb("has", "have"))
            } else {
                String::new()
            };
            Some(format!(
                "{}{leaked} of {examples} test rows {} the same input as a training row.{differ} Scores on such rows \
                 show what a model remembers, not how well it does on new data.",
                report.who,
                leaked.verb("has", "have"),
            ))
        };
        self.reports(read).into_iter().filter_map(sentence).collect()
    }

    /// A sentence for each model that was given test inputs without their targets.
    fn leaked_unlabelled(&self) -> Vec<String> {
        let read =
            |trial: &Trial| Some([number(trial, "score", "leaked_unlabelled")?, number(trial, "score", "examples")?]);
        let sentence = |report: ModelReport<[f64; 2]>| {
            let [leaked, examples] = [0, 1].map(|part| TrialRange::of(&report, |values| values[part]));
            (leaked.high > 0.0).then(|| {
                format!(
                    "{}{leaked} of {examples} test rows {} the same input as an unlabelled row. The model has not seen their targets, \
                     but its fit knew these rows, so its scores on them are not scores on new data.",
                    report.who,
                    leaked.verb("has", "have"),
                )
            })
        };
        self.by_model(read).into_iter().filter_map(sentence).collect()
    }

    /// A sentence for each model that saw the task in pretraining.
    fn pretraining(&self) -> Vec<String> {
        let seen = |trial: &Trial| {
            let value = trial.get("fit", SEEN_IN_PRETRAINING)?;
            (value.value > 0.0).then(|| value.note.clone())
        };
        let warning = |report: ModelReport<String>| {
            let (_, dataset) = report.by_trial.first()?;
            Some(format!(
                "{}its weights learned from the training rows of {dataset} before this run. Its scores here, marked †, do not show \
                 how well it does on a new task, and verdicts and ranks over tasks leave them out.",
                report.who
            ))
        };
        self.by_model(seen).into_iter().filter_map(warning).collect()
    }

    fn classes(&self) -> Vec<String> {
        let classes = self.grid.settings[self.setting].task.classes.len();
        let mut warnings = Vec::new();
        for (phase, metric, rows, consequence) in [
            (
                "fit",
                "classes_without_rows",
                "no row to learn from",
                "No model can predict a class that it has not seen.",
            ),
            (
                "fit",
                "classes_with_one_row",
                "only one row to learn from",
                "One row is too little to learn a class from.",
            ),
            ("score", "classes_without_test_rows", "no row to be scored on", "The score does not cover such a class."),
        ] {
            let read = |trial: &Trial| trial.get(phase, metric).map(|value| (value.value, value.note.clone()));
            for report in self.reports(read) {
                for (seeds, (lost, names)) in by_value(report.by_trial, report.are_folds) {
                    if lost == 0.0 {
                        continue;
                    }
                    let verb = if lost == 1.0 { "has" } else { "have" };
                    warnings.push(format!(
                        "{}{seeds}{lost} of {classes} classes {verb} {rows}: {}. {consequence}",
                        report.who,
                        few(&names, lost)
                    ));
                }
            }
        }
        warnings
    }

    /// Models whose generator makes nearly the same image each time. Their scores stand, and are those of a classifier that has
    /// learned against such a generator.
    fn collapsed(&self) -> Vec<String> {
        let is_collapsed = |trial: &&Trial| {
            number(trial, "case", "generated_diversity").is_some_and(|diversity| diversity < COLLAPSED_BELOW)
        };
        let cells = self.grid.row(self.setting).map(|(label, cell)| {
            let collapsed = cell.trials.iter().filter(is_collapsed).map(name_of).collect::<Vec<_>>();
            (&self.grid.labels[label], collapsed)
        });
        cells
            .filter(|(_, collapsed)| !collapsed.is_empty())
            .map(|(label, collapsed)| {
                let what = if self.are_folds() { "fold" } else { "seed" };
                format!(
                    "The generator of {label} has collapsed ({what} {}): it makes nearly the same image each time. So its \
                     classifier learned against little.",
                    listed(&collapsed)
                )
            })
            .collect()
    }

    /// Audits of the latency that failed.
    fn audit(&self) -> Vec<String> {
        let tests = ["differing_answers", "repeat_speedup"];
        let failed = |trial: &Trial| {
            let notes = tests.iter().filter_map(|metric| trial.get("audit", metric)).map(|value| value.note.as_str());
            let failed: Vec<String> = notes.filter(|note| note.contains("failed")).map(str::to_owned).collect();
            (!failed.is_empty()).then(|| failed.join("; "))
        };
        let sentences = |report: ModelReport<String>| {
            let (who, are_folds) = (report.who, report.are_folds);
            report.by_trial.into_iter().map(move |(trial, failed)| {
                let seed = if are_folds { "fold" } else { "seed" };
                let why = if failed.contains("TEST04") {
                    " A model that keeps its answers does this, and so does one whose data stay in the processor's caches. The latencies in \
                     the table are of distinct examples, as far as there are enough."
                } else {
                    " Its times are not those of the scored answers."
                };
                format!("{who}the audit of its latency failed ({seed} {trial}): {failed}.{why}")
            })
        };
        self.by_model(failed).into_iter().flat_map(sentences).collect()
    }

    /// Models that were measured while the machine was noisier than the suite allows.
    fn noise(&self) -> Vec<String> {
        let kind = if self.are_folds() { "fold" } else { "seed" };
        let of_phase = |(phase, done): (&str, &str)| {
            let noisy = |trial: &Trial| {
                let exceeded = trial.get(phase, "noise_over_limits")?;
                (exceeded.value > 0.0).then(|| exceeded.note.clone())
            };
            let warning = |report: ModelReport<String>| {
                let model = report.who.trim_end_matches(": ");
                let trials = report.by_trial.iter().map(|(trial, note)| format!("{kind} {trial}: {note}"));
                format!(
                    "{model} was {done} while the machine was noisier than [noise] of the suite allows ({}). Its times and joules may \
                     be too large.",
                    trials.collect::<Vec<_>>().join("; ")
                )
            };
            self.by_model(noisy).into_iter().map(warning).collect::<Vec<_>>()
        };
        [("fit", "fitted"), ("serve", "served")].into_iter().flat_map(of_phase).collect()
    }

    /// Models that could run on other processors than the others, or computed on another number of threads, so that their times cannot be
    /// compared.
    fn processors(&self) -> Vec<String> {
        let list = |trial: &Trial| trial.get("case", "affinity_cpus").map(|value| value.note.clone());
        let threads = |trial: &Trial| trial.threads.map(|threads| count(threads, "thread"));
        let of_lists =
            self.unequal(list).map(|groups| format!("The models could not run on the same processors: {groups}."));
        let of_threads =
            self.unequal(threads).map(|groups| format!("The models did not compute on as many threads: {groups}."));
        let warning = |what: String| format!("{what} Compare no times of models that had others.");
        of_lists.into_iter().chain(of_threads).map(warning).collect()
    }

    /// The models by something that all of them should have alike, such as `svm on 0-1; lstm on 0-3`. `None` if they have.
    fn unequal(&self, of: impl Fn(&Trial) -> Option<String>) -> Option<String> {
        let trials =
            self.grid.row(self.setting).flat_map(|(label, cell)| cell.trials.iter().map(move |trial| (trial, label)));
        let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
        for (trial, label) in trials {
            let Some(what) = of(trial) else { continue };
            let label = self.grid.labels[label].as_str();
            match groups.iter_mut().find(|(known, _)| *known == what) {
                Some((_, labels)) if labels.contains(&label) => {}
                Some((_, labels)) => labels.push(label),
                None => groups.push((what, vec![label])),
            }
        }
        let groups: Vec<String> =
            groups.iter().map(|(what, labels)| format!("{} on {what}", labels.join(", "))).collect();
        (groups.len() > 1).then(|| groups.join("; "))
    }

    fn wordless(&self) -> Vec<String> {
        self.not_read("wordless_examples", |model, examples| {
            format!("{model} finds no word that it can use in {examples}. It cannot tell these examples apart.")
        })
    }

    /// Models at the floor that skip punctuation and symbols, which may be all that tells the classes apart.
    fn markless(&self) -> Vec<String> {
        let skips_marks = |trial: &Trial| {
            let tokens = trial.params.split(' ').find_map(|param| param.strip_prefix("tokens="));
            tokens.is_some_and(|tokens| !["words+marks", "characters"].contains(&tokens))
        };
        let cells = self
            .grid
            .row(self.setting)
            .filter(|(_, cell)| cell.status == Status::BelowFloor && cell.trials.iter().any(skips_marks));
        cells
            .map(|(label, _)| {
                format!(
                    "{} is no better than a constant answer, and skips punctuation and symbols in texts that have words. If \
                     they tell the classes apart, set tokens = \"words+marks\".",
                    self.grid.labels[label]
                )
            })
            .collect()
    }

    fn truncated(&self) -> Vec<String> {
        self.not_read("truncated_examples", |model, examples| {
            format!("{model} does not read {examples} to the end, because they are longer than its limit.")
        })
    }

    /// A sentence for each model that did not read some examples.
    fn not_read(&self, metric: &str, sentence: impl Fn(&str, &str) -> String) -> Vec<String> {
        let given = self.grid.settings[self.setting].train_size as f64;
        let read = |trial: &Trial| {
            let (train, test) = (number(trial, "fit", metric), number(trial, "score", metric));
            let tested = number(trial, "score", "examples").unwrap_or(0.0);
            let counted = train.is_some() || test.is_some();
            let given = if self.are_folds() { given - tested } else { given };
            counted.then(|| [train.unwrap_or(0.0), given, test.unwrap_or(0.0), tested])
        };
        let warning = |report: ModelReport<[f64; 4]>| {
            let [train, trained, test, tested] =
                [0, 1, 2, 3].map(|part| TrialRange::of(&report, |values| values[part]));
            let some = train.high + test.high > 0.0;
            let examples = format!("{train} of {trained} training examples and {test} of {tested} test examples");
            some.then(|| sentence(report.who.trim_end_matches(": "), &examples))
        };
        self.by_model(read).into_iter().filter_map(warning).collect()
    }
}

fn number(trial: &Trial, phase: &str, metric: &str) -> Option<f64> {
    trial.get(phase, metric).map(|value| value.value)
}

/// The seed of a trial, and its division and fold if it has any.
fn name_of(trial: &Trial) -> String {
    let fold = trial.fold.map_or(String::new(), |(repeat, fold)| format!(".r{repeat}f{fold}"));
    if fold.is_empty() { trial.seed.to_string() } else { format!("s{}{fold}", trial.seed) }
}

/// The smallest and the largest number of several trials.
struct TrialRange {
    low: f64,
    high: f64,
    are_folds: bool,
}

impl TrialRange {
    fn of<T>(report: &ModelReport<T>, number: impl Fn(&T) -> f64) -> TrialRange {
        let numbers = || report.by_trial.iter().map(|(_, value)| number(value));
        TrialRange {
            low: numbers().fold(f64::INFINITY, f64::min),
            high: numbers().fold(f64::NEG_INFINITY, f64::max),
            are_folds: report.are_folds,
        }
    }

    /// The verb that fits the number.
    fn verb(&self, one: &'static str, many: &'static str) -> &'static str {
        if self.high == 1.0 && self.low == 1.0 { one } else { many }
    }
}

impl std::fmt::Display for TrialRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.low == self.high {
            write!(f, "{}", self.low)
        } else {
            write!(f, "{} to {} (by {})", self.low, self.high, if self.are_folds { "fold" } else { "seed" })
        }
    }
}

/// Each different value with the trials that have it: nothing if all do, else `Seeds 1, 2: ` or `Fold s1.r1f2: `.
fn by_value<T: PartialEq>(by_trial: Vec<(String, T)>, are_folds: bool) -> Vec<(String, T)> {
    let mut found: Vec<(Vec<String>, T)> = Vec::new();
    for (trial, value) in by_trial {
        match found.iter_mut().find(|(_, known)| *known == value) {
            Some((trials, _)) => trials.push(trial),
            None => found.push((vec![trial], value)),
        }
    }
    let alone = found.len() == 1;
    let what = if are_folds { "Fold" } else { "Seed" };
    let named = |trials: Vec<String>| match trials.len() {
        _ if alone => String::new(),
        1 => format!("{what} {}: ", trials[0]),
        _ => format!("{what}s {}: ", listed(&trials)),
    };
    found.into_iter().map(|(trials, value)| (named(trials), value)).collect()
}

/// The first few of the `total` names in a note, if the note can be split into so many.
fn few(note: &str, total: f64) -> String {
    let names: Vec<String> = note.split(", ").map(str::to_owned).collect();
    if names.len() as f64 == total { listed(&names) } else { note.to_owned() }
}
