//! What a case stores of a fit that is under way, so that `resume` goes on with it in place of beginning again.
//!
//! The file has a line of JSON and then the state of the model as it gave it. It is written beside its place and then moved
//! there, so that a kill leaves the one before.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bakeoff_reports::Curve;
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

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    case: String,
    params: String,
    measured: MeasuredFit,
    bytes: usize,
    sha256: String,
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
        if (header.bytes, header.sha256) != (state.len(), sha256(state)) {
            return Err(fault("the checkpoint is damaged: its checksum does not match".to_owned()));
        }
        let (of, params) = (&header.case, &header.params);
        if *of != case.id || *params != case.params.to_string() {
            let wanted = format!("case '{}' with '{}'", case.id, case.params);
            return Err(fault(format!("a checkpoint of case '{of}' with '{params}', expected {wanted}")));
        }
        Ok(Some(Checkpoint { measured: header.measured, state: state.to_vec() }))
    }

    /// Writes the checkpoint of `case`, completely or not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path, case: &Case) -> Result<(), String> {
        let header = Header {
            format: FORMAT,
            case: case.id.clone(),
            params: case.params.to_string(),
            measured: self.measured.clone(),
            bytes: self.state.len(),
            sha256: sha256(&self.state),
        };
        let write = || {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            // Hidden, so that what a killed process left behind is recognised.
            let mut file = tempfile::Builder::new().prefix(".").tempfile_in(folder)?;
            serde_json::to_writer(&mut file, &header)?;
            file.write_all(b"\n")?;
            file.write_all(&self.state)?;
            // Before the rename, so that a power cut does not leave an empty file in place of hours of work.
            file.as_file().sync_data()?;
            file.persist(path).map_err(io::Error::from)?;
            Ok(())
        };
        write().map_err(|error: io::Error| format!("cannot write {}: {error}", path.display()))
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

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
