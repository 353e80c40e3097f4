//! What a meter showed over time, and the joules of a window of it.

use std::collections::VecDeque;
use std::time::Duration;

use super::MAX_EDGE_ERROR;

/// What a meter showed at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// On the clock that all processes of the machine share.
    pub at: Duration,
    /// Joules since the counter began.
    pub joules: f64,
}

/// Samples of one meter, ascending in time. The latest ones are all there. Of those before, so many are kept that hours take no
/// more memory than minutes; a window that long needs no more.
#[derive(Debug, Clone)]
pub struct Trace {
    /// How old what the meter shows can be.
    update: Duration,
    earlier: Vec<Sample>,
    latest: VecDeque<Sample>,
    /// Of the samples that leave `latest`, one in so many is kept.
    stride: usize,
    left: usize,
    breaks: Vec<Break>,
    /// Why the meter could not be read last; `None` if it could.
    unreadable: Option<String>,
}

/// Two samples between which joules were lost. While there is no sample after it, it has no end.
#[derive(Debug, Clone)]
struct Break {
    from: Duration,
    to: Duration,
    why: String,
}

/// The joules of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// What the meter would have shown at the start and at the end.
    pub edges: [Sample; 2],
    /// What it showed between them.
    pub inside: Vec<Sample>,
}

/// How many samples are all kept. At a read every 10 ms, they are those of the last 80 s.
const LATEST: usize = 8_192;
/// The largest number of samples before them.
const EARLIER: usize = 65_536;

impl Window {
    /// The joules.
    pub fn joules(&self) -> f64 {
        self.edges[1].joules - self.edges[0].joules
    }

    /// The seconds.
    pub fn seconds(&self) -> f64 {
        (self.edges[1].at - self.edges[0].at).as_secs_f64()
    }

    /// The mean power, in watts.
    pub fn watts(&self) -> f64 {
        self.joules() / self.seconds()
    }

    /// What the meter would have shown at a moment of the window, by a straight line between its samples.
    pub(super) fn shown_j(&self, at: Duration) -> f64 {
        let nth = self.inside.partition_point(|sample| sample.at < at);
        let after = self.inside.get(nth).unwrap_or(&self.edges[1]);
        let before = nth.checked_sub(1).map_or(&self.edges[0], |nth| &self.inside[nth]);
        let gap_s = after.at.saturating_sub(before.at).as_secs_f64();
        let share = if gap_s > 0.0 { at.saturating_sub(before.at).as_secs_f64() / gap_s } else { 1.0 };
        before.joules + (after.joules - before.joules) * share
    }

    /// The edges and at most `most` evenly chosen samples between them.
    pub fn points(&self, most: usize) -> Vec<Sample> {
        let count = self.inside.len();
        let shown = count.min(most);
        let between = (0..shown).map(|nth| self.inside[(2 * nth + 1) * count / (2 * shown)]);
        [self.edges[0]].into_iter().chain(between).chain([self.edges[1]]).collect()
    }
}

impl Trace {
    /// A trace of a meter that shows what it counted up to `update` before.
    pub fn new(update: Duration) -> Trace {
        Trace {
            update,
            earlier: Vec::new(),
            latest: VecDeque::new(),
            stride: 1,
            left: 0,
            breaks: Vec::new(),
            unreadable: None,
        }
    }

    /// Adds what the meter shows now.
    pub fn push(&mut self, sample: Sample) {
        self.unreadable = None;
        if let Some(open) = self.breaks.last_mut().filter(|found| found.to == Duration::MAX) {
            open.to = sample.at;
        }
        self.latest.push_back(sample);
        if self.latest.len() <= LATEST {
            return;
        }
        let Some(leaving) = self.latest.pop_front() else { return };
        if self.left.is_multiple_of(self.stride) {
            self.earlier.push(leaving);
        }
        self.left += 1;
        if self.earlier.len() > EARLIER {
            let mut nth = 0;
            self.earlier.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
            self.stride *= 2;
        }
    }

    /// Says that the joules between the last sample and the next one are unknown.
    pub fn break_off(&mut self, why: String) {
        let from = self.latest.back().map_or(Duration::ZERO, |sample| sample.at);
        self.breaks.push(Break { from, to: Duration::MAX, why });
    }

    /// Says that the meter could not be read.
    pub fn unreadable(&mut self, why: String) {
        self.unreadable = Some(why);
    }

    /// Whether there is a sample at this moment or after it, or whether there will be none soon.
    pub fn is_settled(&self, at: Duration) -> bool {
        self.unreadable.is_some() || self.latest.back().is_some_and(|sample| sample.at >= at)
    }

