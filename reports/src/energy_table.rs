//! The tables of energy: what fits and predictions cost, with and without the idle machine, and in carbon. Measured joules and
//! estimated ones are in two tables.

use crate::carbon::Carbon;
use crate::cell::{Cell, ESTIMATE};
use crate::extra_tables::ExtraTable;
use crate::format::si;
use crate::grid::Grid;
use crate::metric::Region;
use crate::record::IdleRow;
use crate::results::Results;
use crate::run_info::RunInfo;
use crate::setting::Setting;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};

const MEASURED: &str = "Joules are those of the meter that the row names, means over seeds and folds. The meter counts the processors of the \
    whole machine, or the card that a case computes on (all cards for a case on the processor), so the joules above idle are also shown: without the power that the idle machine took before the first case. \
    Steady power leaves out the ramp-up of the fit. Predictions are those of all test rows in one call.";

const ESTIMATED: &str = "These joules are no measurement: they are processor time times a constant power, and may be wrong by 40 % in either \
    direction (Fischer 2025). They rank nothing and decide nothing. Predictions are those of all test rows in one call.";

const PER_POINT: &str = " Joules per point are those of a fit over the points, hundredths of the primary metric, by which the model is \
    better than a constant answer; they are shown for ranked models and for scores that are shares.";

/// The table of measured joules and that of estimates. None if there are none.
pub(crate) fn energy_tables(results: &Results) -> [Option<ExtraTable>; 2] {
    let carbon = Carbon::of(&results.info);
    let of_grid = carbon.as_ref().map_or(String::new(), |carbon| {
        format!(
            " Grams of CO2e are the joules of the row at {} g/kWh ({}). They contain nothing else: no cooling, no losses, nothing of \
             how the machine was made.",
            carbon.grams_per_kwh, carbon.grid
        )
    });
    let measured = table(results, carbon.as_ref(), true).map(|table| ExtraTable {
        id: "energy",
        title: "Energy",
        rule: format!("{MEASURED}{PER_POINT}"),
        of_run: format!("{of_grid}{}", idle_machine(&results.idle)),
        table,
    });
    let estimated = table(results, carbon.as_ref(), false).map(|table| ExtraTable {
        id: "energy-estimated",
        title: "Estimated energy, ± 40 %",
        rule: format!("{ESTIMATED}{PER_POINT}"),
        of_run: of_grid.clone(),
        table,
    });
    [measured, estimated]
}

/// A row for each model and each source that measured, or that estimated.
fn table(results: &Results, carbon: Option<&Carbon>, is_measured: bool) -> Option<Table> {
    let mark = (!is_measured).then_some(ESTIMATE);
    let number = |title: &str| TableColumn::new(title, CellKind::Number).measured_by(mark);
    let mut columns = vec![
        TableColumn::new("setting", CellKind::Text),
        TableColumn::new("model", CellKind::Name),
        number("J to fit"),
    ];
    if is_measured {
        columns.insert(2, TableColumn::new("meter", CellKind::Text));
        columns.extend([number("J to fit, above idle"), number("steady power")]);
    }
    columns.push(number("J/1,000 predictions"));
    columns.extend(is_measured.then(|| number("J/1,000 predictions, above idle")));
    columns.push(number("J/point"));
    if carbon.is_some() {
        columns.extend([number("CO2e of the fit"), number("CO2e/1,000 predictions")]);
    }
    let about = if is_measured { "Energy of fits and predictions" } else { "Estimated energy of fits and predictions" };
    let mut table = Table::new(about, columns);
    for setting in 0..results.grid.settings.len() {
        for (label, cell) in results.grid.row(setting) {
            for source in sources(cell).into_iter().filter(|source| (*source != ESTIMATE) == is_measured) {
                let cells = row(results, carbon, (setting, label, cell), source, is_measured);
                table.push_about(results.subject(setting, label, cell.status), Emphasis::Plain, cells);
            }
        }
    }
    (!table.rows.is_empty()).then_some(table)
}

