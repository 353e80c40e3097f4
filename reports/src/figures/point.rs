//! What a point of a figure is, in words: the model, the setting, what was measured, and the cases that it stands for.

use crate::format::count;
use crate::record::Status;
use crate::results::Results;

/// The words for a point of a label in a setting.
pub(crate) fn words(results: &Results, setting: usize, label: usize, measured: &str) -> String {
    let trials = results.grid.cell(setting, label).map_or(&[][..], |cell| &cell.trials);
    let cases = match trials {
        [] => String::new(),
        [trial] => format!("\ncase {}", trial.case),
        [first, .., last] => format!("\n{} cases, {} to {}", trials.len(), first.case, last.case),
    };
    format!("{}{cases}", beginning(results, setting, label, measured))
}

/// The words for a point that stands for one case of a label in a setting.
pub(crate) fn words_of_case(results: &Results, setting: usize, label: usize, measured: &str, case: &str) -> String {
    format!("{}\ncase {case}", beginning(results, setting, label, measured))
}

fn beginning(results: &Results, setting: usize, label: usize, measured: &str) -> String {
    let cell = results.grid.cell(setting, label).filter(|_| !results.is_ranked(setting, label));
    let status = cell.map_or(String::new(), |cell| match cell.status {
        Status::Ok => format!("\nnot ranked: {} of {}", cell.trials.len(), count(cell.planned, "case")),
        status => format!("\nnot ranked: {status}"),
    });
    format!("{} on {}\n{measured}{status}", results.name_in(setting, label), results.setting(setting).title)
}
