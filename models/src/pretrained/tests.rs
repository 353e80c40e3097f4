//! Compares pretrained encoders with PyPI's transformers, and reads broken ones. `scripts/make-fixtures/encoder.py` made the
//! fixtures.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bakeoff_datasets::{Inputs, Split, Store, Targets, Text};
use burn::tensor::{Device as BurnDevice, Tensor};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

use super::{CONFIG, Place, Pretrained, TOKENIZER, WEIGHTS};
use crate::device::Device;
use crate::encode::pieces::{PieceText, Pieces};
use crate::encoder::{Encoder, recipe};
use crate::model::{EpochReport, InputShape, ModelEntry, ModelError, Spec, TargetShape, TaskShape, Watch};
use crate::neural::Neural;
use crate::neural::batch::{self, Batch};
use crate::neural::bert::{BertNet, design};
use crate::neural::encoder::{Encoded, InputEncoder, TextReading};
use crate::neural::layers::Pass;
use crate::neural::network::Network;
use crate::neural::weights::Leaves;
use crate::parallel::Threads;
use crate::params::Resolved;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/encoder");

#[derive(Deserialize)]
struct Expected {
    max_tokens: usize,
    cases: Vec<Case>,
    training: Option<Training>,
}

#[derive(Deserialize)]
struct Case {
    first: String,
    second: Option<String>,
    ids: Vec<u32>,
    segments: Vec<usize>,
    /// The first numbers of the first piece, of the last piece, and of the mean of all pieces.
    hidden: [Vec<f32>; 3],
}

#[derive(Deserialize)]
struct Training {
    texts: Vec<String>,
    labels: Vec<u16>,
    params: toml::Table,
    fits: Vec<FixtureFit>,
}

#[derive(Deserialize)]
struct FixtureFit {
    pooling: String,
    losses: Vec<f64>,
}

fn expected(name: &str) -> Expected {
    let text = fs::read_to_string(Path::new(FIXTURE).join(name)).expect("a fixture");
    serde_json::from_str(&text).expect("a fixture")
}

fn task(pairs: bool) -> TaskShape {
    let input = InputShape::Texts { pairs };
    TaskShape { input, target: TargetShape::Classes(2), train_rows: 8, mirror_negates: false, characters: None }
}

fn params(written: &str) -> Resolved {
    Resolved::new(Encoder.params(), &task(false), &written.parse().expect("a table")).expect("its parameters")
}

/// A network with its weights, as it is read.
struct Read {
    net: BertNet,
    weights: Leaves,
    buffers: Leaves,
}

fn network(pretrained: Pretrained, pooling: &str) -> Result<Read, ModelError> {
    let net = BertNet::new(pretrained.shape, 1, &params(&format!("pooling = \"{pooling}\"")), 2);
    let device = BurnDevice::flex();
    let weights = Leaves::new(net.layout(), &pretrained.weights.gather(net.layout(), 1)?, &device);
    let buffers = Leaves::new(net.buffers(), &[], &device);
    Ok(Read { net, weights, buffers })
}

impl Read {
    /// The hidden states of one text, a row for each piece.
    fn hidden(&self, text: &PieceText) -> Vec<Vec<f32>> {
        let encoded = Encoded::Pieces(vec![text.clone()]);
        let Batch::Texts(texts) = batch::plain(&encoded, &[0], &BurnDevice::flex()) else { panic!("texts give texts") };
        let hidden: Tensor<3> = self.net.hidden(&texts, &mut Pass::new(&self.weights, &self.buffers, None));
        let width = hidden.dims()[2];
        let values = hidden.try_into_vec_as::<f32>().expect("floats");
        values.chunks_exact(width).map(<[f32]>::to_vec).collect()
    }
}

fn is_as_expected(place: &Place, expected: &Expected) {
    let pretrained = place.read().expect("an encoder");
    let pieces = Pieces::new(pretrained.vocabulary.clone(), expected.max_tokens).expect("a vocabulary");
    let network = network(pretrained, "mean").expect("weights");
    assert!(expected.cases.len() > 15, "the fixture has {} cases", expected.cases.len());
    for case in &expected.cases {
        let example = Text { first: case.first.clone(), second: case.second.clone() };
        let found = pieces.encode(&example);
        let what = case.first.chars().take(40).collect::<String>();
        assert_eq!(found.ids, case.ids, "{what}");
        assert_eq!(found.first, case.segments.iter().filter(|&&segment| segment == 0).count(), "{what}");
        let hidden = network.hidden(&found);
        let last = hidden.len() - 1;
        let mean = |at: usize| hidden.iter().map(|row| f64::from(row[at])).sum::<f64>() as f32 / hidden.len() as f32;
        let ours = |state: usize, at: usize| match state {
            0 => hidden[0][at],
            1 => hidden[last][at],
            _ => mean(at),
        };
        for (state, theirs) in case.hidden.iter().enumerate() {
            for (at, theirs) in theirs.iter().enumerate() {
                let ours = ours(state, at);
                assert!((ours - theirs).abs() < 1e-4, "{what}: state {state}, number {at}: {ours} is not {theirs}");
            }
        }
    }
}

