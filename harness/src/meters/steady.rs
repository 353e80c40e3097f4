//! The power of a phase apart from its ramp-up.

use super::{Timing, Window};

/// The power of the part of a window in which it is steady.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steady {
    /// Its mean power.
    pub watts: f64,
    /// The seconds of the ramp-up before it.
    pub ramp_s: f64,
}

/// A window is divided into so many equal parts.
const PARTS: usize = 20;
/// The ramp-up ends with the first part whose power is so close to the median of the second half, as a share of it.
const CLOSE: f64 = 0.05;
/// A part that is further away than this is not steady.
const FAR: f64 = 0.1;
/// The largest share of parts after the ramp-up that may not be steady.
const MAX_UNSTEADY: f64 = 0.25;

impl Steady {
    /// The steady part of a window.
    ///
    /// # Errors
    /// If the window is too short for the meter, or if its power does not settle.
    pub fn of(window: &Window, timing: Timing) -> Result<Steady, String> {
        // The edges of a part are then known to a tenth of it.
        let least_s = timing.shortest_window().as_secs_f64() * PARTS as f64 / 5.0;
        if window.seconds() < least_s {
            return Err(format!(
                "window-too-short: a ramp-up is told apart from {least_s:.1} s on, it has {:.3} s",
                window.seconds()
            ));
        }
        let [first, last] = window.edges;
        let part_s = window.seconds() / PARTS as f64;
        let joules: Vec<f64> = (0..=PARTS)
            .map(|edge| window.shown_j(first.at + (last.at - first.at).mul_f64(edge as f64 / PARTS as f64)))
            .collect();
        let watts: Vec<f64> = joules.windows(2).map(|pair| (pair[1] - pair[0]) / part_s).collect();
        let mut later = watts[PARTS / 2..].to_vec();
        later.sort_by(f64::total_cmp);
        let level = f64::midpoint(later[later.len() / 2 - 1], later[later.len() / 2]);
        let is_within = |watts: &f64, share: f64| (watts - level).abs() <= share * level;
        let begin = watts.iter().position(|watts| is_within(watts, CLOSE)).unwrap_or(PARTS);
        let steady = &watts[begin..];
        let unsteady = steady.iter().filter(|watts| !is_within(watts, FAR)).count();
        if steady.len() < PARTS / 2 || unsteady as f64 > MAX_UNSTEADY * steady.len() as f64 {
            return Err(format!("the power did not settle within {:.0} % of {level:.1} W", 100.0 * FAR));
        }
        let ramp_s = begin as f64 * part_s;
        Ok(Steady { watts: (last.joules - joules[begin]) / (window.seconds() - ramp_s), ramp_s })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::time::Duration;

    use super::*;
    use crate::meters::{Sample, Trace};

    const TIMING: Timing =
        Timing { update: Duration::from_millis(1), poll: Duration::from_millis(5), keep_up: Duration::from_secs(1) };

    /// The window from 1 s to `end` of a meter whose power follows `watts`, in seconds since the window began.
    fn window(end: f64, watts: impl Fn(f64) -> f64) -> Window {
        let mut trace = Trace::new(TIMING.update);
        let mut joules = 0.0;
        for nth in 0..4_000 {
            let at = f64::from(nth) * 0.005;
            trace.push(Sample { at: Duration::from_secs_f64(at), joules });
            joules += watts(at - 1.0) * 0.005;
        }
        trace.window(Duration::from_secs(1), Duration::from_secs_f64(end)).unwrap()
    }

    #[test]
    fn the_ramp_up_is_no_part_of_the_steady_power() {
        let found = Steady::of(&window(11.0, |at| if at < 2.0 { 20.0 } else { 80.0 }), TIMING).unwrap();
        assert!((found.watts - 80.0).abs() < 0.5 && (found.ramp_s - 2.0).abs() < 1e-9, "{found:?}");
        let flat = Steady::of(&window(11.0, |_| 30.0), TIMING).unwrap();
        assert!((flat.watts - 30.0).abs() < 1e-6 && flat.ramp_s == 0.0, "{flat:?}");
    }

    #[test]
    fn a_power_that_never_settles_has_no_steady_part() {
        let error = Steady::of(&window(11.0, |at| 10.0 + 10.0 * at.max(0.0)), TIMING).unwrap_err();
        assert!(error.starts_with("the power did not settle within 10 %"), "{error}");
        let late = Steady::of(&window(11.0, |at| if at < 6.0 { 20.0 } else { 80.0 }), TIMING);
        assert!(late.is_err(), "less than half of it is steady: {late:?}");
    }

    #[test]
    fn a_window_in_which_a_ramp_up_cannot_be_told_apart_has_no_steady_power() {
        assert!(Steady::of(&window(1.5, |_| 30.0), TIMING).unwrap_err().starts_with("window-too-short: "));
    }
}
