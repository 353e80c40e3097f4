//! What every registered model promises, on every task that it supports. A new model is tested here by its name alone.
#![expect(clippy::unwrap_used, reason = "tests")]

mod synthetic;

use std::collections::BTreeSet;

use bakeoff::conformance::{self, Checked, Subject};
use bakeoff::scoring;
use bakeoff::tasks::{self, TASKS, Task};
use bakeoff_datasets::{Inputs, Split, Store, carve_validation, other_rows, train_rows};
use bakeoff_models::{
    Device, ENTRIES, InputShape, ModelEntry, Predictions, Resolved, Spec, Support, TaskShape, Threads,
};
use bakeoff_reports::{Better, metric};
use synthetic::{SYNTHETIC, TABLES};

/// Rows to learn from and to be scored on: enough to beat a constant answer, few enough for a test.
const IMAGE_ROWS: usize = 600;
const TEXT_ROWS: usize = 3000;
const TEST_ROWS: usize = 200;

/// A pretrained encoder of random weights.
const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/fixtures/encoder");

/// The folder of MiniLM that the variable names. On CI it must be set.
fn minilm() -> Option<String> {
    let folder = std::env::var("BAKEOFF_MINILM").ok();
    assert!(folder.is_some() || std::env::var_os("CI").is_none(), "CI must set BAKEOFF_MINILM to MiniLM's files");
    folder
}

fn rows(task: &dyn Task) -> usize {
    match task.input() {
        InputShape::Images { .. } => IMAGE_ROWS,
        InputShape::Texts { pairs: true } | InputShape::Table { .. } => synthetic::ROWS,
        InputShape::Texts { pairs: false } => TEXT_ROWS,
    }
}

/// What makes a model small enough for a test; a parameter that a model does not have is left out.
fn small(entry: &dyn ModelEntry, task: &dyn Task) -> toml::Table {
    let epochs = match task.input() {
        InputShape::Images { .. } | InputShape::Table { .. } => 8,
        InputShape::Texts { pairs: true } => 12,
        // Without shortcuts, a network learns nothing in four.
        InputShape::Texts { pairs: false } if entry.name() == "cnn" => 8,
        // Nor does it learn more than the most frequent character.
        InputShape::Texts { pairs: false } if ["mlp", "student"].contains(&entry.name()) => 12,
        InputShape::Texts { pairs: false } => 4,
    };
    let learning = "optimizer = \"adamw\"\nlearning_rate = 0.003\nbatch = 32\nshard = 16\nclip = 5.0\ncrop = 0";
    let size = "depth = 8\nlayers = 1\nfeed_forward = 64\nhidden = 32\nembedding = 32\ntrees = 20\nmax_tokens = 64";
    let mut table: toml::Table = toml::from_str(&format!("epochs = {epochs}\n{learning}\n{size}")).unwrap();
    if task.input().is_pairs() {
        // Every word is needed: none may be dropped or unknown.
        table.extend("word_dropout = 0.0\ndropout = 0.0".parse::<toml::Table>().unwrap());
    }
    match task.input() {
        // Random weights learn the rule of the synthetic pairs, but nothing of real sentences in so short a time.
        InputShape::Texts { pairs: false } if entry.name() == "encoder" => {
            table.insert("weights".to_owned(), minilm().unwrap().into());
            table.insert("mode".to_owned(), "frozen".into());
        }
        _ => drop(table.insert("weights".to_owned(), TINY.into())),
    }
    // Twice as many epochs, for the learner sees the task through the teacher only.
    let teacher = format!("model = \"mlp\"\nepochs = {}\n{learning}\nhidden = 32\ndropout = 0.0", 2 * epochs);
    let network = match task.input() {
        InputShape::Images { .. } => format!("model = \"resnet\"\ndepth = 8\nepochs = 8\n{learning}"),
        InputShape::Texts { .. } | InputShape::Table { .. } => format!(
            "model = \"lstm\"\nhidden = 32\nembedding = 32\nepochs = {}\n{learning}\nword_dropout = 0.0\ndropout = 0.0",
            2 * epochs
        ),
    };
    table.insert("network".to_owned(), network.parse::<toml::Table>().unwrap().into());
    table.insert("teacher".to_owned(), teacher.parse::<toml::Table>().unwrap().into());
    if entry.name() == "gan" {
        // Two networks learn, one of them from twice the rows.
        table.insert("width".to_owned(), 8.into());
    }
    table.insert("of".to_owned(), network.parse::<toml::Table>().unwrap().into());
    table.insert("share".to_owned(), 0.25.into());
    table.retain(|name, _| entry.params().iter().any(|param| param.name == name));
    table
}

fn primary_score(primary: &str, split: &Split, predictions: &Predictions) -> Option<f64> {
    let scores = scoring::score(&split.targets, predictions).unwrap();
    scores.iter().find(|(name, _)| *name == primary).map(|(_, score)| *score)
}

