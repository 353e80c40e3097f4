//! Axes. They turn numbers into positions on the page and choose the round numbers that label an axis.

use crate::format::si;
use crate::metric::MIN_VALUE_WITH_EXPONENT;

/// The largest number of decimals of a label. With more, labels would touch each other.
const MOST_DECIMALS: usize = 5;

/// A linear or logarithmic axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AxisScale {
    from: f64,
    to: f64,
    log: bool,
    /// The smallest distance between ticks of a linear axis.
    least_step: f64,
    /// The positions of `from` and `to` on the page.
    ends: (f64, f64),
}

impl AxisScale {
    /// An axis that covers all the numbers, with a little room at its ends. `None` if there is no number that it can
    /// show.
    pub(crate) fn around(numbers: impl IntoIterator<Item = f64>, log: bool) -> Option<AxisScale> {
        let usable = numbers
            .into_iter()
            .filter(|x| x.is_finite() && (!log || *x > 0.0))
            .map(|x| if log { x.log10() } else { x });
        let (low, high) = usable.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        if low > high {
            return None;
        }
        let span = high - low;
        let room = if span > 0.0 {
            0.08 * span
        } else if log {
            0.3
        } else {
            (0.1 * low.abs()).max(0.05)
        };
        let room = if log { room.max(0.1) } else { room };
        Some(AxisScale { from: low - room, to: high + room, log, least_step: 0.0, ends: (0.0, 1.0) })
    }

    /// The same axis, cut to these limits.
    pub(crate) fn within(self, low: f64, high: f64) -> AxisScale {
        AxisScale { from: self.from.max(low), to: self.to.min(high), ..self }
    }

    /// The same axis for whole numbers, with ticks at whole numbers only.
    pub(crate) fn whole(self) -> AxisScale {
        AxisScale { least_step: 1.0, ..self }
    }

    /// The same axis, drawn between two positions on the page.
    pub(crate) fn between(self, start: f64, end: f64) -> AxisScale {
        AxisScale { ends: (start, end), ..self }
    }

    /// The positions of the axis' ends on the page.
    pub(crate) fn ends(&self) -> (f64, f64) {
        self.ends
    }

    /// The numbers at the axis' ends.
    pub(crate) fn limits(&self) -> (f64, f64) {
        let number = |x: f64| if self.log { 10f64.powf(x) } else { x };
        (number(self.from), number(self.to))
    }

    /// The position of a number.
    pub(crate) fn at(&self, x: f64) -> f64 {
        let x = if self.log { x.log10() } else { x };
        let share = (x - self.from) / (self.to - self.from);
        self.ends.0 + (self.ends.1 - self.ends.0) * share
    }

    /// Round numbers on the axis with their labels, about `wanted` of them at most.
    pub(crate) fn ticks(&self, wanted: usize, unit: &str) -> Vec<(f64, String)> {
        if self.log { self.log_ticks(wanted, unit) } else { self.linear_ticks(wanted) }
    }

    fn linear_ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        let rough = (self.to - self.from) / wanted.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough * 0.999).unwrap_or(10.0);
        let step = (factor * power).max(self.least_step);
        let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
        let (first, last) = ((self.from / step).ceil() as i64, (self.to / step).floor() as i64);
        let long = decimals > MOST_DECIMALS || self.from.abs().max(self.to.abs()) >= MIN_VALUE_WITH_EXPONENT;
        let label = |x: f64| {
            if !long || x == 0.0 {
                return format!("{:.1$}", x + 0.0, if long { 0 } else { decimals });
            }
            let power = |x: f64| (x.abs().log10() + 1e-9).floor();
            format!("{x:.0$e}", (power(x) - power(step)).max(0.0) as usize)
        };
        (first..=last).map(|n| n as f64 * step).map(|x| (x, label(x))).collect()
    }

    fn log_ticks(&self, wanted: usize, unit: &str) -> Vec<(f64, String)> {
        let label = |x: f64| (x, shorten(&si(x, unit)));
        let at = |factors: &[f64], every: i32| -> Vec<f64> {
            let decades = self.from.floor() as i32..=self.to.ceil() as i32;
            decades
                .filter(|decade| decade % every == 0)
                .flat_map(|decade| factors.iter().map(move |factor| factor * 10f64.powi(decade)).collect::<Vec<_>>())
                .filter(|x| (self.from..=self.to).contains(&x.log10()))
                .collect()
        };
        let choices = [(&[1.0, 2.0, 5.0][..], 1), (&[1.0, 3.0], 1), (&[1.0], 1), (&[1.0], 2), (&[1.0], 3), (&[1.0], 4)];
        let ticks = choices.into_iter().map(|(factors, every)| at(factors, every)).find(|ticks| ticks.len() <= wanted);
        ticks.unwrap_or_default().into_iter().map(label).collect()
    }
}

