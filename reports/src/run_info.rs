//! `run.json`: what was run, where and with what.
//!
//! A new field gets `#[serde(default)]`. If older files say the same in another way, it also gets a line in
//! [`RunInfo::complete`]. A file of a later schema is refused by its number before its fields are read. So an unknown
//! field is always a fault, and is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::format::si;

/// Everything about a run that is not a measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunInfo {
    /// The schema that the run was begun with, at most [`crate::SCHEMA`].
    pub schema: u32,
    /// The run's directory name.
    pub run: String,
    /// The suite's name.
    pub suite: String,
    /// What the suite is for, in a line.
    pub about: String,
    /// The night whose suspects this run measured again; `None` for every other run, and for those of schemas before 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_of: Option<String>,
    /// When the run began, RFC 3339, UTC.
    pub started: String,
    /// The program's version.
    pub version: String,
    /// The commit that the program was built from, or `unknown`. It ends in `-dirty` if the tree had changes.
    pub commit: String,
    /// The compiler that built the program.
    pub toolchain: String,
    /// The command line, as given.
    pub command: Vec<String>,
    /// The machine.
    pub machine: MachineInfo,
    /// The devices on which the cases compute. Since schema 2; older runs only have the machine's processor.
    #[serde(default)]
    pub devices: Vec<DeviceInfo>,
    /// The models and their versions, each with the library's version in brackets. ` / ` separates versions that differ
    /// by device.
    pub libraries: BTreeMap<String, String>,
    /// The name and the sha256 of every data file that was used.
    pub datasets: BTreeMap<String, String>,
    /// Where joules come from (`rapl`, `estimate`), or why there are none.
    pub energy: String,
    /// Remarks that a reader must know and that were known before the first case ran, in sentences. Since schema 2;
    /// older runs have none.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// The tasks of the run.
    pub tasks: Vec<TaskInfo>,
    /// The cases, in the order of the plan.
    pub cases: Vec<CaseInfo>,
    /// The suite as resolved, in TOML.
    pub suite_toml: String,
}

/// The machine of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineInfo {
    /// A short hash of what decides cost. Costs are compared within one fingerprint.
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

/// A device of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceInfo {
    /// The kind of device, as in [`crate::Record::device`].
    pub device: String,
    /// The name of the device: the processor's model, or what the card is called.
    pub name: String,
    /// How many bytes of memory it may use: of a card its own. 0 if that is unknown.
    pub memory_bytes: u64,
    /// The fingerprint of the machine with this device, as in [`crate::Record::machine`].
    pub fingerprint: String,
    /// The name and version of a card's driver. Empty for the processor, and if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub driver: String,
    /// The compute capability of a card of NVIDIA, such as `9.0`. Empty for all others, and if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub capability: String,
    /// The address of a card on the bus, such as `0000:65:00.0`. `None` for the processor, and if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Whether it is a program on the processor that takes the place of a card.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_software: bool,
}

impl DeviceInfo {
    /// A device of this kind of which nothing is known.
    pub fn unknown(device: &str) -> DeviceInfo {
        let empty = String::new;
        DeviceInfo {
            device: device.to_owned(),
            name: empty(),
            memory_bytes: 0,
            fingerprint: empty(),
            driver: empty(),
            capability: empty(),
            address: None,
            is_software: false,
        }
    }

    /// What it is, as people read it: `Example GPU, driver 580.95, 140.4 GB of memory, compute capability 9.0 (fingerprint 5e379dbb)`.
    pub fn in_words(&self) -> String {
        let mut words = self.name.clone();
        if !self.driver.is_empty() {
            words += &format!(", driver {}", self.driver);
        }
        words += &match self.memory_bytes {
            _ if self.is_software => ", a program on the processor in place of a card".to_owned(),
            0 => ", memory unknown".to_owned(),
            bytes => format!(", {} of memory", si(bytes as f64, "B")),
        };
        if !self.capability.is_empty() {
            words += &format!(", compute capability {}", self.capability);
        }
        if let Some(address) = &self.address {
            words += &format!(", at {address}");
        }
        format!("{words} (fingerprint {})", self.fingerprint)
    }
}

/// What a report needs to know about a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskInfo {
    /// The task's name.
    pub name: String,
    /// The task's version.
    pub version: u32,
    /// One line about the task.
    pub about: String,
    /// The task's primary metric.
    pub primary: String,
    /// The unit of the targets, or empty.
    pub unit: String,
    /// Class names; empty for a regression.
    pub classes: Vec<String>,
}

/// One planned case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseInfo {
    /// As in [`crate::Record::case`].
    pub case: String,
    /// The task's name.
    pub task: String,
    /// The model's label in figures and tables, which is its name unless the suite gave another.
    pub label: String,
    /// The model's name.
    pub model: String,
    /// How many rows were given for training, validation included. Since schema 2; older files have it in the case's
    /// id.
    #[serde(default)]
    pub train_size: usize,
    /// The share of the training labels that is made wrong. Since schema 3; older runs have none.
    #[serde(default)]
    pub label_noise: f64,
    /// The seed. Since schema 2; older files have it in the case's id.
    #[serde(default)]
    pub seed: u64,
    /// As in [`crate::Record::folds`]. Since schema 3; older runs have no folds.
    #[serde(default)]
    pub folds: Option<usize>,
    /// As in [`crate::Record::repeat`]. Since schema 3.
    #[serde(default)]
    pub repeat: Option<usize>,
    /// As in [`crate::Record::fold`]. Since schema 3.
    #[serde(default)]
    pub fold: Option<usize>,
    /// As in [`crate::Record::trial`]. The search trials of a case stand before it. Since schema 3.
    #[serde(default)]
    pub trial: Option<usize>,
    /// The kind of device. Since schema 2; older files have it in the case's id.
    #[serde(default)]
    pub device: String,
    /// The model's version on that device, with the library's version in brackets. Since schema 2; older files have it
    /// in [`RunInfo::libraries`].
    #[serde(default)]
    pub model_version: String,
}

impl RunInfo {
    /// Fills in what a file of an older schema says in another way. The error names a case whose id cannot be read.
    pub(crate) fn complete(&mut self) -> Result<(), String> {
        if self.schema >= 2 {
            return Ok(());
        }
        for case in &mut self.cases {
            let refuse = || format!("case '{}': expected an id that ends in .n<rows>.s<seed>.<device>", case.case);
            (case.train_size, case.seed, case.device) = parts_of(&case.case).ok_or_else(refuse)?;
            case.model_version = self.libraries.get(&case.model).cloned().unwrap_or_default();
        }
        self.devices = vec![DeviceInfo {
            name: self.machine.cpu.clone(),
            memory_bytes: self.machine.memory_bytes,
            fingerprint: self.machine.fingerprint.clone(),
            ..DeviceInfo::unknown("cpu")
        }];
        Ok(())
    }
}

/// The training size, the seed and the device of a case, from the end of its id: `….n<train_size>.s<seed>.<device>`.
fn parts_of(case: &str) -> Option<(usize, u64, String)> {
    let mut parts = case.rsplitn(4, '.');
    let device = parts.next()?.to_owned();
    let seed = parts.next()?.strip_prefix('s')?.parse().ok()?;
    let train_size = parts.next()?.strip_prefix('n')?.parse().ok()?;
    Some((train_size, seed, device))
}
