//! Fetching: from the official addresses or a mirror into the data folder.
//!
//! A dataset is downloaded to a temporary name, unpacked into its own folder, verified file by file, and only then moved into
//! place. Archives are only transport: the files are what is verified. A download that was cut off stays under its temporary
//! name, so that the next attempt can resume it; anything else that is incomplete is removed.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::fetchable::{Download, Fetchable, Packing, Transport};
use crate::store::{DataFile, FileState, Store};

mod error;
mod http;
mod mirror;
mod proxy;
pub(crate) mod unpack;

pub(crate) use error::Fault;
pub use error::FetchError;
use mirror::Location;
pub use mirror::Mirror;
use unpack::Wanted;

/// The folder for work in progress in the data folder: locks, partial downloads, files that are not yet verified.
const WORK: &str = ".fetch";

/// How the name of a partial download ends.
const PART: &str = ".part";

/// The largest number of requests for one file. The series ends earlier if a request brings nothing.
const MAX_ATTEMPTS: usize = 5;

/// How to fetch.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Where to fetch from; `None` for the official addresses.
    pub mirror: Option<Mirror>,
    /// How long to wait for a connection, an answer, or the next bytes.
    pub read_timeout: Duration,
}

impl Default for FetchOptions {
    fn default() -> FetchOptions {
        FetchOptions { mirror: None, read_timeout: Duration::from_secs(60) }
    }
}

/// What happens while a dataset is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchProgress {
    /// Another process fetches the same dataset; this one waits.
    Waiting {
        /// The process, as far as known.
        holder: String,
    },
    /// The transfer of a file begins.
    Reading {
        /// The address or path.
        place: String,
    },
    /// Some of its bytes have arrived.
    Bytes {
        /// How many.
        done: u64,
        /// The total, if the server states it.
        total: Option<u64>,
    },
    /// The file is complete; its content is extracted and verified.
    Unpacking,
}

/// The result of fetching a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// It was complete before.
    AlreadyComplete,
    /// It was fetched.
    Downloaded,
}

/// Fetches a dataset into the data folder of `store`, unless it is complete there.
///
/// # Errors
/// If the source does not have the data, if it has other data, or if the data cannot be written.
pub fn fetch(
    item: &dyn Fetchable,
    store: &Store,
    options: &FetchOptions,
    tell: &mut dyn FnMut(FetchProgress),
) -> Result<Fetched, FetchError> {
    let Some(transport) = item.transport() else {
        return Err(FetchError::InProgram { dataset: item.id().to_owned() });
    };
    let data = store.data()?;
    // Checked before anything is written, because this user may not be allowed to write to the folder.
    if is_whole(item, store)? {
        return Ok(Fetched::AlreadyComplete);
    }
    let work = data.join(WORK);
    make_folder(&work)?;
    let _lock = lock(&work, item, tell)?;
    // The process that held the lock may have fetched it.
    if is_whole(item, store)? {
        return Ok(Fetched::AlreadyComplete);
    }
    let staging = Staging::new(work.join(plain_id(item)))?;
    let job =
        Job { item, transport, options, work: &work, staging: &staging.0, agent: http::agent(options.read_timeout) };
    job.fetch_files(tell)?;
    let folder = data.join(item.id());
    make_folder(&folder)?;
    for file in item.files() {
        let to = data.join(file.name);
        fs::rename(staging.0.join(file.base()), &to).map_err(|source| FetchError::Write { path: to, source })?;
        store.check(file)?;
    }
    remove_parts(item, &work);
    Ok(Fetched::Downloaded)
}

/// Whether all files are here and verified. A broken file counts as missing. Something else in a file's place is an error, so that
/// nothing is downloaded in vain.
fn is_whole(item: &dyn Fetchable, store: &Store) -> Result<bool, FetchError> {
    let states: Result<Vec<FileState>, _> = item.files().iter().map(|file| store.state(file)).collect();
    Ok(!states?.contains(&FileState::Missing) && item.files().iter().all(|file| store.check(file).is_ok()))
}

/// The id as a file name.
fn plain_id(item: &dyn Fetchable) -> String {
    item.id().replace('/', "-")
}

/// How the names of the partial downloads of a dataset begin.
fn part_prefix(item: &dyn Fetchable) -> String {
    format!("{}.", plain_id(item))
}

