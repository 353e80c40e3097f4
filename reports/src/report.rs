//! The one entry point from the records of a run directory to everything that people read.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::error::ReportError;
use crate::figures::{Drawn, FIGURES, Look, PICTURE_ENDINGS, Picture, Style, draw_all};
use crate::html::html;
use crate::markdown::markdown;
use crate::paper::{Columns, paper_files};
use crate::results::Results;
use crate::run_dir::RunDir;
use crate::sheet::sheets;
use crate::summary::summary;
use crate::terminal::terminal_table;

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The report to open.
    pub report: PathBuf,
    /// The table that is shown on the terminal at the end of a run.
    pub terminal_table: String,
    /// Remarks that a reader of this run must know. They are in the report too.
    pub remarks: Vec<String>,
}

/// Reads a run's CSV files and `run.json`. Writes `summary.csv`, `figures/`, `report.html` and `report.md` beside them.
/// The same files give the same bytes. Folders of other looks that are there already are drawn again, so that no picture shows
/// numbers that are no longer in the records.
///
/// # Errors
/// If a file of the run is not readable or breaks its format, or if a file cannot be written.
pub fn build(dir: &RunDir) -> Result<Built, ReportError> {
    build_with(dir, Look::Web)
}

/// As [`build`], and also writes the figures of this look into its folder, for a paper with tables and references in LaTeX.
///
/// # Errors
/// As [`build`].
pub fn build_with(dir: &RunDir, look: Look) -> Result<Built, ReportError> {
    let results = Results::load(dir)?;
    let mut remarks = results.remarks.clone();
    let Drawn { pictures, remarks: of_figures } = draw_all(&results, &Style::default())?;
    remarks.extend(of_figures);
    write_pictures(dir, Look::Web, &pictures)?;
    let others = Look::ALL.into_iter().filter(|other| *other != Look::Web);
    for other in others.filter(|other| *other == look || dir.path().join(other.folder()).is_dir()) {
        let pictures = draw_all(&results, &Style::of(other))?.pictures;
        write_pictures(dir, other, &pictures)?;
        write_paper(dir, other, &results, &pictures)?;
    }
    dir.write("summary.csv", &summary(&results))?;
    if let Some(interpretation) = &results.interpretation {
        interpretation.write_page(dir)?;
    }
    let sheets = sheets(dir, &results)?;
    dir.write("report.md", markdown(&results, &sheets, &remarks).as_bytes())?;
    dir.write("report.html", html(&results, &pictures, &sheets, &remarks).as_bytes())?;
    Ok(Built { report: dir.report_path(), terminal_table: terminal_table(&results), remarks })
}

fn write_pictures(dir: &RunDir, look: Look, pictures: &[Picture]) -> Result<(), ReportError> {
    remove_old_pictures(&dir.path().join(look.folder()), pictures)?;
    // Rendering pixels is most of the work, and pictures do not depend on each other.
    pictures.par_iter().try_for_each(|picture| {
        let files = picture.files(look)?;
        let name = |ending: &str| format!("{}/{}.{ending}", look.folder(), picture.name);
        files.iter().try_for_each(|(ending, bytes)| dir.write(&name(ending), bytes))
    })
}

/// Writes the LaTeX of a paper beside its figures; nothing for other looks.
fn write_paper(dir: &RunDir, look: Look, results: &Results, pictures: &[Picture]) -> Result<(), ReportError> {
    let columns = match look {
        Look::PaperSingle => Columns::One,
        Look::PaperDouble => Columns::Both,
        Look::Web | Look::Slides => return Ok(()),
    };
    let files = paper_files(results, pictures, columns);
    files.iter().try_for_each(|(name, text)| dir.write(&format!("{}/{name}", look.folder()), text.as_bytes()))
}

/// Removes pictures of an earlier build that this build does not draw. They would show numbers that are no longer in
/// the records.
fn remove_old_pictures(folder: &Path, pictures: &[Picture]) -> Result<(), ReportError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(ReportError::io("read", folder))?,
    };
    for entry in entries {
        let path = entry.map_err(ReportError::io("read", folder))?.path();
        let is_picture = path.extension().is_some_and(|ending| PICTURE_ENDINGS.iter().any(|ours| ending == *ours));
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let ours =
            FIGURES.iter().any(|figure| stem == figure.name() || stem.starts_with(&format!("{}-", figure.name())));
        if is_picture && ours && !pictures.iter().any(|picture| picture.name == stem) {
            fs::remove_file(&path).map_err(ReportError::io("remove", &path))?;
        }
    }
    Ok(())
}
