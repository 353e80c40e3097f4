//! What a saved model promises: loaded again, in this process or another, it predicts the same bits; and whatever is not
//! what was saved is refused with the file's name, never with a panic.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bakeoff_models::{Device, ENTRIES, ModelError, Predictions, Threads, inspect};
use proptest::prelude::*;
use saved::{ARRAYS, FORMS, Kind, MANIFEST, MODEL, entry, fitted, kinds, rows, saved, sealed, shape, targets, written};

mod ensembles;
mod parts;
mod saved;

/// Says to a test that it is a process of its own, and where the model is.
const CHILD: &str = "BAKEOFF_ARTEFACT_OF_A_FRESH_PROCESS";

fn bits(predictions: &Predictions) -> Vec<u32> {
    match predictions {
        Predictions::Values(values) => values.iter().map(|value| value.to_bits()).collect(),
        Predictions::Classes { labels, probabilities } => {
            let probabilities = probabilities.iter().flat_map(|matrix| &matrix.data).map(|value| value.to_bits());
            labels.iter().map(|&label| u32::from(label)).chain(probabilities).collect()
        }
    }
}

/// The files of a saved model below `folder`, by their paths in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| -> Vec<(PathBuf, Vec<u8>)> {
        let name = PathBuf::from(path.file_name().unwrap());
        if path.is_dir() {
            files(&path).into_iter().map(|(file, bytes)| (name.join(file), bytes)).collect()
        } else {
            vec![(name, fs::read(&path).unwrap())]
        }
    };
    entries.flat_map(below).collect()
}

#[test]
fn every_model_has_a_small_form_here_and_its_arrays_in_the_documents() {
    let page = include_str!("../../../docs/artefacts.md");
    for name in ENTRIES.iter().map(|entry| entry.name()) {
        assert!(FORMS.iter().any(|(other, _)| *other == name), "FORMS in models/tests/artefact/saved.rs lacks {name}");
        assert!(page.contains(&format!("`{name}`")), "docs/artefacts.md lacks the arrays of {name}");
    }
}

#[test]
fn a_loaded_model_predicts_the_same_bits_on_any_threads() {
    let folder = tempfile::tempdir().unwrap();
    let mut number = 0;
    for &(name, params) in FORMS.iter().chain(ensembles::FORMS) {
        for &kind in kinds(name, params) {
            for &classes in targets(name) {
                number += 1;
                let path = folder.path().join(number.to_string());
                let mut model = fitted(name, params, kind, classes);
                model.save(&path).unwrap();
                let said = inspect(&path).unwrap();
                assert_eq!((said.model.as_str(), said.shape), (name, shape(kind, classes)), "{name} {params}");
                let test = rows(kind, classes, 20, 3).inputs;
                let expected = bits(&model.predict(&test).unwrap());
                for threads in [1, 3] {
                    let mut loaded = entry(name).load(&path, Threads::new(threads), Device::Cpu).unwrap();
                    let found = bits(&loaded.predict(&test).unwrap());
                    assert_eq!(found, expected, "{name} {params} {kind:?} {classes}");
                    assert_eq!(loaded.footprint(), model.footprint());
                    assert_eq!(loaded.truncated(&test), model.truncated(&test));
                    assert_eq!(loaded.wordless(&test), model.wordless(&test));
                    assert_eq!(loaded.images(5), model.images(5));
                }
                // A model that was loaded saves the same bytes.
                let again = folder.path().join(format!("{number} again"));
                entry(name).load(&path, Threads::new(1), Device::Cpu).unwrap().save(&again).unwrap();
                assert!(files(&path) == files(&again), "{name} {params}");
            }
        }
    }
}

