//! The history as pages: one for each task, with every series, its segments, its epochs and the commit of each point, and one that leads
//! to them. They load nothing from elsewhere.

mod cell;

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::made_file::plain_name;
use super::night::Night;
use super::rules::Rules;
use super::series::Series;
use super::text::{date, not_judged, reported, reported_table, tally};
use super::{CellKey, History, MadeFile};
use crate::error::ReportError;
use crate::figures::Style;
use crate::format::count;
use crate::html::{colours, document};
use crate::table;

/// How to read the pictures.
const HOW_TO_READ: &str = "A dot is one run, and its words name the commit. Thick lines are the levels of segments. A ring marks the first \
    point of a new level, and a dashed line the beginning of an epoch. Diamonds are what was measured again of a suspect; they are in no \
    level. Runs have equal distances, whatever the time between them is.";

/// The file that leads to the others.
const INDEX: &str = "index.html";

/// A task of the history, and where its page is.
struct TaskPage<'a> {
    task: &'a str,
    file: String,
    series: Vec<&'a Series>,
}

/// The pages of a history: those series that `shown` says. The first file is `index.html`.
///
/// # Errors
/// If the drawing library fails.
pub fn history_pages(
    history: &History,
    rules: &Rules,
    shown: impl Fn(&Series) -> bool,
) -> Result<Vec<MadeFile>, ReportError> {
    let tasks = tasks(history, &shown);
    let night = history.last_night().map(|run| history.judge(run, rules));
    let file = |name: &str, text: String| MadeFile { name: name.to_owned(), bytes: text.into_bytes() };
    let mut files = vec![file(INDEX, index(history, rules, night.as_ref(), &tasks))];
    for page in &tasks {
        files.push(file(&page.file, task_page(history, rules, page)?));
    }
    Ok(files)
}

/// The tasks in the order of their names.
fn tasks<'a>(history: &'a History, shown: &impl Fn(&Series) -> bool) -> Vec<TaskPage<'a>> {
    let mut by_task: BTreeMap<&str, Vec<&Series>> = BTreeMap::new();
    for series in history.series.iter().filter(|series| shown(series) && !series.points.is_empty()) {
        by_task.entry(&series.key.cell.task).or_default().push(series);
    }
    let mut pages: Vec<TaskPage<'_>> = Vec::with_capacity(by_task.len());
    for (task, series) in by_task {
        let file = file_name(task, &pages);
        pages.push(TaskPage { task, file, series });
    }
    pages
}

/// A name that every system takes and that no other page has.
fn file_name(task: &str, taken: &[TaskPage<'_>]) -> String {
    let plain = plain_name(task);
    let is_taken = |name: &String| {
        name.eq_ignore_ascii_case(INDEX) || taken.iter().any(|page| page.file.eq_ignore_ascii_case(name))
    };
    let numbered = (2..).map(|n| format!("{plain}-{n}.html"));
    let mut names = std::iter::once(format!("{plain}.html")).chain(numbered);
    names.find(|name| !is_taken(name)).expect("there are more numbers than pages")
}

fn index(history: &History, rules: &Rules, night: Option<&Night>, tasks: &[TaskPage<'_>]) -> String {
    let body = html! {
        header {
            (colours())
            h1 { (history.project) ": history" }
            p.muted { (count(history.runs.len(), "run")) ", " (history.series.len()) " series" }
        }
        (remarks(&history.remarks))
        @if let Some(night) = night { (last_night(history, night)) }
        section {
            h2 { "Tasks" }
            @if tasks.is_empty() { p { "There is no series yet." } }
            @else { (task_table(history, rules, tasks)) }
        }
    };
    document(&format!("{}: history", history.project), true, &body)
}

fn remarks(remarks: &[String]) -> Markup {
    html! {
        @if !remarks.is_empty() {
            aside.remarks aria-label="Remarks" {
                strong { "Before you read on" }
                ul { @for remark in remarks { li { (remark) } } }
            }
        }
    }
}

fn last_night(history: &History, night: &Night) -> Markup {
    let run = &history.runs[night.run];
    let reported = reported(night);
    html! {
        section {
            h2 { "The last night" }
            p.muted { (run.run) ", " (run.at()) ", commit " (run.commit) }
            p { (tally(night)) "." }
            @if !reported.is_empty() { (table::html(&reported_table(&reported))) }
            @let reasons = not_judged(night);
            @if !reasons.is_empty() {
                details {
                    summary { "Why series are not judged" }
                    ul { @for (reason, of) in &reasons { li { (of.len()) " series, such as " (of[0].key) ": " (reason) } } }
                }
            }
            (remarks(&night.remarks))
        }
    }
}

fn task_table(history: &History, rules: &Rules, tasks: &[TaskPage<'_>]) -> Markup {
    // When the level of one of its series changed last.
    let changed = |page: &TaskPage<'_>| {
        let places = page
            .series
            .iter()
            .filter_map(|series| series.segments(rules).last().map(|last| (*series, last.points.start)));
        let runs = places.filter(|(_, first)| *first > 0).map(|(series, first)| series.points[first].run);
        runs.max().map_or("never", |run| date(history.runs[run].at()))
    };
    html! {
        div.wide tabindex="0" role="region" aria-label="Tasks" {
            table {
                thead { tr { th scope="col" { "task" } th.number scope="col" { "series" } th scope="col" { "last change of a level" } } }
                tbody {
                    @for page in tasks {
                        tr {
                            th scope="row" { a href=(page.file) { (page.task) } }
                            td.number data-sort=(page.series.len()) { (page.series.len()) }
                            td { (changed(page)) }
                        }
                    }
                }
            }
        }
    }
}

fn task_page(history: &History, rules: &Rules, page: &TaskPage<'_>) -> Result<String, ReportError> {
    let style = Style::default();
    let cells = cells_of(history, page);
    let has_one_machine = cells.iter().all(|(key, _)| key.machine == cells[0].0.machine);
    // Only a reader who has several needs to be told which.
    let name = |key: &CellKey| if has_one_machine { key.to_string() } else { format!("{key} ({})", key.machine) };
    let id = |index: usize| format!("cell-{}", index + 1);
    let sections = cells
        .iter()
        .enumerate()
        .map(|(index, (key, series))| cell::section(history, rules, &style, (&id(index), &name(key)), key, series));
    let sections = sections.collect::<Result<Vec<Markup>, _>>()?;
    let body = html! {
        header {
            (colours())
            p { a href=(INDEX) { (history.project) ": history" } }
            h1 { (page.task) }
            p { (HOW_TO_READ) }
            nav aria-label="Contents" {
                ul { @for (index, (key, _)) in cells.iter().enumerate() { li { a href={ "#" (id(index)) } { (name(key)) } } } }
            }
        }
        @for section in &sections { (section) }
    };
    Ok(document(&format!("{}: {}", history.project, page.task), true, &body))
}

/// The cells of a task with their series, in the order of the history.
fn cells_of<'a>(history: &'a History, page: &TaskPage<'a>) -> Vec<(&'a CellKey, Vec<&'a Series>)> {
    let mut cells: BTreeMap<usize, Vec<&Series>> = BTreeMap::new();
    for series in &page.series {
        cells.entry(series.cell).or_default().push(series);
    }
    cells.into_iter().map(|(cell, series)| (&history.cells[cell], series)).collect()
}
