//! What an example is: inputs, targets, and the splits that hold them.

use std::sync::Arc;

use crate::tabular::Table;

/// Equally sized images, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// Colour planes per image (3 for RGB).
    pub channels: usize,
    /// Rows of pixels per image.
    pub height: usize,
    /// Columns of pixels per image.
    pub width: usize,
    /// `N x channels x height x width` values in 0..=255, row-major, the layout of the CIFAR-10 files.
    pub pixels: Vec<u8>,
}

impl Images {
    /// Values per image.
    pub fn stride(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.pixels.len() / self.stride()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// The pixels of image `index`, `channels x height x width`.
    pub fn image(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.stride()..][..self.stride()]
    }
}

/// One text, or a pair of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text, or the first of a pair.
    pub first: String,
    /// The second of a pair.
    pub second: Option<String>,
}

/// What a model may see of the examples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inputs {
    /// Images of one size.
    Images(Images),
    /// Texts or pairs of texts.
    Texts(Vec<Text>),
    /// Rows of a table.
    Table(Table),
}

impl Inputs {
    /// The number of examples.
    pub fn len(&self) -> usize {
        match self {
            Inputs::Images(images) => images.len(),
            Inputs::Texts(texts) => texts.len(),
            Inputs::Table(table) => table.len(),
        }
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The examples at `rows`, in that order.
    ///
    /// # Panics
    /// If a row is out of range.
    pub fn select(&self, rows: &[usize]) -> Inputs {
        match self {
            Inputs::Images(images) => {
                let mut pixels = Vec::with_capacity(rows.len() * images.stride());
                for &row in rows {
                    pixels.extend_from_slice(images.image(row));
                }
                Inputs::Images(Images { pixels, ..*images })
            }
            Inputs::Texts(texts) => Inputs::Texts(rows.iter().map(|&row| texts[row].clone()).collect()),
            Inputs::Table(table) => Inputs::Table(table.select(rows)),
        }
    }
}

/// What is to be predicted.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// One of a fixed set of classes.
    Classes {
        /// Index into `names`, one per example.
        labels: Vec<u16>,
        /// The names of all classes, including those without an example here.
        names: Arc<[String]>,
    },
    /// A real number per example.
    Values(Vec<f32>),
}

impl Targets {
    /// The number of examples.
    pub fn len(&self) -> usize {
        match self {
            Targets::Classes { labels, .. } => labels.len(),
            Targets::Values(values) => values.len(),
        }
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The targets at `rows`, in that order.
    ///
    /// # Panics
    /// If a row is out of range.
    pub fn select(&self, rows: &[usize]) -> Targets {
        match self {
            Targets::Classes { labels, names } => {
                Targets::Classes { labels: rows.iter().map(|&row| labels[row]).collect(), names: Arc::clone(names) }
            }
            Targets::Values(values) => Targets::Values(rows.iter().map(|&row| values[row]).collect()),
        }
    }
}

/// Examples with their targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// What a model sees.
    pub inputs: Inputs,
    /// What it is to predict; one for each of `inputs`.
    pub targets: Targets,
}

impl Split {
    /// The number of examples.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The examples at `rows`, in that order.
    ///
    /// # Panics
    /// If a row is out of range.
    pub fn select(&self, rows: &[usize]) -> Split {
        Split { inputs: self.inputs.select(rows), targets: self.targets.select(rows) }
    }
}

/// The official splits of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Splits {
    /// Rows to learn from.
    pub train: Split,
    /// Rows to score on, used once per case.
    pub test: Split,
    /// More splits to score on from the same fit, with their names, such as MNLI's `mismatched`.
    pub further: Vec<(&'static str, Split)>,
}

impl Splits {
    /// Splits without further ones.
    pub fn new(train: Split, test: Split) -> Splits {
        Splits { train, test, further: Vec::new() }
    }
}
