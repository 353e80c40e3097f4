//! Published numbers, and whether the cases of a run that should come out alike do so.

mod judge;
mod registry;
mod table;

pub use judge::{Met, Reproduction, meet};
pub use registry::{Anchor, anchors};
pub use table::anchors_text;
pub(crate) use table::{HOW_TO_READ as HOW_TO_READ_ANCHORS, anchors_met};
