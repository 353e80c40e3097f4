//! Compares training with PyTorch's, step by step. `scripts/peers/training.py` made PyTorch's losses.

use std::sync::Arc;

use bakeoff_datasets::{Images, Inputs, Split, Targets, Text};
use serde::Deserialize;

use super::encoder::TextReading;
use super::network::Design;
use super::*;
use crate::model::EpochReport;
use crate::{ENTRIES, lstm, resnet, transformer};

#[derive(Deserialize)]
struct Fixture {
    texts: Vec<String>,
    labels: Vec<u16>,
    cases: Vec<FixtureCase>,
}

#[derive(Deserialize)]
struct FixtureCase {
    model: String,
    /// Whether the inputs are images; otherwise they are texts.
    images: bool,
    params: toml::Table,
    losses: Vec<f64>,
}

/// The loss of each epoch.
struct Losses(Vec<f64>);

impl Watch for Losses {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.0.push(report.train_loss);
        Ok(0.0)
    }

    fn progress(&mut self, _: usize, _: usize) {}
}

fn classes(labels: Vec<u16>, count: usize) -> Targets {
    Targets::Classes { labels, names: Arc::from((0..count).map(|class| class.to_string()).collect::<Vec<_>>()) }
}

/// Twelve images of 8 x 8 pixels in three classes.
fn images() -> Split {
    let pixels = (0..12 * 3 * 8 * 8_u64).map(|n| (n * n % 251) as u8).collect();
    let inputs = Inputs::Images(Images { channels: 3, height: 8, width: 8, pixels });
    Split { inputs, targets: classes((0..12).map(|row| row % 3).collect(), 3) }
}

fn losses(case: &FixtureCase, design: Design, split: &Split) -> Vec<f64> {
    let (input, count) = match &split.inputs {
        Inputs::Images(_) => (InputShape::Images { channels: 3, height: 8, width: 8 }, 3),
        Inputs::Texts(_) => (InputShape::Texts { pairs: false }, 2),
    };
    let target = TargetShape::Classes(count);
    let shape = TaskShape { input, target, train_rows: split.len(), mirror_negates: false };
    let entry = ENTRIES.iter().find(|entry| entry.name() == case.model).expect("a model");
    let params = Resolved::new(entry.params(), &shape, &case.params).expect("its parameters");
    let spec = Spec { shape, params, device: Device::Cpu, threads: Threads::new(2), seed: 1 };
    let mut model = Neural::new(*entry, &spec, design, TextReading::Single).expect("threads");
    let start = |layout: &WeightLayout| (0..layout.len()).map(|n| (0.3 * (n as f64).sin()) as f32).collect();
    let mut told = Losses(Vec::new());
    model.fit_from(start, (split, split), &mut told).expect("a fit");
    told.0
}

#[test]
fn the_networks_have_the_losses_of_pytorch_step_for_step_from_the_same_weights() {
    let fixture: Fixture = serde_json::from_str(include_str!("../../tests/fixtures/training.json")).expect("a fixture");
    let texts = fixture.texts.iter().map(|text| Text { first: text.clone(), second: None }).collect();
    let texts = Split { inputs: Inputs::Texts(texts), targets: classes(fixture.labels, 2) };
    let images = images();
    for case in &fixture.cases {
        let design: Design = match case.model.as_str() {
            "transformer" => transformer::design,
            "resnet" => resnet::design,
            _ => lstm::design,
        };
        let losses = losses(case, design, if case.images { &images } else { &texts });
        assert_eq!(losses.len(), case.losses.len());
        for (step, (ours, theirs)) in losses.iter().zip(&case.losses).enumerate() {
            assert!((ours - theirs).abs() < 1e-4 * theirs, "{} in step {step}: {ours} is not {theirs}", case.model);
        }
    }
}
