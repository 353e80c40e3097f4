//! Comparisons over seeds agree with deepsig, rliable, baycomp and statsmodels; see scripts/make-fixtures/seeds.py.
#![expect(clippy::unwrap_used, reason = "tests")]

use bakeoff_reports::{
    Better, EffectOfTwoSources, TaskScores, chance_of_separation, chance_of_sweep, epsilon_min, equivalence,
    minimum_detectable_effect, probability_of_improvement, signed_rank_p, violation_ratio,
};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    order: Vec<Order>,
    improvement: Vec<Improvement>,
    equivalence: Vec<EquivalenceCase>,
    power: Vec<Power>,
}

#[derive(Deserialize)]
struct Order {
    first: Vec<f64>,
    second: Vec<f64>,
    ratio: f64,
    grid: f64,
    bound: Option<f64>,
    resampled_bound: Option<f64>,
}

/// Scores of each task.
#[derive(Deserialize)]
struct Improvement {
    first: Vec<Vec<f64>>,
    second: Vec<Vec<f64>>,
    probability: f64,
}

#[derive(Deserialize)]
struct EquivalenceCase {
    effect: f64,
    error: f64,
    degrees: f64,
    region: f64,
    below: f64,
    within: f64,
    above: f64,
}

#[derive(Deserialize)]
struct Power {
    by: String,
    degrees: f64,
    effect: f64,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixtures/seeds.json")).unwrap()
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
}

fn negative(scores: &[f64]) -> Vec<f64> {
    scores.iter().map(|score| -score).collect()
}

#[test]
fn the_violation_ratio_agrees_with_deepsig_up_to_the_grid_of_deepsig() {
    for Order { first, second, ratio, grid, .. } in fixture().order {
        let found = violation_ratio(&first, &second, Better::Higher).unwrap();
        // The grid moves each step of the two quantile functions by up to one spacing, and leaves out a point at each end.
        let noise = grid * (first.len() + second.len() + 2) as f64;
        assert!((found - ratio).abs() <= noise, "{found}, expected {ratio} within {noise}");
    }
}

#[test]
fn the_violation_ratio_is_exact_for_steps_of_different_width() {
    // By hand: over t, the first is 0, 3 (halves) and the second 1, 1, 2 (thirds). The second is larger by 1 on half of t;
    // the first is larger by 2 on a sixth and by 1 on a third.
    let found = violation_ratio(&[3.0, 0.0], &[1.0, 2.0, 1.0], Better::Higher).unwrap();
    let expected = 0.5 / (0.5 + 4.0 / 6.0 + 1.0 / 3.0);
    assert!((found - expected).abs() < 1e-15, "{found}, expected {expected}");
}

#[test]
fn scores_that_are_all_better_violate_nothing_in_either_direction() {
    let (low, high) = ([0.1, 0.2, 0.3], [0.4, 0.5]);
    assert_eq!(violation_ratio(&high, &low, Better::Higher), Some(0.0));
    assert_eq!(violation_ratio(&low, &high, Better::Higher), Some(1.0));
    assert_eq!(violation_ratio(&low, &high, Better::Lower), Some(0.0));
    // No resample of them differs, so that the bound is 0 for any number of seeds, as the documents warn.
    assert_eq!(epsilon_min(&high, &low, Better::Higher, 0.95), Some(0.0));
    assert_eq!(epsilon_min(&high, &low, Better::Lower, 0.95), Some(1.0));
}

#[test]
fn the_bound_of_almost_stochastic_order_agrees_with_deepsig_up_to_the_noise_of_both() {
    for Order { first, second, bound, resampled_bound, .. } in fixture().order {
        let (Some(bound), Some(resampled)) = (bound, resampled_bound) else { continue };
        let found = epsilon_min(&first, &second, Better::Higher, 0.95).unwrap();
        // 1,000 pairs of resamples place the bound to 0.012 or better, and 10,000 to 0.004: three to four of these.
        // deepsig's grid adds its spacing, 0.005.
        assert!((found - bound).abs() < 0.04, "{found}, deepsig has {bound}");
        assert!((found - resampled).abs() < 0.015, "{found}, 200,000 resamples have {resampled}");
        assert_eq!(epsilon_min(&first, &second, Better::Higher, 0.95), Some(found), "seeded");
        assert_eq!(epsilon_min(&negative(&first), &negative(&second), Better::Lower, 0.95), Some(found));
    }
}

