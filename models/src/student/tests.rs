//! What a student learns from its teacher, what it stores, and what it says of a teacher that fails.

use bakeoff_datasets::{Images, Text};

use super::soft_targets::LEAST_PROBABILITY;
use super::*;
use crate::ENTRIES;
use crate::model::{InputShape, Matrix};
use crate::params::ParamValue;

fn classes(labels: &[u16], count: usize) -> Targets {
    let names = (0..count).map(|class| class.to_string()).collect::<Vec<_>>().into();
    Targets::Classes { labels: labels.to_vec(), names }
}

const CLASSES_2: TargetShape = TargetShape::Classes(2);

fn answers(labels: &[u16], cols: usize, data: &[f32]) -> Predictions {
    let probabilities = Some(Matrix { rows: labels.len(), cols, data: data.to_vec() });
    Predictions::Classes { labels: labels.to_vec(), probabilities }
}

fn assert_near(found: &[Vec<f32>], expected: &[&[f64]]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(*expected).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5), "{found:?} {expected:?}");
    }
}

#[test]
fn two_classes_are_learned_as_their_log_odds_and_more_as_logarithms_less_their_mean() {
    let found = soft_targets(&answers(&[0, 1], 2, &[0.75, 0.25, 0.1, 0.9]), CLASSES_2, None).unwrap();
    assert_near(&found, &[&[(0.25_f64 / 0.75).ln(), (0.9_f64 / 0.1).ln()]]);
    let found = soft_targets(&answers(&[2], 3, &[0.2, 0.3, 0.5]), TargetShape::Classes(3), None).unwrap();
    let mean = (0.2_f64.ln() + 0.3_f64.ln() + 0.5_f64.ln()) / 3.0;
    assert_near(&found, &[&[0.2_f64.ln() - mean], &[0.3_f64.ln() - mean], &[0.5_f64.ln() - mean]]);
}

#[test]
fn rows_without_targets_are_learned_as_those_with_no_share_of_the_truth() {
    let teacher = answers(&[0, 1], 3, &[0.5, 0.3, 0.2, 0.1, 0.9, 0.0]);
    let targets = classes(&[2, 0], 3);
    let shape = TargetShape::Classes(3);
    assert_eq!(soft_targets(&teacher, shape, None), soft_targets(&teacher, shape, Some((&targets, 0.0))));
    assert_ne!(soft_targets(&teacher, shape, None), soft_targets(&teacher, shape, Some((&targets, 0.5))));
    let teacher = Predictions::Values(vec![4.0, -1.0]);
    let targets = Targets::Values(vec![8.0, 3.0]);
    let shape = TargetShape::Value;
    assert_eq!(soft_targets(&teacher, shape, None), soft_targets(&teacher, shape, Some((&targets, 0.0))));
}

#[test]
fn a_share_of_the_truth_is_mixed_into_probabilities_and_numbers() {
    let found = soft_targets(&answers(&[0], 2, &[0.75, 0.25]), CLASSES_2, Some((&classes(&[1], 2), 0.5))).unwrap();
    assert_near(&found, &[&[(0.625_f64 / 0.375).ln()]]);
    let found =
        soft_targets(&Predictions::Values(vec![4.0]), TargetShape::Value, Some((&Targets::Values(vec![8.0]), 0.25)))
            .unwrap();
    assert_near(&found, &[&[5.0]]);
}

#[test]
fn a_teacher_that_is_certain_or_gives_labels_only_is_learned_with_finite_numbers() {
    let certain = answers(&[1], 2, &[0.0, 1.0]);
    let labels_only = Predictions::Classes { labels: vec![1], probabilities: None };
    for teacher in [certain, labels_only] {
        let found = soft_targets(&teacher, CLASSES_2, None).unwrap();
        assert_near(&found, &[&[-LEAST_PROBABILITY.ln()]]);
    }
    let broken = Predictions::Values(vec![f32::NAN]);
    let error = soft_targets(&broken, TargetShape::Value, None).unwrap_err();
    assert!(error.contains("not a finite number"), "{error}");
    assert!(soft_targets(&Predictions::Values(vec![1.0]), CLASSES_2, None).is_err());
    let truth = classes(&[0], 2);
    assert!(soft_targets(&Predictions::Values(vec![1.0]), TargetShape::Value, Some((&truth, 0.5))).is_err());
}

