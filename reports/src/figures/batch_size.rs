//! Throughput and energy against the number of examples in a call.

use super::axis::AxisScale;
use super::canvas::{Canvas, Rect};
use super::frame::{Axis, Tick, frame_at};
use super::marked_lines::{self, HOW_TO_TELL_APART, MarkedLine};
use super::panel_grid::{PanelGrid, of_settings};
use super::point::words;
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::cell::{Cell, measured_first, origin};
use crate::devices::{CONDITION, PHASE, PerPrediction};
use crate::error::ReportError;
use crate::results::Results;
use crate::statistics::knee;

/// The figure `batch-size`. It draws a picture of the throughput, and one of the energy if there is any.
pub(crate) struct BatchSize;

const PANEL_HEIGHT_MM: f64 = 50.0;

fn y_title(quantity: PerPrediction, source: &str) -> String {
    match quantity {
        PerPrediction::Throughput => "predictions per second (log)".to_owned(),
        PerPrediction::Energy => format!("energy per prediction, {} (log)", origin(source)),
    }
}

fn caption(quantity: PerPrediction) -> String {
    let what = match quantity {
        PerPrediction::Throughput => {
            "Predictions per second against the number of examples in a call, by the median call of each size. A ring is the \
             knee, from which on larger calls gain little: with both axes scaled to 0..1, the batch size by its logarithm, it is \
             the point that is the farthest above the straight line from corner to corner (Kneedle, Satopää et al. 2011). A line \
             without a ring does not rise and then flatten."
        }
        PerPrediction::Energy => {
            "Joules per prediction against the number of examples in a call, from the source that the axis names. Each source has \
             a panel of its own. An estimate may be 40 % off either way (Fischer 2025)."
        }
    };
    format!(
        "{what} Numbers are means over seeds and folds. The saved model was served by a process of its own. Both axes are \
         logarithmic. Hollow markers are not ranked. {HOW_TO_TELL_APART}"
    )
}

/// A model's numbers: its label, and the batch size and the mean of each.
type Line = (usize, Vec<(f64, f64)>);

/// The models of a setting with numbers of one source.
struct BatchPanel {
    setting: usize,
    y_title: String,
    lines: Vec<Line>,
}

impl Figure for BatchSize {
    fn name(&self) -> &'static str {
        "batch-size"
    }

    fn about(&self) -> &'static str {
        "predictions per second and joules of each against the examples in a call, with the knee, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let mut drawn = Drawn::default();
        for (quantity, name, title) in [
            (PerPrediction::Throughput, "batch-size", "Throughput against batch size"),
            (PerPrediction::Energy, "batch-size-energy", "Energy against batch size"),
        ] {
            let grid = PanelGrid {
                panels: of_settings(results, |results, setting| panels(results, setting, quantity)),
                labels: &|panel| panel.lines.iter().map(|(label, _)| *label).collect(),
                dashed: &|_| None,
                rows: 4,
                height_mm: &|_| PANEL_HEIGHT_MM,
                draw: &|canvas, panel, place| draw_panel(canvas, style, results, panel, (quantity, place)),
            };
            drawn.add(grid.drawn(&results.grid.labels, style, Picture::new(name, title, caption(quantity)))?);
        }
        Ok(drawn)
    }
}

/// A panel for each source of the numbers of a setting.
fn panels(results: &Results, setting: usize, quantity: PerPrediction) -> Vec<BatchPanel> {
    let trials = results.grid.row(setting).flat_map(|(_, cell)| &cell.trials);
    let values = trials.flat_map(|trial| trial.under(PHASE, quantity.metric(), CONDITION));
    let sources = measured_first(values.map(|(_, value)| value));
    sources.into_iter().filter_map(|source| panel(results, setting, quantity, source)).collect()
}

fn panel(results: &Results, setting: usize, quantity: PerPrediction, source: &str) -> Option<BatchPanel> {
    let lines = results.grid.row(setting).map(|(label, cell)| (label, means(cell, quantity, source)));
    let lines: Vec<Line> = lines.filter(|(_, points)| points.len() > 1).collect();
    (!lines.is_empty()).then(|| BatchPanel { setting, y_title: y_title(quantity, source), lines })
}

