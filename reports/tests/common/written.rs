//! The pictures that a report wrote.

use std::fs;
use std::path::Path;

/// The pictures in a folder, each with its name and its SVG, in the order of their names.
pub(crate) fn pictures(folder: &Path) -> Vec<(String, String)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let svgs = files.filter(|path| path.extension().is_some_and(|extension| extension == "svg"));
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut found: Vec<(String, String)> = svgs.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect();
    found.sort();
    found
}
