//! Takes the keys of a `[task.data]` one by one.

use std::collections::BTreeSet;
use std::path::PathBuf;

use bakeoff_datasets::own::{self, LookAlikes};
use bakeoff_models::did_you_mean;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::DataEntry;
use crate::suite::{Source, SuiteError, syntax};

/// One path or more.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a path or a list of paths")]
enum Paths {
    One(PathBuf),
    /// Several paths, whose rows are joined.
    Several(Vec<PathBuf>),
}

impl Paths {
    fn list(self) -> Vec<PathBuf> {
        match self {
            Paths::One(path) => vec![path],
            Paths::Several(paths) => paths,
        }
    }
}

/// Takes the settings of a format out of an entry one by one. What is left at the end is not a setting of the format.
pub(super) struct Keys<'a> {
    pub(super) source: &'a Source,
    pub(super) entry: &'a DataEntry,
    /// The names of the settings that the format has.
    pub(super) taken: Vec<&'static str>,
}

impl Keys<'_> {
    /// The value of a setting, if it is there.
    pub(super) fn take<T: DeserializeOwned>(&mut self, key: &'static str) -> Result<Option<T>, SuiteError> {
        if !self.taken.contains(&key) {
            self.taken.push(key);
        }
        let Some(value) = self.entry.value(key) else { return Ok(None) };
        let read = value.as_ref().clone().try_into();
        read.map(Some).map_err(|error| self.fault(key, format!("{key}: {}", syntax::in_plain_words(error.message()))))
    }

    /// The value of a required setting. `how` says what to write if it is missing.
    pub(super) fn require<T: DeserializeOwned>(&mut self, key: &'static str, how: &str) -> Result<T, SuiteError> {
        self.take(key)?.ok_or_else(|| self.missing(key, how))
    }

    pub(super) fn missing(&self, key: &str, how: &str) -> SuiteError {
        let first = self.entry.0.keys().map(|key| key.span().start).min().unwrap_or(0);
        let start = if self.has("format") { self.entry.span_of("format").start } else { first };
        self.source.fault_at(start, format!("{key} is missing: {how}"))
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entry.value(key).is_some()
    }

    pub(super) fn fault(&self, key: &str, message: impl Into<String>) -> SuiteError {
        self.source.fault_at(self.entry.span_of(key).start, message)
    }

    /// Refuses settings that the format does not have.
    pub(super) fn refuse_others(&self, format: &str) -> Result<(), SuiteError> {
        let mut others: Vec<&Spanned<String>> = self.entry.0.keys().collect();
        others.retain(|key| !self.taken.contains(&key.as_ref().as_str()));
        others.sort_by_key(|key| key.span().start);
        let Some(key) = others.first() else { return Ok(()) };
        let takes = &self.taken[1..];
        let near = did_you_mean(key.as_ref(), takes.iter().copied());
        let message = format!(
            "{} is not a setting of format = \"{format}\", which takes {}{near}",
            key.as_ref(),
            takes.join(", ")
        );
        Err(self.source.fault(key, message))
    }

    /// The paths of a setting. They must be UTF-8, because `run.json` stores them and JSON is UTF-8. The suite itself
    /// is UTF-8, but the path of its folder may not be.
    pub(super) fn paths(&mut self, key: &'static str) -> Result<Option<Vec<PathBuf>>, SuiteError> {
        let paths = self.take::<Paths>(key)?.map(Paths::list);
        if paths.iter().flatten().any(|path| path.to_str().is_some_and(|path| path.trim().is_empty())) {
            return Err(self.fault(key, format!("{key}: the path is empty: name a file or a folder")));
        }
        let absolute = paths.iter().flatten().map(|path| self.source.folder.join(path));
        if let Some(path) = absolute.into_iter().find(|path| path.to_str().is_none()) {
            let message = format!("the path {path:?} is not UTF-8 and cannot be kept in run.json: rename the folder");
            return Err(self.fault(key, message));
        }
        Ok(paths)
    }

    /// The names of the labels 0, 1, …, in the normalization form in which names are compared.
    pub(super) fn class_names(&self, names: Option<Vec<String>>) -> Result<Option<Vec<String>>, SuiteError> {
        let Some(names) = names else { return Ok(None) };
        if let Some(name) = names.iter().find(|name| !name.is_empty() && !own::is_class_name(name)) {
            let message =
                format!("classes: {name:?} holds a control character or no visible character: give it another name");
            return Err(self.fault("classes", message));
        }
        let names: Vec<String> = names.iter().map(|name| own::normalized(name.trim()).into_owned()).collect();
        let distinct: BTreeSet<&str> = names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        if distinct.len() < names.len() || !(2..=256).contains(&names.len()) {
            return Err(self.fault("classes", "classes must be 2 to 256 different names, that of label 0 first"));
        }
        if let Some(alike) = LookAlikes::among(names.iter().map(String::as_str)) {
            return Err(self.fault("classes", format!("classes: {alike}")));
        }
        Ok(Some(names))
    }
}
