//! What the targets share: the readers of a user's own data read files, so the bytes are put into one.

use std::fs;
use std::path::PathBuf;

use bakeoff_datasets::own::{DataFormat, OwnData, Part, TestRows, survey};

/// A file of this process with `data` in it.
pub fn written(name: &str, data: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("bakeoff-fuzz-{}", std::process::id())).join(name);
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("the system's folder for such files is writable");
    fs::write(&path, data).expect("the system's folder for such files is writable");
    path
}

/// Loads the rows of a part, half of them as test rows, and surveys them.
pub fn load(layout: DataFormat, path: PathBuf, labels: Option<PathBuf>) {
    let test = TestRows::Share { share: 0.5, seed: 1 };
    if let Ok(own) = (OwnData { layout, train: vec![Part { path, labels }], test }).load() {
        assert_eq!(own.splits.train.len(), own.train_places.len());
        assert!(!survey(&own).to_string().is_empty());
    }
}
