//! `history export`: a night in a format that other programs read.

use std::fmt::Write as _;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use bakeoff_models::unknown_name;
use bakeoff_reports::{EXPORT_FORMATS, ExportFormat, History, MadeFile, Rules, replace};
use clap::Args;

use super::super::output::check_folder;
use super::super::{Exit, of_reading};
use super::{find_run, last_night};
use crate::usage::usage;

#[derive(Debug, Args)]
#[command(after_help = formats())]
pub(super) struct ExportArguments {
    /// The folder of the history
    history: PathBuf,
    /// The format
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: &'static ExportFormat,
    /// The run whose numbers and verdicts are written [default: the last night]
    #[arg(long, value_name = "RUN")]
    at: Option<String>,
    /// Write the files of the format into this folder [default: one file to standard output]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// The list of formats below the options.
fn formats() -> String {
    let mut text = String::from("Formats:\n");
    let widest = EXPORT_FORMATS.iter().map(|format| format.name.len()).max().unwrap_or_default();
    for format in EXPORT_FORMATS {
        let _ = writeln!(text, "  {:widest$}  {}", format.name, format.about);
    }
    text
}

fn format(name: &str) -> Result<&'static ExportFormat, String> {
    let known: Vec<&str> = EXPORT_FORMATS.iter().map(|format| format.name).collect();
    EXPORT_FORMATS.iter().find(|format| format.name == name).ok_or_else(|| unknown_name("format", name, &known))
}

pub(super) fn run(arguments: &ExportArguments) -> anyhow::Result<Exit> {
    let history = History::read(&arguments.history).map_err(of_reading)?;
    let rules = Rules::read(&arguments.history).map_err(of_reading)?;
    let run = match &arguments.at {
        Some(name) => find_run(&history, name)?,
        None => last_night(&history, &arguments.history)?,
    };
    let files = arguments.format.files(&history, &history.judge(run, &rules));
    match (&arguments.out, &files[..]) {
        (Some(folder), files) => write_files(folder, files, "--out")?,
        (None, [file]) => stdout().lock().write_all(&file.bytes)?,
        (None, files) => {
            return Err(usage(format!(
                "{} has {} files, which standard output cannot hold: name a folder for them with --out",
                arguments.format.name,
                files.len()
            )));
        }
    }
    Ok(Exit::Ok)
}

/// Writes files into a folder, which `option` named, and says how many. A reader never sees half of one.
pub(super) fn write_files(folder: &Path, files: &[MadeFile], option: &str) -> anyhow::Result<()> {
    check_folder(folder, option)?;
    for file in files {
        replace(&folder.join(&file.name), &file.bytes)?;
    }
    let what = if files.len() == 1 { "file" } else { "files" };
    writeln!(stdout(), "wrote {} {what} to {}", files.len(), folder.display())?;
    Ok(())
}
