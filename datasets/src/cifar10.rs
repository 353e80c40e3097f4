//! CIFAR-10: small colour photographs of ten kinds of things.

use std::io::Read;
use std::sync::Arc;

use crate::dataset::Dataset;
use crate::error::{DatasetError, NamedSource};
use crate::example::{Images, Inputs, Split, Splits, Targets};
use crate::fetchable::{Download, Fetchable, Packing, Transport};
use crate::records::{RecordError, RecordLayout};
use crate::store::{DataFile, Store};

const CHANNELS: usize = 3;
const SIDE: usize = 32;
const PIXELS: usize = CHANNELS * SIDE * SIDE;
/// A record of the binary version: one label byte, then the red, green and blue planes, row by row.
const RECORD_BYTES: usize = 1 + PIXELS;
const LAYOUT: RecordLayout = RecordLayout { label_bytes: 1, label_byte: 0, image_bytes: PIXELS };

/// In the order of `batches.meta.txt` in the official archive.
const CLASSES: &[&str] = &["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

const LICENCE: &str = "none stated by its authors";
const CITATION: &str = "Alex Krizhevsky. Learning Multiple Layers of Features from Tiny Images. Technical report, \
                        University of Toronto, 2009.";

static SAMPLE: [DataFile; 2] = [
    DataFile::sample(
        "cifar10-train.bin.gz",
        "0f700063593a0a0c2aab2ebb10a6789d8537d9d64b9076dd88e61b541ef52c8b",
        include_bytes!("../samples/cifar10-train.bin.gz"),
    ),
    DataFile::sample(
        "cifar10-test.bin.gz",
        "540c40b99ffea0e37fbb78cd4c85c51fdc6abba156e52caac2a35567bd1a0abb",
        include_bytes!("../samples/cifar10-test.bin.gz"),
    ),
];

const FILE_BYTES: u64 = 10_000 * RECORD_BYTES as u64;
const TRAIN_FILES: usize = 5;

/// Five training files and one test file; `batches.meta.txt` is not needed.
static FULL: [DataFile; TRAIN_FILES + 1] = [
    DataFile::sha256(
        "cifar10/data_batch_1.bin",
        FILE_BYTES,
        "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    ),
    DataFile::sha256(
        "cifar10/data_batch_2.bin",
        FILE_BYTES,
        "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    ),
    DataFile::sha256(
        "cifar10/data_batch_3.bin",
        FILE_BYTES,
        "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    ),
    DataFile::sha256(
        "cifar10/data_batch_4.bin",
        FILE_BYTES,
        "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    ),
    DataFile::sha256(
        "cifar10/data_batch_5.bin",
        FILE_BYTES,
        "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    ),
    DataFile::sha256(
        "cifar10/test_batch.bin",
        FILE_BYTES,
        "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    ),
];

static TRANSPORT: Transport = Transport {
    folder: "cifar-10-batches-bin",
    downloads: &[Download {
        url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        name: "cifar-10-binary.tar.gz",
        packing: Packing::TarGz,
        max_bytes: 400_000_000,
        files: &FULL,
    }],
};

/// The sample of CIFAR-10 in this repository: 2,000 training and 1,000 test images, the same number of each class.
pub struct Cifar10Sample;

impl Fetchable for Cifar10Sample {
    fn id(&self) -> &'static str {
        "cifar10-sample"
    }

    fn about(&self) -> &'static str {
        "32x32 colour photographs of ten kinds of things: 2,000 training and 1,000 test images of CIFAR-10"
    }

    fn files(&self) -> &'static [DataFile] {
        &SAMPLE
    }

    fn licence(&self) -> &'static str {
        LICENCE
    }

    fn citation(&self) -> &'static str {
        CITATION
    }
}

impl Dataset for Cifar10Sample {
    fn classes(&self) -> &'static [&'static str] {
        CLASSES
    }

    fn train_rows(&self) -> usize {
        2_000
    }

    fn test_rows(&self) -> usize {
        1_000
    }

    fn load(&self, store: &Store) -> Result<Splits, DatasetError> {
        let read = |file| parse(&store.read_gzip(file)?, &store.place(file));
        Ok(Splits::new(read(&SAMPLE[0])?, read(&SAMPLE[1])?))
    }
}

/// All of CIFAR-10: 50,000 training and 10,000 test images.
pub struct Cifar10;

impl Fetchable for Cifar10 {
    fn id(&self) -> &'static str {
        "cifar10"
    }

    fn about(&self) -> &'static str {
        "32x32 colour photographs of ten kinds of things: all of CIFAR-10"
    }

    fn files(&self) -> &'static [DataFile] {
        &FULL
    }

    fn licence(&self) -> &'static str {
        LICENCE
    }

    fn citation(&self) -> &'static str {
        CITATION
    }

    fn transport(&self) -> Option<&'static Transport> {
        Some(&TRANSPORT)
    }
}

