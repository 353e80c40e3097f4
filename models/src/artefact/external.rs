//! A fitted model that a program of the user's has saved: `model.json`, and the program's own files in the folder `program`.
//!
//! `artefact.json` lists all of them, with their sizes and their sha256. Only the program knows what its files mean.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{
    Body, Content, EXTERNAL_FORMAT, MANIFEST, MODEL, MOST_FILE_BYTES, MOST_MANIFEST_BYTES, Manifest, check_shape, json,
    read, refused, unsaved, whole, write,
};
use crate::device::Device;
use crate::model::{ModelEntry, ModelError, Spec};
use crate::parallel::Threads;
use crate::params::Resolved;

/// The folder of the program's files.
const PROGRAM: &str = "program";

/// The folder of the program's files in that of a saved model.
pub(crate) fn program_folder(folder: &Path) -> PathBuf {
    folder.join(PROGRAM)
}

/// Saves a model. `fill` has the program write its files to the empty folder that it is given.
///
/// # Errors
/// If the folder exists already or cannot be written, and those of `fill`.
pub(crate) fn save(
    folder: &Path,
    entry: &dyn ModelEntry,
    spec: &Spec,
    fill: impl FnOnce(&Path) -> Result<(), ModelError>,
) -> Result<(), ModelError> {
    check_shape(&spec.shape).map_err(|what| refused(folder, what))?;
    let body = Body { shape: spec.shape, params: spec.params.values().clone(), seed: spec.seed, state: () };
    let body =
        serde_json::to_vec(&body).map_err(|error| refused(folder, format!("failed to write {MODEL}: {error}")))?;
    whole(folder, |beside| {
        let program = program_folder(beside);
        fs::create_dir(&program).map_err(|error| unsaved(folder, &error))?;
        // The program has a working directory of its own.
        let place = std::path::absolute(&program).map_err(|error| unsaved(folder, &error))?;
        fill(&place)?;
        let mut files = BTreeMap::from([(MODEL.to_owned(), Content::of(&body))]);
        for name in names(&program, PROGRAM).map_err(|error| unsaved(folder, &error))? {
            let content = Content::of(&read(&beside.join(&name), MOST_FILE_BYTES)?);
            files.insert(name, content);
        }
        let manifest = Manifest::new(EXTERNAL_FORMAT, entry, files).bytes().map_err(|what| refused(folder, what))?;
        write(&beside.join(MODEL), &body)
            .and_then(|()| write(&beside.join(MANIFEST), &manifest))
            .map_err(|error| unsaved(folder, &error))
    })
}

/// The files below a folder, by their paths with `/`, which begin with `prefix`.
fn names(folder: &Path, prefix: &str) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            found.extend(names(&entry.path(), &name)?);
        } else {
            found.push(name);
        }
    }
    Ok(found)
}

/// Reads what a model of `entry` was built from that [`save`] wrote, and checks its files, which the program reads.
///
/// # Errors
/// Names the file that is missing, cut off, changed or of another model, version or format.
pub(crate) fn load(
    folder: &Path,
    entry: &dyn ModelEntry,
    threads: Threads,
    device: Device,
) -> Result<Spec, ModelError> {
    let path = folder.join(MANIFEST);
    let manifest: Manifest = json(&path, &read(&path, MOST_MANIFEST_BYTES)?)?;
    if manifest.format != EXTERNAL_FORMAT {
        let format = manifest.format;
        return Err(refused(
            &path,
            format!("is of format {format}, but that of a program is of format {EXTERNAL_FORMAT}"),
        ));
    }
    manifest.check_model(&path, entry)?;
    for name in manifest.files.keys() {
        manifest.read(folder, name)?;
    }
    let (path, bytes) = manifest.read(folder, MODEL)?;
    let Body { shape, params, seed, state: () } = json(&path, &bytes)?;
    check_shape(&shape).map_err(|what| refused(&path, what))?;
    Ok(Spec { shape, params: Resolved::of_values(params), device, threads, seed })
}
