//! Means over seeds and test rows agree with statsmodels and scipy; see scripts/make-fixtures/trials.py.
#![expect(clippy::unwrap_used, reason = "tests")]

use bakeoff_reports::Trials;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    trials: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    scores: Vec<Vec<f64>>,
    low: f64,
    high: f64,
    df: f64,
    p: f64,
    variances: Option<(f64, f64)>,
}

fn mean(scores: &[Vec<f64>]) -> f64 {
    scores.iter().flatten().sum::<f64>() / scores.iter().flatten().count() as f64
}

#[test]
fn the_error_of_a_mean_over_seeds_and_rows_agrees_with_statsmodels_and_scipy() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/trials.json")).unwrap();
    for Expected { scores, low, high, df, p, variances } in fixture.trials {
        let what = format!("{} seeds of {} rows", scores.len(), scores[0].len());
        let trials = Trials::new(scores.clone()).unwrap();
        let found = trials.infer(mean(&scores)).unwrap();
        let interval = found.interval();
        for (name, found, expected) in
            [("low", interval.low, low), ("high", interval.high, high), ("p", found.p(0.0), p)]
        {
            assert!((found - expected).abs() <= 1e-9, "{name} of {what}: {found}, expected {expected}");
        }
        assert!((found.df / df - 1.0).abs() < 1e-7, "degrees of freedom of {what}: {}, expected {df}", found.df);
        match (trials.variances(), variances) {
            (None, None) => {}
            (Some(found), Some(expected)) => {
                let near = |a: f64, b: f64| (a - b).abs() <= 1e-9;
                assert!(near(found.0, expected.0) && near(found.1, expected.1), "{what}: {found:?}, {expected:?}");
            }
            (found, expected) => panic!("{what}: {found:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn rows_of_three_equal_seeds_are_not_counted_three_times() {
    let rows: Vec<f64> = (0..200).map(|row| f64::from(u8::from(row % 3 == 0))).collect();
    let one = Trials::new(vec![rows.clone()]).unwrap().infer(1.0 / 3.0).unwrap();
    let three = Trials::new(vec![rows.clone(), rows.clone(), rows]).unwrap().infer(1.0 / 3.0).unwrap();
    assert!((one.error - three.error).abs() < 1e-12, "{one:?} {three:?}");
}

#[test]
fn trials_that_cannot_be_a_table_are_refused() {
    for scores in [vec![], vec![vec![1.0]], vec![vec![1.0, 2.0], vec![1.0]], vec![vec![1.0, f64::NAN]]] {
        assert_eq!(Trials::new(scores.clone()), None, "{scores:?}");
    }
    let (two, three) = (Trials::new(vec![vec![1.0, 2.0]; 2]).unwrap(), Trials::new(vec![vec![1.0, 2.0]; 3]).unwrap());
    assert_eq!(Trials::combination(&[(1.0, two), (-1.0, three)]), None);
    assert_eq!(Trials::combination(&[]), None);
    // Nothing varies.
    assert_eq!(Trials::new(vec![vec![1.0; 5]; 3]).unwrap().infer(1.0), None);
}

proptest! {
    #[test]
    fn the_difference_has_one_sign_and_one_error_in_both_directions(
        one in proptest::collection::vec(proptest::collection::vec(-1.0..1.0f64, 6), 3),
        other in proptest::collection::vec(proptest::collection::vec(-1.0..1.0f64, 6), 3),
    ) {
        let (a, b) = (Trials::new(one.clone()).unwrap(), Trials::new(other.clone()).unwrap());
        let effect = mean(&one) - mean(&other);
        let minus = |a: &Trials, b: &Trials| Trials::combination(&[(1.0, a.clone()), (-1.0, b.clone())]).unwrap();
        let (there, back) = (minus(&a, &b).infer(effect).unwrap(), minus(&b, &a).infer(-effect).unwrap());
        prop_assert!((there.error - back.error).abs() < 1e-12);
        prop_assert!((there.p(0.0) - back.p(0.0)).abs() < 1e-9);
    }

    #[test]
    fn the_interval_holds_the_hypotheses_that_the_test_does_not_reject(
        scores in proptest::collection::vec(proptest::collection::vec(-1.0..1.0f64, 8), 1..6),
        hypothesis in -1.0..1.0f64,
    ) {
        let found = Trials::new(scores.clone()).unwrap().infer(mean(&scores)).unwrap();
        let interval = found.interval();
        let is_inside = interval.low <= hypothesis && hypothesis <= interval.high;
        let p = found.p(hypothesis);
        prop_assume!((p - 0.05).abs() > 1e-6);
        prop_assert_eq!(is_inside, p > 0.05);
    }
}
