//! Where a continuous function is zero.

/// How small the bracket of a root becomes, as a share of the root.
const TOLERANCE: f64 = 1e-14;

/// The zero of `function` between `low` and `high`, at which its signs differ, to about [`TOLERANCE`]. Each step is an
/// inverse quadratic interpolation where that is safe and a bisection where it is not (Chandrupatla 1997, *A new hybrid
/// quadratic/bisection algorithm for finding the zero of a nonlinear function without using derivatives*).
pub(super) fn root(function: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    // The zero lies between `near`, which is the newest point, and `far`.
    let mut near = (high, function(high));
    let mut far = (low, function(low));
    let mut step = 0.5;
    loop {
        let x = near.0 + step * (far.0 - near.0);
        let new = (x, function(x));
        let dropped = if (new.1 > 0.0) == (near.1 > 0.0) { near } else { std::mem::replace(&mut far, near) };
        near = new;
        let best = if near.1.abs() < far.1.abs() { near } else { far };
        let smallest = (TOLERANCE * best.0.abs() + f64::MIN_POSITIVE) / (far.0 - near.0).abs();
        if best.1 == 0.0 || smallest > 0.5 {
            return best.0;
        }
        step = interpolated(near, far, dropped).unwrap_or(0.5).clamp(smallest, 1.0 - smallest);
    }
}

/// Chandrupatla's step from `near` towards `far`, as a share of the way; `None` where the parabola through the three
/// points may not be monotone, so that a bisection is better.
fn interpolated(near: (f64, f64), far: (f64, f64), dropped: (f64, f64)) -> Option<f64> {
    let ((x1, f1), (x2, f2), (x3, f3)) = (near, far, dropped);
    let xi = (x1 - x2) / (x3 - x2);
    let phi = (f1 - f2) / (f3 - f2);
    let safe = phi * phi < xi && (1.0 - phi).powi(2) < 1.0 - xi;
    safe.then(|| f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2))
}

/// The upper end of a bracket that begins at 0: the first of 1, 2, 4, … at which an increasing function is positive.
pub(super) fn upper_end(function: impl Fn(f64) -> f64) -> f64 {
    let mut high = 1.0;
    while function(high) <= 0.0 {
        high *= 2.0;
    }
    high
}
