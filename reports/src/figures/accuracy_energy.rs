//! Quality against the energy of the fit.

use super::scatter::{BARS_OF_SEEDS, Cost, draw};
use super::spread::MOVED;
use super::{Drawn, Figure, Picture, Style};
use crate::cell::origin;
use crate::error::ReportError;
use crate::results::Results;

/// The figure `accuracy-energy`.
pub(crate) struct AccuracyEnergy;

impl Figure for AccuracyEnergy {
    fn name(&self) -> &'static str {
        "accuracy-energy"
    }

    fn about(&self) -> &'static str {
        "the primary metric against the joules of the fit, with the frontier, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let cost = Cost {
            phase: "fit",
            metric: "energy_j",
            unit: "J",
            title: |source| format!("fit energy, {} (log)", origin(source)),
        };
        let caption = format!(
            "Each marker is a model. Up is better, and left takes less energy to fit; where a low error is \
                better, its axis is reversed. The name of the axis says where the joules come from, and each \
                source has a panel of its own. The grey steps are the frontier: no other ranked model is both better \
                and cheaper. An estimate may be 40 % off either way (Fischer 2025), which the bars show, so nothing \
                is ranked by it: its panel has no frontier. Hollow markers are not ranked. {BARS_OF_SEEDS} {MOVED}"
        );
        let picture = Picture::new(self.name(), "Quality against energy", caption);
        draw(results, style, &cost, picture)
    }
}
