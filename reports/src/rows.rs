//! Typed rows in CSV files: strict in what is read and written, exact in numbers, and aware that a process may have
//! been killed in the middle of a line.

use std::path::Path;

use csv::{ByteRecord, Position, Reader, ReaderBuilder, WriterBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ReportError;
use crate::record::{Curve, PredictionRow, Record, SCHEMA};

/// A row type with a fixed, ordered list of columns.
pub trait Row: Serialize + DeserializeOwned {
    /// The column names, in the order of the fields.
    const COLUMNS: &'static [&'static str];

    /// What the row is about, for error messages.
    fn subject(&self) -> String;

    /// The column whose value must not be stored, and why.
    fn fault(&self) -> Option<(&'static str, String)>;
}

impl Row for Record {
    const COLUMNS: &'static [&'static str] = &[
        "schema",
        "run",
        "commit",
        "machine",
        "case",
        "task",
        "task_version",
        "model",
        "model_version",
        "params",
        "train_size",
        "seed",
        "device",
        "phase",
        "metric",
        "unit",
        "value",
        "source",
        "status",
        "note",
    ];

    fn subject(&self) -> String {
        self.case.clone()
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        if self.schema != SCHEMA {
            let message = format!(
                "schema {} is not readable here, expected {SCHEMA}: use the version of bakeoff that wrote it",
                self.schema
            );
            return Some(("schema", message));
        }
        not_a_file_name(&self.case).or_else(|| not_finite("value", self.value))
    }
}

impl Row for Curve {
    const COLUMNS: &'static [&'static str] =
        &["case", "epoch", "train_loss", "metric", "validation", "elapsed_s", "energy_j"];

    fn subject(&self) -> String {
        self.case.clone()
    }

    // A diverged fit has losses that are not finite, and its curve is what shows it.
    fn fault(&self) -> Option<(&'static str, String)> {
        not_finite("elapsed_s", Some(self.elapsed_s)).or_else(|| not_finite("energy_j", self.energy_j))
    }
}

impl Row for PredictionRow {
    const COLUMNS: &'static [&'static str] = &["example", "target", "prediction", "probability"];

    fn subject(&self) -> String {
        format!("example {}", self.example)
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        not_finite("probability", self.probability)
    }
}

fn not_finite(column: &'static str, value: Option<f64>) -> Option<(&'static str, String)> {
    let value = value.filter(|value| !value.is_finite())?;
    Some((column, format!("{value} is no finite number; a missing number is an empty field")))
}

/// A case names its predictions file, so it must not lead out of the run directory.
fn not_a_file_name(case: &str) -> Option<(&'static str, String)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !case.is_empty() && !case.starts_with('.') && case.chars().all(plain) {
        return None;
    }
    Some(("case", format!("'{case}' is no case: expected letters, digits, '.', '-' and '_'")))
}

/// The line of column names.
pub fn encode_header<R: Row>() -> Vec<u8> {
    let mut line = R::COLUMNS.join(",").into_bytes();
    line.push(b'\n');
    line
}

/// The rows as CSV lines, without the header. Every number reads back as the same bits.
///
/// # Errors
/// If a row holds a value that must not be stored.
pub fn encode<R: Row>(rows: &[R]) -> Result<Vec<u8>, ReportError> {
    let mut writer = WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for row in rows {
        if let Some((column, message)) = row.fault() {
            return Err(ReportError::Unwritable { case: row.subject(), column, message });
        }
        writer.serialize(row).expect("plain structs of numbers and strings always serialise to memory");
    }
    Ok(writer.into_inner().expect("memory takes every write"))
}

/// What a file holds up to the last complete row.
#[derive(Debug, Clone, PartialEq)]
pub struct Intact<R> {
    /// The complete rows.
    pub rows: Vec<R>,
    /// Bytes up to the end of the last complete row: truncate the file to this before more is appended.
    pub bytes: u64,
    /// The line that was cut short, if any: a process was killed while it wrote.
    pub torn_line: Option<u64>,
}

