//! Does one named piece of work and prints what it took, as JSON: the half of `scripts/peers/run` that is ours.
//!
//! usage: peers REQUEST
//!
//! REQUEST is a JSON object, see [`Request`]. The answer is an object with `seconds` (a list where the work is
//! repeated) and whatever else lets the other side check that it did the same work.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use bakeoff_datasets::{Images, Inputs, Split, Targets, Text};
use bakeoff_models::forest::ForestParams;
use bakeoff_models::svm::{
    Classifier, Encoder, FeatureParams, Features, ImageFeatures, Kernel, Method, ProblemSettings,
};
use bakeoff_models::{
    Device, ENTRIES, EpochReport, InputShape, Model, ModelError, Predictions, Resolved, Spec, TargetShape, TaskShape,
    Threads, Tokens, Watch,
};
use linfa::Dataset;
use linfa::traits::{Fit, Predict};
use ndarray::{Array1, Array2};
use rayon::ThreadPool;
use serde::Deserialize;
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    work: Work,
    /// Of images: records of a label byte and 3 x 32 x 32 pixels. Of texts: lines of a label, a tab and the text. Of
    /// tables: rows of 32-bit floats, the label first.
    train: String,
    #[serde(default)]
    test: String,
    threads: usize,
    seed: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Work {
    /// Seconds of each epoch but the first, and the mean loss of each.
    Train(Network),
    /// After a fit: seconds of each of this many predictions of one example.
    Latency(Network, usize),
    /// Seconds of a fit and of a prediction of the test rows, from raw examples.
    Fit(Network),
    /// Seconds to encode all rows.
    Encode(Form),
    /// Seconds of a fit and of a prediction of the test rows.
    Forest { features: usize, trees: usize },
    /// The same.
    Svm { features: usize },
}

/// A model of the registry.
#[derive(Deserialize)]
struct Network {
    model: String,
    form: Form,
    params: toml::Table,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Form {
    Images,
    Texts,
}

fn main() -> Result<()> {
    let request = std::env::args().nth(1).ok_or("usage: peers REQUEST (see models/examples/peers.rs)")?;
    let request: Request = serde_json::from_str(&request).map_err(|e| format!("failed to read the request: {e}"))?;
    let answer = match &request.work {
        Work::Train(network) => train(network, &request)?,
        Work::Latency(network, count) => latency(network, *count, &request)?,
        Work::Fit(network) => fit(network, &request)?,
        Work::Encode(form) => encode(*form, &request)?,
        Work::Forest { features, trees } => forest(*features, *trees, &request)?,
        Work::Svm { features } => svm(*features, &request)?,
    };
    println!("{answer}");
    Ok(())
}

/// When each epoch ended, and its loss.
struct Epochs(Vec<(Instant, f64)>);

impl Watch for Epochs {
    fn epoch(&mut self, report: &EpochReport<'_>) -> std::result::Result<f64, ModelError> {
        self.0.push((Instant::now(), report.train_loss));
        Ok(report.epoch as f64)
    }

