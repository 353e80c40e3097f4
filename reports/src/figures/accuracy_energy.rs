//! Quality against the energy of the fit.

use super::scatter::{Cost, draw};
use super::{Drawn, Figure, Picture, Style};
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
            title: |source| format!("energy of the fit, {} (log)", origin(source.unwrap_or("unknown source"))),
        };
        let picture = Picture {
            name: self.name().to_owned(),
            title: "Quality against energy".to_owned(),
            caption: "Each marker is a model; up is better and left takes less energy to fit (an error that should be \
                low has its axis turned around). The name of the axis says where the joules come from. The grey steps \
                are the frontier: no other ranked model is both better and cheaper. Hollow markers are not ranked."
                .to_owned(),
            svg: String::new(),
        };
        draw(results, style, &cost, picture)
    }
}

/// A source as a word in a title.
fn origin(source: &str) -> String {
    match source {
        "estimate" => "estimated".to_owned(),
        "rapl" => "measured by RAPL".to_owned(),
        "nvml" => "measured by NVML".to_owned(),
        other => other.to_owned(),
    }
}
