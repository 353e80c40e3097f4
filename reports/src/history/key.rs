//! What tells two series apart. Numbers of two keys are never averaged and never compared.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::cell::ESTIMATE;
use crate::format::percent;
use crate::metric::{Metric, metric};
use crate::run_info::{DeviceInfo, MachineInfo};

/// What decides the costs of a machine and stays the same from night to night. Clock rates, host names and kernels are no part of it:
/// they change on a machine that has not changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineClass {
    /// The processor's model.
    pub cpu: String,
    /// Logical processors that the run may use.
    pub cpus: usize,
    /// The memory in GiB, rounded up to a power of two, because systems report a little less than what is built in; 0 if it is unknown.
    pub memory_gib: u64,
    /// The name of the device on which the model computes. For a processor, it is the same as [`MachineClass::cpu`].
    pub device: String,
}

impl MachineClass {
    /// The class of a machine with this device.
    pub fn of(machine: &MachineInfo, device: &DeviceInfo) -> MachineClass {
        let gib = machine.memory_bytes.div_ceil(1 << 30);
        MachineClass {
            cpu: machine.cpu.clone(),
            cpus: machine.cpus,
            memory_gib: if gib == 0 { 0 } else { gib.next_power_of_two() },
            device: device.name.clone(),
        }
    }
}

impl fmt::Display for MachineClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {}", self.cpus, self.cpu)?;
        if self.memory_gib > 0 {
            write!(f, ", {} GiB", self.memory_gib)?;
        }
        if self.device != self.cpu {
            write!(f, ", {}", self.device)?;
        }
        Ok(())
    }
}

/// What a number is: a metric in a phase, under conditions, from a source. As text: `predict-single/latency_p50_s@stopwatch`, and with
/// conditions `predict-batch/throughput[batch=8]@stopwatch`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quantity {
    /// As in [`crate::Record::phase`].
    pub phase: String,
    /// As in [`crate::Record::metric`].
    pub metric: String,
    /// As in [`crate::Record::conditions`]; empty for most.
    pub conditions: String,
    /// As in [`crate::Record::source`].
    pub source: String,
}

impl Quantity {
    /// The rules of the metric. `None` if this program does not know it: then nothing is judged.
    pub fn rules(&self) -> Option<&'static Metric> {
        metric(&self.metric)
    }

    /// Whether it is a score, which is judged by paired tests on predictions and not as a series.
    pub fn is_quality(&self) -> bool {
        self.phase == "score"
    }

    /// Whether it is computed from something else and not measured. An estimate is never judged.
    pub fn is_estimate(&self) -> bool {
        self.source == ESTIMATE
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.phase, self.metric)?;
        if !self.conditions.is_empty() {
            write!(f, "[{}]", self.conditions)?;
        }
        write!(f, "@{}", self.source)
    }
}

impl FromStr for Quantity {
    type Err = String;

    fn from_str(text: &str) -> Result<Quantity, String> {
        let refuse = || format!("'{text}' is no quantity: expected phase/metric@source, as in fit/fit_s@stopwatch");
        let (phase, rest) = text.split_once('/').ok_or_else(refuse)?;
        let (rest, source) = rest.rsplit_once('@').ok_or_else(refuse)?;
        let (metric, conditions) = match rest.split_once('[') {
            None => (rest, ""),
            Some((metric, conditions)) => (metric, conditions.strip_suffix(']').ok_or_else(refuse)?),
        };
        let of = |text: &str| text.to_owned();
        if [phase, metric, source].iter().any(|part| part.is_empty()) || rest.ends_with("[]") {
            return Err(refuse());
        }
        Ok(Quantity { phase: of(phase), metric: of(metric), conditions: of(conditions), source: of(source) })
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A cell of a suite on a class of machines: what stays the same in all series of one model in one setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellKey {
    /// The suite, which sets how numbers are measured.
    pub suite: String,
    /// The task's name.
    pub task: String,
    /// The task's version. Another version has other rows or another metric.
    pub task_version: u32,
    /// The model's name in figures and tables.
    pub label: String,
    /// The model's name.
    pub model: String,
    /// As in [`crate::Record::params`]; `searched` if each seed searched for its own.
    pub params: String,
    /// As in [`crate::Record::train_size`].
    pub train_size: usize,
    /// As in [`crate::Record::label_noise`].
    pub label_noise: f64,
    /// As in [`crate::Record::folds`].
    pub folds: Option<usize>,
    /// The seeds, and with folds the divisions and folds, over which each number is the mean: `s1 s2`, `s1.r1f1 s1.r1f2`.
    pub trials: String,
    /// The kind of device, as in [`crate::Record::device`].
    pub device: String,
    /// As in [`crate::Record::threads`].
    pub threads: Option<usize>,
    /// The machine.
    pub machine: MachineClass,
}

impl fmt::Display for CellKey {
    /// `svm on sst2, n = 2000`: what a person calls it. Parameters, versions, seeds and machine are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}, n = {}", self.label, self.task, self.train_size)?;
        if self.label_noise > 0.0 {
            write!(f, ", {} % noise", percent(self.label_noise))?;
        }
        if let Some(folds) = self.folds {
            write!(f, ", {folds} folds")?;
        }
        if self.device != "cpu" {
            write!(f, ", {}", self.device)?;
        }
        Ok(())
    }
}

/// What tells a series apart from all others: a cell and a quantity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesKey {
    /// The cell.
    pub cell: CellKey,
    /// The quantity.
    pub quantity: Quantity,
}

impl SeriesKey {
    /// The short name by which a person, an epoch and another program name the series: the first ten hexadecimal digits of the SHA-256
    /// of the key as JSON. It is the same on every machine and in every version of this schema.
    pub fn id(&self) -> SeriesId {
        let json = serde_json::to_vec(self).expect("a key has plain fields");
        let hash = Sha256::digest(json);
        SeriesId(hash.iter().take(5).map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for SeriesKey {
    /// `svm on sst2, n = 2000: predict-single/latency_p50_s@stopwatch`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cell, self.quantity)
    }
}

/// As [`SeriesKey::id`] makes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeriesId(pub String);

impl fmt::Display for SeriesId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
