//! Captions: what a table or a figure shows, and the rows, seeds, intervals and tests behind it.

use std::collections::{BTreeMap, BTreeSet};

use crate::citations::{cite_method, cite_task};
use crate::figures::Picture;
use crate::format::count;
use crate::methods::Method;
use crate::ranking::Ranking;
use crate::results::Results;
use crate::sections::sentence;
use crate::table::latex_escape as escape;

/// The caption of the table of a setting.
pub(super) fn of_setting(results: &Results, ranking: &Ranking) -> String {
    let setting = results.setting(ranking.setting);
    let mut text = format!(
        "{}{}: {} {}.",
        escape(&setting.title),
        cite_task(&results.info, &setting.task.name),
        escape(&sentence(&setting.task.about)),
        rows_and_seeds(results, ranking)
    );
    let methods = Method::of(results, ranking);
    let intervals: Vec<String> = methods.iter().filter_map(|method| method.interval_words()).collect();
    if !intervals.is_empty() {
        text += &format!(" Brackets: 95\\,\\% intervals ({}).", intervals.join("; "));
    }
    text += " Bold: the best mean score.";
    let tests: Vec<String> = methods.iter().filter_map(|method| method.test_words()).collect();
    if !tests.is_empty() {
        text += &format!(
            " Underlined: not significantly worse than any model by {} of all pairs, adjusted by Holm's method{} ($p \\geq 0.05$). \
             \\#: the places that the tests leave{}; -- is not ranked.",
            tests.join("; "),
            cite_method(Method::Holm),
            cite_method(Method::Places),
        );
    }
    if seeds(results, ranking).len() == 1 {
        text += " There is one seed, so the spread over seeds is unknown.";
    }
    text
}

/// The caption of the table of all pairs of a setting, whose own table has this label.
pub(super) fn of_pairs(results: &Results, ranking: &Ranking, label: &str) -> String {
    let methods = Method::of(results, ranking);
    let tests: Vec<String> = methods.iter().filter_map(|method| method.test_words()).collect();
    let mut text = format!(
        "All pairs of Table~\\ref{{{label}}} ({}). The difference is how much better the first model scores; brackets have 95\\,\\% \
         intervals.",
        rows_and_seeds(results, ranking)
    );
    if !tests.is_empty() {
        text += &format!(" $p$: {}, adjusted by Holm's method{}.", tests.join("; "), cite_method(Method::Holm));
    }
    if methods.contains(&Method::Equivalence) {
        text += &format!(
            " Matters: the probability that the true difference is above the region of practical equivalence{}, \
             or after `no' that it is within.",
            cite_method(Method::Equivalence)
        );
    }
    if methods.contains(&Method::Improvement) {
        text += &format!(
            " Improvement: the probability that a run of the first scores better{}.",
            cite_method(Method::Improvement)
        );
    }
    if methods.contains(&Method::StochasticOrder) {
        text += &format!(
            " $\\varepsilon$: the bound of almost stochastic order, below 0.5 if the first is better{}.",
            cite_method(Method::StochasticOrder)
        );
    }
    text
}

/// The caption of a picture.
pub(super) fn of_figures(picture: &Picture, conditions: &Conditions) -> String {
    // Further pictures of a figure have the same conditions.
    let figure = match picture.name.rsplit_once('-') {
        Some((figure, part)) if part.parse::<usize>().is_ok() => figure,
        _ => picture.name.as_str(),
    };
    let conditions = match figure {
        "quality" => format!("{} {}", conditions.rows, conditions.intervals),
        "wins" | "verdicts" => format!("{} {}", conditions.rows, conditions.tests),
        // The title names the case.
        name if name.starts_with("confusion-") => String::new(),
        _ => conditions.rows.clone(),
    };
    let of_method = |what: &str, method| format!(" {what} that of~{}.", cite_method(method).trim_start_matches('~'));
    let cited = match picture.name.as_str() {
        "reliability" => of_method("The expected calibration error is", Method::Calibration),
        "critical-difference" => of_method("The diagram is", Method::Ranks),
        "learning-curve" if picture.caption.contains("A ring") => {
            of_method("The interval of a ring is", Method::Crossover)
        }
        _ => String::new(),
    };
    format!("{}: {}{cited} {conditions}", escape(&picture.title), escape(&sentence(&picture.caption)))
}

/// What is behind the figures of a run, each a sentence or empty.
pub(super) struct Conditions {
    /// The test rows of each task, and the seeds.
    rows: String,
    /// How intervals are made.
    intervals: String,
    /// How pairs are tested.
    tests: String,
}

/// What is behind the figures of a run.
pub(super) fn conditions(results: &Results) -> Conditions {
    let mut seeds_of_run = BTreeSet::new();
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut intervals, mut tests) = (Vec::new(), Vec::new());
    for ranking in &results.rankings {
        seeds_of_run.extend(seeds(results, ranking));
        let task = escape(&results.setting(ranking.setting).task.name);
        let tasks = rows.entry(scored_rows(results, ranking)).or_default();
        if !tasks.contains(&task) {
            tasks.push(task);
        }
        for method in Method::of(results, ranking) {
            let add = |words: Option<String>, all: &mut Vec<String>| {
                all.extend(words.filter(|words| !all.contains(words)));
            };
            add(method.interval_words(), &mut intervals);
            add(method.test_words(), &mut tests);
        }
    }
    let rows: Vec<String> = rows.into_iter().map(|(rows, tasks)| format!("{} ({rows})", tasks.join(", "))).collect();
    let sentence = |is_known: bool, words: String| if is_known { words } else { String::new() };
    Conditions {
        rows: sentence(!rows.is_empty(), format!("Rows: {}; {}.", rows.join(", "), count(seeds_of_run.len(), "seed"))),
        intervals: sentence(!intervals.is_empty(), format!("Intervals are at 95\\,\\%: {}.", intervals.join("; "))),
        tests: sentence(
            !tests.is_empty(),
            format!("Tests: {}, with Holm's method{}.", tests.join("; "), cite_method(Method::Holm)),
        ),
    }
}

/// `2000 training rows, 872 test rows, 3 seeds`.
fn rows_and_seeds(results: &Results, ranking: &Ranking) -> String {
    let setting = results.setting(ranking.setting);
    let seeds = count(seeds(results, ranking).len(), "seed");
    match setting.folds {
        Some(_) => format!("{}, {seeds}", scored_rows(results, ranking)),
        None => format!("{}, {}, {seeds}", count(setting.train_size, "training row"), scored_rows(results, ranking)),
    }
}

/// `872 test rows`, or with a cross-validation `2000 rows in 5 folds`.
fn scored_rows(results: &Results, ranking: &Ranking) -> String {
    let setting = results.setting(ranking.setting);
    if let Some(folds) = setting.folds {
        return format!("{} in {folds} folds", count(setting.train_size, "row"));
    }
    let rows: BTreeSet<usize> = results
        .grid
        .row(ranking.setting)
        .filter_map(|(_, cell)| cell.mean("score", "examples"))
        .map(|examples| examples.mean.round() as usize)
        .collect();
    match (rows.first(), rows.last()) {
        (Some(least), Some(most)) if least != most => format!("{least} to {most} test rows"),
        (Some(rows), _) => count(*rows, "test row"),
        _ => "no scored rows".to_owned(),
    }
}

fn seeds(results: &Results, ranking: &Ranking) -> BTreeSet<u64> {
    results.grid.row(ranking.setting).flat_map(|(_, cell)| &cell.trials).map(|trial| trial.seed).collect()
}
