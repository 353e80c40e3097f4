//! Small saved models of every family, for the tests and the fuzz target `artefact`.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use bakeoff_datasets::{Images, Inputs, Split, Targets, Text};
use bakeoff_models::{
    Device, ENTRIES, EpochReport, InputShape, Model, ModelEntry, ModelError, Resolved, Spec, TargetShape, TaskShape,
    Threads, Watch,
};
use sha2::{Digest, Sha256};

pub(crate) const MANIFEST: &str = "artefact.json";
pub(crate) const MODEL: &str = "model.json";
pub(crate) const ARRAYS: &str = "arrays.safetensors";
struct Unwatched;

impl Watch for Unwatched {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        Ok(report.epoch as f64)
    }

    fn progress(&mut self, _: usize, _: usize) {}
}

pub(crate) fn entry(name: &str) -> &'static dyn ModelEntry {
    *ENTRIES.iter().find(|entry| entry.name() == name).unwrap()
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Images,
    Texts,
    Pairs,
}

/// Rows of every kind; the target has something to do with the input.
pub(crate) fn rows(kind: Kind, classes: bool, count: usize, seed: usize) -> Split {
    let number = |row: usize| (row * 7 + seed * 13) % 10;
    let inputs = match kind {
        Kind::Images => {
            let pixel = |row: usize, place: usize| (number(row) * 20 + place * (row + seed) % 50) as u8;
            let pixels = (0..count).flat_map(|row| (0..16 * 16).map(move |place| pixel(row, place))).collect();
            Inputs::Images(Images { channels: 1, height: 16, width: 16, pixels })
        }
        _ => {
            let words = ["good", "bad", "film", "👍", "plot", "电", "!", "dull", "fun", "it's"];
            let text = |row: usize, side: usize| {
                let word = |place: usize| words[(number(row) + place * (side + 1)) % 10];
                format!("{} {} {} number{row}", word(0), word(1), word(row % 3))
            };
            let second = |row: usize| (kind == Kind::Pairs).then(|| text(row, 1));
            Inputs::Texts((0..count).map(|row| Text { first: text(row, 0), second: second(row) }).collect())
        }
    };
    let targets = if classes {
        let names = ["low", "middle", "high"].map(str::to_owned).to_vec().into();
        Targets::Classes { labels: (0..count).map(|row| (number(row) / 4) as u16).collect(), names }
    } else {
        Targets::Values((0..count).map(|row| number(row) as f32 * 1.7 - 3.0).collect())
    };
    Split { inputs, targets }
}

/// Every family, small, in every form that its saved numbers can take.
pub(crate) const FORMS: &[(&str, &str)] = &[
    ("transformer", "epochs = 1\nwidth = 8\nheads = 2\nlayers = 1\nfeed_forward = 8"),
    ("resnet", "epochs = 1\ndepth = 8\nwidth = 2"),
    ("cnn", "epochs = 1\ndepth = 8\nwidth = 2"),
    ("lstm", "epochs = 1\nhidden = 3"),
    ("gru", "epochs = 1\nhidden = 3"),
    ("gan", "epochs = 1\nwidth = 2\nnoise = 3"),
    ("mlp", "epochs = 1\nhidden = 3\ntext_features = \"embeddings\""),
    ("mlp", "epochs = 1\nhidden = 3\nfeatures = \"hog+pixels\""),
    ("encoder", "epochs = 1\nmax_tokens = 64\nweights = \"TINY\""),
    ("encoder", "mode = \"frozen\"\nhead_epochs = 2\npooling = \"class\"\nmax_tokens = 64\nweights = \"TINY\""),
    ("svm", "kernel = \"linear\""),
    ("svm", "kernel = \"rbf\"\nfeatures = \"hog+pixels\""),
    ("svm", "solver = \"linfa\"\nterms = 8"),
    ("random-forest", "trees = 3"),
    ("random-forest", "trees = 3\nfeatures = \"pixels\"\ntokens = \"words\""),
    ("decision-tree", ""),
    ("fusion", "network = { model = \"gru\", epochs = 1, hidden = 3 }"),
    ("fusion", "network = { model = \"resnet\", epochs = 1, depth = 8, width = 2 }\nfeatures = \"pixels\""),
    ("fusion", "network = { model = \"encoder\", epochs = 1, max_tokens = 64, weights = \"TINY\" }"),
    ("student", "teacher = { model = \"mlp\", epochs = 1, hidden = 3 }"),
    ("student", "teacher = { model = \"svm\" }\nlearner = { model = \"mlp\", epochs = 1, hidden = 3 }\ntruth = 0.5"),
    ("compress", "of = { model = \"lstm\", epochs = 1, hidden = 3 }\nmethod = \"int8\"\nfine_tune = 1"),
    ("compress", "of = { model = \"resnet\", epochs = 1, depth = 8, width = 4 }\nby = \"gradient\"\nfine_tune = 0"),
    (
        "compress",
        "of = { model = \"mlp\", epochs = 1, hidden = 16 }\nmethod = \"low-rank\"\nshare = 0.8\nfine_tune = 0",
    ),
    ("svm", "features = { model = \"resnet\", epochs = 1, depth = 8, width = 2 }"),
    ("svm", "kernel = \"rbf\"\nconcatenate = true\nfeatures = { model = \"lstm\", epochs = 1, hidden = 3 }"),
    ("svm", "features = { model = \"encoder\", max_tokens = 64, weights = \"TINY\" }"),
    ("random-forest", "trees = 3\nfeatures = { model = \"mlp\", epochs = 1, hidden = 3 }"),
    ("decision-tree", "concatenate = true\nfeatures = { model = \"gru\", epochs = 1, hidden = 3 }"),
];

