//! Delimited text: one row of columns per example.

use std::path::Path;
use std::sync::Arc;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::{CLASS_NAME, Column, OwnError, Place, RawTargets, Rows, TableLayout, Target, bytes, is_class_name};
use crate::example::{Inputs, Text};

/// A longer row is a line end that went missing, or a quotation mark that is never closed.
const MOST_ROW_BYTES: usize = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Characters of a field that an error shows.
const SHOWN: usize = 40;

pub(super) fn read(path: &Path, layout: &TableLayout) -> Result<Rows, OwnError> {
    let (data, sum) = bytes::read(path)?;
    let mut table = Table::new(&data, path, layout)?;
    if !table.next()? {
        return Err(OwnError::format(&table.place(), "a line", "the end of the file"));
    }
    let columns = Columns::find(&table, layout)?;
    let mut more = !layout.header || table.next()?;
    let mut texts = Vec::new();
    let mut places = Vec::new();
    let mut targets = match layout.target {
        Target::Class(_) => RawTargets::Classes(Vec::new()),
        Target::Value(_) => RawTargets::Values(Vec::new()),
    };
    while more {
        let place = table.place();
        if table.record.len() != columns.count {
            let expected = format!("{} columns, as in line {}", columns.count, columns.line);
            return Err(OwnError::format(&place, expected, table.record.len()));
        }
        let field = |column: usize, what: &str| {
            let field = table.record[column].trim();
            if field.is_empty() { Err(OwnError::format(&place, what, "an empty one")) } else { Ok(field) }
        };
        let second = columns.second.map(|column| field(column, "a second text").map(str::to_owned)).transpose()?;
        texts.push(Text { first: field(columns.text, "a text")?.to_owned(), second });
        match &mut targets {
            RawTargets::Classes(names) => names.push(class(field(columns.target, "a class")?, &place)?),
            RawTargets::Values(values) => values.push(number(field(columns.target, "a number")?, &place)?),
        }
        places.push(place);
        more = table.next()?;
    }
    if texts.is_empty() {
        return Err(OwnError::format(&table.place(), "an example", "the end of the file"));
    }
    let checksums = vec![(bytes::name(path), sum)];
    Ok(Rows { inputs: Inputs::Texts(texts), targets, places, sizes: None, checksums })
}

fn class(field: &str, place: &Place) -> Result<String, OwnError> {
    if is_class_name(field) { Ok(field.to_owned()) } else { Err(OwnError::format(place, CLASS_NAME, shown(field))) }
}

/// A number that 32 bits hold to their full precision.
fn number(field: &str, place: &Place) -> Result<f64, OwnError> {
    match field.parse::<f64>() {
        Ok(value) if value == 0.0 || (value as f32).is_normal() => Ok(value),
        Ok(value) if value.is_finite() => {
            let expected = format!("0 or a size of {:e} to {:e}", f32::MIN_POSITIVE, f32::MAX);
            Err(OwnError::format(place, expected, shown(field)))
        }
        Ok(_) => Err(OwnError::format(place, "a finite number", shown(field))),
        Err(_) => Err(OwnError::format(place, "a number, such as 1.5", shown(field))),
    }
}

/// A field in quotation marks, cut if it is long.
fn shown(field: &str) -> String {
    let cut: String = field.chars().take(SHOWN).collect();
    if cut.len() < field.len() { format!("{cut:?}…") } else { format!("{cut:?}") }
}

/// Records with the lines on which they begin.
struct Table<'a> {
    data: &'a [u8],
    reader: Reader<&'a [u8]>,
    quoting: bool,
    delimiter: u8,
    file: Arc<Path>,
    record: StringRecord,
    /// Where the next record begins.
    end: usize,
    /// The line of the next byte.
    next_line: usize,
    /// The line on which the record begins.
    line: usize,
}

