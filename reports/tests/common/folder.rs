//! Stored runs for the tests that change them.

use std::fs;
use std::path::Path;

/// Copies a folder with all that is in it.
#[expect(clippy::unwrap_used, reason = "tests")]
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
