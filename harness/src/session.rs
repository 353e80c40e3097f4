//! One run, from its plan to its report: what `run`, `resume` and `check` share.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use bakeoff_datasets::{DataFile, FileState};
use bakeoff_models::{Device, ModelEntry, Resolved};
use bakeoff_reports::{Built, CaseInfo, DeviceInfo, RunDir, RunInfo, SCHEMA};
use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::devices;
use crate::energy::Metering;
use crate::executor::{ChildProcess, Executor, Inline, Slurm, SlurmCommands};
use crate::forecast::remarks;
use crate::meters;
use crate::plan::Plan;
use crate::program::Program;
use crate::progress;
use crate::recorder::Recorder;
use crate::runner::{self, RunTally};
use crate::search::Searches;
use crate::tasks;
use crate::threads;
use crate::usage::usage;
use crate::worker;

/// The program, its data, and where cases run.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// The program.
    pub program: &'a Program,
    /// A folder from which samples are read instead of the built-in ones.
    pub samples: Option<&'a PathBuf>,
    /// Whether cases run inside this process, one at a time, instead of in child processes.
    pub inline: bool,
}

/// A run that has ended, or was stopped.
#[derive(Debug)]
pub struct Finished {
    /// The run's directory.
    pub path: PathBuf,
    /// The report of everything that is stored.
    pub built: Built,
    /// How the cases ended.
    pub tally: RunTally,
}

