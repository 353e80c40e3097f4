//! Annotations of GitHub Actions: lines on standard output that the runner shows beside the job.
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use super::{evidence, one_file};
use crate::format::count;
use crate::history::{Change, History, MadeFile, Night, NightVerdict, SeriesVerdict};

/// How many annotations of a level GitHub shows of a step. It drops the others without a word.
const MOST_OF_A_LEVEL: usize = 10;

pub(super) fn files(_: &History, night: &Night) -> Vec<MadeFile> {
    let confirmed = |change| move |one: &&SeriesVerdict| one.verdict == NightVerdict::Confirmed(change);
    let suspected = |one: &&SeriesVerdict| matches!(one.verdict, NightVerdict::Suspected(_));
    let verdicts = || night.verdicts.iter();
    let mut warnings: Vec<(String, String)> = verdicts().filter(suspected).map(said).collect();
    warnings.extend(night.remarks.iter().map(|remark| ("Remark".to_owned(), remark.clone())));
    let without = night.without_baseline().count();
    if without > 0 {
        let words = format!("{without} series without a baseline, which is no pass; `bakeoff history judge` says why");
        warnings.push(("Not judged".to_owned(), words));
    }
    let lines = [
        level("error", verdicts().filter(confirmed(Change::Regression)).map(said).collect()),
        level("warning", warnings),
        level("notice", verdicts().filter(confirmed(Change::Improvement)).map(said).collect()),
    ];
    one_file("github-annotations.txt", lines.concat())
}

/// The title and the words of a verdict.
fn said(one: &SeriesVerdict) -> (String, String) {
    (one.verdict.words(), format!("{} ({}): {}", one.key, one.id, evidence(one)))
}

/// The lines of a level. If there are more than GitHub shows, the last one says how many are left out.
fn level(name: &str, mut annotations: Vec<(String, String)>) -> String {
    let all = annotations.len();
    if all > MOST_OF_A_LEVEL {
        annotations.truncate(MOST_OF_A_LEVEL - 1);
        let left = count(all - annotations.len(), &format!("more {name}"));
        annotations.push(("More".to_owned(), format!("{left}, which `bakeoff history judge` shows")));
    }
    let line = |(title, words): &(String, String)| format!("::{name} title={}::{}\n", property(title), data(words));
    annotations.iter().map(line).collect()
}

/// Escapes what follows the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
