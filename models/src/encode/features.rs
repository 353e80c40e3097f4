//! Encodes raw inputs as the features that the classic models learn from. Images become HOG features or pixels, and
//! texts become TF-IDF values. [`super::pairs`] describes the features of pairs of texts, and [`super::columns`] those of rows of a table.

use bakeoff_datasets::{Inputs, Split, Targets};
use ndarray::{Array2, Axis, concatenate};
use serde::{Deserialize, Serialize};

use super::columns::{ColumnEncoder, ColumnState};
use super::images::{ImageEncoder, ImageFeatures};
use super::pairs::{OVERLAPS, PairEncoder, check_kind};
use super::sparse::SparseRows;
use super::tfidf::TfIdf;
use super::words::{self, Tokens};
use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::{Device, InputShape, ModelError, Support};
use crate::params::Resolved;

/// How many categories a column of a table may be expected to have.
pub(crate) const TYPICAL_CATEGORIES: usize = 10;

/// Features, one row per example.
#[derive(Debug, Clone)]
pub enum Features {
    /// Every value is stored.
    Dense(Array2<f32>),
    /// Most values are zero, and only the others are stored.
    Sparse(SparseRows),
}

impl Features {
    /// The number of examples.
    pub(crate) fn len(&self) -> usize {
        match self {
            Features::Dense(rows) => rows.nrows(),
            Features::Sparse(rows) => rows.len(),
        }
    }

    /// The number of features.
    pub(crate) fn width(&self) -> usize {
        match self {
            Features::Dense(rows) => rows.ncols(),
            Features::Sparse(rows) => rows.width(),
        }
    }

    /// The rows at the indices `rows`, in that order.
    pub(crate) fn select(&self, rows: &[usize]) -> Features {
        match self {
            Features::Dense(all) => Features::Dense(all.select(Axis(0), rows)),
            Features::Sparse(all) => Features::Sparse(all.select(rows)),
        }
    }

    /// The features of each example, and then those of `more`.
    pub(crate) fn beside(self, more: &Features) -> Features {
        match (self, more) {
            (Features::Dense(rows), Features::Dense(more)) => Features::Dense(concatenate![Axis(1), rows, *more]),
            (rows, more) => {
                let offset = rows.width() as u32;
                let mut all = SparseRows::new(rows.width() + more.width());
                for index in 0..rows.len() {
                    let moved = more.entries(index).into_iter().map(|(column, value)| (offset + column, value));
                    let row: Vec<(u32, f32)> = rows.entries(index).into_iter().chain(moved).collect();
                    all.push(&row);
                }
                Features::Sparse(all)
            }
        }
    }

    /// The values of a row that are not zero, with their columns.
    fn entries(&self, index: usize) -> Vec<(u32, f32)> {
        match self {
            Features::Dense(rows) => {
                let values = rows.row(index).into_iter().zip(0..).map(|(&value, column)| (column, value));
                values.filter(|&(_, value)| value != 0.0).collect()
            }
            Features::Sparse(rows) => rows.row(index).to_vec(),
        }
    }

    /// All values, zeros included.
    pub(crate) fn into_dense(self) -> Array2<f32> {
        match self {
            Features::Dense(rows) => rows,
            Features::Sparse(rows) => rows.to_dense(),
        }
    }

    /// The number of stored values.
    pub(crate) fn stored(&self) -> usize {
        match self {
            Features::Dense(rows) => rows.len(),
            Features::Sparse(rows) => rows.stored(),
        }
    }
}

/// The settings that decide which features are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureParams {
    /// Which features an image has.
    pub images: ImageFeatures,
    /// Which segments of a text are words.
    pub tokens: Tokens,
    /// The largest number of terms.
    pub terms: usize,
    /// Whether an example is a pair of texts.
    pub pairs: bool,
    /// Whether the numbers of a table are in standard deviations from their means.
    pub scaled: bool,
}

impl FeatureParams {
    /// Reads a model's parameters `features`, `tokens` and `terms`, for inputs of this form. The columns of a table need none of them.
    /// Panics if the model lacks one of them for other inputs.
    pub fn of(params: &Resolved, input: &InputShape) -> FeatureParams {
        if input.is_table() {
            let (images, tokens) = (ImageFeatures::HOG, Tokens::Words);
            return FeatureParams { images, tokens, terms: 0, pairs: false, scaled: true };
        }
        FeatureParams {
            scaled: true,
            images: ImageFeatures::of(params, input),
            tokens: Tokens::of(params),
            terms: params.int("terms"),
            pairs: input.is_pairs(),
        }
    }

    /// The same with the numbers of a table as they are, for models to which their scale does not matter.
    pub(crate) fn as_they_are(self) -> FeatureParams {
        FeatureParams { scaled: false, ..self }
    }

    /// Whether inputs of this form can be encoded for a model on `device`. Features are computed on the processor only,
    /// and so are the models that use them.
    pub(crate) fn supports(&self, input: &InputShape, device: Device) -> Support {
        match device.processor_alone() {
            Support::Yes => self.images.supports(input),
            no => no,
        }
    }

