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

/// The version of the file. Every change that an older program cannot read takes the next number.
const FORMAT: u32 = 1;

/// A fit up to the end of one of its epochs.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// What the instrument has measured of the fit.
    pub measured: MeasuredFit,
    /// The state of the model, as it gave it.
    pub state: Vec<u8>,
}

/// What the instrument has measured of a fit so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredFit {
    /// The seconds of each of its parts: every process that went on with the fit measured one.
    pub parts_s: Vec<f64>,
    /// The reads of the energy meter, as if one meter had gone on counting. Empty if there is no meter.
    pub reads_j: Vec<f64>,
    /// One row per epoch.
    pub curves: Vec<Curve>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    case: String,
    params: String,
    measured: MeasuredFit,
    bytes: usize,
    /// Of this line with an empty checksum, and of the state after it.
    sha256: String,
}

impl Header {
    /// The checksum that belongs here.
    fn checksum(&self, state: &[u8]) -> Result<String, serde_json::Error> {
        let line = serde_json::to_vec(&Header { sha256: String::new(), ..self.clone() })?;
        Ok(Sha256::new()
            .chain_update(line)
            .chain_update(state)
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect())
    }
}

/// Read first, because a later format has other fields.
#[derive(Debug, Deserialize)]
struct Format {
    format: u32,
}

impl Checkpoint {
    /// Reads the checkpoint of `case`. `None` if there is none.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or is of another format or of other parameters. Says what to do.
    pub fn read(path: &Path, case: &Case) -> Result<Option<Checkpoint>, String> {
        let fault = |what: String| format!("{}: {what}; to begin the fit again, remove the file", path.display());
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
        let (of, params) = (&header.case, &header.params);
        if *of != case.id || *params != case.params.to_string() {
            let wanted = format!("case '{}' with '{}'", case.id, case.params);
            return Err(fault(format!("a checkpoint of case '{of}' with '{params}', expected {wanted}")));
        }
        if header.bytes != state.len() || header.checksum(state).map_err(damaged)? != header.sha256 {
            return Err(fault("the checkpoint is damaged: its checksum does not match".to_owned()));
        }
        Ok(Some(Checkpoint { measured: header.measured, state: state.to_vec() }))
    }

    /// Writes the checkpoint of `case`, completely or not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path, case: &Case) -> Result<(), String> {
        let mut header = Header {
            format: FORMAT,
            case: case.id.clone(),
            params: case.params.to_string(),
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

/// The place of a case's checkpoint, and how often one is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointPlace {
    /// The file.
    pub path: PathBuf,
    /// Seconds of a fit between two checkpoints. One is written at the end of an epoch.
    pub every_s: f64,
}