fn oriented(name: &str, value: f64) -> f64 {
    if metric(name).unwrap().better == Better::Higher { value } else { -value }
}

struct Trial {
    train: Split,
    validation: Split,
    unlabelled: Inputs,
    test: Split,
    spec: Spec,
}

impl Trial {
    /// `more` are parameters beside those that make the model small.
    fn new(entry: &dyn ModelEntry, task: &'static dyn Task, more: &str) -> Trial {
        let splits = task.load(&Store::embedded()).unwrap();
        let drawn = train_rows(&splits.train.targets, rows(task), 7);
        let given = splits.train.select(&drawn);
        let (train, validation) = carve_validation(&given, rows(task) / 10, 7);
        let test = splits.test.select(&(0..TEST_ROWS).collect::<Vec<_>>());
        let shape = tasks::shape(task, rows(task));
        let mut written = small(entry, task);
        written.extend(more.parse::<toml::Table>().unwrap());
        let params = Resolved::new(entry.params(), &shape, &written).unwrap();
        assert_eq!(entry.supports(&shape, &params, Device::Cpu), Support::Yes, "{} on {}", entry.name(), task.name());
        entry.check(&params).unwrap();
        let unlabelled = other_rows(splits.train.len(), &drawn, entry.unlabelled(&params), 7);
        Trial {
            train,
            validation,
            unlabelled: splits.train.inputs.select(&unlabelled),
            test,
            spec: Spec { shape, params, device: Device::Cpu, threads: Threads::new(2), seed: 11 },
        }
    }
}

/// The tasks whose data are in the program; those on full datasets differ from them in their rows alone. Generated tasks, which
/// have no files, are left out: they are made so that some models do not beat the floor.
fn samples() -> Vec<&'static dyn Task> {
    let is_sample =
        |task: &&dyn Task| !task.files().is_empty() && task.files().iter().all(|file| file.embedded.is_some());
    TASKS.iter().copied().filter(is_sample).collect()
}

fn conforms(name: &str, tasks: &[&'static dyn Task]) {
    let entry = *ENTRIES.iter().find(|entry| entry.name() == name).unwrap();
    conforms_as(entry, tasks, "");
}

fn conforms_as(entry: &dyn ModelEntry, tasks: &[&'static dyn Task], more: &str) {
    for task in tasks {
        let case = format!("{} {more} on {}", entry.name(), task.name());
        let trial = Trial::new(entry, *task, more);
        // Another number of threads may not show.
        let again = Spec { threads: Threads::new(1), ..trial.spec.clone() };
        let subject = Subject {
            primary: task.primary(),
            entry,
            spec: &trial.spec,
            again: &again,
            train: &trial.train,
            validation: &trial.validation,
            unlabelled: (!trial.unlabelled.is_empty()).then_some(&trial.unlabelled),
            test: &trial.test,
        };
        let Checked { broken, predictions } = conformance::check(&subject);
        assert!(broken.is_empty(), "{case}:\n{}", broken.join("\n"));

        let primary = task.primary();
        let score = primary_score(primary, &trial.test, &predictions.unwrap()).unwrap();
        let floor = scoring::floor(&trial.train.targets, &trial.test.targets, primary);
        assert!(oriented(primary, score) > oriented(primary, floor), "{case}: {primary} {score} against {floor}");
    }
}

#[test]
fn transformer_conforms() {
    conforms("transformer", &samples());
}

#[test]
fn transformer_conforms_on_pairs() {
    conforms("transformer", SYNTHETIC);
}

#[test]
fn resnet_conforms() {
    conforms("resnet", &samples());
}

#[test]
fn resnet_conforms_on_pairs() {
    conforms("resnet", SYNTHETIC);
}

#[test]
fn cnn_conforms() {
    conforms("cnn", &samples());
}

#[test]
fn cnn_conforms_on_pairs() {
    conforms("cnn", SYNTHETIC);
}

#[test]
fn lstm_conforms() {
    conforms("lstm", &samples());
}

#[test]
fn lstm_conforms_on_pairs() {
    conforms("lstm", SYNTHETIC);
}

/// The tasks on texts, which are all that a text encoder does. Its pieces are parts of words, so that it cannot tell every character
/// from another, and texts of characters are left out.
fn texts() -> Vec<&'static dyn Task> {
    let is_read = |task: &&dyn Task| matches!(task.input(), InputShape::Texts { .. }) && task.characters().is_none();
    samples().into_iter().filter(is_read).collect()
}

/// The tasks on classes of images, which are all that a generator's classifier does.
fn classes_of_images() -> Vec<&'static dyn Task> {
    let is_done = |task: &&dyn Task| matches!(task.input(), InputShape::Images { .. }) && !task.classes().is_empty();
    samples().into_iter().filter(is_done).collect()
}

