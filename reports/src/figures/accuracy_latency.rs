//! Quality against the latency of one prediction.

use super::scatter::{BARS_OF_SEEDS, Cost, draw};
use super::spread::MOVED;
use super::{Drawn, Figure, Picture, Style};
use crate::error::ReportError;
use crate::results::Results;

/// The figure `accuracy-latency`.
pub(crate) struct AccuracyLatency;

impl Figure for AccuracyLatency {
    fn name(&self) -> &'static str {
        "accuracy-latency"
    }

    fn about(&self) -> &'static str {
        "the primary metric against the median latency, with the frontier, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let cost = Cost {
            phase: "predict-single",
            metric: "latency_p50_s",
            unit: "s",
            title: |_| "median latency of one prediction (log)".to_owned(),
        };
        let caption = format!(
            "Each marker is a model. Up is better, and left is faster; where a low error is better, its axis \
                is reversed. The grey steps are the frontier: no other ranked model is both better and faster. \
                Hollow markers are not ranked. {BARS_OF_SEEDS} {MOVED}"
        );
        let picture = Picture::new(self.name(), "Quality against latency", caption);
        draw(results, style, &cost, picture)
    }
}
