//! Tests over tasks agree with scipy, scikit-posthocs and autorank; see scripts/make-fixtures/over_tasks.py.
#![expect(clippy::unwrap_used, reason = "tests")]

use bakeoff_reports::{
    Better, cliques, critical_difference, friedman, ranks, signed_rank_p, studentised_range_cdf,
    studentised_range_quantile,
};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    signed_rank: Vec<SignedRank>,
    friedman: Vec<FriedmanCase>,
    probabilities: Vec<StudentisedRange>,
    quantiles: Vec<StudentisedRange>,
    nemenyi: Vec<Nemenyi>,
}

#[derive(Deserialize)]
struct SignedRank {
    by: String,
    differences: Vec<f64>,
    p: f64,
}

#[derive(Deserialize)]
struct FriedmanCase {
    scores: Vec<Vec<f64>>,
    mean_ranks: Vec<f64>,
    chi_square: f64,
    chi_square_p: f64,
    f: f64,
    f_p: f64,
}

/// `degrees` is `None` if they are infinite.
#[derive(Deserialize)]
struct StudentisedRange {
    groups: u32,
    degrees: Option<f64>,
    q: f64,
    p: f64,
}

#[derive(Deserialize)]
struct Nemenyi {
    mean_ranks: Vec<f64>,
    tasks: u32,
    scipy: f64,
    autorank: f64,
    groups: Vec<Vec<usize>>,
    p_of_pairs: Vec<Vec<f64>>,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixtures/over_tasks.json")).unwrap()
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
}

fn all_near(found: &[f64], expected: &[f64]) -> bool {
    found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| near(*a, *b))
}

#[test]
fn ranks_begin_with_the_best_in_either_direction_and_equal_scores_share_theirs() {
    let scores = [0.5, 0.9, 0.5, 0.1, 0.5];
    assert_eq!(ranks(&scores, Better::Higher), [3.0, 1.0, 3.0, 5.0, 3.0]);
    assert_eq!(ranks(&scores, Better::Lower), [3.0, 5.0, 3.0, 1.0, 3.0]);
    assert_eq!(ranks(&[0.0, -0.0], Better::Higher), [1.5, 1.5], "the sign of zero is no difference");
    assert_eq!(ranks(&[], Better::Higher), [0.0; 0]);
}

#[test]
fn the_signed_rank_test_agrees_with_scipy_and_with_all_signs_where_there_are_ties() {
    for SignedRank { by, differences, p } in fixture().signed_rank {
        let found = signed_rank_p(&differences);
        assert!(near(found, p), "{by}, {differences:?}: {found}, expected {p}");
    }
}

#[test]
fn the_signed_rank_test_is_exact_for_many_differences_too() {
    // All of one sign: only one of 2^n choices is as extreme on each side.
    for n in [5, 60, 400] {
        let differences: Vec<f64> = (1..=n).map(f64::from).collect();
        let expected = 2.0_f64.powi(1 - n);
        assert!((signed_rank_p(&differences) / expected - 1.0).abs() < 1e-9, "{n}");
    }
}

#[test]
fn zeros_say_nothing_in_the_signed_rank_test() {
    assert_eq!(signed_rank_p(&[]), 1.0);
    assert_eq!(signed_rank_p(&[0.0, -0.0]), 1.0);
    assert_eq!(signed_rank_p(&[f64::NAN, 0.0, 1.0, 2.0, 3.0]), signed_rank_p(&[1.0, 2.0, 3.0]));
}

#[test]
fn friedmans_test_agrees_with_scipy() {
    for case in fixture().friedman {
        let ranked: Vec<Vec<f64>> = case.scores.iter().map(|task| ranks(task, Better::Higher)).collect();
        let found = friedman(&ranked).unwrap();
        let f = found.f.unwrap();
        assert!(
            all_near(&found.mean_ranks, &case.mean_ranks),
            "{:?}, expected {:?}",
            found.mean_ranks,
            case.mean_ranks
        );
        let agrees = near(found.chi_square.statistic, case.chi_square) && near(found.chi_square.p, case.chi_square_p);
        assert!(agrees, "{:?}, expected {} {}", found.chi_square, case.chi_square, case.chi_square_p);
        assert!(near(f.statistic, case.f) && near(f.p, case.f_p), "{f:?}, expected {} {}", case.f, case.f_p);
    }
}

