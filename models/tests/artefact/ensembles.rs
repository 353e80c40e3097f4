//! A saved ensemble: an artefact for each member, and a manifest over them.

use std::fs;
use std::path::Path;

use bakeoff_models::{Device, ModelError, Predictions, Threads};

use crate::saved::{ARRAYS, Kind, MANIFEST, MODEL, entry, fitted, rows};
use crate::{bits, files, refusal};

/// An ensemble of every family, small.
pub(crate) const FORMS: &[(&str, &str)] = &[
    ("transformer", "ensemble = 2\nepochs = 1\nwidth = 8\nheads = 2\nlayers = 1\nfeed_forward = 8"),
    ("resnet", "ensemble = 2\nepochs = 1\ndepth = 8\nwidth = 2"),
    ("cnn", "ensemble = 2\nepochs = 1\ndepth = 8\nwidth = 2"),
    ("lstm", "ensemble = 2\nepochs = 1\nhidden = 3"),
    ("gru", "ensemble = 2\nepochs = 1\nhidden = 3"),
    ("gan", "ensemble = 2\nepochs = 1\nwidth = 2\nnoise = 3"),
    ("mlp", "ensemble = 2\nepochs = 1\nhidden = 3"),
    ("encoder", "ensemble = 2\nepochs = 1\nmax_tokens = 64\nweights = \"TINY\""),
    ("svm", "ensemble = 2"),
    // From ten members on, the order of the names is not that of the numbers.
    ("random-forest", "ensemble = 11\ntrees = 2"),
    ("decision-tree", "ensemble = 2"),
    ("fusion", "ensemble = 2\nnetwork = { model = \"lstm\", epochs = 1, hidden = 3 }"),
    ("student", "ensemble = 2\nteacher = { model = \"mlp\", epochs = 1, hidden = 3 }"),
    ("compress", "ensemble = 2\nof = { model = \"mlp\", epochs = 1, hidden = 4 }\nfine_tune = 0"),
];

fn saved(name: &str, params: &str, folder: &Path) {
    fitted(name, params, Kind::Texts, true).save(folder).unwrap();
}

#[test]
fn the_folder_holds_an_artefact_for_each_member_and_each_loads_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forest");
    saved("random-forest", "ensemble = 3\ntrees = 2", &path);
    let expected = ["member-1", "member-2", "member-3"]
        .into_iter()
        .flat_map(|member| [ARRAYS, MANIFEST, MODEL].map(|file| Path::new(member).join(file)))
        .chain([MANIFEST.into()]);
    let mut expected: Vec<_> = expected.collect();
    expected.sort();
    assert_eq!(files(&path).into_keys().collect::<Vec<_>>(), expected);

    let test = rows(Kind::Texts, true, 20, 3).inputs;
    let predict = |folder: &Path| match entry("random-forest").load(folder, Threads::new(1), Device::Cpu) {
        Ok(mut model) => match model.predict(&test).unwrap() {
            Predictions::Classes { probabilities: Some(matrix), .. } => matrix.data,
            other => panic!("{other:?}"),
        },
        Err(error) => panic!("{error}"),
    };
    let members = [1, 2, 3].map(|member| predict(&path.join(format!("member-{member}"))));
    let mean = |at: usize| (members.iter().map(|member| f64::from(member[at])).sum::<f64>() / 3.0) as f32;
    assert_eq!(predict(&path), (0..members[0].len()).map(mean).collect::<Vec<_>>());
}

#[test]
fn a_file_of_a_member_that_is_cut_off_missing_or_changed_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lstm");
    saved("lstm", "ensemble = 2\nepochs = 1\nhidden = 3", &path);
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
            // A sum in the manifest over the members that is changed fits no longer to a file below.
            let blamed = if file == path.join(MANIFEST) { &path } else { &file };
            let message = refusal("lstm", &path);
            assert!(message.starts_with(&blamed.display().to_string()), "{}: {message}", file.display());
        }
        fs::write(&file, &bytes).unwrap();
    }
    assert!(entry("lstm").load(&path, Threads::new(1), Device::Cpu).is_ok());
}

