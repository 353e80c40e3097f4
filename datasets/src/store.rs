//! Where the bytes of the data files come from, and the check that they are the right ones.
//!
//! The samples are compiled into the program, or are in a folder that the user names. They are hashed whenever they are read.
//! Full datasets are in the data folder, each in a folder of its own. Hashing them at every load would take longer than the load.
//! A file that was hashed is therefore remembered by its size and modification time ([`crate::stamp`]), and only a new or
//! changed file is hashed again. [`Store::verify`] hashes in any case.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::checksum::Checksum;
use crate::error::{DatasetError, NamedSource};
use crate::gzip;
use crate::stamp;

/// How many bytes a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Known.
    Exactly(u64),
    /// Not published, but at most this. A larger file is refused when it is fetched.
    AtMost(u64),
}

impl Size {
    /// The largest size that the file can have.
    pub const fn most(&self) -> u64 {
        match *self {
            Size::Exactly(bytes) | Size::AtMost(bytes) => bytes,
        }
    }
}

/// A file of a dataset: its name and the bytes that it must hold.
#[derive(Debug, Clone, Copy)]
pub struct DataFile {
    /// The file's name, for a sample. Otherwise its path in the data folder: the dataset's id, `/`, the file's name.
    pub name: &'static str,
    /// The checksum of its bytes.
    pub checksum: Checksum,
    /// Its size in bytes.
    pub size: Size,
    /// The copy that is compiled into the program, if it is a sample.
    pub embedded: Option<&'static [u8]>,
}

impl DataFile {
    /// A sample, compiled into the program.
    pub(crate) const fn sample(name: &'static str, sha256: &'static str, bytes: &'static [u8]) -> DataFile {
        DataFile {
            name,
            checksum: Checksum::Sha256(sha256),
            size: Size::Exactly(bytes.len() as u64),
            embedded: Some(bytes),
        }
    }

    /// A file of the data folder.
    pub(crate) const fn sha256(name: &'static str, bytes: u64, sha256: &'static str) -> DataFile {
        DataFile { name, checksum: Checksum::Sha256(sha256), size: Size::Exactly(bytes), embedded: None }
    }

    /// A file of the data folder of which only the MD5 was published.
    pub(crate) const fn md5(name: &'static str, bytes_at_most: u64, md5: &'static str) -> DataFile {
        DataFile { name, checksum: Checksum::Md5(md5), size: Size::AtMost(bytes_at_most), embedded: None }
    }

    /// The id of the dataset whose folder holds the file; empty for a sample.
    pub fn folder(&self) -> &'static str {
        self.name.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The file's name without a folder.
    pub fn base(&self) -> &'static str {
        self.name.rsplit_once('/').map_or(self.name, |(_, base)| base)
    }

    /// What to do if it is broken or missing; follows a semicolon.
    fn remedy(&self) -> String {
        match self.embedded {
            Some(_) => "restore it from the repository or with `scripts/make-samples`".to_owned(),
            None => format!("get it with `bakeoff data fetch {}`", self.folder()),
        }
    }

    /// Refuses bytes that do not hash to the checksum; `place` is where they were read from.
    pub(crate) fn check(&self, reader: impl Read, place: &NamedSource) -> Result<(), DatasetError> {
        let (found, found_bytes) = self.checksum.of(reader).map_err(|source| place.unreadable(source))?;
        if found == self.checksum.hex() {
            return Ok(());
        }
        let bytes = match self.size {
            Size::Exactly(bytes) => format!("{bytes} bytes"),
            Size::AtMost(_) => "a file".to_owned(),
        };
        Err(DatasetError::Checksum {
            place: place.name.clone(),
            expected: format!("{bytes} with {}", self.checksum),
            found: format!("{found_bytes} bytes with {} {found}", self.checksum.algorithm()),
            remedy: place.remedy.clone(),
        })
    }
}

/// Where a file of a dataset is, and whether it is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// Compiled into the program.
    InProgram,
    /// In the data folder, and hashed since its last change.
    Verified,
    /// In the data folder, but not hashed since its last change.
    Unverified,
    /// Not in the data folder.
    Missing,
}

/// A source of data files. It gives only bytes that have the right checksum.
#[derive(Debug, Clone)]
pub struct Store {
    /// The folder to read samples from; `None` for the copies in the program.
    samples: Option<PathBuf>,
    /// The folder of the full datasets; `None` if the system names none.
    data: Option<PathBuf>,
}

/// `$BAKEOFF_DATA`, or `bakeoff` in the platform's folder for a user's data.
fn data_folder() -> Option<PathBuf> {
    match std::env::var_os("BAKEOFF_DATA") {
        Some(folder) if !folder.is_empty() => Some(PathBuf::from(folder)),
        _ => Some(etcetera::base_strategy::choose_native_strategy().ok()?.data_dir().join("bakeoff")),
    }
}

