//! Compares training with PyTorch's, step by step. `scripts/peers/training.py` made PyTorch's losses.

use std::sync::Arc;

use bakeoff_datasets::{Images, Inputs, Split, Targets, Text};
use serde::Deserialize;

use super::compress::Importance;
use super::encoder::TextReading;
use super::functions::testing::as_on_any_device;
use super::network::Design;
use super::reduction::Reduction;
use super::*;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
use crate::device::testing::{cards, tolerance};
use crate::model::EpochReport;
use crate::{ENTRIES, cnn, fusion, gru, lstm, mlp, resnet, transformer};

/// What the script wrote.
pub(super) const TRAINING: &str = include_str!("../../tests/fixtures/training.json");

#[derive(Deserialize)]
struct Fixture {
    texts: Vec<String>,
    labels: Vec<u16>,
    cases: Vec<FixtureCase>,
    compress: Vec<Smaller>,
}

#[derive(Clone, Deserialize)]
struct FixtureCase {
    model: String,
    /// Rows of pixels, if the inputs are images; otherwise they are texts.
    side: Option<usize>,
    params: toml::Table,
    losses: Vec<f64>,
}

/// A perceptron that is made smaller and then trained on.
#[derive(Deserialize)]
struct Smaller {
    method: String,
    share: f64,
    by: String,
    params: toml::Table,
    parameters: u64,
    losses: Vec<f64>,
}

impl Fixture {
    /// The fixture, and its texts as rows.
    fn read() -> (Fixture, Split) {
        let fixture: Fixture = serde_json::from_str(TRAINING).expect("a fixture");
        let texts = fixture.texts.iter().map(|text| Text { first: text.clone(), second: None }).collect();
        let texts = Split { inputs: Inputs::Texts(texts), targets: classes(fixture.labels.clone(), 2) };
        (fixture, texts)
    }
}

/// The loss of each epoch.
pub(super) struct Losses(pub(super) Vec<f64>);

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

/// Twelve images of `side x side` pixels in three classes.
pub(super) fn images(side: usize) -> Split {
    let pixel = |n: usize| if side == 8 { n.pow(2) % 251 } else { n.pow(3) % 233 };
    let pixels = (0..12 * 3 * side * side).map(|n| pixel(n) as u8).collect();
    let inputs = Inputs::Images(Images { channels: 3, height: side, width: side, pixels });
    Split { inputs, targets: classes((0..12).map(|row| row % 3).collect(), 3) }
}

/// A model with these parameters for these rows.
pub(super) fn spec(model: &str, params: &toml::Table, split: &Split) -> (&'static dyn ModelEntry, Spec) {
    let (input, count) = match &split.inputs {
        &Inputs::Images(Images { channels, height, width, .. }) => (InputShape::Images { channels, height, width }, 3),
        Inputs::Texts(_) => (InputShape::Texts { pairs: false }, 2),
        Inputs::Table(_) => unreachable!("see tabular.rs"),
    };
    let target = TargetShape::Classes(count);
    let shape = TaskShape { input, target, train_rows: split.len(), mirror_negates: false, characters: None };
    let entry = *ENTRIES.iter().find(|entry| entry.name() == model).expect("a model");
    let params = Resolved::new(entry.params(), &shape, params).expect("its parameters");
    (entry, Spec { shape, params, device: Device::Cpu, threads: Threads::new(2), seed: 1 })
}

/// The weights from which both sides start: `size` times the sine of the number of the weight, or of its square.
pub(super) fn sines(layout: &WeightLayout, size: f64, power: u32) -> Vec<f32> {
    (0..layout.len()).map(|n| (size * (n.pow(power) as f64).sin()) as f32).collect()
}

#[track_caller]
pub(super) fn assert_alike(what: &str, ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() < 1e-4 * theirs, "{what}: {ours} is not {theirs}");
}

fn losses(case: &FixtureCase, split: &Split, device: Device) -> Vec<f64> {
    fit(case, split, device).1
}

