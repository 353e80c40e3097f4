//! `data export-glue`: predictions on GLUE's hidden test sets, in the file format of its leaderboard.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Cursor, Write, stdout};
use std::path::PathBuf;

use anyhow::Context;
use bakeoff_reports::{CaseInfo, PredictionRow, RunDir, RunInfo};
use clap::Args;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Exit, usage};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The directory of a run with --predict-hidden
    run: PathBuf,
    /// The zip file to write, which must not exist yet
    out: PathBuf,
    /// The model to send, by label; needed if the run has several
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// The seed to send; needed if the run has several
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// The number of its class.
    Number,
    /// The name of its class.
    Name,
    /// A similarity in 0..=5.
    Score,
}

/// A file of the leaderboard: its name, the task and the split that fill it, and how.
struct Sheet {
    file: &'static str,
    task: &'static str,
    split: &'static str,
    answer: Answer,
}

const fn sheet(file: &'static str, task: &'static str, split: &'static str, answer: Answer) -> Sheet {
    Sheet { file, task, split, answer }
}

/// As gluebenchmark.com/faq asks for. Its diagnostic set, AX.tsv, has no dataset here.
const SHEETS: &[Sheet] = &[
    sheet("CoLA.tsv", "cola", "test", Answer::Number),
    sheet("SST-2.tsv", "sst2-full", "test", Answer::Number),
    sheet("MRPC.tsv", "mrpc", "test", Answer::Number),
    sheet("STS-B.tsv", "stsb", "test", Answer::Score),
    sheet("MNLI-m.tsv", "mnli", "test_matched", Answer::Name),
    sheet("MNLI-mm.tsv", "mnli", "test_mismatched", Answer::Name),
    sheet("QNLI.tsv", "qnli", "test", Answer::Name),
    sheet("QQP.tsv", "qqp", "test", Answer::Number),
    sheet("RTE.tsv", "rte", "test", Answer::Name),
    sheet("WNLI.tsv", "wnli", "test", Answer::Number),
];

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let dir = RunDir::new(&arguments.run);
    let info = dir.info().map_err(usage)?;
    let model = model(&info, arguments.model.as_deref())?;
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let (mut packed, mut missing) = (Vec::new(), Vec::new());
    for sheet in SHEETS {
        match text(sheet, &dir, &info, &model, arguments.seed)? {
            Some(text) => {
                archive.start_file(sheet.file, SimpleFileOptions::default()).context("cannot pack")?;
                archive.write_all(text.as_bytes()).context("cannot pack")?;
                packed.push(sheet.file);
            }
            None => missing.push(sheet.file),
        }
    }
    if packed.is_empty() {
        return Err(usage(format!(
            "{} holds no predictions of {model} on hidden test sets: run a suite on tasks of GLUE with --predict-hidden",
            arguments.run.display()
        )));
    }
    let bytes = archive.finish().context("cannot pack")?.into_inner();
    write_new(&arguments.out, &bytes)?;
    writeln!(stdout(), "{}: {} of {model}", arguments.out.display(), packed.join(", "))?;
    // The leaderboard refuses an archive that lacks a file, and these can be added by hand.
    missing.push("AX.tsv");
    writeln!(stdout(), "not in it, but asked for by the leaderboard: {}", missing.join(", "))?;
    Ok(Exit::Ok)
}

/// The label of the model to send.
fn model(info: &RunInfo, wish: Option<&str>) -> anyhow::Result<String> {
    let labels: BTreeSet<&str> = info.cases.iter().map(|case| case.label.as_str()).collect();
    let known = || labels.iter().copied().collect::<Vec<_>>().join(", ");
    match wish {
        Some(wish) if labels.contains(wish) => Ok(wish.to_owned()),
        Some(wish) => Err(usage(format!("the run has no model '{wish}' (it has: {})", known()))),
        None if labels.len() == 1 => Ok(known()),
        None => Err(usage(format!("the run has several models: choose one with --model (it has: {})", known()))),
    }
}

/// The text of a sheet; none if the run did not predict its split.
fn text(sheet: &Sheet, dir: &RunDir, info: &RunInfo, model: &str, seed: Option<u64>) -> anyhow::Result<Option<String>> {
    let wanted = |case: &&CaseInfo| {
        let has_seed = seed.is_none_or(|seed| case.case.rsplit('.').nth(1) == Some(&format!("s{seed}")));
        case.task == sheet.task && case.label == model && has_seed
    };
    let mut found = Vec::new();
    for case in info.cases.iter().filter(wanted) {
        if let Some(intact) = dir.hidden_predictions(&case.case, sheet.split)? {
            found.push((&case.case, intact.rows));
        }
    }
    if let [(first, _), (second, _), ..] = found[..] {
        return Err(usage(format!("{} could be filled by {first} and by {second}: choose with --seed", sheet.file)));
    }
    let Some((case, rows)) = found.pop() else { return Ok(None) };
    let task = info.tasks.iter().find(|task| task.name == sheet.task);
    let classes = task.map_or(&[][..], |task| task.classes.as_slice());
    let mut text = "index\tprediction\n".to_owned();
    for row in rows {
        let answer = answer(sheet.answer, classes, &row).with_context(|| {
            format!("{case}, example {}: '{}' is no answer of the task", row.example, row.prediction)
        })?;
        text += &format!("{}\t{answer}\n", row.example);
    }
    Ok(Some(text))
}

fn answer(answer: Answer, classes: &[String], row: &PredictionRow) -> Option<String> {
    let class = || classes.iter().position(|class| *class == row.prediction);
    match answer {
        Answer::Number => class().map(|class| class.to_string()),
        Answer::Name => class().map(|_| row.prediction.clone()),
        Answer::Score => row.prediction.parse::<f64>().ok().map(|score| format!("{:.3}", score.clamp(0.0, 5.0))),
    }
}

/// Writes a file that is not there yet, whole or not at all.
fn write_new(path: &PathBuf, bytes: &[u8]) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let mut file = File::create_new(path).with_context(failed)?;
    if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_data()) {
        // The first fault is the one to tell.
        let _ = fs::remove_file(path);
        return Err(error).with_context(failed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_written_as_the_leaderboard_reads_them() {
        let classes = ["entailment", "neutral", "contradiction"].map(String::from);
        let row = |prediction: &str| PredictionRow {
            example: 7,
            target: String::new(),
            prediction: prediction.to_owned(),
            probability: None,
        };
        let said = |style, prediction| answer(style, &classes, &row(prediction));
        assert_eq!(said(Answer::Number, "neutral").as_deref(), Some("1"));
        assert_eq!(said(Answer::Name, "neutral").as_deref(), Some("neutral"));
        assert_eq!(said(Answer::Number, "maybe"), None);
        assert_eq!(said(Answer::Score, "5.31").as_deref(), Some("5.000"));
        assert_eq!(said(Answer::Score, "-0.2").as_deref(), Some("0.000"));
        assert_eq!(said(Answer::Score, "2.34567").as_deref(), Some("2.346"));
    }
}
