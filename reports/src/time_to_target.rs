//! The table of the time and the joules that models needed to reach a target.

use crate::cell::{Cell, Trial, measured_first};
use crate::extra_tables::ExtraTable;
use crate::format::score;
use crate::record::Status;
use crate::results::Results;
use crate::setting::Setting;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};

const RULE: &str = "A fit reaches the target at the end of its first epoch whose score on the validation rows is at least as good, \
    and a model without epochs at the end of its fit if its score is. The time is defined as in MLPerf (Mattson et al. 2020). Models \
    that usually learn from the validation rows too did not learn from them here. A fit that ended without reaching the target is \
    censored: it counts as later than every other fit, and so does one that failed or was over its budget. Where half of the fits or \
    more are censored, the median is not known. No mean of the fits that reached the target is shown, because it would be too short. \
    One validation score of several may reach a target by chance: compare models by their test scores.";

/// The time to the target, for each setting that has one; `None` if none has.
pub(crate) fn time_to_target(results: &Results) -> Option<ExtraTable> {
    let source = source(results);
    let columns = vec![
        TableColumn::new("setting", CellKind::Text),
        TableColumn::new("model", CellKind::Name),
        TableColumn::new("target", CellKind::Text),
        TableColumn::new("reached", CellKind::Text),
        TableColumn::new("median time", CellKind::Number),
        TableColumn::new("median energy", CellKind::Number).measured_by(source),
    ];
    let mut table = Table::new("Time and energy to the target", columns);
    let mut of_run = String::new();
    for index in 0..results.grid.settings.len() {
        let setting = results.setting(index);
        let Some(target) = target_of(results, index) else { continue };
        let was_fitted = |cell: &Cell| cell.trials.iter().any(|trial| trial.status != Status::Unsupported);
        let mut reached_by_any = false;
        for (label, cell) in results.grid.row(index).filter(|(_, cell)| was_fitted(cell)) {
            let reached = cell.trials.iter().filter(|trial| time_of(trial).is_some()).count();
            reached_by_any |= reached > 0;
            let text = format!("{reached} of {}", fits(setting, cell.trials.len()));
            let cells = vec![
                TableCell::Text(setting.title.clone()),
                TableCell::Text(results.name_in(index, label)),
                TableCell::Text(written(setting, target)),
                TableCell::Written { value: reached as f64 / cell.trials.len() as f64, text },
                time(cell),
                energy(cell, source),
            ];
            table.push_about(results.subject(index, label, cell.status), Emphasis::Plain, cells);
        }
        if !reached_by_any {
            of_run += &format!(" No fit on {} reached the target.", setting.title);
        }
    }
    let title = "Time to target";
    (!table.rows.is_empty()).then(|| ExtraTable { id: "time-to-target", title, rule: RULE.to_owned(), of_run, table })
}

fn target_of(results: &Results, setting: usize) -> Option<f64> {
    let mut trials = results.grid.row(setting).flat_map(|(_, cell)| &cell.trials);
    trials.find_map(|trial| trial.get("fit", "target")).map(|target| target.value)
}

/// `accuracy ≥ 0.750`.
fn written(setting: &Setting, target: f64) -> String {
    let primary = setting.primary();
    let sign = if primary.better.prefers(1.0, 0.0) { "≥" } else { "≤" };
    format!(
        "{} {sign} {}{}",
        primary.short_title(),
        score(primary, target),
        setting.primary_unit().replacen(", ", " ", 1)
    )
}

/// `3 seeds`; with folds, `5 folds`.
fn fits(setting: &Setting, n: usize) -> String {
    let what = if setting.folds.is_some() { "fold" } else { "seed" };
    crate::format::count(n, what)
}

fn time_of(trial: &Trial) -> Option<f64> {
    trial.get("fit", "time_to_target_s").map(|time| time.value)
}

/// The median time, or that it is not known.
fn time(cell: &Cell) -> TableCell {
    let reached: Vec<f64> = cell.trials.iter().filter_map(time_of).collect();
    let median = censored_median(reached, cell.trials.len());
    median.map_or_else(
        || TableCell::Text("median not reached".to_owned()),
        |value| TableCell::Quantity { value, unit: "s" },
    )
}

/// The median joules; empty if a fit that reached the target has none.
fn energy(cell: &Cell, source: Option<&str>) -> TableCell {
    let reached = cell.trials.iter().filter(|trial| time_of(trial).is_some());
    let metric = "energy_to_target_j";
    let Some(source) = source else { return TableCell::Empty };
    let joules: Option<Vec<f64>> =
        reached.map(|trial| trial.get_from("fit", metric, source).map(|joules| joules.value)).collect();
    let median = joules.and_then(|joules| censored_median(joules, cell.trials.len()));
    median.map_or(TableCell::Empty, |value| TableCell::Quantity { value, unit: "J" })
}

/// The median of `fits` numbers of which those that are not in `reached` are larger than all others; `None` if it is one of
/// these.
fn censored_median(mut reached: Vec<f64>, fits: usize) -> Option<f64> {
    reached.sort_by(f64::total_cmp);
    let [lower, upper] = [fits.saturating_sub(1) / 2, fits / 2].map(|at| reached.get(at).copied());
    Some((lower? + upper?) / 2.0)
}

/// The one source of joules that is shown.
fn source(results: &Results) -> Option<&str> {
    let joules = results.grid.trials().flat_map(|(_, _, trial)| trial.all("fit", "energy_to_target_j"));
    measured_first(joules).first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_censored_fit_is_later_than_every_other_and_the_median_is_never_that_of_the_rest() {
        for (reached, fits, expected) in [
            (&[3.0, 1.0, 2.0][..], 3, Some(2.0)),
            (&[3.0, 1.0], 2, Some(2.0)),
            (&[3.0, 1.0], 3, Some(3.0)),
            (&[3.0, 1.0], 4, None),
            (&[3.0, 1.0, 2.0], 4, Some(2.5)),
            (&[1.0], 2, None),
            (&[], 1, None),
        ] {
            assert_eq!(censored_median(reached.to_vec(), fits), expected, "{reached:?} of {fits}");
        }
    }
}
