//! Numbers formatted for people: three significant digits and a unit.

use crate::metric::Metric;

/// `x` with `digits` significant digits, never with an exponent.
pub(crate) fn significant(x: f64, digits: i32) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let magnitude = |x: f64| x.abs().log10().floor() as i32;
    // Rounding may carry into a new digit: 9.996 becomes 10.0, not 10.00.
    let factor = 10f64.powi(digits - 1 - magnitude(x));
    let rounded = (x * factor).round() / factor;
    let decimals = (digits - 1 - magnitude(rounded)).max(0) as usize;
    format!("{rounded:.decimals$}")
}

/// `x` with an SI prefix, so that one to three digits stand before the decimal point: `12.3 ms`, `4.5 kJ`. Seconds
/// never get a prefix above one, because nobody reads kiloseconds.
pub(crate) fn si(x: f64, unit: &str) -> String {
    const PREFIXES: &[(f64, &str)] =
        &[(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n")];
    let usable = |scale: f64| !(unit == "s" && scale > 1.0);
    let rounded = significant(x, 3).parse::<f64>().unwrap_or(x).abs();
    let (scale, prefix) = PREFIXES
        .iter()
        .copied()
        .find(|(scale, _)| usable(*scale) && rounded >= *scale)
        .unwrap_or(if x == 0.0 { (1.0, "") } else { (1e-9, "n") });
    format!("{} {prefix}{unit}", significant(x / scale, 3)).trim_end().to_owned()
}

/// A score. Scores below 10 get three decimals, larger ones three significant digits. A huge score and a small error
/// get an exponent.
pub(crate) fn score(metric: &Metric, x: f64) -> String {
    if metric.needs_power(x) {
        format!("{x:.2e}")
    } else if x.abs() < 10.0 {
        format!("{x:.3}")
    } else {
        significant(x, 3)
    }
}

/// A share in percent, without zeros at its end: `12.5`.
pub fn percent(share: f64) -> String {
    // Rounded to what a suite writes: 0.07 times 100 is 7.000000000000001.
    ((share * 1e8).round() / 1e6).to_string()
}

/// A p-value.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

/// `1 case`, `2 cases`.
pub(crate) fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// The first few names, and the number of names left out.
pub(crate) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::metric::metric;

    #[test]
    fn numbers_have_three_significant_digits_and_a_prefix() {
        for (x, unit, expected) in [
            (0.012_34, "s", "12.3 ms"),
            (0.000_999_96, "s", "1.00 ms"),
            (1234.0, "s", "1230 s"),
            (999.96, "J", "1.00 kJ"),
            (45_678.0, "1/s", "45.7 k1/s"),
            (0.0, "J", "0 J"),
            (272_474.0, "", "272 k"),
            (3.5e-7, "s", "350 ns"),
        ] {
            assert_eq!(si(x, unit), expected, "{x} {unit}");
        }
    }

    #[test]
    fn a_score_has_digits_that_say_something_at_any_size() {
        let shown = |name, x| score(metric(name).unwrap(), x);
        for (x, expected) in [
            (0.0, "0.000"),
            (0.25, "0.250"),
            (123.4, "123"),
            (3.456e-13, "3.46e-13"),
            (0.004, "4.00e-3"),
            (2.5e76, "2.50e76"),
        ] {
            assert_eq!(shown("mse", x), expected, "{x}");
        }
        // A share of one that rounds to zero is shown as zero, and a rounding error is not shown as a result.
        assert_eq!(shown("accuracy", 0.0004), "0.000");
        assert_eq!(shown("pearson", 2.2e-17), "0.000");
    }

    #[test]
    fn rounding_up_to_the_next_power_of_ten_keeps_the_digits() {
        assert_eq!(significant(9.996, 3), "10.0");
        assert_eq!(significant(-0.000_123_45, 3), "-0.000123");
    }
}
