//! Files in a folder of their own, and what is read from them.

use std::fs;
use std::path::PathBuf;

use bakeoff_datasets::own::{Column, DataFormat, Own, OwnData, OwnError, Part, TableLayout, Target, TestRows};
use bakeoff_datasets::{Inputs, Split, Targets};
use tempfile::TempDir;

pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn part(&self, name: &str) -> Part {
        Part { path: self.path(name), labels: None }
    }

    /// Reads `train` and `test` in this folder.
    pub(crate) fn load(&self, layout: DataFormat) -> Result<Own, OwnError> {
        OwnData { layout, train: vec![self.part("train")], test: TestRows::Parts(vec![self.part("test")]) }.load()
    }

    /// The refusal of `train` or `test`, the folder's own path cut off.
    pub(crate) fn refusal(&self, layout: DataFormat) -> String {
        let message = self.load(layout).unwrap_err().to_string();
        message.replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// Comma, quoting, a header, classes in `label` by `text`.
pub(crate) fn csv() -> TableLayout {
    TableLayout {
        delimiter: b',',
        quoting: true,
        header: true,
        text: Column::Name("text".to_owned()),
        joined: Vec::new(),
        second: None,
        target: Target::Class(Column::Name("label".to_owned())),
    }
}

pub(crate) fn texts(split: &Split) -> Vec<&str> {
    let Inputs::Texts(texts) = &split.inputs else { panic!("not texts") };
    texts.iter().map(|text| text.first.as_str()).collect()
}

/// The class of each row, by name.
pub(crate) fn classes(split: &Split) -> Vec<&str> {
    let Targets::Classes { labels, names } = &split.targets else { panic!("not classes") };
    labels.iter().map(|&label| names[usize::from(label)].as_str()).collect()
}
