//! `[task.data]`: a user's own data, as written in a suite and in its checked form.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use bakeoff_datasets::own::{self, OwnData, OwnError};
use serde::{Deserialize, Serialize};
use toml::{Spanned, Value};

use super::{Source, SuiteError};
use format::FormatSettings;
use keys::Keys;
use rows::RowSettings;

mod format;
mod keys;
mod rows;

/// The keys whose values are paths.
const PATHS: [&str; 4] = ["train", "train_labels", "test", "test_labels"];

/// One `[task.data]` of a suite: its settings by name, each with its place in the text. docs/own-data.md explains them.
/// [`DataEntry::check`] decides which settings each format has.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub struct DataEntry(BTreeMap<Spanned<String>, Spanned<Value>>);

impl DataEntry {
    /// Makes the paths absolute. A relative path starts at `folder`, which is the suite's folder.
    pub fn resolve(&mut self, folder: &Path) {
        let absolute = |value: &mut Value| {
            if let Value::String(path) = value
                // The check refuses an empty path.
                && !path.trim().is_empty()
                // The check refuses a folder whose name is not UTF-8.
                && let Some(joined) = folder.join(path.as_str()).to_str()
            {
                *path = joined.to_owned();
            }
        };
        for (key, value) in &mut self.0 {
            if PATHS.contains(&key.as_ref().as_str()) {
                match value.as_mut() {
                    Value::Array(paths) => paths.iter_mut().for_each(absolute),
                    path => absolute(path),
                }
            }
        }
    }

    /// Checks the settings and converts them.
    ///
    /// # Errors
    /// On settings that are missing, unknown, of another type or out of range, or that contradict each other.
    pub fn check(&self, source: &Source) -> Result<OwnData, SuiteError> {
        let mut keys = Keys { source, entry: self, taken: vec!["format"] };
        let name: String = keys.require("format", "name the format: csv, tsv, images, idx or cifar")?;
        let format = FormatSettings::take(&name, &mut keys)?;
        let has_labels = matches!(format, FormatSettings::Idx { .. });
        let rows = RowSettings::take(has_labels, &mut keys)?;
        keys.refuse_others(&name)?;
        let format = format.check(&keys)?;
        let (train, test) = rows.check(has_labels, &keys)?;
        Ok(OwnData { layout: format, train, test })
    }

    /// The place in the text of the setting `key`, or of the format if it is not there.
    pub fn span_of(&self, key: &str) -> Range<usize> {
        let find = |key: &str| self.0.iter().find(|(name, _)| name.as_ref() == key);
        find(key).or_else(|| find("format")).map_or(0..0, |(_, value)| value.span())
    }

    /// The place in the text where a column is named.
    pub fn span_of_column(&self, column: &own::Column) -> Range<usize> {
        let is = |value: &Value| match column {
            own::Column::Name(name) => value.as_str() == Some(name),
            own::Column::Number(number) => value.as_integer().and_then(|value| value.try_into().ok()) == Some(*number),
        };
        let names_it = |key: &&str| match self.value(key).map(Spanned::as_ref) {
            Some(Value::Array(columns)) => columns.iter().any(is),
            Some(column) => is(column),
            None => false,
        };
        let keys = ["label", "value", "features", "categories", "ignore"];
        self.span_of(keys.iter().find(|key| names_it(key)).copied().unwrap_or("text"))
    }

    /// The place in the text of the path that an error is about.
    pub fn span_of_file(&self, error: &OwnError) -> Range<usize> {
        let names_it = |key: &&str| {
            let paths = match self.value(key).map(Spanned::as_ref) {
                Some(Value::Array(paths)) => paths.iter().filter_map(Value::as_str).collect(),
                Some(Value::String(path)) => vec![path.as_str()],
                _ => Vec::new(),
            };
            paths.into_iter().any(|path| error.is_in(Path::new(path)))
        };
        self.span_of(PATHS.iter().find(|key| names_it(key)).copied().unwrap_or("train"))
    }

    fn value(&self, key: &str) -> Option<&Spanned<Value>> {
        self.0.iter().find(|(name, _)| name.as_ref() == key).map(|(_, value)| value)
    }
}
