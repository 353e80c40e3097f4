//! `report.md`: the tables of the report for terminals and pull requests.

use std::fmt::Write;

use crate::anchors::{HOW_TO_READ_ANCHORS, anchors_met};
use crate::cell::named_source;
use crate::claims::{HOW_TO_READ_VERDICTS, verdicts};
use crate::extra_tables::{ExtraTable, extra_tables};
use crate::format::{count, shell_word};
use crate::results::Results;
use crate::run_info::RunInfo;
use crate::sections::{HOW_ROWS_ARE_USED, Section, TUNING, marks, not_ranked, planned, sections, tuning};
use crate::sheet::{HOW_TO_READ_SHEETS, Sheet};
use crate::table::{self, escape, escape_line};

/// The text of `report.md`.
pub(crate) fn markdown(results: &Results, sheets: &[Sheet], remarks: &[String]) -> String {
    let info = &results.info;
    let mut text = format!("# {}: {}\n\n", escape_line(&info.suite), escape(&info.run));
    let machine = &info.machine;
    let cards = info.devices.iter().filter(|device| device.fingerprint != machine.fingerprint);
    let cards: String =
        cards.map(|device| format!(" Device {}: {}.", device.device, escape(&device.in_words()))).collect();
    let finished = results.grid.trials().count();
    let _ = writeln!(
        text,
        "{finished} of {} finished. Started {} on {} ({}), bakeoff {} at commit {}. Energy: {}.{cards}\n",
        planned(results),
        escape(&info.started),
        escape(&machine.cpu),
        count(machine.cpus, "processor"),
        escape(&info.version),
        escape(&info.commit),
        escape(&named_source(&info.energy))
    );
    if finished == 0 {
        text += "No case has finished, so there is nothing to compare yet.\n\n";
    }
    if let Some((claims, findings)) = verdicts(results) {
        let _ = writeln!(
            text,
            "## Verdicts on claims\n\n{}\n{HOW_TO_READ_VERDICTS}\n\n### The comparisons behind them\n\n{}",
            table::markdown(&claims),
            table::markdown(&findings)
        );
    }
    if let Some(met) = anchors_met(results) {
        let _ = writeln!(text, "## Published numbers\n\n{}\n{HOW_TO_READ_ANCHORS}\n", table::markdown(&met));
    }
    for section in sections(results) {
        write_section(&mut text, &section);
    }
    if !results.rankings.is_empty() {
        let _ = writeln!(text, "{}\n\n{HOW_ROWS_ARE_USED}\n", marks(results));
    }
    for ExtraTable { title, rule, of_run, table, .. } in extra_tables(results) {
        let _ = writeln!(text, "## {title}\n\n{}\n{rule}{}\n", table::markdown(&table), escape(&of_run));
    }
    if let Some(table) = tuning(results) {
        let _ = writeln!(text, "## Tuning\n\n{TUNING}\n\n{}", table::markdown(&table));
    }
    if let Some(table) = not_ranked(results) {
        let _ = writeln!(text, "## Cases that are not ranked\n\n{}", table::markdown(&table));
    }
    if !sheets.is_empty() {
        let _ = writeln!(text, "## Generated images\n\n{HOW_TO_READ_SHEETS}\n");
        for sheet in sheets {
            let _ = writeln!(text, "- [{}](samples/{}.png)", escape(&sheet.caption()), sheet.case);
        }
        text.push('\n');
    }
    if !remarks.is_empty() {
        text += "## Remarks\n\n";
        for remark in remarks {
            let _ = writeln!(text, "- {}", escape_line(remark));
        }
        text.push('\n');
    }
    if !results.gaps.is_empty() {
        text += "## Numbers that are missing\n\n";
        for gap in &results.gaps {
            let _ = writeln!(text, "- {}", escape_line(gap));
        }
        text.push('\n');
    }
    let commands = reproduce(info);
    let fence = fence(&commands);
    let _ = writeln!(text, "## Reproduce\n\n{fence}sh\n{commands}\n{fence}");
    text
}

/// What begins and ends a block of code: more backticks than there are anywhere in it.
fn fence(code: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.saturating_add(1).max(3))
}

/// The commands that repeat the run.
pub(crate) fn reproduce(info: &RunInfo) -> String {
    let command = info.command.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ");
    match info.commit.strip_suffix("-dirty") {
        Some(commit) => format!("# built with changes on top of {commit} that are in no commit\n{command}"),
        None if info.commit == "unknown" => command,
        None => format!("git checkout {}\n{command}", info.commit),
    }
}

fn write_section(text: &mut String, section: &Section) {
    let _ = writeln!(text, "## {}\n\n{}\n", escape_line(&section.title), escape_line(&section.lead));
    for warning in &section.warnings {
        let _ = writeln!(text, "> **Note:** {}\n", escape(warning));
    }
    let _ = writeln!(text, "{}", table::markdown(&section.table));
    if let Some(beside) = &section.beside {
        let _ = writeln!(text, "{}\n", escape_line(beside));
    }
    if let Some(pairs) = &section.pairs {
        let _ = writeln!(text, "### All pairs of models\n\n{}", table::markdown(pairs));
    }
}
