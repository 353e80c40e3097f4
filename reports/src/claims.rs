//! What documents claim, bound to experiments and rules that were fixed before any data: a verdict on each from the rows of runs.

mod judge;
mod part;
mod registry;
mod rules;
mod table;

pub use judge::{Finding, Judged, Verdict, judge};
pub use registry::{Claim, claims};
pub use rules::{KnownNames, read_claims};
pub(crate) use table::{HOW_TO_READ as HOW_TO_READ_VERDICTS, measured, tally, verdicts};
pub use table::{claims_csv, claims_text};
