//! A network and plain features under one head: what the head computes, and what learns how fast.

use std::collections::BTreeMap;
use std::fs;

use bakeoff_datasets::{Images, Targets, Text};
use burn::tensor::{Device as BurnDevice, Tensor, TensorData};
use safetensors::SafeTensors;

use super::*;
use crate::ENTRIES;
use crate::model::{EpochReport, InputShape, TargetShape};
use crate::neural::batch::Batch;
use crate::neural::layers::Pass;
use crate::neural::weights::Leaves;

/// A pretrained encoder of random weights.
const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/encoder");

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Images,
    Texts,
    Pairs,
}

fn split(kind: Kind, count: usize) -> Split {
    let inputs = match kind {
        Kind::Images => {
            let pixels = (0..count).flat_map(|row| (0..256).map(move |at| (row % 2 * 100 + at * (row + 1) % 97) as u8));
            Inputs::Images(Images { channels: 1, height: 16, width: 16, pixels: pixels.collect() })
        }
        _ => {
            let words = ["good", "bad"];
            let text = |row: usize| format!("a {} film {}", words[row % 2], ["indeed", "again", "so"][row % 3]);
            let second = |row: usize| (kind == Kind::Pairs).then(|| text(row + 2));
            Inputs::Texts((0..count).map(|row| Text { first: text(row), second: second(row) }).collect())
        }
    };
    let names = ["no", "yes"].map(str::to_owned).to_vec().into();
    Split { inputs, targets: Targets::Classes { labels: (0..count).map(|row| (row % 2) as u16).collect(), names } }
}

fn spec(kind: Kind, written: &str) -> Spec {
    let input = match kind {
        Kind::Images => InputShape::Images { channels: 1, height: 16, width: 16 },
        _ => InputShape::Texts { pairs: kind == Kind::Pairs },
    };
    let shape =
        TaskShape { input, target: TargetShape::Classes(2), train_rows: 24, mirror_negates: false, characters: None };
    let entry = ENTRIES.iter().find(|entry| entry.name() == "fusion").unwrap();
    let params = Resolved::new(entry.params(), &shape, &written.parse().unwrap()).unwrap();
    Spec { shape, params: crate::ensemble::of_one(&params), device: Device::Cpu, threads: Threads::new(2), seed: 5 }
}

fn small(name: &str, epochs: usize) -> String {
    let params = match name {
        "encoder" => format!("weights = \"{TINY}\", max_tokens = 64"),
        "transformer" => "width = 8, heads = 2, layers = 1, feed_forward = 8".to_owned(),
        "resnet" | "cnn" => "depth = 8, width = 2, clip = 5.0".to_owned(),
        _ => "hidden = 3, embedding = 4".to_owned(),
    };
    format!(
        "network = {{ model = \"{name}\", epochs = {epochs}, batch = 8, shard = 8, learning_rate = 0.003, {params} }}"
    )
}

/// The loss of each epoch.
struct Losses(Vec<f64>);

impl Watch for Losses {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.0.push(report.train_loss);
        Ok(report.epoch as f64)
    }

    fn progress(&mut self, _: usize, _: usize) {}
}

