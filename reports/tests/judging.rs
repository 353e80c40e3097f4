//! The rules by which nights are judged, as tables of series and what is said of them. docs/nightly.md has the rules.
#![expect(clippy::unwrap_used, reason = "tests")]

use bakeoff_reports::{Floors, NightTest, NoBaseline, Tonight, change_points, judge_tonight, suspects};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Floors without an absolute one.
fn relative() -> Floors {
    Floors::of_unit("1/s")
}

/// Numbers around `level` with normal noise of `deviation`, as a share.
fn noisy(level: f64, deviation: f64, nights: usize, seed: u64) -> Vec<f64> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = move || (f64::from(generator.next_u32()) + 0.5) / (f64::from(u32::MAX) + 1.0);
    let mut normal = || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
    (0..nights).map(|_| level * (deviation * normal()).exp()).collect()
}

/// Stretches of nights at levels, with 1 % of noise.
fn levels(parts: &[(f64, usize)]) -> Vec<f64> {
    let part = |(index, (level, nights)): (usize, &(f64, usize))| noisy(*level, 0.01, *nights, index as u64);
    parts.iter().enumerate().flat_map(part).collect()
}

fn places(values: &[f64]) -> Vec<usize> {
    change_points(values, &relative()).iter().map(|change| change.at).collect()
}

fn with(mut values: Vec<f64>, changes: &[(usize, f64)]) -> Vec<f64> {
    changes.iter().for_each(|(at, value)| values[*at] = *value);
    values
}

#[test]
fn a_change_point_is_a_lasting_change_of_the_level_beyond_noise_and_floor() {
    let quiet = || levels(&[(1.0, 60)]);
    let table: [(&str, Vec<f64>, &[usize]); 16] = [
        ("no night", vec![], &[]),
        ("one value for ever", vec![2.5; 90], &[]),
        ("noise", quiet(), &[]),
        ("a step of 5 %", levels(&[(1.0, 30), (1.05, 30)]), &[30]),
        ("a step of 5 % down", levels(&[(1.05, 30), (1.0, 30)]), &[30]),
        ("a step below the floor of 3 %", levels(&[(1.0, 60), (1.02, 60)]), &[]),
        (
            "a step of 5 % that is within noise of 5 %",
            [noisy(1.0, 0.05, 10, 1), noisy(1.05, 0.05, 10, 2)].concat(),
            &[],
        ),
        ("nine nights", levels(&[(1.0, 4), (2.0, 5)]), &[]),
        ("four nights since", levels(&[(1.0, 40), (1.2, 4)]), &[]),
        ("eight nights since", levels(&[(1.0, 40), (1.2, 8)]), &[40]),
        ("a single spike", with(quiet(), &[(30, 8.0)]), &[]),
        ("a single spike tonight", with(quiet(), &[(59, 8.0)]), &[]),
        ("spikes here and there", with(quiet(), &[(10, 3.0), (20, 1.4), (33, 2.0), (50, 0.4), (58, 5.0)]), &[]),
        ("a level of twelve nights that came and went", levels(&[(1.0, 100), (1.1, 12), (1.0, 100)]), &[100, 112]),
        ("three levels", levels(&[(1.0, 30), (1.1, 30), (0.9, 30)]), &[30, 60]),
        ("a step of numbers that never vary, such as bytes", [vec![1000.0; 20], vec![1100.0; 12]].concat(), &[20]),
    ];
    for (what, values, expected) in table {
        assert_eq!(places(&values), expected, "{what}");
    }
}

#[test]
fn a_change_point_has_the_levels_on_both_sides() {
    let changes = change_points(&levels(&[(1.0, 40), (1.2, 40), (1.0, 40)]), &relative());
    let [up, down] = changes[..] else { panic!("two changes, not {changes:?}") };
    assert!((up.change() - 0.2).abs() < 0.01 && (down.change() + 1.0 / 6.0).abs() < 0.01, "{changes:?}");
    assert!((up.after - down.before).abs() < 1e-9 && up.p <= 0.001 && down.p <= 0.001, "{changes:?}");
}

#[test]
fn values_that_are_no_positive_numbers_are_left_out_and_places_stay_those_of_the_series() {
    let values = levels(&[(1.0, 30), (1.2, 30)]);
    let mut holes = values.clone();
    for (place, hole) in [(3, f64::NAN), (10, 0.0), (20, -1.0), (25, f64::INFINITY)] {
        holes.insert(place, hole);
    }
    assert_eq!(places(&holes), [34]);
    assert_eq!(places(&[f64::NAN; 50]), [] as [usize; 0]);
}

