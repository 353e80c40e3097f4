//! `data export-glue`: predictions on GLUE's hidden test sets, in the file format of its leaderboard.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Cursor, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bakeoff_reports::{CaseInfo, Intact, PredictionRow, Record, RunDir, RunInfo, Status};
use clap::Args;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::Exit;
use super::output::check_new_file;
use crate::recorder::is_closing;
use crate::usage::usage;

#[derive(Debug, Args)]
pub(super) struct ExportGlueArguments {
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

/// How a prediction is written.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// The number of the class.
    Number,
    /// The name of the class.
    Name,
    /// A similarity in 0..=5.
    Score,
}

/// A file of the leaderboard: its name, its rows, the task and the split that fill it, and how predictions are written
/// in it.
struct Sheet {
    file: &'static str,
    rows: usize,
    task: &'static str,
    split: &'static str,
    answer: Answer,
}

const fn sheet(file: &'static str, rows: usize, task: &'static str, split: &'static str, answer: Answer) -> Sheet {
    Sheet { file, rows, task, split, answer }
}

/// The files that gluebenchmark.com/faq asks for. No dataset here has its diagnostic set, AX.tsv.
const SHEETS: &[Sheet] = &[
    sheet("CoLA.tsv", 1_063, "cola", "test", Answer::Number),
    sheet("SST-2.tsv", 1_821, "sst2-full", "test", Answer::Number),
    sheet("MRPC.tsv", 1_725, "mrpc", "test", Answer::Number),
    sheet("STS-B.tsv", 1_379, "stsb", "test", Answer::Score),
    sheet("MNLI-m.tsv", 9_796, "mnli", "test_matched", Answer::Name),
    sheet("MNLI-mm.tsv", 9_847, "mnli", "test_mismatched", Answer::Name),
    sheet("QNLI.tsv", 5_463, "qnli", "test", Answer::Name),
    sheet("QQP.tsv", 390_965, "qqp", "test", Answer::Number),
    sheet("RTE.tsv", 3_000, "rte", "test", Answer::Name),
    sheet("WNLI.tsv", 146, "wnli", "test", Answer::Number),
];

