//! The learning rate over a fit: linear warm-up, then half a cosine to zero (Loshchilov and Hutter 2016).

/// A learning rate for each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Schedule {
    /// The highest rate, reached when the warm-up ends.
    pub(crate) peak: f64,
    /// Steps of warm-up.
    pub(crate) warmup: usize,
    /// All steps, warm-up included.
    pub(crate) steps: usize,
}

impl Schedule {
    /// A schedule over `steps` steps, of which the share `warmup` are warm-up.
    pub(crate) fn new(peak: f64, warmup: f64, steps: usize) -> Schedule {
        Schedule { peak, warmup: (warmup * steps as f64).round() as usize, steps }
    }

    /// The rate of step `step`, counted from 0.
    pub(crate) fn rate(&self, step: usize) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        let done = (step - self.warmup) as f64 / (self.steps - self.warmup).max(1) as f64;
        self.peak * 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_to_its_peak_and_falls_to_nearly_zero() {
        let schedule = Schedule { peak: 0.1, warmup: 10, steps: 110 };
        assert!((schedule.rate(0) - 0.01).abs() < 1e-12);
        assert!((schedule.rate(9) - 0.1).abs() < 1e-12);
        assert!((schedule.rate(10) - 0.1).abs() < 1e-12);
        assert!((schedule.rate(60) - 0.05).abs() < 1e-12);
        assert!(schedule.rate(109) > 0.0 && schedule.rate(109) < 1e-4);
    }

    #[test]
    fn a_fit_without_warm_up_starts_at_the_peak() {
        let schedule = Schedule { peak: 0.1, warmup: 0, steps: 1 };
        assert!((schedule.rate(0) - 0.1).abs() < 1e-12);
    }
}
