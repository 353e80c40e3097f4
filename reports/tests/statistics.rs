//! Intervals and tests agree with statsmodels and scipy; see scripts/make-fixtures/statistics.py.
#![expect(clippy::unwrap_used, reason = "tests")]

use bakeoff_reports::{
    Answered, bootstrap, bootstrap_mean, corrected, expected_max, holm, mcnemar_p, metric, quantile, wilson,
};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    wilson: Vec<Wilson>,
    mcnemar: Vec<McNemar>,
    holm: Vec<Holm>,
    bootstrap: Vec<Bootstrap>,
    correlation: Vec<Correlation>,
    folds: Vec<Folds>,
}

#[derive(Deserialize)]
struct Wilson {
    right: f64,
    n: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct McNemar {
    only_first: u64,
    only_second: u64,
    p: f64,
}

#[derive(Deserialize)]
struct Holm {
    p: Vec<f64>,
    adjusted: Vec<f64>,
}

#[derive(Deserialize)]
struct Bootstrap {
    values: Vec<f64>,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct Correlation {
    pairs: Vec<(f64, f64)>,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct Folds {
    scores: Vec<f64>,
    folds: usize,
    low: f64,
    high: f64,
    p: f64,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixtures/statistics.json")).unwrap()
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9
}

#[test]
fn wilson_agrees_with_statsmodels() {
    for Wilson { right, n, low, high } in fixture().wilson {
        let found = wilson(right / n, n).unwrap();
        assert!(near(found.low, low) && near(found.high, high), "{right} of {n}: {found:?}, expected {low} {high}");
    }
}

#[test]
fn mcnemar_agrees_with_statsmodels_even_where_powers_of_a_half_underflow() {
    for McNemar { only_first, only_second, p } in fixture().mcnemar {
        let found = mcnemar_p(only_first, only_second);
        assert!(near(found, p), "{only_first}, {only_second}: {found}, expected {p}");
        assert_eq!(found, mcnemar_p(only_second, only_first));
    }
}

#[test]
fn holm_agrees_with_statsmodels() {
    for Holm { p, adjusted } in fixture().holm {
        let found = holm(&p);
        assert!(found.iter().zip(&adjusted).all(|(a, b)| near(*a, *b)), "{p:?}: {found:?}, expected {adjusted:?}");
    }
}

#[test]
fn the_bootstrap_agrees_with_scipy_up_to_its_own_noise() {
    for Bootstrap { values, low, high } in fixture().bootstrap {
        let found = bootstrap_mean(&values).unwrap();
        // 2,000 resamples place a 2.5 % quantile to about a tenth of the interval's half width.
        let noise = 0.05 * (high - low);
        let agrees = (found.low - low).abs() < noise && (found.high - high).abs() < noise;
        assert!(agrees, "{found:?}, expected {low} {high}");
        assert_eq!(bootstrap_mean(&values), Some(found), "seeded");
    }
}

#[test]
fn the_bootstrap_of_a_correlation_agrees_with_scipy_up_to_its_own_noise() {
    let pearson = metric("pearson").unwrap();
    for Correlation { pairs, low, high } in fixture().correlation {
        let of = |rows: &[usize]| {
            pearson.score_of(Answered::Values(&rows.iter().map(|&row| pairs[row]).collect::<Vec<_>>()))
        };
        let found = bootstrap(pairs.len(), of).unwrap();
        let noise = 0.05 * (high - low);
        let agrees = (found.low - low).abs() < noise && (found.high - high).abs() < noise;
        assert!(agrees, "{found:?}, expected {low} {high}");
    }
}

#[test]
fn the_interval_and_the_test_of_folds_agree_with_scipy() {
    for Folds { scores, folds, low, high, p } in fixture().folds {
        let found = corrected(&scores, 1.0 / (folds as f64 - 1.0)).unwrap();
        let interval = found.interval();
        assert!(
            near(interval.low, low) && near(interval.high, high),
            "{scores:?}: {interval:?}, expected {low} {high}"
        );
        assert!(near(found.p(0.0), p), "{scores:?}: {found:?}, expected {p}");
    }
}

#[test]
fn folds_that_are_all_alike_are_not_taken_for_certain() {
    for alike in [&[0.1; 5][..], &[0.1]] {
        assert_eq!(corrected(alike, 0.25), None, "{alike:?}");
    }
}

#[test]
fn a_statistic_that_is_never_defined_has_no_interval() {
    assert_eq!(bootstrap(40, |_| None), None);
    assert_eq!(bootstrap(1, |_| Some(1.0)), None);
    // Defined on some resamples only: those count.
    let mut call = 0;
    let found = bootstrap(40, |_| {
        call += 1;
        (call % 2 == 0).then_some(3.0)
    });
    assert_eq!(found.map(|interval| (interval.low, interval.high)), Some((3.0, 3.0)));
}

proptest! {
    #[test]
    fn an_interval_holds_its_proportion_and_stays_in_0_to_1(right in 0_u32..=500, more in 0_u32..500) {
        prop_assume!(right + more > 0);
        let n = f64::from(right + more);
        let share = f64::from(right) / n;
        let interval = wilson(share, n).unwrap();
        prop_assert!(0.0 <= interval.low && interval.low <= share + 1e-12);
        prop_assert!(share - 1e-12 <= interval.high && interval.high <= 1.0);
    }

    #[test]
    fn adjusted_p_values_are_never_smaller_and_keep_their_order(p in prop::collection::vec(0.0..=1.0_f64, 1..8)) {
        let adjusted = holm(&p);
        for (i, a) in p.iter().enumerate() {
            prop_assert!(adjusted[i] >= *a && adjusted[i] <= 1.0);
            for (j, b) in p.iter().enumerate() {
                prop_assert!(a > b || adjusted[i] <= adjusted[j]);
            }
        }
    }
}

#[test]
fn quantiles_are_those_of_numpy() {
    // numpy.percentile([15, 20, 35, 40, 50], [0, 50, 90, 95, 99, 100])
    let sorted = [15.0, 20.0, 35.0, 40.0, 50.0];
    for (q, expected) in [(0.0, 15.0), (0.5, 35.0), (0.9, 46.0), (0.95, 48.0), (0.99, 49.6), (1.0, 50.0)] {
        assert!((quantile(&sorted, q) - expected).abs() < 1e-9, "{q}");
    }
    assert_eq!(quantile(&[3.0], 0.99), 3.0);
}

#[test]
fn the_expected_best_of_draws_is_the_mean_over_all_draws() {
    let values = [0.2, 0.5, 0.5, 0.9];
    // Every way to draw three of four with replacement, each equally likely.
    let all = (0..64).map(|code: usize| {
        let drawn = [code % 4, code / 4 % 4, code / 16].map(|index| values[index]);
        drawn.into_iter().fold(f64::NEG_INFINITY, f64::max)
    });
    let brute_force = all.sum::<f64>() / 64.0;
    assert!((expected_max(&values, 3).unwrap() - brute_force).abs() < 1e-12);
    // By hand: one draw has the mean, and two of {1, 3} are (1 + 3 + 3 + 3) / 4.
    assert!((expected_max(&values, 1).unwrap() - 0.525).abs() < 1e-12);
    assert_eq!(expected_max(&[3.0, 1.0], 2), Some(2.5));
    assert!((expected_max(&values, 1000).unwrap() - 0.9).abs() < 1e-12, "many draws find the best");
    assert_eq!(expected_max(&[], 2), None);
}