    /// The largest number of features that inputs of this form can have; of a table, the smallest one, because its categories are not known
    /// before a fit.
    pub(crate) fn width(&self, input: &InputShape) -> usize {
        match *input {
            InputShape::Images { channels, height, width } => self.images.width([channels, height, width]),
            InputShape::Texts { pairs } => self.terms + if pairs { OVERLAPS } else { 0 },
            InputShape::Table { numbers, categories } => numbers + categories,
        }
    }
}

/// What a saved [`Encoder`] stores beside its arrays.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum EncoderState {
    Images,
    Columns(ColumnState),
    Texts {
        /// The terms, in the order of their columns.
        terms: Vec<String>,
    },
    Pairs {
        /// The terms of each block, in the order of their columns.
        terms: Vec<String>,
        /// The terms of the cosine, if they differ from those of the blocks.
        all_terms: Option<Vec<String>>,
    },
}

/// An encoder fitted on the training inputs.
#[derive(Debug, Clone)]
pub struct Encoder(Learned);

#[derive(Debug, Clone)]
enum Learned {
    Images(ImageEncoder),
    /// The columns of a table.
    Columns(ColumnEncoder),
    /// TF-IDF values of a text.
    Texts(TfIdf),
    /// TF-IDF values of both texts of a pair, and their comparison.
    Pairs(PairEncoder),
}

impl Encoder {
    /// Learns from the training inputs and encodes them.
    ///
    /// # Errors
    /// If single texts and pairs are mixed or are not what the task has, if no text contains a word, or if the features of a table take too
    /// much memory.
    pub fn fit(inputs: &Inputs, params: &FeatureParams) -> Result<(Encoder, Features), ModelError> {
        let &FeatureParams { images: kinds, tokens, terms, pairs, scaled } = params;
        Ok(match inputs {
            Inputs::Images(images) => {
                let (encoder, rows) = ImageEncoder::fit(images, kinds);
                (Encoder(Learned::Images(encoder)), Features::Dense(rows))
            }
            Inputs::Table(table) => {
                let (encoder, rows) = ColumnEncoder::fit(table, scaled)?;
                (Encoder(Learned::Columns(encoder)), Features::Dense(rows))
            }
            Inputs::Texts(texts) if pairs => {
                check_kind(texts, true)?;
                let encoder = PairEncoder::fit(texts, tokens, terms);
                check_terms(encoder.terms(), tokens)?;
                let rows = encoder.encode(texts);
                (Encoder(Learned::Pairs(encoder)), Features::Sparse(rows))
            }
            Inputs::Texts(texts) => {
                check_kind(texts, false)?;
                let tfidf = TfIdf::fit(texts, tokens, terms);
                check_terms(tfidf.width(), tokens)?;
                let rows = tfidf.encode(texts);
                (Encoder(Learned::Texts(tfidf)), Features::Sparse(rows))
            }
        })
    }

    /// Encodes inputs of the kind and size that the encoder was fitted on.
    ///
    /// # Errors
    /// If the inputs are of another kind or size.
    pub(crate) fn encode(&self, inputs: &Inputs) -> Result<Features, ModelError> {
        match (&self.0, inputs) {
            (Learned::Images(encoder), Inputs::Images(images)) if encoder.fits(images) => {
                Ok(Features::Dense(encoder.encode(images)))
            }
            (Learned::Columns(encoder), Inputs::Table(table)) if encoder.fits(table) => {
                Ok(Features::Dense(encoder.encode(table)))
            }
            (Learned::Columns(_), _) => {
                Err(ModelError::Unsupported("this model was fitted on a table of other columns".to_owned()))
            }
            (Learned::Texts(tfidf), Inputs::Texts(texts)) => {
                check_kind(texts, false)?;
                Ok(Features::Sparse(tfidf.encode(texts)))
            }
            (Learned::Pairs(encoder), Inputs::Texts(texts)) => {
                check_kind(texts, true)?;
                Ok(Features::Sparse(encoder.encode(texts)))
            }
            (Learned::Images(encoder), _) => {
                let [channels, height, width] = encoder.shape();
                Err(ModelError::Unsupported(format!(
                    "this model was fitted on images of {channels} x {height} x {width}, not on these inputs"
                )))
            }
            (Learned::Texts(_) | Learned::Pairs(_), _) => {
                Err(ModelError::Unsupported("this model was fitted on texts, not on these inputs".to_owned()))
            }
        }
    }

    /// Adds the learned arrays and returns everything else that was learned.
    pub(crate) fn save(&self, arrays: &mut ArraysOut) -> EncoderState {
        match &self.0 {
            Learned::Images(encoder) => {
                encoder.save(arrays);
                EncoderState::Images
            }
            Learned::Columns(encoder) => EncoderState::Columns(encoder.save(arrays)),
            Learned::Texts(tfidf) => EncoderState::Texts { terms: tfidf.save("idf", arrays) },
            Learned::Pairs(encoder) => {
                let (terms, all_terms) = encoder.save(arrays);
                EncoderState::Pairs { terms, all_terms }
            }
        }
    }