/// The bytes of each array of weights of a fitted model, by name.
fn saved_weights(model: &dyn Model) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("model");
    model.save(&folder).unwrap();
    let bytes = fs::read(folder.join("arrays.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let of_weights = file.iter().filter(|(name, _)| name.starts_with("weights."));
    of_weights.map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect()
}

#[test]
fn every_network_learns_together_with_the_features_beside_it() {
    for name in ["encoder", "transformer", "resnet", "cnn", "lstm", "gru"] {
        for kind in [Kind::Images, Kind::Texts, Kind::Pairs] {
            if name == "encoder" && kind == Kind::Images {
                continue;
            }
            let fitted = |epochs: usize| {
                let spec = spec(kind, &small(name, epochs));
                let mut watch = Losses(Vec::new());
                let mut model = Fusion.build(&spec).unwrap();
                model.fit(&split(kind, 24), &split(kind, 6), &mut watch).unwrap();
                assert!(!model.predict(&split(kind, 4).inputs).unwrap().is_empty());
                (watch.0, saved_weights(model.as_ref()))
            };
            let ((short, before), (long, after)) = (fitted(1), fitted(12));
            assert_eq!((short.len(), long.len()), (1, 12), "the epochs are those of the model itself");
            assert!(long[11] < long[0], "{name} {kind:?}: {long:?}");
            assert!(before.keys().eq(after.keys()), "{name} {kind:?}");
            let is_beside =
                |slot: &str| slot.starts_with("weights.head.projection") || slot.starts_with("weights.head.projected");
            for beside in [false, true] {
                let mut slots = before.iter().filter(|(slot, _)| is_beside(slot) == beside);
                assert!(slots.any(|(slot, bytes)| after[slot] != *bytes), "{name} {kind:?}: both parts learn");
            }
        }
    }
}

fn numbers(tensor: Tensor<2>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().unwrap()
}

#[test]
fn the_head_is_one_linear_layer_over_the_network_and_the_projected_features() {
    let form = InputForm::Images { channels: 1, height: 8, width: 8 };
    let value = spec(Kind::Images, &small("resnet", 1));
    let alone = || resnet::design(network(&value.params).params(), form.clone(), 3);
    let beside = Beside { features: 5, projected: 2, pace: 1.0, dropout: 0.5 };
    let fused = FusedNet::new(alone(), beside, 3);
    let alone = alone();
    let own = alone.layout().initial(7);
    let device = BurnDevice::flex();
    let buffers = Leaves::new(alone.buffers(), &alone.buffers().initial(0), &device);
    let tensor = |count: usize| (0..count).map(|n| (0.7 * n as f64).sin() as f32).collect::<Vec<_>>();
    let pixels = Batch::Images(Tensor::from_data(TensorData::new(tensor(2 * 64), [2, 8, 8, 1]), &device));
    let features: Tensor<2> = Tensor::from_data(TensorData::new(tensor(10), [2, 5]), &device);
    let both = Batch::WithFeatures(Box::new(pixels.clone()), features);

    let weights = Leaves::new(alone.layout(), &own, &device);
    let of_network = numbers(alone.forward(&pixels, &mut Pass::new(&weights, &buffers, None)));
    // The slots that come after those of the network: the projection, its bias, the head over it, its bias.
    let more = tensor(5 * 2 + 2 + 2 * 3 + 3);
    let [projection, bias, head, last] = [&more[..10], &more[10..12], &more[12..18], &more[18..]];
    let weights = Leaves::new(fused.layout(), &[own.as_slice(), &more].concat(), &device);
    let found = numbers(fused.forward(&both, &mut Pass::new(&weights, &buffers, None)));
    for row in 0..2 {
        let projected: Vec<f32> = (0..2)
            .map(|unit| bias[unit] + (0..5).map(|at| tensor(10)[row * 5 + at] * projection[at * 2 + unit]).sum::<f32>())
            .collect();
        for output in 0..3 {
            let of_features = last[output] + (0..2).map(|unit| projected[unit] * head[unit * 3 + output]).sum::<f32>();
            let expected = of_network[row * 3 + output] + of_features;
            assert!((found[row * 3 + output] - expected).abs() < 1e-4, "{found:?}");
        }
    }
    assert_eq!(fused.width(), alone.width() + 2);
}

#[test]
fn layers_that_begin_at_random_learn_faster_than_a_pretrained_network() {
    let of = |written: &str| pace(&spec(Kind::Texts, written).params);
    assert!((of("network = \"encoder\"") - 40.0).abs() < 1e-9, "2e-3 to 5e-5");
    assert_eq!(of("network = { model = \"encoder\", mode = \"scratch\" }"), 1.0);
    assert_eq!(of("network = \"lstm\""), 1.0);
    assert_eq!(of("network = \"encoder\"\npace = 3.0"), 3.0);
    let params = spec(Kind::Images, "network = \"resnet\"\npace = 3.0").params;
    let form = InputForm::Images { channels: 1, height: 8, width: 8 };
    let net = design(&params, InputForm::WithFeatures { raw: Box::new(form), width: 5 }, 2);
    let paces: Vec<f64> = net.layout().groups().iter().map(|group| group.pace).collect();
    assert!(paces.starts_with(&[1.0]) && paces.ends_with(&[3.0, 3.0]), "{paces:?}");
}

#[test]
fn a_network_that_does_not_learn_an_ensemble_and_one_of_another_kind_of_inputs_are_refused() {
    let refused = |written: &str| Fusion.check(&spec(Kind::Texts, written).params).unwrap_err().to_string();
    let message = refused("network = { model = \"encoder\", mode = \"frozen\" }");
    assert!(message.starts_with("parameter 'network' is encoder with mode = \"frozen\", expected mode"), "{message}");
    let message = refused("network = { model = \"lstm\", ensemble = 2 }");
    assert_eq!(message, "parameter 'network' is an ensemble of 2 lstm, expected lstm alone, ensemble = 1");
    let of_texts = spec(Kind::Images, "network = \"encoder\"");
    let Support::No { reason } = Fusion.supports(&of_texts.shape, &of_texts.params, Device::Cpu) else {
        panic!("a text encoder is said to read images");
    };
    assert_eq!(reason, "network = encoder: a text encoder reads no images");
    assert!(Fusion.build(&of_texts).is_err());
    let nowhere = spec(Kind::Texts, "network = { model = \"encoder\", weights = \"no/such/folder\" }");
    assert!(Fusion.own_files(&nowhere.params).unwrap_err().to_string().contains("no/such/folder"));
    assert!(Fusion.seen(&spec(Kind::Texts, "network = \"encoder\"").params).unwrap().contains(&"glue/qqp"));
}