#[test]
fn learners_that_learned_everything_answer_with_the_probabilities_of_the_teacher() {
    for (count, data) in [(2, vec![0.75, 0.25, 0.1, 0.9]), (3, vec![0.2, 0.3, 0.5, 0.6, 0.3, 0.1])] {
        let teacher = answers(&[0, 0], count, &data);
        let columns = soft_targets(&teacher, TargetShape::Classes(count), None).unwrap();
        let Predictions::Classes { labels, probabilities: Some(found) } =
            Head::Classes(count).decode(&outputs(&columns, count))
        else {
            panic!("a student of classes gives probabilities");
        };
        assert!(found.data.iter().zip(&data).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}");
        assert_eq!(labels.len(), 2);
    }
}

/// Counts the epochs of the student and those of its parts.
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

    fn progress(&mut self, done: usize, total: usize) {
        assert!(done <= total, "{done} of {total}");
    }
}

const TEXTS: InputShape = InputShape::Texts { pairs: false };
const IMAGES: InputShape = InputShape::Images { channels: 1, height: 16, width: 16 };

fn split(input: InputShape, target: TargetShape, count: usize) -> Split {
    let inputs = match input {
        InputShape::Images { .. } => {
            // Stripes down, stripes across, and grey.
            let pixel = |row: usize, at: usize| match row % 3 {
                0 => (at % 16 % 4 / 2 * 200) as u8,
                1 => (at / 16 % 4 / 2 * 200) as u8,
                _ => 100,
            };
            let pixels = (0..count).flat_map(|row| (0..256).map(move |at| pixel(row, at))).collect();
            Inputs::Images(Images { channels: 1, height: 16, width: 16, pixels })
        }
        InputShape::Table { .. } => unreachable!("no student learns from tables"),
        InputShape::Texts { .. } => {
            let words = ["good", "bad", "middling"];
            let text = |row: usize| format!("a {} film {}", words[row % 3], words[row % 3]);
            Inputs::Texts((0..count).map(|row| Text { first: text(row), second: None }).collect())
        }
    };
    let targets = match target {
        TargetShape::Value => Targets::Values((0..count).map(|row| (row % 3) as f32).collect()),
        TargetShape::Classes(classes_of) => {
            classes(&(0..count).map(|row| (row % 3).min(classes_of - 1) as u16).collect::<Vec<_>>(), classes_of)
        }
    };
    Split { inputs, targets }
}

fn spec(input: InputShape, target: TargetShape, written: &str) -> Spec {
    let entry = ENTRIES.iter().find(|entry| entry.name() == "student").unwrap();
    let shape = TaskShape { input, target, train_rows: 36, mirror_negates: false, characters: None };
    let params = Resolved::new(entry.params(), &shape, &written.parse().unwrap()).unwrap();
    Spec { shape, params: crate::ensemble::of_one(&params), device: Device::Cpu, threads: Threads::new(2), seed: 5 }
}

const TEACHER: &str =
    "teacher = { model = \"mlp\", epochs = 30, hidden = 8, learning_rate = 0.01, batch = 8, dropout = 0.0 }";

