//! The methods behind the judging of nights agree with scipy and statsmodels; see scripts/make-fixtures/nights.py.
#![expect(clippy::unwrap_used, reason = "tests")]

use bakeoff_reports::{
    Prediction, autocorrelation, benjamini_hochberg, huber, rank_split, step_place, theil_sen_end, variance_of_mean,
};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    benjamini_hochberg: Vec<Adjusted>,
    huber: Vec<Robust>,
    theil_sen: Vec<Line>,
    rank_split: Vec<Split>,
    autocorrelation: Vec<Neighbours>,
    variance_of_mean: Vec<Variance>,
    prediction: Vec<Predicted>,
}

#[derive(Deserialize)]
struct Adjusted {
    p: Vec<f64>,
    adjusted: Vec<f64>,
}

#[derive(Deserialize)]
struct Robust {
    values: Vec<f64>,
    level: f64,
    deviation: f64,
}

#[derive(Deserialize)]
struct Line {
    values: Vec<f64>,
    end: f64,
}

#[derive(Deserialize)]
struct Split {
    values: Vec<f64>,
    least: usize,
    at: usize,
    z: f64,
    p: f64,
}

#[derive(Deserialize)]
struct Neighbours {
    values: Vec<f64>,
    levels: usize,
    autocorrelation: f64,
}

#[derive(Deserialize)]
struct Variance {
    count: usize,
    autocorrelation: f64,
    variance: f64,
}

#[derive(Deserialize)]
struct Predicted {
    deviation: f64,
    of_level: usize,
    degrees: f64,
    distance: f64,
    half: f64,
    p: f64,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixtures/nights.json")).unwrap()
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
}

#[test]
fn benjamini_hochberg_agrees_with_scipy() {
    for Adjusted { p, adjusted } in fixture().benjamini_hochberg {
        let found = benjamini_hochberg(&p);
        assert!(found.iter().zip(&adjusted).all(|(found, expected)| near(*found, *expected)), "{p:?}: {found:?}");
    }
    assert!(benjamini_hochberg(&[]).is_empty());
}

#[test]
fn huber_agrees_with_statsmodels() {
    for Robust { values, level, deviation } in fixture().huber {
        let found = huber(&values).unwrap();
        assert!(
            near(found.level, level) && near(found.deviation, deviation),
            "{found:?}, expected {level} {deviation}"
        );
    }
}

#[test]
fn numbers_that_are_mostly_equal_have_no_deviation_and_none_has_no_level() {
    assert_eq!(huber(&[]), None);
    for values in [&[3.0][..], &[3.0, 3.0, 3.0, 900.0], &[0.0, 0.0, 0.0, 1.0, -5.0]] {
        let found = huber(values).unwrap();
        assert_eq!((found.level, found.deviation), (values[0], 0.0), "{values:?}");
    }
}

#[test]
fn the_end_of_a_line_agrees_with_scipys_slope() {
    for Line { values, end } in fixture().theil_sen {
        assert!(near(theil_sen_end(&values).unwrap(), end), "expected {end}");
    }
    assert_eq!((theil_sen_end(&[]), theil_sen_end(&[1.0])), (None, None));
}

#[test]
fn the_best_split_agrees_with_scipys_rank_sum_of_every_split() {
    for Split { values, least, at, z, p } in fixture().rank_split {
        let found = rank_split(&values, least).unwrap();
        assert!(found.at == at && near(found.z, z), "{found:?}, expected {at} {z}");
        assert!((found.p / p - 1.0).abs() < 1e-6, "{found:?}, expected {p}");
    }
}

#[test]
fn too_few_or_equal_numbers_have_no_split() {
    assert_eq!(rank_split(&[1.0; 9], 5), None);
    assert_eq!(rank_split(&[1.0; 40], 5), None);
    assert_eq!(rank_split(&[], 1), None);
    assert_eq!(rank_split(&[1.0, 2.0], 0), None);
    assert_eq!(rank_split(&[1.0, 2.0], 1).unwrap().at, 1);
}

#[test]
fn autocorrelation_agrees_with_statsmodels_but_for_what_the_mean_takes() {
    for Neighbours { values, levels, autocorrelation: expected } in fixture().autocorrelation {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let deviations: Vec<f64> = values.iter().map(|value| value - mean).collect();
        assert!(near(autocorrelation(&deviations, levels), expected), "expected {expected}");
    }
}

#[test]
fn the_variance_of_a_mean_is_the_mean_of_the_matrix_of_correlations() {
    for Variance { count, autocorrelation, variance } in fixture().variance_of_mean {
        assert!(near(variance_of_mean(count, autocorrelation), variance), "{count} {autocorrelation}");
    }
}

