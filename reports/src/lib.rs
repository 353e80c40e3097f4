//! Records in, bytes out: statistics, figures, tables and the report of a run.
//!
//! This crate owns the record schema, the run directory and everything read from them. It has no clock, no network and
//! no model.

mod anchors;
mod answers;
mod carbon;
mod cell;
mod citations;
mod claims;
mod compare;
mod comparison;
mod comparison_table;
mod compressed;
mod contrast;
mod cost_ratio;
mod crossovers;
mod device_crossovers;
mod devices;
mod energy_table;
mod error;
mod estimate;
mod extra_tables;
mod figures;
mod fitted_task;
mod format;
mod grid;
mod history;
mod html;
mod interpretation;
mod latencies;
mod latency_tables;
mod markdown;
mod methods;
mod metric;
mod nodes;
mod noise_table;
mod over_tasks;
mod paper;
mod plain_toml;
mod rank;
mod ranking;
mod recomputed;
mod record;
mod remedy;
mod repeatability;
mod report;
mod results;
mod roofline;
mod rows;
mod run_dir;
mod run_info;
mod scores;
mod sections;
mod served;
mod setting;
mod sheet;
mod statistics;
mod stored_json;
mod summary;
mod table;
mod terminal;
mod time_to_target;
mod varied_axis;
mod warnings;

pub use anchors::{Anchor, Met, Reproduction, anchors, anchors_text, meet};
pub use answers::Answers;
pub use cell::{
    Cell, Contradiction, ESTIMATE, Gap, Mean, NEEDS_MORE_QUERIES, NOT_REACHED, SearchTrial, Trial, Value, named_source,
};
pub use citations::bibtex;
pub use claims::{Claim, Finding, Judged, KnownNames, Verdict, claims, claims_csv, claims_text, judge, read_claims};
pub use compare::compare_text;
pub use comparison::{ALPHA, Comparison};
pub use crossovers::Crossover;
pub use error::ReportError;
pub use estimate::{Basis, Uncertainty};
pub use figures::{Drawn, FIGURES, Figure, Look, Picture, Style};
pub use fitted_task::FittedTask;
pub use format::{percent, shell_word};
pub use grid::Grid;
pub use history::{
    CellKey, CellLine, Change, ChangePoint, DEFAULT_PROJECT, EXPORT_FORMATS, Epoch, EpochLine, ExportFormat, Floors,
    HISTORY_SCHEMA, Header, History, Line, MachineClass, MadeFile, NewRun, Night, NightTest, NightVerdict, NoBaseline,
    NotJudged, Numbers, Origin, Point, QualityLine, Quantity, Rules, Run, RunCell, RunKind, RunLine, Segment, Series,
    SeriesId, SeriesKey, SeriesVerdict, Tonight, add_epochs, add_runs, change_in_percent, change_points, check_history,
    history_pages, history_text, judge_tonight, night_text, shown_value, suspects,
};
pub use interpretation::{
    ExplainedAnswer, ExplainedModel, ExplainedTask, Importance, Interpretation, Measure, Part, ShownAttention,
    ShownExample, ShownInput, interpretation_text,
};
pub use metric::{
    Better, Estimator, Floor, METRICS, Metric, Region, Score, ScoredTargets, SummaryColumn, TargetUnit, metric,
};
pub use nodes::{Node, Nodes};
pub use over_tasks::{FEW_TASKS, OverTasks};
pub use paper::{Columns, paper_files};
pub use plain_toml::toml_in_plain_words;
pub use rank::rank_text;
pub use ranking::{Impute, RankedModel, Ranking, Ranks};
pub use record::{Curve, IdleRow, PredictionRow, Reading, Record, SCHEMA, Status};
pub use report::{Built, build, build_with};
pub use results::Results;
pub use rows::{Intact, Row, decode, encode, encode_header};
pub use run_dir::{RunDir, model_bytes_in, replace};
pub use run_info::{CaseInfo, DeviceInfo, MachineInfo, RunInfo, TaskInfo};
pub use scores::{Answered, ClassTally, Example, Sample};
pub use setting::Setting;
pub use sheet::{COLLAPSED_BELOW, sheet};
pub use statistics::{
    EffectOfTwoSources, Equivalence, Friedman, Huber, Inference, Interval, PercentileBound, Prediction, RankSplit,
    TaskScores, Tested, Trials, autocorrelation, benjamini_hochberg, bootstrap, bootstrap_mean, chance_of_separation,
    chance_of_sweep, cliques, corrected, critical_difference, epsilon_min, equivalence, expected_max, friedman, holm,
    huber, knee, mcnemar_p, minimum_detectable_effect, most_over, percentile_bound, probability_of_improvement,
    quantile, queries_needed, rank_split, ranks, signed_rank_p, step_place, studentised_range_cdf,
    studentised_range_quantile, theil_sen_end, upper_fence, variance_of_mean, violation_ratio, wilson,
};
pub use terminal::terminal_table;
