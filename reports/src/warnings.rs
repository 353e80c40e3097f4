//! Warnings about the rows of a setting, which a reader must know before believing its table: test rows that leaked,
//! classes without enough rows, inputs that a model did not read.

use crate::cell::Trial;
use crate::format::listed;
use crate::grid::Grid;

/// The warnings of a setting, a few sentences each.
pub(crate) fn warnings(grid: &Grid, setting: usize) -> Vec<String> {
    let about = About { grid, setting };
    [about.leakage(), about.classes(), about.wordless(), about.truncated()].concat()
}

/// A setting of a grid, about which warnings are made.
struct About<'a> {
    grid: &'a Grid,
    setting: usize,
}

/// What the trials of one model report. If all models agree, what all of them report.
struct Said<T> {
    /// The model's label and a colon. Empty if all models agree.
    who: String,
    /// What each seed reports.
    by_seed: Vec<(u64, T)>,
}

impl About<'_> {
    /// What the trials report: once if all models of a seed report the same, otherwise by model.
    fn said<T: PartialEq>(&self, read: impl Fn(&Trial) -> Option<T>) -> Vec<Said<T>> {
        let by_model = self.by_model(read);
        let all: Vec<&(u64, T)> = by_model.iter().flat_map(|said| &said.by_seed).collect();
        let agree = all.iter().all(|(seed, value)| all.iter().all(|(other, found)| seed != other || value == found));
        if !agree {
            return by_model;
        }
        let mut by_seed: Vec<(u64, T)> = Vec::new();
        for (seed, value) in by_model.into_iter().flat_map(|said| said.by_seed) {
            if !by_seed.iter().any(|(known, _)| *known == seed) {
                by_seed.push((seed, value));
            }
        }
        if by_seed.is_empty() { Vec::new() } else { vec![Said { who: String::new(), by_seed }] }
    }

    fn by_model<T>(&self, read: impl Fn(&Trial) -> Option<T>) -> Vec<Said<T>> {
        let said = self.grid.row(self.setting).map(|(label, cell)| Said {
            who: format!("{}: ", self.grid.labels[label]),
            by_seed: cell.trials.iter().filter_map(|trial| Some((trial.seed, read(trial)?))).collect(),
        });
        said.filter(|said| !said.by_seed.is_empty()).collect()
    }

    fn leakage(&self) -> Vec<String> {
        let read = |trial: &Trial| {
            let leaked = number(trial, "score", "leaked_examples")?;
            let other = number(trial, "score", "leaked_other_target").unwrap_or(0.0);
            Some([leaked, other, number(trial, "score", "examples")?])
        };
        let sentence = |said: Said<[f64; 3]>| {
            let [leaked, other, examples] = [0, 1, 2].map(|part| SeedRange::of(&said, |values| values[part]));
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
                said.who,
                leaked.verb("has", "have"),
            ))
        };
        self.said(read).into_iter().filter_map(sentence).collect()
    }

    fn classes(&self) -> Vec<String> {
        let classes = self.grid.settings[self.setting].task.classes.len();
        let mut warnings = Vec::new();
        for (metric, rows, consequence) in [
            ("classes_without_rows", "no row to learn from", "No model can predict a class that it has not seen."),
            ("classes_with_one_row", "only one row to learn from", "One row is too little to learn a class from."),
        ] {
            let read = |trial: &Trial| trial.get("fit", metric).map(|value| (value.value, value.note.clone()));
            for said in self.said(read) {
                for (seeds, (lost, names)) in by_value(said.by_seed) {
                    if lost == 0.0 {
                        continue;
                    }
                    let verb = if lost == 1.0 { "has" } else { "have" };
                    warnings.push(format!(
                        "{}{seeds}{lost} of {classes} classes {verb} {rows}: {}. {consequence}",
                        said.who,
                        few(&names, lost)
                    ));
                }
            }
        }
        warnings
    }

    fn wordless(&self) -> Vec<String> {
        self.not_read("wordless_examples", |model, examples| {
            format!("{model} finds no word that it can use in {examples}. It cannot tell these examples apart.")
        })
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
            counted.then(|| [train.unwrap_or(0.0), given, test.unwrap_or(0.0), tested])
        };
        let warning = |said: Said<[f64; 4]>| {
            let [train, trained, test, tested] = [0, 1, 2, 3].map(|part| SeedRange::of(&said, |values| values[part]));
            let some = train.high + test.high > 0.0;
            let examples = format!("{train} of {trained} training examples and {test} of {tested} test examples");
            some.then(|| sentence(said.who.trim_end_matches(": "), &examples))
        };
        self.by_model(read).into_iter().filter_map(warning).collect()
    }
}

fn number(trial: &Trial, phase: &str, metric: &str) -> Option<f64> {
    trial.get(phase, metric).map(|value| value.value)
}

/// The smallest and the largest number of several seeds.
struct SeedRange {
    low: f64,
    high: f64,
}

impl SeedRange {
    fn of<T>(said: &Said<T>, number: impl Fn(&T) -> f64) -> SeedRange {
        let numbers = || said.by_seed.iter().map(|(_, value)| number(value));
        SeedRange { low: numbers().fold(f64::INFINITY, f64::min), high: numbers().fold(f64::NEG_INFINITY, f64::max) }
    }

    /// The verb that fits the number.
    fn verb(&self, one: &'static str, many: &'static str) -> &'static str {
        if self.high == 1.0 && self.low == 1.0 { one } else { many }
    }
}

impl std::fmt::Display for SeedRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.low == self.high {
            write!(f, "{}", self.low)
        } else {
            write!(f, "{} to {} (by seed)", self.low, self.high)
        }
    }
}

/// Each distinct value, with the seeds that have it as a prefix: empty if all seeds do, otherwise `Seeds 1, 2: `.
fn by_value<T: PartialEq>(by_seed: Vec<(u64, T)>) -> Vec<(String, T)> {
    let mut found: Vec<(Vec<String>, T)> = Vec::new();
    for (seed, value) in by_seed {
        match found.iter_mut().find(|(_, known)| *known == value) {
            Some((seeds, _)) => seeds.push(seed.to_string()),
            None => found.push((vec![seed.to_string()], value)),
        }
    }
    let alone = found.len() == 1;
    let named = |seeds: Vec<String>| match seeds.len() {
        _ if alone => String::new(),
        1 => format!("Seed {}: ", seeds[0]),
        _ => format!("Seeds {}: ", listed(&seeds)),
    };
    found.into_iter().map(|(seeds, value)| (named(seeds), value)).collect()
}

/// The first few of the `total` names in a note, if the note can be split into so many.
fn few(note: &str, total: f64) -> String {
    let names: Vec<String> = note.split(", ").map(str::to_owned).collect();
    if names.len() as f64 == total { listed(&names) } else { note.to_owned() }
}
