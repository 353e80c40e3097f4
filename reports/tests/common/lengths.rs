//! A made-up run in which a Transformer and an LSTM learn from texts of several lengths.

use bakeoff_reports::{Record, RunDir};

use crate::grids::{Variant, make_grid};

const LENGTHS: &[Variant] = &[
    ("resnet", "transformer-16", "transformer", "epochs=2 max_tokens=16 width=8"),
    ("transformer", "transformer-32", "transformer", "epochs=2 max_tokens=32 width=8"),
    ("lstm", "transformer-64", "transformer", "epochs=2 max_tokens=64 width=8"),
    ("svm", "transformer-512", "transformer", "epochs=2 max_tokens=512 width=8"),
    ("random-forest", "lstm-16", "lstm", "epochs=2 hidden=8 max_tokens=16"),
    ("resnet-deep", "lstm-32", "lstm", "epochs=2 hidden=8 max_tokens=32"),
    ("svm-linear", "lstm-64", "lstm", "epochs=2 hidden=8 max_tokens=64"),
    ("lstm-bidirectional", "lstm-512", "lstm", "epochs=2 hidden=8 max_tokens=512"),
];

/// Makes the eight labels of a run a Transformer and an LSTM with texts of four lengths, of which this share was cut. An LSTM takes 2 ms for
/// each token, and a Transformer 1 ms and more for longer texts, a tenth of that on other devices than the processor.
pub(crate) fn make_lengths(dir: &RunDir, of_cut: f64) {
    make_grid(dir, LENGTHS);
    let mut records = Vec::new();
    for mut row in dir.records().unwrap().rows {
        if row.phase == "fit" && row.metric == "fit_s" {
            let tokens: f64 = row.label.rsplit('-').next().unwrap().parse().unwrap();
            let seconds = if row.model == "lstm" { 2e-3 * tokens } else { 1e-3 * tokens * (1.0 + tokens / 512.0) };
            let of_seed = 1.0 + 0.01 * (row.seed as f64 + row.label.len() as f64).sin();
            row.value = Some(seconds * of_seed * if row.device == "cpu" { 1.0 } else { 0.1 });
            for (metric, value) in
                [("train_examples", 1800.0), ("epochs", 2.0), ("truncated_examples", of_cut * row.train_size as f64)]
            {
                let (metric, unit, source) = (metric.to_owned(), String::new(), "data".to_owned());
                records.push(Record { metric, unit, source, value: Some(value), ..row.clone() });
            }
        }
        records.push(row);
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
}