#[test]
fn pieces_are_exactly_those_of_transformers_and_hidden_states_equal_to_four_digits() {
    is_as_expected(&Place::Folder(FIXTURE.into()), &expected("expected.json"));
}

/// Where MiniLM is on this machine: fetched, or in the folder that the variable names. On CI it must be there.
fn minilm() -> Option<Place> {
    let place = match std::env::var_os("BAKEOFF_MINILM") {
        Some(folder) => Place::Folder(folder.into()),
        None => Place::of("minilm"),
    };
    match place.read() {
        Ok(_) => Some(place),
        Err(error) => {
            let message = format!("{error}; or set BAKEOFF_MINILM to a folder with its files");
            assert!(std::env::var_os("CI").is_none(), "{message}");
            eprintln!("SKIPPED minilm: {message}");
            None
        }
    }
}

#[test]
fn minilm_has_the_pieces_and_hidden_states_of_transformers() {
    let Some(place) = minilm() else { return };
    assert_eq!(place.read_shape().ok(), Place::of("minilm").shape().ok());
    is_as_expected(&place, &expected("minilm.json"));
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

#[test]
fn fine_tuning_has_the_losses_of_pytorch_step_for_step_from_the_same_weights() {
    fine_tuning_is_pytorchs(Device::Cpu, 1e-4);
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
#[test]
fn fine_tuning_has_the_losses_of_pytorch_on_every_card_of_this_machine() {
    let (_turn, found) = crate::device::testing::cards();
    for device in found {
        // Its error function is an approximation there.
        fine_tuning_is_pytorchs(device, 1e-3_f64.max(crate::device::testing::tolerance(device)));
    }
}

/// The losses of the steps are PyTorch's, from the same weights, to this share of them.
fn fine_tuning_is_pytorchs(device: Device, tolerance: f64) {
    let Training { texts, labels, params, fits } = expected("expected.json").training.expect("fits");
    let names: Arc<[String]> = ["no", "yes"].map(str::to_owned).into();
    let inputs = Inputs::Texts(texts.into_iter().map(|first| Text { first, second: None }).collect());
    let split = Split { inputs, targets: Targets::Classes { labels, names } };
    assert_eq!(fits.len(), 2);
    for FixtureFit { pooling, losses } in fits {
        let mut written = params.clone();
        written.insert("pooling".to_owned(), pooling.clone().into());
        let params = Resolved::new(Encoder.params(), &task(false), &written).expect("its parameters");
        let pretrained = Place::Folder(FIXTURE.into()).read().expect("an encoder");
        let pieces = Pieces::new(pretrained.vocabulary, 64).expect("a vocabulary");
        let encoder = InputEncoder::pieces(pieces, pretrained.shape, 8, false).expect("they fit");
        let head = 2 * pretrained.shape.width + 2;
        let spec = Spec { shape: task(false), params, device, threads: Threads::new(2), seed: 1 };
        let mut model = Neural::new(&Encoder, &spec, design, TextReading::Joined).expect("threads");
        let mut told = Losses(Vec::new());
        let start = |layout: &_| {
            let mut values = pretrained.weights.gather(layout, 1)?;
            let place = values.len() - head;
            for (n, value) in values[place..].iter_mut().enumerate() {
                *value = (0.3 * (n as f64).sin()) as f32;
            }
            Ok(values)
        };
        let recipe = recipe(&spec.params);
        model.fit_encoded((encoder, recipe), start, (&split, &split), &mut told).expect("a fit");
        assert_eq!(told.0.len(), losses.len());
        for (step, (ours, theirs)) in told.0.iter().zip(&losses).enumerate() {
            assert!(
                (ours - theirs).abs() < tolerance * theirs,
                "{pooling} on {device:?} in step {step}: {ours} is not {theirs}"
            );
        }
    }
}

/// Names, shapes and numbers of weights.
type Stored = Vec<(String, Vec<usize>, Vec<f32>)>;

fn stored(path: &Path) -> Stored {
    let bytes = fs::read(path).expect("a file");
    let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
    let numbers = |data: &[u8]| data.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    file.iter().map(|(name, view)| (name.to_owned(), view.shape().to_vec(), numbers(view.data()))).collect()
}

fn file(weights: &Stored) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> =
        weights.iter().map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let mut views = Vec::new();
    for ((name, shape, _), bytes) in weights.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).expect("shape and bytes agree");
        views.push((name.clone(), view));
    }
    safetensors::serialize(views, None).expect("a file in memory")
}

