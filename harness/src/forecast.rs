//! A forecast of a run, stated before it begins: how long its fits take, and whether the machine has enough memory.

use std::collections::BTreeMap;

use bakeoff_models::{Device, ModelEntry, UNLABELLED};
use bakeoff_reports::MachineInfo;

use crate::budget::Budget;
use crate::case::Case;
use crate::plan::Plan;
use crate::program::Program;
use crate::tasks;

/// The number of cases and tasks, about how long all fits will take, and how long all scenarios take at least. `None` if no model can
/// estimate its own time and no duration is given.
pub fn forecast(program: &Program, plan: &Plan) -> Option<String> {
    let runnable = || plan.cases.iter().filter(|case| case.unsupported.is_none());
    let known: Vec<(&Case, f64)> = runnable().filter_map(|case| Some((case, fit_s(program, plan, case)?))).collect();
    let jobs = plan.jobs() as f64;
    let scenarios_s =
        runnable().filter(|case| case.trial.is_none()).map(|case| case.latency.least_s()).sum::<f64>() / jobs;
    let mut parts = Vec::new();
    if !known.is_empty() {
        let unknown = runnable().count() - known.len();
        let rest = if unknown > 0 { format!(", and {unknown} whose time is unknown") } else { String::new() };
        let (fits, threads) = (duration(within_budgets(plan, &known) / jobs), counted(plan.threads(), "thread"));
        parts.push(format!("their fits take about {fits} on {threads}{rest}"));
    }
    if scenarios_s > 0.0 {
        parts.push(format!("their scenarios take at least {}", duration(scenarios_s)));
    }
    let (cases, tasks) = (counted(plan.cases.len(), "case"), counted(plan.suite.tasks.len(), "task"));
    (!parts.is_empty()).then(|| format!("{cases} on {tasks}; {} (a rough forecast)", parts.join("; ")))
}

/// What the scored cases of a plan measure beside their scores. They are all alike.
pub fn measured(plan: &Plan) -> Option<String> {
    let case = plan.cases.iter().find(|case| case.trial.is_none())?;
    Some(format!("each case measures {}", case.latency.describe(case.latency_examples)))
}

/// The seconds of all fits. A search stops at its budget.
fn within_budgets(plan: &Plan, known: &[(&Case, f64)]) -> f64 {
    let mut searches: BTreeMap<String, f64> = BTreeMap::new();
    let mut scored = 0.0;
    for (case, seconds) in known {
        if case.trial.is_some() {
            *searches.entry(case.scored_id()).or_default() += seconds;
        } else {
            scored += seconds;
        }
    }
    let most = |case: &str| match plan.searches.get(case)?.budget? {
        Budget::Seconds(most) => Some(most),
        Budget::Joules(_) => None,
    };
    let searched = searches.iter().map(|(case, seconds)| most(case).map_or(*seconds, |most| seconds.min(most)));
    scored + searched.sum::<f64>()
}

fn fit_s(program: &Program, plan: &Plan, case: &Case) -> Option<f64> {
    let model: &dyn ModelEntry = program.model_or(case.external.as_slice(), &case.model)?;
    if let Some(Budget::Seconds(most)) = case.budget {
        return Some(most);
    }
    let shape = tasks::shape(program.task_or(&plan.own, &case.task)?, case.given_rows() / case.row_divisor);
    // A search trial on a part of the rows has the same part of the unlabelled ones.
    let mut params = case.params.clone();
    params.limit(UNLABELLED, case.unlabelled_rows(model));
    model.fit_s(&shape, &params, case.threads, Device::named(&case.device).ok()?)
}

/// What a reader must know and what is known before the first case runs, in sentences.
pub fn remarks(plan: &Plan, machine: &MachineInfo) -> Vec<String> {
    memory_remark(plan, machine).into_iter().chain(plan.search_remarks()).collect()
}

/// A warning, if the cases that run at the same time may use more memory than the machine has. The system may then end
/// a case before the suite's limit does, and its row says `failed` instead of `out-of-memory`.
fn memory_remark(plan: &Plan, machine: &MachineInfo) -> Option<String> {
    let limit_gib = *plan.suite.memory_limit_gib.as_ref();
    let jobs = plan.jobs().min(plan.cases.len());
    let machine_gib = gib(machine.memory_bytes);
    // Slurm gives a task the memory that it asks for, on another machine.
    if plan.slurm().is_some() || machine.memory_bytes == 0 || limit_gib * jobs as f64 <= machine_gib {
        return None;
    }
    let at_a_time = if jobs > 1 { format!(" for each of {jobs} cases at a time") } else { String::new() };
    Some(format!(
        "memory_limit_gib is {limit_gib}{at_a_time}, more than the {machine_gib:.1} GiB that this machine or its \
         container has: the system may end a case before the limit does, and its row says failed, not out-of-memory."
    ))
}

/// Bytes in GiB.
pub(crate) fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

/// `1 case`, `2 cases`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Seconds, in the unit that people would use.
fn duration(seconds: f64) -> String {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 60.0 * MINUTE;
    const DAY: f64 = 24.0 * HOUR;
    match seconds {
        s if s < 1.0 => "a second".to_owned(),
        s if s < 1.5 * MINUTE => format!("{s:.0} s"),
        s if s < 1.5 * HOUR => format!("{:.0} min", s / MINUTE),
        s if s < 2.0 * DAY => format!("{:.0} h", s / HOUR),
        s => format!("{:.0} days", s / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::{counted, duration};

    #[test]
    fn one_thing_is_not_plural() {
        assert_eq!([0, 1, 8].map(|count| counted(count, "task")), ["0 tasks", "1 task", "8 tasks"]);
    }

    #[test]
    fn durations_are_in_the_unit_that_people_use() {
        let stated: Vec<String> = [0.1, 3.0, 89.0, 91.0, 7000.0, 40.0 * 3600.0, 60.0 * 3600.0].map(duration).into();
        assert_eq!(stated, ["a second", "3 s", "89 s", "2 min", "2 h", "40 h", "2 days"]);
    }
}