#[test]
fn gan_conforms() {
    conforms("gan", &classes_of_images());
}

#[test]
fn gan_refuses_every_other_task_with_the_reason() {
    let gan = *ENTRIES.iter().find(|entry| entry.name() == "gan").unwrap();
    let done: Vec<&str> = classes_of_images().iter().map(|task| task.name()).collect();
    for task in samples().into_iter().chain(SYNTHETIC.iter().copied()).filter(|task| !done.contains(&task.name())) {
        let Support::No { reason } = supports(gan, &tasks::shape(task, 1000)) else {
            panic!("gan is said to do {}", task.name());
        };
        assert!(reason.contains("texts") || reason.contains("number"), "{}: {reason}", task.name());
    }
}

#[test]
fn encoder_conforms() {
    if minilm().is_none() {
        eprintln!("SKIPPED encoder on single texts: set BAKEOFF_MINILM to a folder with MiniLM's files");
        return;
    }
    conforms("encoder", &texts());
}

#[test]
fn encoder_conforms_on_pairs() {
    conforms("encoder", SYNTHETIC);
}

#[test]
fn gru_conforms() {
    conforms("gru", &samples());
}

#[test]
fn gru_conforms_on_pairs() {
    conforms("gru", SYNTHETIC);
}

#[test]
fn mlp_conforms() {
    conforms("mlp", &samples());
}

#[test]
fn mlp_conforms_on_pairs() {
    conforms("mlp", SYNTHETIC);
}

#[test]
fn svm_conforms() {
    conforms("svm", &samples());
}

#[test]
fn svm_conforms_on_pairs() {
    conforms("svm", SYNTHETIC);
}

#[test]
fn random_forest_conforms() {
    conforms("random-forest", &samples());
}

#[test]
fn random_forest_conforms_on_pairs() {
    conforms("random-forest", SYNTHETIC);
}

#[test]
fn decision_tree_conforms() {
    conforms("decision-tree", &samples());
}

#[test]
fn decision_tree_conforms_on_pairs() {
    conforms("decision-tree", SYNTHETIC);
}

#[test]
fn fusion_conforms() {
    conforms("fusion", &samples());
}

#[test]
fn fusion_conforms_on_pairs() {
    conforms("fusion", SYNTHETIC);
}

/// A pretrained network beside TF-IDF.
#[test]
fn fusion_of_an_encoder_conforms() {
    let entry = *ENTRIES.iter().find(|entry| entry.name() == "fusion").unwrap();
    let network = format!(
        "network = {{ model = \"encoder\", weights = \"{TINY}\", epochs = 12, learning_rate = 0.003, batch = 32, dropout = 0.0, clip = 5.0, max_tokens = 64 }}"
    );
    conforms_as(entry, &SYNTHETIC[..1], &network);
}

#[test]
fn student_conforms() {
    conforms("student", &samples());
}

#[test]
fn student_conforms_on_pairs() {
    conforms("student", SYNTHETIC);
}

#[test]
fn a_student_with_unlabelled_rows_conforms() {
    let student = *ENTRIES.iter().find(|entry| entry.name() == "student").unwrap();
    let tasks: Vec<_> = samples().into_iter().filter(|task| ["cifar10", "sst2"].contains(&task.name())).collect();
    conforms_as(student, &tasks, "unlabelled = 400");
}

#[test]
fn compress_conforms() {
    conforms("compress", &samples());
}

#[test]
fn compress_conforms_on_pairs() {
    conforms("compress", SYNTHETIC);
}

/// The other methods, and units that are chosen by their gradients.
#[test]
fn every_method_of_compression_conforms() {
    let entry = *ENTRIES.iter().find(|entry| entry.name() == "compress").unwrap();
    let mlp = "of = { model = \"mlp\", hidden = 32, epochs = 16, learning_rate = 0.003, batch = 32, shard = 16 }";
    for method in ["method = \"prune\"\nby = \"gradient\"", "method = \"int8\"", "method = \"low-rank\""] {
        conforms_as(entry, &SYNTHETIC[..1], &format!("{method}\n{mlp}"));
    }
}

/// A network, an SVM and a forest on one task: models/src/ensemble/tests.rs holds the members of every model to that model
/// alone.
#[test]
fn ensembles_conform() {
    for name in ["lstm", "svm", "random-forest"] {
        let entry = *ENTRIES.iter().find(|entry| entry.name() == name).unwrap();
        conforms_as(entry, &SYNTHETIC[..1], "ensemble = 2");
    }
}

