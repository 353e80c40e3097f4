//! Decoded images that are kept during a run. The process that plans the run decodes them once, and the processes of
//! the cases read the result.
//!
//! On Linux the file has no name. It disappears when the last process that has it open ends, in whichever way. On other
//! systems it is in the system's folder for temporary files and is removed when the run ends. If the process is killed,
//! it stays there.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bakeoff_datasets::Splits;
use bakeoff_datasets::own::{read_images, write_images};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

/// Where decoded images are, and their checksum.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DecodedImages {
    path: PathBuf,
    sha256: String,
    /// What keeps the file in existence. Only the process that wrote the file has it.
    #[serde(skip)]
    _owner: Option<Arc<FileOwner>>,
}

#[derive(Debug)]
enum FileOwner {
    Unnamed { _file: File },
    Named { _file: NamedTempFile },
}

impl PartialEq for DecodedImages {
    fn eq(&self, other: &DecodedImages) -> bool {
        self.path == other.path && self.sha256 == other.sha256
    }
}

impl DecodedImages {
    /// Writes images. `None` if the examples are not images.
    ///
    /// # Errors
    /// If there is no room for them, or if the folder for temporary files cannot be written.
    pub(super) fn write(splits: &Splits) -> io::Result<Option<DecodedImages>> {
        let file = tempfile::tempfile()?;
        if let Some(path) = path_of(&file) {
            let sha256 = write_images(splits, BufWriter::new(&file))?;
            return Ok(sha256.map(|sha256| DecodedImages {
                path,
                sha256,
                _owner: Some(Arc::new(FileOwner::Unnamed { _file: file })),
            }));
        }
        let file = NamedTempFile::with_prefix("bakeoff-")?;
        let sha256 = write_images(splits, BufWriter::new(&file))?;
        Ok(sha256.map(|sha256| DecodedImages {
            path: file.path().to_owned(),
            sha256,
            _owner: Some(Arc::new(FileOwner::Named { _file: file })),
        }))
    }

    /// Reads the images back.
    ///
    /// # Errors
    /// If the file is gone or changed.
    pub(super) fn read(&self) -> io::Result<Splits> {
        read_images(BufReader::new(File::open(&self.path)?), &self.sha256)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// A path at which other processes of this user can open a file without a name. `None` if the system has no such paths.
#[cfg(target_os = "linux")]
fn path_of(file: &File) -> Option<PathBuf> {
    use std::os::fd::AsRawFd;
    let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
    File::open(&path).is_ok().then_some(path)
}

#[cfg(not(target_os = "linux"))]
fn path_of(_: &File) -> Option<PathBuf> {
    None
}
