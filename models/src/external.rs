//! Models that are programs of the user's, in any language. They speak the protocol of docs/protocol.md.
//!
//! `external/message.rs`: the messages. `external/process.rs`: a program that is running. `external/marked.rs`: finds what it has
//! started.

mod marked;
mod message;
mod process;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bakeoff_datasets::{Inputs, Split, TableColumns};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::artefact::external as artefact;
use crate::model::{
    Device, EpochReport, Footprint, InputShape, Matrix, Model, ModelEntry, ModelError, Predictions, Spec, Support,
    TargetShape, TaskShape, Watch,
};
use crate::names::unknown_name;
use crate::parallel::Threads;
use crate::params::{Param, ParamError, Resolved};

pub use marked::{MARK, end_marked, new_mark};
pub(crate) use message::Hello;
use message::{Answer, Block, Kind, Message, Request, TaskMessage};
use process::Process;

/// The kinds of inputs, as a program names them.
const INPUTS: [&str; 4] = ["images", "texts", "pairs", "table"];
/// The kinds of targets, as a program names them.
const TARGETS: [&str; 2] = ["classes", "value"];

/// A program of the user's that is a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct External {
    name: String,
    command: Vec<String>,
    /// The working directory of the program.
    folder: PathBuf,
    version: String,
    /// The seconds that the program may take until it says what it is.
    start_s: f64,
    /// The sha256 of each of the program's files.
    files: BTreeMap<PathBuf, String>,
    hello: Hello,
}

/// What a user writes of a program that is a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalSettings {
    /// What the model is called.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The working directory of the program. Relative paths start there.
    pub folder: PathBuf,
    /// The version of the method. If not given, the program says it.
    pub version: Option<String>,
    /// Further files that the program is made of.
    pub files: Vec<String>,
    /// The seconds that the program may take until it says what it is.
    pub start_s: f64,
}

impl External {
    /// Starts the program to ask what it is, and takes the checksums of its files: those that the command names, and the further ones.
    ///
    /// # Errors
    /// If a file cannot be read, if the program cannot be started, or if it does not answer as the protocol says.
    pub fn open(settings: ExternalSettings) -> Result<External, ModelError> {
        let ExternalSettings { name, command, folder, version, files, start_s } = settings;
        let further = files.iter().map(|file| folder.join(file));
        let named = command.iter().map(|word| folder.join(word)).filter(|path| path.is_file());
        let files = named.chain(further).map(|path| Ok((path.clone(), checksum(&path)?)));
        let files = files.collect::<Result<BTreeMap<_, _>, ModelError>>()?;
        let (mut process, hello) = Process::start(&name, (&command, &folder), 1, start_s, false)?;
        for (what, said, known) in [("inputs", &hello.inputs, &INPUTS[..]), ("targets", &hello.targets, &TARGETS[..])] {
            if let Some(unknown) = said.iter().find(|word| !known.contains(&word.as_str())) {
                let fault = unknown_name("word", unknown, known);
                return Err(process.failed(format!("broke the protocol: in the {what} of its hello: {fault}")));
            }
            if said.is_empty() {
                return Err(process.failed(format!("broke the protocol: the {what} of its hello are an empty list")));
            }
        }
        drop(process);
        let version = process::one_line(&version.unwrap_or_else(|| hello.version.clone()));
        Ok(External { name, command, folder, version, start_s, files, hello })
    }

    /// The checksums of the program's files, by their paths.
    pub fn files(&self) -> &BTreeMap<PathBuf, String> {
        &self.files
    }

    /// Starts the program, which must be the one that was asked before.
    fn start(&self, threads: usize) -> Result<Process, ModelError> {
        for (path, expected) in &self.files {
            if checksum(path)? != *expected {
                let (name, path) = (&self.name, path.display());
                return Err(ModelError::Failed(format!(
                    "{path}, a file of the program of model '{name}', has changed since the run began: start a new run"
                )));
            }
        }
        let (mut process, hello) =
            Process::start(&self.name, (&self.command, &self.folder), threads, self.start_s, true)?;
        if hello != self.hello {
            return Err(process.failed("says something else in its hello than when the run began: start a new run"));
        }
        Ok(process)
    }
}

