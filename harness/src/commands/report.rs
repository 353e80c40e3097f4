//! `report`: writes the report of a run again from its CSV files only.

use std::io::{Write as _, stdout};
use std::path::PathBuf;

use bakeoff_reports::{Impute, Look, RunDir, bibtex};
use clap::{Args, ValueEnum};

use super::{Exit, load, of_reading, print_report};
use crate::machine::available_cpus;
use crate::recorder::RunLock;
use crate::threads;
use crate::usage::usage;

#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// The run's directory
    run: PathBuf,
    /// What the figures are for: web is the report; paper and slides also write a folder in figures/ [default: web]
    #[arg(long, value_enum)]
    style: Option<FigureStyle>,
    /// How wide the figures of --style paper are: single is 3.3 inches, double is 6.9 inches [default: single]
    #[arg(long, value_enum)]
    column: Option<Column>,
    /// Print the BibTeX entries of the data, models and statistics that the run used, and write nothing
    #[arg(long)]
    bib: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
enum FigureStyle {
    Web,
    Paper,
    Slides,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
enum Column {
    Single,
    Double,
}

pub(super) fn run(arguments: &ReportArguments) -> anyhow::Result<Exit> {
    if arguments.bib && (arguments.style.is_some() || arguments.column.is_some()) {
        return Err(usage(
            "--bib prints references and draws no figure, so it takes no --style and no --column: leave these out, or leave out \
             --bib, because --style paper writes the same references to references.bib",
        ));
    }
    let look = look(arguments.style.unwrap_or(FigureStyle::Web), arguments.column)?;
    let dir = RunDir::new(&arguments.run);
    dir.info().map_err(usage)?;
    if arguments.bib {
        write!(stdout().lock(), "{}", bibtex(&load(&arguments.run, Impute::Nothing)?))?;
        return Ok(Exit::Ok);
    }
    let _lock = RunLock::for_report(dir.path())?;
    let built = threads::at_most(available_cpus(), || bakeoff_reports::build_with(&dir, look)).map_err(of_reading)?;
    let mut out = stdout().lock();
    print_report(&mut out, &built)?;
    if look != Look::Web {
        writeln!(out, "figures: {}", dir.path().join(look.folder()).display())?;
    }
    Ok(Exit::Ok)
}

fn look(style: FigureStyle, column: Option<Column>) -> anyhow::Result<Look> {
    match (style, column) {
        (FigureStyle::Web, None) => Ok(Look::Web),
        (FigureStyle::Slides, None) => Ok(Look::Slides),
        (FigureStyle::Paper, None | Some(Column::Single)) => Ok(Look::PaperSingle),
        (FigureStyle::Paper, Some(Column::Double)) => Ok(Look::PaperDouble),
        (FigureStyle::Web | FigureStyle::Slides, Some(_)) => Err(usage(
            "--column says how wide the figures of a paper are, and --style is not paper: add --style paper, or leave --column out",
        )),
    }
}
