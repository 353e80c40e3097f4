//! IDX files and binary records.

use bakeoff_datasets::own::{BinaryLayout, DataFormat, Own, OwnData, OwnError, Part, TestRows};
use bakeoff_datasets::{Inputs, Targets};

use crate::common::{Folder, classes};

/// An IDX file of unsigned bytes.
fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let sizes_bytes = sizes.iter().flat_map(|size| size.to_be_bytes());
    [0, 0, 8, sizes.len() as u8].into_iter().chain(sizes_bytes).chain(data.iter().copied()).collect()
}

fn load_idx(folder: &Folder, classes: Option<&[&str]>) -> Result<Own, OwnError> {
    let part = || Part { path: folder.path("images"), labels: Some(folder.path("labels")) };
    let classes = classes.map(|names| names.iter().map(|&name| name.to_owned()).collect());
    OwnData { layout: DataFormat::Idx { classes }, train: vec![part()], test: TestRows::Parts(vec![part()]) }.load()
}

fn idx_refusal(images: &[u8], labels: &[u8]) -> String {
    let folder = Folder::new();
    folder.write("images", images);
    folder.write("labels", labels);
    let message = load_idx(&folder, None).unwrap_err().to_string();
    message.replace(&format!("{}/", folder.path("x").parent().unwrap().display()), "")
}

#[test]
fn idx_files_are_grey_images_and_their_labels() {
    let folder = Folder::new();
    folder.write("images", idx(&[3, 1, 2], &[1, 2, 3, 4, 5, 6]));
    folder.write("labels", idx(&[3], &[7, 0, 7]));
    let own = load_idx(&folder, None).unwrap();
    let Inputs::Images(images) = &own.splits.train.inputs else { panic!("not images") };
    assert_eq!((images.channels, images.height, images.width, images.image(1)), (1, 1, 2, &[3, 4][..]));
    assert_eq!(classes(&own.splits.train), ["7", "0", "7"]);
    assert_eq!(own.checksums.len(), 4);
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    assert_eq!(classes(&load_idx(&folder, Some(&names)).unwrap().splits.train), ["h", "a", "h"]);
    let message = load_idx(&folder, Some(&names[..7])).unwrap_err().to_string();
    assert!(
        message.ends_with("labels, label 1: expected a label in 0..=6, as there are 7 classes, found 7"),
        "{message}"
    );
}

#[test]
fn idx_files_of_test_images_of_another_size_are_refused() {
    let folder = Folder::new();
    folder.write("images", idx(&[2, 2, 2], &[0; 8]));
    folder.write("labels", idx(&[2], &[0, 1]));
    folder.write("larger", idx(&[2, 2, 3], &[0; 12]));
    let part = |images| Part { path: folder.path(images), labels: Some(folder.path("labels")) };
    let layout = DataFormat::Idx { classes: None };
    let data = OwnData { layout, train: vec![part("images")], test: TestRows::Parts(vec![part("larger")]) };
    let message = data.load().unwrap_err().to_string();
    let (train, test) = (folder.path("images"), folder.path("larger"));
    let expected = format!("{}: expected images of 2 x 2, as in {}, found 2 x 3", test.display(), train.display());
    assert!(message.contains(&expected), "{message}");
}

#[test]
fn idx_files_that_are_not_what_their_header_says_are_refused() {
    let (images, labels) = (idx(&[2, 1, 2], &[1, 2, 3, 4]), idx(&[2], &[0, 1]));
    for (images, labels, expected) in [
        (
            &b"PK"[..],
            labels.as_slice(),
            "images: expected an IDX file, which begins with two zero bytes, found another",
        ),
        (&images[..10], &labels, "images: expected a header of 16 bytes, found 10 bytes"),
        (&images[..19], &labels, "images: expected 2 x 1 x 2 bytes after the header, found 3"),
        (&idx(&[2, 1, 2], &[1; 5]), &labels, "images: expected 2 x 1 x 2 bytes after the header, found 5"),
        (&idx(&[u32::MAX; 3], &[1]), &labels, "images: expected 4294967295 x 4294967295 x 4294967295 bytes"),
        (&labels, &labels, "images: expected grey images (3 dimensions), found 1 dimensions"),
        (&images, &images, "labels: expected labels (1 dimension), found 3 dimensions"),
        (&[0, 0, 0x0d, 3], &labels, "images: expected unsigned bytes (type 0x08), found type 0x0d"),
        (&images, &idx(&[3], &[0, 1, 0]), "labels: expected 2 labels, one for each image of images, found 3"),
        (&idx(&[0, 1, 2], &[]), &idx(&[0], &[]), "images: expected an image, found none"),
        (&idx(&[2, 0, 2], &[]), &labels, "images: expected images of 1 to 512 pixels a side, found 0 x 2"),
    ] {
        let message = idx_refusal(images, labels);
        assert!(message.starts_with(expected), "{message}");
    }
}

