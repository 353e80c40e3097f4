//! The fit of a model that is a part of another one.

use crate::model::{EpochReport, ModelError, Watch};
use crate::params::ModelValue;

/// An error of the model that is the value of this parameter, with both names.
pub(crate) fn blamed(parameter: &str, model: &ModelValue, error: ModelError) -> ModelError {
    let name = model.name();
    let said = |text: String| format!("{parameter} = {name}: {text}");
    match error {
        ModelError::Diverged { epoch, what } => {
            ModelError::Diverged { epoch, what: format!("{what} of {name} ({parameter})") }
        }
        ModelError::Unsupported(text) => ModelError::Unsupported(said(text)),
        ModelError::OverBudget(text) => ModelError::OverBudget(said(text)),
        ModelError::Failed(text) => ModelError::Failed(said(text)),
        ModelError::State(text) => ModelError::State(said(text)),
        // Its path says whose file it is.
        error @ ModelError::Artefact { .. } => error,
    }
}

/// What the fit of a part reports, as a part of the fit of the whole. Its epochs are none of the whole model. A fit that was interrupted
/// begins again, because the parts before are not kept.
pub(crate) struct PartWatch<'a> {
    watch: &'a mut dyn Watch,
    /// The share of the budget of the whole fit at which that of the part ends.
    end: f64,
    /// The share that was used up when the part began.
    begin: f64,
}

impl<'a> PartWatch<'a> {
    /// The watch of a part that begins now. Its budget ends at the share `end` of that of the whole fit.
    pub(crate) fn new(watch: &'a mut dyn Watch, end: f64) -> PartWatch<'a> {
        let begin = watch.spent().unwrap_or(0.0);
        PartWatch { watch, end, begin }
    }
}

impl Watch for PartWatch<'_> {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        // Without a validation row, there is nothing to choose by. The last epoch is the best then.
        if report.validation.is_empty() { Ok(report.epoch as f64) } else { self.watch.part_epoch(report) }
    }

    fn part_epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.epoch(report)
    }

    fn progress(&mut self, done: usize, total: usize) {
        self.watch.progress(done, total);
    }

    fn spent(&mut self) -> Option<f64> {
        let spent = self.watch.spent()?;
        let whole = self.end - self.begin;
        Some(if whole > 0.0 { (spent - self.begin) / whole } else { f64::INFINITY })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Predictions;

    /// A budget of which a tenth is used up at each look.
    struct Tenths {
        looks: usize,
        epochs: usize,
        part_epochs: usize,
    }

    impl Watch for Tenths {
        fn epoch(&mut self, _: &EpochReport<'_>) -> Result<f64, ModelError> {
            self.epochs += 1;
            Ok(0.0)
        }

        fn part_epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
            self.part_epochs += 1;
            Ok(report.epoch as f64)
        }

        fn progress(&mut self, _: usize, _: usize) {}

        fn spent(&mut self) -> Option<f64> {
            self.looks += 1;
            Some(self.looks as f64 / 10.0)
        }

        fn interrupted(&mut self) -> Option<Vec<u8>> {
            Some(vec![1])
        }
    }

    #[test]
    fn a_part_has_its_share_of_the_budget_and_no_epoch_or_state_of_the_whole() {
        let mut whole = Tenths { looks: 1, epochs: 0, part_epochs: 0 };
        // It begins at 0.2 and ends at 0.7.
        let mut part = PartWatch::new(&mut whole, 0.7);
        let spent: Vec<f64> = (0..5).filter_map(|_| part.spent()).collect();
        for (found, expected) in spent.iter().zip([0.2, 0.4, 0.6, 0.8, 1.0]) {
            assert!((found - expected).abs() < 1e-9, "{spent:?}");
        }
        let validation = Predictions::Values(vec![1.0]);
        let report = EpochReport { epoch: 3, epochs: 4, train_loss: 1.0, validation: &validation };
        assert_eq!(part.epoch(&report), Ok(3.0));
        assert_eq!(part.interrupted(), None);
        let nothing = Predictions::Values(Vec::new());
        assert_eq!(part.epoch(&EpochReport { validation: &nothing, ..report }), Ok(3.0), "no row to choose by");
        assert_eq!((whole.epochs, whole.part_epochs), (0, 1));
        // A part for which nothing is left is over at once.
        assert_eq!(PartWatch::new(&mut whole, 0.5).spent(), Some(f64::INFINITY));
    }
}