/// A fit from the weights of the script, and the loss of each step.
fn fit(case: &FixtureCase, split: &Split, device: Device) -> (Neural, Vec<f64>) {
    let (entry, spec) = spec(&case.model, &case.params, split);
    let spec = Spec { device, ..spec };
    let single = Reading::from(TextReading::Single);
    let (design, reading): (Design, Reading) = match case.model.as_str() {
        "transformer" => (transformer::design, single),
        "resnet" => (resnet::design, single),
        "cnn" => (cnn::design, single),
        "lstm" => (lstm::design, single),
        "gru" => (gru::design, single),
        "mlp" => (mlp::design, mlp::reading(&spec.params, &spec.shape.input)),
        _ => (fusion::design, fusion::reading(&spec.params)),
    };
    let mut model = Neural::new(entry, &spec, design, reading).expect("threads");
    let mut told = Losses(Vec::new());
    let fitted = if case.model == "fusion" {
        let (learning, _) = fusion::learning(&spec, &model, split).expect("features");
        model.fit_encoded(learning, |layout| Ok(sines(layout, 0.3, 1)), (split, split), &mut told)
    } else {
        model.fit_from(|layout| sines(layout, 0.3, 1), (split, split), &mut told)
    };
    fitted.expect("a fit");
    (model, told.0)
}

#[test]
fn the_networks_have_the_losses_of_pytorch_step_for_step_from_the_same_weights() {
    let (fixture, texts) = Fixture::read();
    for case in &fixture.cases {
        let losses = losses(case, &case.side.map_or_else(|| texts.clone(), images), Device::Cpu);
        assert_eq!(losses.len(), case.losses.len());
        for (step, (ours, theirs)) in losses.into_iter().zip(&case.losses).enumerate() {
            assert_alike(&format!("{} in step {step}", case.model), ours, *theirs);
        }
    }
}

#[test]
fn the_steps_of_other_devices_have_the_losses_of_pytorch_too() {
    let (fixture, texts) = Fixture::read();
    for case in &fixture.cases {
        let split = case.side.map_or_else(|| texts.clone(), images);
        let losses = as_on_any_device(|| losses(case, &split, Device::Cpu));
        assert_eq!(losses.len(), case.losses.len());
        for (step, (ours, theirs)) in losses.into_iter().zip(&case.losses).enumerate() {
            assert_alike(&format!("{} in step {step}", case.model), ours, *theirs);
        }
    }
}

#[test]
fn products_in_bfloat16_give_losses_within_two_percent_of_those_in_32_bits() {
    let (fixture, texts) = Fixture::read();
    for case in fixture.cases.iter().filter(|case| case.model != "fusion") {
        let split = case.side.map_or_else(|| texts.clone(), images);
        let mut rough = case.clone();
        rough.params.insert("precision".to_owned(), "bf16".into());
        let losses = as_on_any_device(|| losses(&rough, &split, Device::Cpu));
        let apart = losses.iter().zip(&case.losses).map(|(ours, exact)| (ours - exact).abs() / exact);
        let furthest = apart.fold(0.0, f64::max);
        assert!(furthest < 0.02, "{}: {losses:?} is {furthest} from {:?}", case.model, case.losses);
        assert!(furthest > 1e-5, "{}: these were products in 32 bits", case.model);
    }
}

/// The labels that a model predicts.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn labels(model: &mut Neural, split: &Split) -> Vec<u16> {
    match model.predict(&split.inputs).expect("predictions") {
        Predictions::Classes { labels, .. } => labels,
        Predictions::Values(_) => panic!("the fixtures have classes"),
    }
}

