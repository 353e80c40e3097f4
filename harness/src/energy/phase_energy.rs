//! What one meter measured in one phase, as values and readings.

use bakeoff_reports::Reading;

use crate::meters::{Sample, Sampled, Steady, Window};
use crate::outcome::MetricValue;
use crate::phase::Phase;
use crate::protocol::PhaseWindow;

/// The largest number of samples of a fit that are stored.
const MOST_POINTS: usize = 200;

pub(super) struct PhaseEnergy<'a> {
    pub(super) phase: &'a PhaseWindow,
    pub(super) sampled: &'a Sampled,
    /// Whether it is the meter by which the child counts, too.
    pub(super) is_first: bool,
    /// Watts of the idle machine.
    pub(super) idle_w: Result<f64, String>,
    pub(super) measured: Result<Window, String>,
}

impl PhaseEnergy<'_> {
    /// The values of the phase: joules with and without those of the idle machine, per prediction, and of a fit its power.
    pub(super) fn values(&self) -> Vec<MetricValue> {
        let count = self.phase.count as f64;
        let gross = self.gross();
        let above_idle = gross.clone().and_then(|(joules, seconds)| {
            let idle_w =
                self.idle_w.clone().map_err(|why| format!("the power of the idle machine is not known: {why}"))?;
            Ok((joules - idle_w * seconds) / count)
        });
        let joules = gross.map(|(joules, _)| joules / count);
        let mut values =
            vec![self.value("energy_j", joules, &self.sampled.how), self.value("energy_above_idle_j", above_idle, "")];
        if self.phase.phase == Phase::Fit {
            values.push(self.value("idle_w", self.idle_w.clone(), ""));
            let steady = self.measured.clone().and_then(|window| Steady::of(&window, self.sampled.timing));
            let note =
                steady.as_ref().map_or(String::new(), |steady| format!("after a ramp-up of {:.2} s", steady.ramp_s));
            values.push(self.value("steady_w", steady.map(|steady| steady.watts), &note));
        }
        values
    }

    /// The joules and the seconds of the phase; of a fit, of all its parts.
    fn gross(&self) -> Result<(f64, f64), String> {
        let window = self.measured.as_ref().map_err(Clone::clone)?;
        let earlier = &self.phase.earlier;
        if !self.is_first && earlier.parts > 0 {
            return Err("the fit was interrupted, and its checkpoint has the joules of the first meter only".to_owned());
        }
        Ok((earlier.joules.clone()? + window.joules(), earlier.seconds + window.seconds()))
    }

    fn value(&self, metric: &str, found: Result<f64, String>, note: &str) -> MetricValue {
        let (value, note) = match found {
            Ok(value) => (Some(value), note.to_owned()),
            Err(why) => (None, why),
        };
        let (metric, source) = (metric.to_owned(), self.sampled.source.to_owned());
        MetricValue { phase: self.phase.phase, metric, conditions: self.phase.conditions.clone(), value, source, note }
    }

    /// Adds the numbers that the values are computed from.
    pub(super) fn add_readings(&self, readings: &mut Vec<Reading>) {
        let Ok(window) = &self.measured else { return };
        let meter = self.sampled.source;
        let earlier = &self.phase.earlier;
        if earlier.parts > 0 {
            self.add(readings, "earlier_j", ("J", meter), earlier.joules.iter().copied());
            self.add(readings, "earlier_s", ("s", "stopwatch"), [earlier.seconds]);
        }
        self.add(readings, "window_j", ("J", meter), window.edges.map(|edge| edge.joules));
        self.add(readings, "window_s", ("s", "stopwatch"), [window.seconds()]);
        if self.phase.phase == Phase::Fit {
            let points = window.points(MOST_POINTS);
            let since = |sample: &Sample| (sample.at - window.edges[0].at).as_secs_f64();
            self.add(readings, "sample_s", ("s", "stopwatch"), points.iter().map(since));
            self.add(readings, "sample_j", ("J", meter), points.iter().map(|sample| sample.joules));
        } else {
            self.add(readings, "predictions", ("", "data"), [self.phase.count as f64]);
        }
    }

    fn add(
        &self,
        readings: &mut Vec<Reading>,
        metric: &str,
        (unit, source): (&str, &str),
        values: impl IntoIterator<Item = f64>,
    ) {
        let phase = self.phase.phase.name();
        let metric = match self.phase.conditions.as_str() {
            "" => metric.to_owned(),
            conditions => format!("{metric} {conditions}"),
        };
        // Two meters have readings of the same name.
        let before = readings.iter().filter(|reading| reading.phase == phase && reading.metric == metric).count();
        readings.extend(values.into_iter().enumerate().map(|(index, value)| Reading {
            phase: phase.to_owned(),
            metric: metric.clone(),
            index: before + index,
            example: None,
            value,
            unit: unit.to_owned(),
            source: source.to_owned(),
        }));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::time::Duration;

    use super::*;
    use crate::meters::{Timing, Trace};
    use crate::protocol::EarlierParts;

    const TIMING: Timing =
        Timing { update: Duration::from_millis(1), poll: Duration::from_millis(5), keep_up: Duration::from_secs(1) };

    fn sampled() -> Sampled {
        Sampled { source: "rapl", how: "package-0".to_owned(), card: None, timing: TIMING }
    }

    fn phase(phase: Phase, count: usize) -> PhaseWindow {
        PhaseWindow {
            phase,
            conditions: String::new(),
            start_ns: 2_000_000_000,
            end_ns: 12_000_000_000,
            count,
            earlier: EarlierParts::none(),
        }
    }

    /// Ten seconds of a meter of 30 W.
    fn measured() -> Result<Window, String> {
        let mut trace = Trace::new(TIMING.update);
        for nth in 0..4_000 {
            let at = Duration::from_millis(5 * nth);
            trace.push(Sample { at, joules: 30.0 * at.as_secs_f64() });
        }
        trace.window(Duration::from_secs(2), Duration::from_secs(12))
    }

    fn named<'a>(values: &'a [MetricValue], name: &str) -> &'a MetricValue {
        values.iter().find(|value| value.metric == name).unwrap()
    }

    #[test]
    fn joules_are_stored_with_and_without_those_of_the_idle_machine() {
        let (sampled, phase) = (sampled(), phase(Phase::PredictBatch, 100));
        let energy =
            PhaseEnergy { phase: &phase, sampled: &sampled, is_first: true, idle_w: Ok(10.0), measured: measured() };
        let values = energy.values();
        let near = |name: &str, expected: f64| (named(&values, name).value.unwrap() - expected).abs() < 1e-9;
        assert!(near("energy_j", 3.0) && near("energy_above_idle_j", 2.0), "{values:?}");
        assert_eq!((named(&values, "energy_j").note.as_str(), values.len()), ("package-0", 2));
        let mut readings = Vec::new();
        energy.add_readings(&mut readings);
        let of = |name: &str| readings.iter().filter(|r| r.metric == name).map(|r| r.value).collect::<Vec<_>>();
        let edges = of("window_j");
        assert!(((edges[1] - edges[0]) / of("predictions")[0] - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_fit_in_parts_has_the_joules_and_the_idle_seconds_of_all_parts() {
        let sampled = sampled();
        let earlier = EarlierParts { parts: 2, seconds: 100.0, joules: Ok(2_500.0) };
        let phase = PhaseWindow { earlier, ..phase(Phase::Fit, 1) };
        let energy = |is_first: bool| {
            PhaseEnergy { phase: &phase, sampled: &sampled, is_first, idle_w: Ok(10.0), measured: measured() }.values()
        };
        let values = energy(true);
        assert!((named(&values, "energy_j").value.unwrap() - 2_800.0).abs() < 1e-9);
        assert!((named(&values, "energy_above_idle_j").value.unwrap() - 1_700.0).abs() < 1e-9);
        assert!((named(&values, "steady_w").value.unwrap() - 30.0).abs() < 1e-9);
        let second = energy(false);
        assert!(named(&second, "energy_j").note.contains("the joules of the first meter only"));
    }

    #[test]
    fn a_phase_without_joules_says_why_and_has_no_zero() {
        let (sampled, phase) = (sampled(), phase(Phase::Fit, 1));
        let why = || Err("the machine was suspended for 9.0 s".to_owned());
        let energy =
            PhaseEnergy { phase: &phase, sampled: &sampled, is_first: true, idle_w: Ok(10.0), measured: why() };
        let values = energy.values();
        for name in ["energy_j", "energy_above_idle_j", "steady_w"] {
            let value = named(&values, name);
            assert_eq!((value.value, value.note.as_str()), (None, "the machine was suspended for 9.0 s"), "{name}");
        }
        let mut readings = Vec::new();
        energy.add_readings(&mut readings);
        assert!(readings.is_empty());
    }

    #[test]
    fn without_a_baseline_the_gross_joules_stay() {
        let (sampled, phase) = (sampled(), phase(Phase::Fit, 1));
        let idle_w = Err("it was reset".to_owned());
        let energy = PhaseEnergy { phase: &phase, sampled: &sampled, is_first: true, idle_w, measured: measured() };
        let values = energy.values();
        assert!(named(&values, "energy_j").value.is_some());
        assert_eq!(
            named(&values, "energy_above_idle_j").note,
            "the power of the idle machine is not known: it was reset"
        );
    }
}
