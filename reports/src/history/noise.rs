//! What is known of a series between its change points: levels and noise.

use std::ops::Range;

use crate::statistics::{Huber, Prediction, autocorrelation, huber};

/// The noise of a series is taken for at least this share of its level. Numbers that never changed are no proof that they cannot.
const LEAST_NOISE: f64 = 0.001;

/// The least autocorrelation that is assumed. A few nights show none even where there is some.
const LEAST_AUTOCORRELATION: f64 = 0.2;

/// From how many deviations on a number counts as if it were only so far away when neighbours are compared. An outlier would hide
/// that the others resemble each other.
const CLIP: f64 = 3.0;

/// What the logarithms of a series say of its noise, around one level for each of `segments`, which follow one another. The level is
/// that of the last segment, and the noise that of all. `None` without a segment, or if one is empty.
pub(super) fn noise(logs: &[f64], segments: &[Range<usize>]) -> Option<Prediction> {
    let mut deviations = Vec::with_capacity(logs.len());
    let (mut level, mut of_level) = (0.0, 0);
    for segment in segments {
        let numbers = &logs[segment.clone()];
        level = huber(numbers)?.level;
        of_level = numbers.len();
        deviations.extend(numbers.iter().map(|number| number - level));
    }
    let Huber { deviation, .. } = huber(&deviations)?;
    let deviation = deviation.max(LEAST_NOISE);
    let reach = CLIP * deviation;
    let clipped: Vec<f64> = deviations.iter().map(|one| one.clamp(-reach, reach)).collect();
    let resemblance = autocorrelation(&clipped, segments.len()).max(LEAST_AUTOCORRELATION);
    Some(Prediction::new(level, deviation, of_level, deviations.len(), segments.len(), resemblance))
}
