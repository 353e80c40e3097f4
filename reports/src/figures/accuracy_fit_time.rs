//! Quality against the time of the fit.

use super::scatter::{BARS_OF_SEEDS, Cost, draw};
use super::spread::MOVED;
use super::{Drawn, Figure, Picture, Style};
use crate::error::ReportError;
use crate::results::Results;

/// The figure `accuracy-fit-time`.
pub(crate) struct AccuracyFitTime;

impl Figure for AccuracyFitTime {
    fn name(&self) -> &'static str {
        "accuracy-fit-time"
    }

    fn about(&self) -> &'static str {
        "the primary metric against the seconds of the fit, with the frontier, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let cost = Cost { phase: "fit", metric: "fit_s", unit: "s", title: |_| "time of the fit (log)".to_owned() };
        let caption = format!(
            "Each marker is a model. Up is better, and left takes less time to fit; where a low error is better, its axis \
                 is reversed. The grey steps are the frontier: no other ranked model is both better and faster to fit. Hollow \
                 markers are not ranked. {BARS_OF_SEEDS} {MOVED}"
        );
        let picture = Picture::new(self.name(), "Quality against the time of the fit", caption);
        draw(results, style, &cost, picture)
    }
}
