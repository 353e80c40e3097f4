//! What an ensemble promises, against the models alone and against a model that goes wrong on purpose.

use std::collections::BTreeMap;
use std::fs;

use bakeoff_datasets::{Targets, Text};

use super::*;
use crate::model::{InputShape, TargetShape};
use crate::{
    ENTRIES, cnn, compress, decision_tree, encoder, fusion, gan, gru, lstm, mlp, random_forest, resnet, student, svm,
    transformer,
};

/// Every model of the registry without its parameter `ensemble`.
static ALONE: [&dyn ModelEntry; 14] = [
    &transformer::Transformer,
    &resnet::Resnet,
    &cnn::Cnn,
    &lstm::Lstm,
    &gru::Gru,
    &gan::Gan,
    &encoder::Encoder,
    &mlp::Mlp,
    &svm::Svm,
    &random_forest::RandomForest,
    &decision_tree::DecisionTree,
    &fusion::Fusion,
    &student::Student,
    &compress::Compress,
];

/// Each model as the registry has it, and alone.
fn pairs() -> impl Iterator<Item = (&'static dyn ModelEntry, &'static dyn ModelEntry)> {
    assert!(ENTRIES.iter().map(|entry| entry.name()).eq(ALONE.map(|entry| entry.name())), "add a new model to ALONE");
    ENTRIES.iter().copied().zip(ALONE)
}

const EPOCHS: usize = 3;
const MEMBERS: usize = 3;
const SEED: u64 = 9;

/// How good the watch finds the epochs of three members: each member has its best at another place.
const SCORES: [f64; MEMBERS * EPOCHS] = [1.0, 3.0, 2.0, 5.0, 1.0, 0.0, 0.0, 1.0, 2.0];

/// Scores epochs by their number, and remembers all reports.
#[derive(Default)]
struct RecordingWatch {
    /// Epochs of the members before.
    before: usize,
    epochs: Vec<(usize, usize)>,
    steps: Vec<(usize, usize)>,
    /// The epoch that this watch finds no number in.
    diverges_in: Option<usize>,
}

impl Watch for RecordingWatch {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.epochs.push((report.epoch, report.epochs));
        if self.diverges_in == Some(report.epoch) {
            return Err(ModelError::Diverged { epoch: report.epoch, what: "a validation prediction".to_owned() });
        }
        Ok(SCORES[self.before + report.epoch - 1])
    }

    fn part_epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        Ok(report.epoch as f64)
    }

    fn progress(&mut self, done: usize, total: usize) {
        self.steps.push((done, total));
    }
}

/// Rows that a model can read.
fn rows_of(entry: &dyn ModelEntry, classes: bool, count: usize) -> Split {
    let rows = rows(classes, count);
    if reads_texts(entry) {
        return rows;
    }
    let pixels = (0..count).flat_map(|row| (0..64).map(move |place| (row * 7 % 10 * 20 + place) as u8)).collect();
    Split { inputs: Inputs::Images(Images { channels: 1, height: 8, width: 8, pixels }), ..rows }
}

fn reads_texts(entry: &dyn ModelEntry) -> bool {
    entry.name() != "gan"
}

/// The kinds of targets that a model can have: classes, and numbers.
fn targets_of(entry: &dyn ModelEntry) -> &'static [bool] {
    if entry.name() == "gan" { &[true] } else { &[true, false] }
}

fn rows(classes: bool, count: usize) -> Split {
    let words = ["good", "bad", "film", "plot", "dull", "fun", "so", "much", "again", "never"];
    let text = |row: usize| format!("{} {} {}", words[row * 7 % 10], words[row % 3], words[row * row % 10]);
    let inputs = Inputs::Texts((0..count).map(|row| Text { first: text(row), second: None }).collect());
    let targets = if classes {
        let names = ["low", "middle", "high"].map(str::to_owned).to_vec().into();
        Targets::Classes { labels: (0..count).map(|row| (row * 7 % 10 / 4) as u16).collect(), names }
    } else {
        Targets::Values((0..count).map(|row| (row * 7 % 10) as f32 * 1.7 - 3.0).collect())
    };
    Split { inputs, targets }
}

fn shape(classes: bool) -> TaskShape {
    let target = if classes { TargetShape::Classes(3) } else { TargetShape::Value };
    TaskShape {
        input: InputShape::Texts { pairs: false },
        target,
        train_rows: 36,
        mirror_negates: false,
        characters: None,
    }
}

