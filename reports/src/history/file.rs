//! `history.jsonl`: how it is read, and how runs are added to it.
//!
//! The file only grows. It is replaced as a whole by one with more lines, so that no reader and no crash sees half a run. A copy or a
//! merge may still have cut it short: a run at its end whose lines are not all there is left out, and the next run takes its place.

use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::line::{CellLine, EpochLine, HISTORY_SCHEMA, Header, Line, RunLine};
use crate::error::ReportError;
use crate::run_dir::replace;

/// The file in the folder of a history.
pub(super) const FILE: &str = "history.jsonl";

/// What to do with a file that is not as this program wrote it.
const PUT_BACK: &str = "put the file back as it was, from version control (git checkout) or from a copy";

/// The lines of a file, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    pub(super) project: String,
    /// Runs and epochs in the order of the file.
    pub(super) entries: Vec<Entry>,
    /// The bytes of whole entries. The rest was cut short.
    pub(super) bytes: usize,
    /// What was cut short, in a sentence.
    pub(super) cut: Option<String>,
}

/// A run with its cells, or an epoch.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Entry {
    Run { line: usize, run: RunLine, cells: Vec<CellLine> },
    Epoch { line: usize, epoch: EpochLine },
}

/// The path of the file in the folder of a history.
pub(super) fn path_in(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Reads the file. `None` if there is none.
///
/// # Errors
/// If it cannot be read, is of a newer schema, or has a line that this program did not write so.
pub(super) fn read(folder: &Path) -> Result<Option<(Stored, Vec<u8>)>, ReportError> {
    let path = path_in(folder);
    let bytes = match fs::read(&path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        read => read.map_err(ReportError::io("read", &path))?,
    };
    if bytes.is_empty() {
        return Err(fault(&path, 1, format!("the file is empty: {PUT_BACK}, or remove it to begin a new history")));
    }
    Ok(Some((decode(&path, &bytes)?, bytes)))
}

/// The file with further lines, in place of the former one. `bytes` is what was read, of which `keep` bytes stay.
pub(super) fn write(folder: &Path, bytes: &[u8], keep: usize, more: &[u8]) -> Result<(), ReportError> {
    let mut all = bytes[..keep].to_vec();
    // The last line may have lost its end in an editor.
    if all.last().is_some_and(|last| *last != b'\n') {
        all.push(b'\n');
    }
    all.extend_from_slice(more);
    replace(&path_in(folder), &all)
}

/// A line with its end.
pub(super) fn encode(line: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string(line).expect("lines have finite numbers and string keys only");
    text.push('\n');
    text
}

/// As [`RunLine::digest`], of a run whose own is not regarded. `cells` are lines with their ends, which git may have changed.
pub(super) fn digest<'a>(run: &RunLine, cells: impl Iterator<Item = &'a str>) -> String {
    let run = encode(&Line::Run(RunLine { digest: String::new(), ..run.clone() }));
    let mut hash = Sha256::new();
    let mut add = |line: &str| {
        hash.update(line.trim_end().as_bytes());
        hash.update(b"\n");
    };
    add(&run);
    cells.for_each(add);
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn fault(path: &Path, line: usize, message: String) -> ReportError {
    ReportError::Row { path: path.to_owned(), line: line as u64, message }
}

/// The lines of a text: the number of each from 1, and where it is. The last one may have no end.
fn lines(text: &str) -> Vec<(usize, Range<usize>)> {
    let mut start = 0;
    let of = |(index, line): (usize, &str)| {
        let range = start..start + line.len();
        start = range.end;
        (index + 1, range)
    };
    text.split_inclusive('\n').enumerate().map(of).collect()
}

/// Reads the lines.
///
/// # Errors
/// As [`read`].
pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Stored, ReportError> {
    // A kill may have cut a character in two.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let whole = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            if error.error_len().is_some() {
                let line = whole.split('\n').count();
                return Err(fault(path, line, format!("expected UTF-8, found other bytes: {PUT_BACK}")));
            }
            whole
        }
    };
    // An editor of Windows may have put it there.
    if text.starts_with('\u{feff}') {
        return Err(fault(path, 1, "the file begins with a byte order mark: save it as UTF-8 without one".to_owned()));
    }
    let lines = lines(text);
    let mut lines = lines.iter().map(|(number, range)| (*number, range.clone(), &text[range.clone()])).peekable();
    let Some((_, range, first)) = lines.next() else {
        return Err(fault(path, 1, format!("the file is empty: {PUT_BACK}, or remove it to begin a new history")));
    };
    let header = header(path, first)?;
    let mut stored = Stored { project: header.project, entries: Vec::new(), bytes: range.end, cut: None };
    while let Some((number, range, text)) = lines.next() {
        let is_last = lines.peek().is_none();
        let line = match parse(text) {
            Ok(line) => line,
            Err(_) if is_last && !text.ends_with('\n') => {
                stored.cut = Some(format!("Line {number} is cut short. It is left out."));
                break;
            }
            Err(message) => return Err(fault(path, number, message)),
        };
        match line {
            Line::Epoch(epoch) => {
                stored.entries.push(Entry::Epoch { line: number, epoch });
                stored.bytes = range.end;
            }
            Line::Cell(cell) => {
                let message = format!(
                    "a cell ({} on {}) that belongs to no run: the line of its run, or a line between them, was removed or added; {PUT_BACK}",
                    cell.label, cell.task
                );
                return Err(fault(path, number, message));
            }
            Line::Run(run) => match cells(path, &mut lines, number, &run)? {
                Ok((cells, end)) => {
                    stored.bytes = end.unwrap_or(range.end);
                    stored.entries.push(Entry::Run { line: number, run, cells });
                }
                Err(there) => {
                    stored.cut = Some(format!(
                        "The file ends after {there} of the {} cells of run {} (line {number}). The run is left out; to add it again: \
                         bakeoff history add {} <folder of the run>",
                        run.cells,
                        run.run,
                        path.parent().unwrap_or(Path::new(".")).display()
                    ));
                    break;
                }
            },
        }
    }
    Ok(stored)
}