/// A copy of the fixture.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [CONFIG, TOKENIZER, WEIGHTS] {
        fs::copy(Path::new(FIXTURE).join(name), folder.path().join(name)).expect("a copy");
    }
    folder
}

fn flat(folder: &Path, pooling: &str) -> Result<Vec<f32>, ModelError> {
    let pretrained = Place::Folder(folder.to_owned()).read()?;
    let net = BertNet::new(pretrained.shape, 1, &params(&format!("pooling = \"{pooling}\"")), 2);
    pretrained.weights.gather(net.layout(), 1)
}

#[test]
fn names_with_bert_before_them_gamma_and_beta_and_heads_of_pretraining_give_the_same_network() {
    let plain = flat(Path::new(FIXTURE), "class").expect("weights");
    let folder = copy();
    let path = folder.path().join(WEIGHTS);
    let mut weights = stored(&path);
    for (name, _, _) in &mut weights {
        let older = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
        *name = format!("bert.{older}");
    }
    weights.push(("cls.predictions.bias".to_owned(), vec![3], vec![0.0; 3]));
    weights.push(("cls.seq_relationship.weight".to_owned(), vec![1, 2], vec![0.0; 2]));
    fs::write(&path, file(&weights)).expect("a file");
    assert_eq!(flat(folder.path(), "class").expect("weights"), plain);
}

#[test]
fn weights_that_are_missing_left_over_of_another_shape_or_not_finite_are_refused_by_name() {
    let query = "encoder.layer.1.attention.self.query.weight";
    let change = |change: &dyn Fn(&mut Stored)| {
        let folder = copy();
        let path = folder.path().join(WEIGHTS);
        let mut weights = stored(&path);
        change(&mut weights);
        fs::write(&path, file(&weights)).expect("a file");
        let error = flat(folder.path(), "mean").expect_err("broken weights").to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
        error
    };
    let at = |weights: &Stored| weights.iter().position(|(name, _, _)| name == query).expect("the weight");
    type Harm<'a> = &'a dyn Fn(&mut Stored);
    let cases: [(Harm<'_>, &str); 6] = [
        (&|weights| drop(weights.remove(at(weights))), "has no weight 'encoder.layer.1.attention.self.query.weight'"),
        (
            &|weights| weights.push(("classifier.bias".to_owned(), vec![1], vec![0.0])),
            "has the weight 'classifier.bias'",
        ),
        (
            &|weights| {
                let at = at(weights);
                weights[at].1 = vec![8, 32];
            },
            "'encoder.layer.1.attention.self.query.weight' is F32 [8, 32], expected F32 [16, 16]",
        ),
        (
            &|weights| {
                let at = at(weights);
                weights[at].2[7] = f32::NAN;
            },
            "'encoder.layer.1.attention.self.query.weight' has a number that is not finite",
        ),
        (
            &|weights| {
                let again = weights[at(weights)].clone();
                weights.push((format!("bert.{query}"), again.1, again.2));
            },
            "has one weight as",
        ),
        (
            &|weights| weights.retain(|(name, _, _)| !name.starts_with("embeddings.word")),
            "has no weight 'embeddings.word_embeddings.weight'",
        ),
    ];
    for (harm, message) in cases {
        let error = change(harm);
        assert!(error.contains(message), "{message}: {error}");
    }
}

#[test]
fn weights_of_16_bits_are_refused_with_how_to_convert_them() {
    let folder = copy();
    let path = folder.path().join(WEIGHTS);
    let weights = stored(&path);
    let bytes: Vec<Vec<u8>> = weights.iter().map(|(_, _, values)| vec![0; 2 * values.len()]).collect();
    let mut views = Vec::new();
    for ((name, shape, _), bytes) in weights.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F16, shape.clone(), bytes).expect("shape and bytes agree");
        views.push((name.clone(), view));
    }
    fs::write(&path, safetensors::serialize(views, None).expect("a file in memory")).expect("a file");
    let error = flat(folder.path(), "mean").expect_err("half of the bits").to_string();
    assert!(error.contains("is F16, expected F32") && error.contains(".float()"), "{error}");
}

