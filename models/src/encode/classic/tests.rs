//! Features of networks for the classic models, alone and beside plain ones.

use bakeoff_datasets::{Images, Targets, Text};

use super::*;
use crate::ENTRIES;
use crate::model::{EpochReport, ModelEntry, TargetShape};
use crate::parallel::Threads;

/// A pretrained encoder of random weights.
const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/encoder");

/// Networks as small as they can be.
fn small(network: &str) -> String {
    let params = match network {
        "encoder" => return format!("{{ model = \"encoder\", weights = \"{TINY}\", max_tokens = 64 }}"),
        "transformer" => "width = 8, heads = 2, layers = 1, feed_forward = 8",
        "resnet" | "cnn" => "depth = 8, width = 2",
        "mlp" => "hidden = 3",
        _ => "hidden = 3, embedding = 4",
    };
    format!("{{ model = \"{network}\", epochs = 2, batch = 8, {params} }}")
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Images,
    Texts,
    Pairs,
}

const KINDS: [Kind; 3] = [Kind::Images, Kind::Texts, Kind::Pairs];

fn split(kind: Kind, count: usize) -> Split {
    let inputs = match kind {
        Kind::Images => {
            let pixels = (0..count * 16 * 16).map(|place| (place * place % 251) as u8).collect();
            Inputs::Images(Images { channels: 1, height: 16, width: 16, pixels })
        }
        _ => {
            let words = ["good", "bad", "film", "plot", "dull", "fun", "so"];
            let text = |row: usize| format!("{} {}", words[row % 7], words[row * row % 7]);
            let second = |row: usize| (kind == Kind::Pairs).then(|| text(row + 1));
            Inputs::Texts((0..count).map(|row| Text { first: text(row), second: second(row) }).collect())
        }
    };
    let names = ["no", "yes"].map(str::to_owned).to_vec().into();
    Split { inputs, targets: Targets::Classes { labels: (0..count).map(|row| (row % 2) as u16).collect(), names } }
}

fn entry(name: &str) -> &'static dyn ModelEntry {
    *ENTRIES.iter().find(|entry| entry.name() == name).unwrap()
}

fn spec(kind: Kind, written: &str) -> Spec {
    let input = match kind {
        Kind::Images => InputShape::Images { channels: 1, height: 16, width: 16 },
        _ => InputShape::Texts { pairs: kind == Kind::Pairs },
    };
    let shape =
        TaskShape { input, target: TargetShape::Classes(2), train_rows: 24, mirror_negates: false, characters: None };
    let params = Resolved::new(entry("svm").params(), &shape, &written.parse().unwrap()).unwrap();
    Spec { shape, params, device: Device::Cpu, threads: Threads::new(2), seed: 5 }
}

/// Counts the epochs of the model and those of its parts.
#[derive(Default)]
struct Epochs {
    own: usize,
    of_parts: usize,
}

impl Watch for Epochs {
    fn epoch(&mut self, _: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.own += 1;
        Ok(0.0)
    }

    fn part_epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.of_parts += 1;
        Ok(report.epoch as f64)
    }

    fn progress(&mut self, _: usize, _: usize) {}
}

fn fit(spec: &Spec, kind: Kind, watch: &mut Epochs) -> (ClassicEncoder, Array2<f32>) {
    let (train, validation, all) = (split(kind, 18), split(kind, 6), split(kind, 24));
    let pool = spec.threads.pool().unwrap();
    let (encoder, features) =
        ClassicEncoder::fit(spec, (&train, &validation, &all.inputs), Numbers::Scaled, &pool, watch).unwrap();
    (encoder, features.into_dense())
}

#[test]
fn every_network_gives_features_of_mean_zero_that_are_the_same_for_the_same_inputs() {
    for network in NETWORKS {
        for kind in KINDS {
            if *network == "encoder" && kind == Kind::Images {
                continue;
            }
            let spec = spec(kind, &format!("features = {}", small(network)));
            let mut watch = Epochs::default();
            let (mut encoder, features) = fit(&spec, kind, &mut watch);
            assert_eq!(watch.own, 0, "{network}: an epoch of a part is none of the model");
            assert_eq!(watch.of_parts, if *network == "encoder" { 0 } else { 2 }, "{network}");
            let expected = width(&spec.shape, &spec.params);
            assert_eq!(
                (features.ncols(), encoder.width(), encoder.feature_names().len()),
                (expected, expected, expected)
            );
            for column in features.columns() {
                // Features of so small a network hardly differ, so that rounding shows.
                assert!(column.mean().unwrap().abs() < 0.1, "{network}: {column}");
            }
            let pool = spec.threads.pool().unwrap();
            let again = encoder.encode(&split(kind, 24).inputs, &pool).unwrap().into_dense();
            assert!(features.iter().zip(&again).all(|(one, other)| (one - other).abs() < 1e-3), "{network}");
            assert!(!is_sparse(&spec.shape.input, &spec.params));
        }
    }
}

