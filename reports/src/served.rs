//! The table of models as they are served: what a process that only loads the saved model needs until it answers, and its memory.

use crate::cell::Cell;
use crate::extra_tables::ExtraTable;
use crate::metric::metric;
use crate::results::Results;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};

const RULE: &str = "After its fit, each model is saved, and a fresh process loads it and predicts. It reads no data but the inputs of \
    the test rows. Its predictions are those of the fitted model to the last bit, or the case has failed. Every load is the first one of \
    its process. Serving memory is the largest resident set of that process, with all test rows at once. Training memory is that of the \
    process that fitted and scored the model, data included. Numbers are means over seeds and folds. They rank nothing.";

/// What the columns show: phase, metric and title.
const COLUMNS: [(&str, &str, &str); 6] = [
    ("serve", "load_s", "load"),
    ("serve", "load_cold_s", "load from the disk"),
    ("serve", "first_prediction_s", "first prediction"),
    ("serve", "peak_memory_bytes", "serving memory"),
    ("case", "peak_memory_bytes", "training memory"),
    ("case", "model_bytes", "artefact"),
];

/// The models that were served; `None` if none was, as in a run of an older program.
pub(crate) fn served(results: &Results) -> Option<ExtraTable> {
    let mut columns = vec![TableColumn::new("setting", CellKind::Text), TableColumn::new("model", CellKind::Name)];
    columns.extend(COLUMNS.map(|(.., title)| TableColumn::new(title, CellKind::Number)));
    let mut table = Table::new("Models as they are served", columns);
    for setting in 0..results.grid.settings.len() {
        for (label, cell) in results.grid.row(setting).filter(|(_, cell)| was_served(cell)) {
            let mut cells = vec![
                TableCell::Text(results.setting(setting).title.clone()),
                TableCell::Text(results.name_in(setting, label)),
            ];
            cells.extend(COLUMNS.map(|(phase, name, _)| quantity(cell, phase, name)));
            table.push_about(results.subject(setting, label, cell.status), Emphasis::Plain, cells);
        }
    }
    let title = "As served";
    (!table.rows.is_empty()).then(|| ExtraTable {
        id: "as-served",
        title,
        rule: RULE.to_owned(),
        of_run: String::new(),
        table,
    })
}

fn was_served(cell: &Cell) -> bool {
    cell.mean("serve", "load_s").is_some()
}

fn quantity(cell: &Cell, phase: &str, name: &str) -> TableCell {
    let unit = metric(name).map_or("", |metric| metric.unit);
    cell.mean(phase, name).map_or(TableCell::Empty, |mean| TableCell::Quantity { value: mean.mean, unit })
}
