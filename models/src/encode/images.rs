//! The features of an image for the classic models: one kind, or several kinds side by side.

use bakeoff_datasets::Images;
use ndarray::{Array2, ArrayViewMut2, Axis};

use super::hog;
use super::scale::Scale;
use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::{InputShape, ModelError, Support};
use crate::params::{DefaultValue, Domain, Param, ParamValue, Resolved};
use crate::search::{Search, SearchDefault};

/// One kind of features of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FeatureKind {
    /// Histograms of oriented gradients. Each feature is scaled to mean zero and variance one.
    Hog,
    /// Every pixel of every colour plane, scaled to 0..=1.
    Pixels,
}

impl FeatureKind {
    /// The number of features of an image with these numbers of colour planes, rows and columns.
    fn width(self, [channels, height, width]: [usize; 3]) -> usize {
        match self {
            FeatureKind::Hog => hog::width(height, width),
            FeatureKind::Pixels => channels * height * width,
        }
    }

    /// A name for each feature of such an image.
    fn feature_names(self, [channels, height, width]: [usize; 3]) -> Vec<String> {
        match self {
            FeatureKind::Hog => hog::feature_names(height, width),
            FeatureKind::Pixels => (0..channels * height * width)
                .map(|index| {
                    let (plane, row, column) = (index / (height * width), index / width % height, index % width);
                    format!("pixel {row}, {column} of plane {plane}")
                })
                .collect(),
        }
    }

    /// Writes the features of each image into `out`, `images x width`.
    fn write(self, images: &Images, out: &mut ArrayViewMut2<'_, f32>) {
        match self {
            FeatureKind::Hog => out.assign(&hog::hog(images)),
            FeatureKind::Pixels => {
                for (index, mut row) in out.rows_mut().into_iter().enumerate() {
                    let pixels = images.image(index).iter();
                    row.iter_mut().zip(pixels).for_each(|(value, &pixel)| *value = f32::from(pixel) / 255.0);
                }
            }
        }
    }

    /// Whether each feature is scaled to mean zero and variance one. Pixels keep their common unit: if each were
    /// scaled, the pixels of an empty margin would weigh as much as those of the object.
    fn is_scaled(self) -> bool {
        self == FeatureKind::Hog
    }
}

/// The kinds of features of an image, side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageFeatures(&'static [FeatureKind]);

impl ImageFeatures {
    /// Histograms of oriented gradients alone.
    pub const HOG: ImageFeatures = ImageFeatures(&[FeatureKind::Hog]);
    pub(crate) const NAMES: &[&str] = &["hog", "pixels", "hog+pixels", "auto"];

    /// The parameter `features` of a model that reads images.
    pub(crate) const fn param(default: &'static str, source: &'static str) -> Param {
        Param {
            name: "features",
            images: DefaultValue::Word(default),
            texts: DefaultValue::Word(default),
            tables: DefaultValue::Word(default),
            domain: Domain::Word(ImageFeatures::NAMES),
            about: "images: histograms of oriented gradients, raw pixels from 0 to 1, or both; auto: both for grey images, hog for colour images",
            source,
            search: Some(Search {
                images: Some(SearchDefault::Words(&["hog", "pixels", "hog+pixels"])),
                texts: None,
                tables: None,
                source: "all of ours",
            }),
        }
    }

    /// The features that the parameter of [`ImageFeatures::param`] selects for images of this form. Beside the features of a network,
    /// they are histograms of oriented gradients.
    pub(crate) fn of(params: &Resolved, input: &InputShape) -> ImageFeatures {
        let is_grey = matches!(input, InputShape::Images { channels: 1, .. });
        let Some(ParamValue::Text(word)) = params.get("features") else { return ImageFeatures::HOG };
        ImageFeatures(match word.as_str() {
            "pixels" => &[FeatureKind::Pixels],
            "hog+pixels" => &[FeatureKind::Hog, FeatureKind::Pixels],
            "auto" if is_grey => &[FeatureKind::Hog, FeatureKind::Pixels],
            _ => return ImageFeatures::HOG,
        })
    }

    /// The number of features of an image with these numbers of colour planes, rows and columns.
    pub(crate) fn width(self, shape: [usize; 3]) -> usize {
        self.0.iter().map(|kind| kind.width(shape)).sum()
    }

