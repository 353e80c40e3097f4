//! A line through numbers that few outliers move little.

use super::quantile;

/// The last point of the line through equally distant numbers: its slope is the median of the slopes of all pairs, and its height is such that
/// half of the numbers are above it. Theil 1950 and Sen 1968, "Estimates of the regression coefficient based on Kendall's tau"; as
/// scipy's `theilslopes`, but for the height: there the line goes through the median of the numbers in the middle of the places. `None`
/// for fewer than two numbers.
pub fn theil_sen_end(values: &[f64]) -> Option<f64> {
    let mut slopes = Vec::with_capacity(values.len() * values.len().saturating_sub(1) / 2);
    for (later, value) in values.iter().enumerate() {
        let slope = |(earlier, other): (usize, &f64)| (value - other) / (later - earlier) as f64;
        slopes.extend(values[..later].iter().enumerate().map(slope));
    }
    if slopes.is_empty() {
        return None;
    }
    slopes.sort_by(f64::total_cmp);
    let slope = quantile(&slopes, 0.5);
    let last = values.len() - 1;
    let mut ends: Vec<f64> = values.iter().enumerate().map(|(at, value)| value + slope * (last - at) as f64).collect();
    ends.sort_by(f64::total_cmp);
    Some(quantile(&ends, 0.5))
}