/// The cells of a run and where they end, or how many there are if the file ends before the last of them.
#[expect(clippy::type_complexity, reason = "an error in a file that was cut short, which is no error")]
fn cells<'a>(
    path: &Path,
    lines: &mut std::iter::Peekable<impl Iterator<Item = (usize, Range<usize>, &'a str)>>,
    first: usize,
    run: &RunLine,
) -> Result<Result<(Vec<CellLine>, Option<usize>), usize>, ReportError> {
    let (mut cells, mut texts, mut end) = (Vec::new(), Vec::new(), None);
    while cells.len() < run.cells {
        let Some((number, range, text)) = lines.next() else { return Ok(Err(cells.len())) };
        match parse(text) {
            Ok(Line::Cell(cell)) if cell.machine < run.machines.len() => cells.push(*cell),
            Ok(Line::Cell(_)) => {
                return Err(fault(path, number, format!("its machine is not in line {first}: {PUT_BACK}")));
            }
            Ok(_) => {
                let message = format!(
                    "expected cell {} of the {} of run {}, because line {first} says that they follow: lines were removed or added; {PUT_BACK}",
                    cells.len() + 1,
                    run.cells,
                    run.run
                );
                return Err(fault(path, number, message));
            }
            Err(_) if lines.peek().is_none() && !text.ends_with('\n') => return Ok(Err(cells.len())),
            Err(message) => return Err(fault(path, number, message)),
        }
        texts.push(text);
        end = Some(range.end);
    }
    if digest(run, texts.into_iter()) != run.digest {
        let message = format!(
            "the lines of run {} (lines {first} to {}) are not those that were added: one was edited; {PUT_BACK}, or remove all of them to \
             leave the run out",
            run.run,
            first + run.cells
        );
        return Err(fault(path, first, message));
    }
    Ok(Ok((cells, end)))
}

/// Reads the first line, its number first.
fn header(path: &Path, text: &str) -> Result<Header, ReportError> {
    #[derive(Deserialize)]
    struct Schema {
        history: u32,
    }
    let none = |_| {
        let example = r#"{"history":1,"project":"..."}"#;
        let message =
            format!("this is no history of bakeoff, whose first line is {example}: give another folder, or {PUT_BACK}");
        fault(path, 1, message)
    };
    match serde_json::from_str(text).map_err(none)? {
        Schema { history: 0 } => {
            Err(fault(path, 1, format!("schema 0 does not exist, expected 1 to {HISTORY_SCHEMA}")))
        }
        Schema { history: 1..=HISTORY_SCHEMA } => {
            serde_json::from_str(text).map_err(|error| fault(path, 1, format!("{error}; {PUT_BACK}")))
        }
        Schema { history } => Err(fault(
            path,
            1,
            format!("written by a newer bakeoff (schema {history}, this one reads up to {HISTORY_SCHEMA}): update"),
        )),
    }
}

/// Reads any other line. The error says what is wrong with it.
fn parse(text: &str) -> Result<Line, String> {
    let is_conflict = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| text.starts_with(mark));
    if is_conflict {
        return Err(
            "a conflict of a merge, whose marks part runs from their cells: take one side whole (git checkout --ours history.jsonl), and \
             write the lines that the other side has added behind it; or give both up (git merge --abort, git rebase --abort) and let \
             scripts/nightly merge them"
                .to_owned(),
        );
    }
    if text.trim().is_empty() {
        return Err("an empty line: remove it".to_owned());
    }
    serde_json::from_str(text).map_err(|error| {
        let column = error.column();
        let text = error.to_string();
        // The line number of the message is that within the line.
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        format!("column {column}: {what}; the line was edited or damaged: {PUT_BACK}")
    })
}
