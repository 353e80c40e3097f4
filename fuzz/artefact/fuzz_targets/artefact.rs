//! A saved model some of whose bytes were changed, under checksums that fit: it is refused with the name of a file, or it
//! loads and predicts.

#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use bakeoff_models::{Device, ModelError, Threads};
use saved::{entry, rows, saved, sealed, written};
use tempfile::TempDir;

#[path = "../../../models/tests/artefact/saved.rs"]
mod saved;

/// Which file, where, and the new byte.
const CHANGE_BYTES: usize = 6;

fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("the system's folder for such files is writable")).path()
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((which, changes)) = data.split_first() else { return };
    let (name, kind, files) = &saved()[usize::from(*which) % saved().len()];
    let mut files = files.clone();
    for change in changes.chunks_exact(CHANGE_BYTES) {
        // The manifest is made anew below.
        let file = &mut files[1 + usize::from(change[0] % 2)];
        let at = u32::from_le_bytes([change[1], change[2], change[3], change[4]]) as usize % file.len();
        file[at] = change[5];
    }
    written(folder(), &sealed(&files));
    match entry(name).load(folder(), Threads::new(1), Device::Cpu) {
        Err(ModelError::Artefact { path, .. }) => assert!(path.starts_with(folder())),
        Err(error) => panic!("{name}: {error} names no file"),
        Ok(mut model) => {
            let _ = model.predict(&rows(*kind, true, 5, 4).inputs);
        }
    }
});