/// A small form of a model, on texts.
fn spec(entry: &dyn ModelEntry, classes: bool, more: &str) -> Spec {
    let small = "epochs = 3\nlearning_rate = 0.01\nbatch = 8\nwidth = 8\nheads = 2\nlayers = 1\nfeed_forward = 8\n\
                 depth = 8\nhidden = 4\nembedding = 4\ntrees = 3\nmax_tokens = 64\nfine_tune = 3";
    let mut table: toml::Table = small.parse().unwrap();
    let tiny = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/encoder");
    table.insert("weights".to_owned(), tiny.into());
    let teacher = "model = \"mlp\"\nepochs = 3\nbatch = 8\nhidden = 4";
    let network = "model = \"lstm\"\nepochs = 3\nbatch = 8\nhidden = 4\nembedding = 4\nlearning_rate = 0.01";
    table.insert("network".to_owned(), network.parse::<toml::Table>().unwrap().into());
    table.insert("teacher".to_owned(), teacher.parse::<toml::Table>().unwrap().into());
    table.insert("of".to_owned(), teacher.parse::<toml::Table>().unwrap().into());
    table.retain(|name, _| entry.params().iter().any(|param| param.name == name));
    table.extend(more.parse::<toml::Table>().unwrap());
    let mut shape = shape(classes);
    if !reads_texts(entry) {
        shape.input = InputShape::Images { channels: 1, height: 8, width: 8 };
    }
    let params = Resolved::new(entry.params(), &shape, &table).unwrap();
    Spec { shape, params, device: Device::Cpu, threads: Threads::new(2), seed: SEED }
}

fn fitted(entry: &dyn ModelEntry, spec: &Spec, watch: &mut RecordingWatch) -> Box<dyn Model> {
    let mut model = entry.build(spec).unwrap();
    let classes = spec.shape.target != TargetShape::Value;
    model.fit(&rows_of(entry, classes, 30), &rows_of(entry, classes, 6), watch).unwrap();
    model
}

fn predict(entry: &dyn ModelEntry, model: &mut dyn Model) -> Predictions {
    model.predict(&rows_of(entry, true, 40).inputs).unwrap()
}

/// The files below a folder, by their names.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| -> Vec<(String, Vec<u8>)> {
        let name = path.file_name().unwrap().display().to_string();
        match path.is_dir() {
            true => files(&path).into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)).collect(),
            false => vec![(name, fs::read(&path).unwrap())],
        }
    };
    entries.flat_map(below).collect()
}

#[test]
fn an_ensemble_of_one_is_the_model_alone_to_the_last_bit_and_byte() {
    let folder = tempfile::tempdir().unwrap();
    for (entry, alone) in pairs() {
        let [one, other] = [entry, alone].map(|entry| {
            let more = if entry.params().len() > alone.params().len() { "ensemble = 1" } else { "" };
            let mut watch = RecordingWatch::default();
            let mut model = fitted(entry, &spec(entry, true, more), &mut watch);
            let path = folder.path().join(format!("{} {more}", entry.name()));
            model.save(&path).unwrap();
            let predictions = predict(entry, model.as_mut());
            (predictions, model.footprint(), files(&path), (watch.epochs, watch.steps), entry.version(Device::Cpu))
        });
        assert!(one == other, "{}", entry.name());
    }
}

#[test]
fn members_are_the_models_of_their_seeds_and_their_answers_are_averaged_to_the_bit_in_any_order() {
    for (entry, alone) in pairs() {
        for &classes in targets_of(entry) {
            let what = format!("{} {classes}", entry.name());
            let mut watch = RecordingWatch::default();
            let ensemble = spec(entry, classes, "ensemble = 3");
            let found = predict(entry, fitted(entry, &ensemble, &mut watch).as_mut());
            let member = |number: usize| {
                let seed = if number == 1 { SEED } else { ensemble.seed_for(&format!("member-{number}")) };
                let mut watch = RecordingWatch { before: (number - 1) * EPOCHS, ..RecordingWatch::default() };
                predict(alone, fitted(alone, &Spec { seed, ..spec(alone, classes, "") }, &mut watch).as_mut())
            };
            let members = [member(1), member(2), member(3)];
            // A tree draws nothing but its folds and the order of features that split equally well.
            if !["svm", "decision-tree"].contains(&entry.name()) {
                assert!(members[0] != members[1] && members[1] != members[2], "{what}: the seeds change nothing");
            }
            for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
                let mean = |values: [&[f32]; MEMBERS]| -> Vec<f32> {
                    let sum = |at: usize| -> f64 { order.iter().map(|&member| f64::from(values[member][at])).sum() };
                    (0..values[0].len()).map(|at| (sum(at) / MEMBERS as f64) as f32).collect()
                };
                match (&found, &members) {
                    (
                        Predictions::Classes { probabilities: Some(found), labels },
                        [
                            Predictions::Classes { probabilities: Some(a), .. },
                            Predictions::Classes { probabilities: Some(b), .. },
                            Predictions::Classes { probabilities: Some(c), .. },
                        ],
                    ) => {
                        assert_eq!(found.data, mean([&a.data, &b.data, &c.data]), "{what}");
                        for (row, &label) in labels.iter().enumerate() {
                            let highest = found.row(row).iter().copied().fold(0.0, f32::max);
                            assert_eq!(found.row(row)[usize::from(label)], highest, "{what}");
                        }
                    }
                    (
                        Predictions::Values(found),
                        [Predictions::Values(a), Predictions::Values(b), Predictions::Values(c)],
                    ) => assert_eq!(*found, mean([a, b, c]), "{what}"),
                    // An SVM draws nothing at random.
                    (found, members) => assert!(entry.name() == "svm" && members.iter().all(|m| m == found), "{what}"),
                }
            }
        }
    }
}