/// A classic model on the features of a network, alone and beside plain ones: models/src/encode/classic/tests.rs has every network.
#[test]
fn classic_models_on_the_features_of_networks_conform() {
    let network = "epochs = 8, learning_rate = 0.003, batch = 32, shard = 16, hidden = 32";
    for (name, more) in [
        ("svm", format!("features = {{ model = \"mlp\", {network} }}")),
        ("random-forest", format!("features = {{ model = \"mlp\", {network} }}\nconcatenate = true")),
    ] {
        let entry = *ENTRIES.iter().find(|entry| entry.name() == name).unwrap();
        conforms_as(entry, &[samples()[0], SYNTHETIC[0]], &more);
    }
}

#[test]
fn every_model_that_reads_tables_conforms() {
    for name in ["transformer", "resnet", "mlp", "svm", "random-forest", "decision-tree"] {
        conforms(name, TABLES);
    }
}

#[test]
fn every_registered_model_has_a_conformance_test() {
    let names: Vec<_> = ENTRIES.iter().map(|entry| entry.name()).collect();
    let tested = [
        "transformer",
        "resnet",
        "cnn",
        "lstm",
        "gru",
        "gan",
        "encoder",
        "mlp",
        "svm",
        "random-forest",
        "decision-tree",
        "fusion",
        "student",
        "compress",
    ];
    assert_eq!(names, tested, "add two tests above for a new model");
}

#[test]
fn every_model_declares_parameters_with_a_source_and_defaults_inside_their_domain() {
    for entry in ENTRIES {
        assert!(Device::BUILT.iter().all(|&device| !entry.version(device).is_empty()) && !entry.about().is_empty());
        let names: BTreeSet<_> = entry.params().iter().map(|param| param.name).collect();
        assert_eq!(names.len(), entry.params().len(), "{}: two parameters have one name", entry.name());
        assert!(names.contains("ensemble"), "{}: wrap it in Ensembled", entry.name());
        for param in entry.params() {
            let what = format!("{} {}", entry.name(), param.name);
            assert!(!param.about.is_empty() && !param.source.is_empty(), "{what}");
            for (default, task) in [(param.images, TASKS[0]), (param.texts, TASKS[2]), (param.tables, TABLES[0])] {
                let value = match bakeoff_models::ParamValue::from(default) {
                    bakeoff_models::ParamValue::Bool(v) => toml::Value::Boolean(v),
                    bakeoff_models::ParamValue::Int(v) => toml::Value::Integer(v),
                    bakeoff_models::ParamValue::Float(v) => toml::Value::Float(v),
                    bakeoff_models::ParamValue::Text(v) => toml::Value::String(v),
                    bakeoff_models::ParamValue::Model(v) => panic!("{what}: {v} is no default"),
                };
                let table = toml::Table::from_iter([(param.name.to_owned(), value)]);
                let shape = tasks::shape(task, rows(task));
                let resolved = Resolved::new(entry.params(), &shape, &table);
                assert!(resolved.is_ok(), "{what}: its default is outside its domain: {resolved:?}");
            }
        }
    }
}

/// With the model's own defaults.
fn supports(entry: &dyn ModelEntry, shape: &TaskShape) -> Support {
    entry.supports(shape, &Resolved::new(entry.params(), shape, &toml::Table::new()).unwrap(), Device::Cpu)
}

#[test]
fn a_training_size_that_a_model_cannot_hold_is_refused_with_the_bytes() {
    let svm = ENTRIES.iter().find(|entry| entry.name() == "svm").unwrap();
    for task in TASKS {
        let shape = tasks::shape(*task, 10_000_000);
        match supports(*svm, &shape) {
            Support::No { reason } => assert!(reason.contains("GiB") || reason.contains("bytes"), "{reason}"),
            Support::Yes => panic!("an SVM with ten million rows is said to fit on {}", task.name()),
        }
    }
}

#[test]
fn what_a_model_cannot_hold_is_said_in_bytes_with_the_size_that_fits() {
    for (name, rows, most, bytes) in
        [("svm", 67_349, "16384", "18143551204 bytes"), ("random-forest", 1_000_000, "857706", "10015000000 bytes")]
    {
        let entry = ENTRIES.iter().find(|entry| entry.name() == name).unwrap();
        let Support::No { reason } = supports(*entry, &tasks::shape(SYNTHETIC[0], rows)) else {
            panic!("{name} is said to hold {rows} rows");
        };
        assert!(reason.contains(bytes), "{reason}");
        assert!(reason.ends_with(&format!("set train_size = {most} or less for the task")), "{reason}");
        let fits = tasks::shape(SYNTHETIC[0], most.parse().unwrap());
        assert_eq!(supports(*entry, &fits), Support::Yes, "{name} refuses the size that it names");
    }
    let forest = ENTRIES.iter().find(|entry| entry.name() == "random-forest").unwrap();
    // QQP, the second largest task of GLUE, and MNLI, the largest.
    for rows in [363_846, 392_702] {
        assert_eq!(supports(*forest, &tasks::shape(SYNTHETIC[0], rows)), Support::Yes);
    }
}
