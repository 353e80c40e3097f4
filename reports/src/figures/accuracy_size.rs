//! Quality against the bytes of the artefact.

use super::scatter::{BARS_OF_SEEDS, Cost, draw};
use super::spread::MOVED;
use super::{Drawn, Figure, Picture, Style};
use crate::error::ReportError;
use crate::results::Results;

/// The figure `accuracy-size`.
pub(crate) struct AccuracySize;

impl Figure for AccuracySize {
    fn name(&self) -> &'static str {
        "accuracy-size"
    }

    fn about(&self) -> &'static str {
        "the primary metric against the bytes of the artefact, with the frontier, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let title = |_: &str| "size of the artefact (log)".to_owned();
        let cost = Cost { phase: "case", metric: "model_bytes", unit: "B", title };
        let caption = format!(
            "Each marker is a model. Up is better, and left takes fewer bytes on disk; where a low error is better, its axis is \
                reversed. The grey steps are the frontier: no other ranked model is both better and smaller. Hollow markers are not \
                ranked. {BARS_OF_SEEDS} {MOVED}"
        );
        let picture = Picture::new(self.name(), "Quality against the size of the artefact", caption);
        draw(results, style, &cost, picture)
    }
}
