//! Asks a model for images that it makes, and measures how much they differ from each other. No stopwatch runs meanwhile.

use bakeoff_datasets::{Images, Inputs};
use bakeoff_models::Model;
use bakeoff_reports::{COLLAPSED_BELOW, sheet};

use super::Bench;
use crate::phase::Phase;

/// How many images are on a sheet, and how many training images they are compared with.
const COUNT: usize = 64;

impl Bench<'_> {
    /// Records the diversity of the images that the model makes, if it makes any, and keeps a sheet of them. A generator that has
    /// collapsed is a remark: the scores of its classifier stand.
    pub(super) fn images(&mut self, model: &dyn Model, train: &Inputs) {
        let made = match model.images(COUNT) {
            Ok(None) => return,
            Ok(Some(made)) => made,
            Err(error) => {
                let reason = format!("the model made no images: {error}");
                self.record(Phase::Case, "generated_diversity", None, "scorer", reason);
                return;
            }
        };
        let Inputs::Images(real) = train else { return };
        let diversity = diversity(&made, real);
        let reason = if diversity.is_some() { "" } else { "the training images do not differ" };
        self.record(Phase::Case, "generated_diversity", diversity, "scorer", reason);
        if let Some(diversity) = diversity.filter(|diversity| *diversity < COLLAPSED_BELOW) {
            self.outcome.remark(&format!(
                "the generator has collapsed: two of its images differ {diversity:.3} times as much as two training images, \
                 below {COLLAPSED_BELOW}"
            ));
        }
        match sheet(&made.pixels, [made.channels, made.height, made.width]) {
            Ok(png) => self.outcome.sheet = png,
            Err(reason) => self.outcome.remark(&format!("there is no sheet of the generated images: {reason}")),
        }
    }
}

/// The mean distance of two of the images made, over that of two of the first training images. `None` if these are all alike.
fn diversity(made: &Images, real: &Images) -> Option<f64> {
    let [made, real] = [made, real].map(mean_distance);
    (real > 0.0).then(|| made / real)
}

/// The mean Euclidean distance of all pairs of the first [`COUNT`] images, in units of a pixel's full range. 0 for fewer than two.
fn mean_distance(images: &Images) -> f64 {
    let count = images.len().min(COUNT);
    let distance = |one: usize, other: usize| {
        let pixels = images.image(one).iter().zip(images.image(other));
        pixels.map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>().sqrt() / 255.0
    };
    let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
    let sum: f64 = pairs.map(|(one, other)| distance(one, other)).sum();
    let number = count * count.saturating_sub(1) / 2;
    if number == 0 { 0.0 } else { sum / number as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(pixels: Vec<u8>) -> Images {
        Images { channels: 1, height: 1, width: 2, pixels }
    }

    #[test]
    fn diversity_is_the_ratio_of_the_mean_distances_of_two_images() {
        // The distances are 5, 10 and 5 in the first, and twice that in the second.
        let (near, far) = (images(vec![0, 0, 3, 4, 6, 8]), images(vec![0, 0, 6, 8, 12, 16]));
        assert!((mean_distance(&near) - 20.0 / 3.0 / 255.0).abs() < 1e-12);
        assert_eq!(diversity(&near, &far), Some(0.5));
        assert_eq!(diversity(&images(vec![9; 8]), &far), Some(0.0), "equal images are a collapse");
    }

    #[test]
    fn training_images_that_are_all_alike_say_nothing() {
        assert_eq!(diversity(&images(vec![0, 0, 3, 4]), &images(vec![7; 8])), None);
        assert_eq!(diversity(&images(vec![0, 0, 3, 4]), &images(vec![7; 2])), None, "one image has no pair");
    }

    #[test]
    fn no_more_than_the_first_images_are_compared() {
        let mut pixels = vec![5; 2 * COUNT];
        pixels.extend([200, 200]);
        assert_eq!(mean_distance(&images(pixels)), 0.0);
    }
}
