//! Panels with one row per model and a common horizontal axis. Names are on the left and marks on the right.

use super::canvas::{Align, Canvas, Point, Rect, SMALL_MM, TEXT_MM};
use super::frame::{Axis, FOOT_MM, TITLE_MM, x_axis};
use super::panel_grid::PanelGrid;
use super::spread::downwards;
use super::style::Style;
use super::{Drawn, Picture};
use crate::error::ReportError;
use crate::results::Results;

/// What a row shows on the axis.
pub(crate) struct Mark {
    /// The number that the marker shows.
    pub(crate) at: f64,
    /// The ends of the line through the marker.
    pub(crate) range: Option<(f64, f64)>,
    /// The numbers that small dots on the line show.
    pub(crate) dots: Vec<f64>,
    /// The numbers that small dots below the line show: one for each seed or fold, if there are several.
    pub(crate) trials: Vec<f64>,
    /// Whether the marker is hollow, because the model is not ranked.
    pub(crate) hollow: bool,
    /// What the marker is.
    pub(crate) words: String,
}

/// The row of a model.
pub(crate) struct ModelRow {
    pub(crate) label: usize,
    pub(crate) name: String,
    /// What to draw. If there is nothing, how the case ended.
    pub(crate) mark: Result<Mark, String>,
}

/// A panel of rows.
pub(crate) struct RowsPanel {
    pub(crate) title: String,
    pub(crate) axis: Axis,
    pub(crate) rows: Vec<ModelRow>,
    /// The number of a dashed line across all rows, and its name.
    pub(crate) reference: Option<(f64, &'static str)>,
}

const ROW_MM: f64 = 4.2;
/// The height of the dots of seeds and folds below a line, in a panel that has any.
const TRIALS_MM: f64 = 1.7;

/// How far below the line the first of these dots is, and how large they are.
const TRIAL_BELOW_MM: f64 = 1.85;
const TRIAL_RADIUS_MM: f64 = 0.34;

/// Draws `picture` with these panels.
pub(crate) fn draw(
    panels: Vec<RowsPanel>,
    results: &Results,
    style: &Style,
    picture: Picture,
) -> Result<Drawn, ReportError> {
    let grid = PanelGrid {
        panels,
        labels: &|_| Vec::new(),
        dashed: &|_| None,
        rows: 4,
        height_mm: &|panel| TITLE_MM + rows_height(panel) + FOOT_MM,
        draw: &|canvas, panel, place| draw_panel(canvas, style, panel, place),
    };
    grid.drawn(&results.grid.labels, style, picture)
}

fn rows_height(panel: &RowsPanel) -> f64 {
    panel.rows.len() as f64 * row_height(panel) + 1.0
}

fn row_height(panel: &RowsPanel) -> f64 {
    let has_trials = |row: &ModelRow| row.mark.as_ref().is_ok_and(|mark| !mark.trials.is_empty());
    if panel.rows.iter().any(has_trials) { ROW_MM + TRIALS_MM } else { ROW_MM }
}

fn draw_panel(canvas: &Canvas<'_>, style: &Style, panel: &RowsPanel, outer: Rect) -> Result<(), String> {
    let widest = panel.rows.iter().map(|row| canvas.width(&row.name, SMALL_MM)).fold(0.0, f64::max);
    // The word at the dashed line is right of the title, which short names such as numbers leave no room for.
    let title = panel.reference.map_or(0.0, |_| canvas.width(&panel.title, TEXT_MM)).min(outer.w * 0.3);
    let names = widest.min(outer.w * 0.4).max(title);
    let left = outer.x + names + 2.0;
    let inner = Rect { x: left, y: outer.y + TITLE_MM, w: outer.right() - left - 2.0, h: rows_height(panel) };
    let scale = if panel.axis.reversed {
        panel.axis.scale.between(inner.right(), inner.x)
    } else {
        panel.axis.scale.between(inner.x, inner.right())
    };
    x_axis(canvas, style, inner, &scale, &panel.axis)?;
    let title_room = match panel.reference {
        Some((at, name)) => {
            let at = scale.at(at);
            canvas.dashed((at, inner.y - 0.6), (at, inner.bottom()), 0.2, style.muted)?;
            let half = canvas.width(name, SMALL_MM) / 2.0;
            let middle = at.max(inner.x + half).min(inner.right() + 2.0 - half);
            canvas.text(name, (middle, inner.y - 2.0), SMALL_MM, Align::Centre, style.muted)?;
            middle - half - 2.0 - outer.x
        }
        None => outer.w,
    };
    let title = canvas.fit(&panel.title, TEXT_MM, title_room);
    canvas.text(&title, (outer.x, inner.y - 2.4), TEXT_MM, Align::Left, style.ink)?;
    for (index, row) in panel.rows.iter().enumerate() {
        let y = inner.y + 0.5 + index as f64 * row_height(panel) + 0.5 * ROW_MM;
        let name = canvas.fit(&row.name, SMALL_MM, names);
        canvas.text(&name, (left - 1.4, y), SMALL_MM, Align::Right, style.ink)?;
        let mark = match &row.mark {
            Ok(mark) => mark,
            Err(ending) => {
                // The background covers the grid lines, which must not run through the word.
                let paper = Rect { x: inner.x + 0.6, y: y - 1.6, w: canvas.width(ending, SMALL_MM) + 1.2, h: 3.2 };
                canvas.fill(paper, plotters::style::WHITE)?;
                canvas.text(ending, (inner.x + 1.2, y), SMALL_MM, Align::Left, style.muted)?;
                continue;
            }
        };
        let (color, _) = style.model(row.label);
        if let Some((low, high)) = mark.range {
            canvas.line(&[(scale.at(low), y), (scale.at(high), y)], 0.4, color)?;
            for end in [low, high] {
                canvas.line(&[(scale.at(end), y - 0.7), (scale.at(end), y + 0.7)], 0.4, color)?;
            }
        }
        for dot in &mark.dots {
            canvas.dot((scale.at(*dot), y), 0.5, color)?;
        }
        let trials: Vec<Point> = mark.trials.iter().map(|trial| (scale.at(*trial), y + TRIAL_BELOW_MM)).collect();
        for at in downwards(&trials, 2.0 * TRIAL_RADIUS_MM, TRIALS_MM) {
            canvas.dot(at, TRIAL_RADIUS_MM, color)?;
        }
        canvas.marker((scale.at(mark.at), y), style.model(row.label), mark.hollow)?;
        canvas.point((scale.at(mark.at), y), &mark.words);
    }
    Ok(())
}
