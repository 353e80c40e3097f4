//! `claims`: what the rows of runs say of the claims of documents.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use bakeoff_models::unknown_name;
use bakeoff_reports::{
    Claim, Impute, KnownNames, ReportError, Results, anchors, anchors_text, claims, claims_csv, claims_text, judge,
    meet, read_claims,
};
use clap::Args;

use super::{Exit, item, load};
use crate::plan::suite_names;
use crate::program::Program;
use crate::suite::{BUILT_IN, Source, SuiteError};
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

pub(super) fn run(program: &Program, arguments: &ClaimsArguments) -> anyhow::Result<Exit> {
    let runs: Vec<Results> =
        arguments.runs.iter().map(|run| load(run, Impute::Nothing)).collect::<anyhow::Result<_>>()?;
    let mut claims = match &arguments.rules {
        Some(path) => {
            let known = known_names(program, &runs).map_err(usage)?;
            own_claims(path, &known).map_err(usage)?
        }
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

/// The claims of a user.
fn own_claims(path: &Path, known: &KnownNames) -> Result<Vec<Claim>, ReportError> {
    let text =
        fs::read_to_string(path).map_err(|error| ReportError::Io { what: "read", path: path.to_owned(), error })?;
    read_claims(path, &text, known)
}

/// What the claims of a user may be about: what the program has, its suites too, and what the runs have.
fn known_names(program: &Program, runs: &[Results]) -> Result<KnownNames, SuiteError> {
    let mut known = KnownNames { suites: Vec::new(), tasks: Vec::new(), models: Vec::new(), unknown: unknown_name };
    let add = |names: &mut Vec<String>, name: &str| {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    };
    program.tasks.iter().for_each(|task| add(&mut known.tasks, task.name()));
    program.models.iter().for_each(|model| add(&mut known.models, model.name()));
    for (suite, _) in BUILT_IN {
        add(&mut known.suites, suite);
        let names = suite_names(&Source::find(suite)?)?;
        names.tasks.iter().for_each(|task| add(&mut known.tasks, task));
        names.models.iter().for_each(|model| add(&mut known.models, model));
    }
    for run in runs {
        add(&mut known.suites, &run.info.suite);
        run.info.tasks.iter().for_each(|task| add(&mut known.tasks, &task.name));
        run.info.cases.iter().for_each(|case| add(&mut known.models, &case.label));
    }
    Ok(known)
}
