//! Reads a user's delimited text: one example a row.

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
    let (data, sum) = bytes::read(path)?;
    if let Some(kind) = kind::of_bytes(&data) {
        return Err(OwnError::kind(path, EXPECTED, kind));
    }
    let mut rows = read_rows(&data, path, layout).map_err(|error| explained(error, &data, path))?;
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
    let &TableLayout { quoting, delimiter, .. } = layout;
    let syntax = Syntax { delimiter, quoting, carriage_return_ends: true, skips_empty_lines: true };
    let mut table = TableReader { records: RecordReader::new(data, syntax), file: path.into() };
    if !table.next()? {
        return Err(OwnError::format(&table.place(), "a line", "the end of the file"));
    }
    let columns = ColumnNumbers::find(&table, layout)?;
    let mut more = !layout.header || table.next()?;
    let mut texts = Vec::new();
    let mut places = Vec::new();
    let mut targets = match layout.target {
        Target::Class(_) => RawTargets::Classes(Vec::new()),
        Target::Value(_) => RawTargets::Values(Vec::new()),
    };
    while more {
        let place = table.place();
        if table.records.len() != columns.count {
            let expected = format!("{} columns, as in line {}", columns.count, columns.line);
            return Err(OwnError::format(&place, expected, table.records.len()));
        }
        let field = |column: usize, what: &str| match table.records.field(column).trim() {
            "" => Err(OwnError::format(&place, what, "an empty one")),
            field => Ok(field),
        };
        let second = columns.second.map(|column| field(column, "a second text").map(str::to_owned)).transpose()?;
        let first = match columns.joined.as_slice() {
            [] => field(columns.text, "a text")?.to_owned(),
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
    Ok(RawRows { inputs: Inputs::Texts(texts), targets, places, sizes: None, checksums: Vec::new() })
}

fn class(field: &str, place: &RowPlace) -> Result<String, OwnError> {
    if is_class_name(field) { Ok(field.to_owned()) } else { Err(OwnError::format(place, CLASS_NAME, shown(field))) }
}

/// A number that 32 bits hold at full precision.
fn number(field: &str, place: &RowPlace) -> Result<f64, OwnError> {
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

/// The records of a file.
struct TableReader<'a> {
    records: RecordReader<&'a [u8]>,
    file: Arc<Path>,
}

impl TableReader<'_> {
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

/// The numbers of the columns in use, and how many columns a row has, according to the first line.
struct ColumnNumbers {
    text: usize,
    joined: Vec<usize>,
    second: Option<usize>,
    target: usize,
    count: usize,
    line: usize,
}

impl ColumnNumbers {
    /// Finds the columns by the first record of `table`. That record is the header if the layout has one.
    fn find(table: &TableReader<'_>, layout: &TableLayout) -> Result<ColumnNumbers, OwnError> {
        let names: Vec<String> = table.records.fields().map(|name| normalized(name.trim()).into_owned()).collect();
        let known = if layout.header { names.as_slice() } else { &[] };
        let missing = |column: &Column, look_alike: Option<String>| OwnError::Column {
            path: table.file.to_path_buf(),
            column: column.clone(),
            known: known.to_vec(),
            count: names.len(),
            look_alike,
        };
        let find = |column: &Column| match column {
            Column::Number(number) if *number < names.len() => Ok(*number),
            Column::Number(_) => Err(missing(column, None)),
            Column::Name(name) => {
                let name = normalized(name.trim());
                let mut found = (0..known.len()).filter(|&number| known[number] == name);
                let Some(first) = found.next() else {
                    let look_alikes = LookAlikes::of(&name, known.iter().map(String::as_str));
                    return Err(missing(column, look_alikes.map(|names| names.first)));
                };
                match found.next() {
                    None => Ok(first),
                    Some(_) => Err(OwnError::format(&table.place(), "different names", format!("{column} twice"))),
                }
            }
        };
        let (Target::Class(target) | Target::Value(target)) = &layout.target;
        let text = find(&layout.text)?;
        let joined = layout.joined.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let second = layout.second.as_ref().map(find).transpose()?;
        let target = find(target)?;
        let mut used: Vec<usize> = [text, target].into_iter().chain(second).chain(joined.iter().copied()).collect();
        used.sort_unstable();
        if used.windows(2).any(|pair| pair[0] == pair[1]) {
            let expected = "a column of its own for each text and for the target";
            return Err(OwnError::format(&table.place(), expected, "one column named twice"));
        }
        Ok(ColumnNumbers { text, joined, second, target, count: names.len(), line: table.records.line() })
    }
}
