//! A night, or the series of a history, in the formats that other programs read. Each format has a file, and a line in
//! [`EXPORT_FORMATS`].
//!
//! What holds of every format: the number of an estimate is in none, and what was measured again is only in words. Two series never have the same name, and a
//! series has the same name every night.

mod benchmark_action;
mod bmf;
mod github;
mod junit;
mod markdown;
mod otava;

use sha2::{Digest, Sha256};

use super::key::CellKey;
use super::night::{Night, SeriesVerdict};
use super::text::{change, shown_value};
use super::{History, MadeFile};
use crate::format::{count, p_value};

/// A format that other programs read.
#[derive(Debug)]
pub struct ExportFormat {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, and who reads it.
    pub about: &'static str,
    make: fn(&History, &Night) -> Vec<MadeFile>,
}

impl ExportFormat {
    /// The files of a night in this format. There is at least one.
    pub fn files(&self, history: &History, night: &Night) -> Vec<MadeFile> {
        (self.make)(history, night)
    }
}

/// Every format.
pub static EXPORT_FORMATS: &[ExportFormat] = &[
    ExportFormat { name: "bmf", about: "the night's numbers as Bencher Metric Format", make: bmf::files },
    ExportFormat {
        name: "benchmark-action",
        about: "the night's numbers for github-action-benchmark: a file of costs, and one of what is better if it is higher",
        make: benchmark_action::files,
    },
    ExportFormat {
        name: "junit",
        about: "the night's verdicts as JUnit XML, for Jenkins and GitLab",
        make: junit::files,
    },
    ExportFormat {
        name: "markdown",
        about: "the night's verdicts as Markdown, short enough for a comment on a pull request",
        make: markdown::files,
    },
    ExportFormat {
        name: "github-summary",
        about: "the same, as long as the summary of a step of GitHub Actions may be",
        make: markdown::summary_files,
    },
    ExportFormat {
        name: "github-annotations",
        about: "what changed, as annotations of GitHub Actions",
        make: github::files,
    },
    ExportFormat {
        name: "otava",
        about: "all nights of the present epochs, as CSV files and a configuration of Apache Otava",
        make: otava::files,
    },
];

/// One file of text.
fn one_file(name: &str, text: String) -> Vec<MadeFile> {
    vec![MadeFile { name: name.to_owned(), bytes: text.into_bytes() }]
}

/// The series of which the night has a number that was measured, with the number.
fn measured(night: &Night) -> impl Iterator<Item = (&SeriesVerdict, f64)> {
    let of = night.verdicts.iter().filter(|one| !one.key.quantity.is_estimate());
    of.filter_map(|one| Some((one, one.numbers.as_ref()?.tonight)))
}

/// The short name of a cell, made as that of a series: two cells have two, also if a person would call them the same.
fn cell_id(cell: &CellKey) -> String {
    let json = serde_json::to_vec(cell).expect("a key has plain fields");
    Sha256::digest(json).iter().take(5).map(|byte| format!("{byte:02x}")).collect()
}

/// The name of a series, which no other has: `svm on sst2, n = 2000: fit/fit_s@stopwatch (3fa94c21d0)`.
fn series_name(one: &SeriesVerdict) -> String {
    format!("{} ({})", one.key, one.id)
}

/// What a verdict rests on: `12.3 ms, baseline 11.5 ms over 14 points, change +7.1 %, p < 0.001, measured again: 12.2 ms, 12.4 ms`.
fn evidence(one: &SeriesVerdict) -> String {
    let Some(numbers) = &one.numbers else { return "no number of this night".to_owned() };
    let quantity = &one.key.quantity;
    let mut parts = vec![shown_value(quantity, numbers.tonight)];
    if let Some(baseline) = numbers.baseline {
        let (of, what) = if quantity.is_quality() { ("from", "seed") } else { ("over", "point") };
        parts.push(format!("baseline {} {of} {}", shown_value(quantity, baseline), count(numbers.points, what)));
    }
    if numbers.change.is_some() {
        parts.push(format!("change {}", change(quantity, numbers)));
    }
    parts.extend(numbers.p.map(p_value));
    if !numbers.again.is_empty() {
        let again: Vec<String> = numbers.again.iter().map(|again| shown_value(quantity, *again)).collect();
        parts.push(format!("measured again: {}", again.join(", ")));
    }
    parts.join(", ")
}
