//! Training curves: loss and validation metric against epochs, per task.

use super::axis::AxisScale;
use super::canvas::{Align, Canvas, Rect, TEXT_MM};
use super::frame::{Axis, TITLE_MM, frame};
use super::marked_lines::{self, HOW_TO_TELL_APART, MarkedLine};
use super::panel_grid::{PanelGrid, of_settings};
use super::point::words_of_case;
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::error::ReportError;
use crate::format::significant;
use crate::metric::metric;
use crate::record::Curve;
use crate::results::Results;

/// The figure `curves`.
pub(crate) struct Curves;

const PANEL_HEIGHT_MM: f64 = 44.0;

/// The curves of a setting, each with its model's label. They are drawn in two panels.
struct CurvesOfSetting<'a> {
    setting: usize,
    title: &'a str,
    curves: Vec<(usize, &'a [Curve])>,
}

impl Figure for Curves {
    fn name(&self) -> &'static str {
        "curves"
    }

    fn about(&self) -> &'static str {
        "training loss and validation metric against epochs, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let caption = format!(
            "Left: the mean training loss of each epoch. Right: the primary metric on the validation rows. \
                The figure shows the first seed of each model. Models that do not learn in epochs have no curve. The epoch \
                that is best on the validation rows is the one that was tested. The members of an ensemble follow one \
                another, and each was tested at its own best epoch. {HOW_TO_TELL_APART}"
        );
        let picture = Picture::new(self.name(), "Training curves", caption);
        let grid = PanelGrid {
            panels: of_settings(results, pair),
            labels: &|pair| pair.curves.iter().map(|(label, _)| *label).collect(),
            dashed: &|_| None,
            rows: 4,
            height_mm: &|_| PANEL_HEIGHT_MM,
            draw: &|canvas, pair, place| draw_pair(canvas, style, results, pair, place),
        };
        grid.drawn(&results.grid.labels, style, picture)
    }
}

fn pair(results: &Results, setting: usize) -> Option<CurvesOfSetting<'_>> {
    let curves: Vec<(usize, &[Curve])> = (0..results.grid.labels.len())
        .filter_map(|label| {
            let trial = results.first_trial(setting, label)?;
            Some((label, results.curves.get(&trial.case)?.as_slice()))
        })
        .collect();
    (!curves.is_empty()).then(|| CurvesOfSetting { setting, title: &results.setting(setting).title, curves })
}

fn draw_pair(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    pair: &CurvesOfSetting<'_>,
    place: Rect,
) -> Result<(), String> {
    let validation = pair.curves.iter().find_map(|(_, curve)| curve.first()).map_or("", |point| point.metric.as_str());
    let validation = format!("validation {}", metric(validation).map_or(validation, |metric| metric.short_title()));
    let half = Rect { w: (place.w - 2.0) / 2.0, ..place };
    let right = Rect { x: place.x + half.w + 2.0, ..half };
    let loss: fn(&Curve) -> f64 = |point| point.train_loss;
    let score: fn(&Curve) -> f64 = |point| point.validation.unwrap_or(f64::NAN);
    let left = draw_lines(canvas, style, (results, pair), half, "training loss", loss)?;
    draw_lines(canvas, style, (results, pair), right, &validation, score)?;
    // The title is that of both, so it has the room of both.
    let title = canvas.fit(pair.title, TEXT_MM, place.right() - left);
    canvas.text(&title, (left, place.y + TITLE_MM / 2.0), TEXT_MM, Align::Left, style.ink)
}

/// Draws one panel without a title. Returns the place of its vertical axis.
fn draw_lines(
    canvas: &Canvas<'_>,
    style: &Style,
    (results, pair): (&Results, &CurvesOfSetting<'_>),
    place: Rect,
    y_title: &str,
    value: fn(&Curve) -> f64,
) -> Result<f64, String> {
    let points = || pair.curves.iter().flat_map(|(_, curve)| curve.iter());
    let epochs = points().map(|point| point.epoch as f64);
    let (Some(x), Some(y)) = (AxisScale::around(epochs, false), AxisScale::around(points().map(value), false)) else {
        return Ok(place.x);
    };
    let x = Axis { scale: x.within(0.5, f64::INFINITY).whole(), title: "epoch".to_owned(), unit: "", reversed: false };
    let y = Axis { scale: y, title: y_title.to_owned(), unit: "", reversed: false };
    let (x, y) = frame(canvas, style, place, "", (&x, &y))?;
    let line = |(label, curve): &(usize, &[Curve])| {
        let finite: Vec<&Curve> = curve.iter().filter(|point| value(point).is_finite()).collect();
        let points = finite.iter().map(|point| (x.at(point.epoch as f64), y.at(value(point)))).collect();
        let words = finite.last().map(|last| {
            let measured = format!("{y_title} {} after epoch {}", significant(value(last), 3), last.epoch);
            words_of_case(results, pair.setting, *label, &measured, &last.case)
        });
        MarkedLine {
            label: *label,
            points,
            width_mm: 0.35,
            hollow: !results.is_ranked(pair.setting, *label),
            words: words.unwrap_or_default(),
        }
    };
    marked_lines::draw(canvas, style, &pair.curves.iter().map(line).collect::<Vec<_>>())?;
    Ok(x.ends().0)
}