/// Each batch size with the mean over the trials that have it, in the order of the sizes.
fn means(cell: &Cell, quantity: PerPrediction, source: &str) -> Vec<(f64, f64)> {
    let mut by_size: Vec<(f64, Vec<f64>)> = Vec::new();
    for trial in &cell.trials {
        let values = trial.under(PHASE, quantity.metric(), CONDITION);
        // A logarithmic axis has no 0.
        for (size, value) in values.filter(|(size, value)| value.source == source && *size > 0.0 && value.value > 0.0) {
            match by_size.iter_mut().find(|(other, _)| *other == size) {
                Some((_, values)) => values.push(value.value),
                None => by_size.push((size, vec![value.value])),
            }
        }
    }
    by_size.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    by_size.into_iter().map(|(size, values)| (size, values.iter().sum::<f64>() / values.len() as f64)).collect()
}

/// The point of a line that is its knee, by the logarithm of the batch size. `None` for a line that hardly rises: it is flat from its
/// start.
fn knee_of(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    const LEAST_GAIN: f64 = 1.1;
    let ((_, first), (_, last)) = (points.first()?, points.last()?);
    if *last < LEAST_GAIN * first {
        return None;
    }
    let by_logarithm: Vec<(f64, f64)> = points.iter().map(|(size, value)| (size.log2(), *value)).collect();
    Some(points[knee(&by_logarithm)?])
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &BatchPanel,
    (quantity, place): (PerPrediction, Rect),
) -> Result<(), String> {
    let points = || panel.lines.iter().flat_map(|(_, points)| points);
    let x = AxisScale::around(points().map(|(size, _)| *size), true);
    let y = AxisScale::around(points().map(|(_, value)| *value), true);
    let (Some(x), Some(y)) = (x, y) else { return Ok(()) };
    let x = Axis { scale: x, title: "examples in a call (log)".to_owned(), unit: "", reversed: false };
    let y = Axis { scale: y, title: panel.y_title.clone(), unit: quantity.unit(), reversed: false };
    let title = &results.setting(panel.setting).title;
    let (x, y) = frame_at(canvas, style, place, title, (&x, &y), Some(&ticks(points().map(|(size, _)| *size))))?;
    let line = |(label, points): &Line| {
        let (size, value) = points.last().copied().unwrap_or_default();
        let measured = format!("{} at {size} examples in a call", quantity.text(value));
        MarkedLine {
            label: *label,
            points: points.iter().map(|(size, value)| (x.at(*size), y.at(*value))).collect(),
            width_mm: 0.35,
            hollow: !results.is_ranked(panel.setting, *label),
            words: words(results, panel.setting, *label, &measured),
        }
    };
    marked_lines::draw(canvas, style, &panel.lines.iter().map(line).collect::<Vec<_>>())?;
    if quantity == PerPrediction::Throughput {
        for (label, points) in &panel.lines {
            let Some((size, value)) = knee_of(points) else { continue };
            let at = (x.at(size), y.at(value));
            canvas.ring(at, style.ink)?;
            let measured = format!("knee at {size} examples in a call, {}", quantity.text(value));
            canvas.point(at, &words(results, panel.setting, *label, &measured));
        }
    }
    Ok(())
}

/// Numbers that are powers of two, or nearly so, as ticks: each of them, or every second one if there are many.
pub(crate) fn ticks(sizes: impl Iterator<Item = f64>) -> Vec<Tick> {
    const MOST: usize = 6;
    let mut sizes: Vec<f64> = sizes.collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let step = sizes.len().div_ceil(MOST).max(1);
    sizes.into_iter().step_by(step).map(|size| (size, size.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_knee_is_found_by_the_logarithm_of_the_batch_size() {
        // Doubles up to 16 examples, and then stays.
        let points: Vec<(f64, f64)> =
            (0..11).map(|power| f64::from(1 << power)).map(|size| (size, 100.0 * size.min(16.0))).collect();
        assert_eq!(knee_of(&points), Some((16.0, 1600.0)));
        assert_eq!(knee_of(&points[..5]), None, "no larger call was measured that gains less");
    }

    #[test]
    fn a_line_that_gains_less_than_a_tenth_has_no_knee() {
        let of = |values: [f64; 4]| knee_of(&[1.0, 2.0, 4.0, 8.0].into_iter().zip(values).collect::<Vec<_>>());
        assert_eq!(of([1000.0, 1040.0, 1045.0, 1046.0]), None);
        assert_eq!(of([1000.0, 1400.0, 1450.0, 1460.0]), Some((2.0, 1400.0)));
    }

    #[test]
    fn many_sizes_share_few_ticks() {
        let labels = |most: i32| -> Vec<String> {
            ticks((0..=most).chain(0..=most).map(|power| 2f64.powi(power)))
                .into_iter()
                .map(|(_, label)| label)
                .collect()
        };
        assert_eq!(labels(2), ["1", "2", "4"]);
        assert_eq!(labels(10), ["1", "4", "16", "64", "256", "1024"]);
    }
}
