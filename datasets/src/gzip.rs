//! Unpacks gzip files, including those of several members.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

/// The first bytes of a gzip file.
pub(crate) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Unpacks a gzip file. If it unpacks to more than `max_bytes`, only the first `max_bytes` + 1 bytes are unpacked.
///
/// # Errors
/// If the file is cut short or broken.
pub(crate) fn unpack(packed: &[u8], max_bytes: u64) -> io::Result<Vec<u8>> {
    let limit = max_bytes.saturating_add(1);
    let mut bytes = Vec::with_capacity(stated_size(packed).min(limit) as usize);
    MultiGzDecoder::new(packed).take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The unpacked size that a gzip file states in its last four bytes (RFC 1952, 2.3.1), limited to what a file of this
/// length can hold. The stated size may be wrong, so it only sets the capacity. Without a capacity, a growing vector
/// would take up to twice its content.
fn stated_size(packed: &[u8]) -> u64 {
    /// The largest number of bytes for which one byte of a deflated stream can stand.
    const MAX_RATIO: u64 = 1032;
    let stated = packed.last_chunk().map_or(0, |&size| u64::from(u32::from_le_bytes(size)));
    stated.min(MAX_RATIO * packed.len() as u64)
}
