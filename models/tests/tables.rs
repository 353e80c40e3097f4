//! What models promise over tables: scikit-learn's quality on the same rows, and the same predictions after they were saved.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use bakeoff_datasets::{Inputs, Split, Table, TableColumns, Targets};
use bakeoff_models::{
    Device, ENTRIES, EpochReport, InputShape, Model, ModelEntry, ModelError, Predictions, Resolved, Spec, Support,
    TargetShape, TaskShape, Threads, Watch,
};
use serde::Deserialize;

/// The wines of `scripts/peers/tables.py`, and what scikit-learn makes of them.
#[derive(Deserialize)]
struct Wines {
    names: Vec<String>,
    train: Rows,
    test: Rows,
    svc: Vec<u16>,
    forest: f64,
}

#[derive(Deserialize)]
struct Rows {
    rows: Vec<Vec<f32>>,
    labels: Vec<u16>,
}

fn wines() -> Wines {
    #[derive(Deserialize)]
    struct Fixture {
        wines: Wines,
    }
    serde_json::from_str::<Fixture>(include_str!("fixtures/tables.json")).unwrap().wines
}

impl Wines {
    /// The rows with a column of categories beside the numbers, which says nothing of the class.
    fn split(&self, rows: &Rows) -> Split {
        let columns = TableColumns { numbers: self.names.clone(), categories: vec!["shelf".to_owned()] };
        let categories = (0..rows.labels.len()).map(|_| Arc::from("cellar")).collect();
        let table = Table { columns: Arc::new(columns), numbers: rows.rows.concat(), categories };
        let names = Arc::from(["0", "1", "2"].map(str::to_owned));
        Split { inputs: Inputs::Table(table), targets: Targets::Classes { labels: rows.labels.clone(), names } }
    }
}

/// The models that read tables, made small.
const SMALL: [(&str, &str); 6] = [
    ("svm", ""),
    ("random-forest", "trees = 5"),
    ("decision-tree", ""),
    ("mlp", "epochs = 1"),
    ("resnet", "epochs = 1\nwidth = 8"),
    ("transformer", "epochs = 1\nwidth = 8\nheads = 2\nfeed_forward = 8"),
];

struct Nobody;

impl Watch for Nobody {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        Ok(report.epoch as f64)
    }

    fn progress(&mut self, _: usize, _: usize) {}
}

fn entry(name: &str) -> &'static dyn ModelEntry {
    *ENTRIES.iter().find(|entry| entry.name() == name).unwrap()
}

fn spec(name: &str, written: &str, seed: u64) -> Spec {
    let (input, target) = (InputShape::Table { numbers: 13, categories: 1 }, TargetShape::Classes(3));
    let shape = TaskShape { input, target, train_rows: 106, mirror_negates: false, characters: None };
    let params = Resolved::new(entry(name).params(), &shape, &written.parse().unwrap()).unwrap();
    Spec { shape, params, device: Device::Cpu, threads: Threads::new(2), seed }
}

/// A model that was fitted on the training wines.
fn fitted(wines: &Wines, name: &str, written: &str, seed: u64) -> Box<dyn Model> {
    let (train, spec) = (wines.split(&wines.train), spec(name, written, seed));
    let mut model = entry(name).build(&spec).unwrap();
    model.fit(&train, &train.select(&[0]), &mut Nobody).unwrap();
    model
}

fn labels(model: &mut dyn Model, split: &Split) -> Vec<u16> {
    match model.predict(&split.inputs).unwrap() {
        Predictions::Classes { labels, .. } => labels,
        Predictions::Values(_) => panic!("wines have classes"),
    }
}

fn accuracy(found: &[u16], expected: &[u16]) -> f64 {
    found.iter().zip(expected).filter(|(found, expected)| found == expected).count() as f64 / expected.len() as f64
}

#[test]
fn the_support_vector_machine_answers_as_scikit_learns_on_the_same_wines() {
    let wines = wines();
    let test = wines.split(&wines.test);
    let found = labels(&mut *fitted(&wines, "svm", "", 1), &test);
    let same = accuracy(&found, &wines.svc);
    assert!(same >= 0.98, "{same} of the answers are the same");
}