/// The sha256 of a file.
fn checksum(path: &Path) -> Result<String, ModelError> {
    let bytes =
        fs::read(path).map_err(|error| ModelError::Failed(format!("failed to read {}: {error}", path.display())))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

impl ModelEntry for External {
    fn name(&self) -> &str {
        &self.name
    }

    fn about(&self) -> &str {
        &self.hello.name
    }

    fn version(&self, _: Device) -> String {
        let mut all = Sha256::new();
        self.command.iter().for_each(|word| all.update(format!("{word}\0")));
        self.files.values().for_each(|sum| all.update(sum));
        let sum: String = all.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("{} (files {sum})", self.version)
    }

    fn params(&self) -> &[Param] {
        &[]
    }

    fn resolve(&self, _: &TaskShape, written: &toml::Table) -> Result<Resolved, ParamError> {
        Resolved::undeclared(written)
    }

    fn learns_from_validation(&self) -> bool {
        self.hello.learns_from_validation
    }

    fn supports(&self, shape: &TaskShape, _: &Resolved, device: Device) -> Support {
        let input = match shape.input {
            InputShape::Images { .. } => INPUTS[0],
            InputShape::Texts { pairs: false } => INPUTS[1],
            InputShape::Texts { pairs: true } => INPUTS[2],
            InputShape::Table { .. } => INPUTS[3],
        };
        let target = match shape.target {
            TargetShape::Classes(_) => TARGETS[0],
            TargetShape::Value => TARGETS[1],
        };
        let device = device.name().split(':').next().unwrap_or_default();
        let Hello { inputs, targets, devices, .. } = &self.hello;
        let wanted = [("reads", inputs, input), ("predicts", targets, target), ("computes on", devices, device)];
        match wanted.into_iter().find(|(_, known, wanted)| !known.iter().any(|word| word == wanted)) {
            None => Support::Yes,
            Some((does, known, wanted)) => {
                Support::No { reason: format!("its program {does} {}, not {wanted}", known.join(", ")) }
            }
        }
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        let mut process = self.start(spec.threads.count())?;
        match process.ask(&Request::Task(task(spec)), Message::new())?.0 {
            Answer::Ready {} => {}
            Answer::Unsupported { reason } => return Err(ModelError::Unsupported(process::one_line(&reason))),
            other => return Err(process.unexpected(&other, "task", "'ready'")),
        }
        let program = RefCell::new(process);
        Ok(Box::new(ExternalModel {
            entry: self.clone(),
            spec: spec.clone(),
            program,
            is_fitted: false,
            columns: None,
        }))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        let spec = artefact::load(folder, self, threads, device)?;
        let mut process = self.start(spec.threads.count())?;
        let request = Request::Load { folder: &artefact::program_folder(folder), task: task(&spec) };
        match process.ask(&request, Message::new())?.0 {
            Answer::Loaded {} => {}
            other => return Err(process.unexpected(&other, "load", "'loaded'")),
        }
        let program = RefCell::new(process);
        Ok(Box::new(ExternalModel { entry: self.clone(), spec, program, is_fitted: true, columns: None }))
    }
}

fn task(spec: &Spec) -> TaskMessage<'_> {
    TaskMessage {
        inputs: spec.shape.input.into(),
        target: spec.shape.target.into(),
        train_rows: spec.shape.train_rows,
        params: &spec.params,
        seed: spec.seed_for("program") >> 32,
        threads: spec.threads.count(),
        device: spec.device.name(),
    }
}

/// A model in a program that is running.
#[derive(Debug)]
struct ExternalModel {
    entry: External,
    spec: Spec,
    program: RefCell<Process>,
    is_fitted: bool,
    /// The columns of the table that it was fitted on in this process, if it was.
    columns: Option<Arc<TableColumns>>,
}

impl ExternalModel {
    /// Reads the predictions of so many rows, whose blocks a message listed.
    fn predictions(
        program: &mut Process,
        shape: &TaskShape,
        blocks: &[Block],
        rows: usize,
    ) -> Result<Predictions, ModelError> {
        let expected: &[(&str, Kind, Vec<usize>)] = &match shape.target {
            TargetShape::Classes(classes) => {
                vec![("labels", Kind::U16, vec![rows]), ("probabilities", Kind::F32, vec![rows, classes])]
            }
            TargetShape::Value => vec![("values", Kind::F32, vec![rows])],
        };
        let is_complete =
            blocks.len() == expected.len() || matches!(shape.target, TargetShape::Classes(_)) && blocks.len() == 1;
        let is_expected = |(block, (name, kind, shape)): (&Block, &(&str, Kind, Vec<usize>))| {
            block.name == *name && block.kind == *kind && block.shape == *shape
        };
        if !is_complete || !blocks.iter().zip(expected).all(is_expected) {
            let found = listed(blocks.iter().map(|block| (block.name.as_str(), block.kind, block.shape.as_slice())));
            let wanted = listed(expected.iter().map(|(name, kind, shape)| (*name, *kind, shape.as_slice())));
            let may = if expected.len() > 1 { ", the second of which may be left out" } else { "" };
            return Err(program.failed(format!("gave {found} for {rows} rows, expected {wanted}{may}")));
        }
        let mut read = |block: &Block| program.read(block.bytes().unwrap_or_default());
        let floats = |bytes: &[u8]| -> Vec<f32> {
            bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap_or_default())).collect()
        };
        match shape.target {
            TargetShape::Value => Ok(Predictions::Values(floats(&read(&blocks[0])?))),
            TargetShape::Classes(cols) => {
                let labels = read(&blocks[0])?;
                let labels =
                    labels.chunks_exact(2).map(|bytes| u16::from_le_bytes(bytes.try_into().unwrap_or_default()));
                let labels = labels.collect();
                let probabilities = blocks.get(1).map(&mut read).transpose()?;
                let probabilities = probabilities.map(|bytes| Matrix { rows, cols, data: floats(&bytes) });
                Ok(Predictions::Classes { labels, probabilities })
            }
        }
    }
}

