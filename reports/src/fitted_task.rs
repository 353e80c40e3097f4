//! Which task a fitted model has learned: `task.json`, beside the files of a model that a run keeps. Models know the form of a task
//! and not the task, so their own files cannot say it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::ReportError;
use crate::record::SCHEMA;
use crate::run_dir::replace;
use crate::run_info::TaskInfo;
use crate::stored_json;

/// The name of the file in the folder of a fitted model.
pub(crate) const FILE: &str = "task.json";

/// The content of `task.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedTask {
    /// The schema that the file was written with, as in [`crate::Record::schema`].
    pub schema: u32,
    /// The task, as in the `run.json` of the run.
    pub task: TaskInfo,
}

impl FittedTask {
    /// Of this task, in today's schema.
    pub fn new(task: TaskInfo) -> FittedTask {
        FittedTask { schema: SCHEMA, task }
    }

    /// Reads that of a fitted model. `None` if the model was saved without it, as older runs did.
    ///
    /// # Errors
    /// If the file cannot be read, is of a later schema, or is damaged.
    pub fn read(folder: &Path) -> Result<Option<FittedTask>, ReportError> {
        stored_json::read(&folder.join(FILE), "put the file back, or remove it, and the task is not checked")
    }

    /// Writes it into the folder of a fitted model.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), ReportError> {
        let mut text = serde_json::to_string_pretty(self).expect("it has string keys only");
        text.push('\n');
        replace(&folder.join(FILE), text.as_bytes())
    }

    /// How `now`, a task of the program, differs from the one that was learned: another task, or the same one after a change. `None` if
    /// it does not.
    pub fn difference(&self, now: &TaskInfo) -> Option<String> {
        let FittedTask { task: fitted, .. } = self;
        if fitted.name != now.name {
            return Some(format!("was fitted on task '{}', and not on '{}'", fitted.name, now.name));
        }
        if fitted.version != now.version {
            return Some(format!(
                "was fitted on version {} of task '{}', and this bakeoff has version {}",
                fitted.version, fitted.name, now.version
            ));
        }
        (fitted.classes != now.classes).then(|| {
            format!(
                "was fitted on task '{}' with the classes {}, and not {}",
                fitted.name,
                fitted.classes.join(", "),
                now.classes.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> TaskInfo {
        TaskInfo {
            name: "films".to_owned(),
            version: 2,
            about: "whether a review is positive".to_owned(),
            primary: "accuracy".to_owned(),
            unit: String::new(),
            classes: ["bad", "good"].map(str::to_owned).to_vec(),
        }
    }

    #[test]
    fn it_is_read_as_it_was_written_and_a_model_without_it_has_none() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        assert_eq!(FittedTask::read(folder.path())?, None);
        let fitted = FittedTask::new(task());
        fitted.write(folder.path())?;
        assert_eq!(FittedTask::read(folder.path())?, Some(fitted));
        let path = folder.path().join(FILE);
        let text = std::fs::read_to_string(&path)?;
        std::fs::write(&path, text.replace(&format!("\"schema\": {SCHEMA}"), "\"schema\": 99"))?;
        let error = FittedTask::read(folder.path()).expect_err("a later schema").to_string();
        assert!(error.contains("task.json") && error.contains("newer bakeoff"), "{error}");
        std::fs::write(&path, &text[..text.len() / 2])?;
        let error = FittedTask::read(folder.path()).expect_err("half of a file").to_string();
        assert!(error.contains("task.json") && error.contains("remove it"), "{error}");
        Ok(())
    }

    #[test]
    fn another_task_another_version_and_other_classes_are_told_apart() {
        let fitted = FittedTask::new(task());
        assert_eq!(fitted.difference(&TaskInfo { about: "in other words".to_owned(), ..task() }), None);
        for (now, says) in [
            (TaskInfo { name: "books".to_owned(), ..task() }, "was fitted on task 'films', and not on 'books'"),
            (
                TaskInfo { version: 3, ..task() },
                "was fitted on version 2 of task 'films', and this bakeoff has version 3",
            ),
            (
                TaskInfo { classes: ["good", "bad"].map(str::to_owned).to_vec(), ..task() },
                "was fitted on task 'films' with the classes bad, good, and not good, bad",
            ),
        ] {
            assert_eq!(fitted.difference(&now).as_deref(), Some(says));
        }
    }
}
