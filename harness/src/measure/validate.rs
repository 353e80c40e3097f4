//! Quality of a search trial on the rows held out of its fit, outside every stopwatch.

use bakeoff_models::Model;

use super::{Bench, Stop};
use crate::phase::Phase;
use crate::protocol::Event;
use crate::rows::Rows;

impl Bench<'_> {
    /// The task's primary metric on the held-out rows. A search trial without one cannot be chosen, so it has failed.
    pub(super) fn validate(&mut self, model: &mut dyn Model, rows: &Rows) -> Result<(), Stop> {
        (self.emit)(Event::Phase(Phase::Validate));
        let primary = self.task.primary();
        match self.primary_on(model, &rows.test)? {
            Ok(score) => self.record(Phase::Validate, primary, Some(score), "scorer", ""),
            Err(reason) => {
                return Err(Stop::failed(format!("{primary} is undefined on the validation rows: {reason}")));
            }
        }
        Ok(())
    }
}
