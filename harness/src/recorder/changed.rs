//! Whether what a run has stored is still there while the run goes on: somebody may edit, replace, move or remove its files.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use bakeoff_reports::RunDir;

use super::{RowCounts, StoredRows};

/// Whether an open file is still the one at `path`. An editor that saves under another name and renames, as `sed -i` does, puts another
/// one there, and what is written to the open file is lost.
#[cfg(unix)]
pub(super) fn is_in_place(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let (open, there) = (file.metadata().map(identity), std::fs::metadata(path).map(identity));
    matches!((open, there), (Ok(open), Ok(there)) if open == there)
}

/// Whether there is a file at `path`. Elsewhere than on Unix, an open file is not replaced by a rename.
#[cfg(not(unix))]
pub(super) fn is_in_place(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// Refuses to go on in a folder that is no run any more.
pub(super) fn refuse_gone(dir: &RunDir, consequence: &str) -> anyhow::Result<()> {
    if dir.info_path().exists() {
        return Ok(());
    }
    let folder = dir.path().display();
    anyhow::bail!(
        "the folder {folder} was moved or removed while the run wrote to it, so {consequence}. If it was moved, what was stored before is \
         complete where it is now: bakeoff resume <its new place>"
    )
}

/// What the two files of rows lack of the cases in `stored`, or why they cannot be read.
pub(super) fn lacking(dir: &RunDir, stored: &BTreeMap<String, RowCounts>) -> Option<String> {
    for path in [dir.records_path(), dir.curves_path()] {
        if !path.exists() {
            return Some(format!("{} is missing", path.display()));
        }
    }
    let found = match StoredRows::read(dir) {
        Ok(rows) => rows.counts(),
        Err(error) => return Some(format!("{error:#}")),
    };
    let count = |id: &str| found.get(id).copied().unwrap_or_default();
    let of = |path: &Path, rows: fn(RowCounts) -> usize| {
        let cases: Vec<&str> =
            stored.iter().filter(|(id, counts)| rows(count(id)) != rows(**counts)).map(|(id, _)| id.as_str()).collect();
        let cases_of = if cases.len() == 1 { "case" } else { "cases" };
        (!cases.is_empty())
            .then(|| format!("{} lacks rows of the stored {cases_of} {}", path.display(), cases.join(", ")))
    };
    of(&dir.records_path(), |counts| counts.records).or_else(|| of(&dir.curves_path(), |counts| counts.curves))
}

/// The error for files of rows that lack something.
pub(super) fn replaced(dir: &RunDir, what: &str, consequence: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "{what}: a file was replaced or changed while the run wrote to it, so {consequence}. Nothing was removed: all predictions, readings \
         and models that were stored are still there. Put the lost rows back, or remove the files of these cases in predictions/ and \
         readings/ to have them measured again; then: bakeoff resume {}. Change the files of a run only when it has ended",
        dir.path().display()
    )
}
