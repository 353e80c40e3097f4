//! The settings of each format of data.

use bakeoff_datasets::own::{self, BinaryLayout, DataFormat, NumberColumns, SIDES, TableLayout, TabularLayout, Target};
use bakeoff_models::unknown_name;
use serde::Deserialize;

use super::keys::Keys;
use crate::suite::SuiteError;

/// The names of the formats.
const FORMATS: [&str; 5] = ["csv", "tsv", "images", "idx", "cifar"];
/// The side of images in pixels if a suite does not state it. It is the side of CIFAR-10's images.
const DEFAULT_SIDE: usize = 32;
/// The largest number of label bytes of a record, and of pixels of a side. A larger number is a typing error.
const MAX_LABEL_BYTES: usize = 16;
const MAX_SIDE: usize = 512;

/// A column by name or number.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a column: its name, or its number from 0")]
pub(super) enum ColumnEntry {
    Number(usize),
    /// The name in the header.
    Name(String),
}

impl From<ColumnEntry> for own::Column {
    fn from(column: ColumnEntry) -> own::Column {
        match column {
            ColumnEntry::Name(name) => own::Column::Name(name),
            ColumnEntry::Number(number) => own::Column::Number(number),
        }
    }
}

/// The column of a text, or the columns of a pair or of joined texts.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a column (its name, or its number from 0) or a list of columns")]
pub(super) enum TextEntry {
    One(ColumnEntry),
    Several(Vec<ColumnEntry>),
}

/// The columns of a table's numbers or categories.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a list of columns (their names, or their numbers from 0)")]
pub(super) enum ColumnsEntry {
    One(ColumnEntry),
    Several(Vec<ColumnEntry>),
}

impl ColumnsEntry {
    fn list(self) -> Vec<own::Column> {
        match self {
            ColumnsEntry::One(column) => vec![column.into()],
            ColumnsEntry::Several(columns) => columns.into_iter().map(Into::into).collect(),
        }
    }
}

/// One word or more.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a word or a list of words, in quotation marks")]
pub(super) enum WordsEntry {
    One(String),
    Several(Vec<String>),
}

impl WordsEntry {
    fn list(self) -> Vec<String> {
        match self {
            WordsEntry::One(word) => vec![word],
            WordsEntry::Several(words) => words,
        }
    }
}

/// In the place of a list of features: every column that no other setting names.
const ALL_OTHERS: &str = "*";

/// The settings that a table of numbers and categories has and texts have not.
const TABULAR: [&str; 4] = ["features", "categories", "missing", "ignore"];

/// The settings of each format as they are written.
pub(super) enum FormatSettings {
    Table {
        /// The delimiter and the quoting of the format, if the suite does not state them.
        usual: (u8, bool),
        delimiter: Option<String>,
        header: Option<bool>,
        quoting: Option<bool>,
        text: Option<TextEntry>,
        join: Option<bool>,
        features: Option<ColumnsEntry>,
        categories: Option<ColumnsEntry>,
        missing: Option<WordsEntry>,
        ignore: Option<ColumnsEntry>,
        label: Option<ColumnEntry>,
        value: Option<ColumnEntry>,
    },
    Images {
        size: Option<usize>,
    },
    Idx {
        classes: Option<Vec<String>>,
    },
    Cifar {
        shape: Option<[usize; 3]>,
        label_bytes: Option<usize>,
        label_byte: Option<usize>,
        classes: Option<Vec<String>>,
    },
}

