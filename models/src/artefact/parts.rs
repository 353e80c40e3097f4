//! A fitted model that is made of other models: its own files, and an artefact for each of its parts.
//!
//! `part-1`, `part-2`, … are ordinary artefacts, so each of them loads alone too. The `artefact.json` beside them lists the model's own
//! files and the `artefact.json` of each part, with its size and its sha256. Those list the other files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{
    ARRAYS, ArraysOut, Body, Content, FORMAT, FORMATS, Loaded, MANIFEST, MODEL, MOST_FILE_BYTES, MOST_MANIFEST_BYTES,
    Manifest, PARTS_FORMAT, files_of, json, read, read_files, refused, unsaved, whole, write,
};
use crate::device::Device;
use crate::ensemble::of_one;
use crate::model::{Model, ModelEntry, ModelError, Spec, TaskShape};
use crate::parallel::Threads;
use crate::params::Resolved;

/// The folder of a part, counted from 1.
fn folder_name(part: usize) -> String {
    format!("part-{part}")
}

/// The manifest of a part, as that of the whole model lists it.
fn manifest_name(part: usize) -> String {
    format!("{}/{MANIFEST}", folder_name(part))
}

/// Saves a model and its parts; a model may have no parts. The folder appears only when everything in it is written.
///
/// # Errors
/// If the folder exists already, or cannot be written.
pub(crate) fn save<S: Serialize>(
    folder: &Path,
    entry: &dyn ModelEntry,
    spec: &Spec,
    (state, arrays): (S, &ArraysOut),
    parts: &[&dyn Model],
) -> Result<(), ModelError> {
    let [body, arrays] = files_of(folder, spec, state, arrays)?;
    let format = if parts.is_empty() { FORMAT } else { PARTS_FORMAT };
    whole(folder, |beside| {
        let mut files =
            BTreeMap::from([(MODEL.to_owned(), Content::of(&body)), (ARRAYS.to_owned(), Content::of(&arrays))]);
        for (part, model) in (1..).zip(parts) {
            let saved = model.save(&beside.join(folder_name(part))).and_then(|()| {
                let name = manifest_name(part);
                let content = Content::of(&read(&beside.join(&name), MOST_MANIFEST_BYTES)?);
                files.insert(name, content);
                Ok(())
            });
            // The folder beside is gone when the user reads this.
            saved.map_err(|error| match error {
                ModelError::Artefact { what, .. } => refused(&folder.join(folder_name(part)), what),
                other => other,
            })?;
        }
        let manifest = Manifest::new(format, entry, files).bytes().map_err(|what| refused(folder, what))?;
        write(&beside.join(MODEL), &body)
            .and_then(|()| write(&beside.join(ARRAYS), &arrays))
            .and_then(|()| write(&beside.join(MANIFEST), &manifest))
            .map_err(|error| unsaved(folder, &error))
    })
}

/// Reads a model of `entry` that [`save`] wrote, and finds the folders of its parts.
///
/// # Errors
/// Names the file that is missing, cut off, changed or of another model, version or format.
pub(crate) fn load<S: DeserializeOwned>(
    folder: &Path,
    entry: &dyn ModelEntry,
    threads: Threads,
    device: Device,
) -> Result<(Loaded<S>, Vec<PathBuf>), ModelError> {
    let path = folder.join(MANIFEST);
    let manifest: Manifest = json(&path, &read(&path, MOST_MANIFEST_BYTES)?)?;
    if ![FORMAT, PARTS_FORMAT].contains(&manifest.format) {
        return Err(refused(&path, format!("is of format {}, but {FORMATS}", manifest.format)));
    }
    manifest.check_model(&path, entry)?;
    let count = if manifest.format == FORMAT { 0 } else { manifest.files.len().saturating_sub(2) };
    let mut expected = vec![ARRAYS.to_owned(), MODEL.to_owned()];
    expected.extend((1..=count).map(manifest_name));
    if manifest.files.len() != expected.len() || !expected.iter().all(|name| manifest.files.contains_key(name)) {
        return Err(refused(&path, format!("lists other files than {}", expected.join(", "))));
    }
    if manifest.format == PARTS_FORMAT && count == 0 {
        return Err(refused(&path, format!("is of format {PARTS_FORMAT} and lists no {}", manifest_name(1))));
    }
    for part in 1..=count {
        manifest.read(folder, &manifest_name(part))?;
    }
    let loaded = read_files(folder, &manifest, entry, threads, device)?;
    Ok((loaded, (1..=count).map(|part| folder.join(folder_name(part))).collect()))
}

/// Loads the part in this folder, which must be a model of `entry` with these parameters for a task of this form.
///
/// # Errors
/// Names the file that is at fault.
pub(crate) fn load_part(
    folder: &Path,
    (entry, params): (&dyn ModelEntry, &Resolved),
    shape: &TaskShape,
    threads: Threads,
    device: Device,
) -> Result<Box<dyn Model>, ModelError> {
    let model = entry.load(folder, threads, device)?;
    let path = folder.join(MODEL);
    let Body { shape: found, params: values, .. } = json::<Body<IgnoredAny>>(&path, &read(&path, MOST_FILE_BYTES)?)?;
    if found != *shape || values != *of_one(params).values() {
        let what = "is of another task than the model beside it, or has other parameters than that says";
        return Err(refused(&path, format!("{what}: save the model again")));
    }
    Ok(model)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::MOST_CLASSES;
    use super::*;

    #[test]
    fn the_manifest_of_a_student_of_the_most_classes_is_short_enough_to_be_read() {
        let content = || Content { bytes: MOST_FILE_BYTES, sha256: "0".repeat(64) };
        let files = (1..=MOST_CLASSES).map(|part| (manifest_name(part), content())).collect();
        let student = crate::ENTRIES.iter().find(|entry| entry.name() == "student").unwrap();
        let manifest = Manifest::new(PARTS_FORMAT, *student, files);
        assert!((manifest.bytes().unwrap().len() as u64) < MOST_MANIFEST_BYTES);
    }
}
