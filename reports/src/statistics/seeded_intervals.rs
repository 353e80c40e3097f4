//! In which stretches of a series a single change is looked for.

use std::ops::Range;

/// The seeded intervals of a series of `n` points: stretches of all lengths from `n` down to `shortest`, each length `1/√2` of the one before,
/// which overlap so that a change and enough points around it lie in at least one of them alone. Kovács, Bühlmann, Li and Munk 2023,
/// "Seeded binary segmentation: a general methodology for fast and optimal changepoint detection", definition 1, with two more stretches
/// where the length is an even share of `n`. A split of the whole series would miss a level that came and went. The longest is first.
pub(crate) fn seeded_intervals(n: usize, shortest: usize) -> Vec<Range<usize>> {
    let mut intervals = Vec::new();
    for layer in 0_i32.. {
        // How many times the length goes into the series; exact for every other layer.
        let factor = 2.0_f64.powf(f64::from(layer) / 2.0);
        let length = (n as f64 / factor).ceil() as usize;
        if length < shortest.max(2) {
            break;
        }
        let steps = 2 * factor.floor() as usize;
        let step = (n - length) as f64 / steps as f64;
        for index in 0..=steps {
            let start = (index as f64 * step).floor() as usize;
            let end = ((index as f64 * step).ceil() as usize + length).min(n);
            let interval = start..end;
            if intervals.last() != Some(&interval) {
                intervals.push(interval);
            }
        }
    }
    intervals
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::seeded_intervals;

    #[test]
    fn intervals_of_twenty_points_are_these() {
        let lengths: Vec<(usize, usize)> = seeded_intervals(20, 10).iter().map(|one| (one.start, one.end)).collect();
        assert_eq!(lengths, [(0, 20), (0, 15), (2, 18), (5, 20), (0, 10), (2, 13), (5, 15), (7, 18), (10, 20)]);
        assert!(seeded_intervals(9, 10).is_empty());
        assert!(seeded_intervals(0, 10).is_empty());
    }

    proptest! {
        #[test]
        fn every_interval_lies_in_the_series_and_has_the_shortest_length(n in 10_usize..800, shortest in 2_usize..12) {
            let intervals = seeded_intervals(n, shortest);
            prop_assert_eq!(intervals.first(), Some(&(0..n)));
            for one in &intervals {
                prop_assert!(one.end <= n && one.len() >= shortest);
            }
            // About 2 n log₂ n points in all, so that a year of every series is judged at once.
            let points: usize = intervals.iter().map(ExactSizeIterator::len).sum();
            prop_assert!((points as f64) < 8.0 * n as f64 * (n as f64).log2());
        }

        #[test]
        fn a_level_that_came_and_went_has_an_interval_in_which_it_is_much(n in 60_usize..400, at in 0.2..0.6_f64) {
            // A level of twelve points somewhere: some interval holds its end, five of it and five of what follows, and little more.
            let end = (at * n as f64) as usize + 12;
            let good = |one: &std::ops::Range<usize>| one.start + 5 <= end && end + 5 <= one.end && one.len() <= 32;
            prop_assert!(seeded_intervals(n, 10).iter().any(good));
        }
    }
}
