//! `doctor --noise`: repeats fixed work for a while, and says which differences of times this machine can resolve.

use std::hint::black_box;
use std::io::{self, Write};

use bakeoff_reports::{minimum_detectable_effect, quantile};

use super::{Good, Lacking, Poor, write_finding};
use crate::interrupt;
use crate::machine::Machine;
use crate::noise::{Look, involuntary_per_s, other_load, steal_share};
use crate::stopwatch::Stopwatch;

/// How long one repetition of the work takes at least. It is as long as one prediction of a network.
const REPETITION_S: f64 = 1e-3;
/// How many windows the time is divided into. The median of a window stands for one measurement, such as the median latency of a
/// case.
const WINDOWS: usize = 30;
/// How often the work is timed to find out how much of it a repetition takes.
const CALIBRATIONS: usize = 5;
/// A window that is shorter than this many seconds is no measurement of a model, so the machine looks noisier than it is.
const SHORT_WINDOW_S: f64 = 1.0;
/// The fewest repetitions of a window.
const FEWEST: usize = 5;
/// For so many measurements of each model, the smallest ratio is shown.
const MEASUREMENTS: [usize; 5] = [2, 3, 5, 10, 20];
/// The share of stolen processor time, the processors that other programs keep busy, and how often a thread is made to wait a second,
/// above which a machine is not quiet.
const QUIET_STEAL: f64 = 0.01;
const QUIET_LOAD: f64 = 0.1;
const QUIET_SWITCHES_PER_S: f64 = 50.0;

/// The numbers of floats that the fixed work reads. They fit into the second level of a processor's cache.
const FLOATS: usize = 16 * 1024;

/// Studies the machine for `seconds`.
pub(super) fn study(out: &mut impl Write, machine: &dyn Machine, seconds: f64) -> anyhow::Result<()> {
    writeln!(out, "noise: repeating fixed work on one thread for {seconds} s …")?;
    out.flush()?;
    let root = machine.system_root();
    let before = Look::take(&root);
    let own = machine.cpu_time();
    let whole = Stopwatch::start(machine);
    let windows = repeat(machine, seconds);
    let elapsed = whole.seconds();
    let after = Look::take(&root);
    let own_s = own.zip(machine.cpu_time()).map(|(before, after)| (after - before).as_secs_f64());
    for (what, finding) in shown((&before, &after), own_s, elapsed) {
        write_finding(out, what, &finding)?;
    }
    match Resolution::of(&windows) {
        Some(resolution) => {
            resolution.write(out)?;
            let window_s = seconds / WINDOWS as f64;
            if window_s < SHORT_WINDOW_S {
                writeln!(
                    out,
                    "  Windows of {:.0} ms are shorter than a measurement of a model, so this says little: leave --seconds out for a minute",
                    1e3 * window_s
                )?;
            }
        }
        None => writeln!(out, "  no    resolution: stopped before there were two windows of {FEWEST} repetitions")?,
    }
    Ok(())
}

