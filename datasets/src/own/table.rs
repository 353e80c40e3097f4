//! Reads a user's delimited text: one example a row.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::kind::{self, Family};
use super::names::{LookAlikes, normalized};
use super::{CLASS_NAME, Column, OwnError, RawRows, RawTargets, RowPlace, TableLayout, Target, bytes, is_class_name};
use crate::delimited::{RecordFault, RecordReader, Syntax};
use crate::example::{Inputs, Text};

/// How many characters of a field an error shows.
const SHOWN: usize = 40;
/// The text between the texts of joined columns. It separates words for every model, and no text of a column ends in
/// it.
const BETWEEN_JOINED: &str = "\n";
/// What an error says was expected.
const EXPECTED: &str = "delimited text (CSV or TSV)";

pub(super) fn read(path: &Path, layout: &TableLayout) -> Result<RawRows, OwnError> {
    read_file(path, |data| read_rows(data, path, layout))
}

/// Reads a file of delimited text with `rows`.
pub(super) fn read_file(
    path: &Path,
    rows: impl FnOnce(&[u8]) -> Result<RawRows, OwnError>,
) -> Result<RawRows, OwnError> {
    let (data, sum) = bytes::read(path)?;
    if let Some(kind) = kind::of_bytes(&data) {
        return Err(OwnError::kind(path, EXPECTED, kind));
    }
    let mut rows = rows(&data).map_err(|error| explained(error, &data, path))?;
    rows.checksums = vec![(bytes::name(path), sum)];
    Ok(rows)
}

/// A clearer error, if the file is of another kind than delimited text.
fn explained(error: OwnError, data: &[u8], path: &Path) -> OwnError {
    let has_other_content =
        || matches!(error, OwnError::Column { .. }) || data.contains(&0) || str::from_utf8(data).is_err();
    let by_name = || {
        let kind = kind::of_name(path).filter(|_| has_other_content())?;
        matches!(kind.family, Family::Table(_) | Family::Arrays | Family::Packed(_) | Family::Archive(_))
            .then_some(kind)
    };
    match kind::of_text(data, path).or_else(by_name) {
        Some(kind) => OwnError::kind(path, EXPECTED, kind),
        None => error,
    }
}

fn read_rows(data: &[u8], path: &Path, layout: &TableLayout) -> Result<RawRows, OwnError> {
    let (mut table, header) = TableReader::open(data, path, (layout.delimiter, layout.quoting, layout.header))?;
    let columns = ColumnNumbers::find(&header, layout)?;
    let mut texts = Vec::new();
    let mut places = Vec::new();
    let mut targets = RawTargets::new(&layout.target);
    while let Some(place) = table.row(&header)? {
        let second =
            columns.second.map(|column| table.field(column, "a second text").map(str::to_owned)).transpose()?;
        let first = match columns.joined.as_slice() {
            [] => table.field(columns.text, "a text")?.to_owned(),
            joined => {
                let numbers = std::iter::once(columns.text).chain(joined.iter().copied());
                let fields = numbers.map(|number| table.records.field(number).trim());
                let fields: Vec<&str> = fields.filter(|field| !field.is_empty()).collect();
                if fields.is_empty() {
                    return Err(OwnError::format(&place, "a text in one of the joined columns", "none but empty ones"));
                }
                fields.join(BETWEEN_JOINED)
            }
        };
        texts.push(Text { first, second });
        targets.read(&table, columns.target)?;
        places.push(place);
    }
    Ok(RawRows { inputs: Inputs::Texts(texts), targets, places, sizes: None, checksums: Vec::new() })
}

impl RawTargets {
    /// No targets yet, of the kind that this column has.
    pub(super) fn new(target: &Target) -> RawTargets {
        match target {
            Target::Class(_) => RawTargets::Classes(Vec::new()),
            Target::Value(_) => RawTargets::Values(Vec::new()),
        }
    }

    /// Adds the target of the row that `table` has read.
    pub(super) fn read(&mut self, table: &TableReader<'_>, column: usize) -> Result<(), OwnError> {
        let place = table.place();
        match self {
            RawTargets::Classes(names) => names.push(class(table.field(column, "a class")?, &place)?),
            RawTargets::Values(values) => {
                let field = table.field(column, "a number")?;
                values.push(number(field).map_err(|expected| OwnError::format(&place, expected, shown(field)))?);
            }
        }
        Ok(())
    }
}

