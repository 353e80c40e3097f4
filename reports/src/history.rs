//! The history of nights: one append-only file, `history.jsonl`, in a folder that version control can hold.
//!
//! The **file** has lines ([`Line`]): runs, their cells, and known changes. [`History`] is made of all lines: runs in the order of time,
//! and **series** ([`Series`]), each of which has the numbers of one key. What is said of one run is a [`Night`].
//!
//! What holds of a [`History`]:
//! - numbers of two [`SeriesKey`]s are in two series;
//! - a run has at most one point in a series, and a point is finite;
//! - points are in the order of [`History::runs`], and what was measured again is in no points.

mod append;
mod change_points;
mod export;
mod file;
mod floors;
mod ingest;
mod judge;
mod key;
mod line;
mod made_file;
mod night;
mod noise;
mod page;
mod quality;
mod rules;
mod segments;
mod series;
mod text;
mod timeline;
mod tonight;

pub use append::{DEFAULT_PROJECT, add_epochs, add_runs, check_history};
pub use change_points::{ChangePoint, change_points};
pub use export::{EXPORT_FORMATS, ExportFormat};
pub use floors::Floors;
pub use ingest::{NewRun, Origin};
pub use key::{CellKey, MachineClass, Quantity, SeriesId, SeriesKey};
pub use line::{CellLine, EpochLine, HISTORY_SCHEMA, Header, Line, QualityLine, RunKind, RunLine};
pub use made_file::MadeFile;
pub use night::{Change, Night, NightVerdict, NotJudged, Numbers, SeriesVerdict};
pub use page::history_pages;
pub use rules::Rules;
pub use segments::Segment;
pub use series::{Epoch, Point, Run, RunCell, Series};
pub use text::{change_in_percent, history_text, night_text, shown_value};
pub use tonight::{NightTest, NoBaseline, Tonight, judge_tonight, suspects};

/// All nights of a project, read from its file.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Whose history it is.
    pub project: String,
    /// The runs in the order of time, of every kind. A night that began before an earlier one by its clock keeps its place in the file.
    pub runs: Vec<Run>,
    /// The cells, in the order in which they first appear.
    pub cells: Vec<CellKey>,
    /// The series, in the order in which their cells first appear.
    pub series: Vec<Series>,
    /// What a reader must know of the file, in sentences: lines that were cut short, runs that are twice in it, clocks that went back.
    pub remarks: Vec<String>,
}
