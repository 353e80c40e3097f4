//! Whether results can be written where the user wants them: asked before the work whose results they are.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::usage::usage;

/// Checks that files can be written into `folder`, which need not exist yet. Leaves nothing behind.
///
/// # Errors
/// Names the folder that is at fault, and the option that chooses another.
pub(super) fn check_folder(folder: &Path, option: &str) -> anyhow::Result<()> {
    let refuse = |place: &Path, error: &io::Error| {
        Err(usage(format!(
            "cannot write to {}, where the results belong ({}): {error}; give {option} another place",
            place.display(),
            folder.display()
        )))
    };
    // The folders that are missing can be made if the nearest one above them can be written to.
    let mut place = folder;
    loop {
        // The folder above a single name is the one in which the program runs.
        let here = if place.as_os_str().is_empty() { Path::new(".") } else { place };
        match fs::metadata(here) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                match place.parent() {
                    Some(above) => place = above,
                    None => return refuse(place, &error),
                }
            }
            Err(error) => return refuse(here, &error),
            Ok(found) if !found.is_dir() => return refuse(here, &io::Error::other("it is a file, and not a folder")),
            Ok(_) => return tempfile::tempfile_in(here).map(drop).or_else(|error| refuse(here, &error)),
        }
    }
}

/// Checks that a new file can be written at `path`, whose folder must exist.
///
/// # Errors
/// Says what is in the way, and to give another path as `option`.
pub(super) fn check_new_file(path: &Path, option: &str) -> anyhow::Result<()> {
    let refuse =
        |what: &str| Err(usage(format!("cannot write {}: {what}; give {option} another path", path.display())));
    // A link that leads nowhere is in the way too.
    if fs::symlink_metadata(path).is_ok() {
        return refuse("it exists already, and nothing is overwritten");
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return refuse(&format!("{} is not a folder that exists", folder.display()));
    }
    check_folder(folder, option)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_can_be_made_is_accepted_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        for place in [folder.path().to_owned(), folder.path().join("a/b/c")] {
            check_folder(&place, "--out").unwrap();
        }
        check_folder(Path::new("a-name-that-is-no-folder"), "--out").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn a_file_on_the_way_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for place in [file.clone(), file.join("a/b")] {
            let message = check_folder(&place, "--out").unwrap_err().to_string();
            assert!(
                message.contains(&file.display().to_string()) && message.contains("give --out another"),
                "{message}"
            );
        }
        let message = check_new_file(&file, "OUT").unwrap_err().to_string();
        assert!(message.contains("it exists already") && message.contains("give OUT another path"), "{message}");
        let message = check_new_file(&folder.path().join("a/b.zip"), "OUT").unwrap_err().to_string();
        assert!(message.contains("is not a folder that exists"), "{message}");
        check_new_file(&folder.path().join("new.zip"), "OUT").unwrap();
    }
}
