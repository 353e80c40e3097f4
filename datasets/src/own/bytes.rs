//! The bytes of a file, with limits.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::OwnError;
use crate::checksum::sha256;

/// The largest file, as stored and unpacked.
pub(super) const MOST_BYTES: u64 = 4 << 30;
/// Bytes that a file of any size may unpack to, and beyond them bytes for each one stored: ten times what data reaches, and a
/// tenth of what a file made to fill the memory does.
const FREE_BYTES: u64 = 256 << 20;
const MOST_RATIO: u64 = 100;

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
    let most = most_unpacked(stored.len() as u64);
    let mut bytes = Vec::with_capacity(stated_size(&stored).min(most + 1) as usize);
    MultiGzDecoder::new(stored.as_slice())
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| OwnError::format(&place, "a whole gzip file", error))?;
    if bytes.len() as u64 > most {
        let expected = format!("at most {most} bytes unpacked of {} stored", stored.len());
        return Err(OwnError::format(&place, expected, "more; if that is right, unpack it first"));
    }
    if bytes.is_empty() {
        return Err(OwnError::format(&place, "data", "an empty file, packed"));
    }
    Ok((bytes, sum))
}

/// The most bytes that a gzip file of `stored` bytes may unpack to.
fn most_unpacked(stored: u64) -> u64 {
    stored.saturating_mul(MOST_RATIO).clamp(FREE_BYTES, MOST_BYTES)
}

/// What a gzip file says of its size, in its last four bytes (RFC 1952, 2.3.1). It may lie, so it is only room that is
/// set aside: a vector that grows would take up to twice its content.
fn stated_size(gzip: &[u8]) -> u64 {
    gzip.last_chunk().map_or(0, |&size| u64::from(u32::from_le_bytes(size)))
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::{Write, repeat};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_file_may_unpack_to_what_is_free_or_to_its_share_and_never_to_more_than_a_plain_one() {
        assert_eq!(most_unpacked(1_000), FREE_BYTES);
        assert_eq!(most_unpacked(10_000_000), 1_000_000_000);
        assert_eq!(most_unpacked(100_000_000), MOST_BYTES);
    }

    #[test]
    fn a_small_file_that_unpacks_to_far_more_is_refused_by_path_before_it_fills_the_memory() {
        // Members one after another are one file, and the same one is quickly packed.
        let mut member = GzEncoder::new(Vec::new(), Compression::best());
        std::io::copy(&mut repeat(0).take(16 << 20), &mut member).unwrap();
        let bomb = member.finish().unwrap().repeat(17);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bomb.csv");
        File::create(&path).unwrap().write_all(&bomb).unwrap();
        let message = read(&path).unwrap_err().to_string();
        let expected =
            format!("bomb.csv: expected at most {FREE_BYTES} bytes unpacked of {} stored, found", bomb.len());
        assert!(message.contains(&expected) && message.ends_with("unpack it first"), "{message}");
    }
}
