//! The proof that our residual network is the one of He et al. 2015: published weights, loaded into it, make the
//! errors that their publisher reports.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

use bakeoff_datasets::{Images, Inputs};
use bakeoff_models::{Predictions, published_resnet};
use flate2::read::GzDecoder;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROW: usize = 1 + 3 * 32 * 32;
const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// The folder with the published weights and the whole of CIFAR-10: too large for the repository.
fn shared() -> PathBuf {
    std::env::var_os("BAKEOFF_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")), PathBuf::from)
}

/// The 10,000 test images and their labels, straight from the archive.
fn test_rows(archive: File) -> (Images, Vec<u16>) {
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    let mut bytes = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().ends_with("test_batch.bin") {
            entry.read_to_end(&mut bytes).unwrap();
        }
    }
    assert_eq!(bytes.len(), 10_000 * ROW, "test_batch.bin of CIFAR-10 holds 10,000 rows");
    let labels = bytes.chunks_exact(ROW).map(|row| u16::from(row[0])).collect();
    let pixels = bytes.chunks_exact(ROW).flat_map(|row| row[1..].iter().copied()).collect();
    (Images { channels: 3, height: 32, width: 32, pixels }, labels)
}

#[test]
fn published_resnet20_errs_on_8_27_percent_of_the_test_images() {
    let (weights, images) =
        (shared().join("weights/resnet20-12fca82f.safetensors"), shared().join("cifar-10-binary.tar.gz"));
    if let Some(missing) = [&weights, &images].into_iter().find(|path| !path.is_file()) {
        let message = format!("{} is missing; set BAKEOFF_SHARED to the folder that has it", missing.display());
        assert!(std::env::var_os("CI").is_none(), "{message}");
        eprintln!("SKIPPED published_resnet20: {message}");
        return;
    }
    let (images, labels) = test_rows(File::open(images).unwrap());
    let mut model = published_resnet(20, &fs::read(weights).unwrap(), IMAGENET_MEAN, IMAGENET_STD).unwrap();
    let Predictions::Classes { labels: predicted, .. } = model.predict(&Inputs::Images(images)).unwrap() else {
        panic!("a classifier predicts classes");
    };
    let wrong = predicted.iter().zip(&labels).filter(|(predicted, label)| predicted != label).count();
    let error = wrong as f64 / 100.0;
    assert!((error - 8.27).abs() <= 0.05, "{error} % of the test images are wrong, published are 8.27 %");
}
