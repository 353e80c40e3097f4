//! The processes of a case, one after the other: one fits the model, and then others serve what it saved.

use std::time::Instant;

use bakeoff_reports::{RunDir, Status};

use crate::outcome::{MetricValue, Outcome};
use crate::phase::Phase;
use crate::protocol::{Request, Work};
use crate::serving::{ServingFolder, difference};

/// Carries out a case in steps. `step` does the work of one request, and gives `None` if the user stopped it. A search trial is only
/// fitted and scored. The last step that is reached decides how the case ended.
pub(super) fn in_steps(
    request: Request,
    run: Option<&RunDir>,
    step: &mut dyn FnMut(&Request) -> Option<Outcome>,
) -> Option<Outcome> {
    if request.case.trial.is_some() {
        return step(&request);
    }
    let folder = match ServingFolder::make(&request.case, run) {
        Ok(folder) => folder,
        Err(reason) => return Some(Outcome::without_numbers(Status::Failed, reason)),
    };
    let begun = Instant::now();
    let mut request = Request { serving: Some(folder.place().clone()), ..request };
    let mut outcome = step(&request)?;
    if outcome.status.is_failure() || !folder.is_filled() {
        return Some(outcome);
    }
    for work in [Work::LoadCold, Work::Serve] {
        request.work = work;
        request.spent_s = begun.elapsed().as_secs_f64();
        let mut served = step(&request)?;
        if let Some(noise) = noise_over_limits(&served).map(str::to_owned) {
            // Times that were taken under noise are not believed. A fit is not repeated, because it may have taken hours.
            served = step(&request)?;
            outcome.remark(&format!("the saved model was served a second time, because {noise}"));
        }
        if work == Work::Serve
            && !served.status.is_failure()
            && let Some(difference) = difference(&outcome.predictions, &served.predictions)
        {
            (served.status, served.note) = (Status::Failed, difference);
        }
        let failed = served.status.is_failure();
        outcome.add_served(served);
        if failed {
            break;
        }
    }
    Some(outcome)
}

/// What of the noise while a model was served is above the limits of the suite.
fn noise_over_limits(served: &Outcome) -> Option<&str> {
    let is_over = |value: &&MetricValue| {
        (value.phase, value.metric.as_str()) == (Phase::Serve, "noise_over_limits")
            && value.value.is_some_and(|exceeded| exceeded > 0.0)
    };
    served.values.iter().find(is_over).map(|value| value.note.as_str())
}
