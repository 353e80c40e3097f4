//! Functions of one number that the compiler turns into vector instructions. It does not do that with the standard
//! library's functions.

/// e^x with a relative error of about 1e-7: 2^n times a polynomial (Cephes).
#[expect(clippy::excessive_precision, reason = "the constants of Cephes, as published")]
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves a whole number in the lowest bits
    let x = x.clamp(-87.0, 87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_375 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_15e-4;
    for coefficient in [1.398_199_95e-3, 8.333_451_9e-3, 4.166_579_6e-2, 1.666_666_55e-1, 5.000_000_12e-1] {
        p = p * r + coefficient;
    }
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    (p * r * r + r + 1.0) * power
}

#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

/// The distribution function and the density of the standard normal distribution, with an error of about 2e-7. The first is
/// Abramowitz and Stegun 1964, 7.1.26.
#[inline(always)]
pub(super) fn normal(x: f32) -> (f32, f32) {
    let bell = exp(-0.5 * x * x);
    let t = 1.0 / (1.0 + 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2 * x.abs());
    let mut p = 1.061_405_4_f32;
    for coefficient in [-1.453_152_1, 1.421_413_8, -0.284_496_72, 0.254_829_6] {
        p = p * t + coefficient;
    }
    let beyond = 0.5 * p * t * bell;
    let below = if x < 0.0 { beyond } else { 1.0 - beyond };
    (below, bell * 0.398_942_3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_is_right_to_seven_digits() {
        for step in -900..=900 {
            let x = step as f32 / 100.0;
            let wide = f64::from(x);
            let below = 0.5 * (1.0 + libm::erf(wide * std::f64::consts::FRAC_1_SQRT_2));
            let density = (-0.5 * wide * wide).exp() / std::f64::consts::TAU.sqrt();
            let (ours, bell) = normal(x);
            assert!((f64::from(ours) - below).abs() < 3e-7, "{ours} is not {below} at {x}");
            assert!((f64::from(bell) - density).abs() < 1e-7, "{bell} is not {density} at {x}");
        }
    }

    #[test]
    fn the_exponential_is_right_to_a_few_units_in_the_last_place() {
        for step in -8_600..=8_600 {
            let x = step as f32 / 100.0;
            let want = f64::from(x).exp();
            assert!((f64::from(exp(x)) / want - 1.0).abs() < 4e-7, "exp({x}) is {}", exp(x));
        }
        assert!(exp(-1e9) < 1e-37 && exp(1e9) > 1e37);
    }
}
