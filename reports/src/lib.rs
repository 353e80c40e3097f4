//! Records in, bytes out: statistics, figures, tables and the report of a run.
//!
//! This crate owns the record schema, the run directory and everything read from them. It has no clock, no network and
//! no model.

mod answers;
mod cell;
mod error;
mod estimate;
mod extra_tables;
mod figures;
mod format;
mod grid;
mod html;
mod latencies;
mod markdown;
mod metric;
mod ranking;
mod record;
mod report;
mod results;
mod rows;
mod run_dir;
mod run_info;
mod scores;
mod sections;
mod setting;
mod statistics;
mod summary;
mod table;
mod terminal;
mod time_to_target;
mod warnings;

pub use answers::Answers;
pub use cell::{Cell, ESTIMATE, Gap, Mean, NOT_REACHED, SearchTrial, Trial, Value};
pub use error::ReportError;
pub use figures::{Drawn, FIGURES, Figure, Look, Picture, Style};
pub use format::percent;
pub use grid::Grid;
pub use metric::{Better, Estimator, Floor, METRICS, Metric, Score, ScoredTargets, SummaryColumn, TargetUnit, metric};
pub use ranking::{RankedModel, Ranking, Standing};
pub use record::{Curve, PredictionRow, Reading, Record, SCHEMA, Status};
pub use report::{Built, build, build_with};
pub use results::Results;
pub use rows::{Intact, Row, decode, encode, encode_header};
pub use run_dir::{RunDir, replace};
pub use run_info::{CaseInfo, DeviceInfo, MachineInfo, RunInfo, TaskInfo};
pub use scores::{Answered, ClassTally, Example, Sample};
pub use setting::Setting;
pub use statistics::{
    Interval, bootstrap, bootstrap_mean, bootstrap_p, corrected_t_interval, corrected_t_p, expected_max, holm,
    mcnemar_p, paired_bootstrap_p, quantile, wilson,
};
pub use terminal::terminal_table;