impl FormatSettings {
    pub(super) fn take(format: &str, keys: &mut Keys<'_>) -> Result<FormatSettings, SuiteError> {
        Ok(match format {
            "csv" | "tsv" => FormatSettings::Table {
                usual: if format == "csv" { (b',', true) } else { (b'\t', false) },
                delimiter: if format == "csv" { keys.take("delimiter")? } else { None },
                header: keys.take("header")?,
                quoting: keys.take("quoting")?,
                text: keys.take("text")?,
                join: keys.take("join")?,
                features: keys.take("features")?,
                categories: keys.take("categories")?,
                missing: keys.take("missing")?,
                ignore: keys.take("ignore")?,
                label: keys.take("label")?,
                value: keys.take("value")?,
            },
            "images" => FormatSettings::Images { size: keys.take("size")? },
            "idx" => FormatSettings::Idx { classes: keys.take("classes")? },
            "cifar" => FormatSettings::Cifar {
                shape: keys.take("shape")?,
                label_bytes: keys.take("label_bytes")?,
                label_byte: keys.take("label_byte")?,
                classes: keys.take("classes")?,
            },
            _ => return Err(keys.fault("format", unknown_name("format", format, &FORMATS))),
        })
    }

    pub(super) fn check(self, keys: &Keys<'_>) -> Result<DataFormat, SuiteError> {
        Ok(match self {
            FormatSettings::Table {
                usual: (delimiter_byte, has_quoting),
                delimiter,
                header,
                quoting,
                text,
                join,
                features,
                categories,
                missing,
                ignore,
                label,
                value,
            } => {
                let delimiter = check_delimiter(delimiter.as_deref(), keys)?.unwrap_or(delimiter_byte);
                let (quoting, header) = (quoting.unwrap_or(has_quoting), header.unwrap_or(true));
                if TABULAR.iter().any(|key| keys.has(key)) {
                    refuse_text_settings(keys)?;
                    let numbers = numbers(features, ignore, keys)?;
                    let categories = categories.map(ColumnsEntry::list).unwrap_or_default();
                    if numbers == NumberColumns::These(Vec::new()) && categories.is_empty() {
                        let how =
                            "name the columns of numbers, e.g. features = [\"age\", \"income\"], or set categories";
                        return Err(keys.missing("features", how));
                    }
                    let missing = missing.map(WordsEntry::list).unwrap_or_default();
                    let missing = missing.iter().map(|word| own::normalized(word.trim()).into_owned()).collect();
                    let target = target(label, value, keys)?;
                    let layout = TabularLayout { delimiter, quoting, header, numbers, categories, missing, target };
                    return Ok(DataFormat::Tabular(layout));
                }
                let (text, joined, second) = columns_of_text(text, join.unwrap_or(false), keys)?;
                DataFormat::Table(TableLayout {
                    delimiter,
                    quoting,
                    header,
                    text,
                    joined,
                    second,
                    target: target(label, value, keys)?,
                })
            }
            FormatSettings::Images { size } => {
                let side = size.unwrap_or(DEFAULT_SIDE);
                if !SIDES.contains(&side) {
                    let message = format!("size must be a number of pixels in {}..={}", SIDES.start(), SIDES.end());
                    return Err(keys.fault("size", message));
                }
                DataFormat::Images { side }
            }
            FormatSettings::Idx { classes } => DataFormat::Idx { classes: keys.class_names(classes)? },
            FormatSettings::Cifar { shape, label_bytes, label_byte, classes } => {
                let shape = shape.unwrap_or([3, DEFAULT_SIDE, DEFAULT_SIDE]);
                let [channels, height, width] = shape;
                let sides = 1..=MAX_SIDE;
                if !([1, 3].contains(&channels) && sides.contains(&height) && sides.contains(&width)) {
                    let message =
                        format!("shape must be [channels, height, width]: 1 or 3 channels, sides in 1..={MAX_SIDE}");
                    return Err(keys.fault("shape", message));
                }
                let label_bytes = label_bytes.unwrap_or(1);
                if !(1..=MAX_LABEL_BYTES).contains(&label_bytes) {
                    return Err(keys.fault("label_bytes", format!("label_bytes must be in 1..={MAX_LABEL_BYTES}")));
                }
                let label_byte = label_byte.unwrap_or(0);
                if label_byte >= label_bytes {
                    let message = format!("label_byte must be below label_bytes, which is {label_bytes}");
                    return Err(keys.fault("label_byte", message));
                }
                let classes = keys.class_names(classes)?;
                DataFormat::Binary(BinaryLayout { shape, label_bytes, label_byte, classes })
            }
        })
    }
}