pub(super) fn run(arguments: &ExportGlueArguments) -> anyhow::Result<Exit> {
    check_new_file(&arguments.out, "OUT")?;
    let run = Run::read(&arguments.run)?;
    let model = run.model(arguments.model.as_deref())?;
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let (mut packed, mut missing) = (Vec::new(), Vec::new());
    for sheet in SHEETS {
        match run.text(sheet, &model, arguments.seed)? {
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
    // The leaderboard refuses an archive in which a file is missing. The user can add these files by hand.
    missing.push("AX.tsv");
    writeln!(stdout(), "the leaderboard also expects these files, which are not in it: {}", missing.join(", "))?;
    Ok(Exit::Ok)
}

/// What is stored about a run.
struct Run {
    dir: RunDir,
    info: RunInfo,
    records: Vec<Record>,
}

impl Run {
    fn read(path: &Path) -> anyhow::Result<Run> {
        let dir = RunDir::new(path);
        let info = dir.info().map_err(usage)?;
        let records = dir.records()?.rows;
        Ok(Run { dir, info, records })
    }

    /// The label of the model to send.
    fn model(&self, wish: Option<&str>) -> anyhow::Result<String> {
        let labels: BTreeSet<&str> = self.info.cases.iter().map(|case| case.label.as_str()).collect();
        let known = || labels.iter().copied().collect::<Vec<_>>().join(", ");
        match wish {
            Some(wish) if labels.contains(wish) => Ok(wish.to_owned()),
            Some(wish) => Err(usage(format!("the run has no model '{wish}' (it has: {})", known()))),
            None if labels.len() == 1 => Ok(known()),
            None => Err(usage(format!("the run has several models: choose one with --model (it has: {})", known()))),
        }
    }

    /// The text of a sheet. `None` if the run did not predict its split.
    fn text(&self, sheet: &Sheet, model: &str, seed: Option<u64>) -> anyhow::Result<Option<String>> {
        let wanted = |case: &&CaseInfo| {
            case.task == sheet.task && case.label == model && seed.is_none_or(|seed| case.seed == seed)
        };
        let mut found = Vec::new();
        for case in self.info.cases.iter().filter(wanted) {
            if let Some(intact) = self.dir.hidden_predictions(&case.case, sheet.split)? {
                found.push((&case.case, intact));
            }
        }
        if let [(first, _), (second, _), ..] = found[..] {
            return Err(usage(format!(
                "{} could be filled by {first} and by {second}: choose with --seed",
                sheet.file
            )));
        }
        let Some((case, intact)) = found.pop() else { return Ok(None) };
        self.check_measured(case)?;
        check_complete(sheet, &intact, &self.dir.hidden_predictions_path(case, sheet.split))?;
        let task = self.info.tasks.iter().find(|task| task.name == sheet.task);
        let classes = task.map_or(&[][..], |task| task.classes.as_slice());
        let mut text = "index\tprediction\n".to_owned();
        for row in intact.rows {
            let answer = answer(sheet.answer, classes, &row).with_context(|| {
                format!("{case}, example {}: '{}' is no answer of the task", row.example, row.prediction)
            })?;
            text += &format!("{}\t{answer}\n", row.example);
        }
        Ok(Some(text))
    }

    /// Refuses the predictions of a case that failed, because they may be incomplete.
    fn check_measured(&self, case: &str) -> anyhow::Result<()> {
        let how = match self.records.iter().find(|record| record.case == case && is_closing(record)) {
            Some(record) if matches!(record.status, Status::Ok | Status::BelowFloor) => return Ok(()),
            Some(record) => format!("is {}", record.status),
            None => "has no end in records.csv".to_owned(),
        };
        let run = self.dir.path().display();
        Err(usage(format!("{case} {how}, so its predictions are not sent: bakeoff resume {run}")))
    }
}

/// Refuses predictions that do not answer each example once and in order, because the leaderboard does not accept them.
fn check_complete(sheet: &Sheet, intact: &Intact<PredictionRow>, path: &Path) -> anyhow::Result<()> {
    let (rows, last) = (intact.rows.len(), sheet.rows - 1);
    let stray = intact.rows.iter().enumerate().find(|(index, row)| row.example != *index);
    let found = match (stray, intact.torn_line) {
        (_, Some(line)) => format!("{rows} and line {line} cut short"),
        (Some((index, row)), None) => format!("{rows}, example {} in place of {index}", row.example),
        (None, None) if rows != sheet.rows => format!("{rows}"),
        (None, None) => return Ok(()),
    };
    Err(usage(format!(
        "{}: expected {} rows, examples 0 to {last} in order, found {found}: the file is not as a run \
         writes it, start a new one",
        path.display(),
        sheet.rows
    )))
}

fn answer(answer: Answer, classes: &[String], row: &PredictionRow) -> Option<String> {
    let class = || classes.iter().position(|class| *class == row.prediction);
    match answer {
        Answer::Number => class().map(|class| class.to_string()),
        Answer::Name => class().map(|_| row.prediction.clone()),
        Answer::Score => row.prediction.parse::<f64>().ok().map(|score| format!("{:.3}", score.clamp(0.0, 5.0))),
    }
}

/// Writes a file that does not exist yet, completely or not at all.
fn write_new(path: &PathBuf, bytes: &[u8]) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let mut file = File::create_new(path).with_context(failed)?;
    if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_data()) {
        // The first fault is the one to report.
        let _ = fs::remove_file(path);
        return Err(error).with_context(failed);
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use bakeoff_reports::encode_header;
    use serde_json::json;

    use super::*;

    const CASE: &str = "wnli.svm.n635.s1.cpu";

    fn wnli() -> &'static Sheet {
        SHEETS.iter().find(|sheet| sheet.task == "wnli").unwrap()
    }

    /// A run of one case on WNLI with this status.
    fn ended(folder: &Path, status: Option<&str>) -> Run {
        let dir = RunDir::new(folder);
        let words = ["suite", "about", "started", "version", "commit", "toolchain", "energy", "suite_toml"];
        let mut info: serde_json::Map<_, _> = words.map(|word| (word.to_owned(), "".into())).into_iter().collect();
        let machine = json!({"fingerprint": "", "cpu": "", "cpus": 1, "memory_bytes": 1, "os": "", "arch": ""});
        let task = json!({"name": "wnli", "version": 1, "about": "", "primary": "accuracy", "unit": "", "classes": ["a", "b"]});
        for (key, value) in [
            ("schema", json!(1)),
            ("run", json!("run")),
            ("command", json!([])),
            ("machine", machine),
            ("libraries", json!({})),
            ("datasets", json!({})),
            ("tasks", json!([task])),
            ("cases", json!([{"case": CASE, "task": "wnli", "label": "svm", "model": "svm"}])),
        ] {
            info.insert(key.to_owned(), value);
        }
        let mut records = String::from_utf8(encode_header::<Record>()).unwrap();
        if let Some(status) = status {
            records +=
                &format!("3,run,,,{CASE},wnli,1,svm,svm,1,,635,0,1,,,,,cpu,,,,case,wall_s,s,1,stopwatch,{status},\n");
        }
        fs::write(dir.records_path(), records).unwrap();
        let info = serde_json::from_value(info.into()).unwrap();
        let records = dir.records().unwrap().rows;
        Run { dir, info, records }
    }

    /// The sheet, or why there is none, for a case with this status and predictions with these examples and this end.
    fn sheet_of(
        status: Option<&str>,
        examples: impl Iterator<Item = usize>,
        end: &str,
    ) -> Result<Option<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let run = ended(folder.path(), status);
        let rows: String = examples.map(|example| format!("{example},,b,\n")).collect();
        fs::create_dir(folder.path().join("predictions")).unwrap();
        fs::write(
            run.dir.hidden_predictions_path(CASE, "test"),
            format!("example,target,prediction,probabilities\n{rows}{end}"),
        )
        .unwrap();
        run.text(wnli(), "svm", None).map_err(|error| error.to_string())
    }

    #[test]
    fn a_sheet_has_each_example_once_and_in_order_or_is_refused_by_file() {
        let text = sheet_of(Some("ok"), 0..146, "").unwrap().unwrap();
        assert!(text.starts_with("index\tprediction\n0\t1\n1\t1\n") && text.lines().count() == 147, "{text}");
        assert!(sheet_of(Some("below-floor"), 0..146, "").is_ok(), "a poor answer is one");
        for (examples, end, found) in [
            ((0..0).collect::<Vec<_>>(), "", "found 0:"),
            ((0..100).collect(), "", "found 100:"),
            ((0..100).collect(), "100,,b", "found 100 and line 102 cut short:"),
            ((0..147).collect(), "", "found 147:"),
            ((0..146).rev().collect(), "", "found 146, example 145 in place of 0:"),
            ((0..145).chain([144]).collect(), "", "found 146, example 144 in place of 145:"),
        ] {
            let message = sheet_of(Some("ok"), examples.into_iter(), end).unwrap_err();
            let expected = format!("{CASE}.test.csv: expected 146 rows, examples 0 to 145 in order, {found}");
            assert!(message.contains(&expected), "{message}");
        }
    }

    #[test]
    fn predictions_of_a_case_that_was_not_measured_are_refused_by_case() {
        for (status, how) in [(Some("failed"), "is failed"), (None, "has no end in records.csv")] {
            let message = sheet_of(status, 0..146, "").unwrap_err();
            assert!(message.starts_with(&format!("{CASE} {how}")) && message.contains("bakeoff resume"), "{message}");
        }
    }

    #[test]
    fn the_seed_of_a_case_is_that_of_the_plan() {
        let folder = tempfile::tempdir().unwrap();
        let mut run = ended(folder.path(), Some("ok"));
        let rows: String = (0..146).map(|example| format!("{example},,b,\n")).collect();
        fs::create_dir(folder.path().join("predictions")).unwrap();
        fs::write(
            run.dir.hidden_predictions_path(CASE, "test"),
            format!("example,target,prediction,probabilities\n{rows}"),
        )
        .unwrap();
        run.info.cases[0].seed = 7;
        assert!(run.text(wnli(), "svm", Some(7)).unwrap().is_some());
        assert_eq!(run.text(wnli(), "svm", Some(1)).unwrap(), None, "its id says s1, the plan 7");
    }

    #[test]
    fn answers_are_written_as_the_leaderboard_reads_them() {
        let classes = ["entailment", "neutral", "contradiction"].map(String::from);
        let row = |prediction: &str| PredictionRow {
            example: 7,
            target: String::new(),
            prediction: prediction.to_owned(),
            probabilities: Vec::new(),
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
