//! The knee of a curve: from where on more of one thing gives little more of the other.

/// How far a curve may fall below what it has reached before, as a share of its height: less is the spread of measurements.
const MOST_FALL: f64 = 0.1;

/// How far the knee must be above the straight line, as a share of the height. A line that is straight but for the spread of measurements
/// has no point so far above it.
const LEAST_ABOVE: f64 = 0.1;

/// The index of the knee of a curve that rises and then flattens, whose points are in the order of `x`.
///
/// Both axes are scaled to 0..1. The knee is the point that is the farthest above the straight line from corner to corner, that is
/// the one with the largest `y - x`: Kneedle without smoothing and with sensitivity 0 (Satopää, Albrecht, Irwin and Raghavan 2011,
/// "Finding a 'Kneedle' in a Haystack: Detecting Knee Points in System Behavior").
///
/// Kneedle takes the curve as concave and increasing. On any other curve it finds a point too, such as a local peak. So the answer is
/// `None` if the curve falls by more than a tenth of its height below what it has reached, or if no point is a tenth of the height
/// above the straight line. It is also `None` for fewer than three points and for a curve that does not vary.
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
    let scaled = points.iter().map(|(x, y)| ((x - left) / width, (y - low) / height));
    let (mut reached, mut knee, mut most) = (f64::NEG_INFINITY, None, LEAST_ABOVE);
    for (index, (x, y)) in scaled.enumerate() {
        reached = y.max(reached);
        if reached - y > MOST_FALL {
            return None;
        }
        if y - x > most {
            (knee, most) = (Some(index), y - x);
        }
    }
    knee
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    fn in_steps(values: &[f64]) -> Vec<(f64, f64)> {
        (0..).zip(values).map(|(x, y)| (f64::from(x), *y)).collect()
    }

    #[test]
    fn a_falling_line_and_a_peak_that_is_followed_by_a_fall_have_no_knee() {
        for values in [
            // What a resnet, a cnn, an mlp and a gru predicted a second in calls of 1 to 64 examples, while other programs ran.
            &[1196.0, 1721.9, 1415.8, 986.1, 887.4, 1171.9, 1371.9][..],
            &[831.7, 1159.8, 753.3, 934.4, 1002.4, 1001.0, 1136.3],
            &[14_127.1, 4305.6, 1544.1, 28_886.8, 29_128.5, 30_814.3, 14_563.2],
            &[2996.8, 1881.0, 4063.4, 5523.4, 1365.1, 2652.0, 5091.0],
            &[9.0, 8.0, 6.0, 3.0, 1.0],
            &[1.0, 8.0, 9.0, 9.0, 6.0],
        ] {
            assert_eq!(knee(&in_steps(values)), None, "{values:?}");
        }
    }

    #[test]
    fn a_plateau_and_a_slope_may_have_the_spread_of_measurements() {
        let flattens = in_steps(&[100.0, 210.0, 390.0, 800.0, 1580.0, 1600.0, 1520.0, 1590.0]);
        assert_eq!(knee(&flattens), Some(4));
        let straight = in_steps(&[100.0, 206.0, 299.0, 404.0, 499.0, 605.0]);
        assert_eq!(knee(&straight), None, "no point is far above the straight line");
    }

    proptest! {
        #[test]
        fn what_has_a_knee_rises_steeper_before_it_than_after_it(values in prop::collection::vec(0.0..1e6_f64, 3..12)) {
            let points = in_steps(&values);
            if let Some(knee) = knee(&points) {
                let last = values.len() - 1;
                prop_assert!(0 < knee && knee < last, "{knee} is an end");
                let before = (values[knee] - values[0]) / knee as f64;
                let after = (values[last] - values[knee]) / (last - knee) as f64;
                prop_assert!(before > after, "{before} before, {after} after");
            }
        }

        #[test]
        fn what_does_not_rise_has_no_knee(mut values in prop::collection::vec(0.0..1e6_f64, 3..12)) {
            values.sort_by(|one, other| other.total_cmp(one));
            prop_assert_eq!(knee(&in_steps(&values)), None);
        }
    }
}
