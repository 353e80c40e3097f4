//! The official files, where this machine has them: fetched from `../shared/data` as a mirror, and read.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use bakeoff_datasets::{
    COLA, Cifar10, Dataset, FetchOptions, Inputs, MRPC, Mirror, SST2, STSB, Split, Splits, Store, Targets, Text, fetch,
};
use md5::{Digest, Md5};
use tempfile::TempDir;

/// The full datasets, where this machine has them. On CI they must be there.
fn mirror() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let present = folder.join("cifar-10-binary.tar.gz").exists();
    assert!(present || env::var_os("CI").is_none(), "CI must have the full datasets at {}", folder.display());
    if !present {
        eprintln!("not checked: no full datasets beside the repository");
    }
    present.then_some(folder)
}

/// A store with `dataset` in its data folder.
fn fetched(dataset: &dyn Dataset) -> Option<(TempDir, Store)> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::embedded().with_data(folder.path());
    let options = FetchOptions { mirror: Some(Mirror::Folder(mirror()?)), ..Default::default() };
    fetch(dataset, &store, &options, &mut |_| {}).unwrap();
    Some((folder, store))
}

fn loaded(dataset: &dyn Dataset) -> Option<(Splits, Vec<Text>)> {
    let (_folder, store) = fetched(dataset)?;
    Some(read(dataset, &store))
}

fn read(dataset: &dyn Dataset, store: &Store) -> (Splits, Vec<Text>) {
    let splits = dataset.load(store).unwrap();
    assert_eq!((splits.train.len(), splits.test.len()), (dataset.train_rows(), dataset.test_rows()));
    let hidden = dataset.load_hidden(store).unwrap();
    let [("test", Inputs::Texts(texts))] = hidden.as_slice() else { panic!("not one hidden test split") };
    (splits, texts.clone())
}

fn counts(split: &Split) -> Vec<usize> {
    let Targets::Classes { labels, names } = &split.targets else { panic!("not classes") };
    let mut counts = vec![0; names.len()];
    labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    counts
}

fn text(split: &Split, row: usize) -> &Text {
    let Inputs::Texts(texts) = &split.inputs else { panic!("not texts") };
    &texts[row]
}

fn single(first: &str) -> Text {
    Text { first: first.to_owned(), second: None }
}

fn pair(first: &str, second: &str) -> Text {
    Text { first: first.to_owned(), second: Some(second.to_owned()) }
}

#[test]
fn cola_has_its_official_rows() {
    let Some((splits, hidden)) = loaded(&COLA) else { return };
    assert_eq!((splits.train.len(), splits.test.len(), hidden.len()), (8_551, 1_043, 1_063));
    assert_eq!(counts(&splits.train), [2_528, 6_023]);
    assert_eq!(*text(&splits.test, 0), single("The sailors rode the breeze clear of the rocks."));
    assert_eq!(hidden[0], single("Bill whistled past the house."));
}

#[test]
fn sst2_has_its_official_rows() {
    let Some((splits, hidden)) = loaded(&SST2) else { return };
    assert_eq!((splits.train.len(), splits.test.len(), hidden.len()), (67_349, 872, 1_821));
    assert_eq!(counts(&splits.test), [428, 444]);
    assert_eq!(hidden[0], single("uneasy mishmash of styles and genres ."));
}

#[test]
fn mrpc_is_derived_from_the_official_files_and_has_its_official_rows() {
    let Some((folder, store)) = fetched(&MRPC) else { return };
    // As published.
    for (file, md5) in [
        ("train.tsv", "dc2dac669a113866a6480a0b10cd50bf"),
        ("dev.tsv", "185958e46ba556b38c6a7cc63f3a2135"),
        ("test.tsv", "4825dab4b4832f81455719660b608de5"),
    ] {
        let bytes = fs::read(folder.path().join("glue/mrpc").join(file)).unwrap();
        let found: String = Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, md5, "{file}");
    }
    let (splits, hidden) = read(&MRPC, &store);
    assert_eq!((splits.train.len(), splits.test.len(), hidden.len()), (3_668, 408, 1_725));
    assert_eq!((counts(&splits.train), counts(&splits.test)), (vec![1_194, 2_474], vec![129, 279]));
    assert!(text(&splits.train, 0).first.starts_with("Amrozi accused his brother"));
    assert!(text(&splits.train, 0).second.is_some());
}

#[test]
fn stsb_has_its_official_rows_and_scores_from_0_to_5() {
    let Some((splits, hidden)) = loaded(&STSB) else { return };
    assert_eq!((splits.train.len(), splits.test.len(), hidden.len()), (5_749, 1_500, 1_379));
    let Targets::Values(values) = &splits.train.targets else { panic!("not values") };
    assert_eq!(values[..3], [5.0, 3.8, 3.8]);
    assert!(values.contains(&0.0) && values.iter().all(|value| (0.0..=5.0).contains(value)));
    assert_eq!(hidden[0], pair("A girl is styling her hair.", "A girl is brushing her hair."));
}

#[test]
fn cifar10_has_all_its_images_in_equal_classes_and_none_twice() {
    let Some((folder, store)) = fetched(&Cifar10) else { return };
    let splits = Cifar10.load(&store).unwrap();
    assert_eq!((counts(&splits.train), counts(&splits.test)), (vec![5_000; 10], vec![1_000; 10]));
    let (Inputs::Images(train), Inputs::Images(test)) = (&splits.train.inputs, &splits.test.inputs) else {
        panic!("not images")
    };
    assert_eq!((train.pixels.capacity(), test.pixels.capacity()), (50_000 * 3_072, 10_000 * 3_072));
    let all: HashSet<&[u8]> =
        (0..train.len()).map(|row| train.image(row)).chain((0..test.len()).map(|row| test.image(row))).collect();
    assert_eq!(all.len(), 60_000);
    assert!(!folder.path().join("cifar10/batches.meta.txt").exists(), "it is not needed");

    let cut = folder.path().join("cifar10/data_batch_3.bin");
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() - 1]).unwrap();
    let message = Cifar10.load(&store).unwrap_err().to_string();
    assert!(message.starts_with(&cut.display().to_string()) && message.contains("found 30729999 bytes"), "{message}");
}
