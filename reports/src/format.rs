//! Numbers formatted for people: three significant digits and a unit.

use crate::metric::Metric;
use crate::statistics::Interval;

/// `x` with `digits` significant digits, never with an exponent.
pub(crate) fn significant(x: f64, digits: i32) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    rounded(x, places(x, digits))
}

/// How many places after the point `digits` significant digits of `x` take; below 0 if `x` is rounded to tens or more. `x` must be finite
/// and not 0.
fn places(x: f64, digits: i32) -> i32 {
    let magnitude = |x: f64| x.abs().log10().floor() as i32;
    // Rounding may carry into a new digit: 9.996 becomes 10.0, not 10.00.
    let factor = 10f64.powi(digits - 1 - magnitude(x));
    digits - 1 - magnitude((x * factor).round() / factor)
}

/// `x` rounded to this many places after the point, or to tens or more if they are below 0.
fn rounded(x: f64, places: i32) -> String {
    let factor = 10f64.powi(places);
    format!("{:.1$}", (x * factor).round() / factor, places.max(0) as usize)
}

/// `x` with an SI prefix, so that one to three digits stand before the decimal point: `12.3 ms`, `4.5 kJ`, `45.7 k/s`. Seconds
/// never get a prefix above one, because nobody reads kiloseconds, and plain numbers get none below one: `0.5`.
pub(crate) fn si(x: f64, unit: &str) -> String {
    let (scale, prefix) = si_prefix(x, unit);
    let unit = unit.strip_prefix('1').unwrap_or(unit);
    format!("{} {prefix}{unit}", significant(x / scale, 3)).trim_end().to_owned()
}

/// The prefix with which [`si`] writes a number, and how many units it stands for.
pub(crate) fn si_prefix(x: f64, unit: &str) -> (f64, &'static str) {
    const PREFIXES: &[(f64, &str)] =
        &[(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n")];
    let usable = |scale: f64| !(unit == "s" && scale > 1.0 || unit.is_empty() && scale < 1.0);
    let rounded = significant(x, 3).parse::<f64>().unwrap_or(x).abs();
    let found = PREFIXES.iter().copied().find(|(scale, _)| usable(*scale) && rounded >= *scale);
    found.unwrap_or(if x == 0.0 || unit.is_empty() { (1.0, "") } else { (1e-9, "n") })
}

/// A score. Scores below 10 get three decimals, larger ones three significant digits. A huge score and a small error
/// get an exponent.
pub(crate) fn score(metric: &Metric, x: f64) -> String {
    let [text] = scores(metric, [x]);
    text
}

/// Scores that are read together, to one place after the point and with one power of ten: those of the largest of them.
pub(crate) fn scores<const N: usize>(metric: &Metric, all: [f64; N]) -> [String; N] {
    let largest = all.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    if metric.needs_power(largest) {
        let power = power(largest);
        all.map(|x| with_power(x, power))
    } else if largest < 10.0 {
        all.map(|x| format!("{x:.3}"))
    } else {
        let places = places(largest, 3);
        all.map(|x| rounded(x, places))
    }
}

/// The power of ten with which a number is written. 0 for one that is not finite.
fn power(x: f64) -> i32 {
    format!("{x:.2e}").split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0)
}

fn with_power(x: f64, given: i32) -> String {
    if power(x) == given {
        return format!("{x:.2e}");
    }
    format!("{:.2}e{given}", x / 10f64.powi(given))
}

/// A score, or a difference of scores, with its interval: `0.812 [0.790, 0.834]`.
pub(crate) fn estimate(metric: &Metric, value: f64, interval: Option<Interval>) -> String {
    let Some(Interval { low, high }) = interval else { return score(metric, value) };
    let [value, low, high] = scores(metric, [value, low, high]);
    format!("{value} [{low}, {high}]")
}

/// A ratio with its interval, all to the place after the point that three significant digits of the ratio take: `× 2.10 [1.90, 2.40]`.
pub(crate) fn ratio(value: f64, interval: Option<Interval>) -> String {
    let places = if value > 0.0 && value.is_finite() { places(value, 3) } else { 2 };
    let interval = interval.map_or(String::new(), |Interval { low, high }| {
        format!(" [{}, {}]", rounded(low, places), rounded(high, places))
    });
    format!("× {}{interval}", rounded(value, places))
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

/// A word of a command line, quoted for a shell where it must be.
pub fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    let is_bare = !word.is_empty() && word.chars().all(is_plain);
    if is_bare { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
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
            (45_678.0, "1/s", "45.7 k/s"),
            (500.0, "1/s", "500 /s"),
            (0.0, "J", "0 J"),
            (0.5, "", "0.500"),
            (0.0, "", "0"),
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
    fn a_value_and_the_ends_of_its_interval_have_one_precision() {
        let shown = |name, value, low, high| estimate(metric(name).unwrap(), value, Some(Interval { low, high }));
        for (value, low, high, expected) in [
            (41.5, -0.004_23, 83.1, "41.5 [-0.0, 83.1]"),
            (9.87, -1.0, 150.4, "10 [-1, 150]"),
            (1234.0, 987.0, 1481.0, "1230 [990, 1480]"),
            (0.012, 0.004, 0.02, "0.012 [0.004, 0.020]"),
            (0.005, 0.0004, 0.009_996, "0.50e-2 [0.04e-2, 1.00e-2]"),
            (2.5e76, -1e70, 5e76, "2.50e76 [-0.00e76, 5.00e76]"),
            (12.0, 3e-9, 1.5e9, "0.00e9 [0.00e9, 1.50e9]"),
            (0.0, 0.0, 0.0, "0.000 [0.000, 0.000]"),
        ] {
            assert_eq!(shown("mse", value, low, high), expected);
        }
        assert_eq!(shown("accuracy", 0.8125, 0.79, 0.834), "0.812 [0.790, 0.834]");
        assert_eq!(estimate(metric("mse").unwrap(), 0.004, None), "4.00e-3");
    }

    #[test]
    fn a_ratio_and_the_ends_of_its_interval_have_the_places_of_the_ratio() {
        let shown = |value, low, high| ratio(value, Some(Interval { low, high }));
        assert_eq!(shown(2.1, 1.9, 2.4), "× 2.10 [1.90, 2.40]");
        assert_eq!(shown(0.98, 0.95, 1.011), "× 0.980 [0.950, 1.011]");
        assert_eq!(shown(12.34, 0.051, 2950.0), "× 12.3 [0.1, 2950.0]");
        assert_eq!(shown(1234.0, 987.0, 1540.0), "× 1230 [990, 1540]");
        assert_eq!(ratio(0.6666, None), "× 0.667");
    }

    #[test]
    fn rounding_up_to_the_next_power_of_ten_keeps_the_digits() {
        assert_eq!(significant(9.996, 3), "10.0");
        assert_eq!(significant(-0.000_123_45, 3), "-0.000123");
    }
}