/// The same network with the same weights, on the processor.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn on_the_processor(model: &Neural, targets: &Targets) -> Neural {
    let fitted = model.fitted.as_ref().expect("it is fitted");
    let (weights, buffers) = (fitted.weights.flat().expect("weights"), fitted.buffers.flat().expect("statistics"));
    let spec = Spec { device: Device::Cpu, ..model.spec.clone() };
    let mut here = Neural::new(model.entry, &spec, model.design, model.reading).expect("threads");
    here.fit_nothing(fitted.encoder.clone(), |_| Ok(weights.clone()), targets).expect("a network");
    here.fitted.as_mut().expect("it has weights").set(&weights, &buffers);
    here
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
#[test]
fn every_network_has_the_losses_of_pytorch_on_every_card_of_this_machine() {
    let (fixture, texts) = Fixture::read();
    let (_turn, found) = cards();
    for device in found {
        let tolerance = tolerance(device);
        for case in &fixture.cases {
            let split = case.side.map_or_else(|| texts.clone(), images);
            let (entry, spec) = spec(&case.model, &case.params, &split);
            if entry.supports(&spec.shape, &spec.params, device) != crate::model::Support::Yes {
                assert!(["mlp", "fusion"].contains(&case.model.as_str()), "features alone want the processor");
                continue;
            }
            let (mut model, losses) = fit(case, &split, device);
            for (step, (ours, theirs)) in losses.into_iter().zip(&case.losses).enumerate() {
                let what = format!("{} on {} in step {step}", case.model, device.name());
                assert!((ours - theirs).abs() < tolerance * theirs, "{what}: {ours} is not {theirs}");
            }
            let here = labels(&mut on_the_processor(&model, &split.targets), &split);
            let there = labels(&mut model, &split);
            let same = here.iter().zip(&there).filter(|(here, there)| here == there).count();
            assert!(same * 100 >= here.len() * 99, "{}: {same} of {} predictions are the same", case.model, here.len());
        }
    }
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
#[test]
fn fits_of_the_same_seed_on_the_same_card_draw_the_same_dropout() {
    let (fixture, texts) = Fixture::read();
    let (_turn, found) = cards();
    for device in found {
        let mut case =
            fixture.cases.iter().find(|case| case.model == "transformer" && case.side.is_none()).cloned().expect("one");
        case.params.insert("dropout".to_owned(), 0.3.into());
        let [first, second] = [0, 1].map(|_| losses(&case, &texts, device));
        assert_ne!(first.first(), case.losses.first(), "dropout changes the loss");
        for (one, other) in first.iter().zip(&second) {
            assert!((one - other).abs() <= 1e-5 * one.abs(), "{}: {first:?} and {second:?}", device.name());
        }
    }
}

#[test]
fn a_network_that_is_made_smaller_is_pytorchs_and_learns_on_with_its_losses() {
    let (fixture, texts) = Fixture::read();
    for case in &fixture.compress {
        let what = format!("{} by {}", case.method, case.by);
        let (entry, spec) = spec("mlp", &case.params, &texts);
        let reading = mlp::reading(&spec.params, &spec.shape.input);
        let mut model = Neural::new(entry, &spec, mlp::design, reading).expect("threads");
        let encoder = InputEncoder::fit(&texts.inputs, &spec, model.reading).expect("words");
        model.fit_nothing(encoder, |layout| Ok(sines(layout, 0.3, 2)), &texts.targets).expect("weights");
        let reduction = match case.method.as_str() {
            "int8" => Reduction::Int8,
            "low-rank" => Reduction::LowRank(case.share),
            _ => Reduction::Prune(case.share),
        };
        let by = if case.by == "gradient" { Importance::Gradient } else { Importance::Magnitude };
        model.reduce(mlp::reduced, reduction, by, &texts).expect("a smaller network");
        assert_eq!(model.footprint().parameters, case.parameters, "{what}");
        let mut told = Losses(Vec::new());
        model.fine_tune((case.losses.len(), 1.0), (&texts, &texts), &mut told).expect("a fit");
        assert_eq!(told.0.len(), 10, "{what}");
        for (step, (ours, theirs)) in told.0.into_iter().zip(&case.losses).enumerate() {
            assert_alike(&format!("{what} in step {step}"), ours, *theirs);
        }
    }
}

/// Keeps the state after each epoch, and can stop a fit there.
#[derive(Default)]
struct Checkpoints {
    interrupted: Option<Vec<u8>>,
    kept: Vec<Vec<u8>>,
    losses: Vec<f64>,
    ends_after: Option<usize>,
}

impl Watch for Checkpoints {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.losses.push(report.train_loss);
        // The second epoch is the best one.
        Ok(-(report.epoch as f64 - 2.0).abs())
    }

    fn progress(&mut self, _: usize, _: usize) {}

    fn interrupted(&mut self) -> Option<Vec<u8>> {
        self.interrupted.take()
    }

    fn checkpoint(&mut self, state: &dyn Fn() -> Result<Vec<u8>, ModelError>) -> Result<(), ModelError> {
        self.kept.push(state()?);
        match self.ends_after {
            Some(epochs) if self.kept.len() == epochs => Err(ModelError::Failed("killed".to_owned())),
            _ => Ok(()),
        }
    }
}