#[test]
fn class_pooling_without_its_layer_is_refused_with_the_pooling_that_needs_none() {
    let folder = copy();
    let path = folder.path().join(WEIGHTS);
    let mut weights = stored(&path);
    weights.retain(|(name, _, _)| !name.starts_with("pooler"));
    fs::write(&path, file(&weights)).expect("a file");
    let error = flat(folder.path(), "class").expect_err("no pooler").to_string();
    assert!(error.contains("'pooler.dense.weight'") && error.contains("pooling = \"mean\""), "{error}");
    assert!(flat(folder.path(), "mean").is_ok());
}

/// What reading this folder says after a change.
fn refusal(change: impl Fn(&Path)) -> String {
    let folder = copy();
    change(folder.path());
    match Place::Folder(folder.path().to_owned()).read() {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it was read"),
    }
}

#[test]
fn files_that_are_missing_cut_off_pickled_or_of_another_kind_are_refused_with_what_to_do() {
    let whole = fs::read(Path::new(FIXTURE).join(WEIGHTS)).expect("the fixture");
    let edited = |name: &'static str, from: &'static str, to: &'static str| {
        move |folder: &Path| {
            let text = fs::read_to_string(folder.join(name)).expect("a text");
            assert!(text.contains(from), "{from} is not in {name}");
            fs::write(folder.join(name), text.replacen(from, to, 1)).expect("a file");
        }
    };
    let missing = |name: &'static str| move |folder: &Path| fs::remove_file(folder.join(name)).expect("it is removed");
    for name in [CONFIG, TOKENIZER, WEIGHTS] {
        let error = refusal(missing(name));
        assert!(error.contains(name) && error.contains("is not there") && error.contains("minilm"), "{error}");
    }
    for length in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        let error = refusal(|folder| fs::write(folder.join(WEIGHTS), &whole[..length]).expect("a file"));
        assert!(error.contains("not a whole safetensors file") && error.contains("get it again"), "{error}");
    }
    for pickle in [&b"PK\x03\x04archive/data.pkl"[..], b"\x80\x02}q\x00."] {
        let error = refusal(|folder| fs::write(folder.join(WEIGHTS), pickle).expect("a file"));
        assert!(error.contains("is a pickle") && error.contains("safe_serialization=True"), "{error}");
    }
    let error = refusal(|folder| {
        fs::rename(folder.join(WEIGHTS), folder.join("pytorch_model.bin")).expect("it is renamed");
    });
    assert!(error.contains("pytorch_model.bin") && error.contains("safe_serialization=True"), "{error}");
    type Change = Box<dyn Fn(&Path)>;
    let changes: Vec<(Change, &str)> = vec![
        (Box::new(edited(CONFIG, "\"bert\"", "\"roberta\"")), "model_type is 'roberta', expected 'bert'"),
        (Box::new(edited(CONFIG, "\"gelu\"", "\"relu\"")), "hidden_act is 'relu', expected 'gelu'"),
        (Box::new(edited(CONFIG, "\"vocab_size\": ", "\"vocab_size\": 1")), "says vocab_size 1"),
        (Box::new(edited(CONFIG, "\"hidden_size\"", "\"n_embd\"")), "hidden_size"),
        (
            Box::new(edited(TOKENIZER, "\"BertNormalizer\"", "\"NFC\"")),
            "normalizer.type is 'NFC', expected 'BertNormalizer'",
        ),
        (
            Box::new(edited(TOKENIZER, "\"WordPiece\",\"unk", "\"Unigram\",\"unk")),
            "model.type is 'Unigram', expected 'WordPiece'",
        ),
        (Box::new(edited(TOKENIZER, "\"good\":", "\"good\":9")), "but there are"),
        (
            Box::new(|folder: &Path| fs::write(folder.join(TOKENIZER), "{}").expect("a file")),
            "is not the WordPiece tokenizer",
        ),
    ];
    for (change, message) in changes {
        let error = refusal(change);
        assert!(error.contains(message), "{message}: {error}");
    }
}

