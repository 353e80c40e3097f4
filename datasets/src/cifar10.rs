//! CIFAR-10: small colour photographs of ten kinds of things.

use std::sync::Arc;

use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::example::{Images, Inputs, Split, Splits, Targets};
use crate::store::{DataFile, Store};

const CHANNELS: usize = 3;
const SIDE: usize = 32;
/// A record of the binary version: one label byte, then the red, green and blue planes, row by row.
const RECORD_BYTES: usize = 1 + CHANNELS * SIDE * SIDE;

/// In the order of `batches.meta.txt` in the official archive.
const CLASSES: &[&str] = &["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

static FILES: [DataFile; 2] = [
    DataFile {
        name: "cifar10-train.bin.gz",
        sha256: "0f700063593a0a0c2aab2ebb10a6789d8537d9d64b9076dd88e61b541ef52c8b",
        embedded: include_bytes!("../samples/cifar10-train.bin.gz"),
    },
    DataFile {
        name: "cifar10-test.bin.gz",
        sha256: "540c40b99ffea0e37fbb78cd4c85c51fdc6abba156e52caac2a35567bd1a0abb",
        embedded: include_bytes!("../samples/cifar10-test.bin.gz"),
    },
];

/// The sample of CIFAR-10 in this repository: 2,000 training and 1,000 test images, equally many of each class.
pub struct Cifar10;

impl Dataset for Cifar10 {
    fn id(&self) -> &'static str {
        "cifar10"
    }

    fn about(&self) -> &'static str {
        "32x32 colour photographs of ten kinds of things: 2,000 training and 1,000 test images of CIFAR-10"
    }

    fn files(&self) -> &'static [DataFile] {
        &FILES
    }

    fn licence(&self) -> &'static str {
        "none stated by its authors"
    }

    fn citation(&self) -> &'static str {
        "Alex Krizhevsky. Learning Multiple Layers of Features from Tiny Images. Technical report, University of \
         Toronto, 2009."
    }

    fn classes(&self) -> &'static [&'static str] {
        CLASSES
    }

    fn train_rows(&self) -> usize {
        2_000
    }

    fn load(&self, store: &Store) -> Result<Splits, DatasetError> {
        let read = |file| parse(&store.read_gzip(file)?, &store.place(file));
        Ok(Splits { train: read(&FILES[0])?, test: read(&FILES[1])? })
    }
}

/// Reads the records of the binary version; `place` names the file in errors.
fn parse(data: &[u8], place: &str) -> Result<Split, DatasetError> {
    let broken = |index: usize, expected: &str, found: String| DatasetError::Format {
        place: place.to_owned(),
        at: format!("record {}", index + 1),
        expected: expected.to_owned(),
        found,
    };
    if data.is_empty() {
        return Err(broken(0, "a record", "the end of the file".to_owned()));
    }
    let count = data.len() / RECORD_BYTES;
    let mut labels = Vec::with_capacity(count);
    let mut pixels = Vec::with_capacity(data.len() - count);
    for (index, record) in data.chunks(RECORD_BYTES).enumerate() {
        if record.len() < RECORD_BYTES {
            return Err(broken(index, "3073 bytes", format!("{} bytes and the end of the file", record.len())));
        }
        if usize::from(record[0]) >= CLASSES.len() {
            return Err(broken(index, "a label in 0..=9", record[0].to_string()));
        }
        labels.push(u16::from(record[0]));
        pixels.extend_from_slice(&record[1..]);
    }
    let names: Arc<[String]> = CLASSES.iter().map(|&name| name.to_owned()).collect();
    Ok(Split {
        inputs: Inputs::Images(Images { channels: CHANNELS, height: SIDE, width: SIDE, pixels }),
        targets: Targets::Classes { labels, names },
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn record(label: u8, value: u8) -> Vec<u8> {
        let mut bytes = vec![value; RECORD_BYTES];
        bytes[0] = label;
        bytes
    }

    #[test]
    fn a_record_is_a_label_and_three_planes() {
        let mut data = record(9, 7);
        data[1 + 32 * 32] = 200;
        data.extend(record(0, 1));
        let split = parse(&data, "x").unwrap();
        let Inputs::Images(images) = &split.inputs else { panic!("not images") };
        assert_eq!((images.len(), images.image(0)[0], images.image(0)[32 * 32], images.image(1)[0]), (2, 7, 200, 1));
        let Targets::Classes { labels, names } = &split.targets else { panic!("not classes") };
        assert_eq!((labels.as_slice(), names[9].as_str()), (&[9, 0][..], "truck"));
    }

    #[test]
    fn an_empty_file_is_refused() {
        let message = parse(&[], "x.bin").unwrap_err().to_string();
        assert!(message.starts_with("x.bin, record 1: expected a record, found the end of the file"), "{message}");
    }

    #[test]
    fn a_record_cut_short_is_refused_by_number() {
        let mut data = record(1, 1);
        data.extend_from_slice(&record(2, 2)[..100]);
        let message = parse(&data, "x.bin").unwrap_err().to_string();
        assert!(message.starts_with("x.bin, record 2: expected 3073 bytes, found 100 bytes"), "{message}");
    }

    #[test]
    fn a_label_outside_the_ten_classes_is_refused_by_record() {
        let data = [record(9, 1), record(10, 1)].concat();
        let message = parse(&data, "x.bin").unwrap_err().to_string();
        assert!(message.starts_with("x.bin, record 2: expected a label in 0..=9, found 10"), "{message}");
    }
}
