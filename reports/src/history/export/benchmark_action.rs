//! What github-action-benchmark reads as `customSmallerIsBetter` and `customBiggerIsBetter`. The tool takes one direction a file, so there
//! are two files. <https://github.com/benchmark-action/github-action-benchmark>

use serde::Serialize;

use super::{evidence, measured, series_name};
use crate::history::{History, MadeFile, Night};
use crate::metric::Better;

#[derive(Serialize)]
struct Entry {
    name: String,
    unit: &'static str,
    value: f64,
    /// What the tool shows where the pointer is.
    extra: String,
}

pub(super) fn files(_: &History, night: &Night) -> Vec<MadeFile> {
    [("benchmark-action-smaller.json", Better::Lower), ("benchmark-action-bigger.json", Better::Higher)]
        .map(|(name, better)| file(night, name, better))
        .into()
}

/// The numbers of this direction. One whose metric is not known has none, and is left out.
fn file(night: &Night, name: &str, better: Better) -> MadeFile {
    let entry = |(one, value)| {
        let one: &crate::history::SeriesVerdict = one;
        let metric = one.key.quantity.rules().filter(|metric| metric.better == better)?;
        let extra = format!("{}: {}\n{}", one.verdict.words(), evidence(one), one.key.cell.machine);
        Some(Entry { name: series_name(one), unit: metric.unit, value, extra })
    };
    let entries: Vec<Entry> = measured(night).filter_map(entry).collect();
    let json = serde_json::to_string_pretty(&entries).expect("names and finite numbers");
    MadeFile { name: name.to_owned(), bytes: (json + "\n").into_bytes() }
}