    /// Restores an encoder from what [`Encoder::save`] stored.
    ///
    /// # Errors
    /// If the stored encoder is not one for inputs of this form.
    pub(crate) fn load(
        state: EncoderState,
        params: &FeatureParams,
        input: &InputShape,
        arrays: &mut ArraysIn,
    ) -> Result<Encoder, ModelError> {
        Ok(Encoder(match (state, *input) {
            (EncoderState::Images, InputShape::Images { channels, height, width }) => {
                Learned::Images(ImageEncoder::load(params.images, [channels, height, width], arrays)?)
            }
            (EncoderState::Columns(state), InputShape::Table { numbers, categories }) => {
                Learned::Columns(ColumnEncoder::load(state, [numbers, categories], arrays)?)
            }
            (EncoderState::Texts { terms }, InputShape::Texts { pairs: false }) => {
                Learned::Texts(TfIdf::load("idf", terms, params.tokens, arrays)?)
            }
            (EncoderState::Pairs { terms, all_terms }, InputShape::Texts { pairs: true }) => {
                Learned::Pairs(PairEncoder::load((terms, all_terms), params.tokens, arrays)?)
            }
            _ => return Err(arrays.refused("belongs to an encoder of another kind of inputs than the task has")),
        }))
    }

    /// The number of features.
    pub(crate) fn width(&self) -> usize {
        match &self.0 {
            Learned::Images(encoder) => encoder.width(),
            Learned::Columns(encoder) => encoder.width(),
            Learned::Texts(tfidf) => tfidf.width(),
            Learned::Pairs(encoder) => encoder.width(),
        }
    }

    /// For a table, how many features belong to its numbers, and then to each column of categories. `None` for other inputs.
    pub(crate) fn groups(&self) -> Option<Vec<usize>> {
        match &self.0 {
            Learned::Columns(encoder) => Some(encoder.groups()),
            _ => None,
        }
    }

    /// A name for each feature, for people. HOG features are in standard deviations from their mean, and pixels go from 0
    /// to 1. A term is named by itself, and its value is its TF-IDF.
    pub(crate) fn feature_names(&self) -> Vec<String> {
        match &self.0 {
            Learned::Images(encoder) => encoder.feature_names(),
            Learned::Columns(encoder) => encoder.feature_names(),
            Learned::Texts(tfidf) => tfidf.terms().into_iter().map(|term| format!("\"{term}\"")).collect(),
            Learned::Pairs(encoder) => encoder.feature_names(),
        }
    }

    /// How many of these texts contain no word that the features are made of: no word at all, or only words that were not
    /// learned. `None` for images and tables.
    pub(crate) fn wordless(&self, inputs: &Inputs) -> Option<usize> {
        let Inputs::Texts(texts) = inputs else { return None };
        match &self.0 {
            Learned::Images(_) | Learned::Columns(_) => None,
            Learned::Texts(tfidf) => Some(words::count_unread(texts, |text| !tfidf.knows_a_term_of(text))),
            Learned::Pairs(encoder) => Some(words::count_unread(texts, |text| !encoder.knows_a_term_of(text))),
        }
    }
}

/// Refuses training texts that contain no word.
fn check_terms(terms: usize, tokens: Tokens) -> Result<(), ModelError> {
    if terms > 0 {
        return Ok(());
    }
    let reads_marks = matches!(tokens, Tokens::WordsAndMarks | Tokens::WordsOrMarks);
    let more = if reads_marks { "" } else { "; with tokens = \"words+marks\" marks count too" };
    Err(ModelError::Failed(format!(
        "no training text holds a word that this model reads (tokens = \"{tokens}\"){more}"
    )))
}

/// The rows of both splits in order. A model that chooses nothing by validation learns from all of them.
pub(crate) fn joined(train: &Split, validation: &Split) -> Split {
    let mut all = train.clone();
    extend(&mut all.inputs, &validation.inputs);
    match (&mut all.targets, &validation.targets) {
        (Targets::Classes { labels, .. }, Targets::Classes { labels: more, .. }) => labels.extend_from_slice(more),
        (Targets::Values(all), Targets::Values(more)) => all.extend_from_slice(more),
        _ => unreachable!("both splits are of one task"),
    }
    all
}

/// Appends inputs of the same task.
pub(crate) fn extend(all: &mut Inputs, more: &Inputs) {
    match (all, more) {
        (Inputs::Images(all), Inputs::Images(more)) => all.pixels.extend_from_slice(&more.pixels),
        (Inputs::Texts(all), Inputs::Texts(more)) => all.extend_from_slice(more),
        (Inputs::Table(all), Inputs::Table(more)) => all.extend(more),
        _ => unreachable!("both are of one task"),
    }
}