/// Removes partial downloads from addresses other than the one that gave the dataset.
fn remove_parts(item: &dyn Fetchable, work: &Path) {
    let prefix = part_prefix(item);
    for entry in fs::read_dir(work).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(&prefix) && name.ends_with(PART)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn make_folder(path: &Path) -> Result<(), FetchError> {
    fs::create_dir_all(path).map_err(|source| FetchError::Write { path: path.to_owned(), source })
}

/// Locks a dataset until the file is dropped. The file is not removed: that would let two processes hold two locks of one name.
fn lock(work: &Path, item: &dyn Fetchable, tell: &mut dyn FnMut(FetchProgress)) -> Result<File, FetchError> {
    let path = work.join(format!("{}.lock", plain_id(item)));
    let fault = |source| FetchError::Write { path: path.clone(), source };
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(fault)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = fs::read_to_string(&path).unwrap_or_default();
            let holder = if pid.is_empty() { "another process".to_owned() } else { format!("process {pid}") };
            tell(FetchProgress::Waiting { holder });
            file.lock().map_err(|error| FetchError::lock(&path, error))?;
        }
        Err(TryLockError::Error(error)) => return Err(FetchError::lock(&path, error)),
    }
    let written = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
    written.and_then(|_| write!(file, "{}", std::process::id())).map_err(fault)?;
    Ok(file)
}

/// A folder for files that are not yet verified; it is removed when this is dropped.
struct Staging(PathBuf);

impl Staging {
    fn new(path: PathBuf) -> Result<Staging, FetchError> {
        // A killed process may have left it; the lock guarantees that no process uses it.
        let _ = fs::remove_dir_all(&path);
        make_folder(&path)?;
        Ok(Staging(path))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One dataset to fetch into its staging folder.
struct Job<'a> {
    item: &'a dyn Fetchable,
    transport: &'a Transport,
    options: &'a FetchOptions,
    work: &'a Path,
    staging: &'a Path,
    agent: ureq::Agent,
}

impl Job<'_> {
    /// Fetches all files of the dataset and verifies them: from the official downloads, or from unpacked files of a mirror.
    fn fetch_files(&self, tell: &mut dyn FnMut(FetchProgress)) -> Result<(), FetchError> {
        let mut looked_for = Vec::new();
        if self.downloads(&mut looked_for, tell)? {
            self.item.derive(self.staging)?;
            let downloaded = |file: &DataFile| {
                self.transport.downloads.iter().flat_map(|download| download.files).any(|other| other.name == file.name)
            };
            let derived = self.item.files().iter().filter(|file| !downloaded(file));
            return derived.into_iter().try_for_each(|file| self.verify(file, None));
        }
        let mirror = self.options.mirror.as_ref().expect("only a mirror can lack a download without an error");
        for file in self.item.files() {
            let names = mirror::file_names(self.item, self.transport, file);
            let places: Vec<Location> = names.iter().map(|name| mirror.place(name)).collect();
            let plain =
                Load { packing: Packing::Plain, max_bytes: file.size.most(), files: std::slice::from_ref(file) };
            if !self.first_of(&places, file.base(), &plain, tell)? {
                looked_for.extend(names);
                let (mirror, dataset) = (mirror.to_string(), self.item.id().to_owned());
                return Err(FetchError::NotInMirror { mirror, dataset, looked_for });
            }
        }
        Ok(())
    }