/// A small residual network for [`images`].
fn small(params: &str) -> Neural {
    let shape = TaskShape {
        input: InputShape::Images { channels: 3, height: 8, width: 8 },
        target: TargetShape::Classes(3),
        train_rows: 12,
        mirror_negates: false,
        characters: None,
    };
    let entry = ENTRIES.iter().find(|entry| entry.name() == "resnet").expect("a model");
    let params = Resolved::new(entry.params(), &shape, &params.parse().expect("a table")).expect("its parameters");
    let spec = Spec { shape, params, device: Device::Cpu, threads: Threads::new(2), seed: 1 };
    Neural::new(*entry, &spec, resnet::design, TextReading::Single).expect("threads")
}

const SMALL: &str =
    "depth = 8\nwidth = 4\nepochs = 5\nbatch = 4\nshard = 2\noptimizer = \"adamw\"\nlearning_rate = 0.01";

#[test]
fn a_fit_that_goes_on_from_any_epoch_ends_as_an_undisturbed_one_to_the_last_bit() {
    let images = images(8);
    for params in [SMALL.to_owned(), SMALL.replace("adamw", "sgd")] {
        let mut undisturbed = small(&params);
        let mut whole = Checkpoints::default();
        undisturbed.fit(&images, &images, &mut whole).expect("a fit");
        let expected = undisturbed.predict(&images.inputs).expect("predictions");
        assert_eq!(whole.kept.len(), 5);
        for epoch in 1..=5 {
            let mut first = Checkpoints { ends_after: Some(epoch), ..Checkpoints::default() };
            assert!(small(&params).fit(&images, &images, &mut first).is_err(), "the fit is stopped");
            let mut second = Checkpoints { interrupted: first.kept.pop(), ..Checkpoints::default() };
            let mut model = small(&params);
            model.fit(&images, &images, &mut second).expect("a fit that goes on");
            assert_eq!([first.losses, second.losses].concat(), whole.losses, "after epoch {epoch}");
            assert_eq!(model.predict(&images.inputs).expect("predictions"), expected, "after epoch {epoch}");
        }
    }
}

#[test]
fn a_state_that_is_cut_off_or_of_another_network_is_refused() {
    let images = images(8);
    let mut whole = Checkpoints::default();
    small(SMALL).fit(&images, &images, &mut whole).expect("a fit");
    let state = whole.kept.pop().expect("a checkpoint");
    let wider = SMALL.replace("width = 4", "width = 5");
    for (bytes, params) in [(state[..state.len() / 2].to_vec(), SMALL), (b"{}".to_vec(), SMALL), (state, &wider)] {
        let mut watch = Checkpoints { interrupted: Some(bytes), ..Checkpoints::default() };
        let error = small(params).fit(&images, &images, &mut watch).expect_err("no such state");
        assert!(matches!(error, ModelError::State(_)), "{error}");
        assert!(error.to_string().contains("the state of the fit"), "{error}");
    }
}

/// A budget of so many calls of [`Watch::spent`].
struct CallBudget {
    calls: f64,
    of: f64,
    reports: Vec<(usize, usize)>,
}

impl Watch for CallBudget {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.reports.push((report.epoch, report.epochs));
        Ok(0.0)
    }

    fn progress(&mut self, _: usize, _: usize) {}

    fn spent(&mut self) -> Option<f64> {
        self.calls += 1.0;
        Some(self.calls / self.of)
    }
}

#[test]
fn a_budget_decides_how_long_a_network_learns_and_the_number_of_epochs_does_not() {
    let images = images(8);
    for (of, expected) in [(90.0, Some(12)), (400.0, Some(56)), (4.0, None)] {
        let mut watch = CallBudget { calls: 0.0, of, reports: Vec::new() };
        let fitted = small(SMALL).fit(&images, &images, &mut watch);
        // An epoch calls `spent` seven times: at its start, for the schedule, before each of three steps, and before and after
        // validation.
        let Some(expected) = expected else {
            let error = fitted.expect_err("a budget of less than an epoch");
            assert!(matches!(error, ModelError::OverBudget(_)), "{error}");
            assert!(error.to_string().contains("in the first epoch, after 1 of its 3 steps"), "{error}");
            continue;
        };
        fitted.expect("a fit");
        let epochs = watch.reports.len();
        assert!(
            epochs.abs_diff(expected) <= expected / 5 + 1,
            "{epochs} epochs of about {expected}: {:?}",
            watch.reports
        );
        assert!(watch.calls <= of + 3.0, "{} of {of}", watch.calls);
    }
}
