//! What a fit or a search may cost: a number of seconds or of joules.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most that a fit, or all fits of a search, may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// Seconds.
    Seconds(f64),
    /// Joules.
    Joules(f64),
}

/// The units of a budget: the word, whether it is one of energy, and how many seconds or joules it is.
const UNITS: &[(&str, bool, f64)] =
    &[("s", false, 1.0), ("min", false, 60.0), ("h", false, 3600.0), ("J", true, 1.0), ("kJ", true, 1e3)];

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Budget, String> {
        let expected =
            || format!("expected a number above 0 and its unit, such as 60s, 10min, 2h, 500J or 5kJ, found '{text}'");
        let compact: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let of_unit = |(unit, is_energy, size): &(&str, bool, f64)| {
            let number: f64 = compact.strip_suffix(unit)?.parse().ok()?;
            Some((number, *is_energy, *size))
        };
        let (number, is_energy, size) = UNITS.iter().find_map(of_unit).ok_or_else(expected)?;
        let amount = number * size;
        if !amount.is_finite() || amount <= 0.0 {
            return Err(expected());
        }
        Ok(if is_energy { Budget::Joules(amount) } else { Budget::Seconds(amount) })
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Budget::Seconds(seconds) => write!(f, "{seconds}s"),
            Budget::Joules(joules) => write!(f, "{joules}J"),
        }
    }
}

impl Serialize for Budget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Budget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Budget, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_number_and_a_unit_and_reads_what_it_writes() {
        for (text, budget, written) in [
            ("60s", Budget::Seconds(60.0), "60s"),
            ("1.5 min", Budget::Seconds(90.0), "90s"),
            ("2h", Budget::Seconds(7200.0), "7200s"),
            ("500 J", Budget::Joules(500.0), "500J"),
            ("0.5kJ", Budget::Joules(500.0), "500J"),
            ("1e3 s", Budget::Seconds(1000.0), "1000s"),
        ] {
            assert_eq!(text.parse(), Ok(budget));
            assert_eq!(budget.to_string(), written);
            assert_eq!(written.parse(), Ok(budget));
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_units() {
        for text in ["", "60", "s", "0s", "-5s", "10 parsecs", "1m", "inf s", "nan J", "5 S", "1e400s", "5J s"] {
            let error = text.parse::<Budget>().expect_err(text);
            assert!(
                error.contains("such as 60s, 10min, 2h, 500J or 5kJ") && error.contains(&format!("'{text}'")),
                "{error}"
            );
        }
    }
}