#[test]
fn numbers_of_a_config_that_make_no_network_are_named_by_the_path_and_the_keys_of_the_file() {
    for (key, whole, broken, says) in [
        ("num_attention_heads", "2", "3", "num_attention_heads is 3, which does not divide hidden_size, 16"),
        ("num_attention_heads", "2", "0", "num_attention_heads is 0, expected 1 to 1024"),
        ("num_hidden_layers", "2", "0", "num_hidden_layers is 0, expected 1 to 48"),
        ("type_vocab_size", "2", "1", "type_vocab_size is 1, expected 2 to 1024"),
        ("hidden_size", "16", "0", "hidden_size is 0, expected 1 to 65536"),
        ("intermediate_size", "24", "0", "intermediate_size is 0, expected 1 to 1000000"),
        ("max_position_embeddings", "64", "4", "max_position_embeddings is 4, expected 5 to 1000000"),
        ("vocab_size", "484", "0", "vocab_size is 0, expected 1 to 10000000"),
        ("layer_norm_eps", "1e-12", "2.0", "layer_norm_eps is 2, expected 0 to 1"),
    ] {
        let folder = copy();
        let path = folder.path().join(CONFIG);
        let text = fs::read_to_string(&path).expect("a text");
        let (from, to) = (format!("\"{key}\": {whole}"), format!("\"{key}\": {broken}"));
        assert!(text.contains(&from), "{from} is not in the fixture");
        fs::write(&path, text.replacen(&from, &to, 1)).expect("a file");
        let Err(error) = Place::Folder(folder.path().to_owned()).read().map(drop) else { panic!("{key} was read") };
        assert_eq!(error.to_string(), format!("{}: {says}", path.display()));
    }
}

#[test]
fn a_tokenizer_without_a_piece_that_every_text_has_is_named_with_its_path() {
    let folder = copy();
    let path = folder.path().join(TOKENIZER);
    let text = fs::read_to_string(&path).expect("a text");
    fs::write(&path, text.replace("\"[CLS]\"", "\"[BEGIN]\"")).expect("a file");
    let pretrained = Place::Folder(folder.path().to_owned()).read().expect("it has as many pieces");
    let error = pretrained.pieces(64).expect_err("no piece [CLS]").to_string();
    assert_eq!(error, format!("{}: it has no piece [CLS]", path.display()));
}

#[test]
fn an_encoder_that_was_not_fetched_is_named_with_the_way_to_get_it() {
    if Store::embedded().data().is_ok_and(|data| data.join("bert-base").exists()) {
        eprintln!("SKIPPED: bert-base is here");
        return;
    }
    let Err(error) = Place::of("bert-base").read().map(drop) else { panic!("it was read") };
    assert!(error.to_string().contains("get it with `bakeoff data fetch bert-base`"), "{error}");
}

#[test]
fn more_pieces_than_positions_are_refused_with_the_number_that_fits() {
    let pretrained = Place::Folder(PathBuf::from(FIXTURE)).read().expect("an encoder");
    let pieces = Pieces::new(pretrained.vocabulary, 65).expect("a vocabulary");
    let error = InputEncoder::pieces(pieces, pretrained.shape, 1, false).expect_err("too long");
    assert!(error.contains("max_tokens is 65") && error.ends_with("set max_tokens = 64"), "{error}");
}

#[test]
fn more_tokens_than_positions_and_a_broken_config_are_faults_of_the_parameters_where_the_files_are_there() {
    let check = |weights: &str, max_tokens: usize| {
        let params = params(&format!("weights = \"{weights}\"\nmax_tokens = {max_tokens}"));
        Encoder.check_files(&params).map_err(|error| error.to_string())
    };
    assert_eq!(check(FIXTURE, 64), Ok(()));
    let expected = |most: usize, of: &str| {
        Err(format!(
            "parameter 'max_tokens' is {}, expected at most {most}, the max_position_embeddings of {of}: set max_tokens = {most}",
            most + 1
        ))
    };
    assert_eq!(check(FIXTURE, 65), expected(64, &format!("{FIXTURE}/{CONFIG}")));
    assert_eq!(check("bert-base", 512), Ok(()), "the shape of a published encoder is known before it is fetched");
    assert_eq!(check("bert-base", 513), expected(512, "bert-base"));
    assert_eq!(check("no/such/folder", 4096), Ok(()), "what is missing is said with the way to get it");
    let folder = copy();
    let path = folder.path().join(CONFIG);
    fs::write(&path, "{}").expect("a file");
    let error = check(folder.path().to_str().expect("UTF-8"), 64).expect_err("no configuration");
    let says = format!("parameter 'weights': {}: is not the configuration of a BERT-shaped encoder", path.display());
    assert!(error.starts_with(&says), "{error}");
}

