//! What each way of making a network smaller does to its answers, its bytes and its operations.

use std::sync::Arc;

use bakeoff_datasets::{Images, Targets, Text};

use super::*;
use crate::ENTRIES;
use crate::model::{EpochReport, TargetShape};

/// Counts the epochs of the model and those of its parts.
#[derive(Default)]
struct Epochs {
    own: usize,
    of_parts: usize,
}

impl Watch for Epochs {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.own += 1;
        Ok(report.epoch as f64)
    }

    fn part_epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.of_parts += 1;
        Ok(report.epoch as f64)
    }

    fn progress(&mut self, _: usize, _: usize) {}
}

fn classes(labels: Vec<u16>) -> Targets {
    Targets::Classes { labels, names: Arc::new(["a", "b"].map(String::from)) }
}

/// Images of 8 x 8 pixels that are dark or bright.
fn images() -> Split {
    let pixels = (0..32 * 64).map(|at| if at / 64 % 2 == 0 { at % 90 } else { 160 + at % 90 } as u8).collect();
    let inputs = Inputs::Images(Images { channels: 1, height: 8, width: 8, pixels });
    Split { inputs, targets: classes((0..32).map(|row| row % 2).collect()) }
}

/// Texts that are good or bad.
fn texts() -> Split {
    let text = |row: usize| Text {
        first: format!("{} film of {}", ["bad", "good"][row % 2], ["love", "war", "sea"][row % 3]),
        second: None,
    };
    Split { inputs: Inputs::Texts((0..32).map(text).collect()), targets: classes((0..32).map(|row| row % 2).collect()) }
}

fn spec(model: &str, split: &Split, written: &str) -> Result<Spec, ParamError> {
    let input = match &split.inputs {
        Inputs::Images(_) => InputShape::Images { channels: 1, height: 8, width: 8 },
        Inputs::Texts(_) => InputShape::Texts { pairs: false },
        Inputs::Table(_) => unreachable!("no network over tables is made smaller"),
    };
    let shape =
        TaskShape { input, target: TargetShape::Classes(2), train_rows: 40, mirror_negates: false, characters: None };
    let entry = ENTRIES.iter().find(|entry| entry.name() == model).unwrap();
    let params = Resolved::new(entry.params(), &shape, &written.parse().unwrap())?;
    entry.check(&params)?;
    Ok(Spec { shape, params, device: Device::Cpu, threads: Threads::new(1), seed: 3 })
}

/// A fitted model, and the epochs of its fit.
fn fitted(model: &str, split: &Split, written: &str) -> (Box<dyn Model>, Epochs) {
    let entry = ENTRIES.iter().find(|entry| entry.name() == model).unwrap();
    let mut built = entry.build(&spec(model, split, written).unwrap()).unwrap();
    let mut epochs = Epochs::default();
    built.fit(split, &split.select(&[0, 1]), &mut epochs).unwrap();
    (built, epochs)
}

fn bytes_of(model: &dyn Model) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("model");
    model.save(&place).unwrap();
    std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

/// Small networks, each with a split that they can do.
fn networks() -> Vec<(&'static str, &'static str, Split)> {
    vec![
        ("transformer", "model = \"transformer\", epochs = 2, layers = 1, width = 32, heads = 4", texts()),
        ("resnet", "model = \"resnet\", epochs = 1, depth = 8, width = 8", images()),
        ("cnn", "model = \"cnn\", epochs = 1, depth = 8, width = 16", texts()),
        ("lstm", "model = \"lstm\", epochs = 1, hidden = 12, embedding = 8", texts()),
        ("gru", "model = \"gru\", epochs = 1, hidden = 12", images()),
        ("mlp", "model = \"mlp\", epochs = 1, hidden = 64, features = \"pixels\"", images()),
    ]
}

#[test]
fn with_nothing_left_out_the_network_answers_as_it_does_alone() {
    for (name, table, split) in networks() {
        let alone = table.split_once(", ").unwrap().1.replace(", ", "\n");
        let expected = fitted(name, &split, &alone).0.predict(&split.inputs).unwrap();
        let written = format!("of = {{ {table} }}\nshare = 0\nfine_tune = 0");
        let (mut model, epochs) = fitted("compress", &split, &written);
        assert_eq!(model.predict(&split.inputs).unwrap(), expected, "{name}");
        assert!(epochs.own == 0 && epochs.of_parts > 0, "{name}: its epochs are those of a part");
    }
}

