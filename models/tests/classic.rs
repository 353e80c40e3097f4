//! What the svm, the random-forest and the decision-tree promise as models: they learn, the thread count changes nothing, order is kept,
//! a refit is fresh, and what they cannot do they refuse in words.

#![expect(clippy::unwrap_used, reason = "tests")]

use bakeoff_datasets::{Images, Inputs, Split, Targets, Text};
use bakeoff_models::{
    Device, ENTRIES, EpochReport, InputShape, Model, ModelEntry, ModelError, Predictions, Resolved, Spec, Support,
    TargetShape, TaskShape, Threads, Watch,
};

/// Keeps the last step that was told.
#[derive(Default)]
struct Progress(Option<(usize, usize)>);

impl Watch for Progress {
    fn epoch(&mut self, _: &EpochReport<'_>) -> Result<f64, ModelError> {
        unreachable!("these models have no epochs")
    }

    fn progress(&mut self, done: usize, total: usize) {
        self.0 = Some((done, total));
    }
}

fn classic() -> Vec<&'static dyn ModelEntry> {
    let names = ["svm", "random-forest", "decision-tree"];
    let classic: Vec<_> = ENTRIES.iter().copied().filter(|entry| names.contains(&entry.name())).collect();
    assert_eq!(classic.len(), 3);
    classic
}

/// A scrambled number below `below` (SplitMix64, Steele et al. 2014).
fn chance(seed: usize, below: usize) -> usize {
    let mut z = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) % below as u64) as usize
}

/// Stripes that lean by an angle of `angle(row)` degrees, with noise.
fn stripes(rows: usize, angle: impl Fn(usize) -> f32) -> Inputs {
    let mut pixels = Vec::new();
    for row in 0..rows {
        let (sin, cos) = angle(row).to_radians().sin_cos();
        for place in 0..32 * 32 {
            let (y, x) = ((place / 32) as f32, (place % 32) as f32);
            let wave = ((x * cos + y * sin) * 0.9).sin();
            pixels.push((128.0 + 90.0 * wave) as u8 + chance(row * 1024 + place, 30) as u8);
        }
    }
    Inputs::Images(Images { channels: 1, height: 32, width: 32, pixels })
}

fn leaning(rows: usize, seed: usize) -> f32 {
    chance(rows + 1000 * seed, 120) as f32 - 60.0
}

fn angles(rows: usize, seed: usize) -> Split {
    let values = (0..rows).map(|row| leaning(row, seed)).collect();
    Split { inputs: stripes(rows, |row| leaning(row, seed)), targets: Targets::Values(values) }
}

fn directions(rows: usize, seed: usize) -> Split {
    let labels = (0..rows).map(|row| (chance(row + 1000 * seed, 3)) as u16).collect::<Vec<_>>();
    let inputs = stripes(rows, |row| f32::from(labels[row]) * 50.0 + chance(row, 30) as f32);
    Split { inputs, targets: Targets::Classes { labels, names: ["a", "b", "c"].map(str::to_owned).to_vec().into() } }
}

fn opinions(rows: usize, seed: usize) -> Split {
    let words = [["bad", "dull", "awful", "boring"], ["good", "great", "moving", "fun"]];
    let labels: Vec<u16> = (0..rows).map(|row| chance(row + 1000 * seed, 2) as u16).collect();
    let text = |row: usize| {
        let word = |place: usize| words[usize::from(labels[row])][chance(row * 7 + place + 1000 * seed, 4)];
        Text { first: format!("the film number {row} is {} and {}", word(0), word(1)), second: None }
    };
    let inputs = Inputs::Texts((0..rows).map(text).collect());
    Split { inputs, targets: Targets::Classes { labels, names: ["no", "yes"].map(str::to_owned).to_vec().into() } }
}

const MAKERS: [fn(usize, usize) -> Split; 3] = [angles, directions, opinions];

fn shape(split: &Split) -> TaskShape {
    let input = match &split.inputs {
        Inputs::Images(images) => {
            InputShape::Images { channels: images.channels, height: images.height, width: images.width }
        }
        Inputs::Texts(texts) => InputShape::Texts { pairs: texts.iter().any(|text| text.second.is_some()) },
        Inputs::Table(_) => unreachable!("see tables.rs"),
    };
    let target = match &split.targets {
        Targets::Classes { names, .. } => TargetShape::Classes(names.len()),
        Targets::Values(_) => TargetShape::Value,
    };
    TaskShape { input, target, train_rows: split.len(), mirror_negates: false, characters: None }
}

