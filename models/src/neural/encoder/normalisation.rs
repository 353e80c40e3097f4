//! The scale of pixels: their mean and standard deviation in each colour plane of the training images.

use bakeoff_datasets::Images;

/// Mean and standard deviation of each colour plane, in units of a pixel's full range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Normalisation {
    /// What is subtracted.
    pub(crate) mean: Vec<f32>,
    /// By what the difference is divided.
    pub(crate) std: Vec<f32>,
}

impl Normalisation {
    /// The normalisation that fits these images.
    pub(super) fn fit(images: &Images) -> Normalisation {
        let plane = images.height * images.width;
        let count = (images.len() * plane).max(1) as f64;
        let (mut mean, mut std) = (Vec::new(), Vec::new());
        for channel in 0..images.channels {
            let planes = (0..images.len()).map(|index| &images.image(index)[channel * plane..][..plane]);
            let (sum, squares) = planes.flatten().fold((0_u64, 0_u64), |(sum, squares), &pixel| {
                (sum + u64::from(pixel), squares + u64::from(pixel) * u64::from(pixel))
            });
            let average = sum as f64 / count;
            let variance = squares as f64 / count - average * average;
            mean.push((average / 255.0) as f32);
            std.push(if variance > 0.0 { (variance.sqrt() / 255.0) as f32 } else { 1.0 });
        }
        Normalisation { mean, std }
    }
}
