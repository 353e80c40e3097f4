//! When queries arrive: a Poisson process of a declared rate, with the same times on every machine.

use std::time::Duration;

/// The times of a Poisson process, without an end. The gaps between two arrivals are independent and exponentially distributed.
///
/// The times are the same on every machine: the generator is SplitMix64 (Steele, Lea and Flood 2014), which has whole numbers only; the
/// logarithm is that of the crate libm, which is written in Rust; and sums are in 64 bits. C++'s `std::exponential_distribution`, which
/// LoadGen uses, differs by the standard library. All rates have the same gaps, in units of their mean. So a queue that holds a rate
/// holds every lower one, if its services take the same times.
#[derive(Debug, Clone)]
pub struct Arrivals {
    state: u64,
    rate_per_s: f64,
    /// The time of the last arrival, in units of the mean gap.
    reached: f64,
}

impl Arrivals {
    /// The arrivals of this seed at `rate_per_s`, a number above 0.
    pub fn new(seed: u64, rate_per_s: f64) -> Arrivals {
        Arrivals { state: seed, rate_per_s, reached: 0.0 }
    }

    fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next gap in units of the mean gap: `-ln(u)` of a `u` in (0, 1].
    fn gap(&mut self) -> f64 {
        let u = ((self.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        -libm::log(u)
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.reached += self.gap();
        Some(Duration::from_nanos((self.reached / self.rate_per_s * 1e9).round() as u64))
    }
}

/// The first `count` arrivals of this seed at `rate_per_s`.
pub fn arrivals(seed: u64, rate_per_s: f64, count: usize) -> Vec<Duration> {
    Arrivals::new(seed, rate_per_s).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: [u64; 6] = [0, 1, 2, 3, 2026, u64::MAX];

    #[test]
    fn the_first_arrivals_of_two_seeds_are_these_nanoseconds() {
        let first = |seed: u64| -> Vec<u128> { arrivals(seed, 1000.0, 6).iter().map(Duration::as_nanos).collect() };
        assert_eq!(first(1), [568_170, 861_492, 890_918, 1_702_040, 2_513_374, 2_784_010]);
        assert_eq!(first(2026), [153_321, 904_887, 1_309_335, 2_264_433, 2_498_126, 2_817_775]);
        assert_eq!(arrivals(1, 1000.0, 100_000).last(), Some(&Duration::from_nanos(99_643_692_518)));
    }

    /// The largest distance between the distribution of the gaps and the exponential one.
    fn kolmogorov_smirnov(gaps: &mut [f64]) -> f64 {
        gaps.sort_by(f64::total_cmp);
        let n = gaps.len() as f64;
        let distance = |(at, gap): (usize, &f64)| {
            let expected = -(-gap).exp_m1();
            (expected - at as f64 / n).abs().max(((at + 1) as f64 / n - expected).abs())
        };
        gaps.iter().enumerate().map(distance).fold(0.0, f64::max)
    }

    #[test]
    fn gaps_are_exponential_by_the_test_of_kolmogorov_and_smirnov() {
        for seed in SEEDS {
            let mut arrivals = Arrivals::new(seed, 1.0);
            let mut gaps: Vec<f64> = (0..100_000).map(|_| arrivals.gap()).collect();
            let statistic = kolmogorov_smirnov(&mut gaps) * (gaps.len() as f64).sqrt();
            // The critical value at 1 % of the limiting distribution.
            assert!(statistic < 1.628, "seed {seed}: {statistic}");
        }
    }

    #[test]
    fn gaps_that_are_not_exponential_fail_that_test() {
        let mut arrivals = Arrivals::new(1, 1.0);
        let mut gaps: Vec<f64> = (0..100_000).map(|_| arrivals.gap().powf(1.02)).collect();
        assert!(kolmogorov_smirnov(&mut gaps) * (gaps.len() as f64).sqrt() > 1.628);
    }

    #[test]
    fn a_gap_says_nothing_about_the_next_one() {
        for seed in SEEDS {
            let mut arrivals = Arrivals::new(seed, 1.0);
            let gaps: Vec<f64> = (0..100_000).map(|_| arrivals.gap() - 1.0).collect();
            let product: f64 = gaps.windows(2).map(|pair| pair[0] * pair[1]).sum();
            let squares: f64 = gaps.iter().map(|gap| gap * gap).sum();
            let correlation = product / squares;
            assert!(correlation.abs() < 3.0 / (gaps.len() as f64).sqrt(), "seed {seed}: {correlation}");
        }
    }

    #[test]
    fn a_higher_rate_has_the_same_arrivals_sooner() {
        let (slow, fast) = (arrivals(7, 100.0, 1000), arrivals(7, 400.0, 1000));
        for (slow, fast) in slow.iter().zip(&fast) {
            assert!(slow.as_nanos().abs_diff(4 * fast.as_nanos()) <= 4, "{slow:?} {fast:?}");
        }
        assert!(slow.windows(2).all(|pair| pair[0] <= pair[1]));
    }
}