impl Store {
    /// The samples that are compiled into the program, and the user's data folder.
    pub fn embedded() -> Store {
        Store { samples: None, data: data_folder() }
    }

    /// The samples in `folder`, and the user's data folder.
    pub fn folder(folder: impl Into<PathBuf>) -> Store {
        Store { samples: Some(folder.into()), data: data_folder() }
    }

    /// The same samples, with another data folder.
    #[must_use]
    pub fn with_data(self, folder: impl Into<PathBuf>) -> Store {
        Store { data: Some(folder.into()), ..self }
    }

    /// The folder of the full datasets, which need not exist yet.
    ///
    /// # Errors
    /// If the system names none and `BAKEOFF_DATA` is not set.
    pub fn data(&self) -> Result<&Path, DatasetError> {
        self.data.as_deref().ok_or(DatasetError::NoDataFolder)
    }

    /// The bytes of `file`, as stored.
    ///
    /// # Errors
    /// If the file cannot be read or is not the right one.
    pub fn read(&self, file: &DataFile) -> Result<Cow<'static, [u8]>, DatasetError> {
        let bytes = match (file.embedded, &self.samples) {
            (Some(embedded), None) => Cow::Borrowed(embedded),
            _ => Cow::Owned(fs::read(self.path(file)?).map_err(|source| self.unreadable(file, source))?),
        };
        if file.embedded.is_some() {
            file.check(&*bytes, &self.place(file))?;
        } else {
            self.check(file)?;
        }
        Ok(bytes)
    }

    /// Opens `file` of the data folder, to be read in pieces.
    pub(crate) fn open(&self, file: &DataFile) -> Result<File, DatasetError> {
        self.check(file)?;
        File::open(self.path(file)?).map_err(|source| self.unreadable(file, source))
    }

    /// The unpacked bytes of the sample `file`.
    pub(crate) fn read_gzip(&self, file: &DataFile) -> Result<Vec<u8>, DatasetError> {
        gunzip(&self.read(file)?, &self.place(file))
    }

    /// Refuses a file that is missing or not the right one. A file of the data folder is hashed only if it has changed since it was
    /// last hashed.
    ///
    /// # Errors
    /// If the file cannot be read or is not the right one.
    pub fn check(&self, file: &DataFile) -> Result<(), DatasetError> {
        match self.state(file)? {
            FileState::Verified => Ok(()),
            FileState::InProgram | FileState::Unverified | FileState::Missing => self.verify(file),
        }
    }

    /// Hashes `file`, whatever is remembered about it.
    ///
    /// # Errors
    /// If the file cannot be read or is not the right one.
    pub fn verify(&self, file: &DataFile) -> Result<(), DatasetError> {
        if file.embedded.is_some() {
            return self.read(file).map(drop);
        }
        let path = self.path(file)?;
        let seen = stamp::look(&path).map_err(|source| self.unreadable(file, source))?;
        let opened = File::open(&path).map_err(|source| self.unreadable(file, source))?;
        match file.check(opened, &self.place(file)) {
            Ok(()) => stamp::remember(&path, file, &seen),
            Err(error) => {
                stamp::forget(&path, file);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Where `file` is and whether it is verified, without hashing it.
    ///
    /// # Errors
    /// If there is no data folder, or the file cannot be looked at.
    pub fn state(&self, file: &DataFile) -> Result<FileState, DatasetError> {
        if file.embedded.is_some() {
            return Ok(FileState::InProgram);
        }
        let path = self.path(file)?;
        match stamp::look(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(FileState::Missing),
            Err(error) => Err(self.unreadable(file, error)),
            Ok(seen) if stamp::is_remembered(&path, file, &seen) => Ok(FileState::Verified),
            Ok(_) => Ok(FileState::Unverified),
        }
    }

    /// Where `file` is, in words for an error.
    pub(crate) fn place(&self, file: &DataFile) -> NamedSource {
        let name = match (file.embedded, &self.samples) {
            (Some(_), None) => format!("{} (in the program)", file.name),
            _ => self.path(file).map_or_else(|_| file.name.to_owned(), |path| path.display().to_string()),
        };
        NamedSource { name, remedy: file.remedy() }
    }

    /// Where `file` is, or belongs, on disk.
    fn path(&self, file: &DataFile) -> Result<PathBuf, DatasetError> {
        match (file.embedded, &self.samples) {
            (Some(_), Some(samples)) => Ok(samples.join(file.name)),
            _ => Ok(self.data()?.join(file.name)),
        }
    }

    fn unreadable(&self, file: &DataFile, source: io::Error) -> DatasetError {
        let NamedSource { name, remedy } = self.place(file);
        let path = PathBuf::from(name);
        if source.kind() == io::ErrorKind::NotFound {
            return DatasetError::Missing { path, remedy };
        }
        let remedy = match file.embedded {
            Some(_) => remedy,
            // What cannot be read may be something that cannot be replaced either, such as a folder in place of the
            // file.
            None => format!("remove what is there, or set BAKEOFF_DATA to another folder, then {remedy}"),
        };
        DatasetError::Read { path, source, remedy }
    }
}

/// Unpacks a sample. It was verified, so what it unpacks to needs no limit.
pub(crate) fn gunzip(packed: &[u8], place: &NamedSource) -> Result<Vec<u8>, DatasetError> {
    gzip::unpack(packed, u64::MAX).map_err(|source| DatasetError::Gzip {
        place: place.name.clone(),
        source,
        remedy: place.remedy.clone(),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const HASH: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    const SAMPLE: DataFile = DataFile::sample("hello.txt", HASH, b"hello");
    const FULL: DataFile = DataFile::sha256("greetings/hello.txt", 5, HASH);

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_folder_with_the_right_sample_gives_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("hello.txt"), "hello").unwrap();
        assert_eq!(*Store::folder(folder.path()).read(&SAMPLE).unwrap(), *b"hello");
    }

    #[test]
    fn a_missing_file_is_named_with_the_way_to_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let message = Store::folder(folder.path()).read(&SAMPLE).unwrap_err().to_string();
        assert!(message.contains(&folder.path().join("hello.txt").display().to_string()), "{message}");
        assert!(message.contains("scripts/make-samples"), "{message}");
        let message = Store::embedded().with_data(folder.path()).read(&FULL).unwrap_err().to_string();
        assert!(message.contains(&folder.path().join("greetings/hello.txt").display().to_string()), "{message}");
        assert!(message.ends_with("get it with `bakeoff data fetch greetings`"), "{message}");
    }

    #[test]
    fn a_changed_sample_is_refused_with_both_checksums_and_sizes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hello.txt");
        fs::write(&path, "hell").unwrap();
        let message = Store::folder(folder.path()).read(&SAMPLE).unwrap_err().to_string();
        let (found, _) = SAMPLE.checksum.of(&b"hell"[..]).unwrap();
        for part in [&path.display().to_string(), HASH, &found, "expected 5 bytes", "found 4 bytes"] {
            assert!(message.contains(part), "{part} is not in: {message}");
        }
    }

    #[test]
    fn the_copy_in_the_program_is_verified_too() {
        let broken = DataFile { embedded: Some(b"hullo"), ..SAMPLE };
        let message = Store::embedded().read(&broken).unwrap_err().to_string();
        assert!(message.starts_with("hello.txt (in the program): expected"), "{message}");
    }

    #[test]
    fn a_file_of_the_data_folder_is_hashed_once_and_again_when_it_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::embedded().with_data(folder.path());
        assert_eq!(store.state(&FULL).unwrap(), FileState::Missing);
        let path = folder.path().join("greetings/hello.txt");
        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::write(&path, "hello").unwrap();
        assert_eq!(store.state(&FULL).unwrap(), FileState::Unverified);
        assert_eq!(*store.read(&FULL).unwrap(), *b"hello");
        assert_eq!(store.state(&FULL).unwrap(), FileState::Verified);

        fs::write(&path, "hello, world").unwrap();
        assert_eq!(store.state(&FULL).unwrap(), FileState::Unverified);
        let message = store.read(&FULL).unwrap_err().to_string();
        assert!(message.contains(HASH) && message.contains("found 12 bytes"), "{message}");
        assert!(message.contains("bakeoff data fetch greetings"), "{message}");
    }

    #[test]
    fn verifying_sees_a_change_that_kept_size_and_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::embedded().with_data(folder.path());
        let path = folder.path().join("greetings/hello.txt");
        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::write(&path, "hello").unwrap();
        store.verify(&FULL).unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, "hullo").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert_eq!(store.state(&FULL).unwrap(), FileState::Verified, "a load trusts size and time");
        assert!(store.verify(&FULL).unwrap_err().to_string().contains(HASH));
        assert_eq!(store.state(&FULL).unwrap(), FileState::Unverified, "and no longer does once a hash was wrong");
    }

    #[test]
    fn a_gzip_file_cut_anywhere_or_not_gzip_at_all_is_refused() {
        let place = NamedSource { name: "x.gz".to_owned(), remedy: "restore it".to_owned() };
        let whole = packed(b"sentence\tlabel\n");
        assert_eq!(gunzip(&whole, &place).unwrap(), b"sentence\tlabel\n");
        for cut in 0..whole.len() {
            let message = gunzip(&whole[..cut], &place).unwrap_err().to_string();
            assert!(message.starts_with("x.gz: not a whole gzip file"), "cut at {cut}: {message}");
        }
        assert!(gunzip(b"plain text, not packed", &place).is_err());
    }
}
