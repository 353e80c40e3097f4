//! From raw inputs to the features that the classic models learn from: scaled HOG for images, TF-IDF for texts, and
//! for pairs of texts what [`super::pairs`] makes of it.

use bakeoff_datasets::{Images, Inputs, Split, Targets};
use ndarray::{Array2, Axis};

use super::hog;
use super::pairs::{OVERLAPS, PairEncoder, check_kind};
use super::scale::Scale;
use super::sparse::SparseRows;
use super::tfidf::TfIdf;
use crate::model::{Device, InputShape, ModelError, Support};

/// One row per example.
#[derive(Debug, Clone)]
pub enum Features {
    /// Every value stored.
    Dense(Array2<f32>),
    /// Most values are zero.
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

    /// The rows at `rows`, in that order.
    pub(crate) fn select(&self, rows: &[usize]) -> Features {
        match self {
            Features::Dense(all) => Features::Dense(all.select(Axis(0), rows)),
            Features::Sparse(all) => Features::Sparse(all.select(rows)),
        }
    }

    /// Every value in its place, zeros included.
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

    /// The memory they take.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Features::Dense(rows) => (rows.len() * size_of::<f32>()) as u64,
            Features::Sparse(rows) => rows.bytes(),
        }
    }
}

/// What was learned of the training inputs.
#[derive(Debug, Clone)]
pub struct Encoder(Learned);

#[derive(Debug, Clone)]
enum Learned {
    /// HOG, every feature scaled to mean zero and variance one.
    Images {
        /// Of the training images.
        scale: Scale,
        /// Channels, height and width of a training image.
        shape: (usize, usize, usize),
    },
    /// TF-IDF.
    Texts(TfIdf),
    /// TF-IDF of both texts of a pair, compared.
    Pairs(PairEncoder),
}

impl Encoder {
    /// Learns from the training inputs and encodes them. `terms` is the largest number of terms for texts, and `pairs`
    /// whether they are pairs.
    ///
    /// # Errors
    /// If texts are not all pairs, or not all by themselves.
    pub fn fit(inputs: &Inputs, terms: usize, pairs: bool) -> Result<(Encoder, Features), ModelError> {
        Ok(match inputs {
            Inputs::Images(images) => {
                let mut rows = hog::hog(images);
                let scale = Scale::fit(&rows);
                scale.apply(&mut rows);
                (Encoder(Learned::Images { scale, shape: shape(images) }), Features::Dense(rows))
            }
            Inputs::Texts(texts) if pairs => {
                check_kind(texts, true)?;
                let encoder = PairEncoder::fit(texts, terms);
                let rows = encoder.encode(texts);
                (Encoder(Learned::Pairs(encoder)), Features::Sparse(rows))
            }
            Inputs::Texts(texts) => {
                check_kind(texts, false)?;
                let tfidf = TfIdf::fit(texts, terms);
                let rows = tfidf.encode(texts);
                (Encoder(Learned::Texts(tfidf)), Features::Sparse(rows))
            }
        })
    }

    /// Encodes inputs of the kind and size that it was fitted on.
    ///
    /// # Errors
    /// If they are of another.
    pub(crate) fn encode(&self, inputs: &Inputs) -> Result<Features, ModelError> {
        match (&self.0, inputs) {
            (Learned::Images { scale, shape: fitted }, Inputs::Images(images)) if shape(images) == *fitted => {
                let mut rows = hog::hog(images);
                scale.apply(&mut rows);
                Ok(Features::Dense(rows))
            }
            (Learned::Texts(tfidf), Inputs::Texts(texts)) => {
                check_kind(texts, false)?;
                Ok(Features::Sparse(tfidf.encode(texts)))
            }
            (Learned::Pairs(encoder), Inputs::Texts(texts)) => {
                check_kind(texts, true)?;
                Ok(Features::Sparse(encoder.encode(texts)))
            }
            (Learned::Images { shape: (c, h, w), .. }, _) => Err(ModelError::Unsupported(format!(
                "this model was fitted on images of {c} x {h} x {w}, not on these inputs"
            ))),
            (Learned::Texts(_) | Learned::Pairs(_), _) => {
                Err(ModelError::Unsupported("this model was fitted on texts, not on images".to_owned()))
            }
        }
    }

    /// The memory it takes.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.0 {
            Learned::Images { scale, .. } => scale.bytes(),
            Learned::Texts(tfidf) => tfidf.bytes(),
            Learned::Pairs(encoder) => encoder.bytes(),
        }
    }
}

fn shape(images: &Images) -> (usize, usize, usize) {
    (images.channels, images.height, images.width)
}

/// Whether inputs of this form can be encoded for a model on `device`: features are made on the processor only, and so
/// are the models of them.
pub(crate) fn supports(input: &InputShape, device: Device) -> Support {
    match device {
        Device::Cpu => {}
    }
    let smallest = hog::SMALLEST_SIDE;
    match *input {
        InputShape::Images { height, width, .. } if height < smallest || width < smallest => Support::No {
            reason: format!(
                "images are {height} x {width} pixels, histograms of oriented gradients need at least {smallest} x {smallest}"
            ),
        },
        _ => Support::Yes,
    }
}

/// The most features of inputs of this form, of which at most `terms` are terms.
pub(crate) fn width(input: &InputShape, terms: usize) -> usize {
    match *input {
        InputShape::Images { height, width, .. } => hog::width(height, width),
        InputShape::Texts { pairs } => terms + if pairs { OVERLAPS } else { 0 },
    }
}

/// The rows of both splits in order: a model that chooses nothing by validation learns from all of them.
pub(crate) fn joined(train: &Split, validation: &Split) -> Split {
    let mut all = train.clone();
    match (&mut all.inputs, &validation.inputs) {
        (Inputs::Images(all), Inputs::Images(more)) => all.pixels.extend_from_slice(&more.pixels),
        (Inputs::Texts(all), Inputs::Texts(more)) => all.extend_from_slice(more),
        _ => unreachable!("both splits are of one task"),
    }
    match (&mut all.targets, &validation.targets) {
        (Targets::Classes { labels, .. }, Targets::Classes { labels: more, .. }) => labels.extend_from_slice(more),
        (Targets::Values(all), Targets::Values(more)) => all.extend_from_slice(more),
        _ => unreachable!("both splits are of one task"),
    }
    all
}
