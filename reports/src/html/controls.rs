//! The controls of the page: what its tables show, and its colours. They are hidden until the script of the page runs, because they
//! do nothing without it.

use maud::{Markup, html};

use crate::record::Status;
use crate::results::Results;

/// The names of some rows that a reader can choose from.
struct Choice {
    /// The attribute of a row that has the name, without `data-`.
    attribute: &'static str,
    title: &'static str,
    names: Vec<String>,
}

/// The switch between light and dark colours.
pub(crate) fn colours() -> Markup {
    html! {
        label.colours hidden {
            "Colours "
            select name="colours" autocomplete="off" {
                option value="auto" { "as the system" }
                option value="light" { "light" }
                option value="dark" { "dark" }
            }
        }
    }
}

/// The form by which a reader chooses rows, and the model to which costs are relative.
pub(super) fn controls(results: &Results) -> Markup {
    html! {
        form #controls autocomplete="off" aria-label="What the tables show" hidden {
            label { "Search " input type="search" name="search" placeholder="text in a row"; }
            @for choice in choices(results).iter().filter(|choice| choice.names.len() > 1) { (boxes(choice)) }
            label {
                "Show costs relative to "
                select name="reference" {
                    option value="" { "nothing" }
                    @for label in &results.grid.labels { option value=(label) { (label) } }
                }
            }
            button type="reset" { "Reset" }
            p.muted #shown role="status" {}
            p.muted {
                "A heading of a column sorts by it. Figures show every model, whatever is chosen here. A cost that is marked × is that of the \
                 row divided by that of the chosen model in the same setting."
            }
        }
    }
}

fn choices(results: &Results) -> [Choice; 3] {
    let settings = results.grid.settings.iter().map(|setting| setting.title.clone());
    let ended = |status: &&Status| {
        let of_a_case = results.grid.trials().any(|(_, _, trial)| trial.status == **status);
        of_a_case || results.rankings.iter().any(|ranking| ranking.models.iter().any(|model| model.status == **status))
    };
    let statuses = Status::ALL.iter().filter(ended).map(|status| status.name().to_owned());
    [
        Choice { attribute: "model", title: "Models", names: results.grid.labels.clone() },
        Choice { attribute: "setting", title: "Settings", names: settings.collect() },
        Choice { attribute: "status", title: "Status", names: statuses.collect() },
    ]
}

fn boxes(choice: &Choice) -> Markup {
    html! {
        details.choice data-choice=(choice.attribute) {
            summary { (choice.title) " " span.chosen { "all" } }
            fieldset {
                legend { (choice.title) }
                button type="button" data-check="all" { "All" }
                " "
                button type="button" data-check="none" { "None" }
                @for name in &choice.names {
                    label { input type="checkbox" name=(choice.attribute) value=(name) checked; " " (name) }
                }
            }
        }
    }
}
