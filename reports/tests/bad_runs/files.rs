//! Files that are damaged, or no files of a run: refused with the line, or read as far as they go.

use std::fs;

use bakeoff_reports::{Results, RunDir};

use crate::{PLAN, change, change_answers, made, refusal, says, texts};

#[test]
fn a_number_that_is_none_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    let text = fs::read_to_string(dir.records_path()).unwrap();
    for (name, shown) in [("NaN", "NaN is not a finite number"), ("inf", "inf is not a finite number"), ("x", "'x'")] {
        let lines: Vec<String> = text
            .lines()
            .enumerate()
            .map(
                |(at, line)| {
                    if at == 1 { line.replace(",accuracy,,", &format!(",accuracy,,{name}")) } else { line.to_owned() }
                },
            )
            .collect();
        let value = lines[1].split(&format!(",accuracy,,{name}")).nth(1).unwrap();
        let rest = value.split_once(',').unwrap().1;
        let line = format!("{},accuracy,,{name},{rest}", lines[1].split(",accuracy,,").next().unwrap());
        let damaged = text.replacen(text.lines().nth(1).unwrap(), &line, 1);
        fs::write(dir.records_path(), damaged).unwrap();
        says(&refusal(&dir), &["records.csv:2: column value", shown]);
    }
}

#[test]
fn an_answer_that_is_no_number_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    let case = "cifar10-rotation.resnet.n2000.s1.cpu";
    for answer in ["NaN", "inf", "-inf", "left"] {
        change_answers(&dir, case, |rows| answer.clone_into(&mut rows[3].prediction));
        let expected = format!("{case}.csv:5: column prediction: '{answer}', expected a finite number");
        says(&refusal(&dir), &[&expected]);
    }
}

#[test]
fn a_row_that_is_there_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change(&dir.records_path(), |text| format!("{text}{}\n", text.lines().nth(1).unwrap()));
    says(&refusal(&dir), &["records.csv", "is in the file twice: remove one"]);
}

#[test]
fn a_last_line_that_was_cut_short_is_left_out_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    let bytes = fs::read(dir.records_path()).unwrap();
    fs::write(dir.records_path(), &bytes[..bytes.len() - 20]).unwrap();
    let texts = texts(&dir);
    for text in [&texts.report, &texts.rank, &texts.claims, &texts.compare] {
        says(text, &["of records.csv is incomplete, as if the run had been killed while writing it"]);
    }
}

#[test]
fn a_file_that_a_spreadsheet_saved_is_read_whole_or_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    let before = Results::load(&dir).unwrap();
    let text = fs::read_to_string(dir.records_path()).unwrap();
    let saved = |text: String| fs::write(dir.records_path(), text).unwrap();
    saved(text.replace('\n', "\r\n"));
    assert_eq!(Results::load(&dir).unwrap(), before, "other ends of lines");
    let line = text.lines().position(|line| line.contains(",accuracy,")).unwrap() + 1;
    let broken = text.replacen(",accuracy,,0", ",accuracy,,zero 0", 1);
    assert_ne!(broken, text);
    for ends in ["\n", "\r\n"] {
        saved(broken.replace('\n', ends));
        says(&refusal(&dir), &[&format!("records.csv:{line}: ")]);
    }
    saved(format!("\u{feff}{text}"));
    assert_eq!(Results::load(&dir).unwrap(), before, "a byte order mark");
    saved(text.replacen("schema,run", "run,schema", 1));
    says(&refusal(&dir), &["records.csv:1: column 1 is 'run', expected 'schema'"]);
    for (separator, name) in [(";", "semicolons"), ("\t", "tabs")] {
        saved(text.replace(',', separator));
        says(&refusal(&dir), &["records.csv:1:", &format!("columns are separated by {name}, expected commas")]);
    }
}

#[test]
fn a_folder_that_is_no_run_is_refused_with_what_to_give() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [folder.path().join("missing"), folder.path().to_owned(), file] {
        says(&refusal(&RunDir::new(path)), &["is no run directory", "give the folder that `bakeoff run` named"]);
    }
}
