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
        grid.drawn(results, style, picture)
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

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &RooflinePanel,
    place: Rect,
) -> Result<(), String> {
    let models = || panel.models.iter().map(|(_, model)| model);
    let roofs = roofs(panel);
    let intensities = || models().map(|model| model.intensity).chain(roofs.iter().map(Achieved::ridge));
    let (least, most) = intensities()
        .fold((f64::INFINITY, 0.0), |(least, most): (f64, f64), value| (least.min(value), most.max(value)));
    let ends = || roofs.iter().flat_map(|roof| [roof.roof_at(least), roof.peak.0]);
    let x = AxisScale::around(intensities(), true);
    let y = AxisScale::around(models().map(|model| model.single_per_s).chain(ends()), true);
    let (Some(x), Some(y)) = (x, y) else { return Ok(()) };
    let x = Axis { scale: x, title: "operations per byte of weights (log)".to_owned(), unit: "", reversed: false };
    let y = Axis { scale: y, title: "operations per second (log)".to_owned(), unit: "FLOP/s", reversed: false };
    let (x, y) = frame(canvas, style, place, &results.setting(panel.setting).title, (&x, &y))?;
    for roof in &roofs {
        let at = |intensity: f64| (x.at(intensity), y.at(roof.roof_at(intensity)));
        let corners = [at(least), at(roof.ridge().clamp(least, most)), at(most)];
        for pair in corners.windows(2).filter(|pair| pair[0] != pair[1]) {
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
