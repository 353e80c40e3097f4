//! `claims`: what the rows of runs say of the claims of documents.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use bakeoff_reports::{
    Claim, ReportError, Results, RunDir, anchors, anchors_text, claims, claims_csv, claims_text, judge, meet,
    read_claims,
};
use clap::Args;

use super::{Exit, item};
use crate::suite::BUILT_IN;
use crate::usage::usage;

#[derive(Debug, Args)]
pub(super) struct ClaimsArguments {
    /// The runs' directories; where several measured the same, the first counts
    runs: Vec<PathBuf>,
    /// Judge only these claims (C06), separated by commas
    #[arg(long = "claim", value_name = "ID", value_delimiter = ',', value_parser = item::<String>)]
    ids: Vec<String>,
    /// Judge the claims in this file, which has the form of reports/claims.toml, in place of those of the documents
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Print the comparisons behind the verdicts as CSV
    #[arg(long)]
    csv: bool,
}

pub(super) fn run(arguments: &ClaimsArguments) -> anyhow::Result<Exit> {
    let runs: Vec<Results> =
        arguments.runs.iter().map(|run| Results::load(&RunDir::new(run))).collect::<Result<_, _>>().map_err(usage)?;
    let mut claims = match &arguments.rules {
        Some(path) => own_claims(path, &runs).map_err(usage)?,
        None => claims(),
    };
    for id in &arguments.ids {
        if !claims.iter().any(|claim| claim.id.eq_ignore_ascii_case(id)) {
            let known: Vec<&str> = claims.iter().map(|claim| claim.id.as_str()).collect();
            return Err(usage(format!("there is no claim '{id}': expected one of {}", known.join(", "))));
        }
    }
    claims.retain(|claim| arguments.ids.is_empty() || arguments.ids.iter().any(|id| claim.id.eq_ignore_ascii_case(id)));
    let all: Vec<&Results> = runs.iter().collect();
    let judged = judge(&claims, &all);
    let mut out = stdout().lock();
    if arguments.csv {
        out.write_all(&claims_csv(&judged))?;
    } else {
        out.write_all(claims_text(&judged, &runs).as_bytes())?;
        if arguments.rules.is_none() && arguments.ids.is_empty() {
            out.write_all(anchors_text(&meet(&anchors(), &all)).as_bytes())?;
        }
    }
    Ok(Exit::Ok)
}

/// The claims of a user. They may be about built-in suites and about those of the runs.
fn own_claims(path: &Path, runs: &[Results]) -> Result<Vec<Claim>, ReportError> {
    let text =
        fs::read_to_string(path).map_err(|error| ReportError::Io { what: "read", path: path.to_owned(), error })?;
    let built_in = BUILT_IN.iter().map(|(name, _)| *name);
    let suites: Vec<&str> = built_in.chain(runs.iter().map(|run| run.info.suite.as_str())).collect();
    read_claims(path, &text, &suites)
}
