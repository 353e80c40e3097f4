//! A folder or address that holds the same files under the same names as the official addresses.

use std::fmt;
use std::path::PathBuf;

use ureq::http::Uri;

use super::error::FetchError;
use crate::fetchable::{Download, Fetchable, Transport};
use crate::store::DataFile;

/// Where to fetch from instead of the official addresses. It holds either the official downloads or the unpacked files; a data
/// folder of this program is a mirror of the second kind.
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

    /// Where the mirror has `name`.
    pub(crate) fn place(&self, name: &str) -> Location {
        match self {
            Mirror::Folder(folder) => Location::File(folder.join(name)),
            Mirror::Url(base) => Location::Url(format!("{base}/{name}")),
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

/// Where a file is.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    /// On this machine.
    File(PathBuf),
    /// At an address.
    Url(String),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::File(path) => path.display().fmt(f),
            Location::Url(url) => url.fmt(f),
        }
    }
}

/// The names that a download can have in a mirror: in the folder of its family (`glue`), or directly in the mirror.
pub(crate) fn download_names(item: &dyn Fetchable, download: &Download) -> Vec<String> {
    in_family(item, download.name.to_owned())
}

/// The names that an unpacked file can have in a mirror: as in the archive, or as in a data folder.
pub(crate) fn file_names(item: &dyn Fetchable, transport: &Transport, file: &DataFile) -> Vec<String> {
    let mut names = in_family(item, format!("{}/{}", transport.folder, file.base()));
    names.push(file.name.to_owned());
    names
}

fn in_family(item: &dyn Fetchable, name: String) -> Vec<String> {
    match item.id().split_once('/') {
        Some((family, _)) => vec![format!("{family}/{name}"), name],
        None => vec![name],
    }
}