fn class(field: &str, place: &RowPlace) -> Result<String, OwnError> {
    if is_class_name(field) { Ok(field.to_owned()) } else { Err(OwnError::format(place, CLASS_NAME, shown(field))) }
}

/// A number that 32 bits hold at full precision, or what was expected.
pub(super) fn number(field: &str) -> Result<f64, String> {
    match field.parse::<f64>() {
        Ok(value) if value == 0.0 || (value as f32).is_normal() => Ok(value),
        Ok(value) if value.is_finite() => Err(format!("0 or a size of {:e} to {:e}", f32::MIN_POSITIVE, f32::MAX)),
        Ok(_) => Err("a finite number".to_owned()),
        Err(_) => Err("a number, such as 1.5".to_owned()),
    }
}

/// A field in quotation marks, cut if it is long.
pub(super) fn shown(field: &str) -> String {
    let cut: String = field.chars().take(SHOWN).collect();
    if cut.len() < field.len() { format!("{cut:?}…") } else { format!("{cut:?}") }
}

/// The records of a file.
pub(super) struct TableReader<'a> {
    records: RecordReader<&'a [u8]>,
    file: Arc<Path>,
    /// Whether the record that was read last is the first row, and was not taken yet.
    is_first: bool,
    has_rows: bool,
}

impl<'a> TableReader<'a> {
    /// Opens a file with this delimiter, with or without quoting and a header, and reads its first line.
    pub(super) fn open(
        data: &'a [u8],
        path: &Path,
        (delimiter, quoting, has_header): (u8, bool, bool),
    ) -> Result<(TableReader<'a>, Header), OwnError> {
        let syntax = Syntax { delimiter, quoting, carriage_return_ends: true, skips_empty_lines: true };
        let records = RecordReader::new(data, syntax);
        let mut table = TableReader { records, file: path.into(), is_first: !has_header, has_rows: false };
        if !table.next()? {
            return Err(OwnError::format(&table.place(), "a line", "the end of the file"));
        }
        let names: Vec<String> = table.records.fields().map(|name| normalized(name.trim()).into_owned()).collect();
        let (count, place) = (names.len(), table.place());
        let names = if has_header { names } else { Vec::new() };
        let header = Header { names, count, line: table.records.line(), file: Arc::clone(&table.file), place };
        Ok((table, header))
    }

    /// Reads the next row, which must have as many fields as the first line. `None` after the last one.
    ///
    /// # Errors
    /// Also if there is no row at all.
    pub(super) fn row(&mut self, header: &Header) -> Result<Option<RowPlace>, OwnError> {
        if !std::mem::take(&mut self.is_first) && !self.next()? {
            let place = self.place();
            let empty = || OwnError::format(&place, "an example", "the end of the file");
            return if self.has_rows { Ok(None) } else { Err(empty()) };
        }
        self.has_rows = true;
        let place = self.place();
        if self.records.len() != header.count {
            let expected = format!("{} columns, as in line {}", header.count, header.line);
            return Err(OwnError::format(&place, expected, self.records.len()));
        }
        Ok(Some(place))
    }

    /// A field of the row that was read, without blanks around it.
    pub(super) fn text(&self, column: usize) -> &str {
        self.records.field(column).trim()
    }

    /// The same for a field that must not be empty. `what` says what it holds.
    fn field(&self, column: usize, what: &str) -> Result<&str, OwnError> {
        match self.text(column) {
            "" => Err(OwnError::format(&self.place(), what, "an empty one")),
            field => Ok(field),
        }
    }

    fn place(&self) -> RowPlace {
        self.place_of(self.records.line())
    }

    fn place_of(&self, line: usize) -> RowPlace {
        RowPlace { file: Arc::clone(&self.file), at: Some(("line", line)) }
    }

