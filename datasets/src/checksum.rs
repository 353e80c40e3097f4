//! Checksums: what the bytes of a file must hash to.

use std::fmt;
use std::io::{self, Read};

use md5::Md5;
use sha2::{Digest, Sha256};

/// A checksum in lower-case hexadecimal. MD5 is used only where nothing better was published. It distinguishes a broken file from
/// an intact one, which is enough here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// 64 digits.
    Sha256(&'static str),
    /// 32 digits.
    Md5(&'static str),
}

impl Checksum {
    /// The digits.
    pub fn hex(&self) -> &'static str {
        match self {
            Checksum::Sha256(hex) | Checksum::Md5(hex) => hex,
        }
    }

    /// The algorithm's name.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Checksum::Sha256(_) => "sha256",
            Checksum::Md5(_) => "md5",
        }
    }

    /// Hashes everything that `reader` gives with this algorithm. Returns the checksum and the number of bytes.
    pub(crate) fn of(&self, reader: impl Read) -> io::Result<(String, u64)> {
        match self {
            Checksum::Sha256(_) => digest::<Sha256>(reader),
            Checksum::Md5(_) => digest::<Md5>(reader),
        }
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm(), self.hex())
    }
}

/// The sha256 of `bytes` in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest<D: Digest>(mut reader: impl Read) -> io::Result<(String, u64)> {
    let mut digest = D::new();
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digest.update(&buffer[..count]);
        bytes += count as u64;
    }
    Ok((hex(&digest.finalize()), bytes))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn hello_hashes_as_everywhere() {
        let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert_eq!(Checksum::Sha256("").of(&b"hello"[..]).unwrap(), (sha256.to_owned(), 5));
        let md5 = "5d41402abc4b2a76b9719d911017c592";
        assert_eq!(Checksum::Md5("").of(&b"hello"[..]).unwrap(), (md5.to_owned(), 5));
    }
}