impl<'a> Table<'a> {
    fn new(data: &'a [u8], path: &Path, layout: &TableLayout) -> Result<Table<'a>, OwnError> {
        let data = data.strip_prefix(BYTE_ORDER_MARK).unwrap_or(data);
        let file: Arc<Path> = path.into();
        check_characters(data, &file)?;
        let reader = ReaderBuilder::new()
            .delimiter(layout.delimiter)
            .quoting(layout.quoting)
            .has_headers(false)
            .flexible(true)
            .from_reader(data);
        let record = StringRecord::new();
        let &TableLayout { quoting, delimiter, .. } = layout;
        Ok(Table { data, reader, quoting, delimiter, file, record, end: 0, next_line: 1, line: 1 })
    }

    fn place(&self) -> Place {
        Place { file: Arc::clone(&self.file), at: Some(("line", self.line)) }
    }

    /// Reads the next record; whether there is one.
    fn next(&mut self) -> Result<bool, OwnError> {
        let found = self.reader.read_record(&mut self.record);
        let end = self.reader.position().byte() as usize;
        let raw = &self.data[self.end..end.min(self.data.len())];
        // The reader skips empty lines before a record.
        let blank = raw.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(raw.len());
        let (blank, row) = raw.split_at(blank);
        self.line = self.next_line + line_ends(blank);
        self.next_line = self.line + line_ends(row);
        self.end = end;
        let there = found.map_err(|error| OwnError::format(&self.place(), "delimited text", error))?;
        if there {
            self.check_row(row)?;
        }
        Ok(there)
    }

    fn check_row(&self, row: &[u8]) -> Result<(), OwnError> {
        if row.len() > MOST_ROW_BYTES {
            let hint = if self.quoting { "; is a quotation mark left open?" } else { "" };
            let found = format!("{} bytes{hint}", row.len());
            return Err(OwnError::format(&self.place(), format!("at most {MOST_ROW_BYTES} bytes in a row"), found));
        }
        let marks = row.iter().filter(|&&byte| byte == b'"').count();
        if self.quoting && marks % 2 == 1 {
            let expected = "quotation marks in pairs (RFC 4180; set quoting = false if they are plain characters)";
            return Err(OwnError::format(&self.place(), expected, format!("{marks} in this row")));
        }
        // The parser would take it as text, and a row that is cut short and the next as one.
        if let Some(at) = stray_mark(row, self.delimiter).filter(|_| self.quoting) {
            let expected = "quotation marks around a whole field, doubled within it (RFC 4180; set quoting = false if they \
                            are plain characters)";
            let start = (0..=at).rev().find(|&start| std::str::from_utf8(&row[start..]).is_ok()).unwrap_or(at);
            let near: String = String::from_utf8_lossy(&row[start..]).chars().take(20).collect();
            return Err(OwnError::format(&self.place(), expected, format!("another before {near:?}")));
        }
        Ok(())
    }
}

/// The byte of a row before which a mark is neither around a field nor doubled within one.
fn stray_mark(row: &[u8], delimiter: u8) -> Option<usize> {
    #[derive(PartialEq)]
    enum Place {
        Start,
        Plain,
        Quoted,
        /// After a mark in a quoted field: the end of the field, or the first of two marks.
        Mark,
    }
    let mut place = Place::Start;
    for (at, &byte) in row.iter().enumerate() {
        place = match (place, byte) {
            (Place::Start, b'"') | (Place::Mark, b'"') => Place::Quoted,
            (Place::Quoted, b'"') => Place::Mark,
            (Place::Quoted, _) => Place::Quoted,
            (Place::Plain, b'"') => return Some(at + 1),
            (_, byte) if byte == delimiter => Place::Start,
            (Place::Mark, b'\r' | b'\n') => Place::Mark,
            (Place::Mark, _) => return Some(at),
            (Place::Start | Place::Plain, _) => Place::Plain,
        };
    }
    None
}

fn line_ends(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}

/// Refuses what is not UTF-8 text.
fn check_characters(data: &[u8], file: &Arc<Path>) -> Result<(), OwnError> {
    let place = |at: usize| Place { file: Arc::clone(file), at: Some(("line", 1 + line_ends(&data[..at]))) };
    if data.starts_with(b"\xff\xfe") || data.starts_with(b"\xfe\xff") {
        return Err(OwnError::format(&place(0), "UTF-8", "UTF-16: save the file as UTF-8"));
    }
    if let Some(at) = data.iter().position(|&byte| byte == 0) {
        return Err(OwnError::format(&place(at), "text", "a NUL byte"));
    }
    str::from_utf8(data).map(|_| ()).map_err(|error| {
        let at = error.valid_up_to();
        OwnError::format(&place(at), "UTF-8", format!("another byte {:#04x}", data[at]))
    })
}

/// The numbers of the columns in use, and how many columns a row has, by the first line.
struct Columns {
    text: usize,
    second: Option<usize>,
    target: usize,
    count: usize,
    line: usize,
}

impl Columns {
    /// By the first record of `table`, which is the header if the layout has one.
    fn find(table: &Table<'_>, layout: &TableLayout) -> Result<Columns, OwnError> {
        let names: Vec<&str> = table.record.iter().map(str::trim).collect();
        let known = if layout.header { names.as_slice() } else { &[] };
        let missing = |column: &Column| OwnError::Column {
            path: table.file.to_path_buf(),
            column: column.clone(),
            known: known.iter().map(|&name| name.to_owned()).collect(),
            count: names.len(),
        };
        let find = |column: &Column| match column {
            Column::Number(number) if *number < names.len() => Ok(*number),
            Column::Number(_) => Err(missing(column)),
            Column::Name(name) => {
                let mut found = (0..known.len()).filter(|&number| known[number] == name.trim());
                let first = found.next().ok_or_else(|| missing(column))?;
                match found.next() {
                    None => Ok(first),
                    Some(_) => Err(OwnError::format(&table.place(), "different names", format!("{column} twice"))),
                }
            }
        };
        let (Target::Class(target) | Target::Value(target)) = &layout.target;
        let text = find(&layout.text)?;
        let second = layout.second.as_ref().map(find).transpose()?;
        let target = find(target)?;
        if second == Some(text) || target == text || Some(target) == second {
            let expected = "a column of its own for each text and for the target";
            return Err(OwnError::format(&table.place(), expected, "one column named twice"));
        }
        Ok(Columns { text, second, target, count: names.len(), line: table.line })
    }
}
