//! Segments: the stretches of a series in which its level stayed the same.

use std::ops::Range;

use super::change_points::logarithms;
use super::rules::Rules;
use super::series::Series;
use crate::statistics::huber;

/// A stretch of a series between two changes: change points, and the beginnings of epochs.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Its points, as indices of [`Series::points`].
    pub points: Range<usize>,
    /// Its level. `None` for a number that is not judged as a series, and if no value is positive.
    pub level: Option<f64>,
    /// The change from the level of the segment before, as a share. `None` at the beginning of an epoch.
    pub change: Option<f64>,
    /// Why an epoch begins with it; `None` if it begins at a change point, or with the series.
    pub why: Option<String>,
}

impl Series {
    /// Its segments in the order of time. Together they have all points of the series, and each of them once.
    pub fn segments(&self, rules: &Rules) -> Vec<Segment> {
        let mut starts: Vec<usize> = self.change_points(rules).iter().map(|change| change.at).collect();
        starts.extend(self.epochs.iter().map(|epoch| epoch.first));
        starts.retain(|start| *start < self.points.len());
        starts.sort_unstable();
        starts.dedup();
        let mut segments: Vec<Segment> = Vec::with_capacity(starts.len());
        for (index, start) in starts.iter().enumerate() {
            let points = *start..starts.get(index + 1).copied().unwrap_or(self.points.len());
            let epoch = self.epochs.iter().find(|epoch| epoch.first == *start);
            let level = self.level(points.clone());
            let before = segments.last().and_then(|segment| segment.level).filter(|_| epoch.is_none());
            let change = before.zip(level).map(|(before, level)| level / before - 1.0);
            segments.push(Segment { points, level, change, why: epoch.and_then(|epoch| epoch.why.clone()) });
        }
        segments
    }

    /// The level of these points, as [`super::change_points()`] measures levels.
    fn level(&self, points: Range<usize>) -> Option<f64> {
        if self.key.quantity.is_quality() || self.key.quantity.is_estimate() {
            return None;
        }
        let values: Vec<f64> = self.points[points].iter().map(|point| point.value).collect();
        let (_, logs) = logarithms(&values);
        huber(&logs).map(|found| found.level.exp())
    }
}
