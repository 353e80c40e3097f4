//! Where the next numbers of a series will be, if nothing changes.

use super::student;
use super::{Interval, autocorrelation::variance_of_mean};

/// What is known of the normal noise of a series, and of its level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// The level.
    pub level: f64,
    /// The standard deviation of one number around the level, corrected for what the estimated levels took from it.
    pub deviation: f64,
    /// How many numbers the level is made of.
    pub of_level: usize,
    /// The degrees of freedom of the deviation.
    pub degrees: f64,
    /// The correlation of neighbouring numbers.
    pub autocorrelation: f64,
}

impl Prediction {
    /// From a deviation that was computed as if numbers were independent: `deviation` of `n` numbers around `levels` estimated levels,
    /// `level` being the mean of the last `of_level` numbers.
    ///
    /// Numbers that resemble their neighbours are spread less around their own mean than around the true one, and count as fewer:
    /// the variance is divided by `(1 - V) n / (n - 1)`, where `V` is the variance of a level, and has `n (1 - ρ²) / (1 + ρ²) - k` degrees of
    /// freedom (Bayley and Hammersley 1946; Zięba and Ramza 2011, "Standard deviation of the mean of autocorrelated observations").
    /// There is at least one.
    pub fn new(
        level: f64,
        deviation: f64,
        of_level: usize,
        n: usize,
        levels: usize,
        autocorrelation: f64,
    ) -> Prediction {
        let (count, lost, rho) = (n as f64, levels as f64, autocorrelation);
        let each = (n / levels.max(1)).max(2);
        let kept = (1.0 - variance_of_mean(each, rho)) * count / (count - 1.0).max(1.0);
        let effective = count * (1.0 - rho * rho) / (1.0 + rho * rho);
        Prediction {
            level,
            deviation: deviation / kept.clamp(0.1, 1.0).sqrt(),
            of_level,
            degrees: (effective - lost).max(1.0),
            autocorrelation,
        }
    }

    /// The same noise around another level, which is the mean of `of_level` numbers.
    pub(crate) fn with_level_of(self, level: f64, of_level: usize) -> Prediction {
        Prediction { level, of_level, ..self }
    }

    /// The standard error of the difference between the mean of the next `count` numbers and the level.
    fn error(&self, count: usize) -> f64 {
        let variance =
            variance_of_mean(count, self.autocorrelation) + variance_of_mean(self.of_level, self.autocorrelation);
        self.deviation * variance.sqrt()
    }

    /// The two-sided p of "the next `count` numbers come from the same distribution", where their mean is at least `distance` from the level.
    /// Student's t (Hahn and Meeker 1991, "Statistical Intervals", section 4.8, which the autocorrelation widens).
    pub fn p(&self, distance: f64, count: usize) -> f64 {
        let error = self.error(count);
        if error <= 0.0 {
            return if distance == 0.0 { 1.0 } else { 0.0 };
        }
        (2.0 * student::cdf(-distance.abs() / error, self.degrees)).min(1.0)
    }

    /// The interval that holds the next number with `probability`.
    pub fn interval(&self, probability: f64) -> Interval {
        let half = student::upper_quantile(f64::midpoint(1.0, probability), self.degrees) * self.error(1);
        Interval { low: self.level - half, high: self.level + half }
    }
}