/// The sources of the joules of a fit or of predictions, each once.
fn sources(cell: &Cell) -> Vec<&str> {
    let mut sources = cell.sources("fit", "energy_j");
    for source in cell.sources("predict-batch", "energy_j") {
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources
}

fn row(
    results: &Results,
    carbon: Option<&Carbon>,
    (setting, label, cell): (usize, usize, &Cell),
    source: &str,
    is_measured: bool,
) -> Vec<TableCell> {
    let mean = |phase: &str, metric: &str| cell.mean_from(phase, metric, source).map(|mean| mean.mean);
    let quantity =
        |value: Option<f64>, unit| value.map_or(TableCell::Empty, |value| TableCell::Quantity { value, unit });
    let of_thousand = |metric: &str| mean("predict-batch", metric).map(|joules| 1e3 * joules);
    let (fit, thousand) = (mean("fit", "energy_j"), of_thousand("energy_j"));
    let compared = results.setting(setting);
    let mut cells = vec![TableCell::Text(compared.title.clone()), TableCell::Text(results.name_in(setting, label))];
    cells.extend(is_measured.then(|| TableCell::Text(source.to_owned())));
    cells.push(quantity(fit, "J"));
    if is_measured {
        cells.extend([quantity(mean("fit", "energy_above_idle_j"), "J"), quantity(mean("fit", "steady_w"), "W")]);
    }
    cells.push(quantity(thousand, "J"));
    cells.extend(is_measured.then(|| quantity(of_thousand("energy_above_idle_j"), "J")));
    let points = points_above_floor(compared, cell).filter(|_| results.is_ranked(setting, label));
    cells.push(quantity(fit.zip(points).map(|(joules, points)| joules / points), "J"));
    if let Some(carbon) = carbon {
        cells.extend([fit, thousand].map(|joules| quantity(joules.map(|joules| carbon.grams(joules)), "g")));
    }
    cells
}

/// By how many hundredths of the primary metric the model is better than a constant answer. `None` if it is not, or if the metric is no
/// share.
fn points_above_floor(setting: &Setting, cell: &Cell) -> Option<f64> {
    let primary = setting.primary();
    if !matches!(primary.score?.region, Region::Absolute(_)) {
        return None;
    }
    let score = cell.mean("score", primary.name)?.mean;
    let floor = cell.mean("score", "floor")?.mean;
    let points = 100.0 * (primary.better.goodness(score) - primary.better.goodness(floor));
    (points > 0.0).then_some(points)
}

/// What the idle machine took before and after the cases, of each meter.
fn idle_machine(rows: &[IdleRow]) -> String {
    let sentence = |Drift { source, before, after }: Drift<'_>| {
        let later = after.map_or_else(
            || ", and was not measured after the last case".to_owned(),
            |after| format!(" and {} after the last one ({:+.1} %)", si(after, "W"), 100.0 * (after / before - 1.0)),
        );
        format!(" By {source}, the idle machine took {} before the first case{later}.", si(before, "W"))
    };
    drifts(rows).into_iter().map(sentence).collect()
}

/// What changed more than this is said before the tables.
const NOTABLE_DRIFT: f64 = 0.1;

/// A remark if the idle machine took another power after the cases than before them.
pub(crate) fn remark_on_drift(rows: &[IdleRow], remarks: &mut Vec<String>) {
    for Drift { source, before, after } in drifts(rows) {
        let Some(after) = after.filter(|after| (after / before - 1.0).abs() > NOTABLE_DRIFT) else { continue };
        remarks.push(format!(
            "The power of the idle machine changed during the run, from {} to {} by {source}. The joules above idle are those above \
             the first.",
            si(before, "W"),
            si(after, "W")
        ));
    }
}

/// A remark if the suite states the grams of a kilowatt hour, and no case has joules to multiply them with.
pub(crate) fn remark_on_grams(info: &RunInfo, grid: &Grid, remarks: &mut Vec<String>) {
    let has_finished = grid.trials().next().is_some();
    let has_joules = grid.trials().any(|(_, _, trial)| trial.values.iter().any(|value| value.metric == "energy_j"));
    if Carbon::of(info).is_some() && has_finished && !has_joules {
        let why = info.energy.strip_prefix("none: ").unwrap_or(&info.energy);
        remarks.push(format!(
            "There are no grams of CO2e, although the suite has grams_per_kwh: no joules were measured or estimated ({why})."
        ));
    }
}

/// The power of the idle machine by one meter.
struct Drift<'a> {
    source: &'a str,
    before: f64,
    after: Option<f64>,
}

/// The first power before and the last one after the cases, of each meter.
fn drifts(rows: &[IdleRow]) -> Vec<Drift<'_>> {
    let mut found: Vec<Drift<'_>> = Vec::new();
    for row in rows {
        let Some(watts) = row.watts() else { continue };
        match found.iter_mut().find(|drift| drift.source == row.source) {
            Some(drift) if row.when == "after" => drift.after = Some(watts),
            None if row.when == "before" => found.push(Drift { source: &row.source, before: watts, after: None }),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle(when: &str, source: &str, joules: Option<f64>) -> IdleRow {
        IdleRow {
            at: "2026-01-02T03:04:05Z".to_owned(),
            when: when.to_owned(),
            source: source.to_owned(),
            joules,
            seconds: joules.map(|_| 2.0),
            note: String::new(),
        }
    }

    #[test]
    fn the_drift_of_a_resumed_run_is_that_from_its_first_to_its_last_window() {
        let rows = [
            idle("before", "rapl", Some(40.0)),
            idle("before", "rapl", Some(60.0)),
            idle("after", "rapl", Some(50.0)),
            idle("before", "nvml", Some(100.0)),
            idle("after", "nvml", None),
        ];
        assert_eq!(
            idle_machine(&rows),
            " By rapl, the idle machine took 20.0 W before the first case and 25.0 W after the last one (+25.0 %). By nvml, the idle \
             machine took 50.0 W before the first case, and was not measured after the last case."
        );
        let mut remarks = Vec::new();
        remark_on_drift(&rows, &mut remarks);
        assert_eq!(remarks.len(), 1, "{remarks:?}");
        assert!(remarks[0].contains("from 20.0 W to 25.0 W by rapl"));
    }
}
