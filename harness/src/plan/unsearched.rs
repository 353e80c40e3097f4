//! What the search of a suite leaves as it is, in sentences for the user: models with equal tuning are compared, so a model that is not
//! tuned must not look like one that is.

use std::collections::{BTreeMap, BTreeSet};

use super::Plan;

/// What the search does not vary of the model with a label.
#[derive(Default)]
struct Unsearched<'a> {
    /// The tasks on which it varies some parameter, and those on which it varies none.
    searched: BTreeSet<&'a str>,
    unsearched: BTreeSet<&'a str>,
    /// The models that are values of its parameters.
    inside: BTreeSet<&'a str>,
}

/// A sentence for each thing that the search does not vary. None if the suite searches nothing.
pub(super) fn remarks(plan: &Plan) -> Vec<String> {
    if plan.suite.search.is_none() {
        return Vec::new();
    }
    let mut labels: BTreeMap<&str, Unsearched<'_>> = BTreeMap::new();
    for case in plan.cases.iter().filter(|case| case.trial.is_none() && case.unsupported.is_none()) {
        let space = plan.searches.get(&case.id).map_or(&[][..], |search| search.space.as_slice());
        let of_label = labels.entry(&case.label).or_default();
        let tasks = if space.is_empty() { &mut of_label.unsearched } else { &mut of_label.searched };
        tasks.insert(&case.task);
        let is_chosen = |parameter: &str| space.iter().any(|(name, _)| *name == parameter);
        let inside = case.params.models_by_parameter().filter(|(parameter, _)| !is_chosen(parameter));
        of_label.inside.extend(inside.map(|(_, model)| model.name()));
    }
    let whole = labels.iter().filter(|(_, found)| !found.unsearched.is_empty()).map(|(label, found)| {
        match found.searched.is_empty() {
            true => (*label).to_owned(),
            false => format!("{label} (on {})", joined(&found.unsearched)),
        }
    });
    let whole: Vec<String> = whole.collect();
    let mut remarks = Vec::new();
    if !whole.is_empty() {
        remarks.push(format!(
            "The search varies no parameter of {}: the suite leaves none free that has a range, so these cases run once, as they are.",
            whole.join(", ")
        ));
    }
    for (label, found) in labels.iter().filter(|(_, found)| !found.inside.is_empty()) {
        remarks.push(format!(
            "The search varies no parameter of {} inside {label}: to try several values, list tables of that model in [model.search].",
            joined(&found.inside)
        ));
    }
    remarks
}

fn joined(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}
