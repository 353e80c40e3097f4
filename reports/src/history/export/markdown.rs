//! A night in Markdown: for a comment on a pull request, and for the summary of a step of GitHub Actions. Both have a limit, above which
//! GitHub takes nothing at all. So of a long table, only as many rows are written as fit, and how many there are.

use super::one_file;
use crate::format::count;
use crate::history::text::{not_judged, reported, reported_table, tally};
use crate::history::{History, MadeFile, Night, NightVerdict};
use crate::table::{escape, markdown};

/// The longest comment on GitHub, in characters.
const LONGEST_COMMENT: usize = 65_536;
/// The longest summary of a step on GitHub, in bytes.
const LONGEST_SUMMARY: usize = 1 << 20;

pub(super) fn files(history: &History, night: &Night) -> Vec<MadeFile> {
    one_file("night.md", fitting(history, night, LONGEST_COMMENT))
}

pub(super) fn summary_files(history: &History, night: &Night) -> Vec<MadeFile> {
    one_file("github-summary.md", fitting(history, night, LONGEST_SUMMARY))
}

/// The text with as many rows as leave it shorter than this many bytes.
fn fitting(history: &History, night: &Night, limit: usize) -> String {
    let mut rows = night.verdicts.len();
    loop {
        let text = text(history, night, rows);
        if text.len() < limit || rows == 0 {
            return text;
        }
        rows /= 2;
    }
}

/// The text with this many rows in each of its lists.
fn text(history: &History, night: &Night, rows: usize) -> String {
    let run = &history.runs[night.run];
    let mut text = format!("### {}\n\n", escape(&title(night)));
    text += &format!(
        "Run `{}`, {}, commit `{}`. {}.\n",
        code(&run.run),
        run.at(),
        code(&run.commit),
        escape(&tally(night))
    );
    let reported = reported(night);
    let shown = &reported[..rows.min(reported.len())];
    if !shown.is_empty() {
        text += &format!("\n{}", markdown(&reported_table(shown)));
    }
    text += &more(reported.len(), shown.len(), "\n");
    let reasons = not_judged(night);
    if !reasons.is_empty() {
        let n: usize = reasons.values().map(Vec::len).sum();
        text += &format!("\n<details><summary>{n} series not judged</summary>\n\n");
        for (reason, of) in reasons.iter().take(rows) {
            let first = format!("{} ({})", of[0].key, of[0].id);
            let others = if of.len() == 1 { String::new() } else { format!(" and {} more", of.len() - 1) };
            text += &format!("- {}{others}: {}\n", escape(&first), escape(reason));
        }
        text += &more(reasons.len(), rows.min(reasons.len()), "- ");
        text += "\n</details>\n";
    }
    let remarks: Vec<&String> = night.remarks.iter().chain(&history.remarks).collect();
    if !remarks.is_empty() {
        text += "\n";
    }
    for remark in remarks.iter().take(rows) {
        text += &format!("- {}\n", escape(remark));
    }
    text + &more(remarks.len(), rows.min(remarks.len()), "- ")
}

fn more(all: usize, shown: usize, before: &str) -> String {
    if shown == all {
        String::new()
    } else {
        format!("{before}and {} more, which `bakeoff history judge` shows\n", all - shown)
    }
}

/// What a person must know first.
fn title(night: &Night) -> String {
    let is = |words: &str| night.verdicts.iter().filter(|one| one.verdict.words() == words).count();
    let found: Vec<String> =
        ["regression confirmed", "regression suspected", "improvement confirmed", "improvement suspected"]
            .into_iter()
            .filter_map(|words| {
                let (what, how) = words.split_once(' ')?;
                let n = is(words);
                (n > 0).then(|| format!("{} {how}", count(n, what)))
            })
            .collect();
    if !found.is_empty() {
        return found.join(", ");
    }
    let judged = night.verdicts.iter().filter(|one| !matches!(one.verdict, NightVerdict::NotJudged(_))).count();
    let without = night.without_baseline().count();
    match (judged, without) {
        // A missing baseline is no pass.
        (0, _) => "Nothing was judged".to_owned(),
        (_, 0) => "Nothing changed".to_owned(),
        (_, without) => format!("Nothing changed in what was judged; {without} series without a baseline"),
    }
}

/// What is written between two backticks.
fn code(text: &str) -> String {
    text.replace(['`', '\n', '\r'], " ")
}
