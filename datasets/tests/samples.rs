//! The samples in the repository: the right bytes, the right examples, and made as they say.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use bakeoff_datasets::{Cifar10Sample, DATASETS, Dataset, Fetchable, Inputs, Sst2Sample, Store, Targets};
use flate2::read::GzDecoder;

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The datasets that are in the program.
fn samples() -> impl Iterator<Item = &'static dyn Dataset> {
    DATASETS.iter().copied().filter(|dataset| dataset.transport().is_none())
}

fn labels(targets: &Targets) -> &[u16] {
    match targets {
        Targets::Classes { labels, .. } => labels,
        Targets::Values(_) => panic!("not classes"),
    }
}

fn counts(targets: &Targets, classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    labels(targets).iter().for_each(|&label| counts[usize::from(label)] += 1);
    counts
}

fn unpacked(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn the_files_in_the_repository_have_the_checksums_in_the_code() {
    let store = Store::folder(crate_folder().join("samples"));
    let mut total = 0;
    for dataset in samples() {
        for file in dataset.files() {
            total += store.read(file).unwrap().len();
            assert_eq!(store.read(file).unwrap(), Store::embedded().read(file).unwrap(), "{}", file.name);
        }
    }
    assert!(total < 12_000_000, "{total} bytes");
}

#[test]
fn every_dataset_loads_the_same_from_the_program_and_from_a_folder() {
    for dataset in samples() {
        let splits = dataset.load(&Store::embedded()).unwrap();
        assert_eq!(splits, dataset.load(&Store::folder(crate_folder().join("samples"))).unwrap(), "{}", dataset.id());
        assert_eq!(splits.train.len(), dataset.train_rows(), "{}", dataset.id());
        assert_eq!(splits.test.len(), dataset.test_rows(), "{}", dataset.id());
        let Targets::Classes { names, .. } = &splits.train.targets else { panic!("not classes") };
        assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), dataset.classes());
    }
}

#[test]
fn dataset_ids_are_unique() {
    let ids: HashSet<_> = DATASETS.iter().map(|dataset| dataset.id()).collect();
    assert_eq!(ids.len(), DATASETS.len());
}

#[test]
fn cifar10_is_balanced_in_full_and_fair_in_any_prefix() {
    let splits = Cifar10Sample.load(&Store::embedded()).unwrap();
    assert_eq!(counts(&splits.train.targets, 10), [200; 10]);
    assert_eq!(counts(&splits.test.targets, 10), [100; 10]);
    let prefix = splits.train.targets.select(&(0..500).collect::<Vec<_>>());
    assert!(counts(&prefix, 10).iter().all(|&count| (30..=70).contains(&count)), "{:?}", counts(&prefix, 10));
}

#[test]
fn cifar10_training_and_test_images_are_all_different() {
    let splits = Cifar10Sample.load(&Store::embedded()).unwrap();
    let (Inputs::Images(train), Inputs::Images(test)) = (&splits.train.inputs, &splits.test.inputs) else {
        panic!("not images")
    };
    let all: HashSet<&[u8]> =
        (0..train.len()).map(|row| train.image(row)).chain((0..test.len()).map(|row| test.image(row))).collect();
    assert_eq!(all.len(), 3_000);
}

#[test]
fn sst2_has_the_expected_counts_and_no_dev_sentence_in_training() {
    let splits = Sst2Sample.load(&Store::embedded()).unwrap();
    assert_eq!(counts(&splits.train.targets, 2), [7_064, 8_936]);
    assert_eq!(counts(&splits.test.targets, 2), [428, 444]);
    let (Inputs::Texts(train), Inputs::Texts(test)) = (&splits.train.inputs, &splits.test.inputs) else {
        panic!("not texts")
    };
    let seen: HashSet<&str> = train.iter().map(|text| text.first.as_str()).collect();
    assert!(test.iter().all(|text| !seen.contains(text.first.as_str())));
    let sad = test.iter().position(|text| text.first == "unflinchingly bleak and desperate").unwrap();
    assert_eq!(labels(&splits.test.targets)[sad], 0);
}

#[test]
fn a_truncated_sample_is_refused_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    for file in Sst2Sample.files() {
        let embedded = file.embedded.unwrap();
        fs::write(folder.path().join(file.name), embedded.split_last().unwrap().1).unwrap();
    }
    let message = Sst2Sample.load(&Store::folder(folder.path())).unwrap_err().to_string();
    let path = folder.path().join("sst2-train.tsv.gz").display().to_string();
    assert!(message.starts_with(&path) && message.contains("346418 bytes") && message.contains("346417"), "{message}");
}

/// The full datasets, where this machine has them. On CI they must be there.
fn full_data() -> Option<PathBuf> {
    let folder = crate_folder().join("../../shared/data");
    let present = folder.join("cifar-10-binary.tar.gz").exists();
    assert!(present || env::var_os("CI").is_none(), "CI must have the full datasets at {}", folder.display());
    present.then_some(folder)
}

#[test]
fn cutting_the_samples_anew_gives_the_same_content() {
    let Some(source) = full_data() else {
        eprintln!("not checked: no full datasets beside the repository");
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let script = crate_folder().join("../scripts/make-samples");
    let run = Command::new("python3").arg(script).arg(source).arg(out.path()).output();
    let run = run.expect("scripts/make-samples needs python3 on the path");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    for file in samples().flat_map(|dataset| dataset.files()) {
        // The content and not the packed bytes: another version of zlib may pack the same content otherwise.
        let (made, kept) = (out.path().join(file.name), crate_folder().join("samples").join(file.name));
        assert!(unpacked(&made) == unpacked(&kept), "{} differs from what scripts/make-samples writes", file.name);
    }
}
