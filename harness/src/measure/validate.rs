//! Quality of a search trial on the rows held out of its fit, outside every stopwatch.

use bakeoff_models::Model;

use super::{Bench, Stop};
use crate::phase::Phase;
use crate::protocol::Event;
use crate::rows::Rows;
use crate::scoring;

impl Bench<'_> {
    /// The task's primary metric on the held-out rows. A search trial without one cannot be chosen, so it has failed.
    pub(super) fn validate(&mut self, model: &mut dyn Model, rows: &Rows) -> Result<(), Stop> {
        (self.emit)(Event::Phase(Phase::Validate));
        let held_out = &rows.test;
        let predictions = model.predict(&held_out.inputs)?;
        let scores = scoring::score(&held_out.targets, &predictions)?;
        let primary = self.task.primary();
        if let Some((name, value)) = scores.iter().find(|(name, _)| *name == primary) {
            self.record(Phase::Validate, name, Some(*value), "scorer", "");
            return Ok(());
        }
        let undefined = scoring::undefined(&held_out.targets, &scores);
        let reason = undefined.iter().find(|(name, _)| *name == primary).map_or("", |(_, reason)| *reason);
        Err(Stop::failed(format!("{primary} is undefined on the validation rows: {reason}")))
    }
}