impl Session<'_> {
    /// Finds missing datasets and pretrained encoders and broken files before the first case, instead of in each case. The plan has
    /// already read a user's own data.
    ///
    /// # Errors
    /// Names what is missing and how to get it, or the broken file.
    pub fn verify_data(&self, plan: &Plan) -> anyhow::Result<()> {
        if let Some(missing) = self.missing(plan)? {
            return Err(usage(missing));
        }
        let store = worker::store(self.samples);
        self.files(plan).into_iter().try_for_each(|file| store.check(file)).map_err(usage)
    }

    /// What the plan needs and is not there, with the way to get it; `None` if all is there. No file is read.
    ///
    /// # Errors
    /// If the data folder cannot be looked into.
    pub fn missing(&self, plan: &Plan) -> anyhow::Result<Option<String>> {
        let store = worker::store(self.samples);
        let mut folders = BTreeSet::new();
        for file in self.files(plan) {
            if store.state(file).map_err(usage)? == FileState::Missing {
                folders.insert(file.folder());
            }
        }
        let mut missing = Vec::new();
        if !folders.is_empty() {
            let folders: Vec<_> = folders.into_iter().collect();
            let folder = store.data().map_err(usage)?.display();
            missing.push(format!(
                "the suite needs {}, not in {folder}: get it with `bakeoff data fetch {}`",
                folders.join(", "),
                folders.join(" ")
            ));
        }
        // Several cases may read the same folder.
        let own: BTreeSet<String> = self
            .fits(plan)
            .into_iter()
            .filter_map(|(model, params)| model.own_files(&params).err())
            .map(|error| error.to_string())
            .collect();
        missing.extend(own);
        Ok((!missing.is_empty()).then(|| missing.join("\n")))
    }

    /// The files of the data folder that the tasks and the models of a plan read, each once.
    fn files(&self, plan: &Plan) -> Vec<&'static DataFile> {
        let tasks = plan.suite.tasks.iter().filter_map(|entry| self.program.task(entry.name.as_ref()));
        let of_models = self.fits(plan).into_iter().flat_map(|(model, params)| model.files(&params));
        let mut files: Vec<_> = tasks.flat_map(|task| task.files()).chain(of_models).collect();
        files.sort_by_key(|file| file.name);
        files.dedup_by_key(|file| file.name);
        files
    }

    /// What is fitted: each model with its parameters, without those cases that no model can do. What a search may choose from a list
    /// counts too, because its choice is not known yet.
    fn fits<'a>(&self, plan: &'a Plan) -> Vec<(&'a dyn ModelEntry, Cow<'a, Resolved>)> {
        let cases = plan.cases.iter().filter(|case| case.unsupported.is_none());
        let fits = cases.filter_map(|case| {
            let model = self.program.model_or(case.external.as_slice(), &case.model)?;
            let chosen = plan.searches.get(&case.id).map_or_else(Vec::new, |search| search.choices(&case.params));
            let params = std::iter::once(Cow::Borrowed(&case.params)).chain(chosen.into_iter().map(Cow::Owned));
            Some(params.map(move |params| (model, params)))
        });
        fits.flatten().collect()
    }

    /// The names and the sha256 of all files that models read beside their rows.
    ///
    /// # Errors
    /// If a file is missing or cannot be read.
    pub fn files_of_models(&self, plan: &Plan) -> anyhow::Result<BTreeMap<String, String>> {
        let mut sums = BTreeMap::new();
        let mut own = BTreeSet::new();
        for (model, params) in self.fits(plan) {
            let published = model.files(&params).into_iter();
            sums.extend(published.map(|file| (file.name.to_owned(), file.checksum.hex().to_owned())));
            own.extend(model.own_files(&params).map_err(usage)?);
        }
        for path in own {
            let bytes =
                std::fs::read(&path).map_err(|error| usage(format!("cannot read {}: {error}", path.display())))?;
            let sum = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            sums.insert(path.display().to_string(), sum);
        }
        Ok(sums)
    }

    /// The devices of a plan. On a cluster the nodes have them, and not this machine.
    ///
    /// # Errors
    /// If this machine does not have one, why, and what to do.
    pub fn devices(&self, plan: &Plan) -> anyhow::Result<Vec<DeviceInfo>> {
        let machine = self.program.machine;
        let found = plan.devices.iter().map(|device| match devices::find(machine, *device) {
            // The cards of the nodes count, not one of this machine.
            _ if plan.slurm().is_some() && *device != Device::Cpu => Ok(devices::elsewhere(machine, *device)),
            Err(why) => Err(usage(format!(
                "this machine has no device {}: {why}; `bakeoff doctor` shows the devices that it has",
                device.name()
            ))),
            Ok(found) => Ok(found),
        });
        found.collect()
    }

    /// Everything about a new run that is not measured. `out` is the directory that the user named.
    ///
    /// # Errors
    /// If `out` does not end in a name, or if this machine does not have a device of the plan.
    pub fn describe(&self, plan: &Plan, out: Option<&Path>) -> anyhow::Result<RunInfo> {
        let program = self.program;
        let started = program.machine.utc();
        let suite = &plan.suite;
        let run = match out {
            Some(path) => path
                .file_name()
                .and_then(|name| name.to_str())
                .ok_or_else(|| usage(format!("--out {} does not end in a folder's name", path.display())))?
                .to_owned(),
            None => format!("{}-{}-{}", started.replace(['-', ':'], ""), suite.name.as_ref(), run_id(&started)),
        };
        let mut libraries: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut datasets = self.files_of_models(plan)?;
        let mut infos = Vec::new();
        let version = |case: &Case| {
            program.model_version(case.external.as_slice(), &case.model, &case.device).unwrap_or_default()
        };
        for case in &plan.cases {
            libraries.entry(case.model.clone()).or_default().insert(version(case));
        }
        for task in suite.tasks.iter().filter_map(|entry| program.task_or(&plan.own, entry.name.as_ref())) {
            datasets.extend(task.checksums());
            infos.push(tasks::info(task));
        }
        let devices = self.devices(plan)?;
        let energy = meters::sources(&suite.energy.config(), program.machine, &cards(&devices))
            .map_or_else(|reason| format!("none: {reason}"), |sources| sources.join(", "));
        let machine = program.machine.describe();
        Ok(RunInfo {
            schema: SCHEMA,
            run,
            suite: suite.name.as_ref().clone(),
            again_of: None,
            about: suite.about.clone(),
            started,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: crate::COMMIT.to_owned(),
            toolchain: crate::TOOLCHAIN.to_owned(),
            command: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
            devices,
            remarks: remarks(plan, &machine),
            machine,
            energy,
            tasks: infos,
            cases: plan
                .cases
                .iter()
                .map(|case| CaseInfo {
                    case: case.id.clone(),
                    task: case.task.clone(),
                    label: case.label.clone(),
                    model: case.model.clone(),
                    train_size: case.train_size,
                    label_noise: case.label_noise,
                    seed: case.seed,
                    folds: case.fold.map(|fold| fold.folds),
                    repeat: case.fold.map(|fold| fold.repeat),
                    fold: case.fold.map(|fold| fold.fold),
                    trial: case.trial,
                    device: case.device.clone(),
                    model_version: version(case),
                })
                .collect(),
            libraries: libraries.into_iter().map(|(model, versions)| (model, joined(versions))).collect(),
            datasets,
            suite_toml: toml::to_string(suite).context("writing the suite as resolved")?,
        })
    }

    /// Runs the cases of `plan` that are not done yet. Then writes the report of everything that is stored. The directory is
    /// locked until then. `searches` holds the search trials that are done.
    ///
    /// # Errors
    /// If a result cannot be stored or the report cannot be written.
    pub fn carry_out(
        &self,
        info: &RunInfo,
        plan: &Plan,
        mut recorder: Recorder,
        searches: Searches,
    ) -> anyhow::Result<Finished> {
        let path = recorder.path().to_owned();
        // Other machines have meters and peaks of their own.
        let is_elsewhere = plan.slurm().is_some();
        if is_elsewhere {
            recorder.measures_elsewhere();
        }
        let devices = if is_elsewhere { Vec::new() } else { self.devices(plan)? };
        // Before the machine is made busy to find out what it can do at most.
        let metering = if is_elsewhere { None } else { self.metering(plan, &cards(&devices), &recorder)? };
        let cases = if is_elsewhere { plan.cases.clone() } else { self.on_this_machine(&plan.cases, &devices) };
        let primary = info.tasks.iter().map(|task| (task.name.clone(), task.primary.clone())).collect();
        let mut progress = progress::for_stderr(cases.len(), primary);
        // Processor time, memory and panics belong to a process. If one process runs all cases, it must run them one at
        // a time. A cluster is asked by one thread.
        let jobs = if self.inline || is_elsewhere { 1 } else { plan.jobs() };
        let executor = self.executor(plan, RunDir::new(&path), metering.clone())?;
        let machine = self.program.machine;
        let tally = runner::run(&cases, jobs, searches, executor.as_ref(), machine, &mut recorder, progress.as_mut())?;
        // With it, the last hold on the meters but this one.
        drop(executor);
        if let Some(metering) = metering.filter(|_| !tally.interrupted) {
            recorder.store_idle(&metering.afterwards())?;
        }
        let dir = recorder.finish()?;
        let built = threads::at_most(plan.threads(), || bakeoff_reports::build(dir));
        // A folder that is gone would be made again for the report alone.
        recorder.ensure_there("there is no report of it")?;
        let built = built.with_context(|| {
            let path = path.display();
            format!("the results are stored, but not the report; correct the cause, then: bakeoff report {path}")
        })?;
        Ok(Finished { path, built, tally })
    }

    /// The executor for the cases of the run in `run`, whose meters are read meanwhile.
    fn executor(&self, plan: &Plan, run: RunDir, metering: Option<Arc<Metering>>) -> anyhow::Result<Box<dyn Executor>> {
        if let Some(slurm) = self.slurm(plan, &run)? {
            return Ok(Box::new(slurm));
        }
        let (samples, run) = (self.samples.cloned(), Some(run));
        Ok(if self.inline {
            Box::new(Inline { program: *self.program, samples, run, metering })
        } else {
            Box::new(ChildProcess { samples, run, metering })
        })
    }

    /// The cluster that carries out the cases of the run in `run`. `None` if they are carried out here.
    ///
    /// # Errors
    /// If the path of the samples is not known.
    pub fn slurm(&self, plan: &Plan, run: &RunDir) -> anyhow::Result<Option<Slurm>> {
        let Some(settings) = plan.slurm() else { return Ok(None) };
        Slurm::new(Box::new(SlurmCommands), settings, self.samples, run.clone()).map(Some)
    }

    /// The cases, with the addresses of the cards that they compute on, and with what the machine can do at most, which is the same for
    /// all cases with as many threads.
    fn on_this_machine(&self, cases: &[Case], devices: &[DeviceInfo]) -> Vec<Case> {
        let mut cases = cases.to_vec();
        let mut peaks = BTreeMap::new();
        for case in &mut cases {
            let device = devices.iter().find(|device| device.device == case.device);
            case.card = device.and_then(|device| device.address.clone());
            if case.unsupported.is_none() && case.trial.is_none() {
                case.peak = *peaks.entry(case.threads).or_insert_with(|| self.program.machine.peak(case.threads));
            }
        }
        cases
    }

    /// The meters that are read while the cases run, with the power of the idle machine. `None` if none measures. `cards` are the
    /// addresses of the graphics cards on which cases compute.
    fn metering(&self, plan: &Plan, cards: &[String], recorder: &Recorder) -> anyhow::Result<Option<Arc<Metering>>> {
        let started = Metering::start(&plan.suite.energy.config(), self.program.machine, cards).map_err(usage)?;
        let Some(mut metering) = started else { return Ok(None) };
        recorder.store_idle(&metering.baseline())?;
        Ok(Some(Arc::new(metering)))
    }
}

/// The addresses of the graphics cards among devices, each once, though it may be a device of two kinds.
fn cards(devices: &[DeviceInfo]) -> Vec<String> {
    devices.iter().filter_map(|device| device.address.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The versions of a model on the devices of a run.
fn joined(versions: BTreeSet<String>) -> String {
    versions.into_iter().collect::<Vec<_>>().join(" / ")
}

/// Six hexadecimal digits that distinguish runs begun in the same second.
fn run_id(started: &str) -> String {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let digest = Sha256::digest(format!("{started} {} {nanos}", std::process::id()).as_bytes());
    digest.iter().take(3).map(|byte| format!("{byte:02x}")).collect()
}
