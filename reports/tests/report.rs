//! A whole run directory in, everything that people read out.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bakeoff_reports::{Status, build};
use common::{Plan, SMALL, write_run};

/// Every file below a folder, by its relative path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn the_tables_of_a_small_run_read_as_promised() {
    let folder = tempfile::tempdir().unwrap();
    let built = build(&write_run(folder.path(), &SMALL)).unwrap();
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    insta::assert_snapshot!("report.md", text("report.md"));
    insta::assert_snapshot!("summary.csv", text("summary.csv"));
    insta::assert_snapshot!("terminal", built.terminal_table);
}

#[test]
fn every_status_is_in_the_reports_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    build(&write_run(folder.path(), &SMALL)).unwrap();
    let markdown = fs::read_to_string(folder.path().join("report.md")).unwrap();
    let html = fs::read_to_string(folder.path().join("report.html")).unwrap();
    for status in Status::ALL {
        assert!(markdown.contains(status.name()), "report.md lacks {status}");
        assert!(html.contains(status.name()), "report.html lacks {status}");
    }
    assert!(html.contains("&lt;svm&gt; needs a kernel of 20 GB | for 50,000 rows"), "text must be escaped and whole");
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &SMALL);
    build(&dir).unwrap();
    let first = files(folder.path());
    build(&dir).unwrap();
    let second = files(folder.path());
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, bytes) in &first {
        assert!(bytes == &second[name], "{name} differs");
    }
}

#[test]
fn a_run_without_a_finished_case_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &SMALL);
    fs::remove_file(dir.records_path()).unwrap();
    let built = build(&dir).unwrap();
    assert_eq!(built.terminal_table, "No case has finished yet.\n");
    assert!(fs::read_to_string(folder.path().join("report.md")).unwrap().contains("No case has finished"));
    assert!(fs::read_to_string(dir.report_path()).unwrap().contains("No case has finished"));
    assert!(built.remarks.iter().any(|remark| remark.contains("24 cases of 24 planned")), "{:?}", built.remarks);
}

#[test]
fn missing_curves_and_predictions_are_remarked_on_and_nothing_else_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &SMALL);
    fs::remove_file(dir.curves_path()).unwrap();
    fs::remove_dir_all(folder.path().join("predictions")).unwrap();
    let built = build(&dir).unwrap();
    assert!(built.remarks.iter().any(|remark| remark.contains("no curves.csv")), "{:?}", built.remarks);
    assert!(built.remarks.iter().any(|remark| remark.contains("predictions file")), "{:?}", built.remarks);
    assert!(built.terminal_table.contains("resnet"));
}

#[test]
fn a_number_that_could_not_be_had_is_remarked_on_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &SMALL);
    let mut records = dir.records().unwrap().rows;
    for record in records.iter_mut().filter(|record| record.metric == "energy_j" && record.phase == "fit") {
        record.value = None;
        record.note = "no meter is readable".to_owned();
    }
    let kept = folder.path().join("figures/mine.svg");
    build(&dir).unwrap();
    fs::write(&kept, "").unwrap();
    dir.write_rows(&dir.records_path(), &records).unwrap();
    build(&dir).unwrap();
    let expected = "energy_j of fit is missing in 18 cases: no meter is readable.";
    for report in ["report.md", "report.html"] {
        let text = fs::read_to_string(folder.path().join(report)).unwrap();
        assert!(text.replace('\\', "").contains(expected), "{report} does not say why there is no number");
    }
    assert!(!folder.path().join("figures/accuracy-energy.svg").exists(), "an old figure must go");
    assert!(kept.exists(), "a file of somebody else must stay");
}

#[test]
fn what_a_suite_says_of_a_task_is_text_in_the_markdown_and_no_markup() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &SMALL);
    let mut info = dir.info().unwrap();
    info.tasks[2].about = "a | b\n# INJECTED".to_owned();
    info.tasks[2].unit = "m | s".to_owned();
    dir.write_info(&info).unwrap();
    build(&dir).unwrap();
    let markdown = fs::read_to_string(folder.path().join("report.md")).unwrap();
    assert!(markdown.contains("\na \\| b # INJECTED. 2000 training rows"), "{markdown}");
    assert!(markdown.contains("| MSE, m \\| s² [95 %] |"), "{markdown}");
}

/// `report.md` of a run in which a user has written this text wherever a user can.
fn markdown_with(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &Plan { tasks: 1, models: 6, examples: 20, axes: true, trials: 2, ..SMALL });
    let mut info = dir.info().unwrap();
    for task in &mut info.tasks {
        task.about = text.to_owned();
        task.unit = text.to_owned();
    }
    (info.suite, info.run, info.started) = (text.to_owned(), text.to_owned(), text.to_owned());
    (info.version, info.commit, info.machine.cpu) = (text.to_owned(), text.to_owned(), text.to_owned());
    info.command.push(text.to_owned());
    info.remarks = vec![text.to_owned(), format!("[{text}")];
    info.suite_toml = format!("[energy]\ngrams_per_kwh = 1.0\ngrid = '''{text}'''\n");
    let (model, task) = (info.cases[0].label.clone(), info.tasks[0].name.clone());
    let renamed = |name: &mut String| {
        if *name == model || *name == task {
            name.insert_str(0, text);
        }
    };
    for case in &mut info.cases {
        renamed(&mut case.label);
        renamed(&mut case.task);
    }
    info.tasks.iter_mut().for_each(|task| renamed(&mut task.name));
    let mut records = dir.records().unwrap().rows;
    for record in &mut records {
        (record.run, record.commit) = (info.run.clone(), info.commit.clone());
        renamed(&mut record.label);
        renamed(&mut record.task);
        if record.value.is_none() {
            record.note = text.to_owned();
        }
    }
    dir.write_info(&info).unwrap();
    dir.write_rows(&dir.records_path(), &records).unwrap();
    build(&dir).unwrap();
    fs::read_to_string(folder.path().join("report.md")).unwrap()
}

