//! What models are compared on.

use std::collections::{HashMap, HashSet};

use crate::format::percent;
use crate::metric::{Metric, Score, TargetUnit, metric};
use crate::run_info::TaskInfo;

/// The device that is the processor.
pub(crate) const PROCESSOR: &str = "cpu";

/// What is in the names of drivers that compute on the processor: those of Mesa, of Chromium and of Windows.
const SOFTWARE: [&str; 4] = ["llvmpipe", "softpipe", "swiftshader", "basic render"];

/// One task at one training size, with one share of wrong labels and one way of division into training and test rows, on one
/// device of one machine: what models are compared on.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The task.
    pub task: TaskInfo,
    /// Rows given for training; with folds, the rows that are divided.
    pub train_size: usize,
    /// The share of the training labels that was made wrong.
    pub label_noise: f64,
    /// How many folds the rows were divided into; `None` if models were scored on the test rows.
    pub folds: Option<usize>,
    /// The kind of device.
    pub device: String,
    /// The name of the device: the processor's model, or what the driver calls the card.
    pub device_name: String,
    /// The fingerprint of the machine. A setting never has the costs of two machines.
    pub machine: String,
    /// The task's name. If the run has several sizes, devices or machines, the title names them too.
    pub title: String,
}

impl Setting {
    /// The metric that ranks the models.
    pub fn primary(&self) -> &'static Metric {
        metric(&self.task.primary).expect("Grid::new refuses tasks whose primary metric is not in the catalogue")
    }

    /// The unit of the primary metric after a comma: `, °²`. Empty if it has none.
    pub fn primary_unit(&self) -> String {
        let unit = self.task.unit.as_str();
        match self.score().target_unit {
            TargetUnit::Squared if !unit.is_empty() => format!(", {unit}²"),
            TargetUnit::Same if !unit.is_empty() => format!(", {unit}"),
            _ => String::new(),
        }
    }

    /// Whether another setting, perhaps of another run, is this one on whichever machine.
    pub(crate) fn is_same_but_for_machine(&self, other: &Setting) -> bool {
        self.task.name == other.task.name
            && self.train_size == other.train_size
            && self.label_noise.to_bits() == other.label_noise.to_bits()
            && self.folds == other.folds
            && self.device == other.device
    }

    /// Whether another setting is this one on whichever device and machine.
    pub(crate) fn is_same_but_for_device(&self, other: &Setting) -> bool {
        self.anywhere() == other.anywhere()
    }

    /// The setting without its device and machine, and with the task's name as its title.
    pub(crate) fn anywhere(&self) -> Setting {
        Setting {
            device: String::new(),
            device_name: String::new(),
            machine: String::new(),
            title: self.task.name.clone(),
            ..self.clone()
        }
    }

    /// Whether the device is a graphics card: neither the processor nor a software device.
    pub(crate) fn is_on_card(&self) -> bool {
        self.device != PROCESSOR && !self.is_on_software_device()
    }

    /// Whether the device only looks like a graphics card: a driver that computes on the processor.
    pub(crate) fn is_on_software_device(&self) -> bool {
        self.device != PROCESSOR && is_software(&self.device_name)
    }

    /// The device with its name: `wgpu: llvmpipe (LLVM 15.0.6, 256 bits), software`.
    pub(crate) fn named_device(&self) -> String {
        let software = if self.is_on_software_device() { ", software" } else { "" };
        match self.device_name.as_str() {
            "" => self.device.clone(),
            name => format!("{}: {name}{software}", self.device),
        }
    }

    /// How the primary metric is computed.
    pub fn score(&self) -> &'static Score {
        self.primary().score.as_ref().expect("Grid::new refuses tasks whose primary metric is no score")
    }
}

/// Whether a driver of this name computes on the processor.
pub(crate) fn is_software(device_name: &str) -> bool {
    let name = device_name.to_lowercase();
    SOFTWARE.iter().any(|software| name.contains(software))
}

/// Completes the titles of settings, which so far are the names of the tasks. A title gets only what is needed to
/// distinguish the settings.
pub(crate) fn name_settings(settings: &mut [Setting]) {
    let devices: HashSet<String> = settings.iter().map(|setting| setting.device.clone()).collect();
    let mut machines: HashMap<String, HashSet<String>> = HashMap::new();
    let mut sizes: HashMap<String, HashSet<usize>> = HashMap::new();
    let mut noises: HashMap<String, HashSet<u64>> = HashMap::new();
    for setting in settings.iter() {
        sizes.entry(setting.task.name.clone()).or_default().insert(setting.train_size);
        noises.entry(setting.task.name.clone()).or_default().insert(setting.label_noise.to_bits());
        machines.entry(setting.device.clone()).or_default().insert(setting.machine.clone());
    }
    for setting in settings {
        if sizes[&setting.task.name].len() > 1 {
            setting.title += &format!(", n = {}", setting.train_size);
        }
        if noises[&setting.task.name].len() > 1 || setting.label_noise > 0.0 {
            setting.title += &format!(", {} % noise", percent(setting.label_noise));
        }
        if let Some(folds) = setting.folds {
            setting.title += &format!(", {folds} folds");
        }
        if devices.len() > 1 {
            setting.title += &format!(", {}", setting.device);
        }
        if machines[&setting.device].len() > 1 {
            setting.title += &format!(", machine {}", setting.machine);
        }
    }
}