#[test]
fn members_that_were_exchanged_or_are_of_another_ensemble_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [path, other] = ["one", "other"].map(|name| folder.path().join(name));
    saved("random-forest", "ensemble = 2\ntrees = 2", &path);
    saved("random-forest", "ensemble = 2\ntrees = 3", &other);
    let swap = |one: &Path, two: &Path| {
        let aside = folder.path().join("aside");
        fs::rename(one, &aside).unwrap();
        fs::rename(two, one).unwrap();
        fs::rename(&aside, two).unwrap();
    };
    let (first, second) = (path.join("member-1"), path.join("member-2"));
    swap(&first, &second);
    let message = refusal("random-forest", &path);
    assert!(message.starts_with(&first.join(MANIFEST).display().to_string()), "{message}");
    assert!(message.contains("cut off or changed"), "{message}");
    swap(&first, &second);
    assert!(entry("random-forest").load(&path, Threads::new(1), Device::Cpu).is_ok());

    // Under checksums that fit, as whoever wants to do harm would make them.
    swap(&second, &other.join("member-2"));
    let manifest = fs::read_to_string(path.join(MANIFEST)).unwrap();
    let of_other = fs::read_to_string(other.join(MANIFEST)).unwrap();
    let sums = |manifest: &str| -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(manifest).unwrap()["files"]["member-2/artefact.json"].clone()
    };
    let mut sealed: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    sealed["files"]["member-2/artefact.json"] = sums(&of_other);
    fs::write(path.join(MANIFEST), sealed.to_string()).unwrap();
    let message = refusal("random-forest", &path);
    assert!(message.starts_with(&second.join(MODEL).display().to_string()), "{message}");
    assert!(message.contains("is of another task than member-1, or has other parameters"), "{message}");
}

#[test]
fn a_manifest_of_other_files_or_of_another_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("svm");
    saved("svm", "ensemble = 2", &path);
    let manifest = fs::read_to_string(path.join(MANIFEST)).unwrap();
    let expected =
        "lists other files than member-1/artefact.json, member-2/artefact.json and so on, of 2 to 100 members";
    for (from, to, expected) in [
        ("member-2/", "member-3/", expected),
        ("member-2/", "../member-2/", expected),
        ("\"svm\"", "\"lstm\"", "holds lstm"),
        ("linfa-svm", "linfa-old", "fit the model again with this program"),
    ] {
        assert!(manifest.contains(from), "{manifest}");
        fs::write(path.join(MANIFEST), manifest.replace(from, to)).unwrap();
        let message = refusal("svm", &path);
        assert!(message.starts_with(&path.join(MANIFEST).display().to_string()), "{message}");
        assert!(message.contains(expected), "{message}");
    }
    for count in [0, 1, 101] {
        let mut value: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        let sums = value["files"]["member-1/artefact.json"].clone();
        let files = (1..=count).map(|member| (format!("member-{member}/artefact.json"), sums.clone()));
        value["files"] = serde_json::Value::Object(files.collect());
        fs::write(path.join(MANIFEST), value.to_string()).unwrap();
        let message = refusal("svm", &path);
        assert!(message.contains(expected), "{count}: {message}");
    }
}

#[test]
fn an_ensemble_that_cannot_be_saved_leaves_nothing_and_names_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let model = fitted("random-forest", "ensemble = 2\ntrees = 1", Kind::Texts, true);
    let file = folder.path().join("file");
    fs::write(&file, "kept").unwrap();
    for path in [file.clone(), file.join("below")] {
        let Err(ModelError::Artefact { path: named, .. }) = model.save(&path) else { panic!("it was saved") };
        assert!(named.starts_with(&path), "{}", named.display());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let path = folder.path().join("model");
    model.save(&path).unwrap();
    let test = rows(Kind::Texts, true, 5, 4).inputs;
    let mut loaded = entry("random-forest").load(&path, Threads::new(1), Device::Cpu).unwrap();
    let mut model = model;
    assert_eq!(bits(&loaded.predict(&test).unwrap()), bits(&model.predict(&test).unwrap()));
}
