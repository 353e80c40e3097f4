//! What can be fetched into the data folder: files with a name, a licence and a citation, each with its checksum.

use std::path::Path;

use crate::error::DatasetError;
use crate::store::DataFile;

/// Files that belong together, each verified by its checksum: a dataset, or the weights of a pretrained encoder.
pub trait Fetchable: Sync {
    /// The name, in lower case. For files that are fetched, it is also their folder in the data folder.
    fn id(&self) -> &'static str;
    /// What the files hold, in one line.
    fn about(&self) -> &'static str;
    /// The files.
    fn files(&self) -> &'static [DataFile];
    /// Their licence, as far as known.
    fn licence(&self) -> &'static str;
    /// How to cite them.
    fn citation(&self) -> &'static str;
    /// Where the files can be downloaded; `None` for a sample, which is in the program.
    fn transport(&self) -> Option<&'static Transport> {
        None
    }
    /// Makes the files that no address offers from downloaded ones. All of them are in `folder`.
    ///
    /// # Errors
    /// If a file cannot be read or written, or breaks its format.
    fn derive(&self, folder: &Path) -> Result<(), DatasetError> {
        let _ = folder;
        Ok(())
    }
}

/// Where files can be downloaded.
#[derive(Debug)]
pub struct Transport {
    /// The folder of the files in archives and in unpacked copies.
    pub folder: &'static str,
    /// The downloads.
    pub downloads: &'static [Download],
}

/// A file that is downloaded: an archive, or a plain file.
#[derive(Debug)]
pub struct Download {
    /// The official address.
    pub url: &'static str,
    /// The file's name, which is the same in a mirror.
    pub name: &'static str,
    /// How the download holds the files.
    pub packing: Packing,
    /// The largest size that is accepted, in bytes.
    pub max_bytes: u64,
    /// The files to take from the download: `folder/base` in an archive, or the plain file itself.
    pub files: &'static [DataFile],
}

/// How a download holds files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// A zip archive.
    Zip,
    /// A gzipped tar archive.
    TarGz,
    /// The download is the file.
    Plain,
}