#[test]
fn a_fresh_process_predicts_the_same_bits() {
    let kind = |name: &str| *kinds(name, "").last().unwrap();
    let test = |name: &str| rows(kind(name), true, 20, 3).inputs;
    if let Ok(folder) = std::env::var(CHILD) {
        for &(name, _) in FORMS {
            let path = PathBuf::from(&folder).join(name);
            let mut model = entry(name).load(&path, Threads::new(2), Device::Cpu).unwrap();
            fs::write(path.join("bits"), format!("{:?}", bits(&model.predict(&test(name)).unwrap()))).unwrap();
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut expected = BTreeMap::new();
    for &(name, params) in FORMS {
        if !expected.contains_key(name) {
            let mut model = fitted(name, params, kind(name), true);
            model.save(&folder.path().join(name)).unwrap();
            expected.insert(name, format!("{:?}", bits(&model.predict(&test(name)).unwrap())));
        }
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.args(["--exact", "a_fresh_process_predicts_the_same_bits"]).env(CHILD, folder.path());
    assert!(child.output().unwrap().status.success());
    for (name, expected) in expected {
        assert_eq!(fs::read_to_string(folder.path().join(name).join("bits")).unwrap(), expected, "{name}");
    }
}

fn refusal(name: &str, folder: &Path) -> String {
    match entry(name).load(folder, Threads::new(1), Device::Cpu) {
        Err(error @ ModelError::Artefact { .. }) => error.to_string(),
        Err(error) => panic!("{name}: {error} names no file"),
        Ok(_) => panic!("{name} was loaded"),
    }
}

#[test]
fn what_is_cut_off_missing_or_changed_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, _, files) in saved() {
        for (place, file) in [MANIFEST, MODEL, ARRAYS].iter().enumerate() {
            let path = folder.path().join(file).display().to_string();
            let mut cut = files.clone();
            cut[place].truncate(files[place].len() - 3);
            written(folder.path(), &cut);
            assert!(refusal(name, folder.path()).starts_with(&path));
            let mut longer = files.clone();
            longer[place].extend_from_slice(b"{}");
            written(folder.path(), &longer);
            assert!(refusal(name, folder.path()).starts_with(&path));
            written(folder.path(), files);
            fs::remove_file(folder.path().join(file)).unwrap();
            let message = refusal(name, folder.path());
            assert!(message.starts_with(&format!("{path}: failed to read the saved model: ")), "{message}");
        }
        let mut changed = files.clone();
        let last = changed[2].len() - 1;
        changed[2][last] ^= 1;
        written(folder.path(), &changed);
        let message = refusal(name, folder.path());
        assert!(message.contains("arrays.safetensors: is") && message.contains("cut off or changed"), "{message}");
    }
}

#[test]
fn a_model_of_another_family_version_or_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_, _, files) = saved().iter().find(|(name, ..)| *name == "svm").unwrap();
    written(folder.path(), files);
    let message = refusal("random-forest", folder.path());
    assert!(message.contains("artefact.json: holds svm ") && message.contains("expected random-forest "), "{message}");
    for (from, to, expected) in [
        (
            "\"format\": 1",
            "\"format\": 4",
            "is of format 4, but a model is of format 1, an ensemble of format 2, one with parts of format 3, an external model of format 4",
        ),
        ("\"format\": 1", "\"format\": 3", "is of format 3 and lists no part-1/artefact.json"),
        ("\"format\": 1", "\"format\": 2", "lists other files than member-1/artefact.json, member-2/artefact.json"),
        ("linfa-svm", "linfa-old", "fit the model again with this program"),
        ("\"model\"", "\"modell\"", "is not what a saved model has there: unknown field `modell`"),
    ] {
        let manifest = String::from_utf8(files[0].clone()).unwrap().replace(from, to).into_bytes();
        written(folder.path(), &[manifest, files[1].clone(), files[2].clone()]);
        let message = refusal("svm", folder.path());
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_folder_that_is_there_is_left_alone_and_nothing_half_written_stays() {
    let folder = tempfile::tempdir().unwrap();
    let model = fitted("random-forest", "trees = 1", Kind::Images, true);
    let path = folder.path().join("model");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("mine"), "kept").unwrap();
    let message = model.save(&path).unwrap_err().to_string();
    assert_eq!(message, format!("{}: is there already; give a folder that is not, or remove it", path.display()));
    assert_eq!(fs::read_to_string(path.join("mine")).unwrap(), "kept");
    let nowhere = path.join("mine").join("below");
    assert!(model.save(&nowhere).unwrap_err().to_string().contains("failed to save the model"));
    model.save(&folder.path().join("deep").join("er")).unwrap();
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

/// Arrays as they were, but for the first bytes of one of them.
fn rewritten(arrays: &[u8], name: &str, first: &[u8]) -> Vec<u8> {
    let file = safetensors::SafeTensors::deserialize(arrays).unwrap();
    let mut all: Vec<_> = file
        .iter()
        .map(|(name, view)| (name.to_owned(), view.dtype(), view.shape().to_vec(), view.data().to_vec()))
        .collect();
    let (.., bytes) = all.iter_mut().find(|(other, ..)| other == name).unwrap();
    bytes[..first.len()].copy_from_slice(first);
    let views = all.iter().map(|(name, dtype, shape, bytes)| {
        (name, safetensors::tensor::TensorView::new(*dtype, shape.clone(), bytes).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn numbers_that_would_lead_nowhere_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let not_a_number = f32::NAN.to_bits();
    // What the first four bytes of an array become.
    let harm = [
        ("random-forest", Kind::Images, "nodes.next", 0),
        ("random-forest", Kind::Images, "nodes.next", u32::MAX),
        ("random-forest", Kind::Images, "nodes.feature", 1 << 20),
        ("random-forest", Kind::Images, "trees.nodes", u32::MAX),
        ("random-forest", Kind::Images, "nodes.threshold", not_a_number),
        ("decision-tree", Kind::Images, "trees.nodes", 1),
        ("svm", Kind::Pairs, "classes", 7),
        ("svm", Kind::Pairs, "bias", f32::INFINITY.to_bits()),
        ("lstm", Kind::Images, "weights.head.weight", not_a_number),
        ("compress", Kind::Images, "weights.layer0.input.scale", 0),
        ("encoder", Kind::Pairs, "weights.embeddings.LayerNorm.weight", not_a_number),
        ("resnet", Kind::Images, "pixels.std", 0),
        ("gan", Kind::Images, "generator.weights.start.weight", not_a_number),
    ];
    for (name, kind, array, value) in harm {
        let (.., files) = saved().iter().find(|(other, of, _)| *other == name && *of == kind).unwrap();
        let arrays = rewritten(&files[2], array, &value.to_le_bytes());
        written(folder.path(), &sealed(&[files[0].clone(), files[1].clone(), arrays]));
        let message = refusal(name, folder.path());
        assert!(message.contains(ARRAYS), "{name} {array}: {message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_loading_panic(
        which in any::<prop::sample::Index>(),
        place in 0_usize..3,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        seal in any::<bool>(),
    ) {
        let (name, kind, files) = &saved()[which.index(saved().len())];
        let mut files = files.clone();
        for (at, value) in &flips {
            let at = at.index(files[place].len());
            files[place][at] = *value;
        }
        // A manifest that is changed cannot be sealed: it is the seal.
        let is_changed = files != saved()[which.index(saved().len())].2;
        if seal && place > 0 {
            files = sealed(&files);
        }
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), &files);
        match entry(name).load(folder.path(), Threads::new(1), Device::Cpu) {
            Err(ModelError::Artefact { path, .. }) => prop_assert!(path.starts_with(folder.path())),
            Err(error) => prop_assert!(false, "{} names no file", error),
            Ok(mut model) => {
                prop_assert!(seal || place == 0 || !is_changed, "a change without a seal was not seen");
                let _ = model.predict(&rows(*kind, true, 5, 4).inputs);
            }
        }
    }
}
