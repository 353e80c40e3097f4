//! Where the bytes of the data files come from, and the check that they are the right ones.

use std::borrow::Cow;
use std::fs;
use std::io::Read;
use std::path::PathBuf;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::error::DatasetError;

/// A file of a dataset: what it is called and the bytes it must hold.
#[derive(Clone, Copy)]
pub struct DataFile {
    /// The file's name, without a folder.
    pub name: &'static str,
    /// The sha256 of its bytes, in lower-case hexadecimal.
    pub sha256: &'static str,
    /// The copy that is compiled into the program.
    pub embedded: &'static [u8],
}

/// A source of data files. Whatever it gives was verified by sha256 at that moment.
#[derive(Debug, Clone)]
pub struct Store {
    /// The folder to read from; the copies in the program if there is none.
    folder: Option<PathBuf>,
}

impl Store {
    /// The copies that are compiled into the program.
    pub fn embedded() -> Store {
        Store { folder: None }
    }

    /// The files of the same names in `folder`.
    pub fn folder(folder: impl Into<PathBuf>) -> Store {
        Store { folder: Some(folder.into()) }
    }

    /// The verified bytes of `file`, as stored.
    ///
    /// # Errors
    /// If the file cannot be read or has another sha256.
    pub fn read(&self, file: &DataFile) -> Result<Cow<'static, [u8]>, DatasetError> {
        let bytes = match &self.folder {
            None => Cow::Borrowed(file.embedded),
            Some(folder) => {
                let path = folder.join(file.name);
                Cow::Owned(fs::read(&path).map_err(|source| DatasetError::Read { path, source })?)
            }
        };
        let found = sha256(&bytes);
        if found != file.sha256 {
            return Err(DatasetError::Checksum {
                place: self.place(file),
                expected: file.sha256.to_owned(),
                expected_bytes: file.embedded.len(),
                found,
                found_bytes: bytes.len(),
            });
        }
        Ok(bytes)
    }

    /// The verified and unpacked bytes of `file`.
    pub(crate) fn read_gzip(&self, file: &DataFile) -> Result<Vec<u8>, DatasetError> {
        gunzip(&self.read(file)?, &self.place(file))
    }

    /// Where `file` is, in words for an error.
    pub(crate) fn place(&self, file: &DataFile) -> String {
        match &self.folder {
            None => format!("{} (in the program)", file.name),
            Some(folder) => folder.join(file.name).display().to_string(),
        }
    }
}

/// The sha256 of `bytes` in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Unpacks a whole gzip file; `place` names it in the error.
fn gunzip(packed: &[u8], place: &str) -> Result<Vec<u8>, DatasetError> {
    let mut bytes = Vec::new();
    MultiGzDecoder::new(packed)
        .read_to_end(&mut bytes)
        .map_err(|source| DatasetError::Gzip { place: place.to_owned(), source })?;
    Ok(bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const HELLO: DataFile = DataFile {
        name: "hello.txt",
        sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        embedded: b"hello",
    };

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_folder_with_the_right_file_gives_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("hello.txt"), "hello").unwrap();
        assert_eq!(*Store::folder(folder.path()).read(&HELLO).unwrap(), *b"hello");
    }

    #[test]
    fn a_missing_file_is_named_with_the_way_to_make_it() {
        let folder = tempfile::tempdir().unwrap();
        let message = Store::folder(folder.path()).read(&HELLO).unwrap_err().to_string();
        assert!(message.contains(&folder.path().join("hello.txt").display().to_string()), "{message}");
        assert!(message.contains("scripts/make-samples"), "{message}");
    }

    #[test]
    fn a_changed_file_is_refused_with_both_checksums_and_sizes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hello.txt");
        fs::write(&path, "hell").unwrap();
        let message = Store::folder(folder.path()).read(&HELLO).unwrap_err().to_string();
        for part in [&path.display().to_string(), HELLO.sha256, &sha256(b"hell"), "expected 5 bytes", "found 4 bytes"] {
            assert!(message.contains(part), "{part} is not in: {message}");
        }
    }

    #[test]
    fn the_copy_in_the_program_is_verified_too() {
        let broken = DataFile { embedded: b"hullo", ..HELLO };
        let message = Store::embedded().read(&broken).unwrap_err().to_string();
        assert!(message.starts_with("hello.txt (in the program): expected"), "{message}");
    }

    #[test]
    fn a_gzip_file_cut_anywhere_or_not_gzip_at_all_is_refused() {
        let whole = packed(b"sentence\tlabel\n");
        assert_eq!(gunzip(&whole, "x.gz").unwrap(), b"sentence\tlabel\n");
        for cut in 0..whole.len() {
            let message = gunzip(&whole[..cut], "x.gz").unwrap_err().to_string();
            assert!(message.starts_with("x.gz: not a whole gzip file"), "cut at {cut}: {message}");
        }
        assert!(gunzip(b"plain text, not packed", "x.gz").is_err());
    }
}
