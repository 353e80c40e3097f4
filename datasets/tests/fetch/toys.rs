//! Small datasets to fetch, and archives of them, whole and broken.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bakeoff_datasets::{
    Checksum, DataFile, Download, FetchError, FetchOptions, FetchProgress, Fetchable, Fetched, Mirror, Packing, Size,
    Store, Transport, fetch,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::server::{Answer, Server};

pub(crate) const ALPHA_SHA256: &str = "b6a98d9ce9a2d9149288fa3df42d377c3e42737afdcdaf714e33c0a100b51060";
const BETA_MD5: &str = "f0cf2a92516045024a0c99147b28f05b";

static FILES: [DataFile; 2] = [
    DataFile {
        name: "toys/blocks/alpha.txt",
        checksum: Checksum::Sha256(ALPHA_SHA256),
        size: Size::Exactly(6),
        embedded: None,
    },
    DataFile {
        name: "toys/blocks/beta.txt",
        checksum: Checksum::Md5(BETA_MD5),
        size: Size::AtMost(10),
        embedded: None,
    },
];

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9/Blocks.zip";

static ZIPPED: Transport = Transport {
    folder: "Blocks",
    downloads: &[Download {
        url: NOWHERE,
        name: "Blocks.zip",
        packing: Packing::Zip,
        max_bytes: 1_000_000,
        files: &FILES,
    }],
};

static TARRED: Transport = Transport {
    folder: "Blocks",
    downloads: &[Download {
        url: NOWHERE,
        name: "Blocks.tar.gz",
        packing: Packing::TarGz,
        max_bytes: 1_000_000,
        files: &FILES,
    }],
};

/// Two files in an archive.
pub(crate) struct Toy(&'static Transport);

pub(crate) const ZIP: Toy = Toy(&ZIPPED);
pub(crate) const TAR: Toy = Toy(&TARRED);

/// As `ZIP`, with this official address.
pub(crate) fn zip_at(url: String) -> Toy {
    let [Download { name, packing, max_bytes, files, .. }] = *ZIPPED.downloads else { unreachable!("it has one") };
    let downloads = Box::leak(Box::new([Download { url: url.leak(), name, packing, max_bytes, files }]));
    Toy(Box::leak(Box::new(Transport { folder: ZIPPED.folder, downloads })))
}

impl Fetchable for Toy {
    fn id(&self) -> &'static str {
        "toys/blocks"
    }
    fn about(&self) -> &'static str {
        "building blocks"
    }
    fn files(&self) -> &'static [DataFile] {
        &FILES
    }
    fn licence(&self) -> &'static str {
        "free"
    }
    fn citation(&self) -> &'static str {
        "none"
    }
    fn transport(&self) -> Option<&'static Transport> {
        Some(self.0)
    }
}

pub(crate) const GOOD: [(&str, &[u8]); 2] = [("Blocks/alpha.txt", b"alpha\n"), ("Blocks/beta.txt", b"beta\n")];

pub(crate) fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A zip archive whose first member is a link.
pub(crate) fn zipped_link() -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_symlink("Blocks/alpha.txt", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    writer.finish().unwrap().into_inner()
}

pub(crate) fn tarred(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (name, bytes) in members {
        builder.append(&header(name, bytes.len(), tar::EntryType::Regular), *bytes).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// A tar archive in which a long name stands before the first member, which has its own.
pub(crate) fn tarred_long_name(long_name: &[u8], members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let kind = tar::EntryType::GNULongName;
    builder.append(&header("././@LongLink", long_name.len(), kind), long_name).unwrap();
    for (name, bytes) in members {
        builder.append(&header(name, bytes.len(), tar::EntryType::Regular), *bytes).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// A tar archive with a link to a file outside.
pub(crate) fn tarred_link(kind: tar::EntryType) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let mut header = header("Blocks/alpha.txt", 0, kind);
    header.set_link_name("/etc/passwd").unwrap();
    header.set_cksum();
    builder.append(&header, std::io::empty()).unwrap();
    builder.into_inner().unwrap().finish().unwrap()
}

/// Any name, also one that the library would not write by itself.
fn header(name: &str, bytes: usize, kind: tar::EntryType) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(bytes as u64);
    header.set_mode(0o644);
    header.set_entry_type(kind);
    header.set_cksum();
    header
}

/// A data folder, and what was told while it was filled.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) told: Vec<FetchProgress>,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        Bench { folder: tempfile::tempdir().unwrap(), told: Vec::new() }
    }

    pub(crate) fn fetch(&mut self, toy: &Toy, mirror: Option<&str>) -> Result<Fetched, FetchError> {
        self.fetch_with(toy, mirror, Duration::from_millis(400), &mut |_| {})
    }

    /// `also` hears what is told too.
    pub(crate) fn fetch_with(
        &mut self,
        toy: &Toy,
        mirror: Option<&str>,
        read_timeout: Duration,
        also: &mut dyn FnMut(&FetchProgress),
    ) -> Result<Fetched, FetchError> {
        let mirror = mirror.map(|mirror| Mirror::parse(mirror).unwrap());
        let store = Store::embedded().with_data(self.folder.path());
        fetch(toy, &store, &FetchOptions { mirror, read_timeout }, &mut |progress| {
            also(&progress);
            self.told.push(progress);
        })
    }

    /// The message of a fetch that fails.
    pub(crate) fn refusal(&mut self, toy: &Toy, mirror: Option<&str>) -> String {
        self.fetch(toy, mirror).expect_err("this must not be accepted").to_string()
    }

    pub(crate) fn assert_whole(&self) {
        for (name, bytes) in [("alpha.txt", b"alpha\n".as_slice()), ("beta.txt", b"beta\n")] {
            assert_eq!(fs::read(self.folder.path().join("toys/blocks").join(name)).unwrap(), bytes);
        }
        assert!(self.leftovers().is_empty(), "{:?}", self.leftovers());
    }

    /// Whatever lies in the data folder and is neither a lock nor a file in its place.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let placed = |path: &Path| path.parent().is_some_and(|folder| folder.ends_with("toys/blocks"));
        let lock = |path: &Path| path.extension().is_some_and(|extension| extension == "lock");
        files(self.folder.path()).into_iter().filter(|path| !placed(path) && !lock(path)).collect()
    }

    /// Nothing half-written, and nothing in the dataset's folder.
    pub(crate) fn assert_empty(&self) {
        let kept = files(self.folder.path()).into_iter().filter(|path| path.extension().is_none_or(|e| e != "lock"));
        assert_eq!(kept.collect::<Vec<_>>(), Vec::<PathBuf>::new());
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A server that has this archive of the toys and nothing else.
pub(crate) fn server_of(name: &'static str, bytes: Vec<u8>) -> Server {
    Server::new(move |_, asked| {
        if asked.path.ends_with(name) { Answer::File(bytes.clone()) } else { Answer::Status(404, "no such file") }
    })
}
