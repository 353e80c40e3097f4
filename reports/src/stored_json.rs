//! JSON files with a schema number: read by that number first, because the other fields of a later schema are unknown.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::ReportError;
use crate::record::{SCHEMA, newer};

/// Reads a file. `None` if it is not there. `remedy` says what to do with one that is damaged.
///
/// # Errors
/// If the file cannot be read, is of a later schema, or is damaged.
pub(crate) fn read<T: DeserializeOwned>(path: &Path, remedy: &str) -> Result<Option<T>, ReportError> {
    #[derive(Deserialize)]
    struct Stored {
        schema: u32,
    }
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read.map_err(ReportError::io("read", path))?,
    };
    let fault = |message: String| ReportError::Info { path: path.to_owned(), message };
    let damaged = |error: serde_json::Error| fault(format!("{error}; {remedy}"));
    let Stored { schema } = serde_json::from_str(&text).map_err(damaged)?;
    if schema > SCHEMA {
        return Err(fault(newer(schema)));
    }
    serde_json::from_str(&text).map(Some).map_err(damaged)
}
