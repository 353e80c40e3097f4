//! The bytes of a file, with limits.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::OwnError;
use crate::checksum::sha256;

/// The largest file, as stored and unpacked.
pub(super) const MOST_BYTES: u64 = 4 << 30;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The last part of a path, which names it in checksums.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// The bytes of a file, unpacked if they are gzip, and the sha256 of what is stored.
pub(super) fn read(path: &Path) -> Result<(Vec<u8>, String), OwnError> {
    let stored = read_stored(path)?;
    let sum = sha256(&stored);
    if !stored.starts_with(&GZIP) {
        return Ok((stored, sum));
    }
    let place = path.display();
    let mut bytes = Vec::new();
    MultiGzDecoder::new(stored.as_slice())
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| OwnError::format(&place, "a whole gzip file", error))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(OwnError::format(&place, format!("at most {MOST_BYTES} bytes unpacked"), "more"));
    }
    if bytes.is_empty() {
        return Err(OwnError::format(&place, "data", "an empty file, packed"));
    }
    Ok((bytes, sum))
}

/// The bytes of a file, as stored.
pub(super) fn read_stored(path: &Path) -> Result<Vec<u8>, OwnError> {
    let unreadable = |source| OwnError::Read { path: path.to_owned(), source };
    let place = path.display();
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        let found = if metadata.is_dir() { "a folder" } else { "something else" };
        return Err(OwnError::format(&place, "a file", found));
    }
    if metadata.len() > MOST_BYTES {
        return Err(OwnError::format(&place, format!("at most {MOST_BYTES} bytes"), metadata.len()));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.is_empty() { Err(OwnError::format(&place, "data", "an empty file")) } else { Ok(bytes) }
}
