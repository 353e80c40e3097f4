//! Faults of what the user asked for, as opposed to those met on the way: they have an exit code of their own.

use std::fmt::Display;

/// A fault of the user's input.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

/// An error that is the user's to mend.
pub fn usage(error: impl Display) -> anyhow::Error {
    UsageError(error.to_string()).into()
}