/// What two looks show, between which this process used `own_s` seconds of processor time.
fn shown((before, after): (&Look, &Look), own_s: Option<f64>, seconds: f64) -> Vec<(&'static str, super::Finding)> {
    let lacking = |reason: String| Lacking(format!("not shown: {reason}"));
    let steal = steal_share(before, after).map_or_else(lacking, |share| {
        let text = format!("{:.2} % of the processor time went to other virtual machines", 100.0 * share);
        if share > QUIET_STEAL { Poor(text) } else { Good(text) }
    });
    let switches = involuntary_per_s(before, after, seconds).map_or_else(lacking, |rate| {
        let text = format!("a thread was made to wait for its processor {rate:.1} times a second");
        if rate > QUIET_SWITCHES_PER_S { Poor(format!("{text}: other programs run")) } else { Good(text) }
    });
    let load = other_load(before, after, own_s, seconds).map_or_else(lacking, |load| {
        let text = format!("other programs kept {load:.2} processors busy");
        if load > QUIET_LOAD { Poor(format!("{text}: wait until they end")) } else { Good(text) }
    });
    let clock = match (&before.frequency_hz, &after.frequency_hz) {
        (Ok(before), Ok(after)) => Good(format!("{:.2} GHz before, {:.2} GHz after", before / 1e9, after / 1e9)),
        (Err(reason), _) | (_, Err(reason)) => lacking(reason.clone()),
    };
    let heat = match (&before.temperature_c, &after.temperature_c) {
        (Ok(before), Ok(after)) => Good(format!("{before:.0} °C before, {after:.0} °C after")),
        (Err(reason), _) | (_, Err(reason)) => lacking(reason.clone()),
    };
    let cpus = before.cpus_allowed.clone().map_or_else(lacking, |cpus| Good(format!("may run on {cpus}")));
    vec![
        ("steal", steal),
        ("other programs", load),
        ("context switches", switches),
        ("clock rate", clock),
        ("temperature", heat),
        ("processors", cpus),
    ]
}

/// The seconds of every repetition of the work, by window.
fn repeat(machine: &dyn Machine, seconds: f64) -> Vec<Vec<f64>> {
    let floats: Vec<f32> = (0..FLOATS).map(|index| (index % 7) as f32).collect();
    let mut passes = 1;
    // The first repetitions also wake the processor up. The fastest of some counts: another program makes single ones slower.
    let fastest = |passes| (0..CALIBRATIONS).map(|_| timed(machine, &floats, passes)).fold(f64::INFINITY, f64::min);
    while fastest(passes) < REPETITION_S && passes < 1 << 20 {
        passes *= 2;
    }
    let window_s = seconds / WINDOWS as f64;
    let mut windows = Vec::with_capacity(WINDOWS);
    for _ in 0..WINDOWS {
        let window = Stopwatch::start(machine);
        let mut repetitions = Vec::new();
        while repetitions.len() < FEWEST || window.seconds() < window_s {
            if interrupt::requested() {
                return windows;
            }
            repetitions.push(timed(machine, &floats, passes));
        }
        windows.push(repetitions);
    }
    windows
}

/// The seconds of one repetition: so many sums over the floats, each step of which waits for the one before.
fn timed(machine: &dyn Machine, floats: &[f32], passes: usize) -> f64 {
    let stopwatch = Stopwatch::start(machine);
    for _ in 0..passes {
        black_box(black_box(floats).iter().fold(0.0_f32, |sum, float| sum * 0.5 + float));
    }
    stopwatch.seconds()
}

/// What the repetitions say about the machine.
#[derive(Debug, Clone, PartialEq)]
struct Resolution {
    repetitions: usize,
    /// The median seconds of a repetition, and the 99th percentile.
    p50_s: f64,
    p99_s: f64,
    /// The smallest and the largest median of a window.
    medians_s: [f64; 2],
    /// The standard deviation of the logarithms of the windows' medians: about the share by which two measurements differ by chance.
    deviation: f64,
    /// For each number of measurements, the smallest ratio of two times that so many measurements of each tell apart.
    ratios: Vec<(usize, f64)>,
}