/// The names and shapes under which the weights of BERT-base, uncased, are published.
fn names_of_bert_base() -> Vec<(String, Vec<usize>)> {
    let (width, hidden) = (768, 3072);
    let mut names = vec![
        ("bert.embeddings.word_embeddings.weight".to_owned(), vec![30_522, width]),
        ("bert.embeddings.position_embeddings.weight".to_owned(), vec![512, width]),
        ("bert.embeddings.token_type_embeddings.weight".to_owned(), vec![2, width]),
        ("bert.pooler.dense.weight".to_owned(), vec![width, width]),
        ("bert.pooler.dense.bias".to_owned(), vec![width]),
        ("cls.predictions.bias".to_owned(), vec![30_522]),
        ("cls.predictions.transform.dense.weight".to_owned(), vec![width, width]),
        ("cls.predictions.transform.dense.bias".to_owned(), vec![width]),
        ("cls.seq_relationship.weight".to_owned(), vec![2, width]),
        ("cls.seq_relationship.bias".to_owned(), vec![2]),
    ];
    let mut norm = |name: String| {
        for part in ["gamma", "beta"] {
            names.push((format!("{name}.LayerNorm.{part}"), vec![width]));
        }
    };
    norm("bert.embeddings".to_owned());
    norm("cls.predictions.transform".to_owned());
    for layer in 0..12 {
        norm(format!("bert.encoder.layer.{layer}.attention.output"));
        norm(format!("bert.encoder.layer.{layer}.output"));
    }
    for layer in 0..12 {
        for (part, outputs, inputs) in [
            ("attention.self.query", width, width),
            ("attention.self.key", width, width),
            ("attention.self.value", width, width),
            ("attention.output.dense", width, width),
            ("intermediate.dense", hidden, width),
            ("output.dense", width, hidden),
        ] {
            names.push((format!("bert.encoder.layer.{layer}.{part}.weight"), vec![outputs, inputs]));
            names.push((format!("bert.encoder.layer.{layer}.{part}.bias"), vec![outputs]));
        }
    }
    names
}

/// 110 million random numbers: bert-base itself is too large for a test.
#[test]
fn weights_of_the_shape_and_names_of_bert_base_are_read_whole() {
    let config = r#"{"model_type": "bert", "hidden_act": "gelu", "vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12,
        "num_attention_heads": 12, "intermediate_size": 3072, "max_position_embeddings": 512, "type_vocab_size": 2,
        "layer_norm_eps": 1e-12}"#;
    let shape = super::config::parse(config.as_bytes()).expect("a shape");
    // Numbers that say where they are from: the number of the weight, and the place in it.
    let number = |weight: usize, place: usize| weight as f32 + (place % 1_000_003) as f32 / 2_000_000.0;
    let names = names_of_bert_base();
    let weights: Stored = names
        .iter()
        .enumerate()
        .map(|(weight, (name, shape))| {
            let count: usize = shape.iter().product();
            (name.clone(), shape.clone(), (0..count).map(|place| number(weight, place)).collect())
        })
        .collect();
    let read = super::PretrainedWeights::new(PathBuf::from("bert-base"), file(&weights)).expect("a file");
    drop(weights);
    let net = BertNet::new(shape, 1, &params("pooling = \"class\""), 2);
    assert_eq!(net.layout().len(), 109_482_240 + 2 * 768 + 2, "all weights of BERT-base, and a head of two classes");
    let values = read.gather(net.layout(), 1).expect("all weights");
    let weight = |name: &str| names.iter().position(|(other, _)| other == name).expect("a weight");
    let mut place = 0;
    let slots = net.layout().gather::<ModelError>(|name, shape| {
        let values = values[place..][..shape.iter().product()].to_vec();
        place += values.len();
        let published = format!("bert.{name}");
        match name {
            "embeddings.word_embeddings.weight" => {
                let at = 30_521 * 768 + 5;
                assert_eq!(values[at], number(weight(&published), at), "rows stay rows");
            }
            "encoder.layer.11.intermediate.dense.weight" => {
                assert_eq!(values[7 * 3072 + 9], number(weight(&published), 9 * 768 + 7), "matrices are turned");
            }
            "encoder.layer.3.attention.output.LayerNorm.bias" => {
                let beta = published.replace("LayerNorm.bias", "LayerNorm.beta");
                assert_eq!(values[767], number(weight(&beta), 767), "beta is the bias");
            }
            _ => {}
        }
        Ok(values)
    });
    assert_eq!(slots.expect("all slots").len(), values.len());
}