#[test]
fn a_higher_confidence_has_a_higher_bound() {
    let Order { first, second, .. } = fixture().order.remove(1);
    let bound = |confidence| epsilon_min(&first, &second, Better::Higher, confidence).unwrap();
    let ratio = violation_ratio(&first, &second, Better::Higher).unwrap();
    assert!((bound(0.5) - ratio).abs() < 1e-9, "half of all confidence is the ratio itself");
    assert!(bound(0.5) < bound(0.8) && bound(0.8) < bound(0.95), "{} {} {}", bound(0.5), bound(0.8), bound(0.95));
}

#[test]
fn almost_stochastic_order_has_no_value_without_two_different_samples() {
    for (first, second) in [(&[][..], &[1.0][..]), (&[1.0, 2.0], &[2.0, 1.0]), (&[f64::NAN], &[1.0])] {
        assert_eq!(violation_ratio(first, second, Better::Higher), None, "{first:?} {second:?}");
        assert_eq!(epsilon_min(first, second, Better::Higher, 0.95), None, "{first:?} {second:?}");
    }
    assert_eq!(epsilon_min(&[1.0], &[2.0, 3.0], Better::Higher, 0.95), None, "one score has no resamples");
    for confidence in [0.0, 1.0, f64::NAN] {
        assert_eq!(epsilon_min(&[1.0, 4.0], &[2.0, 3.0], Better::Higher, confidence), None, "{confidence}");
    }
}

#[test]
fn the_probability_of_improvement_agrees_with_rliable() {
    for Improvement { first, second, probability } in fixture().improvement {
        let of = |better, sign: f64| {
            let scaled = |scores: &[Vec<f64>]| -> Vec<Vec<f64>> {
                scores.iter().map(|task| task.iter().map(|score| sign * score).collect()).collect()
            };
            let (first, second) = (scaled(&first), scaled(&second));
            let tasks: Vec<TaskScores<'_>> =
                first.iter().zip(&second).map(|(first, second)| TaskScores { first, second, better }).collect();
            probability_of_improvement(&tasks).unwrap()
        };
        let found = of(Better::Higher, 1.0);
        assert!(near(found, probability), "{found}, expected {probability}");
        assert!(near(of(Better::Lower, -1.0), probability), "the same where lower is better");
    }
}

#[test]
fn a_task_without_scores_leaves_no_probability_of_improvement() {
    assert_eq!(probability_of_improvement(&[]), None);
    let whole = TaskScores { first: &[0.5], second: &[0.4], better: Better::Higher };
    assert_eq!(probability_of_improvement(&[whole]), Some(1.0));
    assert_eq!(probability_of_improvement(&[whole, TaskScores { second: &[], ..whole }]), None);
}

#[test]
fn the_probabilities_of_equivalence_agree_with_baycomp() {
    for EquivalenceCase { effect, error, degrees, region, below, within, above } in fixture().equivalence {
        let found = equivalence(effect, error, degrees, region).unwrap();
        let agrees = near(found.below, below) && near(found.within, within) && near(found.above, above);
        assert!(agrees, "{effect} {error} {degrees} {region}: {found:?}, expected {below} {within} {above}");
    }
}

#[test]
fn an_effect_without_error_is_where_it_is() {
    let at = |effect| equivalence(effect, 0.0, 4.0, 0.1).map(|found| (found.below, found.within, found.above));
    assert_eq!(at(-0.2), Some((1.0, 0.0, 0.0)));
    assert_eq!(at(-0.1), Some((0.0, 1.0, 0.0)));
    assert_eq!(at(0.1), Some((0.0, 1.0, 0.0)));
    assert_eq!(at(0.2), Some((0.0, 0.0, 1.0)));
}

#[test]
fn equivalence_has_no_value_outside_its_domain() {
    for (effect, error, degrees, region) in [
        (f64::NAN, 0.1, 4.0, 0.1),
        (0.0, -0.1, 4.0, 0.1),
        (0.0, f64::INFINITY, 4.0, 0.1),
        (0.0, 0.1, 0.5, 0.1),
        (0.0, 0.1, f64::NAN, 0.1),
        (0.0, 0.1, 4.0, -0.1),
    ] {
        assert_eq!(equivalence(effect, error, degrees, region), None, "{effect} {error} {degrees} {region}");
    }
}

