//! Where a condition ends on the way from one place to another.

/// How often a step is halved at the place that is looked for.
const HALVINGS: usize = 30;

/// The first place on the way from `start` to `goal` at which `holds` is false; `None` if it is true on the whole way. The way is looked
/// at in `steps` steps, so a shorter interruption may be missed.
pub(crate) fn holds_until((start, goal): (f64, f64), steps: usize, holds: impl Fn(f64) -> bool) -> Option<f64> {
    let place = |step: usize| start + (goal - start) * step as f64 / steps as f64;
    let first = (0..=steps).find(|step| !holds(place(*step)))?;
    let Some(before) = first.checked_sub(1) else { return Some(start) };
    let (mut inside, mut outside) = (place(before), place(first));
    for _ in 0..HALVINGS {
        let middle = (inside + outside) / 2.0;
        if holds(middle) { inside = middle } else { outside = middle }
    }
    Some(outside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_where_a_condition_ends_is_found_from_both_directions() {
        let near = |found: Option<f64>, expected: f64| found.is_some_and(|found| (found - expected).abs() < 1e-6);
        assert!(near(holds_until((0.0, 4.0), 16, |place| place < 1.7), 1.7));
        assert!(near(holds_until((4.0, 0.0), 16, |place| place > 1.7), 1.7));
        assert_eq!(holds_until((0.0, 4.0), 16, |_| false), Some(0.0));
        assert_eq!(holds_until((0.0, 4.0), 16, |_| true), None);
    }
}