#[test]
fn epochs_and_steps_are_counted_on_through_the_members() {
    for entry in ENTRIES {
        let mut watch = RecordingWatch::default();
        fitted(*entry, &spec(*entry, true, "ensemble = 3"), &mut watch);
        let all = MEMBERS * EPOCHS;
        if watch.steps.is_empty() {
            assert_eq!(watch.epochs, (1..=all).map(|epoch| (epoch, all)).collect::<Vec<_>>(), "{}", entry.name());
        } else {
            assert!(watch.epochs.is_empty(), "{}", entry.name());
            let total = watch.steps[0].1;
            assert_eq!(watch.steps.last(), Some(&(total, total)), "{}", entry.name());
            assert!(watch.steps.is_sorted() && watch.steps.iter().all(|step| step.1 == total), "{}", entry.name());
        }
    }
}

#[test]
fn what_an_ensemble_is_and_costs_is_the_sum_of_its_members() {
    for entry in ENTRIES {
        let classes = targets_of(*entry) == [true];
        let [one, three] = ["ensemble = 1", "ensemble = 3"].map(|more| spec(*entry, classes, more));
        let [alone, ensemble] = [&one, &three].map(|spec| fitted(*entry, spec, &mut RecordingWatch::default()));
        let (alone, ensemble) = (alone.footprint(), ensemble.footprint());
        if ["random-forest", "decision-tree"].contains(&entry.name()) {
            // Trees of other seeds have other nodes.
            assert!(ensemble.parameters > 2 * alone.parameters);
        } else {
            assert_eq!(ensemble.parameters, 3 * alone.parameters, "{}", entry.name());
        }
        assert_eq!(ensemble.flops_per_example, alone.flops_per_example.map(|flops| 3 * flops), "{}", entry.name());
        assert_eq!(ensemble.weight_bytes, alone.weight_bytes.map(|bytes| 3 * bytes), "{}", entry.name());
        let fit_s = |spec: &Spec| entry.fit_s(&spec.shape, &spec.params, 2, Device::Cpu).unwrap();
        assert!((fit_s(&three) / fit_s(&one) - 3.0).abs() < 1e-12, "{}", entry.name());
    }
}

#[test]
fn a_number_of_members_that_cannot_be_is_refused_as_any_parameter_is() {
    for entry in ENTRIES {
        for (written, found) in [("0", "0"), ("101", "101"), ("2.5", "2.5"), ("-1", "-1"), ("\"two\"", "\"two\"")] {
            let table = format!("ensemble = {written}").parse().unwrap();
            let error = Resolved::new(entry.params(), &shape(true), &table).unwrap_err().to_string();
            assert_eq!(error, format!("parameter 'ensemble' is {found}, expected a whole number in 1..=100"));
        }
        let most = "ensemble = 100".parse().unwrap();
        assert!(Resolved::new(entry.params(), &shape(true), &most).is_ok());
    }
}

/// A model without memory that goes wrong in the fit or the prediction of a seed.
struct Fragile {
    fault: fn(u64) -> Option<ModelError>,
    /// Predictions that it does not give.
    forgets: fn(u64) -> usize,
}

struct FragileModel {
    spec: Spec,
    fault: fn(u64) -> Option<ModelError>,
    forgets: fn(u64) -> usize,
}

