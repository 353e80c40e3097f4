//! Fits one classic model on a table of numbers and prints what it took: the half of `scripts/peers/classic` that is
//! ours.
//!
//! usage: classic_peer (forest | smo | linfa) TRAIN.csv TEST.csv THREADS SEED
//!
//! A row of a table is its label, then its features. Prints `fit seconds, predict seconds, accuracy`.

use std::error::Error;
use std::time::Instant;

use bakeoff_models::forest::ForestParams;
use bakeoff_models::svm::{Classifier, Features, Kernel, Method, Settings};
use bakeoff_models::{EpochReport, ModelError, Watch};
use linfa::Dataset;
use linfa::traits::{Fit, Predict};
use ndarray::{Array1, Array2};

struct Unwatched;

impl Watch for Unwatched {
    fn epoch(&mut self, _: &EpochReport<'_>) -> Result<f64, ModelError> {
        Ok(0.0)
    }

    fn progress(&mut self, _: usize, _: usize) {}
}

fn table(path: &str) -> Result<(Array2<f32>, Vec<u16>), Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("failed to read {path}: {e}"))?;
    let mut labels = Vec::new();
    let mut values = Vec::new();
    for (line, row) in (1..).zip(text.lines()) {
        let mut cells = row.split(',').map(|cell| cell.parse::<f32>());
        let mut next = || cells.next().transpose().map_err(|e| format!("{path}:{line}: {e}, expected numbers"));
        labels.push(next()?.ok_or_else(|| format!("{path}:{line}: an empty line, expected a label"))? as u16);
        while let Some(value) = next()? {
            values.push(value);
        }
    }
    Ok((Array2::from_shape_vec((labels.len(), values.len() / labels.len().max(1)), values)?, labels))
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, train, test, threads, seed] = &args[..] else {
        return Err("usage: classic_peer (forest | smo | linfa) TRAIN.csv TEST.csv THREADS SEED".into());
    };
    let ((rows, labels), (test_rows, test_labels)) = (table(train)?, table(test)?);
    let seed = seed.parse()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build()?;
    let (fit_s, predict_s, predicted) = match model.as_str() {
        "forest" => {
            let train = Dataset::new(rows, labels.iter().map(|&label| usize::from(label)).collect::<Array1<usize>>());
            let start = Instant::now();
            let forest = pool.install(|| ForestParams::default().trees(100).seed(seed).fit(&train))?;
            let fit_s = start.elapsed().as_secs_f64();
            let start = Instant::now();
            let predicted = pool.install(|| forest.predict(&test_rows));
            (fit_s, start.elapsed().as_secs_f64(), predicted.iter().map(|&label| label as u16).collect())
        }
        solver => {
            let method = if solver == "linfa" { Method::Linfa } else { Method::Smo };
            let (rows, test_rows) = (Features::Dense(rows), Features::Dense(test_rows));
            let start = Instant::now();
            let settings = Settings { kernel: Kernel::rbf_for(&rows), c: 1.0, epsilon: 0.1, tolerance: 1e-3 };
            let machine = Classifier::fit(&rows, &labels, &settings, method, &pool, &mut Unwatched)?;
            let fit_s = start.elapsed().as_secs_f64();
            let start = Instant::now();
            let predicted: Vec<u16> = pool.install(|| machine.predict(&test_rows));
            (fit_s, start.elapsed().as_secs_f64(), predicted)
        }
    };
    let correct = predicted.iter().zip(&test_labels).filter(|(ours, label)| ours == label).count();
    println!("{fit_s},{predict_s},{}", correct as f64 / test_labels.len() as f64);
    Ok(())
}
