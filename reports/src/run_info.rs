//! `run.json`: what was run, where and with what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything about a run that is not a measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// As [`crate::SCHEMA`].
    pub schema: u32,
    /// The run's directory name.
    pub run: String,
    /// The suite's name.
    pub suite: String,
    /// What the suite is for, in a line.
    pub about: String,
    /// When the run began, RFC 3339, UTC.
    pub started: String,
    /// The program's version.
    pub version: String,
    /// The commit the program was built from, or `unknown`; `-dirty` if the tree had changes.
    pub commit: String,
    /// The compiler.
    pub toolchain: String,
    /// The command line, as given.
    pub command: Vec<String>,
    /// The machine.
    pub machine: MachineInfo,
    /// Models and their versions, the library's in brackets.
    pub libraries: BTreeMap<String, String>,
    /// File and sha256 of every data file used.
    pub datasets: BTreeMap<String, String>,
    /// Where joules come from (`rapl`, `estimate`), or why there are none.
    pub energy: String,
    /// The tasks of the run.
    pub tasks: Vec<TaskInfo>,
    /// The cases, in the order of the plan.
    pub cases: Vec<CaseInfo>,
    /// The suite as resolved, TOML.
    pub suite_toml: String,
}

/// The machine of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineInfo {
    /// A short hash of the fields below: equal fingerprints are comparable in cost.
    pub fingerprint: String,
    /// Processor model.
    pub cpu: String,
    /// Logical processors that the run may use.
    pub cpus: usize,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Operating system and kernel.
    pub os: String,
    /// Instruction set.
    pub arch: String,
}

/// What a report needs of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskInfo {
    /// The task's name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// One line on it.
    pub about: String,
    /// Its primary metric.
    pub primary: String,
    /// The unit of its targets, or empty.
    pub unit: String,
    /// Class names; empty for a regression.
    pub classes: Vec<String>,
}

/// One planned case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseInfo {
    /// As in [`crate::Record::case`].
    pub case: String,
    /// The task's name.
    pub task: String,
    /// The model's label in figures and tables: its name unless the suite gave another.
    pub label: String,
    /// The model's name.
    pub model: String,
}
