//! What every neural model promises, on tiny data: it learns, and the same seed gives the same predictions whatever
//! the number of threads.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use bakeoff_datasets::{Images, Inputs, Split, Targets, Text};
use bakeoff_models::{
    Device, ENTRIES, EpochReport, InputShape, Model, ModelEntry, ModelError, Predictions, Resolved, Spec, TargetShape,
    TaskShape, Threads, Watch,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NEURAL: [&str; 6] = ["transformer", "resnet", "cnn", "lstm", "gru", "mlp"];

/// Scores every epoch the same, so that the first is kept, unless told to prefer the last.
struct Epochs {
    losses: Vec<f64>,
    prefer_last: bool,
}

impl Watch for Epochs {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.losses.push(report.train_loss);
        Ok(if self.prefer_last { report.epoch as f64 } else { 0.0 })
    }

    fn progress(&mut self, _done: usize, _total: usize) {
        panic!("a network reports epochs");
    }
}

fn entry(name: &str) -> &'static dyn ModelEntry {
    *ENTRIES.iter().find(|entry| entry.name() == name).unwrap()
}

fn spec(name: &str, split: &Split, overrides: &str, threads: usize, seed: u64) -> Spec {
    let shape = TaskShape {
        input: match &split.inputs {
            Inputs::Images(images) => {
                InputShape::Images { channels: images.channels, height: images.height, width: images.width }
            }
            Inputs::Texts(texts) => InputShape::Texts { pairs: texts.iter().any(|text| text.second.is_some()) },
            Inputs::Table(_) => unreachable!("see tables.rs"),
        },
        target: match &split.targets {
            Targets::Classes { names, .. } => TargetShape::Classes(names.len()),
            Targets::Values(_) => TargetShape::Value,
        },
        train_rows: split.len(),
        mirror_negates: false,
        characters: None,
    };
    let small = match name {
        "transformer" => "width = 16\nlayers = 1\nheads = 2\nfeed_forward = 16\n",
        "resnet" | "cnn" => "depth = 8\nwidth = 8\n",
        "mlp" => "hidden = 16\nembedding = 8\nfeatures = \"pixels\"\ntext_features = \"embeddings\"\n",
        _ => "hidden = 8\nembedding = 8\n",
    };
    let common = "epochs = 8\nbatch = 16\nshard = 8\nlearning_rate = 0.01\noptimizer = \"adamw\"\nflip = false\n\
                  crop = 0\nmin_count = 1\n";
    let mut table: toml::Table = format!("{small}{common}").parse().unwrap();
    table.extend(overrides.parse::<toml::Table>().unwrap());
    let params = Resolved::new(entry(name).params(), &shape, &table).unwrap();
    entry(name).check(&params).unwrap();
    Spec { shape, params, device: Device::Cpu, threads: Threads::new(threads), seed }
}

/// Images of 8 x 8, bright at the top or at the bottom; the value is how bright.
fn images(count: usize, classes: bool) -> Split {
    images_of(8, count, classes)
}

fn images_of(side: usize, count: usize, classes: bool) -> Split {
    let bright = |index: usize| 100 + (index * 37 % 100) as u8;
    let mut pixels = Vec::new();
    for index in 0..count {
        for _channel in 0..3 {
            for row in 0..side {
                let lit = (row < side / 2) == (index % 2 == 0);
                pixels.extend((0..side).map(|column| if lit { bright(index) } else { (column * 3) as u8 }));
            }
        }
    }
    let targets = if classes {
        let labels = (0..count).map(|index| (index % 2) as u16).collect();
        Targets::Classes { labels, names: Arc::new(["top", "bottom"].map(String::from)) }
    } else {
        Targets::Values((0..count).map(|index| if index % 2 == 0 { 50.0 } else { -30.0 }).collect())
    };
    Split { inputs: Inputs::Images(Images { channels: 3, height: side, width: side, pixels }), targets }
}