#[test]
fn each_learner_learns_the_task_from_the_teacher_and_no_epoch_is_one_of_the_student() {
    let learners = [
        "\"svm\"",
        "{ model = \"random-forest\", trees = 5 }",
        "{ model = \"mlp\", epochs = 60, hidden = 8, batch = 8, learning_rate = 0.02, dropout = 0.0 }",
    ];
    for learner in learners {
        for input in [TEXTS, IMAGES] {
            for target in [TargetShape::Classes(2), TargetShape::Classes(3), TargetShape::Value] {
                let what = format!("{learner} {input:?} {target:?}");
                let spec = spec(input, target, &format!("{TEACHER}\nlearner = {learner}"));
                let (train, validation, test) =
                    (split(input, target, 30), split(input, target, 6), split(input, target, 12));
                let mut watch = Epochs::default();
                let mut model = Student.build(&spec).unwrap();
                assert!(model.predict(&test.inputs).is_err() && model.save(Path::new("nowhere")).is_err());
                model.fit(&train, &validation, &mut watch).unwrap();
                assert_eq!((watch.own, watch.of_parts), (0, 30), "{what}: the teacher's epochs are parts");
                match (model.predict(&test.inputs).unwrap(), &test.targets) {
                    (
                        Predictions::Classes { labels, probabilities: Some(all) },
                        Targets::Classes { labels: truth, .. },
                    ) => {
                        let right = labels.iter().zip(truth).filter(|(a, b)| a == b).count();
                        assert!(right >= 9, "{what}: {right} of 12");
                        assert!((0..12).all(|row| (all.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-5));
                    }
                    (Predictions::Values(found), Targets::Values(truth)) => {
                        let error: f32 = found.iter().zip(truth).map(|(a, b)| (a - b).powi(2)).sum::<f32>() / 12.0;
                        assert!(error < 0.4, "{what}: {error}, and the variance is 0.67");
                    }
                    other => panic!("{what}: {other:?}"),
                }
                assert!(model.footprint().parameters > 0);
            }
        }
    }
}

#[test]
fn only_the_learners_are_saved_one_for_each_class_or_one_for_two() {
    let folder = tempfile::tempdir().unwrap();
    for (number, (target, parts)) in
        [(TargetShape::Classes(2), 1), (TargetShape::Classes(3), 3), (TargetShape::Value, 1)].into_iter().enumerate()
    {
        let mut model = Student.build(&spec(TEXTS, target, TEACHER)).unwrap();
        model.fit(&split(TEXTS, target, 30), &split(TEXTS, target, 6), &mut Epochs::default()).unwrap();
        let path = folder.path().join(number.to_string());
        model.save(&path).unwrap();
        let names: Vec<String> = std::fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().display().to_string())
            .filter(|name| name.starts_with("part-"))
            .collect();
        assert_eq!(names.len(), parts, "{names:?}");
        for name in names {
            let manifest = std::fs::read_to_string(path.join(name).join("artefact.json")).unwrap();
            assert!(manifest.contains("\"svm\""), "{manifest}");
        }
    }
}

#[test]
fn a_teacher_that_fails_is_named_and_one_of_another_kind_of_inputs_is_refused() {
    let fails = "teacher = { model = \"mlp\", features = \"pixels\", epochs = 20, optimizer = \"sgd\", learning_rate = 1e6, clip = 1e9 }";
    let target = TargetShape::Classes(3);
    let mut model = Student.build(&spec(IMAGES, target, fails)).unwrap();
    let fitted = model.fit(&split(IMAGES, target, 30), &split(IMAGES, target, 6), &mut Epochs::default());
    let error = fitted.unwrap_err();
    assert!(matches!(error, ModelError::Diverged { .. }), "{error}");
    assert!(error.to_string().contains("of mlp (teacher) is not a finite number"), "{error}");
    assert!(model.predict(&split(IMAGES, target, 3).inputs).is_err(), "it was not fitted");

    let of_texts = spec(IMAGES, target, "teacher = \"encoder\"");
    let Support::No { reason } = Student.supports(&of_texts.shape, &of_texts.params, Device::Cpu) else {
        panic!("a text encoder is said to read images");
    };
    assert_eq!(reason, "teacher = encoder: a text encoder reads no images");
    let of_texts = spec(IMAGES, target, "learner = { model = \"svm\", features = \"encoder\" }");
    let Support::No { reason } = Student.supports(&of_texts.shape, &of_texts.params, Device::Cpu) else {
        panic!("a text encoder is said to read images");
    };
    assert_eq!(reason, "learner = svm: features = encoder: a text encoder reads no images");
    let several = spec(TEXTS, target, "learner = { model = \"svm\", ensemble = 2 }");
    let error = Student.check(&several.params).unwrap_err().to_string();
    assert_eq!(error, "parameter 'learner' is an ensemble of 2 svm, expected svm alone, ensemble = 1");
}

#[test]
fn what_the_teacher_has_read_and_seen_is_that_of_the_student() {
    let params = spec(TEXTS, TargetShape::Classes(2), "teacher = \"encoder\"").params;
    assert!(Student.seen(&params).unwrap().contains(&"glue/mnli"));
    assert_eq!(Student.files(&params).len(), 3);
    assert_eq!(teacher(&params).params().word("mode"), "fine-tune", "a teacher learns the task");
}

/// A number that looks like chance (SplitMix64, Steele et al. 2014).
fn mixed(number: usize) -> usize {
    let z = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z >> 33) as usize
}