    fn progress(&mut self, _: usize, _: usize) {}
}

fn train(network: &Network, request: &Request) -> Result<Value> {
    let split = split(network.form, &request.train)?;
    let mut model = model(network, &split, request)?;
    let mut epochs = Epochs(Vec::new());
    model.fit(&split, &rows(&split, &[0]), &mut epochs)?;
    let seconds: Vec<f64> = epochs.0.windows(2).map(|pair| (pair[1].0 - pair[0].0).as_secs_f64()).collect();
    let losses: Vec<f64> = epochs.0.iter().map(|&(_, loss)| loss).collect();
    Ok(json!({ "seconds": seconds, "losses": losses, "parameters": model.footprint().parameters }))
}

fn latency(network: &Network, count: usize, request: &Request) -> Result<Value> {
    const WARM_UP: usize = 30;
    let split = split(network.form, &request.train)?;
    let mut model = model(network, &split, request)?;
    model.fit(&split, &rows(&split, &[0]), &mut Epochs(Vec::new()))?;
    let mut seconds = Vec::new();
    for row in 0..count + WARM_UP {
        let one = rows(&split, &[row % split.len()]).inputs;
        let start = Instant::now();
        let predictions = model.predict(&one)?;
        seconds.push(start.elapsed().as_secs_f64());
        if !matches!(predictions, Predictions::Classes { labels, .. } if labels.len() == 1) {
            return Err("one example has one prediction".into());
        }
    }
    Ok(json!({ "seconds": seconds[WARM_UP..], "parameters": model.footprint().parameters }))
}

fn fit(network: &Network, request: &Request) -> Result<Value> {
    let (train, test) = (split(network.form, &request.train)?, split(network.form, &request.test)?);
    let mut model = model(network, &train, request)?;
    let start = Instant::now();
    model.fit(&train, &rows(&train, &[]), &mut Epochs(Vec::new()))?;
    let fit_s = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let predictions = model.predict(&test.inputs)?;
    let predict_s = start.elapsed().as_secs_f64();
    let (Predictions::Classes { labels: predicted, .. }, Targets::Classes { labels, .. }) =
        (predictions, &test.targets)
    else {
        return Err("a model of classes predicts classes".into());
    };
    let (accuracy, parameters) = (accuracy(&predicted, labels), model.footprint().parameters);
    Ok(json!({ "seconds": fit_s, "predict": predict_s, "accuracy": accuracy, "parameters": parameters }))
}

fn encode(form: Form, request: &Request) -> Result<Value> {
    let split = split(form, &request.train)?;
    let params = FeatureParams {
        images: ImageFeatures::HOG,
        tokens: Tokens::WordsAndMarks,
        terms: 1_000_000,
        pairs: false,
        scaled: true,
    };
    let start = Instant::now();
    let (_, features) = pool(request.threads)?.install(|| Encoder::fit(&split.inputs, &params))?;
    let seconds = start.elapsed().as_secs_f64();
    let stored = match &features {
        Features::Dense(rows) => rows.len(),
        Features::Sparse(rows) => rows.stored(),
    };
    Ok(json!({ "seconds": seconds, "stored": stored }))
}

fn forest(features: usize, trees: usize, request: &Request) -> Result<Value> {
    let (rows, labels) = table(&request.train, features)?;
    let (test_rows, test_labels) = table(&request.test, features)?;
    let pool = pool(request.threads)?;
    let train = Dataset::new(rows, labels.iter().map(|&label| usize::from(label)).collect::<Array1<usize>>());
    let start = Instant::now();
    let forest = pool.install(|| ForestParams::default().trees(trees).seed(request.seed).fit(&train))?;
    let fit_s = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let predicted = pool.install(|| forest.predict(&test_rows));
    let predict_s = start.elapsed().as_secs_f64();
    let predicted: Vec<u16> = predicted.iter().map(|&label| label as u16).collect();
    Ok(json!({ "seconds": fit_s, "predict": predict_s, "accuracy": accuracy(&predicted, &test_labels) }))
}

fn svm(features: usize, request: &Request) -> Result<Value> {
    let (rows, labels) = table(&request.train, features)?;
    let (test_rows, test_labels) = table(&request.test, features)?;
    let pool = pool(request.threads)?;
    let (rows, test_rows) = (Features::Dense(rows), Features::Dense(test_rows));
    let start = Instant::now();
    let settings = ProblemSettings { kernel: Kernel::rbf_for(&rows), c: 1.0, epsilon: 0.1, tolerance: 1e-3 };
    let machine = Classifier::fit(&rows, &labels, &settings, Method::Smo, &pool, &mut Epochs(Vec::new()))?;
    let fit_s = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let predicted: Vec<u16> = pool.install(|| machine.predict(&test_rows));
    let predict_s = start.elapsed().as_secs_f64();
    Ok(json!({ "seconds": fit_s, "predict": predict_s, "accuracy": accuracy(&predicted, &test_labels) }))
}

fn accuracy(predicted: &[u16], labels: &[u16]) -> f64 {
    predicted.iter().zip(labels).filter(|(ours, label)| ours == label).count() as f64 / labels.len() as f64
}

fn pool(threads: usize) -> Result<ThreadPool> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?)
}