fn build(entry: &dyn ModelEntry, split: &Split, params: &str, threads: usize) -> Result<Box<dyn Model>, ModelError> {
    let shape = shape(split);
    let params = Resolved::new(entry.params(), &shape, &params.parse().unwrap()).unwrap();
    entry.build(&Spec { shape, params, device: Device::Cpu, threads: Threads::new(threads), seed: 5 })
}

fn fitted(entry: &dyn ModelEntry, make: fn(usize, usize) -> Split, threads: usize) -> Box<dyn Model> {
    let (train, validation) = (make(150, 1), make(30, 2));
    let mut model = build(entry, &train, "", threads).unwrap();
    let mut progress = Progress::default();
    model.fit(&train, &validation, &mut progress).unwrap();
    assert!(progress.0.is_some_and(|(done, total)| done == total && total > 0), "{:?}", progress.0);
    model
}

/// The mean squared error, or the share of wrong classes.
fn error(predictions: &Predictions, targets: &Targets) -> f64 {
    let errors: Vec<f64> = match (predictions, targets) {
        (Predictions::Values(ours), Targets::Values(targets)) => {
            ours.iter().zip(targets).map(|(a, b)| f64::from((a - b).powi(2))).collect()
        }
        (Predictions::Classes { labels, .. }, Targets::Classes { labels: targets, .. }) => {
            labels.iter().zip(targets).map(|(a, b)| f64::from(u8::from(a != b))).collect()
        }
        _ => panic!("predictions of another kind than the targets"),
    };
    assert_eq!(errors.len(), targets.len());
    errors.iter().sum::<f64>() / errors.len() as f64
}