    /// Reads the next record. Returns `false` if there is none.
    fn next(&mut self) -> Result<bool, OwnError> {
        self.records.next().map_err(|fault| match fault {
            RecordFault::Read(source) => OwnError::read(&self.file, source),
            RecordFault::Text { line, expected, found } => OwnError::format(&self.place_of(line), expected, found),
        })
    }
}

/// What the first line of a file says of its columns.
pub(super) struct Header {
    /// Their names; empty if the first line does not name them.
    names: Vec<String>,
    pub(super) count: usize,
    line: usize,
    file: Arc<Path>,
    place: RowPlace,
}

impl Header {
    /// The number of a column.
    pub(super) fn find(&self, column: &Column) -> Result<usize, OwnError> {
        let missing = |look_alike: Option<String>| OwnError::Column {
            path: self.file.to_path_buf(),
            column: column.clone(),
            known: self.names.clone(),
            count: self.count,
            look_alike,
        };
        match column {
            Column::Number(number) if *number < self.count => Ok(*number),
            Column::Number(_) => Err(missing(None)),
            Column::Name(name) => {
                let name = normalized(name.trim());
                let mut found = (0..self.names.len()).filter(|&number| self.names[number] == name);
                let Some(first) = found.next() else {
                    let look_alikes = LookAlikes::of(&name, self.names.iter().map(String::as_str));
                    return Err(missing(look_alikes.map(|names| names.first)));
                };
                match found.next() {
                    None => Ok(first),
                    Some(_) => Err(OwnError::format(&self.place, "different names", format!("{column} twice"))),
                }
            }
        }
    }

    /// The numbers of these columns.
    pub(super) fn find_all(&self, columns: &[Column]) -> Result<Vec<usize>, OwnError> {
        columns.iter().map(|column| self.find(column)).collect()
    }

    /// The name of a column: its number, if the first line does not name them.
    pub(super) fn name(&self, column: usize) -> String {
        self.names.get(column).cloned().unwrap_or_else(|| column.to_string())
    }

    /// Refuses columns of which one is used twice. `expected` says for what there must be one each.
    pub(super) fn refuse_repeated(&self, mut used: Vec<usize>, expected: &str) -> Result<(), OwnError> {
        used.sort_unstable();
        match used.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                let expected = format!("a column of its own for {expected}");
                Err(OwnError::format(&self.place, expected, format!("column '{}' named twice", self.name(pair[0]))))
            }
            None => Ok(()),
        }
    }

    /// Refuses columns whose names are empty or come twice, because models of the user's get columns by their names.
    pub(super) fn refuse_unnamed(&self, columns: impl Iterator<Item = usize>) -> Result<(), OwnError> {
        let mut seen = HashSet::new();
        for column in columns {
            let name = self.name(column);
            let found = match name.as_str() {
                "" => format!("none for column {column}, counted from 0"),
                _ if !seen.insert(name.clone()) => format!("'{name}' twice"),
                _ => continue,
            };
            let expected = "a name of its own for each column that is used";
            let found = format!("{found}: name it in the file, or leave it out (with features = \"*\", by ignore)");
            return Err(OwnError::format(&self.place, expected, found));
        }
        Ok(())
    }

    /// The error for a first line that leaves no column.
    pub(super) fn nothing(&self, expected: &str) -> OwnError {
        OwnError::format(&self.place, expected, "none")
    }
}

/// The column that a target is in.
pub(super) fn target_column(target: &Target) -> &Column {
    let (Target::Class(column) | Target::Value(column)) = target;
    column
}

/// The numbers of the columns in use.
struct ColumnNumbers {
    text: usize,
    joined: Vec<usize>,
    second: Option<usize>,
    target: usize,
}

impl ColumnNumbers {
    fn find(header: &Header, layout: &TableLayout) -> Result<ColumnNumbers, OwnError> {
        let text = header.find(&layout.text)?;
        let joined = header.find_all(&layout.joined)?;
        let second = layout.second.as_ref().map(|column| header.find(column)).transpose()?;
        let target = header.find(target_column(&layout.target))?;
        let used = [text, target].into_iter().chain(second).chain(joined.iter().copied()).collect();
        header.refuse_repeated(used, "each text and for the target")?;
        Ok(ColumnNumbers { text, joined, second, target })
    }
}
