//! The scale in which models learn numbers: standard deviations from the mean of the training targets.

/// The mean and the standard deviation of the training targets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TargetScale {
    pub(crate) mean: f64,
    /// The standard deviation, or one if all targets are equal.
    pub(crate) deviation: f64,
}

impl TargetScale {
    /// The scale of these targets.
    pub(crate) fn fit(targets: &[f32]) -> TargetScale {
        let count = targets.len().max(1) as f64;
        let mean = targets.iter().map(|&target| f64::from(target)).sum::<f64>() / count;
        let variance = targets.iter().map(|&target| (f64::from(target) - mean).powi(2)).sum::<f64>() / count;
        TargetScale { mean, deviation: if variance > 0.0 { variance.sqrt() } else { 1.0 } }
    }
}

#[cfg(test)]
mod tests {
    use super::TargetScale;

    #[test]
    fn targets_that_are_all_the_same_have_a_deviation_of_one() {
        assert_eq!(TargetScale::fit(&[10.0, 30.0]), TargetScale { mean: 20.0, deviation: 10.0 });
        assert_eq!(TargetScale::fit(&[7.0; 3]), TargetScale { mean: 7.0, deviation: 1.0 });
        assert_eq!(TargetScale::fit(&[]), TargetScale { mean: 0.0, deviation: 1.0 });
    }
}