/// Reads rows; a last row that was cut short is left out and reported in [`Intact::torn_line`].
///
/// # Errors
/// On any other line that is not a row, with its line and column.
pub fn decode<R: Row>(path: &Path, bytes: &[u8]) -> Result<Intact<R>, ReportError> {
    let header = encode_header::<R>();
    if bytes.len() < header.len() && header.starts_with(bytes) {
        let torn_line = (!bytes.is_empty()).then_some(1);
        return Ok(Intact { rows: Vec::new(), bytes: 0, torn_line });
    }
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(bytes);
    check_header::<R>(path, &mut reader)?;
    let columns = reader.headers().map_err(|error| row_error(path, 1, error.to_string()))?.clone();
    let mut intact = Intact { rows: Vec::new(), bytes: reader.position().byte(), torn_line: None };
    let mut record = ByteRecord::new();
    loop {
        let start = reader.position().clone();
        let more = reader.read_byte_record(&mut record).map_err(|error| row_error(path, 0, error.to_string()))?;
        if !more {
            return Ok(intact);
        }
        let line = record.position().map_or(start.line(), Position::line);
        let end = reader.position().byte() as usize;
        if end == bytes.len() && is_torn(&bytes[start.byte() as usize..]) {
            intact.torn_line = Some(line);
            return Ok(intact);
        }
        intact.rows.push(parse::<R>(path, line, &record, &columns)?);
        intact.bytes = end as u64;
    }
}

/// A row that ends the file is complete only if its newline is there, outside of quotation marks: the digits of a
/// number may be cut without anything else looking wrong.
fn is_torn(row: &[u8]) -> bool {
    let quotes = row.iter().filter(|byte| **byte == b'"').count();
    row.last() != Some(&b'\n') || quotes % 2 == 1
}

fn check_header<R: Row>(path: &Path, reader: &mut Reader<&[u8]>) -> Result<(), ReportError> {
    let found = reader.headers().map_err(|error| row_error(path, 1, error.to_string()))?;
    if found.iter().eq(R::COLUMNS.iter().copied()) {
        return Ok(());
    }
    let at = found.iter().zip(R::COLUMNS).position(|(found, expected)| found != *expected);
    let at = at.unwrap_or_else(|| found.len().min(R::COLUMNS.len()));
    let message = format!(
        "column {} is '{}', expected '{}': the columns are {}",
        at + 1,
        found.get(at).unwrap_or(""),
        R::COLUMNS.get(at).unwrap_or(&"no more columns"),
        R::COLUMNS.join(",")
    );
    Err(row_error(path, 1, message))
}

fn parse<R: Row>(path: &Path, line: u64, record: &ByteRecord, columns: &csv::StringRecord) -> Result<R, ReportError> {
    if record.len() != R::COLUMNS.len() {
        let message = format!("{} columns, expected {}", record.len(), R::COLUMNS.len());
        return Err(row_error(path, line, message));
    }
    let row: R = record
        .deserialize(Some(columns.as_byte_record()))
        .map_err(|error| row_error(path, line, explain::<R>(record, &error)))?;
    match row.fault() {
        Some((column, message)) => Err(row_error(path, line, format!("column {column}: {message}"))),
        None => Ok(row),
    }
}

/// Names the column and what stands in it.
fn explain<R: Row>(record: &ByteRecord, error: &csv::Error) -> String {
    let csv::ErrorKind::Deserialize { err, .. } = error.kind() else {
        return error.to_string();
    };
    match err.field().map(|field| field as usize).filter(|field| *field < R::COLUMNS.len()) {
        Some(field) => {
            let found = String::from_utf8_lossy(&record[field]);
            format!("column {}: '{found}': {}", R::COLUMNS[field], err.kind())
        }
        None => err.to_string(),
    }
}

fn row_error(path: &Path, line: u64, message: String) -> ReportError {
    ReportError::Row { path: path.to_owned(), line, message }
}
