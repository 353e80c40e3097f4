//! The table of noise: what the system showed of other programs, heat and the clock rate while models were fitted and served.

use crate::cell::Cell;
use crate::extra_tables::ExtraTable;
use crate::format::significant;
use crate::results::Results;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};

const RULE: &str = "What the system showed while each model was fitted and served. Stolen time is the share of all processor time that a \
    hypervisor gave to other machines. Other programs is how many processors they kept busy. Waits is how often a second a thread of the \
    model had work and had to wait for a processor. The clock rate is the mean over processors. The temperature is the highest of the \
    processor. Numbers are means over seeds and folds; of temperatures the highest counts. What this system does not show has no column.";

const NOT_JUDGED: &str = " The suite has no limits in [noise], so nothing is judged by these numbers. A time that was measured beside much \
    noise may be too long.";

const JUDGED: &str =
    " The suite has limits in [noise]; a case that exceeds one has a warning above its table of results.";

/// The phases of a row, with the word for each.
const PHASES: [(&str, &str); 2] = [("fit", "fit"), ("serve", "serving")];

/// A number of noise: its metric, the title of its column, and how it is shown.
struct Quantity {
    metric: &'static str,
    title: &'static str,
    cell: fn(f64) -> TableCell,
}

const HIGHEST_COUNTS: &str = "temperature_c";

const QUANTITIES: [Quantity; 5] = [
    Quantity {
        metric: "steal_share",
        title: "stolen time",
        cell: |share| TableCell::Written { value: share, text: format!("{} %", significant(100.0 * share, 2)) },
    },
    Quantity { metric: "load", title: "other programs, processors", cell: two_digits },
    Quantity { metric: "involuntary_per_s", title: "waits/s", cell: two_digits },
    Quantity { metric: "frequency_hz", title: "clock rate", cell: |value| TableCell::Quantity { value, unit: "Hz" } },
    Quantity {
        metric: HIGHEST_COUNTS,
        title: "temperature",
        cell: |value| TableCell::Written { value, text: format!("{value:.0} °C") },
    },
];

fn two_digits(value: f64) -> TableCell {
    TableCell::Written { value, text: significant(value, 2) }
}

/// The noise of each model and phase; `None` if the run has no such number, as that of an older program.
pub(crate) fn noise(results: &Results) -> Option<ExtraTable> {
    let cells = || (0..results.grid.settings.len()).flat_map(|setting| results.grid.row(setting));
    let is_shown = |quantity: &&Quantity| {
        cells().any(|(_, cell)| PHASES.iter().any(|(phase, _)| number(cell, phase, quantity.metric).is_some()))
    };
    let shown: Vec<&Quantity> = QUANTITIES.iter().filter(is_shown).collect();
    let mut columns = vec![
        TableColumn::new("setting", CellKind::Text),
        TableColumn::new("model", CellKind::Name),
        TableColumn::new("phase", CellKind::Text),
    ];
    columns.extend(shown.iter().map(|quantity| TableColumn::new(quantity.title, CellKind::Number)));
    let mut table = Table::new("Noise while models were fitted and served", columns);
    for setting in 0..results.grid.settings.len() {
        for (label, cell) in results.grid.row(setting) {
            for (phase, word) in PHASES {
                let numbers: Vec<Option<f64>> =
                    shown.iter().map(|quantity| number(cell, phase, quantity.metric)).collect();
                if numbers.iter().all(Option::is_none) {
                    continue;
                }
                let mut row = vec![
                    TableCell::Text(results.setting(setting).title.clone()),
                    TableCell::Text(results.name_in(setting, label)),
                    TableCell::Text(word.to_owned()),
                ];
                let numbers = shown.iter().zip(numbers);
                row.extend(numbers.map(|(quantity, number)| number.map_or(TableCell::Empty, quantity.cell)));
                table.push_about(results.subject(setting, label, cell.status), Emphasis::Plain, row);
            }
        }
    }
    let is_judged =
        cells().any(|(_, cell)| PHASES.iter().any(|(phase, _)| cell.mean(phase, "noise_over_limits").is_some()));
    let rule = format!("{RULE}{}", if is_judged { JUDGED } else { NOT_JUDGED });
    (!table.rows.is_empty()).then(|| ExtraTable { id: "noise", title: "Noise", rule, of_run: String::new(), table })
}

/// The mean over the trials, or the highest temperature of them.
fn number(cell: &Cell, phase: &str, metric: &str) -> Option<f64> {
    if metric != HIGHEST_COUNTS {
        return Some(cell.mean(phase, metric)?.mean);
    }
    cell.trials.iter().filter_map(|trial| trial.get(phase, metric)).map(|value| value.value).reduce(f64::max)
}