fn check_delimiter(delimiter: Option<&str>, keys: &Keys<'_>) -> Result<Option<u8>, SuiteError> {
    match delimiter.map(str::as_bytes) {
        None => Ok(None),
        Some(&[byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Ok(Some(byte)),
        Some(_) => Err(keys.fault("delimiter", "delimiter must be one ASCII character, such as \";\" or \"\\t\"")),
    }
}

/// The column of the text, those that are joined to it, and the column of the second text of a pair.
fn columns_of_text(
    text: Option<TextEntry>,
    join: bool,
    keys: &Keys<'_>,
) -> Result<(own::Column, Vec<own::Column>, Option<own::Column>), SuiteError> {
    let columns: Vec<own::Column> = match text {
        None => {
            let how = "name the column of the text, e.g. text = \"review\", or the columns of a table, e.g. features = [\"age\"], \
                       categories = [\"city\"]";
            return Err(keys.missing("text", how));
        }
        Some(TextEntry::One(column)) => vec![column.into()],
        Some(TextEntry::Several(columns)) if columns.len() < 2 => {
            let message =
                "text: expected a column, a list of two for a pair, or a list of two or more with join = true";
            return Err(keys.fault("text", message));
        }
        Some(TextEntry::Several(columns)) => columns.into_iter().map(Into::into).collect(),
    };
    let count = columns.len();
    let mut columns = columns.into_iter();
    let first = columns.next().expect("there is a column");
    match (join, count) {
        (true, 1) => {
            let message = "join = true joins several columns into one text, and text names one: give a list, such as text = \
                           [\"title\", \"body\"], or leave join out";
            Err(keys.fault("join", message))
        }
        (true, _) => Ok((first, columns.collect(), None)),
        (false, 1 | 2) => Ok((first, Vec::new(), columns.next())),
        (false, _) => {
            let message =
                format!("text names {count} columns, and a pair has two: to join them into one text, set join = true");
            Err(keys.fault("text", message))
        }
    }
}

/// Refuses settings of texts beside those of a table.
fn refuse_text_settings(keys: &Keys<'_>) -> Result<(), SuiteError> {
    let (Some(text), Some(tabular)) =
        (["text", "join"].into_iter().find(|key| keys.has(key)), TABULAR.into_iter().find(|key| keys.has(key)))
    else {
        return Ok(());
    };
    let message = format!("{text} and {tabular} are both given: an example is a text or a row of a table; keep one");
    Err(keys.fault(text, message))
}

/// Which columns hold numbers.
fn numbers(
    features: Option<ColumnsEntry>,
    ignore: Option<ColumnsEntry>,
    keys: &Keys<'_>,
) -> Result<NumberColumns, SuiteError> {
    let is_all = matches!(&features, Some(ColumnsEntry::One(ColumnEntry::Name(name))) if name == ALL_OTHERS);
    if is_all {
        return Ok(NumberColumns::AllBut(ignore.map(ColumnsEntry::list).unwrap_or_default()));
    }
    if ignore.is_some() {
        let message = "ignore is for features = \"*\", every column that no setting names: leave it out";
        return Err(keys.fault("ignore", message));
    }
    Ok(NumberColumns::These(features.map(ColumnsEntry::list).unwrap_or_default()))
}

fn target(label: Option<ColumnEntry>, value: Option<ColumnEntry>, keys: &Keys<'_>) -> Result<Target, SuiteError> {
    match (label, value) {
        (Some(label), None) => Ok(Target::Class(label.into())),
        (None, Some(value)) => Ok(Target::Value(value.into())),
        (Some(_), Some(_)) => {
            let message = "label and value are both given: a class is named by label, a number by value; keep one";
            Err(keys.fault("value", message))
        }
        (None, None) => {
            let message = "the target is missing: label = \"…\" names a column of classes, value = \"…\" of numbers";
            Err(keys.fault("format", message))
        }
    }
}