/// Texts with the word "good" or the word "bad" among others.
fn texts(count: usize) -> Split {
    let text = |index: usize| {
        let filler = ["a", "film", "the", "plot of it"][index / 2 % 4];
        let first = format!("{filler} {} {}", ["good", "bad"][index % 2], "so ".repeat(index % 3));
        Text { first, second: None }
    };
    let labels = (0..count).map(|index| (index % 2) as u16).collect();
    let targets = Targets::Classes { labels, names: Arc::new(["good", "bad"].map(String::from)) };
    Split { inputs: Inputs::Texts((0..count).map(text).collect()), targets }
}

fn fit(spec: &Spec, name: &str, split: &Split) -> (Box<dyn Model>, Vec<f64>) {
    let mut model = entry(name).build(spec).unwrap();
    let mut watch = Epochs { losses: Vec::new(), prefer_last: true };
    model.fit(split, &split.select(&[0, 1, 2]), &mut watch).unwrap();
    (model, watch.losses)
}

#[test]
fn every_network_learns_every_kind_of_task() {
    for name in NEURAL {
        for split in [images(64, true), images(64, false), texts(64)] {
            let overrides = "epochs = 25\ndropout = 0.0\nword_dropout = 0.0";
            let (mut model, losses) = fit(&spec(name, &split, overrides, 2, 1), name, &split);
            assert!(losses.last() < losses.first(), "{name}: the loss rose: {losses:?}");
            match (model.predict(&split.inputs).unwrap(), &split.targets) {
                (Predictions::Classes { labels, probabilities }, Targets::Classes { labels: wanted, .. }) => {
                    let right = labels.iter().zip(wanted).filter(|(found, wanted)| found == wanted).count();
                    assert!(right >= 62, "{name} gets {right} of 64 right");
                    for row in probabilities.unwrap().data.chunks_exact(2) {
                        assert!((row[0] + row[1] - 1.0).abs() < 1e-5);
                    }
                }
                (Predictions::Values(values), Targets::Values(wanted)) => {
                    let squares: f32 = values.iter().zip(wanted).map(|(a, b)| (a - b).powi(2)).sum();
                    assert!(squares / 64.0 < 160.0, "{name}: a tenth of the variance is left: {}", squares / 64.0);
                }
                _ => panic!("{name} predicts another kind than its targets"),
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads_and_another_seed_others() {
    for name in NEURAL {
        for split in [images(40, true), texts(40)] {
            let overrides = "epochs = 2\ndropout = 0.3";
            let predict = |threads, seed| {
                let (mut model, losses) = fit(&spec(name, &split, overrides, threads, seed), name, &split);
                (model.predict(&split.inputs).unwrap(), losses)
            };
            let one = predict(1, 7);
            assert_eq!(one, predict(1, 7), "{name} is not repeatable");
            assert_eq!(one, predict(3, 7), "{name} depends on the number of threads");
            assert_ne!(one.1, predict(1, 8).1, "{name} ignores its seed");
        }
    }
}

#[test]
fn one_example_gives_the_same_bits_on_any_number_of_threads() {
    let Inputs::Texts(short) = texts(8).inputs else { panic!("texts") };
    let long = |text: &Text| Text { first: [text.first.as_str(); 20].join(" "), second: None };
    let texts = Split { inputs: Inputs::Texts(short.iter().map(long).collect()), targets: texts(8).targets };
    // Large enough that three threads share the products, the heads and the steps.
    for (name, split, overrides) in [
        ("transformer", &texts, "width = 128\nheads = 4\nfeed_forward = 512"),
        ("lstm", &texts, "hidden = 256\nbidirectional = false"),
        ("lstm", &texts, "hidden = 200"),
        ("gru", &texts, "hidden = 300\nbidirectional = false"),
        ("gru", &texts, "hidden = 230"),
        ("resnet", &images_of(32, 8, true), "width = 16"),
    ] {
        let one = |threads| {
            let spec = spec(name, split, &format!("{overrides}\nepochs = 1"), threads, 1);
            fit(&spec, name, split).0.predict(&split.inputs.select(&[0])).unwrap()
        };
        let alone = one(1);
        assert!([2, 3].iter().all(|&threads| one(threads) == alone), "{name}, {overrides}");
    }
}

#[test]
fn a_second_fit_starts_afresh() {
    for name in NEURAL {
        let (first, second) = (images(40, true), images(24, true));
        let spec = spec(name, &second, "epochs = 2", 2, 1);
        let (mut fresh, _) = fit(&spec, name, &second);
        let (mut used, _) = fit(&spec, name, &first);
        let mut watch = Epochs { losses: Vec::new(), prefer_last: true };
        used.fit(&second, &second.select(&[0, 1, 2]), &mut watch).unwrap();
        assert_eq!(fresh.predict(&first.inputs).unwrap(), used.predict(&first.inputs).unwrap(), "{name}");
    }
}

#[test]
fn the_epoch_that_scored_best_is_kept() {
    let split = images(40, true);
    for name in NEURAL {
        let keep = |overrides: &str, prefer_last: bool| {
            let mut model = entry(name).build(&spec(name, &split, overrides, 2, 1)).unwrap();
            model.fit(&split, &split.select(&[0]), &mut Epochs { losses: Vec::new(), prefer_last }).unwrap();
            model.predict(&split.inputs).unwrap()
        };
        assert_ne!(keep("epochs = 3", false), keep("epochs = 3", true), "{name} does not look at the score");
    }
}

#[test]
fn an_absurd_learning_rate_is_reported_as_divergence() {
    let split = images(40, false);
    for name in NEURAL {
        let overrides = "learning_rate = 1e6\noptimizer = \"sgd\"\nclip = 1e9\nwarmup = 0.0\nepochs = 20";
        let mut model = entry(name).build(&spec(name, &split, overrides, 1, 1)).unwrap();
        let mut watch = Epochs { losses: Vec::new(), prefer_last: true };
        let error = model.fit(&split, &split.select(&[0]), &mut watch).unwrap_err();
        assert!(matches!(error, ModelError::Diverged { .. }), "{name}: {error}");
        assert!(model.predict(&split.inputs).is_err(), "{name} predicts after a failed fit");
    }
}

#[test]
fn order_and_company_do_not_change_a_prediction() {
    for name in NEURAL {
        for split in [images(40, true), texts(40)] {
            let (mut model, _) = fit(&spec(name, &split, "epochs = 2", 2, 1), name, &split);
            let all = model.predict(&split.inputs).unwrap();
            let Predictions::Classes { probabilities: Some(all), .. } = all else { panic!("classes") };
            for row in [0, 7, 39] {
                let one = model.predict(&split.inputs.select(&[row])).unwrap();
                let Predictions::Classes { probabilities: Some(one), .. } = one else { panic!("classes") };
                for (a, b) in all.row(row).iter().zip(one.row(0)) {
                    assert!((a - b).abs() < 1e-4, "{name}: row {row} alone gives {b}, among others {a}");
                }
            }
        }
    }
}

#[test]
fn heads_that_do_not_divide_the_width_are_refused_by_name() {
    let split = images(4, true);
    let shape = spec("transformer", &split, "", 1, 1).shape;
    let table: toml::Table = "width = 10\nheads = 4".parse().unwrap();
    let params = Resolved::new(entry("transformer").params(), &shape, &table).unwrap();
    let error = entry("transformer").check(&params).unwrap_err();
    assert_eq!(error.to_string(), "parameter 'heads' is 4, expected a divisor of the width, 10");
}

#[test]
fn a_patch_that_does_not_fit_the_image_is_refused() {
    let split = images(4, true);
    let error = entry("transformer").build(&spec("transformer", &split, "patch = 3", 1, 1)).err().unwrap();
    assert!(error.to_string().contains("patch = 3 does not divide images of 8 x 8"), "{error}");
}