    /// The joules between two moments, by linear interpolation between the samples on both sides of each.
    ///
    /// # Errors
    /// Why they are not known.
    pub fn window(&self, start: Duration, end: Duration) -> Result<Window, String> {
        if end <= start {
            return Err("the clock did not advance between the start and the end of the phase".to_owned());
        }
        if let Some(found) = self.breaks.iter().find(|found| start < found.to && end > found.from) {
            return Err(found.why.clone());
        }
        let (first, before_s) = self.at(start)?;
        let (last, after_s) = self.at(end)?;
        let window_s = (end - start).as_secs_f64();
        let misplaced_s = before_s + after_s + 2.0 * self.update.as_secs_f64();
        if misplaced_s > MAX_EDGE_ERROR * window_s {
            return Err(format!(
                "window-too-short: it has {window_s:.3} s, and its edges are known to {misplaced_s:.4} s, which is more than \
                 {:.0} % of it",
                100.0 * MAX_EDGE_ERROR
            ));
        }
        if last.joules <= first.joules {
            return Err(format!("the meter did not move for {window_s:.3} s"));
        }
        let inside = self.samples().filter(|sample| start < sample.at && sample.at < end).copied().collect();
        Ok(Window { edges: [first, last], inside })
    }

    fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.earlier.iter().chain(&self.latest)
    }

    /// What the meter would have shown at a moment, and by how many seconds that moment can be misplaced: if the power was constant
    /// up to it and constant after it, a straight line through the samples on its two sides is wrong by at most so many seconds of
    /// the change in power.
    fn at(&self, at: Duration) -> Result<(Sample, f64), String> {
        let before = match self.latest.front().filter(|first| first.at <= at) {
            Some(_) => self.latest.iter().rev().find(|sample| sample.at <= at),
            None => self.earlier.iter().rev().find(|sample| sample.at <= at),
        };
        let Some(before) = before else { return Err("the meter was not read before the phase began".to_owned()) };
        let Some(after) = self.after(at) else {
            return Err(match &self.unreadable {
                Some(why) => why.clone(),
                None => "the meter was not read any more after the phase".to_owned(),
            });
        };
        let [left_s, right_s] = [at - before.at, after.at - at].map(|gap| gap.as_secs_f64());
        if left_s + right_s == 0.0 {
            return Ok((*before, 0.0));
        }
        let joules = before.joules + (after.joules - before.joules) * left_s / (left_s + right_s);
        Ok((Sample { at, joules }, left_s * right_s / (left_s + right_s)))
    }

    fn after(&self, at: Duration) -> Option<&Sample> {
        let nth = self.earlier.partition_point(|sample| sample.at < at);
        let nth_latest = self.latest.partition_point(|sample| sample.at < at);
        self.earlier.get(nth).or_else(|| self.latest.get(nth_latest))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const UPDATE: Duration = Duration::from_millis(1);

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// A meter of 10 W until the moment 5 and of 100 W from there on, read at these moments.
    fn trace(moments: impl IntoIterator<Item = f64>) -> Trace {
        let mut trace = Trace::new(UPDATE);
        for moment in moments {
            let joules = if moment <= 5.0 { 10.0 * moment } else { 50.0 + 100.0 * (moment - 5.0) };
            trace.push(Sample { at: at(moment), joules });
        }
        trace
    }

    #[test]
    fn joules_of_a_window_are_those_between_its_edges() {
        let trace = trace((0..200).map(|nth| f64::from(nth) * 0.1));
        let window = trace.window(at(6.03), at(11.07)).unwrap();
        assert!((window.joules() - 504.0).abs() < 1e-9, "{}", window.joules());
        assert!((window.seconds() - 5.04).abs() < 1e-9);
        assert_eq!(window.inside.len(), 50);
        let points = window.points(10);
        assert_eq!((points.len(), points[0], points[11]), (12, window.edges[0], window.edges[1]));
        assert!(points.windows(2).all(|pair| pair[0].at < pair[1].at));
    }

    #[test]
    fn a_power_that_changes_at_the_edge_is_misplaced_by_no_more_than_is_said() {
        for offset in [0.0, 0.01, 0.05, 0.09] {
            let trace = trace((0..200).map(|nth| f64::from(nth) * 0.1 + offset));
            let window = trace.window(at(5.0), at(15.0)).unwrap();
            let (_, misplaced_s) = trace.at(at(5.0)).unwrap();
            let wrong_j = (window.joules() - 1000.0).abs();
            assert!(wrong_j <= 90.0 * misplaced_s + 1e-9, "{offset}: {wrong_j} J, {misplaced_s} s");
            assert!(misplaced_s <= 0.1 / 4.0 + 1e-9, "{misplaced_s}");
        }
    }

    #[test]
    fn a_window_too_short_for_the_meter_has_no_joules() {
        let trace = trace((0..2_000).map(|nth| f64::from(nth) * 0.01));
        let error = trace.window(at(6.005), at(6.105)).unwrap_err();
        assert_eq!(
            error,
            "window-too-short: it has 0.100 s, and its edges are known to 0.0070 s, which is more than 2 % of it"
        );
        assert!(trace.window(at(6.005), at(6.405)).is_ok());
    }

    #[test]
    fn the_shortest_window_of_a_meter_is_long_enough_wherever_it_begins() {
        let timing = super::super::Timing { update: UPDATE, poll: Duration::from_millis(10), keep_up: UPDATE };
        let trace = trace((0..2_000).map(|nth| f64::from(nth) * 0.01));
        for offset in [0.0, 0.001, 0.0049, 0.005, 0.0051, 0.009] {
            let start = at(6.0 + offset);
            let found = trace.window(start, start + timing.shortest_window());
            assert!(found.is_ok(), "{offset}: {found:?}");
        }
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_gives_no_window() {
        let trace = trace([0.0, 1.0, 2.0]);
        for end in [1.0, 0.5] {
            assert!(trace.window(at(1.0), at(end)).unwrap_err().starts_with("the clock did not advance"));
        }
    }

    #[test]
    fn joules_that_were_lost_inside_a_window_are_no_number_and_those_outside_do_not_matter() {
        let mut trace = trace((0..100).map(|nth| f64::from(nth) * 0.01));
        trace.break_off("it was reset".to_owned());
        for nth in 120..400 {
            trace.push(Sample { at: at(f64::from(nth) * 0.01), joules: f64::from(nth) });
        }
        assert_eq!(trace.window(at(0.1), at(3.0)), Err("it was reset".to_owned()));
        assert_eq!(trace.window(at(1.1), at(3.0)), Err("it was reset".to_owned()));
        assert!(trace.window(at(0.1), at(0.9)).is_ok());
        assert!(trace.window(at(1.5), at(3.0)).is_ok());
    }

    #[test]
    fn a_meter_that_vanishes_before_the_end_is_the_reason() {
        let mut trace = trace((0..100).map(|nth| f64::from(nth) * 0.01));
        trace.unreadable("energy_uj: No such device".to_owned());
        assert_eq!(trace.window(at(0.1), at(5.0)), Err("energy_uj: No such device".to_owned()));
        assert!(trace.window(at(0.1), at(0.9)).is_ok(), "what was read before is known");
        let early = trace.window(at(0.0), at(0.5));
        assert!(early.is_ok());
        let mut late = Trace::new(UPDATE);
        late.push(Sample { at: at(9.0), joules: 0.0 });
        assert!(late.window(at(1.0), at(5.0)).unwrap_err().contains("not read before the phase began"));
    }

    #[test]
    fn a_meter_that_stands_still_gives_no_zero() {
        let mut trace = Trace::new(UPDATE);
        (0..100).for_each(|nth| trace.push(Sample { at: at(f64::from(nth) * 0.01), joules: 3.0 }));
        assert_eq!(trace.window(at(0.1), at(0.9)), Err("the meter did not move for 0.800 s".to_owned()));
    }

    #[test]
    fn hours_of_samples_take_bounded_memory_and_long_windows_stay_exact() {
        let mut trace = Trace::new(UPDATE);
        let samples = 3_600_000;
        for nth in 0..samples {
            let moment = f64::from(nth) * 0.005;
            trace.push(Sample { at: at(moment), joules: 80.0 * moment });
        }
        assert!(trace.earlier.len() <= EARLIER && trace.latest.len() <= LATEST);
        let gaps = trace.earlier.windows(2).map(|pair| pair[1].at - pair[0].at);
        assert!(gaps.max().unwrap() <= at(0.4), "five hours of reads every 5 ms");
        for (start, end) in [(1.0, 17_000.0), (9_000.0, 9_100.0), (17_990.0, 17_991.0)] {
            let window = trace.window(at(start), at(end)).unwrap();
            assert!((window.joules() / (80.0 * (end - start)) - 1.0).abs() < 1e-9, "{start} {end}");
        }
    }
}
