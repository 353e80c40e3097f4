//! The learning rate over a fit: linear warm-up, then a fall to zero.

/// How the learning rate falls after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fall {
    /// Along half a cosine (Loshchilov and Hutter 2016).
    Cosine,
    /// Along a line (Devlin et al. 2018).
    Linear,
}

/// A learning rate for each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Schedule {
    /// The highest rate, reached when the warm-up ends.
    pub(crate) peak: f64,
    /// How it falls from there.
    pub(crate) fall: Fall,
    /// Steps of warm-up.
    pub(crate) warmup: usize,
    /// All steps, warm-up included.
    pub(crate) steps: usize,
}

impl Schedule {
    /// A schedule over `steps` steps, of which the share `warmup` are warm-up.
    pub(crate) fn new(peak: f64, fall: Fall, warmup: f64, steps: usize) -> Schedule {
        Schedule { peak, fall, warmup: (warmup * steps as f64).round() as usize, steps }
    }

    /// The rate of step `step`, counted from 0.
    pub(crate) fn rate(&self, step: usize) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        let done = (step - self.warmup) as f64 / (self.steps - self.warmup).max(1) as f64;
        let left = match self.fall {
            Fall::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos()),
            Fall::Linear => 1.0 - done.min(1.0),
        };
        self.peak * left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_to_its_peak_and_falls_to_nearly_zero() {
        for (fall, quarter, last) in [(Fall::Cosine, 0.085_355_339, 1e-4), (Fall::Linear, 0.075, 0.002)] {
            let schedule = Schedule { peak: 0.1, fall, warmup: 10, steps: 110 };
            assert!((schedule.rate(0) - 0.01).abs() < 1e-12);
            assert!((schedule.rate(9) - 0.1).abs() < 1e-12);
            assert!((schedule.rate(10) - 0.1).abs() < 1e-12);
            assert!((schedule.rate(35) - quarter).abs() < 1e-8);
            assert!((schedule.rate(60) - 0.05).abs() < 1e-12);
            assert!(schedule.rate(109) > 0.0 && schedule.rate(109) < last);
        }
    }

    #[test]
    fn a_fit_without_warm_up_starts_at_the_peak() {
        let schedule = Schedule { peak: 0.1, fall: Fall::Cosine, warmup: 0, steps: 1 };
        assert!((schedule.rate(0) - 0.1).abs() < 1e-12);
    }
}
