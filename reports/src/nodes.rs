//! `nodes.json`: the machines of a cluster on which cases of a run were measured. `run.json` describes one machine only.

use serde::{Deserialize, Serialize};

use crate::error::ReportError;
use crate::history::MachineClass;
use crate::record::SCHEMA;
use crate::run_dir::RunDir;
use crate::run_info::{DeviceInfo, MachineInfo, RunInfo};
use crate::stored_json;

/// The name of the file in a run's directory.
const FILE: &str = "nodes.json";

/// A machine of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// The machine, as far as a case may use it.
    pub machine: MachineInfo,
    /// The devices on which cases compute.
    pub devices: Vec<DeviceInfo>,
    /// Where joules come from, or why there are none.
    pub energy: String,
}

/// The machines of a run on a cluster, one for each fingerprint. A run that was measured on one machine has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    schema: u32,
    /// In the order in which their first cases ended.
    nodes: Vec<Node>,
}

impl Default for Nodes {
    fn default() -> Nodes {
        Nodes { schema: SCHEMA, nodes: Vec::new() }
    }
}

impl Nodes {
    /// Reads the file. There are no nodes if it is not there.
    ///
    /// # Errors
    /// If the file cannot be read, is of a later schema, or is damaged.
    pub fn read(dir: &RunDir) -> Result<Nodes, ReportError> {
        let remedy = "put the whole file back, or remove it: then numbers of nodes that run.json does not describe have no machine class";
        Ok(stored_json::read(&dir.path().join(FILE), remedy)?.unwrap_or_default())
    }

    /// Writes the file, completely or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, dir: &RunDir) -> Result<(), ReportError> {
        let mut text = serde_json::to_string_pretty(self).expect("nodes have plain fields");
        text.push('\n');
        dir.write(FILE, text.as_bytes())
    }

    /// Adds what is new: the machine, or a device of a known one. `false` if nothing is.
    pub fn add(&mut self, node: &Node) -> bool {
        let Some(known) = self.nodes.iter_mut().find(|known| known.machine.fingerprint == node.machine.fingerprint)
        else {
            self.nodes.push(node.clone());
            return true;
        };
        let before = known.devices.len();
        for device in &node.devices {
            if known.devices.iter().all(|known| known.fingerprint != device.fingerprint) {
                known.devices.push(device.clone());
            }
        }
        known.devices.len() > before
    }

    /// The machines.
    pub fn all(&self) -> &[Node] {
        &self.nodes
    }

    /// The class of the machine and device with this fingerprint, in a run that `info` describes. `None` if neither describes it.
    pub fn class_of(&self, info: &RunInfo, fingerprint: &str) -> Option<MachineClass> {
        let of_nodes = self.nodes.iter().map(|node| (&node.machine, &node.devices));
        of_nodes.chain([(&info.machine, &info.devices)]).find_map(|(machine, devices)| {
            let device = devices.iter().find(|device| device.fingerprint == fingerprint)?;
            Some(MachineClass::of(machine, device))
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn node(machine: &str, device: &str) -> Node {
        let text = str::to_owned;
        let machine = MachineInfo {
            fingerprint: text(machine),
            cpu: text("Example"),
            cpus: 4,
            memory_bytes: 8 << 30,
            os: text("Linux"),
            arch: text("x86_64"),
        };
        let device = DeviceInfo { name: text("Example"), fingerprint: text(device), ..DeviceInfo::unknown("cpu") };
        Node { machine, devices: vec![device], energy: text("rapl") }
    }

    #[test]
    fn a_node_is_stored_once_with_all_of_its_devices() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        assert_eq!(Nodes::read(&dir).unwrap(), Nodes::default());
        let mut nodes = Nodes::default();
        let added = [("a", "a"), ("b", "b"), ("a", "a"), ("a", "gpu"), ("a", "gpu")];
        assert_eq!(added.map(|(machine, device)| nodes.add(&node(machine, device))), [true, true, false, true, false]);
        nodes.write(&dir).unwrap();
        let read = Nodes::read(&dir).unwrap();
        assert_eq!(read, nodes);
        let devices = |node: &Node| node.devices.iter().map(|device| device.fingerprint.clone()).collect::<Vec<_>>();
        assert_eq!(read.all().iter().map(devices).collect::<Vec<_>>(), [vec!["a", "gpu"], vec!["b"]]);
    }

    #[test]
    fn a_file_that_cannot_be_used_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        for (text, expected) in [
            ("{\"schema\": 99}".to_owned(), "written by a newer bakeoff (schema 99"),
            (format!("{{\"schema\": {SCHEMA}, \"nodes\": [{{"), "put the whole file back, or remove it"),
        ] {
            dir.write(FILE, text.as_bytes()).unwrap();
            let said = Nodes::read(&dir).unwrap_err().to_string();
            assert!(said.contains(FILE) && said.contains(expected), "{said}");
        }
    }
}
