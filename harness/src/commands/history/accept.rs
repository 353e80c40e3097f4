//! `history accept`: a known change, after which a series starts anew.

use std::io::{Write, stdout};
use std::path::PathBuf;

use bakeoff_models::did_you_mean;
use bakeoff_reports::{EpochLine, History, NightVerdict, Rules, Series, add_epochs};
use clap::Args;

use super::super::{Exit, of_reading};
use super::find_run;
use crate::program::Program;
use crate::recorder::RunLock;
use crate::usage::usage;

#[derive(Debug, Args)]
pub(super) struct AcceptArguments {
    /// The folder of the history
    history: PathBuf,
    /// The series, by the id that `show` and `judge` print, or by its first digits
    #[arg(value_name = "SERIES", required_unless_present = "confirmed")]
    series: Vec<String>,
    /// Accept everything that the last night confirmed
    #[arg(long, conflicts_with = "series")]
    confirmed: bool,
    /// The reason, which is kept in the history
    #[arg(long, value_name = "REASON")]
    why: String,
    /// The run with which the change begins [default: where the change was found, or else the last run of the series]
    #[arg(long, value_name = "RUN")]
    from: Option<String>,
}

pub(super) fn run(program: &Program, arguments: &AcceptArguments) -> anyhow::Result<Exit> {
    let why = arguments.why.trim();
    if why.is_empty() {
        return Err(usage("--why is empty: write the reason, because others read it when they see the change"));
    }
    // Before the lock, which would make a file in a folder that is no history.
    History::read(&arguments.history).map_err(of_reading)?;
    let _lock = RunLock::new(&arguments.history)?;
    let history = History::read(&arguments.history).map_err(of_reading)?;
    let rules = Rules::read(&arguments.history).map_err(of_reading)?;
    let from = arguments.from.as_deref().map(|name| find_run(&history, name)).transpose()?;
    let series = if arguments.confirmed { confirmed(&history, &rules)? } else { named(&history, &arguments.series)? };
    let mut epochs = Vec::new();
    for one in series {
        if one.key.quantity.is_quality() {
            return Err(usage(format!(
                "{} ({}) is a score, which is tested against the reference run: to accept a change of scores, make a run with them the \
                 reference: bakeoff history reference {} <folder of the run>",
                one.key,
                one.id,
                arguments.history.display()
            )));
        }
        let last = one.points.last().map(|point| point.run);
        let begins = from.or_else(|| history.changed_since(one, &rules)).or(last);
        let begins =
            begins.ok_or_else(|| usage(format!("{} ({}) has no point: name a run with --from", one.key, one.id)))?;
        epochs.push(EpochLine {
            series: one.id.clone(),
            named: one.key.to_string(),
            from: history.runs[begins].run.clone(),
            why: why.to_owned(),
            accepted: program.machine.utc(),
        });
    }
    add_epochs(&arguments.history, &epochs).map_err(of_reading)?;
    let mut out = stdout().lock();
    for epoch in &epochs {
        writeln!(out, "accepted: {} ({}) starts anew with run {}", epoch.named, epoch.series, epoch.from)?;
    }
    Ok(Exit::Ok)
}

/// The series that these ids, or their first digits, name.
fn named<'a>(history: &'a History, ids: &[String]) -> anyhow::Result<Vec<&'a Series>> {
    let mut found: Vec<&Series> = Vec::new();
    for id in ids {
        let of_id: Vec<&Series> = history.series.iter().filter(|series| series.id.0.starts_with(id.as_str())).collect();
        match &of_id[..] {
            _ if id.is_empty() => {
                return Err(usage("a series is empty: give the id that `bakeoff history show` prints"));
            }
            [one] if found.iter().any(|known| known.id == one.id) => {}
            [one] => found.push(*one),
            [] => {
                let near = did_you_mean(id, history.series.iter().map(|series| series.id.0.as_str()));
                return Err(usage(format!(
                    "there is no series '{id}'{near} `bakeoff history show` prints the ids in its first column",
                    near = if near.is_empty() { ":".to_owned() } else { near }
                )));
            }
            several => {
                let several: Vec<String> =
                    several.iter().map(|series| format!("{} ({})", series.id, series.key)).collect();
                return Err(usage(format!(
                    "'{id}' is the beginning of several ids, write more of one: {}",
                    several.join("; ")
                )));
            }
        }
    }
    Ok(found)
}

/// The series that the last night confirmed, scores aside.
fn confirmed<'a>(history: &'a History, rules: &Rules) -> anyhow::Result<Vec<&'a Series>> {
    let night = history.last_night().map(|run| history.judge(run, rules));
    let verdicts = night.iter().flat_map(|night| &night.verdicts);
    let is_wanted = |verdict: &NightVerdict| matches!(verdict, NightVerdict::Confirmed(_));
    let confirmed: Vec<&Series> = verdicts
        .filter(|one| is_wanted(&one.verdict) && !one.key.quantity.is_quality())
        .filter_map(|one| history.by_id(&one.id))
        .collect();
    if confirmed.is_empty() {
        return Err(usage("the last night confirmed no change of a cost: name the series to accept"));
    }
    Ok(confirmed)
}
