//! A saved model that is made of other models: its own files, and an artefact for each part.

use std::fs;
use std::path::Path;

use bakeoff_models::{Device, Threads};

use crate::saved::{ARRAYS, Kind, MANIFEST, MODEL, entry, fitted, rows};
use crate::{bits, files, refusal};

const HYBRID: &str = "features = { model = \"lstm\", epochs = 1, hidden = 3 }";

fn saved(params: &str, kind: Kind, folder: &Path) {
    fitted("svm", params, kind, true).save(folder).unwrap();
}

#[test]
fn the_folder_holds_the_files_of_the_model_and_those_of_its_part_which_loads_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("svm");
    saved(HYBRID, Kind::Texts, &path);
    let own = [ARRAYS, MANIFEST, MODEL].map(|file| Path::new(file).to_owned());
    let mut expected = [own.to_vec(), own.map(|file| Path::new("part-1").join(file)).to_vec()].concat();
    expected.sort();
    assert_eq!(files(&path).into_keys().collect::<Vec<_>>(), expected);
    let test = rows(Kind::Texts, true, 9, 3).inputs;
    let mut part = entry("lstm").load(&path.join("part-1"), Threads::new(1), Device::Cpu).unwrap();
    let mut alone = fitted("lstm", "epochs = 1\nhidden = 3", Kind::Texts, true);
    assert_eq!(bits(&part.predict(&test).unwrap()), bits(&alone.predict(&test).unwrap()));
}

#[test]
fn a_file_of_the_model_or_of_its_part_that_is_cut_off_missing_or_changed_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("svm");
    saved(HYBRID, Kind::Texts, &path);
    for (file, bytes) in files(&path) {
        let file = path.join(file);
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        for other in [Some(&bytes[..bytes.len() - 3]), Some(changed.as_slice()), None] {
            match other {
                Some(other) => fs::write(&file, other).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            // A sum in the manifest that is changed fits no longer to a file below.
            let blamed = if file == path.join(MANIFEST) { &path } else { &file };
            let message = refusal("svm", &path);
            assert!(message.starts_with(&blamed.display().to_string()), "{}: {message}", file.display());
        }
        fs::write(&file, &bytes).unwrap();
    }
    assert!(entry("svm").load(&path, Threads::new(1), Device::Cpu).is_ok());
}

/// What is said of the model in `path` if its part is replaced by that of `other`, under a checksum that fits.
fn with_part_of(other: &Path, path: &Path) -> String {
    for file in [ARRAYS, MANIFEST, MODEL] {
        fs::copy(other.join("part-1").join(file), path.join("part-1").join(file)).unwrap();
    }
    let read = |folder: &Path| -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.join(MANIFEST)).unwrap()).unwrap()
    };
    let mut sealed = read(path);
    sealed["files"]["part-1/artefact.json"] = read(other)["files"]["part-1/artefact.json"].clone();
    fs::write(path.join(MANIFEST), sealed.to_string()).unwrap();
    refusal("svm", path)
}

#[test]
fn a_part_of_another_model_task_or_size_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (number, (other, kind, says)) in [
        (HYBRID.replace("hidden = 3", "hidden = 4"), Kind::Texts, "is of another task than the model beside it"),
        (HYBRID.to_owned(), Kind::Pairs, "is of another task than the model beside it"),
        (HYBRID.replace("lstm", "gru"), Kind::Texts, "holds gru"),
    ]
    .into_iter()
    .enumerate()
    {
        let [path, replacement] = ["one", "other"].map(|name| folder.path().join(format!("{name}{number}")));
        saved(HYBRID, Kind::Texts, &path);
        saved(&other, kind, &replacement);
        let message = with_part_of(&replacement, &path);
        assert!(message.starts_with(&path.join("part-1").display().to_string()), "{message}");
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn parts_that_are_missing_or_too_many_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("svm");
    saved(HYBRID, Kind::Texts, &path);
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(path.join(MANIFEST)).unwrap()).unwrap();
    let part = manifest["files"]["part-1/artefact.json"].clone();

    let mut renamed = manifest.clone();
    renamed["files"].as_object_mut().unwrap().remove("part-1/artefact.json");
    renamed["files"]["part-2/artefact.json"] = part.clone();
    fs::write(path.join(MANIFEST), renamed.to_string()).unwrap();
    let message = refusal("svm", &path);
    assert!(
        message.contains("lists other files than arrays.safetensors, model.json, part-1/artefact.json"),
        "{message}"
    );

    let mut two = manifest.clone();
    two["files"]["part-2/artefact.json"] = part;
    fs::write(path.join(MANIFEST), two.to_string()).unwrap();
    fs::create_dir(path.join("part-2")).unwrap();
    for file in [ARRAYS, MANIFEST, MODEL] {
        fs::copy(path.join("part-1").join(file), path.join("part-2").join(file)).unwrap();
    }
    let message = refusal("svm", &path);
    assert!(message.contains("goes with 2 parts, expected 1"), "{message}");
}