/// Films of eight words each, and how good they are: the sum of what their words are worth.
fn films(first: usize, count: usize) -> Split {
    const WORTH: [(&str, f32); 8] = [
        ("splendid", 3.0),
        ("good", 2.0),
        ("fair", 1.0),
        ("film", 0.0),
        ("long", -0.5),
        ("slow", -1.0),
        ("dull", -2.0),
        ("awful", -3.0),
    ];
    let (mut texts, mut values) = (Vec::new(), Vec::new());
    for row in first..first + count {
        let words = (0..8).map(|place| WORTH[mixed(row * 8 + place) % 8]).collect::<Vec<_>>();
        texts.push(Text { first: words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" "), second: None });
        values.push(words.iter().map(|(_, worth)| worth).sum());
    }
    Split { inputs: Inputs::Texts(texts), targets: Targets::Values(values) }
}

fn values(predictions: Predictions) -> Vec<f32> {
    let Predictions::Values(values) = predictions else { panic!("no numbers") };
    values
}

#[test]
fn with_unlabelled_rows_a_student_is_nearer_to_its_teacher_on_new_rows() {
    let (train, validation, test) = (films(0, 20), films(20, 4), films(1000, 200));
    let unlabelled = films(100, 400).inputs;
    for learner in ["\"svm\"", "{ model = \"random-forest\", trees = 20 }"] {
        let mut spec = spec(TEXTS, TargetShape::Value, &format!("teacher = \"svm\"\nlearner = {learner}"));
        spec.params.set(UNLABELLED, ParamValue::Int(400));
        let of = teacher(&spec.params).clone();
        let mut alone = of.entry().build(&Spec { params: of.params().clone(), ..spec.clone() }).unwrap();
        alone.fit(&train, &validation, &mut Epochs::default()).unwrap();
        let answers = values(alone.predict(&test.inputs).unwrap());
        let distance = |rows: &Inputs| {
            let mut model = Student.build(&spec).unwrap();
            model.fit_with_unlabelled(&train, &validation, rows, &mut Epochs::default()).unwrap();
            let found = values(model.predict(&test.inputs).unwrap());
            found.iter().zip(&answers).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / 200.0
        };
        let [with, without] = [distance(&unlabelled), distance(&unlabelled.select(&[]))];
        assert!(with < 0.5 * without, "{learner}: {with} with unlabelled rows, {without} without");
    }
}

#[test]
fn without_unlabelled_rows_both_ways_to_fit_give_the_same_bits_and_each_member_of_an_ensemble_gets_the_rows() {
    let entry = ENTRIES.iter().find(|entry| entry.name() == "student").unwrap();
    let (train, validation, test) = (films(0, 20), films(20, 4), films(1000, 50));
    let (none, some) = (train.inputs.select(&[]), films(100, 100).inputs);
    for ensemble in [1, 2] {
        let one = spec(TEXTS, TargetShape::Value, "teacher = { model = \"mlp\", epochs = 5, hidden = 8 }");
        let mut params = one.params.clone();
        params.set("ensemble", ParamValue::Int(ensemble));
        let fitted = |rows: Option<&Inputs>| {
            let mut model = entry.build(&Spec { params: params.clone(), ..one.clone() }).unwrap();
            match rows {
                None => model.fit(&train, &validation, &mut Epochs::default()),
                Some(rows) => model.fit_with_unlabelled(&train, &validation, rows, &mut Epochs::default()),
            }
            .unwrap();
            values(model.predict(&test.inputs).unwrap())
        };
        assert_eq!(fitted(None), fitted(Some(&none)));
        assert_ne!(fitted(None), fitted(Some(&some)), "{ensemble}");
    }
}

#[test]
fn a_forecast_and_a_limit_of_memory_count_the_unlabelled_rows_of_the_learners() {
    let target = TargetShape::Classes(3);
    let of = |rows: usize| spec(TEXTS, target, &format!("{TEACHER}\nlearner = \"svm\"\nunlabelled = {rows}"));
    let seconds = |spec: &Spec| Student.fit_s(&spec.shape, &spec.params, 2, Device::Cpu).unwrap();
    assert!(seconds(&of(20_000)) > seconds(&of(0)) + 1.0);
    let many = of(1_000_000);
    let Support::No { reason } = Student.supports(&many.shape, &many.params, Device::Cpu) else {
        panic!("a kernel of 10^12 numbers is said to fit");
    };
    assert!(reason.starts_with("learner = svm: the kernel between 1000036 training rows"), "{reason}");
    assert!(reason.ends_with("; 1000000 of these rows are unlabelled, so set unlabelled to fewer"), "{reason}");
    assert_eq!((Student.unlabelled(&many.params), Student.unlabelled(&of(0).params)), (1_000_000, 0));
}
