//! Stores decoded images in a file, because decoding images takes far longer than reading them back.
//!
//! The file begins with a small header: its length (8 bytes, little-endian), then JSON. The bytes of the training
//! images follow, and then those of the test images.

use std::io::{self, Read, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::checksum::hex;
use crate::example::{Images, Inputs, Split, Splits, Targets};

/// The largest header. A thousand classes and a label for each image take far less, so a header that states a larger
/// size is broken.
const MAX_HEADER_BYTES: u64 = 1 << 30;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// Channels, height and width.
    shape: [usize; 3],
    classes: Vec<String>,
    train_labels: Vec<u16>,
    test_labels: Vec<u16>,
}

/// Writes images with classes to `out` and returns the sha256 of what was written. Other examples are not written; the
/// result is then `None`.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_images(splits: &Splits, mut out: impl Write) -> io::Result<Option<String>> {
    let (Some((images, train_labels, names)), Some((test, test_labels, _))) =
        (parts(&splits.train), parts(&splits.test))
    else {
        return Ok(None);
    };
    let header = Header {
        shape: [images.channels, images.height, images.width],
        classes: names.to_vec(),
        train_labels: train_labels.to_vec(),
        test_labels: test_labels.to_vec(),
    };
    let header = serde_json::to_vec(&header)?;
    let mut digest = Sha256::new();
    for piece in [&(header.len() as u64).to_le_bytes()[..], &header, &images.pixels, &test.pixels] {
        digest.update(piece);
        out.write_all(piece)?;
    }
    out.flush()?;
    Ok(Some(hex(&digest.finalize())))
}

fn parts(split: &Split) -> Option<(&Images, &[u16], &[String])> {
    match (&split.inputs, &split.targets) {
        (Inputs::Images(images), Targets::Classes { labels, names }) => Some((images, labels, names)),
        _ => None,
    }
}

/// Reads what [`write_images`] wrote.
///
/// # Errors
/// If `input` cannot be read, or its bytes do not hash to `sha256`.
pub fn read_images(mut input: impl Read, sha256: &str) -> io::Result<Splits> {
    let mut digest = Sha256::new();
    let mut take = |bytes: u64| -> io::Result<Vec<u8>> {
        let mut taken = Vec::new();
        // Reserved at once, because a growing vector would take up to twice the memory.
        taken.try_reserve_exact(usize::try_from(bytes).unwrap_or(usize::MAX))?;
        (&mut input).take(bytes).read_to_end(&mut taken)?;
        digest.update(&taken);
        if taken.len() as u64 == bytes { Ok(taken) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    };
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "it does not hold what was written");
    let header_bytes = u64::from_le_bytes(take(8)?.try_into().map_err(|_| broken())?);
    if header_bytes > MAX_HEADER_BYTES {
        return Err(broken());
    }
    let header: Header = serde_json::from_slice(&take(header_bytes)?)?;
    let [channels, height, width] = header.shape;
    let names: Arc<[String]> = header.classes.into();
    let stride = height.checked_mul(width).and_then(|plane| plane.checked_mul(channels));
    let mut split = |labels: Vec<u16>| -> io::Result<Split> {
        let bytes = stride.and_then(|stride| stride.checked_mul(labels.len())).ok_or_else(broken)?;
        let pixels = take(bytes as u64)?;
        let inputs = Inputs::Images(Images { channels, height, width, pixels });
        Ok(Split { inputs, targets: Targets::Classes { labels, names: Arc::clone(&names) } })
    };
    let splits = Splits::new(split(header.train_labels)?, split(header.test_labels)?);
    if hex(&digest.finalize()) == sha256 { Ok(splits) } else { Err(broken()) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::example::Text;

    fn splits() -> Splits {
        let names: Arc<[String]> = ["cat", "dög"].map(str::to_owned).into();
        let split = |pixels: Vec<u8>, labels: Vec<u16>| Split {
            inputs: Inputs::Images(Images { channels: 3, height: 1, width: 2, pixels }),
            targets: Targets::Classes { labels, names: Arc::clone(&names) },
        };
        Splits::new(split((0..18).collect(), vec![0, 1, 1]), split((90..96).collect(), vec![1]))
    }

    #[test]
    fn images_come_back_as_they_were() {
        let mut file = Vec::new();
        let sum = write_images(&splits(), &mut file).unwrap().unwrap();
        assert_eq!(read_images(file.as_slice(), &sum).unwrap(), splits());
    }

    #[test]
    fn a_changed_or_cut_file_is_refused() {
        let mut file = Vec::new();
        let sum = write_images(&splits(), &mut file).unwrap().unwrap();
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(read_images(changed.as_slice(), &sum).is_err(), "byte {at}");
            assert!(read_images(&file[..at], &sum).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn texts_are_not_written() {
        let texts = Inputs::Texts(vec![Text { first: "a".to_owned(), second: None }]);
        let split = Split { inputs: texts, targets: Targets::Values(vec![1.0]) };
        let mut file = Vec::new();
        assert_eq!(write_images(&Splits::new(split.clone(), split), &mut file).unwrap(), None);
        assert!(file.is_empty());
    }
}
