//! Records in, bytes out: statistics, figures, tables and the report of a run.
//!
//! Owns the record schema, the run directory and everything read from them. No clock, no network, no model.

mod metric;
mod record;
mod run_info;

pub use metric::{Better, METRICS, Metric, metric};
pub use record::{Curve, PredictionRow, Record, SCHEMA, Status};
pub use run_info::{CaseInfo, MachineInfo, RunInfo, TaskInfo};
