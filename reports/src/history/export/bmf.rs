//! Bencher Metric Format: a benchmark for each cell, with a measure for each quantity. <https://bencher.dev/docs/reference/bencher-metric-format/>

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{cell_id, measured, one_file};
use crate::history::{CellKey, History, MadeFile, Night, Quantity};

/// The longest name of a benchmark, in characters.
const LONGEST_BENCHMARK: usize = 1024;
/// The longest name of a measure, in characters.
const LONGEST_MEASURE: usize = 64;

/// A number. Bencher also knows bounds of what was measured. A history has none: its interval is that of what was expected.
#[derive(Serialize)]
struct BmfMetric {
    value: f64,
}

pub(super) fn files(_: &History, night: &Night) -> Vec<MadeFile> {
    let mut benchmarks: BTreeMap<String, BTreeMap<String, BmfMetric>> = BTreeMap::new();
    for (one, value) in measured(night) {
        let measures = benchmarks.entry(benchmark(&one.key.cell)).or_default();
        measures.insert(measure(&one.key.quantity), BmfMetric { value });
    }
    let json = serde_json::to_string_pretty(&benchmarks).expect("names and finite numbers");
    one_file("bmf.json", json + "\n")
}

/// `quick: svm on sst2, n = 2000 (1f0c9a77)`.
fn benchmark(cell: &CellKey) -> String {
    let id = format!(" ({})", cell_id(cell));
    let words: String = format!("{}: {cell}", cell.suite).chars().take(LONGEST_BENCHMARK - id.len()).collect();
    words + &id
}

/// The quantity. One that is too long is cut, and ends in what tells it apart from others with the same beginning.
fn measure(quantity: &Quantity) -> String {
    let name = quantity.to_string();
    if name.chars().count() <= LONGEST_MEASURE {
        return name;
    }
    let end: String = Sha256::digest(&name).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let beginning: String = name.chars().take(LONGEST_MEASURE - 1 - end.len()).collect();
    format!("{beginning}~{end}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_measure_has_at_most_64_characters_and_is_told_apart_by_what_was_cut() {
        let short: Quantity = "predict-single/latency_p50_s@stopwatch".parse().unwrap();
        assert_eq!(measure(&short), "predict-single/latency_p50_s@stopwatch");
        let long = |batch: usize| -> Quantity {
            format!("predict-batch/throughput[batch={batch};threads=16;device=cuda:0;warm]@stopwatch").parse().unwrap()
        };
        let [one, other] = [long(8), long(16)].map(|quantity| measure(&quantity));
        assert_eq!((one.chars().count(), other.chars().count()), (64, 64));
        assert_ne!(one, other);
    }
}
