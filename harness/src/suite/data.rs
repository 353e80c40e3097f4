//! `[task.data]`: a user's own data as written in a suite, and its checked form.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bakeoff_datasets::own::{self, BinaryLayout, Layout, OwnData, Part, SIDES, TableLayout, Target, TestRows};
use bakeoff_models::unknown_name;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Source, SuiteError};

/// The formats and the settings that each takes beside [`COMMON`].
const FORMATS: &[(&str, &[&str])] = &[
    ("csv", &["delimiter", "header", "quoting", "text", "label", "value"]),
    ("tsv", &["header", "quoting", "text", "label", "value"]),
    ("images", &["size"]),
    ("idx", &["train_labels", "test_labels", "classes"]),
    ("cifar", &["shape", "label_bytes", "label_byte", "classes"]),
];
const COMMON: &[&str] = &["train", "test", "test_part", "split_seed"];
/// The side of images in pixels, if a suite says none: that of CIFAR-10.
const SIDE: usize = 32;
/// Label bytes of a record and pixels of a side, beyond which a number is a slip.
const MOST_LABEL_BYTES: usize = 16;
const MOST_SIDE: usize = 512;

/// One `[task.data]` of a suite; docs/own-data.md explains each setting.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DataEntry {
    /// `csv`, `tsv`, `images`, `idx` or `cifar`.
    pub format: Spanned<String>,
    /// Files or folders of the training rows; of all rows with `test_part`.
    pub train: Spanned<Paths>,
    /// IDX: the files of labels that go with `train`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_labels: Option<Spanned<Paths>>,
    /// Files or folders of the test rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Spanned<Paths>>,
    /// IDX: the files of labels that go with `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_labels: Option<Spanned<Paths>>,
    /// In place of `test`: the share of the rows that is set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_part: Option<Spanned<f64>>,
    /// Chooses those rows; 1 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_seed: Option<Spanned<u64>>,
    /// CSV: what stands between fields; a comma if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Spanned<String>>,
    /// Whether the first line names the columns; it does if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Spanned<bool>>,
    /// Whether quotation marks have a meaning; if not given, in CSV and not in TSV.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoting: Option<Spanned<bool>>,
    /// The column of the text, or both of a pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Spanned<Columns>>,
    /// The column of the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Spanned<Column>>,
    /// The column of the number to be predicted, in place of a class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Spanned<Column>>,
    /// Images: the side to which they are resized, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Spanned<usize>>,
    /// CIFAR: channels, height, width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Spanned<[usize; 3]>>,
    /// CIFAR: label bytes of a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_bytes: Option<Spanned<usize>>,
    /// CIFAR: which of them is the label, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_byte: Option<Spanned<usize>>,
    /// IDX and CIFAR: names of the labels 0, 1, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Spanned<Vec<String>>>,
}

/// One path or more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged, expecting = "expected a path or a list of paths")]
pub enum Paths {
    /// One.
    One(PathBuf),
    /// Several, whose rows are joined.
    Many(Vec<PathBuf>),
}

/// A column by name or number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged, expecting = "expected a column: its name, or its number from 0")]
pub enum Column {
    /// From 0.
    Number(usize),
    /// As in the header.
    Name(String),
}

/// A text's column or a pair's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged, expecting = "expected a column (its name, or its number from 0) or a list of two")]
pub enum Columns {
    /// One text.
    One(Column),
    /// A pair.
    Two([Column; 2]),
}

impl Paths {
    fn list(&self) -> Vec<PathBuf> {
        match self {
            Paths::One(path) => vec![path.clone()],
            Paths::Many(paths) => paths.clone(),
        }
    }
}

impl From<&Column> for own::Column {
    fn from(column: &Column) -> own::Column {
        match column {
            Column::Name(name) => own::Column::Name(name.clone()),
            Column::Number(number) => own::Column::Number(*number),
        }
    }
}

impl DataEntry {
    /// Makes the paths absolute; a relative one starts at `folder`, that of the suite.
    pub fn resolve(&mut self, folder: &Path) {
        let train = std::iter::once(&mut self.train);
        let others = [&mut self.train_labels, &mut self.test, &mut self.test_labels].into_iter().flatten();
        for paths in train.chain(others) {
            match paths.as_mut() {
                Paths::One(path) => *path = folder.join(&*path),
                Paths::Many(paths) => paths.iter_mut().for_each(|path| *path = folder.join(&*path)),
            }
        }
    }

    /// The checked form.
    ///
    /// # Errors
    /// On settings that are missing, out of range, or do not go together.
    pub fn check(&self, source: &Source) -> Result<OwnData, SuiteError> {
        self.check_keys(source)?;
        self.check_paths(source)?;
        let layout = match self.format.as_ref().as_str() {
            "images" => Layout::Images { side: self.side(source)? },
            "idx" => Layout::Idx { classes: self.class_names(source)? },
            "cifar" => Layout::Binary(self.binary(source)?),
            _ => Layout::Table(self.table(source)?),
        };
        let train = self.parts(source, &self.train, self.train_labels.as_ref(), "train_labels")?;
        Ok(OwnData { layout, train, test: self.test_rows(source)? })
    }

