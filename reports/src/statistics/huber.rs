//! A level and a deviation that few outliers move little.

use super::{normal, quantile};

/// From how many deviations on a number counts as if it were only so far away.
const CLIP: f64 = 1.5;

/// Steps until the level and the deviation stand still; the two change less by the step.
const MOST_STEPS: usize = 200;

/// What is left of a step when the search ends, in deviations.
const TOLERANCE: f64 = 1e-10;

/// The location and the scale of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Huber {
    /// The location: for numbers without outliers nearly their mean.
    pub level: f64,
    /// The scale: for normal numbers without outliers, their standard deviation.
    pub deviation: f64,
}

/// Huber's proposal 2, with numbers clipped at 1.5 deviations: the level and the deviation for which the clipped deviations have
/// the mean 0 and the mean square that normal numbers would have. Huber 1981, "Robust Statistics", section 6.4; as statsmodels'
/// `robust.scale.Huber(c=1.5)`. If more than half of the numbers are equal, they are the level and the deviation is 0. `None`
/// without a number.
pub fn huber(values: &[f64]) -> Option<Huber> {
    if values.is_empty() {
        return None;
    }
    let median = median(values);
    let distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    let mut found = Huber { level: median, deviation: self::median(&distances) / normal::quantile(0.75) };
    if values.len() < 2 || found.deviation <= 1e-12 * median.abs() {
        return Some(Huber { level: median, deviation: 0.0 });
    }
    // The mean square of a standard normal number that is clipped.
    let inside = 2.0 * normal::cdf(CLIP) - 1.0;
    let expected = inside + CLIP * CLIP * (1.0 - inside) - 2.0 * CLIP * normal::density(CLIP);
    for _ in 0..MOST_STEPS {
        let Huber { level, deviation } = found;
        let reach = CLIP * deviation;
        let (mut sum, mut squares, mut within) = (0.0, 0.0, 0_usize);
        for value in values {
            let distance = value - level;
            sum += distance.clamp(-reach, reach);
            squares += distance.clamp(-reach, reach).powi(2);
            within += usize::from(distance.abs() <= reach);
        }
        let next = Huber {
            level: level + sum / within.max(1) as f64,
            deviation: (squares / ((values.len() - 1) as f64 * expected)).sqrt(),
        };
        found = next;
        let moved = (next.level - level).abs().max((next.deviation - deviation).abs());
        if moved <= TOLERANCE * deviation {
            break;
        }
    }
    Some(found)
}

/// The middle of at least one number.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}
