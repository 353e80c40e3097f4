//! `[task.data]`: a user's own data as written in a suite, and its checked form.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use bakeoff_datasets::own::{
    self, BinaryLayout, DataFormat, LookAlikes, OwnData, OwnError, Part, SIDES, TableLayout, Target, TestRows,
};
use bakeoff_models::{did_you_mean, unknown_name};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Spanned, Value};

use super::{Source, SuiteError, syntax};

/// The formats.
const FORMATS: [&str; 5] = ["csv", "tsv", "images", "idx", "cifar"];
/// Settings that are paths.
const PATHS: [&str; 4] = ["train", "train_labels", "test", "test_labels"];
/// The side of images in pixels, if a suite says none: that of CIFAR-10.
const DEFAULT_SIDE: usize = 32;
/// The seed that sets test rows aside, if a suite says none.
const DEFAULT_SPLIT_SEED: u64 = 1;
/// Label bytes of a record and pixels of a side, beyond which a number is a slip.
const MAX_LABEL_BYTES: usize = 16;
const MAX_SIDE: usize = 512;

/// One `[task.data]` of a suite: its settings by name, each with its place in the text. docs/own-data.md explains them;
/// [`DataEntry::check`] says which go with which format.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub struct DataEntry(BTreeMap<Spanned<String>, Spanned<Value>>);

/// One path or more.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a path or a list of paths")]
enum Paths {
    One(PathBuf),
    /// Their rows are joined.
    Several(Vec<PathBuf>),
}

impl Paths {
    fn list(self) -> Vec<PathBuf> {
        match self {
            Paths::One(path) => vec![path],
            Paths::Several(paths) => paths,
        }
    }
}

/// A column by name or number.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a column: its name, or its number from 0")]
enum ColumnEntry {
    Number(usize),
    /// As in the header.
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
enum TextEntry {
    One(ColumnEntry),
    Several(Vec<ColumnEntry>),
}

impl DataEntry {
    /// Makes the paths absolute; a relative one starts at `folder`, that of the suite.
    pub fn resolve(&mut self, folder: &Path) {
        let absolute = |value: &mut Value| {
            if let Value::String(path) = value
                // An empty one is refused by the check.
                && !path.trim().is_empty()
                // A folder whose name is not UTF-8 is refused by the check.
                && let Some(joined) = folder.join(path.as_str()).to_str()
            {
                *path = joined.to_owned();
            }
        };
        for (key, value) in &mut self.0 {
            if PATHS.contains(&key.as_ref().as_str()) {
                match value.as_mut() {
                    Value::Array(paths) => paths.iter_mut().for_each(absolute),
                    path => absolute(path),
                }
            }
        }
    }

    /// The checked form.
    ///
    /// # Errors
    /// On settings that are missing, unknown, of another type, out of range, or that do not go together.
    pub fn check(&self, source: &Source) -> Result<OwnData, SuiteError> {
        let mut settings = Settings { source, entry: self, taken: vec!["format"] };
        let name: String = settings.require("format", "name the format: csv, tsv, images, idx or cifar")?;
        let format = FormatSettings::take(&name, &mut settings)?;
        let has_labels = matches!(format, FormatSettings::Idx { .. });
        let rows = RowSettings::take(has_labels, &mut settings)?;
        settings.refuse_others(&name)?;
        let format = format.check(&settings)?;
        let (train, test) = rows.check(has_labels, &settings)?;
        Ok(OwnData { layout: format, train, test })
    }

    /// The place in the text of the setting `key`, or of the format if it is not there.
    pub fn span_of(&self, key: &str) -> Range<usize> {
        let find = |key: &str| self.0.iter().find(|(name, _)| name.as_ref() == key);
        find(key).or_else(|| find("format")).map_or(0..0, |(_, value)| value.span())
    }

    /// The place in the text where a column is named.
    pub fn span_of_column(&self, column: &own::Column) -> Range<usize> {
        let is = |value: &Value| match column {
            own::Column::Name(name) => value.as_str() == Some(name),
            own::Column::Number(number) => value.as_integer().and_then(|value| value.try_into().ok()) == Some(*number),
        };
        let names_it = |key: &&str| self.value(key).is_some_and(|value| is(value.as_ref()));
        self.span_of(["label", "value"].iter().find(|key| names_it(key)).copied().unwrap_or("text"))
    }

