//! Predictions on splits whose targets are hidden.

use bakeoff_datasets::Store;
use bakeoff_models::Model;

use super::predictions::prediction_rows;
use super::{Bench, Stop};
use crate::phase::Phase;
use crate::protocol::Event;

impl Bench<'_> {
    /// Predicts splits that cannot be scored here. This comes last, so that it does not affect the measurements.
    pub(super) fn predict_hidden(&mut self, model: &mut dyn Model, store: &Store) -> Result<(), Stop> {
        (self.emit)(Event::Phase(Phase::PredictHidden));
        for (name, inputs) in self.task.load_hidden(store).map_err(Stop::failed)? {
            let predictions = model.predict(&inputs)?;
            let rows = prediction_rows(&predictions, &self.task.classes(), |_| String::new());
            self.outcome.hidden.push((name.to_owned(), rows));
        }
        Ok(())
    }
}
