//! What a case stores of a fit that is under way, so that `resume` goes on with it in place of beginning again.
//!
//! The file has a line of JSON and then the state of the model as it gave it. It is written beside its place and then moved
//! there, so that a kill leaves the one before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bakeoff_reports::{Curve, replace};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::program::Program;
use crate::tasks::Task;

/// The version of the file. Every change that an older program cannot read takes the next number.
const FORMAT: u32 = 2;

/// A fit up to the end of one of its epochs.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// What the instrument has measured of the fit.
    pub measured: MeasuredFit,
    /// The state of the model, as it gave it.
    pub state: Vec<u8>,
}

/// What the instrument has measured of a fit so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredFit {
    /// The seconds of each of its parts: every process that went on with the fit measured one.
    pub parts_s: Vec<f64>,
    /// The joules of all its parts.
    pub joules: MeasuredJoules,
    /// One row per epoch.
    pub curves: Vec<Curve>,
}

/// The joules of a fit so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MeasuredJoules {
    /// One meter counted them, in every part.
    Counted {
        /// Its name, as the `source` of a record.
        source: String,
        /// Its reads, as if it had gone on counting from one part to the next.
        reads_j: Vec<f64>,
    },
    /// They are not known. The reason is that of the fit's empty number.
    Missing(String),
}

impl MeasuredJoules {
    /// The joules of the parts together.
    ///
    /// # Errors
    /// Why they are not known.
    pub fn spent_j(&self) -> Result<f64, String> {
        match self {
            MeasuredJoules::Counted { reads_j, .. } => Ok(match (reads_j.first(), reads_j.last()) {
                (Some(first), Some(last)) => last - first,
                _ => 0.0,
            }),
            MeasuredJoules::Missing(reason) => Err(reason.clone()),
        }
    }
}

/// What a fit is of. A checkpoint of another fit is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitIdentity {
    case: String,
    params: String,
    /// As the suite writes it; empty if there is none.
    budget: String,
    /// How many folds the rows are divided into; 0 for none.
    folds: usize,
    model_version: String,
    task_version: u32,
    /// The sha256 of the names and checksums of the task's data files.
    data_sha256: String,
}

impl FitIdentity {
    /// The identity of the fit of `case`, whose task is `task`.
    pub fn new(program: &Program, task: &dyn Task, case: &Case) -> FitIdentity {
        let mut data = Sha256::new();
        for (file, sha256) in task.checksums() {
            data.update(format!("{file}\0{sha256}\0"));
        }
        FitIdentity {
            case: case.id.clone(),
            params: case.params.to_string(),
            budget: case.budget.map_or_else(String::new, |budget| budget.to_string()),
            folds: case.fold.map_or(0, |fold| fold.folds),
            model_version: program
                .model_version(case.external.as_slice(), &case.model, &case.device)
                .unwrap_or_default(),
            task_version: task.version(),
            data_sha256: hex(data),
        }
    }

    /// `'4' folds, expected '5'`: the first thing in which this is another fit than `wanted`.
    fn differs(&self, wanted: &FitIdentity) -> Option<String> {
        let facts = |fit: &FitIdentity| {
            [
                ("case", fit.case.clone()),
                ("parameters", fit.params.clone()),
                ("budget", fit.budget.clone()),
                ("folds", fit.folds.to_string()),
                ("model version", fit.model_version.clone()),
                ("task version", fit.task_version.to_string()),
                ("data files with the checksum", fit.data_sha256.clone()),
            ]
        };
        let pairs = facts(self).into_iter().zip(facts(wanted));
        let mut different = pairs.filter(|((_, found), (_, wanted))| found != wanted);
        different.next().map(|((what, found), (_, wanted))| format!("{what} '{found}', expected '{wanted}'"))
    }
}

/// The digest in hexadecimal digits.
fn hex(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    fit: FitIdentity,
    measured: MeasuredFit,
    bytes: usize,
    /// Of this line with an empty checksum, and of the state after it.
    sha256: String,
}

impl Header {
    /// The checksum that belongs here.
    fn checksum(&self, state: &[u8]) -> Result<String, serde_json::Error> {
        let line = serde_json::to_vec(&Header { sha256: String::new(), ..self.clone() })?;
        Ok(hex(Sha256::new().chain_update(line).chain_update(state)))
    }
}

/// Read first, because a later format has other fields.
#[derive(Debug, Deserialize)]
struct Format {
    format: u32,
}

impl Checkpoint {
    /// Reads the checkpoint of `fit`. `None` if there is none.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or is of another format or of another fit. Says what to do.
    pub fn read(path: &Path, fit: &FitIdentity) -> Result<Option<Checkpoint>, Unusable> {
        let fault = |what: String| Unusable { why: unusable(path, &what), other_params: None };
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| fault(format!("cannot read the checkpoint: {error}")))?,
        };
        let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
        let (header, state) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
        let damaged = |error: serde_json::Error| fault(format!("not a checkpoint: {error}"));
        let Format { format } = serde_json::from_slice(header).map_err(damaged)?;
        if format != FORMAT {
            return Err(fault(format!("a checkpoint of format {format}, this bakeoff reads format {FORMAT}")));
        }
        let header: Header = serde_json::from_slice(header).map_err(damaged)?;
        if let Some(difference) = header.fit.differs(fit) {
            let then = header.fit.params.clone();
            let alike = FitIdentity { params: fit.params.clone(), ..header.fit };
            let other_params = (alike == *fit).then_some(then);
            return Err(Unusable { other_params, ..fault(format!("a checkpoint of {difference}")) });
        }
        if header.bytes != state.len() || header.checksum(state).map_err(damaged)? != header.sha256 {
            return Err(fault("the checkpoint is damaged: its checksum does not match".to_owned()));
        }
        Ok(Some(Checkpoint { measured: header.measured, state: state.to_vec() }))
    }

    /// Writes the checkpoint of `fit`, completely or not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path, fit: &FitIdentity) -> Result<(), String> {
        let mut header = Header {
            format: FORMAT,
            fit: fit.clone(),
            measured: self.measured.clone(),
            bytes: self.state.len(),
            sha256: String::new(),
        };
        let mut file = || {
            header.sha256 = header.checksum(&self.state)?;
            let mut file = serde_json::to_vec(&header)?;
            file.push(b'\n');
            file.extend(&self.state);
            Ok(file)
        };
        let write = |bytes: Vec<u8>| replace(path, &bytes).map_err(|error| error.to_string());
        file().map_err(|error: serde_json::Error| error.to_string()).and_then(write)
    }
}

/// A checkpoint from which a fit cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Names the file, what is wrong with it and what to do.
    pub why: String,
    /// The parameters that it is of, if they are other ones and it is of the same fit otherwise.
    pub other_params: Option<String>,
}

/// Says of the checkpoint at `path` why a fit cannot go on from it, and what to do.
pub fn unusable(path: &Path, what: &str) -> String {
    format!("{}: {what}; to begin the fit again, remove the file", path.display())
}

/// The place of a case's checkpoint, and how often one is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointPlace {
    /// The file.
    pub path: PathBuf,
    /// Seconds of a fit between two checkpoints. One is written at the end of an epoch.
    pub every_s: f64,
}
