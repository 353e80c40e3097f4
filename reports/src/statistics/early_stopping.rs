//! Early stopping of MLPerf Inference: how many queries are enough to say that a percentile of latency is at most so long.
//!
//! Source: the MLPerf Inference rules, appendix "Early stopping criterion", and LoadGen's `early_stopping.cc`. There, `h(t)` is the
//! smallest number of queries under a latency that shows, with `t` queries over it, that the latency is at least the percentile:
//! `I_p(h, t + 1) < 1 - c`. `I` is the regularised incomplete beta function, `p` the percentile as a share and `c` the confidence, 0.99.
//! `I_p(n - t, t + 1)` is the probability that at most `t` of `n` queries are over the true percentile, a binomial sum. It is
//! computed as that sum, because the continued fraction of the function needs about as many terms as the root of `n`, and statrs
//! stops at 140.

/// The confidence that MLPerf asks for.
const CONFIDENCE: f64 = 0.99;

/// A term of the binomial sum that is smaller than this share of the largest one changes no digit of the sum.
const NEGLIGIBLE: f64 = 1e-20;

/// An upper bound of a percentile of latency, at confidence 0.99.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PercentileBound {
    /// The queries are enough.
    Valid {
        /// The bound: one of the latencies.
        bound: f64,
        /// How many latencies are higher, by their place in the order.
        discarded: usize,
    },
    /// The queries are too few for a bound.
    TooFew {
        /// How many more are needed at least.
        missing: usize,
    },
}

/// The bound of the percentile `share` by latencies in ascending order: `sorted[n - t]` for the largest `t` with `n ≥ h(t) + t`. `t` is
/// at least 1, so a bound needs `h(1) + 1` latencies.
pub fn percentile_bound(sorted: &[f64], share: f64) -> PercentileBound {
    match most_over(sorted.len(), share) {
        Some(over @ 1..) => PercentileBound::Valid { bound: sorted[sorted.len() - over], discarded: over - 1 },
        _ => PercentileBound::TooFew { missing: queries_needed(1, share) - sorted.len() },
    }
}

/// The largest number of `queries` that may be over a latency if they are to show that the latency is at least the percentile `share`:
/// the largest `t` with `queries ≥ h(t) + t`. `None` if the queries are too few even if none is over it.
///
/// # Panics
/// If `share` is not between 0 and 1.
pub fn most_over(queries: usize, share: f64) -> Option<usize> {
    assert!(0.0 < share && share < 1.0, "a percentile is a share between 0 and 1, not {share}");
    let odds = (1.0 - share) / share;
    let most_likely = ((queries + 1) as f64 * (1.0 - share)).floor().min(queries as f64) as usize;
    // The probability of each number over the percentile, relative to that of the most likely number, downwards from there.
    let mut below = vec![1.0];
    let mut over = most_likely;
    let mut term = 1.0;
    while over > 0 && term > NEGLIGIBLE {
        term *= over as f64 / (odds * (queries - over + 1) as f64);
        below.push(term);
        over -= 1;
    }
    let lowest = over;
    let mut total: f64 = below.iter().sum();
    (over, term) = (most_likely, 1.0);
    while over < queries && term > NEGLIGIBLE {
        term *= odds * (queries - over) as f64 / (over + 1) as f64;
        total += term;
        over += 1;
    }
    let mut sum = 0.0;
    let reaches = |term: &f64| {
        sum += term;
        sum >= (1.0 - CONFIDENCE) * total
    };
    let too_many = lowest + below.iter().rev().position(reaches).unwrap_or(below.len());
    too_many.checked_sub(1)
}

/// How many queries are needed if `over` of them are over a latency: `h(over) + over`.
///
/// # Panics
/// If `share` is not between 0 and 1.
pub fn queries_needed(over: usize, share: f64) -> usize {
    let is_enough = |queries: usize| most_over(queries, share).is_some_and(|most| most >= over);
    let (mut too_few, mut enough) = (over, over + 1);
    while !is_enough(enough) {
        (too_few, enough) = (enough, 2 * enough);
    }
    while enough - too_few > 1 {
        let middle = too_few.midpoint(enough);
        if is_enough(middle) { enough = middle } else { too_few = middle }
    }
    enough
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[test]
    fn the_queries_needed_are_those_of_mlperf() {
        let table = [
            (0.9, [44, 64, 81, 197]),
            (0.95, [90, 130, 165, 398]),
            (0.99, [459, 662, 838, 2_010]),
            (0.999, [4_603, 6_636, 8_403, 20_140]),
        ];
        for (share, needed) in table {
            assert_eq!([0, 1, 2, 10].map(|over| queries_needed(over, share)), needed, "{share}");
        }
        // 77 of 10,000 queries may be over the 99th percentile, as of 9,989.
        assert_eq!(
            (most_over(10_000, 0.99), most_over(9_989, 0.99), most_over(9_988, 0.99)),
            (Some(77), Some(77), Some(76))
        );
    }

    #[derive(Deserialize)]
    struct Fixture {
        needed: Vec<Needed>,
        most: Vec<Most>,
    }

    #[derive(Deserialize)]
    struct Needed {
        share: f64,
        over: usize,
        queries: usize,
    }

    #[derive(Deserialize)]
    struct Most {
        share: f64,
        queries: usize,
        over: Option<usize>,
    }

    #[test]
    fn counts_agree_with_scipys_incomplete_beta_function_beyond_1024_over_and_up_to_a_million_queries() {
        let text = include_str!("../../tests/fixtures/early_stopping.json");
        let fixture: Fixture = serde_json::from_str(text).expect("a fixture");
        assert!(
            fixture.needed.iter().any(|row| row.over > 1024) && fixture.most.iter().any(|row| row.queries == 1_000_000)
        );
        for Needed { share, over, queries } in fixture.needed {
            assert_eq!(queries_needed(over, share), queries, "{over} over {share}");
        }
        for Most { share, queries, over } in fixture.most {
            assert_eq!(most_over(queries, share), over, "{queries} queries, {share}");
        }
    }

    #[test]
    fn the_bound_of_ten_thousand_latencies_discards_the_76_highest() {
        let sorted: Vec<f64> = (0..10_000).map(f64::from).collect();
        let expected = PercentileBound::Valid { bound: 9_923.0, discarded: 76 };
        assert_eq!(percentile_bound(&sorted, 0.99), expected);
    }

    #[test]
    fn too_few_latencies_have_no_bound_and_say_how_many_are_missing() {
        let sorted: Vec<f64> = (0..662).map(f64::from).collect();
        assert_eq!(percentile_bound(&[], 0.9), PercentileBound::TooFew { missing: 64 });
        assert_eq!(percentile_bound(&sorted[..200], 0.99), PercentileBound::TooFew { missing: 462 });
        assert_eq!(percentile_bound(&sorted[..661], 0.99), PercentileBound::TooFew { missing: 1 });
        assert_eq!(percentile_bound(&sorted, 0.99), PercentileBound::Valid { bound: 661.0, discarded: 0 });
    }

    proptest! {
        #[test]
        fn as_many_as_needed_are_enough_and_one_fewer_is_not(over in 0_usize..3000, share in 0.01..0.9995) {
            let needed = queries_needed(over, share);
            prop_assert!(most_over(needed, share) >= Some(over));
            prop_assert!(most_over(needed - 1, share) < Some(over));
        }
    }
}