fn model(network: &Network, split: &Split, request: &Request) -> Result<Box<dyn Model>> {
    let entry = ENTRIES.iter().find(|entry| entry.name() == network.model).ok_or("no such model")?;
    let input = match network.form {
        Form::Images => InputShape::Images { channels: 3, height: 32, width: 32 },
        Form::Texts => InputShape::Texts { pairs: false },
    };
    let Targets::Classes { names, .. } = &split.targets else { unreachable!("made of classes") };
    let target = TargetShape::Classes(names.len());
    let shape = TaskShape { input, target, train_rows: split.len(), mirror_negates: false, characters: None };
    let params = Resolved::new(entry.params(), &shape, &network.params)?;
    entry.check(&params)?;
    Ok(entry.build(&Spec {
        shape,
        params,
        device: Device::Cpu,
        threads: Threads::new(request.threads),
        seed: request.seed,
    })?)
}

fn rows(split: &Split, rows: &[usize]) -> Split {
    let inputs = match &split.inputs {
        Inputs::Images(images) => {
            let pixels = rows.iter().flat_map(|&row| images.image(row)).copied().collect();
            Inputs::Images(Images { pixels, ..*images })
        }
        Inputs::Texts(texts) => Inputs::Texts(rows.iter().map(|&row| texts[row].clone()).collect()),
        Inputs::Table(table) => Inputs::Table(table.select(rows)),
    };
    let Targets::Classes { labels, names } = &split.targets else { unreachable!("made of classes") };
    let labels = rows.iter().map(|&row| labels[row]).collect();
    Split { inputs, targets: Targets::Classes { labels, names: Arc::clone(names) } }
}

fn split(form: Form, path: &str) -> Result<Split> {
    const PIXELS: usize = 3 * 32 * 32;
    let failed = |error: std::io::Error| format!("failed to read {path}: {error}");
    let (inputs, labels): (_, Vec<u16>) = match form {
        Form::Images => {
            let bytes = std::fs::read(path).map_err(failed)?;
            let records = bytes.chunks_exact(1 + PIXELS);
            let pixels = records.clone().flat_map(|record| &record[1..]).copied().collect();
            let images = Images { channels: 3, height: 32, width: 32, pixels };
            (Inputs::Images(images), records.map(|record| u16::from(record[0])).collect())
        }
        Form::Texts => {
            let (mut texts, mut labels) = (Vec::new(), Vec::new());
            for line in std::fs::read_to_string(path).map_err(failed)?.lines() {
                let (label, text) = line.split_once('\t').ok_or("a line is a label, a tab and a text")?;
                labels.push(label.parse()?);
                texts.push(Text { first: text.to_owned(), second: None });
            }
            (Inputs::Texts(texts), labels)
        }
    };
    let classes = labels.iter().max().ok_or("no row")? + 1;
    let names = (0..classes).map(|class| class.to_string()).collect();
    Ok(Split { inputs, targets: Targets::Classes { labels, names } })
}

fn table(path: &str, features: usize) -> Result<(Array2<f32>, Vec<u16>)> {
    let bytes = std::fs::read(path).map_err(|e| format!("failed to read {path}: {e}"))?;
    let numbers: Vec<f32> =
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect();
    let rows = numbers.chunks_exact(1 + features);
    let labels = rows.clone().map(|row| row[0] as u16).collect();
    let values: Vec<f32> = rows.clone().flat_map(|row| &row[1..]).copied().collect();
    Ok((Array2::from_shape_vec((rows.len(), features), values)?, labels))
}
