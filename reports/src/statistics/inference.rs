//! A number with what is known of its error.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::Interval;

/// A number whose error follows Student's t distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inference {
    /// The number: a mean score or a difference.
    pub value: f64,
    /// Its standard error, above 0.
    pub error: f64,
    /// The degrees of freedom of the error, above 0; infinite if the error is known as well as can be.
    pub df: f64,
}

impl Inference {
    /// `None` unless the error is a positive number. Values that do not vary at all say nothing about their error: a few of them
    /// can agree by chance, which would make everything certain.
    pub fn new(value: f64, error: f64, df: f64) -> Option<Inference> {
        let is_sound = value.is_finite() && error.is_finite() && error > 1e-12 * value.abs() && error > 0.0 && df > 0.0;
        is_sound.then_some(Inference { value, error, df })
    }

    /// The 95 % interval.
    pub fn interval(&self) -> Interval {
        let half = t_quantile(0.975, self.df) * self.error;
        Interval { low: self.value - half, high: self.value + half }
    }

    /// The two-sided p of "the true number is `hypothesis`".
    pub fn p(&self, hypothesis: f64) -> f64 {
        2.0 * student(self.df).sf(((self.value - hypothesis) / self.error).abs())
    }
}

/// The quantile of Student's t distribution at `q`.
pub(super) fn t_quantile(q: f64, df: f64) -> f64 {
    student(df).inverse_cdf(q)
}

/// Student's t distribution.
pub(super) fn student(df: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, df).expect("degrees of freedom are above 0")
}