#[test]
fn friedmans_test_has_no_value_where_nothing_can_be_compared() {
    let equal = vec![2.0, 2.0, 2.0];
    let apart = vec![1.0, 2.0, 3.0];
    for nothing in [
        vec![],
        vec![apart.clone()],
        vec![vec![1.0]; 5],
        vec![apart.clone(), vec![1.0, 2.0]],
        vec![equal.clone(), equal.clone()],
    ] {
        assert_eq!(friedman(&nothing), None, "{nothing:?}");
    }
    // One task that tells models apart is enough for the statistic.
    assert!(friedman(&[equal, apart]).is_some());
}

#[test]
fn tasks_that_all_agree_have_no_f_whose_p_would_be_zero() {
    // By hand: chi-square is n (k - 1), the largest possible.
    let found = friedman(&vec![vec![1.0, 2.0, 3.0, 4.0]; 3]).unwrap();
    assert_eq!(found.f, None);
    assert!(near(found.chi_square.statistic, 9.0) && found.chi_square.p > 0.02, "{found:?}");
}

#[test]
fn the_studentised_range_agrees_with_scipy() {
    let Fixture { probabilities, quantiles, .. } = fixture();
    for StudentisedRange { groups, degrees, q, p } in probabilities {
        let found = studentised_range_cdf(q, groups, degrees.unwrap_or(f64::INFINITY)).unwrap();
        assert!(near(found, p), "up to {q}, {groups} groups, {degrees:?}: {found}, expected {p}");
    }
    for StudentisedRange { groups, degrees, q, p } in quantiles {
        let found = studentised_range_quantile(p, groups, degrees.unwrap_or(f64::INFINITY)).unwrap();
        assert!(near(found, q), "{p}, {groups} groups, {degrees:?}: {found}, expected {q}");
    }
}

#[test]
fn the_studentised_range_has_no_value_outside_its_domain() {
    assert_eq!(studentised_range_cdf(0.0, 3, 5.0), Some(0.0));
    assert_eq!(studentised_range_quantile(0.0, 3, 5.0), Some(0.0));
    for (groups, degrees) in [(1, 5.0), (0, 5.0), (3, 0.5), (3, f64::NAN)] {
        assert_eq!(studentised_range_cdf(2.0, groups, degrees), None, "{groups} {degrees}");
        assert_eq!(studentised_range_quantile(0.95, groups, degrees), None, "{groups} {degrees}");
    }
    for probability in [-0.1, 1.0 - 1e-15, 1.0, 2.0, f64::NAN] {
        assert_eq!(studentised_range_quantile(probability, 3, 5.0), None, "{probability}");
    }
    assert_eq!(studentised_range_cdf(f64::NAN, 3, 5.0), None);
}

#[test]
fn the_critical_difference_is_that_of_demsars_table_5() {
    // Demšar 2006, table 5 (a): critical values q / √2 of 2 to 10 models, as printed with three decimals.
    let at_5 = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164];
    let at_10 = [1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920];
    for (alpha, table) in [(0.05, at_5), (0.10, at_10)] {
        for (models, printed) in (2_u32..).zip(table) {
            let tasks = 12;
            let k = f64::from(models);
            let value = critical_difference(alpha, models, tasks).unwrap() / (k * (k + 1.0) / (6.0 * 12.0)).sqrt();
            assert!((value - printed).abs() <= 1e-3, "{alpha}, {models} models: {value}, printed {printed}");
        }
    }
}

#[test]
fn the_critical_difference_and_the_groups_agree_with_scipy_scikit_posthocs_and_autorank() {
    for case in fixture().nemenyi {
        let models = case.mean_ranks.len();
        let found = critical_difference(0.05, models as u32, case.tasks).unwrap();
        assert!(near(found, case.scipy), "{found}, expected {}", case.scipy);
        // autorank takes the quantile from an approximation of four digits.
        assert!((found / case.autorank - 1.0).abs() < 1e-3, "{found}, autorank has {}", case.autorank);
        assert_eq!(cliques(&case.mean_ranks, found), case.groups);
        for (a, row) in case.p_of_pairs.iter().enumerate() {
            for (b, p) in row.iter().enumerate().filter(|(b, _)| *b != a) {
                let apart = (case.mean_ranks[a] - case.mean_ranks[b]).abs() > found;
                assert_eq!(apart, *p < 0.05, "{a} and {b}: p {p}");
            }
        }
    }
}