#[test]
fn they_learn_every_kind_of_task() {
    for entry in classic() {
        for (make, most) in MAKERS.iter().zip([300.0, 0.1, 0.1]) {
            let test = make(60, 3);
            let error = error(&fitted(entry, *make, 2).predict(&test.inputs).unwrap(), &test.targets);
            assert!(error < most, "{}: {error} is not below {most}", entry.name());
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_prediction() {
    for entry in classic() {
        for make in MAKERS {
            let test = make(40, 3);
            let one = fitted(entry, make, 1).predict(&test.inputs).unwrap();
            assert_eq!(one, fitted(entry, make, 3).predict(&test.inputs).unwrap(), "{}", entry.name());
        }
    }
}

#[test]
fn predictions_keep_their_order_and_do_not_depend_on_their_neighbours() {
    for entry in classic() {
        let test = directions(20, 3);
        let mut model = fitted(entry, directions, 2);
        let Predictions::Classes { labels, .. } = model.predict(&test.inputs).unwrap() else { panic!("no classes") };
        for (row, &label) in labels.iter().enumerate() {
            let Predictions::Classes { labels: alone, .. } = model.predict(&test.inputs.select(&[row])).unwrap() else {
                panic!("no classes")
            };
            assert_eq!(alone, [label], "{}, row {row}", entry.name());
        }
    }
}

#[test]
fn a_second_fit_starts_afresh() {
    for entry in classic() {
        for make in MAKERS {
            let test = make(20, 3).inputs;
            let mut model = fitted(entry, make, 2);
            model.fit(&make(80, 7), &make(5, 8), &mut Progress::default()).unwrap();
            let mut fresh = build(entry, &make(80, 7), "", 2).unwrap();
            fresh.fit(&make(80, 7), &make(5, 8), &mut Progress::default()).unwrap();
            assert_eq!(model.predict(&test).unwrap(), fresh.predict(&test).unwrap(), "{}", entry.name());
            assert_eq!(model.footprint(), fresh.footprint());
        }
    }
}

#[test]
fn a_fitted_model_says_how_large_it_is() {
    for entry in classic() {
        for make in MAKERS {
            let footprint = fitted(entry, make, 2).footprint();
            assert!(footprint.parameters > 0, "{footprint:?}");
        }
    }
}

#[test]
fn both_svm_solvers_predict_alike() {
    let svm = classic()[0];
    for make in MAKERS {
        let (train, test) = (make(150, 1), make(60, 3));
        let predict = |solver: &str| {
            let mut model = build(svm, &train, &format!("solver = {solver:?}\ntolerance = 1e-5"), 2).unwrap();
            model.fit(&train, &make(1, 2), &mut Progress::default()).unwrap();
            model.predict(&test.inputs).unwrap()
        };
        match (predict("smo"), predict("linfa")) {
            (Predictions::Values(smo), Predictions::Values(linfa)) => {
                assert!(smo.iter().zip(&linfa).all(|(a, b)| (a - b).abs() < 0.05), "{smo:?}\n{linfa:?}");
            }
            (smo, linfa) => assert_eq!(smo, linfa),
        }
    }
}

#[test]
fn what_cannot_be_done_is_refused_in_words() {
    let shape = |rows: usize, side: usize| TaskShape {
        input: InputShape::Images { channels: 3, height: side, width: side },
        target: TargetShape::Value,
        train_rows: rows,
        mirror_negates: false,
        characters: None,
    };
    let supports = |entry: &dyn ModelEntry, shape: TaskShape| {
        entry.supports(&shape, &Resolved::new(entry.params(), &shape, &toml::Table::new()).unwrap(), Device::Cpu)
    };
    let reason = |entry: &dyn ModelEntry, shape| match supports(entry, shape) {
        Support::No { reason } => reason,
        Support::Yes => panic!("{} supports {shape:?}", entry.name()),
    };
    let [svm, forest, tree] = classic()[..] else { panic!("three entries") };
    assert_eq!(supports(svm, shape(16_384, 32)), Support::Yes);
    assert_eq!(
        reason(svm, shape(50_000, 32)),
        "the kernel between 50000 training rows takes 10000000000 bytes, more than 1073741824; at most 16384 rows fit: \
         set train_size = 16384 or less for the task"
    );
    let classes = |rows, classes| TaskShape { target: TargetShape::Classes(classes), ..shape(rows, 32) };
    assert_eq!(supports(svm, classes(16_000, 100)), Support::Yes);
    assert_eq!(
        reason(svm, classes(3_000, 1_000)),
        "a number for each of 3000 training rows and of the 499500 pairs of 1000 classes takes 5994000000 bytes, more than \
         1073741824; at most 537 training rows fit: set train_size for the task"
    );
    assert_eq!(
        reason(forest, shape(100, 15)),
        "images are 15 x 15 pixels, and histograms of oriented gradients need at least 16 x 16: set features = \"pixels\""
    );
    for entry in [svm, forest, tree] {
        let mut model = build(entry, &opinions(10, 1), "", 1).unwrap();
        assert_eq!(model.predict(&opinions(10, 1).inputs).unwrap_err().to_string(), "predict before fit");
        let nothing = opinions(0, 1);
        let error = model.fit(&nothing, &nothing, &mut Progress::default()).unwrap_err().to_string();
        assert_eq!(error, "there is no training row");
    }
}

#[test]
fn a_class_without_a_training_row_is_never_predicted() {
    for entry in classic() {
        let mut train = directions(60, 1);
        if let Targets::Classes { labels, .. } = &mut train.targets {
            labels.iter_mut().for_each(|label| *label = (*label).max(1));
        }
        let mut model = build(entry, &train, "", 1).unwrap();
        model.fit(&train, &train.select(&[]), &mut Progress::default()).unwrap();
        let Predictions::Classes { labels, probabilities } = model.predict(&directions(30, 3).inputs).unwrap() else {
            panic!("no classes")
        };
        assert!(labels.iter().all(|&label| label == 1 || label == 2), "{}: {labels:?}", entry.name());
        if let Some(probabilities) = probabilities {
            assert_eq!(probabilities.cols, 3);
            assert!((0..30).all(|row| probabilities.row(row)[0] == 0.0));
        }
    }
}

#[test]
fn versions_name_the_libraries_that_are_locked() {
    let lock = include_str!("../../Cargo.lock");
    for (entry, library) in classic().into_iter().zip(["linfa-svm", "linfa", "linfa"]) {
        let version = entry.version(Device::Cpu);
        let (_, locked) = version.split_once(&format!("({library} ")).unwrap();
        let locked = locked.split([')', ';']).next().unwrap();
        assert!(lock.contains(&format!("name = \"{library}\"\nversion = \"{locked}\"\n")), "{version}");
    }
}

#[test]
fn texts_without_a_word_are_refused_in_words() {
    let mut train = opinions(30, 1);
    let Inputs::Texts(texts) = &mut train.inputs else { panic!("not texts") };
    texts.iter_mut().for_each(|text| "?! ...".clone_into(&mut text.first));
    for entry in classic() {
        let mut model = build(entry, &train, "tokens = \"words\"", 1).unwrap();
        let message = model.fit(&train, &train.select(&[]), &mut Progress::default()).unwrap_err().to_string();
        let expected = "no training text holds a word that this model reads (tokens = \"words\"); with tokens = \
                        \"words+marks\" marks count too";
        assert_eq!(message, expected);
    }
}

/// Texts of one sign again and again: which of two is the class.
fn repeated(signs: [&str; 2], rows: usize, most: usize) -> Split {
    let labels: Vec<u16> = (0..rows).map(|row| (row % 2) as u16).collect();
    let text = |row: usize| {
        let sign = signs[row % 2];
        Text { first: vec![sign; 1 + row * 7 % most].join(" "), second: None }
    };
    let inputs = Inputs::Texts((0..rows).map(text).collect());
    Split { inputs, targets: Targets::Classes { labels, names: ["no", "yes"].map(str::to_owned).to_vec().into() } }
}

#[test]
fn emoji_single_letters_marks_and_scripts_without_spaces_are_learned_with_the_defaults() {
    let kinds = [
        ["👎", "👍"],
        ["👍🏻", "👍🏿"],
        ["🇩🇪", "🇫🇷"],
        ["a", "b"],
        ["!", "?"],
        ["坏", "好"],
        ["だめ", "いい"],
        ["ไม่ดี", "ดีมาก"],
        ["1", "2"],
    ];
    for entry in classic() {
        for signs in kinds {
            let (train, test) = (repeated(signs, 40, 9), repeated(signs, 30, 5));
            let mut model = build(entry, &train, "", 1).unwrap();
            model.fit(&train, &train.select(&[]), &mut Progress::default()).unwrap();
            assert_eq!(model.wordless(&test.inputs), Some(0), "{} {signs:?}", entry.name());
            let error = error(&model.predict(&test.inputs).unwrap(), &test.targets);
            assert_eq!(error, 0.0, "{} {signs:?}", entry.name());
        }
    }
}

#[test]
fn texts_without_a_word_that_is_read_are_counted() {
    let (train, test) = (opinions(30, 1), repeated(["!", "?"], 8, 3));
    for entry in classic() {
        let mut model = build(entry, &train, "tokens = \"words\"", 1).unwrap();
        assert_eq!(model.wordless(&test.inputs), None, "nothing is known before a fit");
        model.fit(&train, &train.select(&[]), &mut Progress::default()).unwrap();
        assert_eq!((model.wordless(&train.inputs), model.wordless(&test.inputs)), (Some(0), Some(8)));
        let images = directions(10, 1);
        let mut model = build(entry, &images, "", 1).unwrap();
        model.fit(&images, &images.select(&[]), &mut Progress::default()).unwrap();
        assert_eq!(model.wordless(&images.inputs), None);
    }
}

#[test]
fn a_decision_tree_can_be_read_as_rules_and_the_other_models_cannot() {
    let names = ["no", "yes"].map(str::to_owned);
    for entry in classic() {
        let model = fitted(entry, opinions, 1);
        let Some(rules) = model.rules(&names) else {
            assert_ne!(entry.name(), "decision-tree");
            continue;
        };
        assert_eq!(entry.name(), "decision-tree");
        let lines: Vec<&str> = rules.lines().map(str::trim_start).collect();
        let is_leaf = |line: &&str| ["no (1.00)", "yes (1.00)"].contains(line);
        assert!(lines[0].starts_with("if \"") && lines[0].contains("\" <= 0."), "{rules}");
        let (leaves, decisions) = (lines.iter().filter(|line| is_leaf(line)).count(), rules.matches("if ").count());
        assert_eq!((leaves, rules.matches("else:").count()), (decisions + 1, decisions), "{rules}");
        assert!(build(entry, &opinions(9, 1), "", 1).unwrap().rules(&names).is_none(), "rules before a fit");
    }
    let tree = classic()[2];
    let rules = fitted(tree, angles, 1).rules(&[]).unwrap();
    assert!(rules.starts_with("if pixel ") || rules.starts_with("if gradients at "), "{rules}");
    let leaf = rules.lines().last().unwrap().trim_start().parse::<f32>();
    assert!(leaf.is_ok_and(|angle| angle.abs() <= 60.0), "{rules}");
}

#[test]
fn an_alpha_beside_cross_validation_is_refused_with_what_to_do() {
    let tree = classic()[2];
    let params =
        |written: &str| Resolved::new(tree.params(), &shape(&opinions(9, 1)), &written.parse().unwrap()).unwrap();
    let error = tree.check(&params("ccp_alpha = 0.01")).unwrap_err().to_string();
    let expected =
        "parameter 'ccp_alpha' is 0.01, expected 0, because cross-validation chooses it; or set cross_validate = false";
    assert_eq!(error, expected);
    assert!(tree.check(&params("ccp_alpha = 0.01\ncross_validate = false")).is_ok());
    assert!(tree.check(&params("")).is_ok());
}
