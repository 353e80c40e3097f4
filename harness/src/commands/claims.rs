//! `claims`: what the rows of runs say of the claims of documents.

use std::io::{Write, stdout};
use std::path::PathBuf;

use bakeoff_reports::{Results, RunDir, claims, claims_csv, claims_text, judge};
use clap::Args;

use super::Exit;
use crate::usage::usage;

#[derive(Debug, Args)]
pub(super) struct ClaimsArguments {
    /// The runs' directories; where several measured the same, the first counts
    runs: Vec<PathBuf>,
    /// Judge only these claims (C06), separated by commas
    #[arg(long = "claim", value_name = "ID", value_delimiter = ',')]
    ids: Vec<String>,
    /// Print the comparisons behind the verdicts as CSV
    #[arg(long)]
    csv: bool,
}

pub(super) fn run(arguments: &ClaimsArguments) -> anyhow::Result<Exit> {
    let mut claims = claims();
    for id in &arguments.ids {
        if !claims.iter().any(|claim| claim.id.eq_ignore_ascii_case(id)) {
            let known: Vec<&str> = claims.iter().map(|claim| claim.id.as_str()).collect();
            return Err(usage(format!("there is no claim '{id}': expected one of {}", known.join(", "))));
        }
    }
    claims.retain(|claim| arguments.ids.is_empty() || arguments.ids.iter().any(|id| claim.id.eq_ignore_ascii_case(id)));
    let runs: Vec<Results> =
        arguments.runs.iter().map(|run| Results::load(&RunDir::new(run))).collect::<Result<_, _>>().map_err(usage)?;
    let judged = judge(&claims, &runs.iter().collect::<Vec<_>>());
    let mut out = stdout().lock();
    if arguments.csv {
        out.write_all(&claims_csv(&judged))?;
    } else {
        out.write_all(claims_text(&judged, &runs).as_bytes())?;
    }
    Ok(Exit::Ok)
}
