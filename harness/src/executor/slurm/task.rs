//! The side of a task: it carries out one case on its node as the program does on one machine, and writes the outcome where the program
//! finds it.

use std::io::{Write, stderr};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use bakeoff_models::Device;
use bakeoff_reports::{DeviceInfo, Node, RunDir, Status, replace};
use serde::{Deserialize, Serialize};

use super::folder::{ArrayFolder, TaskRequest};
use crate::case::Case;
use crate::devices;
use crate::energy::Metering;
use crate::executor::{ChildProcess, Local};
use crate::interrupt;
use crate::meters;
use crate::outcome::Outcome;
use crate::program::Program;
use crate::stopwatch::Stopwatch;
use crate::usage::usage;

/// The version of the file. A later program measures a case again if it finds another.
const FORMAT: u32 = 1;

/// What a task leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    format: u32,
    /// The case that was measured, as the task was given it.
    pub(super) case: Case,
    /// The commit of the program that measured.
    pub(super) commit: String,
    /// Where it was measured.
    pub(super) node: Node,
    /// The wall time of the case.
    pub(super) wall_s: f64,
    pub(super) outcome: Outcome,
}

impl Report {
    /// A report of this program.
    pub fn new(case: Case, node: Node, wall_s: f64, outcome: Outcome) -> Report {
        Report { format: FORMAT, case, commit: crate::COMMIT.to_owned(), node, wall_s, outcome }
    }

    /// Writes the report, completely or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        Ok(replace(path, &serde_json::to_vec(self)?)?)
    }

    /// Reads the report of `case`.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn read(path: &Path, case: &Case) -> Result<Report, String> {
        let unusable = |why: &dyn std::fmt::Display| format!("its outcome {} cannot be used: {why}", path.display());
        let bytes = std::fs::read(path).map_err(|error| unusable(&error))?;
        let report: Report = serde_json::from_slice(&bytes).map_err(|error| unusable(&error))?;
        if report.format != FORMAT {
            return Err(unusable(&format!("it is of format {}, this bakeoff reads {FORMAT}", report.format)));
        }
        if report.case != *case {
            return Err(unusable(&format!("it is of case {} with other settings", report.case.id)));
        }
        Ok(report)
    }
}

/// Carries out the task of the array in `folder` whose number Slurm states. `false` if it was told to stop.
///
/// # Errors
/// If this is no task of an array, or if the outcome cannot be written.
pub fn carry_out(program: &Program, folder: &Path) -> anyhow::Result<bool> {
    let task: u32 = std::env::var("SLURM_ARRAY_TASK_ID").ok().and_then(|task| task.parse().ok()).ok_or_else(|| {
        usage("'worker --array' is for the program's own use: Slurm starts it, with SLURM_ARRAY_TASK_ID")
    })?;
    let array = ArrayFolder::at(folder.to_owned())
        .ok_or_else(|| usage(format!("{} is no folder of an array", folder.display())))?;
    interrupt::listen()?;
    let path = array.outcome_path(task);
    if path.exists() {
        // Slurm has started it again after its end.
        return Ok(true);
    }
    let request = array.request(task)?;
    let work = RunDir::new(folder.parent().unwrap_or(folder).join("work"));
    let case = request.case.clone();
    let Some((outcome, wall_s)) = measure(program, request, work) else {
        // The log says why there is no outcome.
        let _ = writeln!(stderr(), "a signal told the task to stop");
        return Ok(false);
    };
    let node = node(program, &case);
    Report::new(case, node, wall_s, outcome)
        .write(&path)
        .with_context(|| format!("cannot store the outcome of task {task}"))?;
    Ok(true)
}

/// Measures a case with the meters of this machine. `None` if the task was told to stop.
fn measure(program: &Program, TaskRequest { mut case, samples }: TaskRequest, work: RunDir) -> Option<(Outcome, f64)> {
    let machine = program.machine;
    let refused = |case: &Case, reason: String| {
        Some((on_this_machine(program, case, Outcome::without_numbers(Status::Failed, reason)), 0.0))
    };
    case.card = match device(program, &case) {
        Ok(device) => device.address,
        Err(reason) => {
            let reason =
                format!("its node has no device {}: {reason}; [slurm] gres asks for nodes with cards", case.device);
            return refused(&case, reason);
        }
    };
    let metering = match Metering::start(&case.energy, machine, case.card.as_slice()) {
        Ok(metering) => metering,
        Err(reason) => return refused(&case, reason),
    };
    let metering = metering.map(|mut metering| {
        // The power of the idle machine is a row of the case.
        metering.baseline();
        Arc::new(metering)
    });
    if case.trial.is_none() {
        case.peak = machine.peak(case.threads);
    }
    let executor = ChildProcess { samples, run: Some(work), metering };
    let stopwatch = Stopwatch::start(machine);
    let outcome = executor.run(&case, &mut |_| {})?;
    Some((on_this_machine(program, &case, outcome), stopwatch.seconds()))
}

/// Says of an outcome that it is of this machine, even if the process of the case could not.
fn on_this_machine(program: &Program, case: &Case, mut outcome: Outcome) -> Outcome {
    if outcome.machine.is_empty()
        && let Ok(device) = device(program, case)
    {
        (outcome.machine, outcome.device_name) = (device.fingerprint, device.name);
    }
    if outcome.status.is_failure()
        && let Ok(node) = std::env::var("SLURMD_NODENAME")
    {
        outcome.remark(&format!("on node {node}"));
    }
    outcome
}

/// The device of a case on this machine.
fn device(program: &Program, case: &Case) -> Result<DeviceInfo, String> {
    Device::named(&case.device).and_then(|device| devices::find(program.machine, device))
}

fn node(program: &Program, case: &Case) -> Node {
    let device = device(program, case).ok();
    let card = device.as_ref().and_then(|device| device.address.clone());
    let energy = meters::sources(&case.energy, program.machine, card.as_slice())
        .map_or_else(|reason| format!("none: {reason}"), |sources| sources.join(", "));
    Node { machine: program.machine.describe(), devices: device.into_iter().collect(), energy }
}
