//! Typed rows in CSV files. Reading and writing are strict, and numbers are exact. A process may have been killed in
//! the middle of a line, which reading detects.
//!
//! A file has the columns of one schema, which its header shows. Only today's schema is written. Every older one is
//! read, and its missing columns are filled with the defaults of the row type.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::Path;

use csv::{ByteRecord, Position, ReaderBuilder, StringRecord, WriterBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ReportError;
use crate::format::count;
use crate::record::{SCHEMA, newer};

mod stored;

/// A row type with a fixed, ordered list of columns.
pub trait Row: Serialize + DeserializeOwned {
    /// The column names, in the order of the fields.
    const COLUMNS: &'static [&'static str];

    /// The columns of older schemas, oldest first, each with the last schema that had them.
    const OLDER_COLUMNS: &'static [(u32, &'static [&'static str])] = &[];

    /// What the row is about, for error messages.
    fn subject(&self) -> String;

    /// The column with a value that must not be stored, and why.
    fn fault(&self) -> Option<(&'static str, String)>;

    /// What no other row of the file is about, if rows of this type may not be repeated.
    fn key(&self) -> Option<String> {
        None
    }

    /// The schema that the row states, if it states one.
    fn schema(&self) -> Option<u32> {
        None
    }
}

/// The line of column names.
pub fn encode_header<R: Row>() -> Vec<u8> {
    header_line(R::COLUMNS)
}

fn header_line(columns: &[&str]) -> Vec<u8> {
    let mut line = columns.join(",").into_bytes();
    line.push(b'\n');
    line
}

/// The rows as CSV lines, without the header. Every number reads back to the same bits.
///
/// # Errors
/// If a row holds a value that must not be stored. Also if a row was read from a file of an older schema, because rows
/// of two schemas cannot be in one file.
pub fn encode<R: Row>(rows: &[R]) -> Result<Vec<u8>, ReportError> {
    let mut writer = WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for row in rows {
        if let Some((column, message)) = not_todays(row).or_else(|| row.fault()) {
            return Err(ReportError::Unwritable { case: row.subject(), column, message });
        }
        writer.serialize(row).expect("plain structs of numbers and strings always serialise to memory");
    }
    Ok(writer.into_inner().expect("memory takes every write"))
}

fn not_todays<R: Row>(row: &R) -> Option<(&'static str, String)> {
    let schema = row.schema().filter(|schema| *schema != SCHEMA)?;
    Some(("schema", format!("a row of schema {schema} can be read but not written: this bakeoff writes {SCHEMA}")))
}

/// The content of a file up to the last complete row.
#[derive(Debug, Clone, PartialEq)]
pub struct Intact<R> {
    /// The complete rows.
    pub rows: Vec<R>,
    /// The number of bytes up to the end of the last complete row. The file must be truncated to this length before
    /// rows are appended.
    pub bytes: u64,
    /// The line that was cut short, if a process was killed while it wrote.
    pub torn_line: Option<u64>,
}

/// Reads rows. If the last row was cut short, it is left out and reported in [`Intact::torn_line`].
///
/// # Errors
/// On any other line that is not a row, or that is about what an earlier line is about. The error names line and column.
pub fn decode<R: Row>(path: &Path, bytes: &[u8]) -> Result<Intact<R>, ReportError> {
    if is_torn_header::<R>(bytes) {
        let torn_line = (!bytes.is_empty()).then_some(1);
        return Ok(Intact { rows: Vec::new(), bytes: 0, torn_line });
    }
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(bytes);
    let headers = reader.headers().map_err(|error| row_error(path, 1, error.to_string()))?.clone();
    let columns = known_columns::<R>(path, &headers, bytes)?;
    let mut intact = Intact { rows: Vec::new(), bytes: reader.position().byte(), torn_line: None };
    let mut record = ByteRecord::new();
    let mut lines: HashMap<String, u64> = HashMap::new();
    let (mut line, mut counted) = (1, 0);
    loop {
        let start = reader.position().clone();
        let more = reader.read_byte_record(&mut record).map_err(|error| row_error(path, 0, error.to_string()))?;
        if !more {
            return Ok(intact);
        }
        // The reader's own count is one too small after a carriage return.
        let from = record.position().map_or(start.byte(), Position::byte) as usize;
        let from = from + bytes[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        line += bytes[counted..from].iter().filter(|byte| **byte == b'\n').count() as u64;
        counted = from;
        let end = reader.position().byte() as usize;
        if end == bytes.len() && is_torn(&bytes[start.byte() as usize..]) {
            intact.torn_line = Some(line);
            return Ok(intact);
        }
        let row = parse::<R>(&record, &headers, &columns).map_err(|message| row_error(path, line, message))?;
        if let Some(key) = row.key()
            && let Some(first) = lines.insert(key.clone(), line)
        {
            let message = format!("{key} is on line {first} already, expected it once: remove one of the two lines");
            return Err(row_error(path, line, message));
        }
        intact.rows.push(row);
        intact.bytes = end as u64;
    }
}

/// Whether the header was cut short, because a process was killed before it wrote the first newline.
fn is_torn_header<R: Row>(bytes: &[u8]) -> bool {
    let older = R::OLDER_COLUMNS.iter().map(|(_, columns)| *columns);
    older.chain([R::COLUMNS]).map(header_line).any(|line| bytes.len() < line.len() && line.starts_with(bytes))
}

/// Whether the last row of a file was cut short. It is complete only if it ends in a newline outside of quotation
/// marks. Without this check, a number could lose digits and still look right.
fn is_torn(row: &[u8]) -> bool {
    let quotes = row.iter().filter(|byte| **byte == b'"').count();
    row.last() != Some(&b'\n') || quotes % 2 == 1
}

/// The columns of a file, and the schemas that have them.
struct KnownColumns {
    names: &'static [&'static str],
    schemas: RangeInclusive<u32>,
}

fn known_columns<R: Row>(path: &Path, found: &StringRecord, bytes: &[u8]) -> Result<KnownColumns, ReportError> {
    let mut since = 1;
    for (last, names) in R::OLDER_COLUMNS.iter().copied().chain([(SCHEMA, R::COLUMNS)]) {
        if found.iter().eq(names.iter().copied()) {
            return Ok(KnownColumns { names, schemas: since..=last });
        }
        since = last + 1;
    }
    if let Some(schema) = newer_schema(found, bytes) {
        return Err(row_error(path, 2, newer(schema)));
    }
    if let Some(separator) =
        [';', '\t'].into_iter().find(|separator| found.get(0).is_some_and(|name| name.contains(*separator)))
    {
        let separator = if separator == ';' { "semicolons" } else { "tabs" };
        let message = format!(
            "columns are separated by {separator}, expected commas: take the file that bakeoff wrote, not one saved by another program"
        );
        return Err(row_error(path, 1, message));
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

/// The schema in the first row of a file with unknown columns, if it is newer than this program's.
fn newer_schema(header: &StringRecord, bytes: &[u8]) -> Option<u32> {
    let at = header.iter().position(|column| column == "schema")?;
    let first = ReaderBuilder::new().flexible(true).from_reader(bytes).into_records().next()?.ok()?;
    first.get(at)?.parse().ok().filter(|schema| *schema > SCHEMA)
}

/// The row, or what is wrong with it.
fn parse<R: Row>(record: &ByteRecord, headers: &StringRecord, columns: &KnownColumns) -> Result<R, String> {
    if record.len() != columns.names.len() {
        return Err(format!("{}, expected {}", count(record.len(), "column"), columns.names.len()));
    }
    let row: R =
        record.deserialize(Some(headers.as_byte_record())).map_err(|error| explain(record, columns.names, &error))?;
    match row.schema() {
        Some(schema) if schema > SCHEMA => return Err(newer(schema)),
        Some(schema) if !columns.schemas.contains(&schema) => {
            let (first, last) = (columns.schemas.start(), columns.schemas.end());
            let expected = if first == last { format!("{first}") } else { format!("{first} to {last}") };
            return Err(format!("column schema: '{schema}', expected {expected}, whose columns the file has"));
        }
        _ => {}
    }
    match row.fault() {
        Some((column, message)) => Err(format!("column {column}: {message}")),
        None => Ok(row),
    }
}

/// Names the column and its content.
fn explain(record: &ByteRecord, columns: &[&str], error: &csv::Error) -> String {
    let csv::ErrorKind::Deserialize { err, .. } = error.kind() else {
        return error.to_string();
    };
    match err.field().map(|field| field as usize).filter(|field| *field < columns.len()) {
        Some(field) => {
            let found = String::from_utf8_lossy(&record[field]);
            format!("column {}: '{found}': {}", columns[field], err.kind())
        }
        None => err.to_string(),
    }
}

fn row_error(path: &Path, line: u64, message: String) -> ReportError {
    ReportError::Row { path: path.to_owned(), line, message }
}
