//! Reads whole files, with limits.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::OwnError;
use crate::checksum::sha256;
use crate::gzip;

/// The largest file, as stored and unpacked.
pub(super) const MAX_BYTES: u64 = 4 << 30;
/// The unpacked size that any gzip file may have. A larger one may have `MAX_RATIO` bytes for each stored byte. That
/// ratio is ten times what data reaches, and a tenth of what a file made to exhaust the memory reaches.
const MIN_UNPACKED_LIMIT: u64 = 256 << 20;
const MAX_RATIO: u64 = 100;

/// The last part of a path, which names the file in checksums.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// The content of a file, unpacked if it is gzip, and the sha256 of what is stored.
pub(super) fn read(path: &Path) -> Result<(Vec<u8>, String), OwnError> {
    let stored = read_stored(path)?;
    let sum = sha256(&stored);
    if !stored.starts_with(&gzip::MAGIC) {
        return Ok((stored, sum));
    }
    let place = path.display();
    let most = max_unpacked(stored.len() as u64);
    let bytes = gzip::unpack(&stored, most).map_err(|error| OwnError::format(&place, "a whole gzip file", error))?;
    if bytes.len() as u64 > most {
        let expected = format!("at most {most} bytes unpacked of {} stored", stored.len());
        return Err(OwnError::format(&place, expected, "more; if that is right, unpack it first"));
    }
    if bytes.is_empty() {
        return Err(OwnError::format(&place, "data", "an empty file, packed"));
    }
    Ok((bytes, sum))
}

/// The largest unpacked size of a gzip file of `stored` bytes.
fn max_unpacked(stored: u64) -> u64 {
    stored.saturating_mul(MAX_RATIO).clamp(MIN_UNPACKED_LIMIT, MAX_BYTES)
}

/// The bytes of a file, as stored.
pub(super) fn read_stored(path: &Path) -> Result<Vec<u8>, OwnError> {
    let unreadable = |source| OwnError::read(path, source);
    let place = path.display();
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        let found = match metadata.is_dir() {
            true => {
                "a folder: name the files in it; a folder of images for each class is read with format = \"images\""
            }
            false => "something else",
        };
        return Err(OwnError::format(&place, "a file", found));
    }
    if metadata.len() > MAX_BYTES {
        return Err(OwnError::format(&place, format!("at most {MAX_BYTES} bytes"), metadata.len()));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.is_empty() { Err(OwnError::format(&place, "data", "an empty file")) } else { Ok(bytes) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::{Write, repeat};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_file_may_unpack_to_what_is_free_or_to_its_share_and_never_to_more_than_a_plain_one() {
        assert_eq!(max_unpacked(1_000), MIN_UNPACKED_LIMIT);
        assert_eq!(max_unpacked(10_000_000), 1_000_000_000);
        assert_eq!(max_unpacked(100_000_000), MAX_BYTES);
    }

    #[test]
    fn a_small_file_that_unpacks_to_far_more_is_refused_by_path_before_it_fills_the_memory() {
        // Several members one after another are one file, so one packed member can be repeated to make a large file
        // quickly.
        let mut member = GzEncoder::new(Vec::new(), Compression::best());
        std::io::copy(&mut repeat(0).take(16 << 20), &mut member).unwrap();
        let bomb = member.finish().unwrap().repeat(17);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bomb.csv");
        File::create(&path).unwrap().write_all(&bomb).unwrap();
        let message = read(&path).unwrap_err().to_string();
        let expected =
            format!("bomb.csv: expected at most {MIN_UNPACKED_LIMIT} bytes unpacked of {} stored, found", bomb.len());
        assert!(message.contains(&expected) && message.ends_with("unpack it first"), "{message}");
    }
}
