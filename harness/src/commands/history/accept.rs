//! `history accept`: a known change, after which a series starts anew.

use std::io::{Write, stdout};
use std::path::PathBuf;

use bakeoff_models::did_you_mean;
use bakeoff_reports::{EpochLine, History, NightVerdict, Rules, RunKind, Series, add_epochs};
use clap::Args;

use super::super::{Exit, of_reading};
use super::{find_run, last_night, quoted, words};
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
    /// With --confirmed, the run whose confirmed changes are accepted [default: the last night]
    #[arg(long, value_name = "RUN", requires = "confirmed")]
    at: Option<String>,
    /// The reason, which is kept in the history
    #[arg(long, value_name = "REASON", value_parser = words)]
    why: String,
    /// The run with which the change begins [default: where the change was found, or else the last run of the series]
    #[arg(long, value_name = "RUN")]
    from: Option<String>,
}

pub(super) fn run(program: &Program, arguments: &AcceptArguments) -> anyhow::Result<Exit> {
    // Before the lock, which would make a file in a folder that is no history.
    History::read(&arguments.history).map_err(of_reading)?;
    let _lock = RunLock::new(&arguments.history)?;
    let history = History::read(&arguments.history).map_err(of_reading)?;
    let rules = Rules::read(&arguments.history).map_err(of_reading)?;
    let from = arguments.from.as_deref().map(|name| find_run(&history, name)).transpose()?;
    let night = match (&arguments.at, arguments.confirmed) {
        (Some(name), _) => Some(find_run(&history, name)?),
        (None, true) => Some(last_night(&history, &arguments.history)?),
        (None, false) => None,
    };
    let (series, scores) = match night {
        Some(night) => confirmed(&history, night, &rules)?,
        None => (named(&history, &arguments.series)?, Vec::new()),
    };
    let how_for_scores = || {
        format!(
            "scores are tested against the reference run; to accept a change of scores, make a run with them the reference: bakeoff history \
             reference {} <folder of the run>",
            quoted(&arguments.history)
        )
    };
    let mut epochs = Vec::new();
    for one in series {
        if one.key.quantity.is_estimate() {
            return Err(usage(format!(
                "{} ({}) is an estimate, which is never judged: nothing to accept",
                one.key, one.id
            )));
        }
        if one.key.quantity.is_quality() {
            return Err(usage(format!("{} ({}) is a score, and {}", one.key, one.id, how_for_scores())));
        }
        let last = one.points.last().map(|point| point.run);
        let begins = from.or_else(|| history.changed_since(one, night, &rules)).or(last);
        let begins =
            begins.ok_or_else(|| usage(format!("{} ({}) has no point: name a run with --from", one.key, one.id)))?;
        epochs.push(EpochLine {
            series: one.id.clone(),
            named: one.key.to_string(),
            from: history.runs[begins].run.clone(),
            why: arguments.why.clone(),
            accepted: program.machine.utc(),
        });
    }
    let remarks = add_epochs(&arguments.history, &epochs).map_err(of_reading)?;
    let mut out = stdout().lock();
    for remark in remarks {
        writeln!(out, "note: {remark}")?;
    }
    for epoch in &epochs {
        writeln!(out, "accepted: {} ({}) starts anew with run {}", epoch.named, epoch.series, epoch.from)?;
    }
    if !scores.is_empty() {
        let scores: Vec<String> = scores.iter().map(|one| format!("{} ({})", one.key, one.id)).collect();
        writeln!(out, "not accepted: {}: {}", scores.join("; "), how_for_scores())?;
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

/// How many nights are looked at for one that has confirmed something.
const NIGHTS_BACK: usize = 30;

/// The series that a night confirmed: costs, and scores.
fn confirmed<'a>(
    history: &'a History,
    night: usize,
    rules: &Rules,
) -> anyhow::Result<(Vec<&'a Series>, Vec<&'a Series>)> {
    let of_night = |run: usize| -> (Vec<&'a Series>, Vec<&'a Series>) {
        let verdicts = history.judge(run, rules).verdicts;
        let confirmed = verdicts.iter().filter(|one| matches!(one.verdict, NightVerdict::Confirmed(_)));
        let series = confirmed.filter_map(|one| history.by_id(&one.id));
        series.partition(|one| one.key.quantity.is_quality())
    };
    let (scores, costs) = of_night(night);
    if !costs.is_empty() {
        return Ok((costs, scores));
    }
    let name = &history.runs[night].run;
    if !scores.is_empty() {
        return Err(usage(format!(
            "night {name} confirmed changes of scores alone, which are accepted by another reference: bakeoff history reference"
        )));
    }
    // With several suites or machines, the last night need not be the one that failed.
    let nights =
        (0..history.runs.len()).rev().filter(|run| history.runs[*run].kind == RunKind::Night).take(NIGHTS_BACK);
    let other = nights.map(|run| (run, of_night(run))).find(|(_, (_, costs))| !costs.is_empty());
    let other = other.map_or_else(
        || "name the series to accept".to_owned(),
        |(run, _)| format!("the latest night that did is {0}: --confirmed --at {0}", history.runs[run].run),
    );
    Err(usage(format!("night {name} confirmed no change of a cost: {other}")))
}