/// Checks that inputs are of the kind and the size that the task has.
fn check_inputs(expected: InputShape, inputs: &Inputs) -> Result<(), ModelError> {
    let is_expected = match (expected, inputs) {
        (InputShape::Images { channels, height, width }, Inputs::Images(images)) => {
            (images.channels, images.height, images.width) == (channels, height, width)
        }
        (InputShape::Table { numbers, categories }, Inputs::Table(table)) => {
            (table.columns.numbers.len(), table.columns.categories.len()) == (numbers, categories)
        }
        (InputShape::Texts { pairs }, Inputs::Texts(texts)) => texts.iter().all(|text| text.second.is_some() == pairs),
        _ => false,
    };
    if is_expected { Ok(()) } else { Err(ModelError::Failed(format!("the inputs are not {expected}"))) }
}

/// `labels (u16 20), probabilities (f32 20 x 10)`, or `no block`.
fn listed<'a>(blocks: impl Iterator<Item = (&'a str, Kind, &'a [usize])>) -> String {
    let shown = blocks.map(|(name, kind, shape)| {
        let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
        format!("{name} ({kind} {})", shape.join(" x "))
    });
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() { "no block".to_owned() } else { shown.join(", ") }
}

impl Model for ExternalModel {
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        self.is_fitted = false;
        self.columns = match &train.inputs {
            Inputs::Table(table) => Some(Arc::clone(&table.columns)),
            Inputs::Images(_) | Inputs::Texts(_) => None,
        };
        let program = self.program.get_mut();
        let message = Message::new().split("train.", train).split("validation.", validation);
        let (mut answer, mut blocks) = program.ask(&Request::Fit { seconds_left: watch.seconds_left() }, message)?;
        let mut last_epoch = 0;
        loop {
            match answer {
                Answer::Epoch { epoch, epochs, loss } => {
                    if epoch != last_epoch + 1 || epoch > epochs {
                        return Err(program.failed(format!(
                            "reported epoch {epoch} of {epochs} after epoch {last_epoch}; they are counted from 1, one by one"
                        )));
                    }
                    last_epoch = epoch;
                    let validation = Self::predictions(program, &self.spec.shape, &blocks, validation.len())?;
                    let report =
                        EpochReport { epoch, epochs, train_loss: loss.unwrap_or(f64::NAN), validation: &validation };
                    let score = watch.epoch(&report)?;
                    // JSON has no infinity, which stands for a score that is undefined.
                    let score = Some(score).filter(|score| score.is_finite());
                    let spent = watch.spent().map(|share| share.min(f64::MAX));
                    program.tell(&Request::Score { score, spent });
                }
                Answer::Progress { done, total } => watch.progress(done.min(total), total),
                Answer::Fitted {} => break,
                other => return Err(program.unexpected(&other, "fit", "'epoch', 'progress' or 'fitted'")),
            }
            (answer, blocks) = program.next()?;
        }
        self.is_fitted = true;
        Ok(())
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        if !self.is_fitted {
            return Err(ModelError::Failed("the model has not been fitted".to_owned()));
        }
        check_inputs(self.spec.shape.input, inputs)?;
        if let (Some(fitted), Inputs::Table(table)) = (&self.columns, inputs)
            && *fitted != table.columns
        {
            return Err(ModelError::Failed("the columns have other names than those of the fit".to_owned()));
        }
        let program = self.program.get_mut();
        let (answer, blocks) = program.ask(&Request::Predict, Message::new().inputs("", inputs))?;
        match answer {
            Answer::Predictions {} => Self::predictions(program, &self.spec.shape, &blocks, inputs.len()),
            other => Err(program.unexpected(&other, "predict", "'predictions'")),
        }
    }

    fn echo(&mut self, inputs: &Inputs) -> Result<bool, ModelError> {
        let program = self.program.get_mut();
        match program.ask(&Request::Echo, Message::new().inputs("", inputs))?.0 {
            Answer::Echo {} => Ok(true),
            other => Err(program.unexpected(&other, "echo", "'echo'")),
        }
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        artefact::save(folder, &self.entry, &self.spec, |folder| {
            let mut program = self.program.borrow_mut();
            match program.ask(&Request::Save { folder }, Message::new())?.0 {
                Answer::Saved {} => Ok(()),
                other => Err(program.unexpected(&other, "save", "'saved'")),
            }
        })
    }

    fn footprint(&self) -> Footprint {
        let mut program = self.program.borrow_mut();
        match program.ask(&Request::Footprint, Message::new()) {
            Ok((Answer::Footprint { parameters, flops_per_example, weight_bytes }, _)) => {
                Footprint { parameters, flops_per_example, weight_bytes }
            }
            // The next request says what is wrong.
            Ok((other, _)) => {
                program.unexpected(&other, "footprint", "'footprint'");
                Footprint::default()
            }
            Err(_) => Footprint::default(),
        }
    }
}
