//! What models achieve against their arithmetic intensity, below the roof of the machine.

use super::axis::AxisScale;
use super::canvas::{Canvas, Point, Rect};
use super::frame::{Axis, frame};
use super::panel_grid::{PanelGrid, of_settings};
use super::point::words;
use super::spread::{MARKERS_MM, MOVED, around};
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::error::ReportError;
use crate::format::{si, significant};
use crate::results::Results;
use crate::roofline::Achieved;

/// The figure `roofline`.
pub(crate) struct Roofline;

const PANEL_HEIGHT_MM: f64 = 55.0;

/// The models of a setting, each with its label.
struct RooflinePanel {
    setting: usize,
    models: Vec<(usize, Achieved)>,
}

impl Figure for Roofline {
    fn name(&self) -> &'static str {
        "roofline"
    }

    fn about(&self) -> &'static str {
        "the operations a second of each model against operations per byte, below the machine's roof, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let caption = format!(
            "Each marker is a model that predicts one example at a time: its floating-point operations a second against its operations \
             for each byte of weights. The dashed line is the roof (Williams et al. 2009): what this machine reached at most before the \
             run, on as many threads, in matrix products (level) and in reading memory (rising). Below the ridge, memory limits a model \
             whose weights are in no cache. Models whose work depends on the example are not shown. Both axes are logarithmic. Hollow \
             markers are not ranked. {MOVED}"
        );
        let picture = Picture::new(self.name(), "Roofline", caption);
        let grid = PanelGrid {
            panels: of_settings(results, panel),
            labels: &|panel| panel.models.iter().map(|(label, _)| *label).collect(),
            dashed: &|_| Some("the machine's roof"),
            rows: 4,
            height_mm: &|_| PANEL_HEIGHT_MM,
            draw: &|canvas, panel, place| draw_panel(canvas, style, results, panel, place),
        };
        grid.drawn(&results.grid.labels, style, picture)
    }
}

fn panel(results: &Results, setting: usize) -> Option<RooflinePanel> {
    let models = results.grid.row(setting).filter_map(|(label, cell)| Some((label, Achieved::of(cell)?)));
    let models: Vec<(usize, Achieved)> = models.collect();
    (!models.is_empty()).then_some(RooflinePanel { setting, models })
}

/// The roofs of a panel, each once: models that had other threads have another one.
fn roofs(panel: &RooflinePanel) -> Vec<Achieved> {
    let mut roofs: Vec<Achieved> = Vec::new();
    for (_, model) in &panel.models {
        if roofs.iter().all(|roof| roof.peak != model.peak) {
            roofs.push(*model);
        }
    }
    roofs
}

/// How far a panel goes at least to both sides of a ridge, as a factor, so that the rising and the level part of a roof are both seen.
const BESIDE_RIDGE: f64 = 4.0;

/// The axes of a panel. The vertical one has room for the roofs over the whole width of the panel. `None` without a model.
fn scales(panel: &RooflinePanel, roofs: &[Achieved]) -> Option<(AxisScale, AxisScale)> {
    let models = || panel.models.iter().map(|(_, model)| model);
    let beside = |roof: &Achieved| [roof.ridge() / BESIDE_RIDGE, roof.ridge() * BESIDE_RIDGE];
    let x = AxisScale::around(models().map(|model| model.intensity).chain(roofs.iter().flat_map(beside)), true)?;
    let (least, most) = x.limits();
    let ends = roofs.iter().flat_map(|roof| [least, most].map(|intensity| roof.roof_at(intensity)));
    let y = AxisScale::around(models().map(|model| model.single_per_s).chain(ends), true)?;
    Some((x, y))
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &RooflinePanel,
    place: Rect,
) -> Result<(), String> {
    let models = || panel.models.iter().map(|(_, model)| model);
    let roofs = roofs(panel);
    let Some((x, y)) = scales(panel, &roofs) else { return Ok(()) };
    let (least, most) = x.limits();
    let x = Axis { scale: x, title: "operations per byte of weights (log)".to_owned(), unit: "", reversed: false };
    let y = Axis { scale: y, title: "operations per second (log)".to_owned(), unit: "FLOP/s", reversed: false };
    let (x, y) = frame(canvas, style, place, &results.setting(panel.setting).title, (&x, &y))?;
    for roof in &roofs {
        let at = |intensity: f64| (x.at(intensity), y.at(roof.roof_at(intensity)));
        let corners = [at(least), at(roof.ridge()), at(most)];
        for pair in corners.windows(2) {
            canvas.dashed(pair[0], pair[1], 0.25, style.ink)?;
        }
    }
    let places: Vec<Point> = models().map(|model| (x.at(model.intensity), y.at(model.single_per_s))).collect();
    for ((label, model), at) in panel.models.iter().zip(around(&places, MARKERS_MM)) {
        canvas.marker(at, style.model(*label), !results.is_ranked(panel.setting, *label))?;
        let measured = format!(
            "{} a second, {} % of the roof",
            si(model.single_per_s, "FLOP"),
            significant(100.0 * model.share_of_roof(), 2)
        );
        canvas.point(at, &words(results, panel.setting, *label, &measured));
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn panel(models: &[(f64, f64)]) -> RooflinePanel {
        let model = |(intensity, single_per_s): &(f64, f64)| {
            let (intensity, single_per_s) = (*intensity, *single_per_s);
            Achieved { flops: 1e6, intensity, single_per_s, batch_per_s: None, peak: (1e11, 1e10) }
        };
        RooflinePanel { setting: 0, models: models.iter().map(model).enumerate().collect() }
    }

    #[test]
    fn both_parts_of_a_roof_are_in_the_panel_wherever_the_models_are() {
        // The ridge is at 10 operations per byte.
        for models in [&[(10.0, 5e10)][..], &[(0.5, 1e9)], &[(0.5, 1e9), (4.0, 1e10)], &[(300.0, 9e10)]] {
            let panel = panel(models);
            let roofs = roofs(&panel);
            let (x, y) = scales(&panel, &roofs).unwrap();
            let ((least, most), (low, high)) = (x.limits(), y.limits());
            assert!(least <= 10.0 / BESIDE_RIDGE && most >= 10.0 * BESIDE_RIDGE, "{models:?}: {least} to {most}");
            for intensity in [least, 10.0, most] {
                assert!((low..=high).contains(&roofs[0].roof_at(intensity)), "{models:?}: {intensity} is outside");
            }
        }
    }

    #[test]
    fn the_axes_of_a_panel_with_one_model_have_several_ticks() {
        for model in [(10.0, 9.9e10), (0.5, 1e9), (75.2, 1.35e11)] {
            let panel = panel(&[model]);
            let (x, y) = scales(&panel, &roofs(&panel)).unwrap();
            for (axis, ticks) in [("x", x.ticks(7, "")), ("y", y.ticks(6, "FLOP/s"))] {
                assert!(ticks.len() >= 2, "{model:?}: {axis} has {ticks:?}");
            }
        }
    }
}
