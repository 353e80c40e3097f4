//! Where a step between two known levels is.

/// How many numbers are before the step from the level `before` to the level `after`, of which at least `least` are on each side: the split
/// that is most likely for normal noise (Hinkley 1970, "Inference about the change-point in a sequence of random variables", section 2), where
/// a number beyond a level counts as if it were on it. The first of equal ones. `None` if there are fewer than `2 least` numbers.
///
/// Ranks find that there is a step, but not exactly where: the highest number before it has nearly the rank of those after it, even if it
/// is far below them.
pub fn step_place(values: &[f64], before: f64, after: f64, least: usize) -> Option<usize> {
    let middle = f64::midpoint(before, after);
    let half = (after - before) / 2.0;
    let reach = half.abs();
    // What each number says for being after the step, less what it says for being before it.
    let mut sum = 0.0;
    let mut best: Option<(usize, f64)> = None;
    for at in (least.max(1)..values.len()).rev() {
        sum += (values[at] - middle).clamp(-reach, reach) * half.signum();
        let allowed = values.len() - at >= least;
        if allowed && best.is_none_or(|(_, most)| sum >= most) {
            best = Some((at, sum));
        }
    }
    best.map(|(at, _)| at)
}
