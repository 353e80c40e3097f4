//! Scores the predictions of the test rows. No stopwatch runs meanwhile.

use bakeoff_datasets::Split;
use bakeoff_models::{Model, Predictions};
use bakeoff_reports::Status;

use super::{Bench, Stop, better};
use crate::phase::Phase;
use crate::protocol::Event;
use crate::rows::{RareClasses, Rows, listed};
use crate::scoring::{self, shown};

impl Bench<'_> {
    /// Scores the test rows, and finds out whether the model is better than the floor.
    pub(super) fn score(&mut self, model: &mut dyn Model, rows: &Rows) -> Result<Predictions, Stop> {
        (self.emit)(Event::Phase(Phase::Score));
        let predictions = model.predict(&rows.test.inputs)?;
        let scores = scoring::score(&rows.test.targets, &predictions)?;
        let primary = self.task.primary();
        let floor = scoring::floor(&rows.true_targets, &rows.test.targets, primary);
        for (name, value) in &scores {
            self.record(Phase::Score, name, Some(*value), "scorer", "");
        }
        let value = |wanted: &str| scores.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        let undefined = scoring::undefined(&rows.test.targets, &scores);
        for (name, reason) in &undefined {
            self.record(Phase::Score, name, None, "scorer", *reason);
        }
        self.record(Phase::Score, "floor", Some(floor), "scorer", "");
        self.record(Phase::Score, "examples", Some(rows.test.len() as f64), "scorer", "");
        if let Some(classes) = self.case.fold.and(RareClasses::of(&rows.test.targets)) {
            let names = classes.without_rows;
            self.record(Phase::Score, "classes_without_test_rows", Some(names.len() as f64), "data", listed(&names));
        }
        let leakage = &rows.leakage;
        self.record(Phase::Score, "leaked_examples", Some(leakage.examples as f64), "data", "");
        self.record(Phase::Score, "leaked_other_target", Some(leakage.other_target as f64), "data", "");
        if let Some(leaked) = rows.leaked_unlabelled {
            self.record(Phase::Score, "leaked_unlabelled", Some(leaked as f64), "data", "");
        }
        let truncated = model.truncated(&rows.test.inputs);
        self.truncated(Phase::Score, truncated);
        self.wordless(Phase::Score, model.wordless(&rows.test.inputs));
        let note = match value(primary) {
            Some(value) if better(primary).prefers(value, floor) => return Ok(predictions),
            Some(value) => format!(
                "{primary} {} is no better than {}, that of a constant answer",
                shown(primary, value),
                shown(primary, floor)
            ),
            None => match undefined.iter().find(|(name, _)| *name == primary) {
                Some((_, reason)) => format!("{primary} is undefined: {reason}"),
                None => {
                    let message = format!("the scorer gives no {primary} for task '{}'", self.task.name());
                    return Err(Stop::failed(message));
                }
            },
        };
        self.outcome.status = Status::BelowFloor;
        self.outcome.note = note;
        Ok(predictions)
    }

    /// The primary metric on further rows, as `<metric>_<name>`: other test splits, or training rows.
    pub(super) fn score_further(
        &mut self,
        model: &mut dyn Model,
        further: &[(&'static str, Split)],
    ) -> Result<(), Stop> {
        let primary = self.task.primary();
        for (name, split) in further {
            let score = self.primary_on(model, split)?;
            let reason = score.err().unwrap_or_default();
            self.record(Phase::Score, &format!("{primary}_{name}"), score.ok(), "scorer", reason);
        }
        Ok(())
    }
}
