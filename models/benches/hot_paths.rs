//! The hot paths of the models, each through the seam that a user's case goes through: `cargo bench -p bakeoff-models`.
#![expect(clippy::unwrap_used, reason = "a broken benchmark should stop")]

use std::hint::black_box;

use bakeoff_datasets::{Images, Inputs, Split, Targets, Text};
use bakeoff_models::svm::{Encoder, FeatureParams, ImageFeatures};
use bakeoff_models::{
    Device, ENTRIES, EpochReport, InputShape, Model, ModelError, Resolved, Spec, TargetShape, TaskShape, Threads,
    Tokens, Watch,
};
use criterion::{Criterion, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Unwatched;

impl Watch for Unwatched {
    fn epoch(&mut self, _: &EpochReport<'_>) -> Result<f64, ModelError> {
        Ok(0.0)
    }

    fn progress(&mut self, _: usize, _: usize) {}
}

fn classes(rows: usize) -> Targets {
    let labels = (0..rows).map(|row| (row % 4) as u16).collect();
    Targets::Classes { labels, names: ["a", "b", "c", "d"].map(str::to_owned).to_vec().into() }
}

fn images(rows: usize) -> Split {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let pixels = (0..rows * 3 * 32 * 32).map(|_| rng.random()).collect();
    Split { inputs: Inputs::Images(Images { channels: 3, height: 32, width: 32, pixels }), targets: classes(rows) }
}

fn texts(rows: usize) -> Split {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut text = || {
        let words: Vec<String> = (0..30).map(|_| format!("w{}", rng.random_range(0..2000))).collect();
        Text { first: words.join(" "), second: None }
    };
    Split { inputs: Inputs::Texts((0..rows).map(|_| text()).collect()), targets: classes(rows) }
}

fn model(name: &str, split: &Split, params: &str) -> Box<dyn Model> {
    let input = match &split.inputs {
        Inputs::Images(_) => InputShape::Images { channels: 3, height: 32, width: 32 },
        Inputs::Texts(_) => InputShape::Texts { pairs: false },
        Inputs::Table(_) => unreachable!("no table is timed"),
    };
    let shape = TaskShape {
        input,
        target: TargetShape::Classes(4),
        train_rows: split.len(),
        mirror_negates: false,
        characters: None,
    };
    let entry = ENTRIES.iter().find(|entry| entry.name() == name).unwrap();
    let params = Resolved::new(entry.params(), &shape, &params.parse().unwrap()).unwrap();
    entry.build(&Spec { shape, params, device: Device::Cpu, threads: Threads::new(2), seed: 1 }).unwrap()
}

/// A fit, and predictions of one example and of all, for each model.
fn models(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("models");
    group.sample_size(10);
    let (images, texts) = (images(256), texts(256));
    let cases = [
        ("resnet", &images, "epochs = 1"),
        ("transformer", &texts, "epochs = 1"),
        ("cnn", &images, "epochs = 1"),
        ("lstm", &texts, "epochs = 1"),
        ("gru", &texts, "epochs = 1"),
        ("mlp", &images, "epochs = 1"),
        ("mlp", &texts, "epochs = 1"),
        ("svm", &images, ""),
        ("svm", &texts, ""),
        ("random-forest", &images, ""),
        ("random-forest", &texts, ""),
        ("decision-tree", &images, ""),
        ("decision-tree", &texts, ""),
    ];
    for (name, split, params) in cases {
        let kind = if matches!(split.inputs, Inputs::Images(_)) { "images" } else { "texts" };
        let one = Split { inputs: split.inputs.select(&[0]), targets: classes(1) };
        group.bench_function(format!("{name}: fit 256 {kind}"), |bencher| {
            bencher.iter(|| model(name, split, params).fit(split, &one, &mut Unwatched).unwrap());
        });
        let mut fitted = model(name, split, params);
        fitted.fit(split, &one, &mut Unwatched).unwrap();
        for inputs in [&one.inputs, &split.inputs] {
            group.bench_function(format!("{name}: predict {} {kind}", inputs.len()), |bencher| {
                bencher.iter(|| black_box(fitted.predict(inputs).unwrap()));
            });
        }
    }
    group.finish();
}

fn encoders(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encoders");
    group.sample_size(10);
    let (images, texts) = (images(1000), texts(5000));
    let params = FeatureParams {
        images: ImageFeatures::HOG,
        tokens: Tokens::WordsAndMarks,
        terms: 1_000_000,
        pairs: false,
        scaled: true,
    };
    group.bench_function("HOG of 1,000 images", |bencher| {
        bencher.iter(|| black_box(Encoder::fit(&images.inputs, &params)))
    });
    group.bench_function("TF-IDF of 5,000 texts", |bencher| {
        bencher.iter(|| black_box(Encoder::fit(&texts.inputs, &params)));
    });
    group.finish();
}

criterion_group!(benches, models, encoders);
criterion_main!(benches);