    /// The place in the text of the path that an error is about.
    pub fn span_of_file(&self, error: &OwnError) -> Range<usize> {
        let names_it = |key: &&str| {
            let paths = match self.value(key).map(Spanned::as_ref) {
                Some(Value::Array(paths)) => paths.iter().filter_map(Value::as_str).collect(),
                Some(Value::String(path)) => vec![path.as_str()],
                _ => Vec::new(),
            };
            paths.into_iter().any(|path| error.is_in(Path::new(path)))
        };
        self.span_of(PATHS.iter().find(|key| names_it(key)).copied().unwrap_or("train"))
    }

    fn value(&self, key: &str) -> Option<&Spanned<Value>> {
        self.0.iter().find(|(name, _)| name.as_ref() == key).map(|(_, value)| value)
    }
}

/// Takes the settings of a format out of an entry, one by one: what is then left over is none of its settings.
struct Settings<'a> {
    source: &'a Source,
    entry: &'a DataEntry,
    /// The settings of the format.
    taken: Vec<&'static str>,
}

impl Settings<'_> {
    /// The value of a setting, if it is there.
    fn take<T: DeserializeOwned>(&mut self, key: &'static str) -> Result<Option<T>, SuiteError> {
        if !self.taken.contains(&key) {
            self.taken.push(key);
        }
        let Some(value) = self.entry.value(key) else { return Ok(None) };
        let read = value.as_ref().clone().try_into();
        read.map(Some).map_err(|error| self.fault(key, format!("{key}: {}", syntax::in_plain_words(error.message()))))
    }

    /// The value of a setting that must be there; `how` says what to write.
    fn require<T: DeserializeOwned>(&mut self, key: &'static str, how: &str) -> Result<T, SuiteError> {
        self.take(key)?.ok_or_else(|| self.missing(key, how))
    }

    fn missing(&self, key: &str, how: &str) -> SuiteError {
        let first = self.entry.0.keys().map(|key| key.span().start).min().unwrap_or(0);
        let start = if self.has("format") { self.entry.span_of("format").start } else { first };
        self.source.fault_at(start, format!("{key} is missing: {how}"))
    }

    fn has(&self, key: &str) -> bool {
        self.entry.value(key).is_some()
    }

    fn fault(&self, key: &str, message: impl Into<String>) -> SuiteError {
        self.source.fault_at(self.entry.span_of(key).start, message)
    }

    /// Refuses settings that the format does not take.
    fn refuse_others(&self, format: &str) -> Result<(), SuiteError> {
        let mut others: Vec<&Spanned<String>> = self.entry.0.keys().collect();
        others.retain(|key| !self.taken.contains(&key.as_ref().as_str()));
        others.sort_by_key(|key| key.span().start);
        let Some(key) = others.first() else { return Ok(()) };
        let takes = &self.taken[1..];
        let near = did_you_mean(key.as_ref(), takes.iter().copied());
        let message =
            format!("{} does not go with format = \"{format}\", which takes {}{near}", key.as_ref(), takes.join(", "));
        Err(self.source.fault(key, message))
    }

    /// The paths of a setting. `run.json` is to hold them, and JSON is UTF-8; the suite is so itself, its folder may be not.
    fn paths(&mut self, key: &'static str) -> Result<Option<Vec<PathBuf>>, SuiteError> {
        let paths = self.take::<Paths>(key)?.map(Paths::list);
        if paths.iter().flatten().any(|path| path.to_str().is_some_and(|path| path.trim().is_empty())) {
            return Err(self.fault(key, format!("{key}: the path is empty: name a file or a folder")));
        }
        let absolute = paths.iter().flatten().map(|path| self.source.folder.join(path));
        if let Some(path) = absolute.into_iter().find(|path| path.to_str().is_none()) {
            let message = format!("the path {path:?} is not UTF-8 and cannot be kept in run.json: rename the folder");
            return Err(self.fault(key, message));
        }
        Ok(paths)
    }

    /// Names of the labels 0, 1, …, in the normalization form in which names are compared.
    fn class_names(&self, names: Option<Vec<String>>) -> Result<Option<Vec<String>>, SuiteError> {
        let Some(names) = names else { return Ok(None) };
        if let Some(name) = names.iter().find(|name| !name.is_empty() && !own::is_class_name(name)) {
            let message =
                format!("classes: {name:?} holds a control character or nothing to see: give it another name");
            return Err(self.fault("classes", message));
        }
        let names: Vec<String> = names.iter().map(|name| own::normalized(name.trim()).into_owned()).collect();
        let distinct: BTreeSet<&str> = names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        if distinct.len() < names.len() || !(2..=256).contains(&names.len()) {
            return Err(self.fault("classes", "classes must be 2 to 256 different names, that of label 0 first"));
        }
        if let Some(alike) = LookAlikes::among(names.iter().map(String::as_str)) {
            return Err(self.fault("classes", format!("classes: {alike}")));
        }
        Ok(Some(names))
    }
}

