//! A fitted ensemble in a folder: an artefact for each member, and a manifest over them.
//!
//! `member-1`, `member-2`, … are ordinary artefacts of the model, so each of them loads alone too. The `artefact.json` beside
//! them lists the `artefact.json` of each, with its size and its sha256. Those list the other files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;

use super::{
    Body, Content, ENSEMBLE_FORMAT, MANIFEST, MODEL, MOST_FILE_BYTES, MOST_MANIFEST_BYTES, Manifest, json, read,
    refused, unsaved, whole, write,
};
use crate::model::{Model, ModelEntry, ModelError};

/// The folder of a member, counted from 1.
fn folder_name(member: usize) -> String {
    format!("member-{member}")
}

/// The folder of a member of the ensemble in `folder`, counted from 1.
pub(super) fn folder_of(folder: &Path, member: usize) -> PathBuf {
    folder.join(folder_name(member))
}

/// The manifest of a member, as the ensemble's own lists it.
fn manifest_name(member: usize) -> String {
    format!("{}/{MANIFEST}", folder_name(member))
}

/// Saves the members of an ensemble of `entry`. The folder appears whole or not at all.
///
/// # Errors
/// If the folder is there already, or cannot be written.
pub(crate) fn save(folder: &Path, entry: &dyn ModelEntry, members: &[Box<dyn Model>]) -> Result<(), ModelError> {
    whole(folder, |beside| {
        let mut files = BTreeMap::new();
        for (member, model) in (1..).zip(members) {
            let saved = model.save(&beside.join(folder_name(member))).and_then(|()| {
                let name = manifest_name(member);
                let content = Content::of(&read(&beside.join(&name), MOST_MANIFEST_BYTES)?);
                files.insert(name, content);
                Ok(())
            });
            // The folder beside is gone when the user reads this.
            saved.map_err(|error| match error {
                ModelError::Artefact { what, .. } => refused(&folder.join(folder_name(member)), what),
                other => other,
            })?;
        }
        let manifest = Manifest::new(ENSEMBLE_FORMAT, entry, files).bytes();
        let manifest = manifest.map_err(|what| refused(folder, what))?;
        write(&beside.join(MANIFEST), &manifest).map_err(|error| unsaved(folder, &error))
    })
}

/// The folders of the members, if `folder` holds an ensemble of `entry` of at most `most` members. `None` if it holds
/// anything else.
///
/// # Errors
/// Names the manifest that is changed, or of another model or version.
pub(crate) fn folders(folder: &Path, entry: &dyn ModelEntry, most: usize) -> Result<Option<Vec<PathBuf>>, ModelError> {
    let path = folder.join(MANIFEST);
    // Who reads the folder as that of a model says what is wrong with it.
    let manifest = read(&path, MOST_MANIFEST_BYTES).and_then(|bytes| json::<Manifest>(&path, &bytes));
    let Some(manifest) = manifest.ok().filter(|manifest| manifest.format == ENSEMBLE_FORMAT) else { return Ok(None) };
    manifest.check_model(&path, entry)?;
    let count = manifest.files.len();
    let listed = || (1..=count).all(|member| manifest.files.contains_key(&manifest_name(member)));
    if !(2..=most).contains(&count) || !listed() {
        let expected = format!("{}, {} and so on, of 2 to {most} members", manifest_name(1), manifest_name(2));
        return Err(refused(&path, format!("lists other files than {expected}: save the ensemble again")));
    }
    for member in 1..=count {
        manifest.read(folder, &manifest_name(member))?;
    }
    Ok(Some((1..=count).map(|member| folder.join(folder_name(member))).collect()))
}

/// Checks that the members in these folders, each of which was loaded, are of one task and have the same parameters.
///
/// # Errors
/// Names the first that differs.
pub(crate) fn check_alike(folders: &[PathBuf]) -> Result<(), ModelError> {
    let mut first = None;
    for folder in folders {
        let path = folder.join(MODEL);
        let Body { shape, params, .. } = json::<Body<IgnoredAny>>(&path, &read(&path, MOST_FILE_BYTES)?)?;
        if *first.get_or_insert_with(|| (shape, params.clone())) != (shape, params) {
            let what = format!("is of another task than {}, or has other parameters", folder_name(1));
            return Err(refused(&path, format!("{what}: save the ensemble again")));
        }
    }
    Ok(())
}
