//! What tonight's number of a series says: a suspicion, which only a fresh measurement confirms.
//!
//! The rule, in words:
//!
//! 1. The baseline is the segment since the last change point, without the nights that are tested. A few spikes move its level and its
//!    noise little. The noise is that of all segments. There must be ten nights before tonight; otherwise the series is *not
//!    judged*. A change point has five nights since it, or it would be none.
//! 2. **Tonight**: the number is at least 5 % away from the level, and farther than the next number would be by chance.
//! 3. **The last three nights**: their median is at least 3 % away, and farther than the mean of two nights would be by chance. It needs no
//!    floor of 5 %, because two nights out of three are a level.
//! 4. **The last four weeks**: where a line through them ends is at least 3 % away from the level *before* them, and farther than the mean of a
//!    week would be by chance. A slow drift takes yesterday's level along, but not that of four weeks ago.
//! 5. Where a series has been twice before in this segment, and has come back from, is no change.
//! 6. The three tests have one p by Simes' method. The p-values of all series of a night are adjusted by Benjamini and Hochberg. What is at most 5 % then is a **suspect**, and so is a series with a change point that it did not have yesterday.
//! 7. A suspect is measured again, several times. It is **confirmed** if all of these numbers are nearer to the new level than to the
//!    old one and, unless a change point has shown it, their median is at least 3 % away and outside the 95 % interval of the next number.
//!    Several measurements need no floor of 5 % either.

use super::change_points::{ChangePoint, LEAST_SIDE, change_points_of, logarithms, segments};
use super::floors::Floors;
use super::noise::noise;
use crate::statistics::{Prediction, benjamini_hochberg, quantile, theil_sen_end};

/// The least number of nights before tonight.
const LEAST_NIGHTS: usize = 10;

/// The baseline has at most so many nights of the present segment.
const LONGEST_BASELINE: usize = 90;

/// The nights through which the line goes.
const FOUR_WEEKS: usize = 28;

/// The share of false suspects among all suspects of a night.
const FALSE_SHARE: f64 = 0.05;

/// A change point is yesterday's if it lies at most so many nights beside one of yesterday's.
const SAME_CHANGE: usize = 5;

/// Why there is too little to judge a series by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoBaseline {
    /// There are fewer nights than a baseline needs.
    TooFewNights {
        /// How many there are.
        nights: usize,
        /// How many there must be.
        needed: usize,
    },
    /// Tonight's value is no positive number.
    NoPositiveNumber,
}

/// Which nights were tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NightTest {
    /// Tonight's number against the nights before.
    Tonight,
    /// The median of the last three nights against the nights before.
    ThreeNights,
    /// The end of a line through the last four weeks against the nights before.
    FourWeeks,
}

impl NightTest {
    const ALL: [NightTest; 3] = [NightTest::Tonight, NightTest::ThreeNights, NightTest::FourWeeks];

    /// How many nights it tests.
    pub fn nights(self) -> usize {
        match self {
            NightTest::Tonight => 1,
            NightTest::ThreeNights => 3,
            NightTest::FourWeeks => FOUR_WEEKS,
        }
    }

    /// The mean of so many nights varies at least as much as what it tests.
    fn as_exact_as(self) -> usize {
        match self {
            NightTest::Tonight => 1,
            // The variance of the median of three normal numbers is 0.449.
            NightTest::ThreeNights => 2,
            // That of the end of a line through n numbers is (4 n - 2) / (n (n + 1)), a seventh for 27.
            NightTest::FourWeeks => 7,
        }
    }

    /// The number that stands for the tested nights.
    fn number(self, nights: &[f64]) -> Option<f64> {
        match self {
            NightTest::Tonight | NightTest::ThreeNights => median(nights),
            NightTest::FourWeeks => theil_sen_end(nights),
        }
    }
}

/// What tonight's number of one series says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tonight {
    /// The level of the nights before.
    pub level: f64,
    /// The lower end of the interval in which the next number lies in 95 % of nights.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Tonight's number.
    pub value: f64,
    /// The clearest of the three tests. One that passes the floors is clearer than one that does not.
    pub test: NightTest,
    /// The p of "nothing changed", corrected for the number of tests, but not for the number of series.
    pub p: f64,
    /// Whether the change passes the floors.
    pub passes_floors: bool,
    /// The change point that tonight's number has shown, if yesterday's series did not have it.
    pub new_change: Option<ChangePoint>,
    /// From where to where the suspicion goes, as logarithms.
    from: f64,
    to: f64,
    noise: Prediction,
    floors: Floors,
}

impl Tonight {
    /// The change that the suspicion is about, as a share: 0.05 is 5 % more. With a new change point, it is that of the levels.
    pub fn change(&self) -> f64 {
        (self.to - self.from).exp_m1()
    }

    /// The place of the first point of the change in its series, in which tonight's is the one at `tonight`. A drift has no first point:
    /// what has drifted is no baseline for what comes next, so it begins tonight.
    pub(super) fn begins(&self, tonight: usize) -> usize {
        match (self.new_change, self.test) {
            (Some(change), _) => change.at,
            (None, NightTest::ThreeNights) => tonight.saturating_sub(NightTest::ThreeNights.nights() - 1),
            (None, NightTest::Tonight | NightTest::FourWeeks) => tonight,
        }
    }

    /// Whether it is a suspect, with the p that is adjusted over all series of the night.
    pub(super) fn is_suspect(&self, adjusted: f64) -> bool {
        self.new_change.is_some() || (self.passes_floors && adjusted <= FALSE_SHARE)
    }