/// Shortens a label of an axis: `1.00 ms` becomes `1 ms`.
fn shorten(label: &str) -> String {
    let (number, unit) = label.split_once(' ').unwrap_or((label, ""));
    let number = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    format!("{number} {unit}").trim_end().to_owned()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn labels(scale: AxisScale, wanted: usize, unit: &str) -> Vec<String> {
        scale.ticks(wanted, unit).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers_inside_the_axis() {
        let scale = AxisScale::around([0.31, 0.58], false).unwrap();
        assert_eq!(labels(scale, 4, ""), ["0.3", "0.4", "0.5", "0.6"]);
        let scale = AxisScale::around([0.000_05, 0.8], true).unwrap();
        assert_eq!(labels(scale, 6, "s"), ["100 µs", "1 ms", "10 ms", "100 ms", "1 s"]);
        let scale = AxisScale::around([0.002, 0.004], true).unwrap();
        assert_eq!(labels(scale, 4, "s"), ["2 ms", "5 ms"]);
    }

    #[test]
    fn labels_of_tiny_and_of_huge_numbers_are_short() {
        let scale = AxisScale::around([1.1e-12, 3.9e-12], false).unwrap();
        assert_eq!(labels(scale, 4, ""), ["1e-12", "2e-12", "3e-12", "4e-12"]);
        let scale = AxisScale::around([0.0, 1.7e76], false).unwrap();
        assert_eq!(labels(scale, 4, ""), ["0", "5e75", "1.0e76", "1.5e76"]);
    }

    #[test]
    fn whole_numbers_have_no_ticks_between_them() {
        let scale = |last: f64| AxisScale::around([1.0, last], false).unwrap().whole();
        assert_eq!(labels(scale(1.0), 7, ""), ["1"]);
        assert_eq!(labels(scale(2.0), 7, ""), ["1", "2"]);
        assert_eq!(labels(scale(3.0), 7, ""), ["1", "2", "3"]);
        assert_eq!(labels(scale(20.0), 5, ""), ["0", "5", "10", "15", "20"]);
    }

    #[test]
    fn a_single_number_still_has_an_axis_and_none_has_no_axis() {
        assert!(!labels(AxisScale::around([0.5], false).unwrap(), 4, "").is_empty());
        assert!(AxisScale::around([f64::NAN], false).is_none());
        assert!(AxisScale::around([0.0, -1.0], true).is_none());
    }

    #[test]
    fn places_follow_the_ends_even_upside_down() {
        let scale = AxisScale { from: 0.0, to: 10.0, log: false, least_step: 0.0, ends: (100.0, 0.0) };
        assert_eq!((scale.at(0.0), scale.at(10.0), scale.at(2.5)), (100.0, 0.0, 75.0));
        assert_eq!(scale.limits(), (0.0, 10.0));
        let (low, high) = AxisScale { from: -1.0, to: 2.0, log: true, ..scale }.limits();
        assert!((low - 0.1).abs() < 1e-12 && (high - 100.0).abs() < 1e-9);
    }
}
