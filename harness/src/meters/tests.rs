//! Energy of a meter whose power is known.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use proptest::prelude::*;

use super::register::Register;
use super::{METERS, Sample, Timing, Trace, kind_named};

const TIMING: Timing =
    Timing { update: Duration::from_millis(1), poll: Duration::from_millis(50), keep_up: Duration::from_secs(1) };
const RANGE_UJ: u64 = 262_143_328_850;
/// The steps of a register: 2^-14 J.
const STEP_UJ: f64 = 61.035_156_25;

/// What a register of constant power shows: it advances every millisecond, in steps, and wraps.
fn shown_uj(watts: f64, first_uj: u64, at: Duration) -> u64 {
    let updated_s = at.as_millis() as f64 / 1e3;
    let steps = (watts * updated_s * 1e6 / STEP_UJ).floor();
    (first_uj + (steps * STEP_UJ) as u64) % RANGE_UJ
}

/// What a process samples of it from one moment to another: every 50 ms, a little late each time, with pauses in which it does not run.
fn sampled(watts: f64, first_uj: u64, (from_s, to_s): (f64, f64), late: &[f64], pauses: &[(f64, f64)]) -> Trace {
    let at = Duration::from_secs_f64;
    let mut trace = Trace::new(TIMING.update);
    let mut register = Register::new(Some(RANGE_UJ), shown_uj(watts, first_uj, at(from_s)), at(from_s));
    let (mut now_s, mut nth) = (from_s, 0);
    while now_s < to_s {
        let moment = at(now_s);
        match register.advance(shown_uj(watts, first_uj, moment), moment) {
            Ok(()) => trace.push(Sample { at: moment, joules: register.total_uj() as f64 / 1e6 }),
            Err(why) => trace.break_off(why),
        }
        let paused = pauses.iter().find(|(begin, _)| (now_s - 0.06..now_s).contains(begin)).map_or(0.0, |(_, s)| *s);
        now_s += TIMING.poll.as_secs_f64() + late[nth % late.len()] + paused;
        nth += 1;
    }
    trace
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Wraps: up to 900 W for up to 20 minutes are four turns. Pauses: up to 20 s in which the process does not run. Restarts: the
    /// window is divided among processes, each with a register of its own.
    #[test]
    fn energy_of_constant_power_is_right_to_a_thousandth_over_wraps_pauses_and_restarts(
        watts in 1.0..900.0_f64,
        first_uj in 0..RANGE_UJ,
        late in prop::collection::vec(0.0..0.01_f64, 7),
        pauses in prop::collection::vec((0.0..1200.0_f64, 0.0..20.0_f64), 0..4),
        lengths in prop::collection::vec(5.0..600.0_f64, 1..4),
        begin in 0.0..2.0_f64,
    ) {
        let (mut joules, mut expected, mut start_s) = (0.0, 0.0, begin);
        for length_s in &lengths {
            let end_s = start_s + length_s;
            let trace = sampled(watts, first_uj, (start_s - begin, end_s + 1.0), &late, &pauses);
            let window = trace.window(Duration::from_secs_f64(start_s), Duration::from_secs_f64(end_s));
            match window {
                Ok(window) => {
                    joules += window.joules();
                    expected += watts * length_s;
                }
                // A pause over an edge leaves it unknown, and the trace says so.
                Err(why) => prop_assert!(!pauses.is_empty(), "{why}"),
            }
            start_s = end_s + 1.0 + begin;
        }
        prop_assert!((joules - expected).abs() <= 1e-3 * expected, "{joules} J, expected {expected} J");
    }

    /// Whatever a register shows, its joules never go back.
    #[test]
    fn joules_are_never_negative(shown in prop::collection::vec((0..RANGE_UJ, 0.0..200.0_f64), 1..40), is_known: bool) {
        let mut register = Register::new(is_known.then_some(RANGE_UJ), 0, Duration::ZERO);
        let (mut now_s, mut before) = (0.0, 0);
        for (uj, step_s) in shown {
            now_s += step_s;
            let _ = register.advance(uj, Duration::from_secs_f64(now_s));
            prop_assert!(register.total_uj() >= before);
            before = register.total_uj();
        }
    }
}

#[test]
fn every_kind_of_meter_has_a_name_of_its_own_and_the_estimate_is_last() {
    let mut names: Vec<&str> = METERS.iter().map(|kind| kind.name()).collect();
    assert_eq!(names, ["rapl", "rapl-virtual", "nvml", "estimate"]);
    names.dedup();
    assert_eq!(names.len(), METERS.len());
    assert!(METERS.iter().all(|kind| !kind.about().is_empty()));
    assert_eq!(METERS.iter().filter(|kind| !kind.is_measured()).count(), 1);
}

#[test]
fn a_meter_is_found_by_its_name_and_the_estimate_is_none() {
    assert_eq!(kind_named("rapl").unwrap().name(), "rapl");
    let unknown = kind_named("rappl").map(|kind| kind.name()).unwrap_err();
    assert_eq!(unknown, "unknown meter 'rappl', did you mean 'rapl'? (known: rapl, rapl-virtual, nvml)");
    let estimate = kind_named("estimate").map(|kind| kind.name()).unwrap_err();
    assert!(estimate.contains("is no meter") && estimate.contains("estimate = false"), "{estimate}");
}