fn binary(label_bytes: usize, label_byte: usize) -> BinaryLayout {
    BinaryLayout { shape: [3, 1, 2], label_bytes, label_byte, classes: None }
}

#[test]
fn a_record_is_its_label_bytes_and_its_planes() {
    let folder = Folder::new();
    folder.write("train", [[9, 0, 1, 2, 3, 4, 5, 6], [9, 1, 7, 8, 9, 10, 11, 12]].concat());
    folder.write("test", [9, 1, 0, 0, 0, 0, 0, 0]);
    let own = folder.load(DataFormat::Binary(binary(2, 1))).unwrap();
    let Inputs::Images(images) = &own.splits.train.inputs else { panic!("not images") };
    assert_eq!((images.channels, images.image(1)), (3, &[7, 8, 9, 10, 11, 12][..]));
    assert_eq!(classes(&own.splits.test), ["1"]);
    let names = || Some(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]);
    let own = folder.load(DataFormat::Binary(BinaryLayout { classes: names(), ..binary(2, 1) })).unwrap();
    let Targets::Classes { names: all, .. } = &own.splits.train.targets else { panic!("not classes") };
    assert_eq!((classes(&own.splits.train), all.len()), (vec!["a", "b"], 3));
    let message = folder.refusal(DataFormat::Binary(BinaryLayout { classes: names(), ..binary(2, 0) }));
    assert_eq!(message, "train, record 1: expected a label in 0..=2, as there are 3 classes, found 9");
}

#[test]
fn a_record_cut_short_is_refused_by_number() {
    let folder = Folder::new();
    folder.write("train", [0; 17]);
    folder.write("test", [0; 8]);
    assert_eq!(
        folder.refusal(DataFormat::Binary(binary(2, 0))),
        "train, record 3: expected 8 bytes, found 1 bytes and the end of the file"
    );
}

#[test]
fn a_file_of_another_kind_is_named_in_place_of_idx_files_and_records() {
    let npz = b"PK\x03\x04\x14\0\0\0\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x0b\0\0\0x_train.npy";
    let message = idx_refusal(npz, &idx(&[2], &[0, 1]));
    let expected = "images: expected an IDX file, which begins with two zero bytes, found an archive of NumPy arrays, which bakeoff \
                    does not read: write texts as CSV, and images as PNG files in a folder for each class or as IDX";
    assert_eq!(message, expected);
    assert!(idx_refusal(b"<html>", &idx(&[2], &[0, 1])).contains("found a web page"));
    let folder = Folder::new();
    folder.write("train", b"\x80\x04\x95\x0a\0\0\0\0\0\0\0}\x94.");
    folder.write("test", [0; 8]);
    let message = folder.refusal(DataFormat::Binary(binary(2, 0)));
    assert!(message.starts_with("train: expected records of 8 bytes, found a Python pickle, which"), "{message}");
    // Records that happen to begin like one are records.
    folder.write("train", b"\x80\x04\x95\x0a\0\0\0\0\0\0\0}\x94.\0\0");
    assert_eq!(classes(&folder.load(DataFormat::Binary(binary(2, 0))).unwrap().splits.train), ["128", "0"]);
}

#[test]
fn names_of_labels_are_compared_in_one_normalization_form() {
    let folder = Folder::new();
    folder.write("train", [[0, 1, 2, 3, 4, 5, 6], [1, 7, 8, 9, 10, 11, 12]].concat());
    folder.write("test", [1, 0, 0, 0, 0, 0, 0]);
    let names = |second: &str| Some(vec!["bar".to_owned(), second.to_owned()]);
    let own = folder.load(DataFormat::Binary(BinaryLayout { classes: names("cafe\u{301}"), ..binary(1, 0) })).unwrap();
    assert_eq!(classes(&own.splits.train), ["bar", "caf\u{e9}"]);
    let message = folder.refusal(DataFormat::Binary(BinaryLayout { classes: names("bar\u{200d}"), ..binary(1, 0) }));
    assert!(message.contains("the class 'bar\u{200d}' (U+0062 U+0061 U+0072 U+200D) looks like 'bar'"), "{message}");
}