#[test]
fn the_minimum_detectable_effect_is_where_the_power_of_statsmodels_is_80_percent() {
    for Power { by, degrees, effect } in fixture().power {
        let found = minimum_detectable_effect(1.0, degrees).unwrap();
        assert!(near(found, effect), "{degrees}: {found}, {by} has {effect}");
        assert!(near(minimum_detectable_effect(0.02, degrees).unwrap(), 0.02 * effect), "it has the unit of the error");
    }
    // For a known error it is the sum of the normal quantiles at 97.5 % and 80 %, apart from the other tail, whose
    // probability is about 1e-6.
    let known = minimum_detectable_effect(1.0, f64::INFINITY).unwrap();
    assert!((known - (1.959_963_984_540_054 + 0.841_621_233_572_914)).abs() < 1e-5, "{known}");
}

#[test]
fn the_minimum_detectable_effect_has_no_value_without_an_error_and_degrees() {
    assert_eq!(minimum_detectable_effect(0.0, 4.0), Some(0.0));
    for (error, degrees) in [(-1.0, 4.0), (f64::NAN, 4.0), (1.0, 0.0), (1.0, f64::NAN)] {
        assert_eq!(minimum_detectable_effect(error, degrees), None, "{error} {degrees}");
    }
}

#[test]
fn seeds_or_rows_that_would_be_needed_are_the_fewest_that_are_enough() {
    let of = |effect, var_seed, var_row| EffectOfTwoSources { effect, var_seed, var_row };
    let found = of(0.02, 0.0004, 0.02);
    for (rows, needed) in [500_u64, 1000, 10_000].map(|rows| (rows, found.seeds_needed(rows).unwrap())) {
        let by_scan = (0..).find(|&seeds| found.significant(seeds, rows)).unwrap();
        assert_eq!(needed, by_scan, "{rows} rows");
    }
    for (seeds, needed) in [7_u64, 10, 30].map(|seeds| (seeds, found.rows_needed(seeds).unwrap())) {
        let by_scan = (0..).find(|&rows| found.significant(seeds, rows)).unwrap();
        assert_eq!(needed, by_scan, "{seeds} seeds");
    }
    // Without variance over rows it is a t-test over seeds: t is 0.02 / √(0.0004 / 7) = 2.646 with 6 degrees of freedom,
    // whose critical value is 2.447. With 6 seeds it is 2.449, and 2.571 is needed.
    assert_eq!(of(0.02, 0.0004, 0.0).seeds_needed(100), Some(7));
    // Neither source varies: the fewest that say anything are two.
    assert_eq!(of(0.02, 0.0, 0.0).seeds_needed(100), Some(2));
    assert_eq!(of(0.02, 0.0004, -0.01).seeds_needed(100), Some(7), "a variance below zero is none");
    assert_eq!(of(0.02, f64::NAN, 0.01).seeds_needed(100), None);
    assert_eq!(of(-0.02, 0.0004, 0.0).seeds_needed(100), Some(7), "the sign of the effect does not matter");
}

#[test]
fn no_number_of_seeds_is_enough_where_the_rows_alone_hide_the_effect() {
    // 0.2 / 1000 is a standard error of 0.014, and the effect is 0.02.
    let effect = EffectOfTwoSources { effect: 0.02, var_seed: 0.0004, var_row: 0.2 };
    assert_eq!(effect.seeds_needed(1000), None);
    assert!(effect.seeds_needed(10_000).is_some());
    // 0.0004 / 3 is a standard error of 0.012, with 2 degrees of freedom.
    assert_eq!(effect.rows_needed(3), None);
    assert!(effect.rows_needed(20).is_some());
    assert_eq!(effect.rows_needed(1), None, "one seed says nothing about the variance over seeds");
    assert_eq!(EffectOfTwoSources { effect: 0.0, ..effect }.seeds_needed(10_000), None);
}