    /// Whether fresh measurements alert again.
    pub fn confirmed_by(&self, fresh: &[f64]) -> bool {
        let (_, logs) = logarithms(fresh);
        let Some(median) = median(&logs) else { return false };
        let share = |log: f64| (log - self.from) / (self.to - self.from);
        let stays = logs.iter().all(|log| share(*log) > 0.5);
        let alerts = || {
            self.floors.passes(self.floors.history, self.from, median) && self.noise.p(median - self.from, 1) <= 0.05
        };
        stays && (self.new_change.is_some() || alerts())
    }
}

/// What one test says.
#[derive(Debug, Clone, Copy)]
struct Tested {
    test: NightTest,
    to: f64,
    p: f64,
    passes: bool,
    noise: Prediction,
}

/// Judges one series. `earlier` are its numbers before tonight, the oldest first.
///
/// # Errors
/// If there is too little to judge by.
pub fn judge_tonight(earlier: &[f64], value: f64, floors: &Floors) -> Result<Tonight, NoBaseline> {
    if !(value.is_finite() && value > 0.0) {
        return Err(NoBaseline::NoPositiveNumber);
    }
    let (places, mut logs) = logarithms(earlier);
    let too_few = NoBaseline::TooFewNights { nights: logs.len(), needed: LEAST_NIGHTS };
    if logs.len() < LEAST_NIGHTS {
        return Err(too_few);
    }
    let known = change_points_of(&logs, floors);
    logs.push(value.ln());
    let tests: Vec<Tested> =
        NightTest::ALL.into_iter().filter_map(|test| tested(test, &logs, &known, floors)).collect();
    // The smallest of p-values that are adjusted like this is the p of all tests together (Simes 1986).
    let p_values: Vec<f64> = tests.iter().map(|one| one.p).collect();
    let p = benjamini_hochberg(&p_values).into_iter().fold(1.0, f64::min);
    let clearest = tests.into_iter().min_by(|one, other| {
        (!one.passes, one.p).partial_cmp(&(!other.passes, other.p)).unwrap_or(std::cmp::Ordering::Equal)
    });
    let (Some(clearest), Some(nights_before)) = (clearest, baseline(&logs[..logs.len() - 1], &known)) else {
        return Err(too_few);
    };
    let is_new = |change: &ChangePoint| !known.iter().any(|old| old.at.abs_diff(change.at) <= SAME_CHANGE);
    let new_change = change_points_of(&logs, floors).last().copied().filter(is_new);
    let interval = nights_before.interval(0.95);
    Ok(Tonight {
        level: nights_before.level.exp(),
        low: interval.low.exp(),
        high: interval.high.exp(),
        value,
        test: clearest.test,
        p,
        passes_floors: clearest.passes,
        from: new_change.map_or(clearest.noise.level, |change| change.before),
        to: new_change.map_or(clearest.to, |change| change.after),
        new_change: new_change.map(|change| ChangePoint {
            at: places.get(change.at).copied().unwrap_or(earlier.len()),
            before: change.before.exp(),
            after: change.after.exp(),
            p: change.p,
        }),
        noise: clearest.noise,
        floors: *floors,
    })
}

/// Which series of a night are suspects. All series that were judged belong here, because their p-values are one family.
pub fn suspects(judged: &[Tonight]) -> Vec<bool> {
    let p_values: Vec<f64> = judged.iter().map(|one| one.p).collect();
    let adjusted = benjamini_hochberg(&p_values);
    judged.iter().zip(adjusted).map(|(one, p)| one.is_suspect(p)).collect()
}

/// `None` if the present segment has too few nights before the tested ones.
fn tested(test: NightTest, logs: &[f64], known: &[ChangePoint], floors: &Floors) -> Option<Tested> {
    let since = known.last().map_or(0, |change| change.at);
    let end = logs.len().checked_sub(test.nights())?;
    let least = if test == NightTest::FourWeeks { LEAST_NIGHTS } else { LEAST_SIDE };
    if end < since + least {
        return None;
    }
    let noise = baseline(&logs[..end], known)?;
    let to = test.number(&logs[end..])?;
    let (relative, p) = match test {
        NightTest::Tonight => (floors.tonight, noise.p(to - noise.level, test.as_exact_as())),
        NightTest::ThreeNights | NightTest::FourWeeks => {
            (floors.history, noise.p(to - noise.level, test.as_exact_as()))
        }
    };
    let p = if has_returned(&logs[since..end], noise.level, to) { 1.0 } else { p };
    Some(Tested { test, to, p, passes: floors.passes(relative, noise.level, to), noise })
}

/// The level and the noise of the nights in `logs`, of which the last belong to the present segment.
fn baseline(logs: &[f64], known: &[ChangePoint]) -> Option<Prediction> {
    let mut all = segments(known, logs.len());
    let present = all.last_mut()?;
    present.start = present.start.max(logs.len().saturating_sub(LONGEST_BASELINE));
    noise(logs, &all)
}

/// Whether the segment has been near `to` at least twice, and has come back to `level` from there.
fn has_returned(segment: &[f64], level: f64, to: f64) -> bool {
    let share = |number: &f64| (number - level) / (to - level);
    let is_near = |number: &&f64| (0.75..=1.5).contains(&share(number));
    // The last nights may be at a new level, from which the series has not come back.
    let stays = segment.iter().rev().take_while(|number| share(number) > 0.5).count();
    segment[..segment.len() - stays].iter().filter(is_near).count() >= 2
}

/// `None` without a number.
fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    (!sorted.is_empty()).then(|| quantile(&sorted, 0.5))
}