#[test]
fn what_a_user_writes_anywhere_adds_no_line_and_no_markup_to_the_markdown() {
    // Not the block of code, in which nothing is markup.
    let prose = |text: &str| -> Vec<String> {
        markdown_with(text).split("## Reproduce").next().unwrap().lines().map(str::to_owned).collect()
    };
    let plain = prose("plain");
    for text in [
        "# x\n\n# INJECTED\r\n",
        "<script>alert(1)</script>",
        "![a](http://b) [a][b]",
        "- x",
        "1. x",
        "~~~\n```",
        "a | b",
        "&lt;b&gt; **x** `y`",
    ] {
        let lines = prose(text);
        assert_eq!(lines.len(), plain.len(), "{text}: {}", lines.join("\n"));
        for (line, plain) in lines.iter().zip(&plain) {
            // What makes a block of a line. In a row of a table, nothing after its first bar does.
            let begins = |line: &str| {
                let marks = if line.starts_with('|') { "|" } else { "#>-~` " };
                line.chars().take_while(|c| marks.contains(*c)).collect::<String>()
            };
            assert_eq!(begins(line).trim_end(), begins(plain).trim_end(), "{text}: '{line}' in place of '{plain}'");
            let escaped = ["\\\\", "\\<", "\\]", "\\&", "\\|"];
            let bare = escaped.iter().fold(line.clone(), |line, escaped| line.replace(escaped, ""));
            for markup in ["<script", "](http", "][", "&lt;"] {
                assert!(!bare.contains(markup), "{text}: {line}");
            }
            assert_eq!(bare.matches('|').count(), plain.matches('|').count(), "{text}: '{line}'");
        }
    }
}

#[test]
fn a_command_with_backticks_does_not_end_the_block_of_code() {
    let text = markdown_with("x\n```\n# INJECTED");
    let (_, block) = text.split_once("## Reproduce\n\n").unwrap();
    assert!(block.starts_with("````sh\n") && block.ends_with("\n````\n"), "{block}");
}

#[test]
fn a_torn_last_line_is_left_out_and_remarked_on() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &SMALL);
    let bytes = fs::read(dir.records_path()).unwrap();
    fs::write(dir.records_path(), &bytes[..bytes.len() - 30]).unwrap();
    let built = build(&dir).unwrap();
    assert!(built.remarks.iter().any(|remark| remark.contains("incomplete")), "{:?}", built.remarks);
    assert!(built.remarks.iter().any(|remark| remark.contains("1 case of 24 planned")), "{:?}", built.remarks);
}

#[test]
fn several_seeds_are_averaged_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { tasks: 3, models: 2, seeds: 3, examples: 200, faults: false, trials: 0, axes: false };
    let built = build(&write_run(folder.path(), &plan)).unwrap();
    assert!(built.terminal_table.contains("3 of 3 seeds"), "{}", built.terminal_table);
    let markdown = fs::read_to_string(folder.path().join("report.md")).unwrap();
    assert!(
        markdown.contains("speak of other seeds and other test examples") && !markdown.contains("There is one seed")
    );
    // One uncertainty in a cell.
    assert!(!markdown.replace(" ± 40 %", "").contains(" ± "), "{markdown}");
    assert!(markdown.contains("| 3 of 3 (by luck 0.25) |"), "the seeds won: {markdown}");
}

#[test]
fn searched_cases_have_a_table_of_what_was_chosen_and_what_it_cost() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { tasks: 1, models: 2, seeds: 2, examples: 100, faults: false, trials: 4, axes: false };
    build(&write_run(folder.path(), &plan)).unwrap();
    let markdown = fs::read_to_string(folder.path().join("report.md")).unwrap();
    let (_, tuning) = markdown.split_once("## Tuning").unwrap();
    let rows: Vec<&str> = tuning.lines().filter(|line| line.contains("rate=")).collect();
    assert_eq!(rows.len(), 4, "one for each model and seed: {tuning}");
    let cells: Vec<&str> = rows[1].split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
    // The depth is the same in all search trials.
    let expected = ["cifar10", "resnet", "2", "4", "1", "accuracy 0.500", "40.0 s", "480 J", "rate=0.1"];
    assert_eq!(cells, expected);
    assert!(markdown.contains("4 of 4 cases with 16 search trials finished"), "{markdown}");
}

#[test]
fn the_tables_of_training_scores_and_of_targets_read_as_promised() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { tasks: 1, models: 5, seeds: 3, examples: 100, faults: false, trials: 0, axes: true };
    build(&write_run(folder.path(), &plan)).unwrap();
    let markdown = fs::read_to_string(folder.path().join("report.md")).unwrap();
    let from = markdown.find("## Training and test scores").unwrap();
    let to = markdown.find("## Reproduce").unwrap();
    insta::assert_snapshot!("experiments", &markdown[from..to]);
    let html = fs::read_to_string(folder.path().join("report.html")).unwrap();
    for id in ["train-and-test", "time-to-target"] {
        assert!(html.contains(&format!("href=\"#{id}\"")) && html.contains(&format!("id=\"{id}\"")), "{id}");
    }
}