#[test]
fn a_change_below_the_absolute_floor_of_its_unit_is_none() {
    // 20 % of 20 µs is 4 µs.
    let values: Vec<f64> = levels(&[(20e-6, 30), (24e-6, 30)]);
    assert!(change_points(&values, &Floors::of_unit("s")).is_empty());
    assert_eq!(change_points(&values, &relative()).len(), 1);
    let (earlier, tonight) = (levels(&[(20e-6, 30)]), 24e-6);
    assert!(!judge_tonight(&earlier, tonight, &Floors::of_unit("s")).unwrap().passes_floors);
    assert!(judge_tonight(&earlier, tonight, &relative()).unwrap().passes_floors);
    let floors = ["s", "J", "B", "W", "1/s", ""].map(|unit| Floors::of_unit(unit).absolute);
    assert_eq!(floors, [10e-6, 1e-3, 65_536.0, 0.1, 0.0, 0.0]);
}

/// Whether the last number is a suspect, alone, and by which test.
fn suspicion(values: &[f64]) -> Option<NightTest> {
    let (tonight, earlier) = values.split_last().unwrap();
    let judged = judge_tonight(earlier, *tonight, &relative()).unwrap();
    suspects(&[judged])[0].then_some(judged.test)
}

fn drifting(weeks: usize) -> Vec<f64> {
    let nights = 7 * weeks;
    let drift = (1..=nights).map(|night| 1.01_f64.powf(night as f64 / 7.0));
    let noise = noisy(1.0, 0.005, nights, 9);
    levels(&[(1.0, 60)]).into_iter().chain(drift.zip(noise).map(|(level, noise)| level * noise)).collect()
}

#[test]
fn a_night_is_suspected_by_the_test_that_sees_the_change() {
    let before = |more: &[f64]| [levels(&[(1.0, 40)]), more.to_vec()].concat();
    let modes: Vec<f64> = (0..40).map(|night| if night % 5 == 0 { 1.08 } else { 1.0 }).collect();
    let table: [(&str, Vec<f64>, Option<NightTest>); 13] = [
        ("a night like the others", before(&[1.005]), None),
        ("6 % more", before(&[1.06]), Some(NightTest::Tonight)),
        ("6 % less", before(&[1.0 / 1.06]), Some(NightTest::Tonight)),
        ("4 % more, below the floor of one night", before(&[1.04]), None),
        ("4 % more in three nights", before(&[1.04, 1.041, 1.039]), Some(NightTest::ThreeNights)),
        ("2 % more in three nights, below every floor", before(&[1.02, 1.02, 1.02]), None),
        ("a spike yesterday", before(&[1.5, 1.002]), None),
        ("a drift of two weeks at 1 % a week", drifting(2), None),
        ("a drift of four weeks at 1 % a week", drifting(4), Some(NightTest::FourWeeks)),
        ("one value for ever", vec![7.0; 30], None),
        ("6 % more than one value for ever", [vec![7.0; 30], vec![7.42]].concat(), Some(NightTest::Tonight)),
        ("a mode that came before and went", [modes.clone(), vec![1.081]].concat(), None),
        ("far beyond both modes", [modes, vec![1.4]].concat(), Some(NightTest::Tonight)),
    ];
    for (what, values, expected) in table {
        assert_eq!(suspicion(&values), expected, "{what}");
    }
}

#[test]
fn spikes_in_the_baseline_hide_no_regression() {
    let spiky = with(levels(&[(1.0, 60)]), &[(5, 3.0), (20, 1.5), (40, 2.0), (41, 1.3)]);
    assert_eq!(suspicion(&[spiky, vec![1.07]].concat()), Some(NightTest::Tonight));
}

#[test]
fn numbers_that_resemble_their_neighbours_have_a_wider_interval_than_the_same_numbers_shuffled() {
    let slow: Vec<f64> = (0..60).map(|night| 1.0 + 0.02 * (f64::from(night) / 4.0).sin()).collect();
    let shuffled: Vec<f64> = (0..60).map(|index| slow[index * 37 % 60]).collect();
    let width = |values: &[f64]| {
        let judged = judge_tonight(values, 1.0, &relative()).unwrap();
        judged.high - judged.low
    };
    assert!(width(&slow) > 1.1 * width(&shuffled), "{} {}", width(&slow), width(&shuffled));
}