#[test]
fn the_network_is_the_one_that_the_model_alone_would_be() {
    let spec = spec(Kind::Images, &format!("features = {}", small("resnet")));
    let (mut encoder, _) = fit(&spec, Kind::Images, &mut Epochs::default());
    let value = network(&spec.params).unwrap();
    let mut alone = value.entry().build(&Spec { params: value.params().clone(), ..spec.clone() }).unwrap();
    // Alone or as a part, the last epoch is the best.
    alone
        .fit(&split(Kind::Images, 18), &split(Kind::Images, 6), &mut PartWatch::new(&mut Epochs::default(), 1.0))
        .unwrap();
    let inputs = split(Kind::Images, 9).inputs;
    let mut part = encoder.network.take().unwrap();
    assert_eq!(part.model.predict(&inputs), alone.predict(&inputs));
}

#[test]
fn plain_features_stand_after_those_of_the_network_and_both_rows_of_a_text_are_of_one_length() {
    for kind in KINDS {
        let network = small("mlp");
        let plain = spec(kind, "features = \"hog\"");
        let learned = spec(kind, &format!("features = {network}"));
        let both = spec(kind, &format!("features = {network}\nconcatenate = true"));
        let [(_, plain), (_, learned), (encoder, both_rows)] =
            [&plain, &learned, &both].map(|spec| fit(spec, kind, &mut Epochs::default()));
        let (found, after) = both_rows.view().split_at(ndarray::Axis(1), learned.ncols());
        assert_eq!(after, plain);
        assert_eq!(encoder.width(), plain.ncols() + learned.ncols());
        assert_eq!(found, learned);
        if kind != Kind::Images {
            let squares = learned.iter().map(|value| value * value).sum::<f32>() / learned.nrows() as f32;
            assert!((squares - 1.0).abs() < 1e-3, "{squares}");
        }
        assert_eq!(is_sparse(&both.shape.input, &both.params), kind != Kind::Images);
    }
}

#[test]
fn a_network_of_another_kind_of_inputs_an_ensemble_and_weights_that_are_missing_are_refused() {
    let of_texts = spec(Kind::Images, "features = \"encoder\"");
    let Support::No { reason } = supports(&of_texts.shape, &of_texts.params, Device::Cpu) else {
        panic!("a text encoder is said to read images");
    };
    assert_eq!(reason, "features = encoder: a text encoder reads no images");
    assert!(entry("svm").build(&of_texts).is_err());

    let odd = spec(Kind::Images, "features = { model = \"transformer\", patch = 5 }");
    let Support::No { reason } = supports(&odd.shape, &odd.params, Device::Cpu) else { panic!("5 divides 16") };
    assert!(reason.starts_with("features = transformer: patch = 5 does not divide"), "{reason}");

    let several = spec(Kind::Texts, "features = { model = \"lstm\", ensemble = 3 }");
    let error = entry("svm").check(&several.params).unwrap_err().to_string();
    assert_eq!(error, "parameter 'features' is an ensemble of 3 lstm, expected lstm alone, ensemble = 1");
    let alone = spec(Kind::Texts, "concatenate = true");
    let error = entry("random-forest").check(&alone.params).unwrap_err().to_string();
    assert_eq!(error, "parameter 'concatenate' is true, expected false, because features is no network");

    let nowhere = spec(Kind::Texts, "features = { model = \"encoder\", weights = \"no/such/folder\" }");
    let error = entry("svm").own_files(&nowhere.params).unwrap_err().to_string();
    assert!(error.starts_with("no/such/folder/config.json: is not there"), "{error}");
    let mut model = entry("svm").build(&nowhere).unwrap();
    let error = model.fit(&split(Kind::Texts, 18), &split(Kind::Texts, 6), &mut Epochs::default()).unwrap_err();
    assert!(error.to_string().starts_with("no/such/folder/config.json: is not there"), "{error}");
}

#[test]
fn what_a_pretrained_network_has_read_and_seen_is_that_of_the_model_on_its_features() {
    let hybrid = spec(Kind::Texts, "features = \"encoder\"");
    let encoder = entry("encoder");
    let value = network(&hybrid.params).unwrap();
    assert_eq!(entry("svm").seen(&hybrid.params), encoder.seen(value.params()));
    assert!(
        entry("svm").seen(&hybrid.params).unwrap().contains(&"glue/qqp"),
        "{:?}",
        entry("svm").seen(&hybrid.params)
    );
    let names =
        |files: Vec<&'static bakeoff_datasets::DataFile>| files.iter().map(|file| file.name).collect::<Vec<_>>();
    assert_eq!(names(entry("svm").files(&hybrid.params)), names(encoder.files(value.params())));
    assert_eq!(names(entry("svm").files(&hybrid.params)).len(), 3);
    let plain = spec(Kind::Texts, "");
    assert!(entry("svm").files(&plain.params).is_empty() && entry("svm").seen(&plain.params).is_none());
    let scratch = spec(Kind::Texts, "features = { model = \"encoder\", mode = \"scratch\" }");
    assert_eq!(entry("svm").seen(&scratch.params), None);
}

#[test]
fn a_network_that_diverges_is_named() {
    let spec = spec(
        Kind::Images,
        "features = { model = \"mlp\", features = \"pixels\", epochs = 20, optimizer = \"sgd\", learning_rate = 1e6, clip = 1e9 }",
    );
    let mut model = entry("svm").build(&spec).unwrap();
    let error = model.fit(&split(Kind::Images, 18), &split(Kind::Images, 6), &mut Epochs::default()).unwrap_err();
    assert!(matches!(error, ModelError::Diverged { .. }), "{error}");
    assert!(error.to_string().contains("of mlp (features)"), "{error}");
}
