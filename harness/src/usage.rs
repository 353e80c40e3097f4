//! Errors in what the user asked for. They have an exit code of their own, which distinguishes them from other errors.

use std::fmt::Display;

/// An error in the user's input.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

/// An error that the user can correct.
pub fn usage(error: impl Display) -> anyhow::Error {
    UsageError(error.to_string()).into()
}