    /// Whether these features can be computed from images of this form.
    pub(crate) fn supports(self, input: &InputShape) -> Support {
        let smallest = hog::SMALLEST_SIDE;
        match *input {
            InputShape::Images { height, width, .. }
                if self.0.contains(&FeatureKind::Hog) && (height < smallest || width < smallest) =>
            {
                Support::No {
                    reason: format!(
                        "images are {height} x {width} pixels, and histograms of oriented gradients need at least \
                         {smallest} x {smallest}: set features = \"pixels\""
                    ),
                }
            }
            _ => Support::Yes,
        }
    }
}

/// An encoder fitted on the training images.
#[derive(Debug, Clone)]
pub(super) struct ImageEncoder {
    features: ImageFeatures,
    /// The numbers of colour planes, rows and columns of a training image.
    shape: [usize; 3],
    /// The scales of those kinds that are scaled, in their order.
    scales: Vec<Scale>,
}

impl ImageEncoder {
    /// Learns from at least one image, and encodes all of them.
    pub(super) fn fit(images: &Images, features: ImageFeatures) -> (ImageEncoder, Array2<f32>) {
        let mut encoder = ImageEncoder { features, shape: shape(images), scales: Vec::new() };
        let mut rows = encoder.unscaled(images);
        encoder.scales = encoder.scaled(&mut rows).iter().map(|part| Scale::fit(&part.view())).collect();
        encoder.scale(&mut rows);
        (encoder, rows)
    }

    /// One row for each image. Images must have the size of the training images.
    pub(super) fn encode(&self, images: &Images) -> Array2<f32> {
        let mut rows = self.unscaled(images);
        self.scale(&mut rows);
        rows
    }

    /// Adds the learned arrays.
    pub(super) fn save(&self, arrays: &mut ArraysOut) {
        for (index, scale) in self.scales.iter().enumerate() {
            scale.save(&format!("scale{index}"), arrays);
        }
    }

    /// Takes the arrays that [`ImageEncoder::save`] added.
    ///
    /// # Errors
    /// If they do not fit these features and images of this form.
    pub(super) fn load(
        features: ImageFeatures,
        shape: [usize; 3],
        arrays: &mut ArraysIn,
    ) -> Result<ImageEncoder, ModelError> {
        let scaled = features.0.iter().filter(|kind| kind.is_scaled()).enumerate();
        let scales = scaled.map(|(index, kind)| Scale::load(&format!("scale{index}"), kind.width(shape), arrays));
        Ok(ImageEncoder { features, shape, scales: scales.collect::<Result<_, _>>()? })
    }

    /// The number of features.
    pub(super) fn width(&self) -> usize {
        self.features.width(self.shape)
    }

    /// A name for each feature.
    pub(super) fn feature_names(&self) -> Vec<String> {
        self.features.0.iter().flat_map(|kind| kind.feature_names(self.shape)).collect()
    }

    /// Whether these images have the size of the training images.
    pub(super) fn fits(&self, images: &Images) -> bool {
        shape(images) == self.shape
    }

    /// The numbers of colour planes, rows and columns of a training image.
    pub(super) fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn unscaled(&self, images: &Images) -> Array2<f32> {
        let mut rows = Array2::zeros((images.len(), self.features.width(self.shape)));
        for (kind, mut part) in self.parts(&mut rows) {
            kind.write(images, &mut part);
        }
        rows
    }

    fn scale(&self, rows: &mut Array2<f32>) {
        for (part, scale) in self.scaled(rows).iter_mut().zip(&self.scales) {
            scale.apply(part);
        }
    }

    /// The columns of those kinds that are scaled.
    fn scaled<'a>(&self, rows: &'a mut Array2<f32>) -> Vec<ArrayViewMut2<'a, f32>> {
        self.parts(rows).into_iter().filter(|(kind, _)| kind.is_scaled()).map(|(_, part)| part).collect()
    }

    /// The columns of each kind.
    fn parts<'a>(&self, rows: &'a mut Array2<f32>) -> Vec<(FeatureKind, ArrayViewMut2<'a, f32>)> {
        let mut rest = rows.view_mut();
        let mut parts = Vec::new();
        for &kind in self.features.0 {
            let (part, after) = rest.split_at(Axis(1), kind.width(self.shape));
            parts.push((kind, part));
            rest = after;
        }
        parts
    }
}

fn shape(images: &Images) -> [usize; 3] {
    [images.channels, images.height, images.width]
}
