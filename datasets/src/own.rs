//! A user's own data: where the rows are, their format, and the examples that they hold.
//!
//! Every reader refuses what it does not understand, and names the file and the line, record or image. Gzip files are unpacked,
//! whatever their names. A [`DataFormat`] describes what is read; [`OwnData::load`] reads it.

mod binary;
mod bytes;
mod decoded;
mod error;
mod idx;
mod images;
mod join;
mod kind;
mod missing;
pub(crate) mod names;
mod remedy;
mod survey;
mod table;
mod tabular;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use decoded::{read_images, write_images};
pub use error::OwnError;
pub use names::{LookAlikes, code_points, normalized};
pub use survey::{ColumnSurvey, ColumnValues, Duplicates, InputSurvey, Survey, survey};

use crate::example::{Inputs, Splits};

/// The largest number of classes. A column with more was named by mistake: it holds numbers or texts.
pub const MAX_CLASSES: usize = 1_000;
/// The largest number of categories of a column. One with more was named by mistake: it holds numbers, texts or names.
pub const MAX_CATEGORIES: usize = 1_000;
/// The sides to which images can be resized, in pixels.
pub const SIDES: std::ops::RangeInclusive<usize> = 8..=512;

/// Where the rows are, and their format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnData {
    /// The format of each part.
    pub layout: DataFormat,
    /// Where the training rows are. If the test rows are a share of all rows, this is where all rows are.
    pub train: Vec<Part>,
    /// Where the test rows are.
    pub test: TestRows,
}

/// A file or folder of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The file; a folder of folders for images.
    pub path: PathBuf,
    /// The file of labels, for [`DataFormat::Idx`] alone.
    pub labels: Option<PathBuf>,
}

/// Where the test rows are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TestRows {
    /// In separate files or folders.
    Parts(Vec<Part>),
    /// A share of the rows of [`OwnData::train`], stratified by class.
    Share {
        /// Strictly between 0 and 1.
        share: f64,
        /// The seed that chooses the rows.
        seed: u64,
    },
    /// There are none: only cross-validation can score.
    None,
}

/// The format of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataFormat {
    /// Texts in delimited text, UTF-8.
    Table(TableLayout),
    /// Numbers and categories in delimited text, UTF-8.
    Tabular(TabularLayout),
    /// A folder for each class with PNG and JPEG images, which become RGB images of `side` x `side`.
    Images {
        /// The side in pixels, in [`SIDES`].
        side: usize,
    },
    /// The files of MNIST: a file of grey images and one of labels.
    Idx {
        /// The names of the labels 0, 1, …; the numbers themselves by default.
        classes: Option<Vec<String>>,
    },
    /// Records of labels and planes, as in CIFAR-10's binary version.
    Binary(BinaryLayout),
}

/// How delimited text is laid out.
///
/// `quoting` turns on the rules of RFC 4180. A field may stand in double quotation marks, and then hold the delimiter,
/// line ends and doubled quotation marks. A mark anywhere else is refused. Without `quoting`, every character except
/// the delimiter and the line end is plain.
///
/// Lines end in LF or CRLF. A byte order mark and empty lines are skipped, and blanks around a field are dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLayout {
    /// The character between two fields, which must be ASCII.
    pub delimiter: u8,
    /// Whether quotation marks enclose fields.
    pub quoting: bool,
    /// Whether the first line names the columns.
    pub header: bool,
    /// The column of the text.
    pub text: Column,
    /// Further columns of that text. The content of each follows on a line of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<Column>,
    /// The column of the second text of a pair.
    pub second: Option<Column>,
    /// The column to predict.
    pub target: Target,
}

/// How rows of numbers and categories are laid out in delimited text. See [`TableLayout`] for the text itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TabularLayout {
    /// The character between two fields, which must be ASCII.
    pub delimiter: u8,
    /// Whether quotation marks enclose fields.
    pub quoting: bool,
    /// Whether the first line names the columns.
    pub header: bool,
    /// The columns of numbers.
    pub numbers: NumberColumns,
    /// The columns of categories.
    pub categories: Vec<Column>,
    /// What is written where a value is missing. An empty text stands for an empty field.
    pub missing: Vec<String>,
    /// The column to predict.
    pub target: Target,
}

