//! `report.md`: the tables of the report for terminals and pull requests.

use std::fmt::Write;

use crate::format::score;
use crate::record::Status;
use crate::results::Results;
use crate::run_info::RunInfo;
use crate::table::{Table, beside, cells, header, verdict};

/// Which rows are for what.
pub(crate) const SPLITS: &str = "A tenth of the training rows, chosen by the seed and of each class its share, is for \
    validation: best epochs are chosen on it. The targets of the test rows were used once, by the scorer after the fit.";

/// The text of `report.md`.
pub(crate) fn markdown(results: &Results, remarks: &[String]) -> String {
    let info = &results.info;
    let mut text = format!("# {}: {}\n\n", info.suite, info.run);
    let machine = &info.machine;
    let finished = results.grid.trials().count();
    let _ = writeln!(
        text,
        "{finished} of {} cases, {} on {} ({} processors), bakeoff {} at {}, energy: {}.\n",
        info.cases.len(),
        escape(&info.started),
        escape(&machine.cpu),
        machine.cpus,
        info.version,
        info.commit,
        escape(&info.energy)
    );
    if finished == 0 {
        text += "No case has finished, so there is nothing to compare yet.\n\n";
    }
    for table in &results.tables {
        headline(&mut text, results, table);
    }
    if !results.tables.is_empty() {
        let _ = writeln!(text, "{SPLITS}\n");
        text += "`≈`: a paired test cannot tell it from the best (p ≥ 0.05 after Holm's correction); `?`: no paired test; `–`: not ranked.\n\n";
    }
    not_ranked(&mut text, results);
    if !remarks.is_empty() {
        text += "## Remarks\n\n";
        for remark in remarks {
            let _ = writeln!(text, "- {}", escape(remark));
        }
        text.push('\n');
    }
    if !results.gaps.is_empty() {
        text += "## Numbers that are missing\n\n";
        for gap in &results.gaps {
            let _ = writeln!(text, "- {}", escape(gap));
        }
        text.push('\n');
    }
    let _ = writeln!(text, "Reproduce:\n\n```sh\n{}\n```", reproduce(info));
    text
}

/// The commands that make the run again.
pub(crate) fn reproduce(info: &RunInfo) -> String {
    let quoted = |word: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
        let bare = !word.is_empty() && word.chars().all(plain);
        if bare { word.clone() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    };
    let command = info.command.iter().map(quoted).collect::<Vec<_>>().join(" ");
    match info.commit.strip_suffix("-dirty") {
        Some(commit) => format!("# built with changes on top of {commit} that are in no commit\n{command}"),
        None if info.commit == "unknown" => command,
        None => format!("git checkout {}\n{command}", info.commit),
    }
}

fn headline(text: &mut String, results: &Results, table: &Table) {
    let setting = results.setting(table.setting);
    let _ = writeln!(text, "## {}\n", escape(&setting.title));
    let primary = setting.primary();
    let floor = |floor| format!(" Floor (a constant answer): {}.", score(primary, floor));
    let floor = table.floor.map_or(String::new(), floor);
    let _ = writeln!(
        text,
        "{} {} training rows, {}.{floor}\n",
        escape(&sentence(&setting.task.about)),
        setting.train_size,
        setting.device
    );
    let titles = header(&results.grid, table);
    let _ = writeln!(text, "| {} |", titles.iter().map(|title| escape(title)).collect::<Vec<_>>().join(" | "));
    let rules: Vec<&str> =
        titles.iter().enumerate().map(|(column, _)| if (3..11).contains(&column) { "---:" } else { "---" }).collect();
    let _ = writeln!(text, "| {} |", rules.join(" | "));
    for line in &table.lines {
        let row: Vec<String> = cells(&results.grid, table, line).iter().map(|cell| escape(cell)).collect();
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text.push('\n');
    let tested: Vec<String> =
        table.ranked().map(|line| format!("{} {}", escape(&results.grid.labels[line.label]), verdict(line))).collect();
    if tested.len() > 1 {
        let _ = writeln!(text, "{}.\n", tested.join("; "));
    }
    if let Some(beside) = beside(&results.grid, table) {
        let _ = writeln!(text, "{}\n", escape(&beside));
    }
}

fn not_ranked(text: &mut String, results: &Results) {
    let bad: Vec<_> = results.grid.trials().filter(|(_, _, trial)| trial.status != Status::Ok).collect();
    if bad.is_empty() {
        return;
    }
    *text += "## Cases that are not ranked\n\n| case | status | reason |\n| --- | --- | --- |\n";
    for (_, _, trial) in bad {
        let _ = writeln!(text, "| {} | {} | {} |", trial.case, trial.status, escape(&trial.note));
    }
    text.push('\n');
}

/// A text ends with a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// Keeps a text in its table cell and stops it from being read as markup.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => escaped.push(' '),
            '|' | '*' | '_' | '`' | '<' | '>' | '\\' => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    escaped
}