    /// Fetches each download and extracts its files; `false` if the mirror lacks one.
    fn downloads(&self, looked_for: &mut Vec<String>, tell: &mut dyn FnMut(FetchProgress)) -> Result<bool, FetchError> {
        for download in self.transport.downloads {
            let names = mirror::download_names(self.item, download);
            let places: Vec<Location> = match &self.options.mirror {
                Some(mirror) => names.iter().map(|name| mirror.place(name)).collect(),
                None => vec![Location::Url(download.url.to_owned())],
            };
            let Download { packing, max_bytes, files, .. } = *download;
            if !self.first_of(&places, download.name, &Load { packing, max_bytes, files }, tell)? {
                if self.options.mirror.is_none() {
                    return Err(self.source(&places[0], "the server does not have it (HTTP 404)".to_owned()));
                }
                looked_for.extend(names);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Extracts the files from the first of `places` that exists; `false` if none does.
    fn first_of(
        &self,
        places: &[Location],
        name: &str,
        load: &Load<'_>,
        tell: &mut dyn FnMut(FetchProgress),
    ) -> Result<bool, FetchError> {
        for place in places {
            match self.take(place, name, load, tell) {
                Err(ExtractError::Fault(Fault::Absent)) => {}
                Err(ExtractError::Fault(Fault::Write(path, source))) => return Err(FetchError::Write { path, source }),
                Err(ExtractError::Fault(Fault::Bad(fault) | Fault::CutOff(fault))) => {
                    return Err(self.source(place, fault));
                }
                Err(ExtractError::Wrong(error)) => return Err(error),
                Ok(()) => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Extracts the files from `place`. A download that was cut off is resumed as long as that brings something. It is kept for
    /// the next attempt, as is one that there is no room to unpack. A useless download is removed; if it was assembled from
    /// parts, that may be the reason, and it is requested again as a whole.
    fn take(
        &self,
        place: &Location,
        name: &str,
        load: &Load<'_>,
        tell: &mut dyn FnMut(FetchProgress),
    ) -> Result<(), ExtractError> {
        let url = match place {
            Location::File(path) if path.is_file() => {
                tell(FetchProgress::Reading { place: place.to_string() });
                return self.unpack(path, place, load, tell);
            }
            Location::File(_) => return Err(Fault::Absent.into()),
            Location::Url(url) => url,
        };
        let proxy = proxy::of(url, |name| env::var_os(name)).map_err(ExtractError::Wrong)?;
        let part = self.work.join(format!("{}{name}.{}{PART}", part_prefix(self.item), short_hash(url)));
        for attempt in 1.. {
            tell(FetchProgress::Reading { place: url.clone() });
            let before = http::size(&part);
            let mut bytes = |done, total| tell(FetchProgress::Bytes { done, total });
            let came = http::download(&self.agent, proxy.as_ref(), url, &part, load.max_bytes, &mut bytes);
            let is_whole = came.is_ok();
            let taken = came.map_err(ExtractError::from).and_then(|()| self.unpack(&part, place, load, tell));
            match taken {
                Err(ExtractError::Fault(Fault::CutOff(_))) if attempt < MAX_ATTEMPTS && http::size(&part) > before => {
                    continue;
                }
                Err(ExtractError::Fault(Fault::CutOff(_))) => return taken,
                Err(ExtractError::Fault(Fault::Write(..))) if is_whole => return taken,
                _ => {}
            }
            let _ = fs::remove_file(&part);
            let useless = matches!(taken, Err(ExtractError::Fault(Fault::Bad(_)) | ExtractError::Wrong(_)));
            if !useless || before == 0 || attempt > MAX_ATTEMPTS {
                return taken;
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Extracts the files from the download at `path`, which came from `place`, and verifies them.
    fn unpack(
        &self,
        path: &Path,
        place: &Location,
        load: &Load<'_>,
        tell: &mut dyn FnMut(FetchProgress),
    ) -> Result<(), ExtractError> {
        tell(FetchProgress::Unpacking);
        let opened = File::open(path).map_err(|error| Fault::Bad(format!("it cannot be read ({error})")))?;
        let wanted: Vec<Wanted> = load.files.iter().map(|file| self.wanted(file, load.packing)).collect();
        let mut open = |index: usize| {
            let path = self.staging.join(load.files[index].base());
            File::create(&path).map_err(Fault::write(&path))
        };
        let unpacked = match load.packing {
            Packing::Zip => unpack::zip(opened, &wanted, &mut open),
            Packing::TarGz => unpack::tar_gz(opened, &wanted, &mut open),
            Packing::Plain => unpack::plain(opened, &wanted[0], &mut open),
        };
        unpacked.map_err(|fault| match fault {
            // The error names the place that is full, not the name in the archive.
            Fault::Write(member, error) => {
                Fault::Write(self.staging.join(member.file_name().unwrap_or_default()), error)
            }
            other => other,
        })?;
        load.files.iter().try_for_each(|file| self.verify(file, Some(place))).map_err(ExtractError::Wrong)
    }

    fn wanted(&self, file: &DataFile, packing: Packing) -> Wanted {
        let member = match packing {
            Packing::Plain => file.base().to_owned(),
            Packing::Zip | Packing::TarGz => format!("{}/{}", self.transport.folder, file.base()),
        };
        Wanted { member, max_bytes: file.size.most() }
    }

    /// Verifies a file in the staging folder; `from` is its source.
    fn verify(&self, file: &DataFile, from: Option<&Location>) -> Result<(), FetchError> {
        let path = self.staging.join(file.base());
        let name = match from {
            Some(place) => format!("{} from {place}", file.base()),
            None => format!("{} as made from the downloaded files", file.base()),
        };
        let place = crate::error::NamedSource { name, remedy: self.remedy() };
        let opened = File::open(&path).map_err(|source| FetchError::Write { path, source })?;
        Ok(file.check(opened, &place)?)
    }

    fn source(&self, place: &Location, fault: String) -> FetchError {
        FetchError::Source { place: place.to_string(), fault, remedy: self.remedy() }
    }

    /// How to get the dataset without the source that failed.
    fn remedy(&self) -> String {
        let names: Vec<&str> = self.transport.downloads.iter().map(|download| download.name).collect();
        format!(
            "try again later, or put {} into a folder and name it: `bakeoff data fetch {} --mirror FOLDER`",
            names.join(", "),
            self.item.id()
        )
    }
}

/// The contents of a download.
struct Load<'a> {
    packing: Packing,
    max_bytes: u64,
    files: &'a [DataFile],
}

/// Why files could not be extracted from a place.
enum ExtractError {
    Fault(Fault),
    /// A fault that another attempt cannot correct: wrong files, or a proxy that cannot be used.
    Wrong(FetchError),
}

impl From<Fault> for ExtractError {
    fn from(fault: Fault) -> ExtractError {
        ExtractError::Fault(fault)
    }
}

/// Distinguishes downloads of one name from different addresses: their bytes must not be mixed.
fn short_hash(url: &str) -> String {
    Sha256::digest(url.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
