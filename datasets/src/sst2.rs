//! The sample of SST-2: is a phrase from a film review positive or negative?

use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::example::Splits;
use crate::fetchable::Fetchable;
use crate::glue::SST2;
use crate::store::{DataFile, Store};

static FILES: [DataFile; 2] = [
    DataFile::sample(
        "sst2-train.tsv.gz",
        "eaf62b2645c4b6bdf230bf98768edf59f8e7808928deaf4fb6e666dee1e1467a",
        include_bytes!("../samples/sst2-train.tsv.gz"),
    ),
    DataFile::sample(
        "sst2-dev.tsv.gz",
        "1910405b42e134ea662931e1f5167eb337a1616efa0b01afe2bf10883c6ebe7f",
        include_bytes!("../samples/sst2-dev.tsv.gz"),
    ),
];

/// The sample of SST-2 in this repository: 16,000 training phrases and all 872 dev sentences.
///
/// The dev sentences are the test split, because GLUE does not publish the labels of its test file.
pub struct Sst2Sample;

impl Fetchable for Sst2Sample {
    fn id(&self) -> &'static str {
        "sst2-sample"
    }

    fn about(&self) -> &'static str {
        "phrases from film reviews, positive or negative: 16,000 training phrases and the 872 dev sentences of SST-2"
    }

    fn files(&self) -> &'static [DataFile] {
        &FILES
    }

    fn licence(&self) -> &'static str {
        SST2.licence()
    }

    fn citation(&self) -> &'static str {
        SST2.citation()
    }
}

impl Dataset for Sst2Sample {
    fn classes(&self) -> &'static [&'static str] {
        SST2.classes()
    }

    fn train_rows(&self) -> usize {
        16_000
    }

    fn test_rows(&self) -> usize {
        872
    }

    fn load(&self, store: &Store) -> Result<Splits, DatasetError> {
        let read = |file| SST2.read_train(store.read_gzip(file)?.as_slice(), &store.place(file));
        Ok(Splits::new(read(&FILES[0])?, read(&FILES[1])?))
    }
}