#[test]
fn the_luck_of_winning_on_every_seed_is_counted_over_all_orders() {
    for seeds in 1..=6_u32 {
        // Every way to choose which runs of 2n are those of the first model: the better half must be chosen.
        let ways = (0..1_u32 << (2 * seeds)).filter(|runs| runs.count_ones() == seeds).count();
        assert!(near(chance_of_separation(seeds).unwrap(), 1.0 / ways as f64), "{seeds}");
        // The sign test of as many equal differences is the sweep of paired seeds, and so is the signed-rank test.
        assert!(near(chance_of_sweep(seeds).unwrap(), signed_rank_p(&vec![1.0; seeds as usize])), "{seeds}");
    }
    let printed = [2, 3, 4].map(|seeds| (1.0 / chance_of_separation(seeds).unwrap()).round());
    assert_eq!(printed, [6.0, 20.0, 70.0]);
    assert_eq!((chance_of_separation(0), chance_of_sweep(0)), (None, None));
    assert!(chance_of_separation(10_000).is_some_and(|chance| (0.0..1e-300).contains(&chance)), "no overflow");
}

fn scores() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((0..12_i32).prop_map(|score| f64::from(score) / 8.0), 1..9)
}

proptest! {
    #[test]
    fn violations_of_both_orders_add_up_to_one(first in scores(), second in scores()) {
        let ratio = violation_ratio(&first, &second, Better::Higher);
        let other = violation_ratio(&second, &first, Better::Higher);
        match (ratio, other) {
            (Some(ratio), Some(other)) => prop_assert!(near(ratio + other, 1.0) && (0.0..=1.0).contains(&ratio)),
            (ratio, other) => prop_assert_eq!(ratio, other),
        }
        let lower = violation_ratio(&negative(&first), &negative(&second), Better::Lower);
        prop_assert_eq!(ratio, lower);
    }

    #[test]
    fn the_bound_of_the_order_is_never_below_the_ratio(first in scores(), second in scores()) {
        if let Some(bound) = epsilon_min(&first, &second, Better::Higher, 0.95) {
            let ratio = violation_ratio(&first, &second, Better::Higher).unwrap();
            prop_assert!(ratio <= bound && bound <= 1.0, "{} {}", ratio, bound);
        }
    }

    #[test]
    fn improvements_of_both_models_add_up_to_one(first in scores(), second in scores()) {
        let of = |first, second| {
            probability_of_improvement(&[TaskScores { first, second, better: Better::Lower }]).unwrap()
        };
        prop_assert!(near(of(&first, &second) + of(&second, &first), 1.0));
        prop_assert!(near(of(&first, &first), 0.5));
    }

    #[test]
    fn the_parts_of_equivalence_add_up_to_one_and_mirror_the_effect(
        effect in -1.0..1.0_f64, error in 0.0..1.0_f64, degrees in 1.0..1e6_f64, region in 0.0..1.0_f64
    ) {
        let found = equivalence(effect, error, degrees, region).unwrap();
        let mirrored = equivalence(-effect, error, degrees, region).unwrap();
        prop_assert!(near(found.below + found.within + found.above, 1.0));
        prop_assert!(near(found.below, mirrored.above) && near(found.within, mirrored.within));
        let wider = equivalence(effect, error, degrees, region + 0.1).unwrap();
        prop_assert!(wider.within >= found.within - 1e-12);
    }

    #[test]
    fn more_degrees_of_freedom_detect_smaller_effects(degrees in 1.0..1e6_f64) {
        let found = minimum_detectable_effect(1.0, degrees).unwrap();
        prop_assert!(found > minimum_detectable_effect(1.0, 1.5 * degrees).unwrap());
        prop_assert!(found > minimum_detectable_effect(1.0, f64::INFINITY).unwrap());
    }

    #[test]
    fn the_seeds_needed_are_enough_and_one_less_is_not(
        effect in 0.005..0.1_f64, var_seed in 1e-5..1e-3_f64, var_row in 0.0..0.3_f64, rows in 100_u64..5000
    ) {
        let given = EffectOfTwoSources { effect, var_seed, var_row };
        if let Some(seeds) = given.seeds_needed(rows) {
            prop_assert!(given.significant(seeds, rows) && !given.significant(seeds - 1, rows));
            prop_assert!(given.significant(seeds + 1, rows) && given.significant(10 * seeds, rows));
        } else {
            prop_assert!(!given.significant(1_000_000, rows));
        }
    }
}
