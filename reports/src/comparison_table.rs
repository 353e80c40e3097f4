//! All pairs of models of a setting, as a table.

use crate::comparison::Comparison;
use crate::ranking::Ranking;
use crate::results::Results;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};

/// How the table is read.
pub(crate) const HOW_TO_READ_PAIRS: &str = "In the tables of pairs, the difference is how much better the first model scores than the \
    second, whichever direction is better. A pair without a p could not be tested. ";

/// All pairs of the models that are ranked; `None` if there is no pair.
pub(crate) fn comparison_table(results: &Results, ranking: &Ranking) -> Option<Table> {
    let setting = results.setting(ranking.setting);
    let title = format!("difference of {}{}", setting.primary().short_title(), setting.primary_unit());
    let columns = vec![
        TableColumn::new("better", CellKind::Name),
        TableColumn::new("worse", CellKind::Text),
        TableColumn::new(title, CellKind::Estimate),
        TableColumn::new("p", CellKind::Number),
        TableColumn::new("seeds won", CellKind::Text),
    ];
    let mut table = Table::new(format!("Pairs of models on {}", setting.title), columns);
    for pair in &ranking.comparisons {
        let emphasis = if pair.differs() { Emphasis::Plain } else { Emphasis::Faint };
        table.push(emphasis, row(results, ranking, pair));
    }
    (!table.rows.is_empty()).then_some(table)
}

fn row(results: &Results, ranking: &Ranking, pair: &Comparison) -> Vec<TableCell> {
    let metric = results.setting(ranking.setting).primary();
    let name = |label: usize| TableCell::Text(results.grid.labels[label].clone());
    vec![
        name(pair.better),
        name(pair.worse),
        TableCell::Estimate { metric, value: pair.effect, interval: pair.uncertainty.interval },
        pair.p.map_or(TableCell::Empty, TableCell::P),
        TableCell::Text(format!("{} of {}", pair.seeds_won, pair.uncertainty.seeds)),
    ]
}
