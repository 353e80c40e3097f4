//! `rules.toml` beside the history: how large a change must be to be reported. It is in version control with the history, so that the rules
//! are fixed before the nights that they judge.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use super::floors::Floors;
use crate::error::ReportError;
use crate::metric::METRICS;
use crate::plain_toml::toml_in_plain_words;

/// The rules of a history. Without a file, they are those of [`Floors::of_unit`].
///
/// ```toml
/// [floors]
/// history = 0.03
/// tonight = 0.05
///
/// [floors.absolute]
/// s = 10e-6
/// J = 1e-3
/// ```
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    #[serde(default)]
    floors: WrittenFloors,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFloors {
    history: Option<f64>,
    tonight: Option<f64>,
    #[serde(default)]
    absolute: BTreeMap<String, f64>,
}

impl Rules {
    /// Reads `rules.toml` in the folder of a history. The defaults if there is none.
    ///
    /// # Errors
    /// If it cannot be read, or has a key, a unit or a number that is no rule.
    pub fn read(folder: &Path) -> Result<Rules, ReportError> {
        let path = folder.join("rules.toml");
        let text = match fs::read_to_string(&path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Rules::default());
            }
            read => read.map_err(ReportError::io("read", &path))?,
        };
        let line_of = |at: usize| text[..at.min(text.len())].matches('\n').count() as u64 + 1;
        let refuse = |line: u64, message: String| ReportError::Row { path: path.clone(), line, message };
        let rules: Rules = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(span.start));
            refuse(line, toml_in_plain_words(error.message().lines().next().unwrap_or_default()))
        })?;
        let place = |word: &str| {
            let found = text.lines().position(|line| line.trim_start().starts_with(word));
            found.map_or(1, |index| index as u64 + 1)
        };
        for (name, share) in [("history", rules.floors.history), ("tonight", rules.floors.tonight)] {
            if share.is_some_and(|share| !(share > 0.0 && share < 1.0)) {
                return Err(refuse(
                    place(name),
                    format!("{name} is a share, expected a number between 0 and 1: 0.05 is 5 %"),
                ));
            }
        }
        let floors = rules.floors("");
        if floors.history > floors.tonight {
            return Err(refuse(
                place("history"),
                format!(
                    "history = {} is more than tonight = {}: what alerts in one night would then never be confirmed",
                    floors.history, floors.tonight
                ),
            ));
        }
        for (unit, floor) in &rules.floors.absolute {
            if !METRICS.iter().any(|metric| metric.unit == unit && metric.score.is_none()) {
                let mut units: Vec<&str> =
                    METRICS.iter().map(|metric| metric.unit).filter(|unit| !unit.is_empty()).collect();
                units.sort_unstable();
                units.dedup();
                return Err(refuse(
                    place(unit),
                    format!("'{unit}' is no unit of a metric, expected one of {}", units.join(", ")),
                ));
            }
            if !(*floor >= 0.0 && floor.is_finite()) {
                return Err(refuse(place(unit), format!("{unit} = {floor}: expected a number from 0 on")));
            }
        }
        Ok(rules)
    }

    /// The floors of numbers in this unit.
    pub fn floors(&self, unit: &str) -> Floors {
        let default = Floors::of_unit(unit);
        Floors {
            history: self.floors.history.unwrap_or(default.history),
            tonight: self.floors.tonight.unwrap_or(default.tonight),
            absolute: self.floors.absolute.get(unit).copied().unwrap_or(default.absolute),
        }
    }
}