#[test]
fn the_critical_difference_has_no_value_without_tasks_or_for_one_model() {
    assert_eq!(critical_difference(0.05, 5, 0), None);
    assert_eq!(critical_difference(0.05, 1, 10), None);
    assert_eq!(critical_difference(0.0, 5, 10), None);
}

#[test]
fn a_model_that_differs_from_all_others_is_in_no_group() {
    assert_eq!(cliques(&[3.0, 1.0, 3.5], 1.0), [[0, 2]]);
    assert_eq!(
        cliques(&[3.0, 1.0, 2.0], 1.0),
        [[1, 2], [2, 0]],
        "a difference of exactly the critical one is no difference"
    );
    assert_eq!(cliques(&[1.0, 2.0, 3.0], 0.5), [[0; 2]; 0]);
    assert_eq!(cliques(&[], 0.5), [[0; 2]; 0]);
}

/// Scores of one task with ties.
fn scores() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((-4..5_i32).prop_map(f64::from), 1..12)
}

proptest! {
    #[test]
    fn ranks_add_up_to_those_without_ties(scores in scores()) {
        let n = scores.len() as f64;
        let found = ranks(&scores, Better::Higher);
        prop_assert!(near(found.iter().sum::<f64>(), n * (n + 1.0) / 2.0));
        let mirrored: Vec<f64> = ranks(&scores, Better::Lower).iter().map(|rank| n + 1.0 - rank).collect();
        prop_assert!(all_near(&found, &mirrored));
    }

    #[test]
    fn the_signed_rank_test_does_not_depend_on_sign_scale_order_or_zeros(differences in scores()) {
        let p = signed_rank_p(&differences);
        let mut other: Vec<f64> = differences.iter().rev().map(|difference| -3.0 * difference).collect();
        other.push(0.0);
        prop_assert!(0.0 < p && p <= 1.0);
        prop_assert!(near(p, signed_rank_p(&other)));
    }

    #[test]
    fn friedmans_test_does_not_depend_on_the_order_of_tasks_and_models(
        tasks in prop::collection::vec(prop::collection::vec((0..4_i32).prop_map(f64::from), 4), 2..8)
    ) {
        let ranked: Vec<Vec<f64>> = tasks.iter().map(|task| ranks(task, Better::Higher)).collect();
        let turned: Vec<Vec<f64>> = ranked.iter().rev().map(|task| task.iter().rev().copied().collect()).collect();
        match (friedman(&ranked), friedman(&turned)) {
            (Some(found), Some(other)) => {
                prop_assert!(near(found.chi_square.p, other.chi_square.p));
                prop_assert!((0.0..=1.0).contains(&found.chi_square.p));
                prop_assert!(near(found.mean_ranks.iter().sum::<f64>(), 10.0));
            }
            (found, other) => prop_assert_eq!(found, other),
        }
    }

    #[test]
    fn two_models_share_a_group_exactly_if_they_are_within_the_critical_difference(
        mean_ranks in prop::collection::vec(1.0..10.0_f64, 0..12), critical in 0.0..5.0_f64
    ) {
        let groups = cliques(&mean_ranks, critical);
        for a in 0..mean_ranks.len() {
            for b in 0..a {
                let share = groups.iter().any(|group| group.contains(&a) && group.contains(&b));
                prop_assert_eq!(share, (mean_ranks[a] - mean_ranks[b]).abs() <= critical);
            }
        }
        for group in &groups {
            let others = groups.iter().filter(|other| group.iter().all(|model| other.contains(model))).count();
            prop_assert_eq!(others, 1, "a group within another");
        }
    }
}

proptest! {
    // Each case is a dozen double integrals.
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_quantile_of_the_studentised_range_has_its_probability(
        p in 0.001..0.999_f64, groups in 2_u32..60, degrees in prop_oneof![1.0..200.0_f64, Just(f64::INFINITY)]
    ) {
        let q = studentised_range_quantile(p, groups, degrees).unwrap();
        prop_assert!(near(studentised_range_cdf(q, groups, degrees).unwrap(), p));
        prop_assert!(studentised_range_cdf(q * 1.01, groups, degrees).unwrap() > p);
        prop_assert!(studentised_range_cdf(q, groups + 1, degrees).unwrap() < p, "more groups have a larger range");
    }
}