#[test]
fn every_model_is_within_one_interval_of_scikit_learns_forest_on_the_same_wines() {
    let wines = wines();
    let test = wines.split(&wines.test);
    // Half of a 95 % interval of a proportion (Wald) at that accuracy.
    let half = 1.96 * (wines.forest * (1.0 - wines.forest) / wines.test.labels.len() as f64).sqrt();
    for (name, written) in [
        ("random-forest", ""),
        ("svm", ""),
        ("mlp", "batch = 32, shard = 32"),
        ("resnet", "batch = 32, shard = 32, width = 64"),
        ("transformer", "batch = 32, shard = 32, width = 64, heads = 4, feed_forward = 64, learning_rate = 1e-3"),
    ] {
        let written = written.replace(", ", "\n");
        let seeds = if name == "svm" { 1 } else { 3 };
        let of_seed = |seed| accuracy(&labels(&mut *fitted(&wines, name, &written, seed), &test), &wines.test.labels);
        let ours = (1..=seeds).map(of_seed).sum::<f64>() / seeds as f64;
        assert!(ours >= wines.forest - half, "{name}: {ours} is below {} by more than {half}", wines.forest);
    }
}

#[test]
fn what_was_saved_and_loaded_answers_the_same_also_where_categories_are_new_and_numbers_missing() {
    let wines = wines();
    let mut test = wines.split(&wines.test);
    let Inputs::Table(table) = &mut test.inputs else { panic!("a table") };
    table.numbers[3] = Table::MISSING;
    table.categories[0] = Arc::from("attic");
    table.categories[1] = Arc::from("");
    for (name, written) in SMALL {
        let mut model = fitted(&wines, name, written, 1);
        let folder = tempfile::tempdir().unwrap();
        model.save(&folder.path().join("model")).unwrap();
        let mut loaded = entry(name).load(&folder.path().join("model"), Threads::new(1), Device::Cpu).unwrap();
        assert_eq!(model.predict(&test.inputs).unwrap(), loaded.predict(&test.inputs).unwrap(), "{name}");
    }
}

/// The training wines with these columns of numbers, and with or without the category.
fn cut(split: &Split, numbers: usize, has_category: bool) -> Split {
    let Inputs::Table(table) = &split.inputs else { panic!("a table") };
    let columns = TableColumns {
        numbers: table.columns.numbers[..numbers].to_vec(),
        categories: if has_category { table.columns.categories.clone() } else { Vec::new() },
    };
    let rows = 0..table.len();
    let numbers = rows.clone().flat_map(|row| &table.numbers_of(row)[..numbers]).copied().collect();
    let word = |row: usize| Arc::from(["attic", "cellar"][row / 3 % 2]);
    let categories = if has_category { rows.map(word).collect() } else { Vec::new() };
    let table = Table { columns: Arc::new(columns), numbers, categories };
    Split { inputs: Inputs::Table(table), targets: split.targets.clone() }
}

#[test]
fn every_model_learns_from_numbers_alone_and_from_categories_alone_and_is_saved() {
    let wines = wines();
    for (name, written) in SMALL {
        for (numbers, has_category) in [(2, false), (0, true)] {
            let train = cut(&wines.split(&wines.train), numbers, has_category);
            let mut spec = spec(name, written, 1);
            spec.shape.input = InputShape::Table { numbers, categories: usize::from(has_category) };
            let mut model = entry(name).build(&spec).unwrap();
            model.fit(&train, &train.select(&[0]), &mut Nobody).unwrap();
            let before = model.predict(&train.inputs).unwrap();
            let folder = tempfile::tempdir().unwrap();
            model.save(&folder.path().join("model")).unwrap();
            let mut loaded = entry(name).load(&folder.path().join("model"), Threads::new(1), Device::Cpu).unwrap();
            assert_eq!(before, loaded.predict(&train.inputs).unwrap(), "{name} on {numbers} numbers");
        }
    }
}

#[test]
fn a_classic_model_learns_from_the_features_of_a_network_over_a_table() {
    let wines = wines();
    let written = "features = { model = \"resnet\", width = 16, batch = 32, shard = 32 }\nconcatenate = true";
    let found = labels(&mut *fitted(&wines, "svm", written, 1), &wines.split(&wines.test));
    assert!(accuracy(&found, &wines.test.labels) > 0.9);
}

#[test]
fn a_decision_tree_names_columns_and_their_own_units() {
    let wines = wines();
    let rules = fitted(&wines, "decision-tree", "", 1).rules(&["a", "b", "c"].map(str::to_owned)).unwrap();
    assert!(wines.names.iter().any(|name| rules.contains(name.as_str())), "{rules}");
    assert!(!rules.contains("standard deviations"), "{rules}");
}

#[test]
fn models_that_read_no_tables_say_why_in_words() {
    for name in ["lstm", "gru", "cnn", "encoder", "gan", "fusion", "student", "compress"] {
        let spec = spec(name, "", 1);
        let Support::No { reason } = entry(name).supports(&spec.shape, &spec.params, Device::Cpu) else {
            panic!("{name} reads tables")
        };
        assert!(reason.contains("table"), "{name}: {reason}");
    }
}