impl Resolution {
    /// `None` for fewer than two windows.
    fn of(windows: &[Vec<f64>]) -> Option<Resolution> {
        let sorted = |values: &[f64]| {
            let mut values = values.to_vec();
            values.sort_by(f64::total_cmp);
            values
        };
        let medians = sorted(&windows.iter().map(|window| quantile(&sorted(window), 0.5)).collect::<Vec<_>>());
        let (&[first, .., last], all) = (medians.as_slice(), sorted(&windows.concat())) else { return None };
        let logarithms: Vec<f64> = medians.iter().map(|median| median.ln()).collect();
        let n = logarithms.len() as f64;
        let mean = logarithms.iter().sum::<f64>() / n;
        let variance = logarithms.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let deviation = variance.sqrt();
        let ratio = |measurements: usize| Some((measurements, smallest_ratio(deviation, measurements)?));
        Some(Resolution {
            repetitions: all.len(),
            p50_s: quantile(&all, 0.5),
            p99_s: quantile(&all, 0.99),
            medians_s: [first, last],
            deviation,
            ratios: MEASUREMENTS.into_iter().filter_map(ratio).collect(),
        })
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let [least, most] = self.medians_s;
        writeln!(
            out,
            "  {} repetitions of {:.3} ms in {WINDOWS} windows; the slowest hundredth took {:.2} times as long or more",
            self.repetitions,
            1e3 * self.p50_s,
            self.p99_s / self.p50_s
        )?;
        writeln!(
            out,
            "  medians of the windows: {:.3} to {:.3} ms, standard deviation {:.2} %",
            1e3 * least,
            1e3 * most,
            100.0 * self.deviation
        )?;
        writeln!(
            out,
            "  a difference is found in 80 % of repetitions of a comparison, by a two-sided t-test at 5 %, from:"
        )?;
        for (measurements, ratio) in &self.ratios {
            writeln!(out, "    {measurements:>2} measurements of each model: {ratio:.4} times as long")?;
        }
        writeln!(
            out,
            "  (Cohen 1988, chapter 2, on the logarithms; docs/serving.md). Models differ more between seeds than this: it is the \
             least that this machine adds"
        )
    }
}

/// The smallest ratio of two times that a two-sided t-test at 5 % tells apart in 80 % of repetitions, with so many measurements of
/// each whose logarithms have this standard deviation: `exp(δ s √(2/n))`, where `δ` is that of [`minimum_detectable_effect`] for
/// `2n - 2` degrees of freedom. `None` for fewer than two measurements.
fn smallest_ratio(deviation: f64, measurements: usize) -> Option<f64> {
    if measurements < 2 {
        return None;
    }
    let n = measurements as f64;
    let error = deviation * (2.0 / n).sqrt();
    Some(minimum_detectable_effect(error, 2.0 * n - 2.0)?.exp())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_noise_resolves_any_difference() {
        let windows = vec![vec![0.002; 5]; 4];
        let resolution = Resolution::of(&windows).unwrap();
        assert_eq!(resolution.repetitions, 20);
        assert!(resolution.deviation < 1e-12, "{resolution:?}");
        assert!(resolution.ratios.iter().all(|(_, ratio)| (ratio - 1.0).abs() < 1e-9), "{resolution:?}");
    }

    #[test]
    fn the_deviation_is_that_of_the_logarithms_of_the_medians() {
        // Medians of 1, 2 and 4: their logarithms are ln 2 apart.
        let windows = [1.0, 2.0, 4.0].map(|median| vec![0.5 * median, median, 99.0]);
        let resolution = Resolution::of(&windows).unwrap();
        assert!((resolution.deviation - 2.0_f64.ln()).abs() < 1e-12, "{resolution:?}");
        assert_eq!(resolution.medians_s, [1.0, 4.0]);
    }

    #[test]
    fn more_measurements_tell_smaller_ratios_apart() {
        // The effect in standard deviations that scipy's noncentral t gives for two groups of n, at 5 % and a power of 80 %.
        for (measurements, effect) in [(2, 5.6535), (3, 3.0709), (5, 2.0244), (10, 1.3249), (20, 0.9091)] {
            let ratio = smallest_ratio(0.01, measurements).unwrap();
            assert!((ratio.ln() / 0.01 - effect).abs() < 1e-3, "{measurements}: {}", ratio.ln() / 0.01);
        }
        assert_eq!(smallest_ratio(0.01, 1), None);
    }

    #[test]
    fn less_than_two_windows_say_nothing() {
        assert_eq!(Resolution::of(&[]), None);
        assert_eq!(Resolution::of(&[vec![1.0; 5]]), None);
    }
}
