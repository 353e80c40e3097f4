//! The ranking of a run for a terminal: by task, and over tasks.

use std::fmt::Write as _;

use crate::comparison_table::comparison_table;
use crate::estimate::Basis;
use crate::format::{count, p_value, significant};
use crate::over_tasks::{FEW_TASKS, OverTasks};
use crate::ranking::{RankedModel, Ranking};
use crate::record::Status;
use crate::results::Results;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn, terminal};

/// One table of places and one of pairs for each setting, and the comparison over settings. Without colours, so that it can be piped.
pub fn rank_text(results: &Results) -> String {
    let mut text = String::new();
    for ranking in &results.rankings {
        let _ = writeln!(text, "{}\n{}", results.setting(ranking.setting).title, terminal(&places(results, ranking)));
        if let Some(pairs) = comparison_table(results, ranking) {
            let _ = writeln!(text, "{}", terminal(&pairs));
        }
    }
    if text.is_empty() {
        return "No case has finished yet.\n".to_owned();
    }
    text += &over_tasks(results);
    for remark in remarks(results) {
        let _ = writeln!(text, "note: {remark}");
    }
    text
}

fn places(results: &Results, ranking: &Ranking) -> Table {
    let setting = results.setting(ranking.setting);
    let columns = vec![
        TableColumn::new("#", CellKind::Rank),
        TableColumn::new("model", CellKind::Name),
        TableColumn::new(format!("{}{}", setting.primary().short_title(), setting.primary_unit()), CellKind::Estimate),
        TableColumn::new("seeds", CellKind::Text),
        TableColumn::new("status", CellKind::Status),
    ];
    let mut table = Table::new(format!("Places on {}", setting.title), columns);
    for model in &ranking.models {
        let emphasis = if model.ranks.is_some() { Emphasis::Plain } else { Emphasis::Faint };
        table.push(emphasis, row(results, ranking, model));
    }
    table
}

fn row(results: &Results, ranking: &Ranking, model: &RankedModel) -> Vec<TableCell> {
    let metric = results.setting(ranking.setting).primary();
    let interval = model.interval();
    let estimate = model.primary.map(|primary| TableCell::Estimate { metric, value: primary.mean, interval });
    let seeds = model.uncertainty.map_or(String::new(), |found| match model.imputed {
        0 => found.seeds.to_string(),
        imputed => format!("{}, {imputed} imputed", found.seeds),
    });
    vec![
        TableCell::Rank(model.ranks),
        TableCell::Text(results.name_in(ranking.setting, model.label)),
        estimate.unwrap_or(TableCell::Empty),
        TableCell::Text(seeds),
        TableCell::Status { status: model.status, seeds: String::new() },
    ]
}

fn over_tasks(results: &Results) -> String {
    let Some(over) = OverTasks::new(results) else {
        return String::new();
    };
    let name = |place: usize| results.grid.labels[over.labels[place]].clone();
    let columns = vec![TableColumn::new("model", CellKind::Name), TableColumn::new("mean rank", CellKind::Number)];
    let mut ranks = Table::new("Mean ranks over settings", columns);
    for (place, rank) in over.mean_ranks.iter().enumerate() {
        ranks.push(Emphasis::Plain, vec![TableCell::Text(name(place)), TableCell::Number(*rank)]);
    }
    let columns = vec![
        TableColumn::new("better", CellKind::Name),
        TableColumn::new("worse", CellKind::Text),
        TableColumn::new("p", CellKind::Number),
    ];
    let mut pairs = Table::new("Pairs by Wilcoxon's signed ranks", columns);
    for (better, worse, p) in &over.pairs {
        pairs.push(
            Emphasis::Plain,
            vec![TableCell::Text(name(*better)), TableCell::Text(name(*worse)), TableCell::P(*p)],
        );
    }
    let groups: Vec<String> = over
        .cliques
        .iter()
        .map(|clique| clique.iter().map(|place| name(*place)).collect::<Vec<_>>().join(" = "))
        .collect();
    let mut text = format!(
        "Over {}: Friedman {}, critical difference of mean ranks {} (Nemenyi)\n{}\n",
        count(over.settings.len(), "task"),
        p_value(over.friedman.f.as_ref().unwrap_or(&over.friedman.chi_square).p),
        significant(over.critical_difference, 3),
        terminal(&ranks)
    );
    if !groups.is_empty() {
        let _ = writeln!(text, "not told apart: {}\n", groups.join("; "));
    }
    let _ = writeln!(text, "{}", terminal(&pairs));
    if over.settings.len() < FEW_TASKS {
        let _ = writeln!(
            text,
            "note: there are {}; tests over fewer than {FEW_TASKS} tasks rarely tell anything apart",
            count(over.settings.len(), "task")
        );
    }
    text
}

/// What a reader must know of the tables.
fn remarks(results: &Results) -> Vec<String> {
    let mut remarks = results.remarks.clone();
    let models = || results.rankings.iter().flat_map(|ranking| &ranking.models);
    if models().any(|model| model.uncertainty.is_some_and(|found| found.basis == Basis::Rows)) {
        remarks.push(
            "There is one seed: intervals and tests speak of other test examples only, and the spread over seeds is unknown"
                .to_owned(),
        );
    }
    let imputed: usize = models().map(|model| model.imputed).sum();
    if imputed > 0 {
        remarks.push(format!("{} missing: the floor stands in for each", count(imputed, "score")));
    } else if models()
        .any(|model| model.ranks.is_none() && model.primary.is_some() && model.status != Status::BelowFloor)
    {
        remarks.push(
            "A model with a failed or missing seed is not ranked; `--impute floor` ranks it with the floor in its place"
                .to_owned(),
        );
    }
    remarks
}
