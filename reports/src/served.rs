//! The table of models as they are served: what a process that only loads the saved model needs until it answers, and its memory.

use crate::cell::{Cell, Gap, Trial};
use crate::extra_tables::ExtraTable;
use crate::metric::metric;
use crate::results::Results;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};

const SAVED: &str = "After its fit, each model is saved, and ";

const FRESH: &str = "a fresh process loads it and predicts. It reads no data but the inputs of the test rows";

const FOR_AUDIT: &str = " and, for the audit, those of training rows";

const OF_FRESH: &str = ". Every load is the first one of its process. Serving memory is the largest resident set of that process, with all \
    test rows at once.";

const INLINE: &str = "the program's own process, which has fitted it, loads it again and predicts, because the cases ran with `--inline`. So \
    a load is not the first one of its process, and the memory of serving is not known.";

const SOME_INLINE: &str = " Where serving memory is missing, the case ran with `--inline`: the program's own process, which has fitted the \
    model, loaded it again and predicted.";

const RULE: &str = " The predictions are those of the fitted model to the last bit, or the case has failed. Training memory is that of the \
    process that fitted and scored the model, data included. Numbers are means over seeds and folds. They rank nothing.";

/// How the note of serving memory begins that is not known because the case ran inside the program's own process.
const RAN_INLINE: &str = "the case ran inside the program's own process";

/// What the columns show: phase, metric and title. Only a run with models on a graphics card has those of its memory.
const COLUMNS: [(&str, &str, &str); 8] = [
    ("serve", "load_s", "load"),
    ("serve", "load_cold_s", "load from the disk"),
    ("serve", "first_prediction_s", "first prediction"),
    ("serve", "peak_memory_bytes", "serving memory"),
    ("case", "peak_memory_bytes", "training memory"),
    ("serve", "device_memory_bytes", "serving memory of the card"),
    ("case", "device_memory_bytes", "training memory of the card"),
    ("case", "model_bytes", "artefact"),
];

/// The models that were served; `None` if none was, as in a run of an older program.
pub(crate) fn served(results: &Results) -> Option<ExtraTable> {
    let mut columns = vec![TableColumn::new("setting", CellKind::Text), TableColumn::new("model", CellKind::Name)];
    let has = |phase: &str, name: &str| results.grid.trials().any(|(.., trial)| trial.get(phase, name).is_some());
    let shown: Vec<_> =
        COLUMNS.into_iter().filter(|(phase, name, _)| *name != "device_memory_bytes" || has(phase, name)).collect();
    columns.extend(shown.iter().map(|(.., title)| TableColumn::new(*title, CellKind::Number)));
    let mut table = Table::new("Models as they are served", columns);
    for setting in 0..results.grid.settings.len() {
        for (label, cell) in results.grid.row(setting).filter(|(_, cell)| was_served(cell)) {
            let mut cells = vec![
                TableCell::Text(results.setting(setting).title.clone()),
                TableCell::Text(results.name_in(setting, label)),
            ];
            cells.extend(shown.iter().map(|(phase, name, _)| quantity(cell, phase, name)));
            table.push_about(results.subject(setting, label, cell.status), Emphasis::Plain, cells);
        }
    }
    let title = "As served";
    (!table.rows.is_empty()).then(|| ExtraTable {
        id: "as-served",
        title,
        rule: rule(results),
        of_run: String::new(),
        table,
    })
}

/// The rule for cases that ran as these did.
fn rule(results: &Results) -> String {
    let trials = || results.grid.trials().map(|(_, _, trial)| trial);
    let served: Vec<&Trial> = trials().filter(|trial| trial.get("serve", "load_s").is_some()).collect();
    let inline = served.iter().filter(|trial| ran_inline(trial)).count();
    let audit = if trials().any(was_audited) { FOR_AUDIT } else { "" };
    let fresh = format!("{FRESH}{audit}{OF_FRESH}");
    let how = match inline {
        0 => fresh,
        all if all == served.len() => INLINE.to_owned(),
        _ => format!("{fresh}{SOME_INLINE}"),
    };
    format!("{SAVED}{how}{RULE}")
}

fn ran_inline(trial: &Trial) -> bool {
    let is_memory = |gap: &&Gap| gap.phase == "serve" && gap.metric == "peak_memory_bytes";
    trial.gaps.iter().filter(is_memory).any(|gap| gap.reason.starts_with(RAN_INLINE))
}

fn was_audited(trial: &Trial) -> bool {
    const AUDIT: &str = "audit";
    trial.values.iter().any(|value| value.phase == AUDIT) || trial.gaps.iter().any(|gap| gap.phase == AUDIT)
}

fn was_served(cell: &Cell) -> bool {
    cell.mean("serve", "load_s").is_some()
}

fn quantity(cell: &Cell, phase: &str, name: &str) -> TableCell {
    let unit = metric(name).map_or("", |metric| metric.unit);
    cell.mean(phase, name).map_or(TableCell::Empty, |mean| TableCell::Quantity { value: mean.mean, unit })
}