#[test]
fn what_cannot_be_judged_says_why() {
    let few = NoBaseline::TooFewNights { nights: 9, needed: 10 };
    assert_eq!(judge_tonight(&levels(&[(1.0, 9)]), 1.0, &relative()).unwrap_err(), few);
    let holes = with(levels(&[(1.0, 12)]), &[(1, f64::NAN), (2, 0.0), (3, -1.0)]);
    assert_eq!(judge_tonight(&holes, 1.0, &relative()).unwrap_err(), few, "nights without a number are none");
    assert!(judge_tonight(&levels(&[(1.0, 10)]), 1.0, &relative()).is_ok());
    for value in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
        assert_eq!(
            judge_tonight(&levels(&[(1.0, 30)]), value, &relative()).unwrap_err(),
            NoBaseline::NoPositiveNumber,
            "{value}"
        );
    }
}

#[test]
fn a_suspect_is_confirmed_only_by_fresh_numbers_that_all_stay_near_it() {
    let judged = judge_tonight(&levels(&[(1.0, 40)]), 1.08, &relative()).unwrap();
    let table: [(&str, &[f64], bool); 8] = [
        ("the same again", &[1.08, 1.07, 1.09], true),
        ("about the same, one less", &[1.05, 1.08, 1.07], true),
        ("as before", &[1.0, 1.01, 0.99], false),
        ("one as before", &[1.08, 1.0, 1.09], false),
        ("half way", &[1.03, 1.035, 1.03], false),
        ("the other way", &[0.92, 0.93, 0.92], false),
        ("no number", &[], false),
        ("no positive number", &[f64::NAN, 0.0], false),
    ];
    for (what, fresh, expected) in table {
        assert_eq!(judged.confirmed_by(fresh), expected, "{what}");
    }
}

#[test]
fn a_change_point_that_yesterday_did_not_have_makes_a_suspect_once() {
    let values = levels(&[(1.0, 60), (1.05, 20)]);
    let new = |night: usize| {
        let judged = judge_tonight(&values[..night], values[night], &relative()).unwrap();
        judged.new_change.map(|change| (night, change.at))
    };
    let nights: Vec<(usize, usize)> = (60..80).filter_map(new).collect();
    assert!(matches!(nights[..], [(64..70, 58..=60)]), "{nights:?}");
}

#[test]
fn a_night_of_many_series_asks_more_of_each_than_a_night_of_one() {
    // 3.6 deviations: p is about 5e-4.
    let judged = judge_tonight(&noisy(1.0, 0.02, 200, 3), 1.0 + 0.02 * 3.7, &relative()).unwrap();
    assert!(judged.passes_floors && judged.p < 0.01, "{judged:?}");
    let mut quiet = judged;
    quiet.p = 1.0;
    let family = |others: usize| [vec![judged], vec![quiet; others]].concat();
    assert!(suspects(&family(0))[0]);
    assert!(!suspects(&family(1000))[0]);
    assert!(suspects(&[]).is_empty());
}

