//! How far neighbouring numbers of a series resemble each other, and what that does to the error of their mean.

/// The largest correlation that is taken for true. A series that resembles itself more wanders, and a mean says little about it.
const LARGEST: f64 = 0.9;

/// The correlation of each deviation with the next one, between 0 and 0.9: `(n r + k) / (n - k - 3)`, where `r` is the plain estimate
/// of `n` deviations from `k` estimated levels.
///
/// The plain estimate is too low, because a level follows its own numbers. For one level its expectation is `ρ - (1 + 4 ρ) / n`
/// (Marriott and Pope 1954, "Bias in the estimation of autocorrelations"; Kendall 1954). Each estimated level costs `(1 + ρ) / n`.
/// A negative correlation counts as none, because it would make a mean look better known than it is by independent numbers.
pub fn autocorrelation(deviations: &[f64], levels: usize) -> f64 {
    let n = deviations.len() as f64;
    let lost = levels as f64;
    let total: f64 = deviations.iter().map(|deviation| deviation * deviation).sum();
    if total <= 0.0 || n <= lost + 3.0 {
        return 0.0;
    }
    let neighbours: f64 = deviations.windows(2).map(|pair| pair[0] * pair[1]).sum();
    ((n * neighbours / total + lost) / (n - lost - 3.0)).clamp(0.0, LARGEST)
}

/// The variance of the mean of `count` neighbouring numbers, where that of one number is 1 and neighbours correlate as in a process of
/// the first order: `(1 + 2 Σ (1 - j / n) ρ^j) / n` (Bayley and Hammersley 1946, "The 'effective' number of independent observations in
/// an autocorrelated time series", equation 1).
pub fn variance_of_mean(count: usize, autocorrelation: f64) -> f64 {
    let n = count as f64;
    // Σ over j from 1 to n - 1, in closed form.
    let rho = autocorrelation;
    let sum = rho / (1.0 - rho) - rho * (1.0 - rho.powf(n)) / (n * (1.0 - rho).powi(2));
    (1.0 + 2.0 * sum) / n
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn alternating_numbers_and_equal_numbers_have_none() {
        assert_eq!(autocorrelation(&[1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0], 1), 0.0);
        assert_eq!(autocorrelation(&[0.0; 12], 1), 0.0);
        assert_eq!(autocorrelation(&[], 1), 0.0);
        assert_eq!(autocorrelation(&[1.0, 1.0, -1.0, -1.0], 1), 0.0, "too few to say");
    }

    #[test]
    fn numbers_that_stay_on_one_side_for_long_have_the_largest() {
        let halves: Vec<f64> = [vec![-1.0; 30], vec![1.0; 30]].concat();
        assert_eq!(autocorrelation(&halves, 1), 0.9);
    }

    #[test]
    fn the_plain_estimate_is_raised_by_what_the_estimated_level_takes_from_it() {
        let deviations = [1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0];
        // Four of the nine pairs agree and five do not.
        let plain = -1.0 / 10.0;
        assert!((autocorrelation(&deviations, 1) - ((10.0 * plain + 1.0) / 6.0_f64).max(0.0)).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn the_closed_form_is_the_sum(count in 1_usize..60, rho in 0.0..0.9_f64) {
            let n = count as f64;
            let sum: f64 = (1..count).map(|lag| (1.0 - lag as f64 / n) * rho.powi(lag as i32)).sum();
            prop_assert!((variance_of_mean(count, rho) - (1.0 + 2.0 * sum) / n).abs() < 1e-12);
        }

        #[test]
        fn neither_scale_nor_mirror_nor_direction_of_time_matters(
            deviations in proptest::collection::vec(-5.0..5.0_f64, 6..40),
            factor in 0.1..10.0_f64,
        ) {
            let found = autocorrelation(&deviations, 1);
            let scaled: Vec<f64> = deviations.iter().map(|deviation| -factor * deviation).collect();
            let reversed: Vec<f64> = deviations.iter().rev().copied().collect();
            prop_assert!((autocorrelation(&scaled, 1) - found).abs() < 1e-9);
            prop_assert!((autocorrelation(&reversed, 1) - found).abs() < 1e-9);
        }
    }
}
