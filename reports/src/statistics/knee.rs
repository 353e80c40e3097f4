//! The knee of a curve: from where on more of one thing gives little more of the other.

/// The index of the knee of a curve that rises and flattens, whose points are in the order of `x`.
///
/// Both axes are scaled to 0..1. The knee is the point that is the farthest above the straight line from corner to corner, that is
/// the one with the largest `y - x`: Kneedle without smoothing and with sensitivity 0 (Satopää, Albrecht, Irwin and Raghavan 2011,
/// "Finding a 'Kneedle' in a Haystack: Detecting Knee Points in System Behavior").
///
/// `None` for fewer than three points, for a curve that does not vary, and for one that is nowhere above that line, such as a
/// straight one.
pub fn knee(points: &[(f64, f64)]) -> Option<usize> {
    if points.len() < 3 || points.iter().any(|(x, y)| !(x.is_finite() && y.is_finite())) {
        return None;
    }
    let range = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        (high > low).then_some((low, high - low))
    };
    let (left, width) = range(&mut points.iter().map(|(x, _)| *x))?;
    let (low, height) = range(&mut points.iter().map(|(_, y)| *y))?;
    let above = |(x, y): &(f64, f64)| (y - low) / height - (x - left) / width;
    // Rounding puts the points of a straight line a little above it.
    const LEAST: f64 = 1e-9;
    let (mut knee, mut most) = (None, LEAST);
    for (index, point) in points.iter().enumerate() {
        if above(point) > most {
            (knee, most) = (Some(index), above(point));
        }
    }
    knee
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_knee_of_the_paper_s_example_is_where_the_paper_has_it() {
        // Figure 2 of the paper, and `DataGenerator.figure2` of the Python package kneed, which finds 0.2222.
        let points: Vec<(f64, f64)> =
            (0..10).map(|i| f64::from(i) / 9.0).map(|x| (x, -1.0 / (x + 0.1) + 5.0)).collect();
        assert_eq!(knee(&points), Some(2));
    }

    #[test]
    fn the_knee_does_not_depend_on_units() {
        let curve = |scale: f64, shift: f64| -> Vec<(f64, f64)> {
            (0..11).map(|i| (f64::from(i) * scale, (1.0 - 0.5_f64.powi(i)) * scale + shift)).collect()
        };
        assert_eq!(knee(&curve(1.0, 0.0)), knee(&curve(1e6, -3.0)));
        assert_eq!(knee(&curve(1.0, 0.0)), Some(3));
    }

    #[test]
    fn a_straight_line_a_flat_one_and_one_that_bends_up_have_no_knee() {
        let of = |y: &dyn Fn(f64) -> f64| (0..11).map(|i| (f64::from(i), y(f64::from(i)))).collect::<Vec<_>>();
        assert_eq!(knee(&of(&|x| 0.1 * x + 7.0)), None);
        assert_eq!(knee(&of(&|_| 7.0)), None);
        assert_eq!(knee(&of(&|x| x * x)), None);
        assert_eq!(knee(&of(&|x| x)[..2]), None);
        assert_eq!(knee(&[(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0)]), None);
    }
}