    /// Where a column is named, to say its line.
    pub fn at(&self, column: &own::Column) -> Range<usize> {
        let is = |candidate: &Column| own::Column::from(candidate) == *column;
        let targets = [&self.label, &self.value].into_iter().flatten();
        match targets.into_iter().find(|target| is(target.as_ref())) {
            Some(target) => target.span(),
            None => self.text.as_ref().map_or(self.format.span(), Spanned::span),
        }
    }

    /// The settings that are there, and where.
    fn keys(&self) -> Vec<(&'static str, Range<usize>)> {
        fn key<T>(name: &'static str, value: Option<&Spanned<T>>) -> Option<(&'static str, Range<usize>)> {
            value.map(|value| (name, value.span()))
        }
        [
            key("train", Some(&self.train)),
            key("train_labels", self.train_labels.as_ref()),
            key("test", self.test.as_ref()),
            key("test_labels", self.test_labels.as_ref()),
            key("test_part", self.test_part.as_ref()),
            key("split_seed", self.split_seed.as_ref()),
            key("delimiter", self.delimiter.as_ref()),
            key("header", self.header.as_ref()),
            key("quoting", self.quoting.as_ref()),
            key("text", self.text.as_ref()),
            key("label", self.label.as_ref()),
            key("value", self.value.as_ref()),
            key("size", self.size.as_ref()),
            key("shape", self.shape.as_ref()),
            key("label_bytes", self.label_bytes.as_ref()),
            key("label_byte", self.label_byte.as_ref()),
            key("classes", self.classes.as_ref()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Every setting must be one of the format's.
    fn check_keys(&self, source: &Source) -> Result<(), SuiteError> {
        let format = self.format.as_ref();
        let Some((_, takes)) = FORMATS.iter().find(|(name, _)| name == format) else {
            let known: Vec<_> = FORMATS.iter().map(|(name, _)| *name).collect();
            return Err(source.fault(&self.format, unknown_name("format", format, &known)));
        };
        for (key, span) in self.keys() {
            if !COMMON.contains(&key) && !takes.contains(&key) {
                let message = format!("{key} does not go with format = \"{format}\", which takes {}", takes.join(", "));
                return Err(source.fault_at(span.start, message));
            }
        }
        Ok(())
    }

    /// `run.json` is to hold every path, and JSON is UTF-8. The suite is so itself, its folder may be not.
    fn check_paths(&self, source: &Source) -> Result<(), SuiteError> {
        let others = [&self.train_labels, &self.test, &self.test_labels].into_iter().flatten();
        for paths in std::iter::once(&self.train).chain(others) {
            if let Some(path) = paths.as_ref().list().iter().find(|path| path.to_str().is_none()) {
                let message =
                    format!("the path {path:?} is not UTF-8 and cannot be kept in run.json: rename the folder");
                return Err(source.fault(paths, message));
            }
        }
        Ok(())
    }

    fn table(&self, source: &Source) -> Result<TableLayout, SuiteError> {
        let csv = self.format.as_ref() == "csv";
        let text = self.text.as_ref().ok_or_else(|| {
            source.fault(&self.format, "text is missing: name the column of the text, e.g. text = \"review\"")
        })?;
        let (first, second) = match text.as_ref() {
            Columns::One(column) => (column, None),
            Columns::Two([first, second]) => (first, Some(second)),
        };
        let target = match (&self.label, &self.value) {
            (Some(label), None) => Target::Class(label.as_ref().into()),
            (None, Some(value)) => Target::Value(value.as_ref().into()),
            (Some(_), Some(value)) => {
                let message = "label and value are both given: a class is named by label, a number by value; keep one";
                return Err(source.fault(value, message));
            }
            (None, None) => {
                let message =
                    "the target is missing: label = \"…\" names a column of classes, value = \"…\" of numbers";
                return Err(source.fault(&self.format, message));
            }
        };
        Ok(TableLayout {
            delimiter: if csv { self.delimiter(source)? } else { b'\t' },
            quoting: self.quoting.as_ref().map_or(csv, |quoting| *quoting.as_ref()),
            header: self.header.as_ref().is_none_or(|header| *header.as_ref()),
            text: first.into(),
            second: second.map(Into::into),
            target,
        })
    }

    fn delimiter(&self, source: &Source) -> Result<u8, SuiteError> {
        let Some(delimiter) = &self.delimiter else { return Ok(b',') };
        match delimiter.as_ref().as_bytes() {
            &[byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Ok(byte),
            _ => Err(source.fault(delimiter, "delimiter must be one ASCII character, such as \";\" or \"\\t\"")),
        }
    }

    fn side(&self, source: &Source) -> Result<usize, SuiteError> {
        let Some(size) = &self.size else { return Ok(SIDE) };
        if SIDES.contains(size.as_ref()) {
            return Ok(*size.as_ref());
        }
        Err(source.fault(size, format!("size must be a number of pixels in {}..={}", SIDES.start(), SIDES.end())))
    }

    fn binary(&self, source: &Source) -> Result<BinaryLayout, SuiteError> {
        let shape = self.shape.as_ref().map_or([3, SIDE, SIDE], |shape| *shape.as_ref());
        let [channels, height, width] = shape;
        let sides = 1..=MOST_SIDE;
        if let Some(at) = &self.shape
            && !([1, 3].contains(&channels) && sides.contains(&height) && sides.contains(&width))
        {
            let message = format!("shape must be [channels, height, width]: 1 or 3 channels, sides in 1..={MOST_SIDE}");
            return Err(source.fault(at, message));
        }
        let label_bytes = self.label_bytes.as_ref().map_or(1, |bytes| *bytes.as_ref());
        if let Some(at) = &self.label_bytes
            && !(1..=MOST_LABEL_BYTES).contains(&label_bytes)
        {
            return Err(source.fault(at, format!("label_bytes must be in 1..={MOST_LABEL_BYTES}")));
        }
        let label_byte = self.label_byte.as_ref().map_or(0, |byte| *byte.as_ref());
        if let Some(at) = &self.label_byte
            && label_byte >= label_bytes
        {
            return Err(source.fault(at, format!("label_byte must be below label_bytes, which is {label_bytes}")));
        }
        Ok(BinaryLayout { shape, label_bytes, label_byte, classes: self.class_names(source)? })
    }

    fn class_names(&self, source: &Source) -> Result<Option<Vec<String>>, SuiteError> {
        let Some(classes) = &self.classes else { return Ok(None) };
        let names = classes.as_ref();
        let distinct: BTreeSet<&str> = names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
        if distinct.len() < names.len() || !(2..=256).contains(&names.len()) {
            return Err(source.fault(classes, "classes must be 2 to 256 different names, that of label 0 first"));
        }
        if let Some(name) = names.iter().find(|name| !own::is_class_name(name)) {
            return Err(source.fault(classes, format!("classes: {name:?} holds a control character, leave it out")));
        }
        Ok(Some(names.clone()))
    }

    /// Files with the files of their labels.
    fn parts(
        &self,
        source: &Source,
        paths: &Spanned<Paths>,
        labels: Option<&Spanned<Paths>>,
        labels_key: &str,
    ) -> Result<Vec<Part>, SuiteError> {
        let files = paths.as_ref().list();
        if files.is_empty() {
            return Err(source.fault(paths, "an empty list: give at least one path"));
        }
        if self.format.as_ref() != "idx" {
            return Ok(files.into_iter().map(|path| Part { path, labels: None }).collect());
        }
        let label_files = labels.map(|labels| labels.as_ref().list()).unwrap_or_default();
        if label_files.len() != files.len() {
            let message = format!("{labels_key} must name a file of labels for each of the {} given here", files.len());
            return Err(source.fault(paths, message));
        }
        Ok(files.into_iter().zip(label_files).map(|(path, labels)| Part { path, labels: Some(labels) }).collect())
    }

    fn test_rows(&self, source: &Source) -> Result<TestRows, SuiteError> {
        let only_with = |key: &str, other: &str| format!("{key} goes with {other}, which is not given");
        match (&self.test, &self.test_part) {
            (Some(test), None) => {
                if let Some(seed) = &self.split_seed {
                    return Err(source.fault(seed, only_with("split_seed", "test_part")));
                }
                Ok(TestRows::Parts(self.parts(source, test, self.test_labels.as_ref(), "test_labels")?))
            }
            (None, Some(part)) => {
                if let Some(labels) = &self.test_labels {
                    return Err(source.fault(labels, only_with("test_labels", "test")));
                }
                let share = *part.as_ref();
                if !(share > 0.0 && share < 1.0) {
                    return Err(source.fault(part, "test_part must be a share above 0 and below 1, such as 0.2"));
                }
                Ok(TestRows::Share { share, seed: self.split_seed.as_ref().map_or(1, |seed| *seed.as_ref()) })
            }
            (Some(_), Some(part)) => {
                Err(source.fault(part, "test and test_part are both given: keep the file, or let rows be set aside"))
            }
            (None, None) => Err(source.fault(
                &self.train,
                "the test rows are missing: test = \"…\" names a file or folder, test_part = 0.2 sets a fifth aside",
            )),
        }
    }
}
