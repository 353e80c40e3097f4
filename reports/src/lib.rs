//! Records in, bytes out: statistics, figures, tables and the report of a run.
//!
//! Owns the record schema, the run directory and everything read from them. No clock, no network, no model.

mod answers;
mod error;
mod figures;
mod format;
mod grid;
mod html;
mod markdown;
mod metric;
mod record;
mod report;
mod resampled;
mod results;
mod rows;
mod run_dir;
mod run_info;
mod scores;
mod statistics;
mod summary;
mod table;
mod terminal;

pub use answers::Answers;
pub use error::ReportError;
pub use figures::{Drawn, FIGURES, Figure, Picture, Style};
pub use grid::{Cell, ESTIMATE, Gap, Grid, Mean, Setting, Trial, Value};
pub use metric::{Better, METRICS, Metric, metric};
pub use record::{Curve, PredictionRow, Reading, Record, SCHEMA, Status};
pub use report::{Built, build};
pub use results::Results;
pub use rows::{Intact, Row, decode, encode, encode_header};
pub use run_dir::RunDir;
pub use run_info::{CaseInfo, DeviceInfo, MachineInfo, RunInfo, TaskInfo};
pub use scores::{Tally, macro_mean, matthews, pearson, spearman};
pub use statistics::{
    Interval, bootstrap, bootstrap_mean, bootstrap_p, holm, mcnemar_p, paired_bootstrap_p, quantile, wilson,
};
pub use table::{Line, Standing, Table};
pub use terminal::terminal_table;