/// The kinds of inputs that a model can do with these parameters.
pub(crate) fn kinds(name: &str, params: &str) -> &'static [Kind] {
    match name {
        "gan" => &[Kind::Images],
        // A pretrained encoder reads texts only.
        _ if params.contains("TINY") => &[Kind::Texts, Kind::Pairs],
        _ => &[Kind::Images, Kind::Texts, Kind::Pairs],
    }
}

/// Whether a model can predict classes, and whether numbers.
pub(crate) fn targets(name: &str) -> &'static [bool] {
    if name == "gan" { &[true] } else { &[true, false] }
}

/// The folder of a tiny pretrained encoder, for `TINY` in the parameters. The fuzz target has this file too, in a folder of its own.
fn tiny() -> String {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut found = folders.map(|folder| folder.join("models/tests/fixtures/encoder"));
    found.find(|folder| folder.is_dir()).unwrap().display().to_string()
}

/// The form of the task of these inputs and targets.
pub(crate) fn shape(kind: Kind, classes: bool) -> TaskShape {
    let input = match kind {
        Kind::Images => InputShape::Images { channels: 1, height: 16, width: 16 },
        _ => InputShape::Texts { pairs: kind == Kind::Pairs },
    };
    let target = if classes { TargetShape::Classes(3) } else { TargetShape::Value };
    TaskShape { input, target, train_rows: 36, mirror_negates: false, characters: None }
}

pub(crate) fn fitted(name: &str, params: &str, kind: Kind, classes: bool) -> Box<dyn Model> {
    let (train, validation) = (rows(kind, classes, 30, 1), rows(kind, classes, 6, 2));
    let shape = shape(kind, classes);
    let params = params.replace("TINY", &tiny());
    let params = Resolved::new(entry(name).params(), &shape, &params.parse().unwrap()).unwrap();
    entry(name).check(&params).unwrap();
    let spec = Spec { shape, params, device: Device::Cpu, threads: Threads::new(2), seed: 3 };
    let mut model = entry(name).build(&spec).unwrap();
    model.fit(&train, &validation, &mut Unwatched).unwrap();
    model
}

/// The family, what it was fitted on, and what is in the three files.
pub(crate) type Saved = (&'static str, Kind, [Vec<u8>; 3]);

/// Saved models of each family, without those that have parts.
pub(crate) fn saved() -> &'static Vec<Saved> {
    static SAVED: OnceLock<Vec<Saved>> = OnceLock::new();
    SAVED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut saved = Vec::new();
        for (number, &(name, params)) in FORMS.iter().enumerate() {
            for kind in kinds(name, params).iter().copied().filter(|&kind| kind != Kind::Texts) {
                let path = folder.path().join(format!("{number} {kind:?}"));
                let classes = kind == Kind::Pairs || targets(name) == [true];
                fitted(name, params, kind, classes).save(&path).unwrap();
                if path.join("part-1").exists() {
                    continue;
                }
                saved.push((name, kind, [MANIFEST, MODEL, ARRAYS].map(|file| fs::read(path.join(file)).unwrap())));
            }
        }
        saved
    })
}

pub(crate) fn written(folder: &Path, files: &[Vec<u8>; 3]) {
    for (file, bytes) in [MANIFEST, MODEL, ARRAYS].iter().zip(files) {
        fs::write(folder.join(file), bytes).unwrap();
    }
}

/// The files with checksums that fit, as whoever wants to do harm would make them.
pub(crate) fn sealed([manifest, model, arrays]: &[Vec<u8>; 3]) -> [Vec<u8>; 3] {
    let mut manifest: serde_json::Value = serde_json::from_slice(manifest).unwrap();
    for (file, bytes) in [(MODEL, model), (ARRAYS, arrays)] {
        let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        manifest["files"][file] = serde_json::json!({ "bytes": bytes.len(), "sha256": sha256 });
    }
    [serde_json::to_vec(&manifest).unwrap(), model.clone(), arrays.clone()]
}