#[test]
fn pruning_leaves_a_smaller_network_and_an_artefact_of_fewer_bytes() {
    for (name, table, split) in networks() {
        for by in ["magnitude", "gradient"] {
            let written = |share: f64| format!("of = {{ {table} }}\nshare = {share}\nfine_tune = 0\nby = \"{by}\"");
            let (whole, _) = fitted("compress", &split, &written(0.0));
            let (mut small, _) = fitted("compress", &split, &written(0.5));
            let (before, after) = (whole.footprint(), small.footprint());
            assert!(after.parameters < before.parameters, "{name} by {by}");
            assert!(after.flops_per_example < before.flops_per_example, "{name} by {by}");
            assert!(after.weight_bytes < before.weight_bytes, "{name} by {by}");
            assert!(before.weight_bytes.is_some_and(|bytes| bytes <= 4 * before.parameters), "{name} by {by}");
            assert!(bytes_of(&*small) < bytes_of(&*whole), "{name} by {by}");
            small.predict(&split.inputs).unwrap();
        }
    }
}

#[test]
fn eight_bits_take_fewer_bytes_and_as_many_operations() {
    for (name, table, split) in networks() {
        let written = |method: &str| format!("of = {{ {table} }}\nmethod = \"{method}\"\nshare = 0\nfine_tune = 0");
        let (whole, _) = fitted("compress", &split, &written("prune"));
        let (small, _) = fitted("compress", &split, &written("int8"));
        assert_eq!(small.footprint(), whole.footprint(), "{name}");
        assert!(bytes_of(&*small) < bytes_of(&*whole), "{name}");
    }
    // Where weights are most of the artefact, it is near a quarter.
    let mlp = "of = { model = \"mlp\", epochs = 1, hidden = 512, features = \"pixels\" }\nfine_tune = 0\nshare = 0";
    let (whole, _) = fitted("compress", &images(), mlp);
    let (small, _) = fitted("compress", &images(), &format!("{mlp}\nmethod = \"int8\""));
    assert!(bytes_of(&*small) * 10 < bytes_of(&*whole) * 3);
}

#[test]
fn a_lower_rank_leaves_fewer_weights_and_is_refused_for_a_recurrence() {
    for (name, table, split) in networks() {
        let written = |share: f64| format!("of = {{ {table} }}\nmethod = \"low-rank\"\nshare = {share}\nfine_tune = 0");
        if matches!(name, "lstm" | "gru") {
            let spec = spec("compress", &split, &written(0.5)).unwrap();
            let Support::No { reason } = Compress.supports(&spec.shape, &spec.params, Device::Cpu) else {
                panic!("{name} has no products to divide");
            };
            assert!(reason.contains(name) && reason.contains("use method = \"prune\""), "{reason}");
            assert!(Compress.build(&spec).is_err());
            continue;
        }
        let (whole, _) = fitted("compress", &split, &written(0.0));
        let (mut small, _) = fitted("compress", &split, &written(0.8));
        assert!(small.footprint().parameters < whole.footprint().parameters, "{name}");
        assert!(bytes_of(&*small) < bytes_of(&*whole), "{name}");
        small.predict(&split.inputs).unwrap();
    }
}

#[test]
fn fine_tuning_has_the_epochs_of_the_model_and_keeps_the_smaller_form() {
    for method in ["prune", "int8", "low-rank"] {
        let table = "model = \"transformer\", epochs = 2, layers = 1, width = 32, heads = 4";
        let written = |epochs: usize| format!("of = {{ {table} }}\nmethod = \"{method}\"\nfine_tune = {epochs}");
        let (plain, none) = fitted("compress", &texts(), &written(0));
        let (tuned, epochs) = fitted("compress", &texts(), &written(3));
        assert_eq!((none.own, epochs.own, epochs.of_parts), (0, 3, 2), "{method}");
        assert_eq!(tuned.footprint(), plain.footprint(), "{method}");
        assert_eq!(bytes_of(&*tuned) / 64, bytes_of(&*plain) / 64, "{method}");
    }
}

#[test]
fn what_is_asked_for_wrongly_is_said_with_what_to_write() {
    let refused = |written: &str| spec("compress", &images(), written).unwrap_err().to_string();
    let error = refused("share = 1");
    assert!(error.contains("share") && error.contains("nothing would be left of the network"), "{error}");
    assert!(refused("share = 1.5").contains("a number in 0..=1"));
    assert!(refused("of = \"svm\"").contains("resnet"));
    let error = refused("of = { model = \"mlp\", ensemble = 3 }");
    assert!(error.contains("ensemble of 3 mlp"), "{error}");
    assert!(spec("compress", &images(), "share = 0").is_ok());
}

#[test]
fn it_neither_predicts_nor_saves_before_a_fit() {
    let spec = spec("compress", &texts(), "of = \"mlp\"").unwrap();
    let mut model = Compress.build(&Spec { params: spec.params.without("ensemble"), ..spec }).unwrap();
    assert!(model.predict(&texts().inputs).is_err());
    assert!(model.save(Path::new("nowhere")).is_err());
}
