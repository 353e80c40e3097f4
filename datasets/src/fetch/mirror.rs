//! A folder or address that holds the same files under the same names as the official places.

use std::fmt;
use std::path::PathBuf;

use ureq::http::Uri;

use super::error::FetchError;
use crate::dataset::{Dataset, Download, Transport};
use crate::store::DataFile;

/// Where to fetch from in place of the official addresses. It may hold what is downloaded officially, or the unpacked
/// files; a data folder of this program is one of the latter kind.
#[derive(Debug, Clone)]
pub enum Mirror {
    /// A folder.
    Folder(PathBuf),
    /// An address, without a slash at its end.
    Url(String),
}

impl Mirror {
    /// A mirror as written on the command line.
    ///
    /// # Errors
    /// If it is neither an address nor a folder that exists.
    pub fn parse(text: &str) -> Result<Mirror, FetchError> {
        let names_host = || text.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()));
        if (text.starts_with("http://") || text.starts_with("https://")) && names_host() {
            return Ok(Mirror::Url(text.trim_end_matches('/').to_owned()));
        }
        let folder = PathBuf::from(text);
        if folder.is_dir() {
            Ok(Mirror::Folder(folder))
        } else {
            Err(FetchError::NoSuchMirror { mirror: text.to_owned() })
        }
    }

    /// The place of `name` in it.
    pub(crate) fn place(&self, name: &str) -> Place {
        match self {
            Mirror::Folder(folder) => Place::File(folder.join(name)),
            Mirror::Url(base) => Place::Url(format!("{base}/{name}")),
        }
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mirror::Folder(folder) => folder.display().fmt(f),
            Mirror::Url(url) => url.fmt(f),
        }
    }
}

/// A file somewhere.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// On this machine.
    File(PathBuf),
    /// At an address.
    Url(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => path.display().fmt(f),
            Place::Url(url) => url.fmt(f),
        }
    }
}

/// Names that a download has in a mirror: in the folder of its family (`glue`), or right there.
pub(crate) fn download_names(dataset: &dyn Dataset, download: &Download) -> Vec<String> {
    in_family(dataset, download.name.to_owned())
}

/// Names that an unpacked file has in a mirror: as in the archive, or as in our data folder.
pub(crate) fn file_names(dataset: &dyn Dataset, transport: &Transport, file: &DataFile) -> Vec<String> {
    let mut names = in_family(dataset, format!("{}/{}", transport.folder, file.base()));
    names.push(file.name.to_owned());
    names
}

fn in_family(dataset: &dyn Dataset, name: String) -> Vec<String> {
    match dataset.id().split_once('/') {
        Some((family, _)) => vec![format!("{family}/{name}"), name],
        None => vec![name],
    }
}