/// The settings of each format as written.
enum FormatSettings {
    Table {
        /// Of the format, where none is given.
        usual: (u8, bool),
        delimiter: Option<String>,
        header: Option<bool>,
        quoting: Option<bool>,
        text: Option<TextEntry>,
        join: Option<bool>,
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
    fn take(format: &str, settings: &mut Settings<'_>) -> Result<FormatSettings, SuiteError> {
        Ok(match format {
            "csv" | "tsv" => FormatSettings::Table {
                usual: if format == "csv" { (b',', true) } else { (b'\t', false) },
                delimiter: if format == "csv" { settings.take("delimiter")? } else { None },
                header: settings.take("header")?,
                quoting: settings.take("quoting")?,
                text: settings.take("text")?,
                join: settings.take("join")?,
                label: settings.take("label")?,
                value: settings.take("value")?,
            },
            "images" => FormatSettings::Images { size: settings.take("size")? },
            "idx" => FormatSettings::Idx { classes: settings.take("classes")? },
            "cifar" => FormatSettings::Cifar {
                shape: settings.take("shape")?,
                label_bytes: settings.take("label_bytes")?,
                label_byte: settings.take("label_byte")?,
                classes: settings.take("classes")?,
            },
            _ => return Err(settings.fault("format", unknown_name("format", format, &FORMATS))),
        })
    }

    fn check(self, settings: &Settings<'_>) -> Result<DataFormat, SuiteError> {
        Ok(match self {
            FormatSettings::Table {
                usual: (delimiter_byte, has_quoting),
                delimiter,
                header,
                quoting,
                text,
                join,
                label,
                value,
            } => {
                let (text, joined, second) = columns_of_text(text, join.unwrap_or(false), settings)?;
                DataFormat::Table(TableLayout {
                    delimiter: check_delimiter(delimiter.as_deref(), settings)?.unwrap_or(delimiter_byte),
                    quoting: quoting.unwrap_or(has_quoting),
                    header: header.unwrap_or(true),
                    text,
                    joined,
                    second,
                    target: target(label, value, settings)?,
                })
            }
            FormatSettings::Images { size } => {
                let side = size.unwrap_or(DEFAULT_SIDE);
                if !SIDES.contains(&side) {
                    let message = format!("size must be a number of pixels in {}..={}", SIDES.start(), SIDES.end());
                    return Err(settings.fault("size", message));
                }
                DataFormat::Images { side }
            }
            FormatSettings::Idx { classes } => DataFormat::Idx { classes: settings.class_names(classes)? },
            FormatSettings::Cifar { shape, label_bytes, label_byte, classes } => {
                let shape = shape.unwrap_or([3, DEFAULT_SIDE, DEFAULT_SIDE]);
                let [channels, height, width] = shape;
                let sides = 1..=MAX_SIDE;
                if !([1, 3].contains(&channels) && sides.contains(&height) && sides.contains(&width)) {
                    let message =
                        format!("shape must be [channels, height, width]: 1 or 3 channels, sides in 1..={MAX_SIDE}");
                    return Err(settings.fault("shape", message));
                }
                let label_bytes = label_bytes.unwrap_or(1);
                if !(1..=MAX_LABEL_BYTES).contains(&label_bytes) {
                    return Err(settings.fault("label_bytes", format!("label_bytes must be in 1..={MAX_LABEL_BYTES}")));
                }
                let label_byte = label_byte.unwrap_or(0);
                if label_byte >= label_bytes {
                    let message = format!("label_byte must be below label_bytes, which is {label_bytes}");
                    return Err(settings.fault("label_byte", message));
                }
                let classes = settings.class_names(classes)?;
                DataFormat::Binary(BinaryLayout { shape, label_bytes, label_byte, classes })
            }
        })
    }
}

fn check_delimiter(delimiter: Option<&str>, settings: &Settings<'_>) -> Result<Option<u8>, SuiteError> {
    match delimiter.map(str::as_bytes) {
        None => Ok(None),
        Some(&[byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Ok(Some(byte)),
        Some(_) => Err(settings.fault("delimiter", "delimiter must be one ASCII character, such as \";\" or \"\\t\"")),
    }
}

/// The column of the text, those that are joined to it, and that of the second text of a pair.
fn columns_of_text(
    text: Option<TextEntry>,
    join: bool,
    settings: &Settings<'_>,
) -> Result<(own::Column, Vec<own::Column>, Option<own::Column>), SuiteError> {
    let columns: Vec<own::Column> = match text {
        None => return Err(settings.missing("text", "name the column of the text, e.g. text = \"review\"")),
        Some(TextEntry::One(column)) => vec![column.into()],
        Some(TextEntry::Several(columns)) if columns.len() < 2 => {
            let message =
                "text: expected a column, a list of two for a pair, or a list of two or more with join = true";
            return Err(settings.fault("text", message));
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
            Err(settings.fault("join", message))
        }
        (true, _) => Ok((first, columns.collect(), None)),
        (false, 1 | 2) => Ok((first, Vec::new(), columns.next())),
        (false, _) => {
            let message =
                format!("text names {count} columns, and a pair has two: to join them into one text, set join = true");
            Err(settings.fault("text", message))
        }
    }
}

fn target(
    label: Option<ColumnEntry>,
    value: Option<ColumnEntry>,
    settings: &Settings<'_>,
) -> Result<Target, SuiteError> {
    match (label, value) {
        (Some(label), None) => Ok(Target::Class(label.into())),
        (None, Some(value)) => Ok(Target::Value(value.into())),
        (Some(_), Some(_)) => {
            let message = "label and value are both given: a class is named by label, a number by value; keep one";
            Err(settings.fault("value", message))
        }
        (None, None) => {
            let message = "the target is missing: label = \"…\" names a column of classes, value = \"…\" of numbers";
            Err(settings.fault("format", message))
        }
    }
}

/// The settings that every format takes, as written, and the files of labels, which only IDX has.
struct RowSettings {
    train: Option<Vec<PathBuf>>,
    train_labels: Option<Vec<PathBuf>>,
    test: Option<Vec<PathBuf>>,
    test_labels: Option<Vec<PathBuf>>,
    test_part: Option<f64>,
    split_seed: Option<u64>,
}

impl RowSettings {
    fn take(has_labels: bool, settings: &mut Settings<'_>) -> Result<RowSettings, SuiteError> {
        Ok(RowSettings {
            train: settings.paths("train")?,
            train_labels: if has_labels { settings.paths("train_labels")? } else { None },
            test: settings.paths("test")?,
            test_labels: if has_labels { settings.paths("test_labels")? } else { None },
            test_part: settings.take("test_part")?,
            split_seed: settings.take("split_seed")?,
        })
    }

    fn check(self, has_labels: bool, settings: &Settings<'_>) -> Result<(Vec<Part>, TestRows), SuiteError> {
        let parts = |key: &str, files: Vec<PathBuf>, labels: Option<Vec<PathBuf>>| {
            if files.is_empty() {
                return Err(settings.fault(key, "an empty list: give at least one path"));
            }
            if !has_labels {
                return Ok(files.into_iter().map(|path| Part { path, labels: None }).collect());
            }
            let labels = labels.unwrap_or_default();
            if labels.len() != files.len() {
                let count = files.len();
                let message = format!("{key}_labels must name a file of labels for each of the {count} given here");
                return Err(settings.fault(key, message));
            }
            Ok(files.into_iter().zip(labels).map(|(path, labels)| Part { path, labels: Some(labels) }).collect())
        };
        let only_with = |key: &str, other: &str| {
            Err(settings.fault(key, format!("{key} is only used with {other}, which is not given")))
        };
        let train =
            self.train.ok_or_else(|| settings.missing("train", "name the file or folder of the training rows"))?;
        let train = parts("train", train, self.train_labels)?;
        let test = match (self.test, self.test_part) {
            (Some(_), None) if self.split_seed.is_some() => return only_with("split_seed", "test_part"),
            (Some(files), None) => TestRows::Parts(parts("test", files, self.test_labels)?),
            (None, Some(_)) if self.test_labels.is_some() => return only_with("test_labels", "test"),
            (None, Some(share)) if share > 0.0 && share < 1.0 => {
                TestRows::Share { share, seed: self.split_seed.unwrap_or(DEFAULT_SPLIT_SEED) }
            }
            (None, Some(_)) => {
                let message = "test_part must be a share above 0 and below 1, such as 0.2";
                return Err(settings.fault("test_part", message));
            }
            (Some(_), Some(_)) => {
                let message = "test and test_part are both given: keep the file, or let rows be set aside";
                return Err(settings.fault("test_part", message));
            }
            (None, None) => {
                let message = "the test rows are missing: test = \"…\" names a file or folder, test_part = 0.2 sets a fifth aside";
                return Err(settings.fault("train", message));
            }
        };
        Ok((train, test))
    }
}
