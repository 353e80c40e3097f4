//! Remembers the sizes and modification times of files that were hashed.
//!
//! Each dataset's folder has a file `.verified` with a line for each file: checksum, size, modification time in
//! nanoseconds, name. The lines are no proof that the files are right; `bakeoff data verify` hashes them again.
//! `.verified` may be missing or unwritable at any time. Files are then hashed more often.

use std::fs;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::store::DataFile;

const NAME: &str = ".verified";

/// The size and modification time of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileStamp {
    bytes: u64,
    /// Nanoseconds since 1970; negative for earlier times.
    changed_ns: i128,
}

/// Reads the size and modification time of a file, which must be a regular one.
pub(crate) fn look(path: &Path) -> io::Result<FileStamp> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let changed_ns = match metadata.modified()?.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos().cast_signed(),
        Err(before) => -before.duration().as_nanos().cast_signed(),
    };
    Ok(FileStamp { bytes: metadata.len(), changed_ns })
}

fn line(file: &DataFile, seen: &FileStamp) -> String {
    format!("{} {} {} {}", file.checksum.hex(), seen.bytes, seen.changed_ns, file.base())
}

/// The lines of the folder that holds `path`, without that of `file`.
fn others(path: &Path, file: &DataFile) -> Vec<String> {
    let text = fs::read_to_string(path.with_file_name(NAME)).unwrap_or_default();
    text.lines().filter(|line| line.rsplit(' ').next() != Some(file.base())).map(str::to_owned).collect()
}

/// Whether `file`, at `path`, was hashed when it had this size and modification time.
pub(crate) fn is_remembered(path: &Path, file: &DataFile, seen: &FileStamp) -> bool {
    let expected = line(file, seen);
    fs::read_to_string(path.with_file_name(NAME)).is_ok_and(|text| text.lines().any(|line| line == expected))
}

/// Remembers that `file`, at `path`, had the right hash when it had this size and modification time.
pub(crate) fn remember(path: &Path, file: &DataFile, seen: &FileStamp) {
    let mut lines = others(path, file);
    lines.push(line(file, seen));
    write(path, &lines);
}

/// Forgets `file`.
pub(crate) fn forget(path: &Path, file: &DataFile) {
    write(path, &others(path, file));
}

/// Replaces the lines atomically: a reader finds the old ones or the new ones.
fn write(path: &Path, lines: &[String]) {
    let own = path.with_file_name(format!("{NAME}.{}", std::process::id()));
    let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
    let written = fs::write(&own, text).and_then(|()| fs::rename(&own, path.with_file_name(NAME)));
    if written.is_err() {
        // The folder cannot be written, so its files are hashed at each load.
        let _ = fs::remove_file(&own);
    }
}