/// Which columns hold numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NumberColumns {
    /// These.
    These(Vec<Column>),
    /// All that are neither named elsewhere in the layout nor among these.
    AllBut(Vec<Column>),
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

/// The column to predict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// The words in this column are classes.
    Class(Column),
    /// This column holds numbers.
    Value(Column),
}

/// The layout of binary records: label bytes, then the planes of an image, row by row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinaryLayout {
    /// Channels (1 or 3), height and width, none of them 0.
    pub shape: [usize; 3],
    /// The number of bytes before the image, at least 1.
    pub label_bytes: usize,
    /// Which of them is the label, from 0; below `label_bytes`.
    pub label_byte: usize,
    /// The names of the labels 0, 1, …; the numbers themselves by default.
    pub classes: Option<Vec<String>>,
}

/// Where an example was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPlace {
    file: Arc<Path>,
    /// What is counted in the file, such as lines, and the number of this one. `None` if the whole file is the example.
    at: Option<(&'static str, usize)>,
}

impl fmt::Display for RowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some((what, number)) => write!(f, "{}, {what} {number}", self.file.display()),
            None => write!(f, "{}", self.file.display()),
        }
    }
}

/// A user's examples, and where each was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Own {
    /// The examples.
    pub splits: Splits,
    /// Where each training example was read from.
    pub train_places: Vec<RowPlace>,
    /// Where each test example was read from.
    pub test_places: Vec<RowPlace>,
    /// The width and height of the smallest and the largest image by area, before resizing.
    pub sizes: Option<[[u32; 2]; 2]>,
    /// The first target that was written with more digits than are kept, and how many such targets there are.
    pub rounded: Option<(RowPlace, usize)>,
    /// The sha256 of each file, by its part in the data: `train: reviews.csv`, or `train 1: …` and so on for several files in their
    /// order. For a folder, it is the sha256 of the list of its images' names and sha256.
    pub checksums: BTreeMap<String, String>,
}

impl OwnData {
    /// Reads every row.
    ///
    /// # Errors
    /// If a file cannot be read or breaks its format, if there are fewer than two classes, or if only test rows have a class.
    ///
    /// # Panics
    /// If a number of the format is outside the range that its field states.
    pub fn load(&self) -> Result<Own, OwnError> {
        join::load(self)
    }
}

/// The rows of one or more parts, before their classes are known.
#[derive(Debug)]
struct RawRows {
    inputs: Inputs,
    targets: RawTargets,
    places: Vec<RowPlace>,
    sizes: Option<[[u32; 2]; 2]>,
    /// The name of each file that was read and its sha256.
    checksums: Vec<(String, String)>,
}

/// Targets as they are written.
#[derive(Debug)]
enum RawTargets {
    Classes(Vec<String>),
    Values(Vec<f64>),
}

/// Whether a class can have this name. Reports and figures show the name, so a reader must be able to see it. Neither a
/// terminal nor XML accepts control characters, and XML does not accept the two code points that are not characters.
pub fn is_class_name(name: &str) -> bool {
    !names::appearance(name).is_empty() && !name.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

/// What an error expects in place of a name that no class can have.
const CLASS_NAME: &str = "a class name with visible characters and no control characters";

/// The class of a label byte.
fn label_name(label: u8, classes: Option<&[String]>, place: &RowPlace) -> Result<String, OwnError> {
    let Some(classes) = classes else { return Ok(label.to_string()) };
    let expected = || format!("a label in 0..={}, as there are {} classes", classes.len() - 1, classes.len());
    let name = classes.get(usize::from(label));
    name.cloned().ok_or_else(|| OwnError::format(place, expected(), label))
}
