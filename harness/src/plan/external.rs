//! Models that are programs of the user's: checks their settings, and asks the programs what they are.

use std::collections::BTreeMap;
use std::path::Path;

use bakeoff_models::{External, ExternalSettings};
use toml::Spanned;

use super::names::is_plain;
use crate::program::Program;
use crate::suite::{ModelEntryWire, Source, Suite, SuiteError};

/// The seconds that a program may take until it says what it is. Large libraries take many seconds to load from a cold disk.
const START_S: f64 = 60.0;
const MAX_START_S: f64 = 3600.0;

/// Checks the name of a program of the user's. It becomes part of file names, and no built-in model may have it.
pub(super) fn check_name(program: &Program, source: &Source, entry: &ModelEntryWire) -> Result<(), SuiteError> {
    let name = &entry.name;
    if !is_plain(name.as_ref()) {
        return Err(source.fault(name, "a model's name is part of a file's name: use 1 to 40 of a-z, 0-9, '-' and '_'"));
    }
    if program.model(name.as_ref()).is_some() {
        let message = format!("model '{name}' is built in: give your program another name, or leave command out");
        return Err(source.fault(name, message));
    }
    if let Some(searched) = entry.search.keys().next() {
        let message =
            "a program declares no parameters, so there is none to search for: list its values in [model.grid]";
        return Err(source.fault(searched, message));
    }
    if let Some(seconds) = entry.start_s.as_ref().filter(|seconds| !(0.0..=MAX_START_S).contains(seconds.as_ref())) {
        let message = format!("start_s is {seconds}, expected seconds in 0..={MAX_START_S}");
        return Err(source.fault(seconds, message));
    }
    let command = entry.command.as_ref().filter(|command| command.as_ref().is_empty());
    command.map_or(Ok(()), |command| {
        let message =
            "command is an empty list: give the program and its arguments, such as [\"python3\", \"model.py\"]";
        Err(source.fault(command, message))
    })
}

/// Refuses settings that only a program of the user's has.
pub(super) fn refuse_settings(source: &Source, entry: &ModelEntryWire) -> Result<(), SuiteError> {
    let ModelEntryWire { version, files, folder, start_s, .. } = entry;
    let places = [
        ("version", version.as_ref().map(Spanned::span)),
        ("files", files.as_ref().map(Spanned::span)),
        ("folder", folder.as_ref().map(Spanned::span)),
        ("start_s", start_s.as_ref().map(Spanned::span)),
    ];
    match places.into_iter().find_map(|(key, span)| Some((key, span?))) {
        Some((key, span)) => {
            let message = format!("{key} is only for a model that is a program, and this one has no command");
            Err(source.fault_at(span.start, message))
        }
        None => Ok(()),
    }
}

/// Asks each program of a suite, once, what it is. Folders become absolute, for `run.json`.
pub(super) fn open(source: &Source, suite: &mut Suite) -> Result<Vec<External>, SuiteError> {
    let mut opened: BTreeMap<String, (ExternalSettings, External)> = BTreeMap::new();
    for entry in &mut suite.models {
        let Some(command) = &entry.command else { continue };
        let written = entry.folder.as_ref().map_or("", |folder| folder.as_ref());
        let folder = source.folder.join(Path::new(written));
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        let settings = ExternalSettings {
            name: entry.name.as_ref().clone(),
            command: words(command),
            folder: folder.clone(),
            version: entry.version.as_ref().map(|version| version.as_ref().clone()),
            files: entry.files.as_ref().map_or_else(Vec::new, words),
            start_s: entry.start_s.as_ref().map_or(START_S, |seconds| *seconds.as_ref()),
        };
        let at = entry.folder.as_ref().map_or(entry.name.span(), Spanned::span);
        match opened.get(&settings.name) {
            Some((same, _)) if *same == settings => {}
            Some(_) => {
                let message = format!(
                    "two programs are named '{0}', and they differ: give each its own name, and label = \"…\" to run one twice",
                    settings.name
                );
                return Err(source.fault(&entry.name, message));
            }
            None => {
                if !folder.is_dir() {
                    let message = format!("model '{}': there is no folder {}", settings.name, folder.display());
                    return Err(source.fault_at(at.start, message));
                }
                let model =
                    External::open(settings.clone()).map_err(|error| source.fault(command, error.to_string()))?;
                opened.insert(settings.name.clone(), (settings, model));
            }
        }
        entry.folder = Some(Spanned::new(at, folder.to_string_lossy().into_owned()));
    }
    Ok(opened.into_values().map(|(_, model)| model).collect())
}

fn words(list: &Spanned<Vec<Spanned<String>>>) -> Vec<String> {
    list.as_ref().iter().map(|word| word.as_ref().clone()).collect()
}
