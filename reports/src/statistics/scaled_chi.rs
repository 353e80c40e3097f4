//! The scaled chi distribution: that of an estimated standard deviation divided by the true one.

/// From here on the estimate is as good as exact: its relative deviation, `1 / √(2 df)`, is below 1e-7, and that of the
/// expectation of a smooth function is its square.
const AS_GOOD_AS_INFINITE: f64 = 1e14;

/// The expectation of `function(S)`, where `S = √(χ²_df / df)`. With it, a distribution for a known deviation becomes
/// that for a deviation estimated with `degrees` of freedom: Student's t is `E[Φ(t S)]`.
///
/// It is an integral over `x = ln S`, whose density is proportional to `exp(df (x + (1 - e^{2x}) / 2))`. The
/// trapezoidal rule is accurate to about 1e-13 there, because the integrand is analytic and falls to zero at both ends
/// (Trefethen and Weideman 2014, *The exponentially convergent trapezoidal rule*, section 5). `function` must be
/// analytic and bounded. `steepness` says over which share of `S` it may change: 1 for functions of a multiple of `S`,
/// and `d` if it goes from one end of its range to the other while `S` changes by the share `1 / d`. Infinite degrees
/// of freedom give `function(1)`.
pub(super) fn expectation(degrees: f64, steepness: f64, function: impl Fn(f64) -> f64) -> f64 {
    if degrees >= AS_GOOD_AS_INFINITE {
        return function(1.0);
    }
    // The width of the density is 1 / √(2 df) for many degrees, and its right flank has a fixed steepness for few.
    let step = (0.3 / degrees.sqrt()).min(0.05).min(0.5 / steepness);
    let (mut sum, mut weights) = (0.0, 0.0);
    let mut add = |x: f64| {
        let log_weight = 0.5 * degrees * (2.0 * x - (2.0 * x).exp_m1());
        // e^-38 is 3e-17.
        let matters = log_weight > -38.0;
        if matters {
            weights += log_weight.exp();
            sum += log_weight.exp() * function(x.exp());
        }
        matters
    };
    add(0.0);
    let mut up = 1.0;
    while add(up * step) {
        up += 1.0;
    }
    let mut down = 1.0;
    while add(-down * step) {
        down += 1.0;
    }
    sum / weights
}
