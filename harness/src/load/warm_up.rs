//! When the predictions before the timed ones have settled.

use bakeoff_reports::quantile;

/// How many readings a median is of.
const BLOCK: usize = 20;
/// Two medians differ by no more than this share of the earlier one when the predictions have settled. Georges, Buytaert and Eeckhout
/// 2007 ("Statistically rigorous Java performance evaluation", section 4.2) take 0.01 or 0.02 for the coefficient of variation of the
/// last readings. A median in its place, because single predictions have outliers.
const TOLERANCE: f64 = 0.02;
/// The most readings and about the most seconds of a warm-up, our own choice.
const MOST_READINGS: usize = 10 * BLOCK;
const MOST_S: f64 = 2.0;

/// The warm-up of a model. It is over when the median of the last 20 readings is within 2 % of that of the 20 before, or after 200
/// readings, or after the first 20 that end later than 2 seconds.
#[derive(Debug, Clone, Default)]
pub struct WarmUp {
    readings_s: Vec<f64>,
}

impl WarmUp {
    /// Takes a reading in seconds.
    pub fn push(&mut self, seconds: f64) {
        self.readings_s.push(seconds);
    }

    /// Whether no more readings are needed.
    pub fn is_over(&self) -> bool {
        let readings = self.readings_s.len();
        let is_block = readings > 0 && readings.is_multiple_of(BLOCK);
        is_block && (self.has_settled() || readings >= MOST_READINGS || self.readings_s.iter().sum::<f64>() >= MOST_S)
    }

    /// Whether the medians of the last two blocks are alike.
    pub fn has_settled(&self) -> bool {
        let mut blocks = self.readings_s.rchunks_exact(BLOCK).map(median);
        let (Some(last), Some(before)) = (blocks.next(), blocks.next()) else { return false };
        (last - before).abs() <= TOLERANCE * before
    }

    /// The readings in seconds, in their order.
    pub fn readings_s(&self) -> &[f64] {
        &self.readings_s
    }
}

fn median(readings: &[f64]) -> f64 {
    let mut sorted = readings.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many readings a warm-up takes, and whether it has settled.
    fn readings(of: impl Fn(usize) -> f64) -> (usize, bool) {
        let mut warm_up = WarmUp::default();
        while !warm_up.is_over() {
            warm_up.push(of(warm_up.readings_s().len()));
        }
        (warm_up.readings_s().len(), warm_up.has_settled())
    }

    #[test]
    fn a_steady_model_is_warm_after_two_blocks_whatever_its_outliers() {
        assert_eq!(readings(|_| 1e-3), (40, true));
        assert_eq!(readings(|at| if at % 7 == 0 { 1.0e-2 } else { 1e-3 }), (40, true));
    }

    #[test]
    fn a_model_that_becomes_faster_is_warm_when_its_median_stands() {
        assert_eq!(readings(|at| if at < 30 { 5e-3 } else { 1e-3 }), (80, true));
        assert_eq!(readings(|at| 1e-3 + 1e-2 * 0.5_f64.powf(at as f64 / 10.0)), (120, true));
    }

    #[test]
    fn a_model_that_never_settles_or_is_slow_ends_its_warm_up_all_the_same() {
        assert_eq!(readings(|at| 1e-3 * 1.01_f64.powi(at as i32)), (200, false));
        assert_eq!(readings(|_| 0.2), (20, false));
        assert_eq!(readings(|at| 0.04 / (at + 1) as f64), (200, false));
    }
}
