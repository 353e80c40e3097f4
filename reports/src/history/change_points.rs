//! Since when a series is where it is: the nights at which its level changed.
//!
//! The rule, in words:
//!
//! 1. Times, joules and bytes change by factors, so the rule sees logarithms. Values that are no positive numbers are left out.
//! 2. In many stretches of the series ([`seeded_intervals`]), the split is found whose two sides differ most by ranks ([`rank_split`]).
//! 3. A split is a change if three things hold. The ranks differ by more than the best of many splits would by chance. The levels of the
//!    two sides differ by more than noise explains that resembles itself from night to night. And they differ by the floors.
//! 4. The clearest change divides the series, and both parts are searched in the same way.
//! 5. In the end each change must hold between its two neighbours. Those that do not are taken back, the least certain first.
//!
//! Each side has at least five nights, so a single spike is never a change.

use std::ops::Range;

use super::floors::Floors;
use super::noise::noise;
use crate::statistics::{huber, rank_split, seeded_intervals, step_place};

/// The least number of nights on each side of a change.
pub(super) const LEAST_SIDE: usize = 5;

/// The largest p of a change. It is small because every series is searched again every night.
const LARGEST_P: f64 = 0.001;

/// A night at which the level of a series changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// The first point of the new level: its place in the series.
    pub at: usize,
    /// The level before, up to the change point before this one.
    pub before: f64,
    /// The level from here on, up to the next change point.
    pub after: f64,
    /// The p of "nothing changed here", the larger one of that of the ranks and that of the levels.
    pub p: f64,
}

impl ChangePoint {
    /// The change as a share of the level before: 0.05 is 5 % more.
    pub fn change(&self) -> f64 {
        self.after / self.before - 1.0
    }
}

/// The change points of a series, in their order. The same values give the same change points.
pub fn change_points(values: &[f64], floors: &Floors) -> Vec<ChangePoint> {
    let (places, logs) = logarithms(values);
    let mut found = change_points_of(&logs, floors);
    for change in &mut found {
        change.at = places[change.at];
        change.before = change.before.exp();
        change.after = change.after.exp();
    }
    found
}

/// The logarithms of the values that have one, each with its place.
pub(super) fn logarithms(values: &[f64]) -> (Vec<usize>, Vec<f64>) {
    values
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_finite() && **value > 0.0)
        .map(|(at, value)| (at, value.ln()))
        .unzip()
}

/// The change points of logarithms, with levels as logarithms.
pub(super) fn change_points_of(logs: &[f64], floors: &Floors) -> Vec<ChangePoint> {
    let mut splits = Vec::new();
    search(logs, 0..logs.len(), floors, &mut splits);
    splits.sort_unstable();
    settle(logs, floors, splits)
}

/// The segments between change points.
pub(super) fn segments(changes: &[ChangePoint], end: usize) -> Vec<Range<usize>> {
    let starts = std::iter::once(0).chain(changes.iter().map(|change| change.at));
    let ends = changes.iter().map(|change| change.at).chain(std::iter::once(end));
    starts.zip(ends).map(|(start, end)| start..end).collect()
}

/// Finds the clearest change in `range` and goes on in both parts.
fn search(logs: &[f64], range: Range<usize>, floors: &Floors, splits: &mut Vec<usize>) {
    let mut clearest: Option<ChangePoint> = None;
    for interval in seeded_intervals(range.len(), 2 * LEAST_SIDE) {
        let interval = range.start + interval.start..range.start + interval.end;
        let Some(found) = change_within(logs, interval, floors) else { continue };
        if clearest.is_none_or(|change| found.p < change.p) {
            clearest = Some(found);
        }
    }
    if let Some(change) = clearest {
        splits.push(change.at);
        search(logs, range.start..change.at, floors, splits);
        search(logs, change.at..range.end, floors, splits);
    }
}

/// Moves each split to the best place between its neighbours and takes back what is no change there, the least certain first.
fn settle(logs: &[f64], floors: &Floors, mut splits: Vec<usize>) -> Vec<ChangePoint> {
    loop {
        let mut changes = Vec::with_capacity(splits.len());
        for index in 0..splits.len() {
            let start = if index == 0 { 0 } else { splits[index - 1] };
            let end = splits.get(index + 1).copied().unwrap_or(logs.len());
            let best = best_within(logs, start..end);
            if let Some(change) = best {
                splits[index] = change.at;
            }
            changes.push(best);
        }
        let doubt = |change: &Option<ChangePoint>| match change {
            Some(change) if floors.passes(floors.history, change.before, change.after) => change.p,
            _ => f64::INFINITY,
        };
        let worst = (0..changes.len()).max_by(|one, other| doubt(&changes[*one]).total_cmp(&doubt(&changes[*other])));
        match worst {
            Some(index) if doubt(&changes[index]) > LARGEST_P => drop(splits.remove(index)),
            _ => return changes.into_iter().flatten().collect(),
        }
    }
}

/// The change within `range`, if its best split is one.
fn change_within(logs: &[f64], range: Range<usize>, floors: &Floors) -> Option<ChangePoint> {
    let split = rank_split(&logs[range.clone()], LEAST_SIDE)?;
    if split.p > LARGEST_P {
        return None;
    }
    let change = best_within(logs, range)?;
    (change.p <= LARGEST_P && floors.passes(floors.history, change.before, change.after)).then_some(change)
}

/// The best split of `range`, whether or not it is a change.
fn best_within(logs: &[f64], range: Range<usize>) -> Option<ChangePoint> {
    let numbers = &logs[range.clone()];
    let split = rank_split(numbers, LEAST_SIDE)?;
    let levels = |at: usize| Some((huber(&numbers[..at])?.level, huber(&numbers[at..])?.level));
    // The ranks say that there is a step, and the levels say where.
    let (before, after) = levels(split.at)?;
    let at = step_place(numbers, before, after, LEAST_SIDE)?;
    let (before, after) = levels(at)?;
    let noise = noise(numbers, &[0..at, at..numbers.len()])?.with_level_of(before, at);
    // One of so many splits was the best.
    let searched = (numbers.len() - 2 * LEAST_SIDE + 1) as f64;
    let of_levels = (noise.p(after - before, numbers.len() - at) * searched).min(1.0);
    Some(ChangePoint { at: range.start + at, before, after, p: split.p.max(of_levels) })
}
