//! The program: its tasks, its models and the machine that measures them.

use bakeoff_models::{Device, External, ModelEntry};

use crate::machine::Machine;
use crate::tasks::{OwnTask, Task};

/// A program: its tasks, its models and its machine. The `bakeoff` binary is the one with the built-in tasks and
/// models. Another crate can make its own with other tasks and models (see `examples/fakes.rs`).
#[derive(Clone, Copy)]
pub struct Program {
    /// The tasks, in the order in which `list` shows them.
    pub tasks: &'static [&'static dyn Task],
    /// The models, in the order in which `list` shows them.
    pub models: &'static [&'static dyn ModelEntry],
    /// The machine that measures.
    pub machine: &'static dyn Machine,
}

impl Program {
    /// The task of this name.
    pub fn task(&self, name: &str) -> Option<&'static dyn Task> {
        self.tasks.iter().copied().find(|task| task.name() == name)
    }

    /// The task of this name, either built in or one of `own`.
    pub fn task_or<'a>(&self, own: &'a [OwnTask], name: &str) -> Option<&'a dyn Task> {
        let own = || own.iter().find(|task| task.name() == name).map(|task| task as &dyn Task);
        self.task(name).or_else(own)
    }

    /// The model of this name.
    pub fn model(&self, name: &str) -> Option<&'static dyn ModelEntry> {
        self.models.iter().copied().find(|model| model.name() == name)
    }

    /// The model of this name, either built in or one of `external`.
    pub fn model_or<'a>(&self, external: &'a [External], name: &str) -> Option<&'a dyn ModelEntry> {
        let external = || external.iter().find(|model| model.name() == name).map(|model| model as &dyn ModelEntry);
        self.model(name).map(|model| model as &dyn ModelEntry).or_else(external)
    }

    /// The version of the model of this name, built in or one of `external`, on the device of this name, if there are both.
    pub fn model_version(&self, external: &[External], model: &str, device: &str) -> Option<String> {
        Some(self.model_or(external, model)?.version(Device::named(device).ok()?))
    }
}
