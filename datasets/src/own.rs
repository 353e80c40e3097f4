//! A user's own data: where the rows are, how they are laid out, and the examples that they hold.
//!
//! Every reader refuses what it does not understand, naming the file and the line, record or image. Files whose content
//! begins as gzip does are unpacked. What is read is described by a [`Layout`]; [`OwnData::load`] reads it.

mod binary;
mod bytes;
mod error;
mod idx;
mod images;
mod join;
mod survey;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use error::OwnError;
pub use survey::{Duplicates, InputSurvey, Survey, survey};

use crate::example::{Inputs, Splits};

/// More classes than this are a slip: a column of numbers or of names.
pub const MOST_CLASSES: usize = 1_000;
/// The sides to which images can be resized, in pixels.
pub const SIDES: std::ops::RangeInclusive<usize> = 8..=512;

/// Where the rows are and how they are laid out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnData {
    /// How each part is laid out.
    pub layout: Layout,
    /// Where the training rows are; all rows, if the test rows are a share of them.
    pub train: Vec<Part>,
    /// Where the test rows are.
    pub test: TestRows,
}

/// A file or folder of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The file; a folder of folders for images.
    pub path: PathBuf,
    /// The file of labels, for [`Layout::Idx`] alone.
    pub labels: Option<PathBuf>,
}

/// Where the test rows are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TestRows {
    /// In parts of their own.
    Parts(Vec<Part>),
    /// A share of the rows of [`OwnData::train`], each class by its share.
    Share {
        /// Strictly between 0 and 1.
        share: f64,
        /// Chooses the rows.
        seed: u64,
    },
}

/// How rows are laid out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// Delimited text, UTF-8.
    Table(TableLayout),
    /// A folder for each class with PNG and JPEG images, which become RGB of `side` x `side`.
    Images {
        /// Pixels, in [`SIDES`].
        side: usize,
    },
    /// The files of MNIST: a file of grey images and one of labels.
    Idx {
        /// Names of the labels 0, 1, …; the numbers themselves if not given.
        classes: Option<Vec<String>>,
    },
    /// Records of labels and planes, as in CIFAR-10's binary version.
    Binary(BinaryLayout),
}

/// How delimited text is laid out.
///
/// With `quoting`, the rules of RFC 4180: a field may stand in double quotation marks, and then hold the delimiter, line
/// ends and doubled quotation marks; a mark anywhere else is refused. Without, every character but the delimiter and the line end is plain. Lines end in
/// LF or CRLF; a byte order mark and empty lines are skipped; blanks around a field are dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLayout {
    /// An ASCII character.
    pub delimiter: u8,
    /// Whether quotation marks have a meaning.
    pub quoting: bool,
    /// Whether the first line names the columns.
    pub header: bool,
    /// The text.
    pub text: Column,
    /// The second text of a pair.
    pub second: Option<Column>,
    /// What is to be predicted.
    pub target: Target,
}

/// A column of delimited text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Column {
    /// By its name in the header.
    Name(String),
    /// By its number, from 0.
    Number(usize),
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Column::Name(name) => write!(f, "'{name}'"),
            Column::Number(number) => write!(f, "{number}"),
        }
    }
}

/// The column that is to be predicted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// Its words are classes.
    Class(Column),
    /// It holds numbers.
    Value(Column),
}

/// How binary records are laid out: label bytes, then the planes of an image, row by row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinaryLayout {
    /// Channels (1 or 3), height and width, none of them 0.
    pub shape: [usize; 3],
    /// Label bytes before the image, at least 1.
    pub label_bytes: usize,
    /// Which of them is the label, from 0; below `label_bytes`.
    pub label_byte: usize,
    /// Names of the labels 0, 1, …; the numbers themselves if not given.
    pub classes: Option<Vec<String>>,
}

/// Where an example was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    file: Arc<Path>,
    /// What is counted in the file and its number; nothing if the file is the example.
    at: Option<(&'static str, usize)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some((what, number)) => write!(f, "{}, {what} {number}", self.file.display()),
            None => write!(f, "{}", self.file.display()),
        }
    }
}

/// A user's examples, and where each was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Own {
    /// The examples.
    pub splits: Splits,
    /// The place of each training example.
    pub train_places: Vec<Place>,
    /// The place of each test example.
    pub test_places: Vec<Place>,
    /// Width and height of the smallest and of the largest image before resizing, by area.
    pub sizes: Option<[[u32; 2]; 2]>,
    /// The first number to be predicted that was written with more digits than are kept, and how many there are.
    pub rounded: Option<(Place, usize)>,
    /// The sha256 of each file by its part in the data (`train: reviews.csv`, of several `train 1: …` in their order); of
    /// a folder, that of the list of its images' names and sha256.
    pub checksums: BTreeMap<String, String>,
}

impl OwnData {
    /// Reads every row.
    ///
    /// # Errors
    /// If a file cannot be read or breaks its format, if there are no two classes, or if a class is in the test rows
    /// alone.
    ///
    /// # Panics
    /// If a number of the layout is outside what its field says.
    pub fn load(&self) -> Result<Own, OwnError> {
        join::load(self)
    }
}

/// The rows of one or more parts, before their classes are known.
#[derive(Debug)]
struct Rows {
    inputs: Inputs,
    targets: RawTargets,
    places: Vec<Place>,
    sizes: Option<[[u32; 2]; 2]>,
    /// The name of each file that was read and its sha256.
    checksums: Vec<(String, String)>,
}

/// Targets as written.
#[derive(Debug)]
enum RawTargets {
    Classes(Vec<String>),
    Values(Vec<f64>),
}

/// Whether a class can have this name. Reports and figures show it, and neither a terminal nor XML takes control characters,
/// nor XML the two code points that are no characters.
pub fn is_class_name(name: &str) -> bool {
    !name.trim().is_empty() && !name.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

/// What is expected of a class where its name is none.
const CLASS_NAME: &str = "the name of a class, without control characters";

/// The name of a label byte.
fn label_name(label: u8, classes: Option<&[String]>, place: &Place) -> Result<String, OwnError> {
    let Some(classes) = classes else { return Ok(label.to_string()) };
    let expected = || format!("a label in 0..={}, as there are {} classes", classes.len() - 1, classes.len());
    let name = classes.get(usize::from(label));
    name.cloned().ok_or_else(|| OwnError::format(place, expected(), label))
}