impl Dataset for Cifar10 {
    fn classes(&self) -> &'static [&'static str] {
        CLASSES
    }

    fn train_rows(&self) -> usize {
        50_000
    }

    fn test_rows(&self) -> usize {
        10_000
    }

    fn load(&self, store: &Store) -> Result<Splits, DatasetError> {
        let read = |files: &[DataFile], rows| {
            let mut records = Records::with_capacity(rows);
            for file in files {
                records.read(store.open(file)?, &store.place(file))?;
            }
            Ok::<_, DatasetError>(records.into_split())
        };
        let (train, test) = FULL.split_at(TRAIN_FILES);
        Ok(Splits::new(read(train, self.train_rows())?, read(test, self.test_rows())?))
    }
}

/// The records of one split that were read so far.
struct Records {
    labels: Vec<u16>,
    pixels: Vec<u8>,
}

impl Records {
    fn with_capacity(rows: usize) -> Records {
        Records { labels: Vec::with_capacity(rows), pixels: Vec::with_capacity(rows * PIXELS) }
    }

    /// Adds the records of a file in the binary version.
    fn read(&mut self, reader: impl Read, place: &NamedSource) -> Result<(), DatasetError> {
        let fault =
            |number: usize, expected: &str, found: String| place.format(format!("record {number}"), expected, found);
        let read = LAYOUT.read(reader, &mut self.pixels, |number, label| {
            if usize::from(label) >= CLASSES.len() {
                return Err(fault(number, "a label in 0..=9", label.to_string()));
            }
            self.labels.push(u16::from(label));
            Ok(())
        });
        match read {
            Ok(0) => Err(fault(1, "a record", "the end of the file".to_owned())),
            Ok(_) => Ok(()),
            Err(RecordError::Read(error)) => Err(place.unreadable(error)),
            Err(RecordError::Cut { number, bytes }) => {
                Err(fault(number, "3073 bytes", format!("{bytes} bytes and the end of the file")))
            }
            Err(RecordError::Label(error)) => Err(error),
        }
    }

    fn into_split(self) -> Split {
        let names: Arc<[String]> = CLASSES.iter().map(|&name| name.to_owned()).collect();
        Split {
            inputs: Inputs::Images(Images { channels: CHANNELS, height: SIDE, width: SIDE, pixels: self.pixels }),
            targets: Targets::Classes { labels: self.labels, names },
        }
    }
}

/// Reads the records of the binary version from memory.
pub(crate) fn parse(data: &[u8], place: &NamedSource) -> Result<Split, DatasetError> {
    let mut records = Records::with_capacity(data.len() / RECORD_BYTES);
    records.read(data, place)?;
    Ok(records.into_split())
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

    fn read(data: &[u8]) -> Result<Split, DatasetError> {
        parse(data, &NamedSource { name: "x.bin".to_owned(), remedy: "get it again".to_owned() })
    }

    #[test]
    fn a_record_is_a_label_and_three_planes() {
        let mut data = record(9, 7);
        data[1 + 32 * 32] = 200;
        data.extend(record(0, 1));
        let split = read(&data).unwrap();
        let Inputs::Images(images) = &split.inputs else { panic!("not images") };
        assert_eq!((images.len(), images.image(0)[0], images.image(0)[32 * 32], images.image(1)[0]), (2, 7, 200, 1));
        let Targets::Classes { labels, names } = &split.targets else { panic!("not classes") };
        assert_eq!((labels.as_slice(), names[9].as_str()), (&[9, 0][..], "truck"));
    }

    #[test]
    fn an_empty_file_is_refused() {
        let message = read(&[]).unwrap_err().to_string();
        assert!(message.starts_with("x.bin, record 1: expected a record, found the end of the file"), "{message}");
    }

    #[test]
    fn a_record_cut_short_is_refused_by_number() {
        let mut data = record(1, 1);
        data.extend_from_slice(&record(2, 2)[..100]);
        let message = read(&data).unwrap_err().to_string();
        assert!(message.starts_with("x.bin, record 2: expected 3073 bytes, found 100 bytes"), "{message}");
    }

    #[test]
    fn a_label_outside_the_ten_classes_is_refused_by_record() {
        let data = [record(9, 1), record(10, 1)].concat();
        let message = read(&data).unwrap_err().to_string();
        assert!(message.starts_with("x.bin, record 2: expected a label in 0..=9, found 10"), "{message}");
    }
}