impl ModelEntry for Fragile {
    fn name(&self) -> &'static str {
        "fragile"
    }

    fn about(&self) -> &'static str {
        "goes wrong"
    }

    fn version(&self, _: Device) -> String {
        "1".to_owned()
    }

    fn params(&self) -> &[Param] {
        &[]
    }

    fn learns_from_validation(&self) -> bool {
        false
    }

    fn supports(&self, _: &TaskShape, _: &Resolved, _: Device) -> Support {
        Support::Yes
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(FragileModel { spec: spec.clone(), fault: self.fault, forgets: self.forgets }))
    }

    fn load(&self, _: &Path, _: Threads, _: Device) -> Result<Box<dyn Model>, ModelError> {
        Err(ModelError::Failed("is not saved".to_owned()))
    }
}

impl Model for FragileModel {
    fn fit(&mut self, _: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        for epoch in 1..=EPOCHS {
            let validation = &self.predict(&validation.inputs)?;
            watch.epoch(&EpochReport { epoch, epochs: EPOCHS, train_loss: 1.0, validation })?;
        }
        (self.fault)(self.spec.seed).map_or(Ok(()), Err)
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        Ok(Predictions::Values(vec![1.0; inputs.len() - (self.forgets)(self.spec.seed)]))
    }

    fn save(&self, _: &Path) -> Result<(), ModelError> {
        Ok(())
    }

    fn footprint(&self) -> Footprint {
        Footprint::default()
    }
}

/// The number of a member by its seed.
fn member_of(seed: u64) -> usize {
    let params = Resolved::new(&[], &shape(false), &toml::Table::new()).unwrap();
    let root = Spec { shape: shape(false), params, device: Device::Cpu, threads: Threads::new(1), seed: SEED };
    (1..=MEMBERS).find(|&member| seed_of(&root, member) == seed).unwrap()
}

#[track_caller]
fn fails(entry: &'static Ensembled, watch: &mut RecordingWatch, message: &str) {
    let spec = spec(entry, false, "ensemble = 3");
    let mut model = entry.build(&spec).unwrap();
    let error = model.fit(&rows(false, 12), &rows(false, 6), watch).unwrap_err();
    assert_eq!(error.to_string(), message);
    // It must not answer with the members that were fitted.
    let error = model.predict(&rows(false, 6).inputs).unwrap_err().to_string();
    assert_eq!(error, "predict before fit");
    assert_eq!(model.save(Path::new("nowhere")).unwrap_err().to_string(), "save before fit");
}

#[test]
fn a_member_that_fails_or_diverges_fails_the_ensemble_with_its_number() {
    static FAILS: Ensembled = Ensembled::of(&Fragile {
        fault: |seed| (member_of(seed) == 2).then(|| ModelError::Failed("the solver is stuck".to_owned())),
        forgets: |_| 0,
    });
    fails(&FAILS, &mut RecordingWatch::default(), "member 2 of 3: the solver is stuck");

    static DIVERGES: Ensembled = Ensembled::of(&Fragile {
        fault: |seed| {
            (member_of(seed) == 3).then(|| ModelError::Diverged { epoch: 3, what: "the gradient".to_owned() })
        },
        forgets: |_| 0,
    });
    let text = "is not a finite number; try a smaller learning rate";
    fails(&DIVERGES, &mut RecordingWatch::default(), &format!("in epoch 9: the gradient of member 3 of 3 {text}"));

    // What the watch finds is in the epoch that it was given.
    static SOUND: Ensembled = Ensembled::of(&Fragile { fault: |_| None, forgets: |_| 0 });
    let mut watch = RecordingWatch { diverges_in: Some(5), ..RecordingWatch::default() };
    fails(&SOUND, &mut watch, &format!("in epoch 5: a validation prediction of member 2 of 3 {text}"));
    assert_eq!(watch.epochs.last(), Some(&(5, 9)));
}

#[test]
fn a_member_that_answers_too_little_is_named() {
    static FORGETS: Ensembled =
        Ensembled::of(&Fragile { fault: |_| None, forgets: |seed| usize::from(member_of(seed) == 2) });
    let mut model = FORGETS.build(&spec(&FORGETS, false, "ensemble = 3")).unwrap();
    model.fit(&rows(false, 12), &rows(false, 6), &mut RecordingWatch::default()).unwrap();
    let error = model.predict(&rows(false, 6).inputs).unwrap_err().to_string();
    assert_eq!(error, "member 2 of 3 gave 5 predictions, expected 6");
}
