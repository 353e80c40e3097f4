//! A number with what is known of its error.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::Interval;
use super::root::root;

/// A number whose error follows Student's t distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inference {
    /// The number: a mean score or a difference.
    pub value: f64,
    /// Its standard error, above 0.
    pub error: f64,
    /// The degrees of freedom of the error, above 0; infinite if the error is known as well as can be.
    pub df: f64,
    /// The independent estimates whose sum is the variance, each with its degrees of freedom. The second is 0 if there is one.
    pub(crate) parts: [(f64, f64); 2],
}

impl Inference {
    /// `None` unless the error is a positive number. Values that do not vary at all say nothing about their error: a few of them
    /// can agree by chance, which would make everything certain.
    pub fn new(value: f64, error: f64, df: f64) -> Option<Inference> {
        let is_sound = value.is_finite() && error.is_finite() && error > 1e-12 * value.abs() && error > 0.0 && df > 0.0;
        is_sound.then_some(Inference { value, error, df, parts: [(error.powi(2), df), (0.0, df)] })
    }

    /// The 95 % interval.
    pub fn interval(&self) -> Interval {
        let half = t_quantile(0.975, self.df) * self.error;
        Interval { low: self.value - half, high: self.value + half }
    }

    /// The difference of two independent numbers. `None` if neither has an error.
    pub fn less(&self, other: &Inference) -> Option<Inference> {
        let parts = [(self.error.powi(2), self.df), (other.error.powi(2), other.df)];
        Inference::of_parts(self.value - other.value, parts)
    }

    /// A number whose variance is the sum of two independent estimates, each with its degrees of freedom. `None` if both are 0.
    ///
    /// The quantile of its interval is the mean of the quantiles of both parts, weighted by the parts, which is the approximation of
    /// Cochran and Cox 1957, "Experimental Designs", section 4.14. The degrees of freedom are those of the t distribution with this
    /// quantile.
    pub(super) fn of_parts(value: f64, [(one, of_one), (other, of_other)]: [(f64, f64); 2]) -> Option<Inference> {
        let variance = one + other;
        if variance <= 0.0 {
            return None;
        }
        let quantile = (t_quantile(0.975, of_one) * one + t_quantile(0.975, of_other) * other) / variance;
        let df = df_of(quantile, of_one.min(of_other), of_one.max(of_other));
        let parts = [(one, of_one), (other, of_other)];
        Inference::new(value, variance.sqrt(), df).map(|found| Inference { parts, ..found })
    }

    /// The two-sided p of "the true number is `hypothesis`". If the variance has two parts, it is the level at which the interval that is
    /// made as in `of_parts` ends at the hypothesis, and not that of the t distribution with `df`: that one
    /// agrees at 5 %, and is far too small below, where Holm's method looks, if a part has one or two degrees of freedom.
    pub fn p(&self, hypothesis: f64) -> f64 {
        let distance = ((self.value - hypothesis) / self.error).abs();
        let [(one, of_one), (other, of_other)] = self.parts;
        if one == 0.0 || other == 0.0 {
            return 2.0 * student(if one == 0.0 { of_other } else { of_one }).sf(distance);
        }
        let quantile = |p: f64| {
            let of = |df: f64| -student(df).inverse_cdf(p / 2.0);
            (of(of_one) * one + of(of_other) * other) / (one + other)
        };
        // It lies between the p of the two parts.
        let ends = [of_one, of_other].map(|df| 2.0 * student(df).sf(distance));
        let (least, most) = (ends[0].min(ends[1]).max(1e-15), ends[0].max(ends[1]));
        let above = |log_p: f64| quantile(log_p.exp()).ln() - distance.ln();
        if distance == 0.0 || least >= most || above(least.ln()) <= 0.0 || above(most.ln()) >= 0.0 {
            return if above(most.ln()) >= 0.0 { most } else { least };
        }
        root(above, least.ln(), most.ln()).exp()
    }
}

/// The degrees of freedom between `low` and `high` whose t distribution has this 97.5 % quantile.
fn df_of(quantile: f64, mut low: f64, mut high: f64) -> f64 {
    for _ in 0..60 {
        // The quantile changes about as the inverse of the degrees of freedom does.
        let middle = 2.0 / (1.0 / low + 1.0 / high);
        if student(middle).cdf(quantile) < 0.975 { low = middle } else { high = middle }
    }
    2.0 / (1.0 / low + 1.0 / high)
}

/// The quantile of Student's t distribution at `q`.
fn t_quantile(q: f64, df: f64) -> f64 {
    student(df).inverse_cdf(q)
}

/// Student's t distribution.
fn student(df: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, df).expect("degrees of freedom are above 0")
}
