//! `[model.grid]`: a model of every combination of some parameters' values.

use toml::Spanned;

use super::names::{MAX_LABEL, label};
use crate::suite::{ModelEntryWire, Source, Suite, SuiteError};

/// The most cases of a plan. More would not fit a run's directory that people can work with.
pub(super) const MAX_CASES: usize = 100_000;

/// Puts the models of each grid in its place. The last parameter by name changes fastest.
pub(super) fn expand(source: &Source, suite: &mut Suite) -> Result<(), SuiteError> {
    let mut models = Vec::new();
    for entry in std::mem::take(&mut suite.models) {
        models.extend(combinations(source, entry)?);
    }
    suite.models = models;
    Ok(())
}

fn combinations(source: &Source, mut entry: ModelEntryWire) -> Result<Vec<ModelEntryWire>, SuiteError> {
    let grid = std::mem::take(&mut entry.grid);
    let mut count = 1_usize;
    for (name, values) in &grid {
        if values.as_ref().is_empty() {
            return Err(source.fault(values, format!("{name} is an empty list: give at least one value")));
        }
        if let Some(value) = alike(values.as_ref()) {
            return Err(source.fault(value, format!("{name} {value} is given twice")));
        }
        if let Some((name, _)) = entry.params.get_key_value(name) {
            let message = format!("{name} is in params and in grid: keep one of them");
            return Err(source.fault(name, message));
        }
        if let Some((task, _)) = entry.on.iter().find(|(_, params)| params.contains_key(name)) {
            let message = format!("{name} is in grid and in on.{task}, which would replace it: keep one of them");
            return Err(source.fault(name, message));
        }
        count = count.saturating_mul(values.as_ref().len());
        if count > MAX_CASES {
            let message =
                format!("the grid has {count} combinations or more, and a plan has at most {MAX_CASES} cases");
            return Err(source.fault(name, message));
        }
    }
    let mut entries = vec![entry];
    for (name, values) in &grid {
        let with_each = |entry: &ModelEntryWire| -> Vec<ModelEntryWire> {
            values.as_ref().iter().map(|value| with(entry, name, value)).collect()
        };
        entries = entries.iter().flat_map(with_each).collect();
    }
    if let Some(long) = entries.iter().map(label).find(|label| label.len() > MAX_LABEL) {
        let message = format!("the grid makes the label '{long}', which is longer than {MAX_LABEL} characters");
        return Err(source.fault(&entries[0].name, message));
    }
    Ok(entries)
}

/// The first value that equals one before it. `1` and `1.0` are the same number.
fn alike(values: &[Spanned<toml::Value>]) -> Option<&Spanned<toml::Value>> {
    let number = |value: &toml::Value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
    let is_same = |one: &toml::Value, other: &toml::Value| match (number(one), number(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    };
    let repeats = |(at, value): &(usize, &Spanned<toml::Value>)| {
        values[..*at].iter().any(|other| is_same(other.as_ref(), value.as_ref()))
    };
    values.iter().enumerate().find(repeats).map(|(_, value)| value)
}

/// The model with one more parameter, which its label names.
fn with(entry: &ModelEntryWire, name: &Spanned<String>, value: &Spanned<toml::Value>) -> ModelEntryWire {
    let mut entry = entry.clone();
    let text = match value.as_ref() {
        toml::Value::String(word) => word.clone(),
        value => value.to_string(),
    };
    // A label is part of a file's name, and a point would end the part of a case's id.
    let word: String = format!("{name}-{text}")
        .chars()
        .map(|c| match c {
            '.' => '_',
            c if c.is_ascii_alphanumeric() || c == '_' => c.to_ascii_lowercase(),
            _ => '-',
        })
        .collect();
    if entry.grid_of.is_none() {
        entry.grid_of = Some(label(&entry).to_owned());
    }
    let start = entry.label.as_ref().map_or(entry.name.span(), Spanned::span);
    entry.label = Some(Spanned::new(start, format!("{}-{word}", label(&entry))));
    entry.params.insert(name.clone(), value.clone());
    entry
}
