//! `history show`: the series with their change points.

use std::io::{Write, stdout};
use std::path::PathBuf;

use bakeoff_models::unknown_name;
use bakeoff_reports::{History, Rules, Series, history_pages, history_text};
use clap::Args;

use super::super::{Exit, item, of_reading};
use super::export::write_files;
use crate::usage::usage;

#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    /// The folder of the history
    history: PathBuf,
    /// Show only series of these tasks, separated by commas
    #[arg(short = 't', long = "task", value_name = "TASK", value_delimiter = ',', value_parser = item::<String>)]
    tasks: Vec<String>,
    /// Show only series of these models, by name or label, separated by commas
    #[arg(short = 'm', long = "model", value_name = "MODEL", value_delimiter = ',', value_parser = item::<String>)]
    models: Vec<String>,
    /// Show only series of these metrics, such as latency_p50_s, separated by commas
    #[arg(long = "metric", value_name = "METRIC", value_delimiter = ',', value_parser = item::<String>)]
    metrics: Vec<String>,
    /// Write pages into this folder instead: index.html, and one for each task
    #[arg(long, value_name = "DIR")]
    html: Option<PathBuf>,
}

pub(super) fn run(arguments: &ShowArguments) -> anyhow::Result<Exit> {
    let history = History::read(&arguments.history).map_err(of_reading)?;
    let rules = Rules::read(&arguments.history).map_err(of_reading)?;
    let task = |series: &Series| vec![series.key.cell.task.clone()];
    let model = |series: &Series| vec![series.key.cell.label.clone(), series.key.cell.model.clone()];
    let metric = |series: &Series| vec![series.key.quantity.metric.clone()];
    refuse_unknown(&history, "task", &arguments.tasks, task)?;
    refuse_unknown(&history, "model", &arguments.models, model)?;
    refuse_unknown(&history, "metric", &arguments.metrics, metric)?;
    let is_wanted =
        |wanted: &[String], names: Vec<String>| wanted.is_empty() || names.iter().any(|name| wanted.contains(name));
    let shown = |series: &Series| {
        is_wanted(&arguments.tasks, task(series))
            && is_wanted(&arguments.models, model(series))
            && is_wanted(&arguments.metrics, metric(series))
    };
    match &arguments.html {
        Some(folder) => write_files(folder, &history_pages(&history, &rules, shown)?, "--html")?,
        None => stdout().lock().write_all(history_text(&history, &rules, shown).as_bytes())?,
    }
    Ok(Exit::Ok)
}

/// Refuses a name that no series has.
fn refuse_unknown(
    history: &History,
    kind: &str,
    wanted: &[String],
    names: impl Fn(&Series) -> Vec<String>,
) -> anyhow::Result<()> {
    let mut known: Vec<String> = history.series.iter().flat_map(names).collect();
    known.sort_unstable();
    known.dedup();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    match wanted.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(usage(format!("the history has no such series: {}", unknown_name(kind, name, &known)))),
        None => Ok(()),
    }
}
