//! The names in a suite, which other files may use too.

use super::grid;
use super::names::label;
use crate::suite::{Source, SuiteError};

/// The tasks of a suite and its models.
#[derive(Debug)]
pub struct SuiteNames {
    /// The names of the tasks.
    pub tasks: Vec<String>,
    /// The labels of the models, with one for each combination of a grid.
    pub models: Vec<String>,
}

/// The names in a suite, which need not be those of this program.
///
/// # Errors
/// If the suite cannot be read, or if one of its grids cannot be made.
pub fn suite_names(source: &Source) -> Result<SuiteNames, SuiteError> {
    let mut suite = source.parse()?;
    grid::expand(source, &mut suite)?;
    Ok(SuiteNames {
        tasks: suite.tasks.iter().map(|entry| entry.name.as_ref().clone()).collect(),
        models: suite.models.iter().map(|entry| label(entry).to_owned()).collect(),
    })
}