/// Series of a night: some quiet, some not.
fn night() -> impl Strategy<Value = Vec<Tonight>> {
    let series = (any::<u64>(), 12_usize..80, 0.8..1.25_f64, 0.005..0.03_f64);
    proptest::collection::vec(series, 1..8).prop_map(|all| {
        let judge = |(seed, nights, tonight, deviation)| {
            judge_tonight(&noisy(1.0, deviation, nights, seed), tonight, &relative()).unwrap()
        };
        all.into_iter().map(judge).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_unit_does_not_matter(seed in any::<u64>(), step in 0.8..1.25_f64, power in -30..30_i32, nights in 12_usize..90) {
        let values = [noisy(1.0, 0.01, nights, seed), noisy(step, 0.01, nights / 2, seed ^ 1)].concat();
        let scaled: Vec<f64> = values.iter().map(|value| value * 2.0_f64.powi(power)).collect();
        prop_assert_eq!(places(&values), places(&scaled));
        let (tonight, earlier) = values.split_last().unwrap();
        let one = judge_tonight(earlier, *tonight, &relative()).unwrap();
        let other = judge_tonight(&scaled[..earlier.len()], scaled[earlier.len()], &relative()).unwrap();
        prop_assert!((one.p - other.p).abs() < 1e-6 && (one.change() - other.change()).abs() < 1e-9);
        prop_assert_eq!(one.passes_floors, other.passes_floors);
    }

    #[test]
    fn an_improvement_is_judged_as_a_regression_of_the_same_factor(
        seed in any::<u64>(),
        step in 0.8..1.25_f64,
        nights in 12_usize..90,
    ) {
        let values = [noisy(1.0, 0.01, nights, seed), noisy(step, 0.01, nights / 2, seed ^ 1)].concat();
        let mirrored: Vec<f64> = values.iter().map(|value| 1.0 / value).collect();
        prop_assert_eq!(places(&values), places(&mirrored));
        let (tonight, earlier) = values.split_last().unwrap();
        let one = judge_tonight(earlier, *tonight, &relative()).unwrap();
        let other = judge_tonight(&mirrored[..earlier.len()], mirrored[earlier.len()], &relative()).unwrap();
        prop_assert!((one.p - other.p).abs() < 1e-6, "{one:?} {other:?}");
        prop_assert!(((1.0 + one.change()) * (1.0 + other.change()) - 1.0).abs() < 1e-9);
        prop_assert_eq!(one.passes_floors, other.passes_floors);
        let fresh = [1.01 * tonight, *tonight, 0.99 * tonight];
        prop_assert_eq!(one.confirmed_by(&fresh), other.confirmed_by(&fresh.map(|value| 1.0 / value)));
    }

    #[test]
    fn the_order_of_series_does_not_matter(night in night()) {
        let mut turned = night.clone();
        turned.reverse();
        let mut found = suspects(&turned);
        found.reverse();
        prop_assert_eq!(found, suspects(&night));
    }

    #[test]
    fn one_spike_is_never_a_change(seed in any::<u64>(), nights in 10_usize..120, place in 0.0..1.0_f64, spike in 0.01..100.0_f64) {
        let values = noisy(1.0, 0.004, nights, seed);
        prop_assert_eq!(places(&values), vec![0_usize; 0]);
        let place = (place * nights as f64) as usize;
        prop_assert_eq!(places(&with(values, &[(place, spike)])), vec![0_usize; 0]);
    }

    #[test]
    fn every_segment_has_five_nights(parts in proptest::collection::vec((0.5..2.0_f64, 1_usize..20), 1..6)) {
        let values = levels(&parts);
        let places = places(&values);
        let bounds: Vec<usize> = [vec![0], places.clone(), vec![values.len()]].concat();
        prop_assert!(places.is_empty() || bounds.windows(2).all(|pair| pair[1] - pair[0] >= 5), "{places:?}");
    }
}

/// The rows of the table of worked examples: forty nights that repeat these ten, and what comes then.
fn worked_examples() -> Vec<String> {
    let forty = [100.0, 101.0, 99.0, 100.0, 102.0, 98.0, 100.0, 101.0, 99.0, 100.0].repeat(4);
    let mut spiky = forty.clone();
    spiky[12] = 300.0;
    let mut modes = forty.clone();
    (modes[7], modes[18], modes[29]) = (107.0, 108.0, 107.0);
    let examples: [(&str, &[f64], &[f64]); 8] = [
        ("forty nights", &forty, &[103.0]),
        ("forty nights", &forty, &[104.0]),
        ("forty nights", &forty, &[104.0, 104.0]),
        ("forty nights", &forty, &[106.0]),
        ("forty nights", &forty, &[94.0]),
        ("the same, one of them 300", &spiky, &[106.0]),
        ("the same, three of them 107, 108 and 107", &modes, &[107.0]),
        ("the first ten of them", &forty[..10], &[106.0]),
    ];
    let row = |(before, earlier, then): (&str, &[f64], &[f64])| {
        let values = [earlier, then].concat();
        let (tonight, earlier) = values.split_last().unwrap();
        let judged = judge_tonight(earlier, *tonight, &relative()).unwrap();
        let test = match judged.test {
            NightTest::Tonight => "tonight",
            NightTest::ThreeNights => "three nights",
            NightTest::FourWeeks => "four weeks",
        };
        let then: Vec<String> = then.iter().map(ToString::to_string).collect();
        format!(
            "| {before} | {} | {:.1} | {:.1} to {:.1} | {test} | {:+.1} % | {:.1e} | {} |",
            then.join(", "),
            judged.level,
            judged.low,
            judged.high,
            100.0 * judged.change(),
            judged.p,
            if suspects(&[judged])[0] { "suspect" } else { "unchanged" }
        )
    };
    examples.into_iter().map(row).collect()
}

#[test]
fn the_document_has_the_worked_examples() {
    let rows = worked_examples().join("\n");
    let document = include_str!("../../docs/nightly.md");
    assert!(document.contains(&rows), "docs/nightly.md lacks these rows:\n{rows}");
}