#[test]
fn predictions_of_independent_numbers_agree_with_scipys_t() {
    for Predicted { deviation, of_level, degrees, distance, half, p } in fixture().prediction {
        let prediction = Prediction { level: 7.0, deviation, of_level, degrees, autocorrelation: 0.0 };
        let interval = prediction.interval(0.95);
        assert!(near(interval.high - 7.0, half) && near(7.0 - interval.low, half), "{interval:?}, expected {half}");
        assert!((prediction.p(distance, 3) / p - 1.0).abs() < 1e-8, "{}, expected {p}", prediction.p(distance, 3));
    }
}

/// What speaks against a split, by its definition: the squares of the distances from the levels, which end at the other level.
fn cost(values: &[f64], before: f64, after: f64, at: usize) -> f64 {
    let (low, high) = (before.min(after), before.max(after));
    let distance = |value: &f64, level: f64| (value.clamp(low, high) - level).powi(2);
    let left: f64 = values[..at].iter().map(|value| distance(value, before)).sum();
    left + values[at..].iter().map(|value| distance(value, after)).sum::<f64>()
}

proptest! {
    #[test]
    fn a_step_is_placed_where_the_squares_of_clipped_deviations_are_least(
        values in proptest::collection::vec(-3.0..3.0_f64, 10..40),
        before in -2.0..2.0_f64,
        rise in 0.1..3.0_f64,
        up in any::<bool>(),
    ) {
        let after = if up { before + rise } else { before - rise };
let at = step_place(&values, before, after, 5).unwrap();
        prop_assert!((5..=values.len() - 5).contains(&at));
        let least = (5..=values.len() - 5).map(|at| cost(&values, before, after, at)).fold(f64::INFINITY, f64::min);
        prop_assert!(cost(&values, before, after, at) <= least + 1e-9);
    }

    #[test]
    fn a_split_is_the_same_for_any_rising_scale_and_mirrored_in_a_falling_one(
        values in proptest::collection::vec(0.5..2.0_f64, 10..60),
    ) {
        let found = rank_split(&values, 5).unwrap();
        let cubed: Vec<f64> = values.iter().map(|value| 8.0 * value.powi(3)).collect();
        let inverse: Vec<f64> = values.iter().map(|value| 1.0 / value).collect();
        prop_assert_eq!(rank_split(&cubed, 5).unwrap(), found);
        let mirrored = rank_split(&inverse, 5).unwrap();
        prop_assert_eq!(mirrored.at, found.at);
        prop_assert!((mirrored.z + found.z).abs() < 1e-9 && (mirrored.p - found.p).abs() < 1e-9);
    }

    #[test]
    fn adjusted_p_values_keep_their_order_and_do_not_depend_on_that_of_the_tests(
        p in proptest::collection::vec(0.0..1.0_f64, 1..30),
        shift in 0_usize..30,
    ) {
        let adjusted = benjamini_hochberg(&p);
        let shift = shift % p.len();
        let mut turned = p.clone();
        turned.rotate_left(shift);
        let mut found = benjamini_hochberg(&turned);
        found.rotate_right(shift);
        prop_assert_eq!(&found, &adjusted);
        for (one, p_of_one) in adjusted.iter().zip(&p) {
            prop_assert!(*one >= *p_of_one - 1e-15 && *one <= 1.0);
            for (other, p_of_other) in adjusted.iter().zip(&p) {
                prop_assert!(p_of_one > p_of_other || one <= other);
            }
        }
    }

    #[test]
    fn one_number_however_far_out_moves_a_robust_level_by_less_than_a_deviation(
        values in proptest::collection::vec(-1.0..1.0_f64, 10..60),
        outlier in -1e6..1e6_f64,
    ) {
        let clean = huber(&values).unwrap();
        let mut spoilt = values.clone();
        spoilt.push(outlier);
        let found = huber(&spoilt).unwrap();
        prop_assert!((found.level - clean.level).abs() < 0.5, "{clean:?} {found:?}");
        prop_assert!(found.deviation < 2.0, "{clean:?} {found:?}");
    }

    #[test]
    fn the_end_of_a_line_through_a_line_is_its_last_point_also_with_outliers(
        start in -5.0..5.0_f64,
        slope in -1.0..1.0_f64,
        outlier in -1e3..1e3_f64,
        place in 0_usize..28,
    ) {
        let mut values: Vec<f64> = (0..28).map(|at| start + slope * f64::from(at)).collect();
        values[place] = outlier;
        prop_assert!((theil_sen_end(&values).unwrap() - (start + slope * 27.0)).abs() < 1e-9);
    }
}
