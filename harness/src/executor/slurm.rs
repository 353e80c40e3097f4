//! Cases as tasks of a Slurm cluster: each is carried out on a node as it would be here, and its outcome comes back through the run's
//! directory, which all machines see (docs/scaling.md).

mod cluster;
mod collector;
mod folder;
mod script;
mod states;
mod task;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bakeoff_reports::RunDir;

use super::{Desk, Executor};
use crate::case::Case;
use crate::suite::SlurmSettings;
use crate::usage::usage;

use collector::Collector;
use folder::Place;
use script::Script;

pub use cluster::{Cluster, Refusal, SlurmCommands};
pub use states::TaskLine;
pub use task::{Report, carry_out};

/// How many tasks an array may have where Slurm cannot be asked: its default.
const DEFAULT_MOST_TASKS: usize = 1001;

/// Carries out cases as tasks of a cluster.
pub struct Slurm {
    /// The cluster.
    pub cluster: Box<dyn Cluster>,
    /// What the suite asks it for.
    pub settings: SlurmSettings,
    /// A folder from which samples are read instead of the built-in ones.
    pub samples: Option<PathBuf>,
    /// The directory of the run to which the cases belong.
    pub run: RunDir,
    /// The files of outcomes that were handed in and are not stored yet, by the index of their case.
    unstored: Mutex<BTreeMap<usize, Vec<PathBuf>>>,
}

impl Executor for Slurm {
    fn work(&self, desk: &Desk<'_>) -> anyhow::Result<()> {
        Collector::new(self, desk)?.work()
    }

    fn stored(&self, index: usize) {
        let files = self.unstored.lock().unwrap_or_else(PoisonError::into_inner).remove(&index);
        for file in files.into_iter().flatten() {
            // What is left is removed with its folder.
            let _ = fs::remove_file(file);
        }
    }
}

impl Slurm {
    /// An executor on `cluster` for the run in `run`.
    pub fn new(
        cluster: Box<dyn Cluster>,
        settings: SlurmSettings,
        samples: Option<&PathBuf>,
        run: RunDir,
    ) -> anyhow::Result<Slurm> {
        // A task may be started in another folder.
        let samples = samples.map(std::path::absolute).transpose()?;
        Ok(Slurm { cluster, settings, samples, run, unstored: Mutex::default() })
    }

    /// Asks the cluster whether it would take these cases, and submits nothing.
    ///
    /// # Errors
    /// If there is no Slurm here, or if it would refuse them.
    pub fn check(&self, cases: &[Case]) -> anyhow::Result<()> {
        let most = self.cluster.most_tasks().map_err(usage)?;
        let mut asked = Vec::new();
        for case in cases.iter().filter(|case| case.unsupported.is_none()) {
            if !asked.contains(&case.threads) {
                asked.push(case.threads);
                let alike = cases.iter().filter(|other| other.threads == case.threads).count();
                let script = self.script_of(case, alike.min(most))?;
                self.cluster.check(&script).map_err(usage)?;
            }
        }
        Ok(())
    }

    /// The scripts that would be submitted first for these cases, and a remark if the cluster cannot be asked how many tasks an array may
    /// have. Nothing is submitted.
    ///
    /// # Errors
    /// If the path of the run is not known.
    pub fn dry_run(&self, cases: &[Case]) -> anyhow::Result<(Vec<String>, Option<String>)> {
        let (most, remark) = match self.cluster.most_tasks() {
            Ok(most) => (most, None),
            Err(refusal) => {
                let remark = format!("{refusal}. An array is taken to have {DEFAULT_MOST_TASKS} tasks at most");
                (DEFAULT_MOST_TASKS, Some(remark))
            }
        };
        let mut rest: Vec<&Case> =
            cases.iter().filter(|case| case.unsupported.is_none() && case.waits_for == 0).collect();
        let mut scripts = Vec::new();
        while let Some(first) = rest.first().copied() {
            let tasks = rest.iter().filter(|case| case.threads == first.threads).count().min(most);
            scripts.push(self.script(first, tasks, (scripts.len() + 1, TOKEN_SHOWN), None)?);
            let mut taken = 0;
            rest.retain(|case| {
                let takes = case.threads == first.threads && taken < tasks;
                taken += usize::from(takes);
                !takes
            });
        }
        Ok((scripts, remark))
    }

    fn script_of(&self, case: &Case, tasks: usize) -> anyhow::Result<String> {
        self.script(case, tasks, (1, TOKEN_SHOWN), None)
    }

    /// The script of an array of so many cases, all of them like `case`.
    fn script(
        &self,
        case: &Case,
        tasks: usize,
        (number, token): (usize, &str),
        program: Option<&Path>,
    ) -> anyhow::Result<String> {
        let place = Place::of(&self.run)?;
        if !place.path().to_str().is_some_and(is_taken_by_slurm) {
            return Err(usage(format!(
                "the path of the run's directory has a character that Slurm does not take in the name of a log: {:?}; give --out another place",
                place.path()
            )));
        }
        let array = place.new_array(number, token);
        let shown = place.program_path(token);
        let script = Script {
            settings: &self.settings,
            name: &array.name(),
            folder: array.path(),
            program: program.unwrap_or(&shown),
            tasks,
            case,
        };
        Ok(script.to_string())
    }

    fn unstored(&self) -> usize {
        self.unstored.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn hold(&self, index: usize, files: Vec<PathBuf>) {
        self.unstored.lock().unwrap_or_else(PoisonError::into_inner).insert(index, files);
    }
}

/// Whether Slurm can write logs below this path. In the name of a log, a backslash switches off what stands for the number of the task.
fn is_taken_by_slurm(path: &str) -> bool {
    !path.chars().any(|letter| letter.is_control() || letter == '\\')
}

/// Stands for the digits that are drawn when an array is submitted.
const TOKEN_SHOWN: &str = "xxxxxx";

/// Whether tasks of a cluster may be at work on the run in `run`, or have left what is not stored yet.
pub fn is_at_work(run: &RunDir) -> bool {
    Place::of(run).and_then(|place| place.arrays()).is_ok_and(|arrays| !arrays.is_empty())
}

#[cfg(test)]
pub(crate) mod tests;
