//! The legend. It shows which marker stands for which model, on as many lines as needed.

use super::canvas::{Align, Canvas, Rect, SMALL_MM, page};
use super::frame::{MARGIN_MM, Pages};
use super::style::{COLUMN_MM, Style};
use super::{Drawn, Picture};
use crate::error::ReportError;
use crate::results::Results;

const LINE_MM: f64 = 4.0;
const MARKER_MM: f64 = 3.6;
const GAP_MM: f64 = 2.4;

/// A model in the legend.
pub(crate) struct LegendEntry {
    label: usize,
    text: String,
    x: f64,
    line: usize,
}

/// A legend, laid out for a width.
pub(crate) struct Legend {
    items: Vec<LegendEntry>,
}

impl Legend {
    /// Lays out the models with these labels. There is no page yet on which text could be measured, so each character
    /// counts as 1/1.6 em, which is more than names need.
    pub(crate) fn new(labels: &[String], shown: &[usize], width_mm: f64) -> Legend {
        let mut items: Vec<LegendEntry> = Vec::new();
        let (mut x, mut line) = (0.0, 0);
        for &label in shown {
            let text = labels[label].clone();
            let width = MARKER_MM + text.chars().count() as f64 * SMALL_MM / 1.6 + GAP_MM;
            if x + width > width_mm && x > 0.0 {
                (x, line) = (0.0, line + 1);
            }
            items.push(LegendEntry { label, text, x, line });
            x += width;
        }
        Legend { items }
    }

    /// The height of the legend in millimetres.
    pub(crate) fn height(&self) -> f64 {
        self.items.last().map_or(0.0, |item| (item.line + 1) as f64 * LINE_MM + 1.0)
    }

    /// Draws the legend with its upper left corner at `(x, y)`.
    pub(crate) fn draw(&self, canvas: &Canvas<'_>, style: &Style, (x, y): (f64, f64)) -> Result<(), String> {
        for item in &self.items {
            let middle = y + (item.line as f64 + 0.5) * LINE_MM;
            let left = x + item.x;
            canvas.marker((left + 1.3, middle), style.model(item.label), false)?;
            canvas.text(&item.text, (left + MARKER_MM, middle), SMALL_MM, Align::Left, style.ink)?;
        }
        Ok(())
    }
}

/// The panels of a figure below their legend.
pub(crate) struct PanelGrid<'a> {
    /// The models that the panels show, in any order and as often as they occur.
    pub(crate) labels: Vec<usize>,
    pub(crate) count: usize,
    /// As in [`Pages::new`].
    pub(crate) rows: usize,
    pub(crate) height_mm: f64,
    /// Draws the panel of this index into this place.
    pub(crate) draw: &'a dyn Fn(&Canvas<'_>, usize, Rect) -> Result<(), String>,
}

impl PanelGrid<'_> {
    /// Adds `picture` with these panels to `drawn`.
    pub(crate) fn add_to(
        mut self,
        drawn: &mut Drawn,
        results: &Results,
        style: &Style,
        picture: Picture,
    ) -> Result<(), ReportError> {
        self.labels.sort_unstable();
        self.labels.dedup();
        let pages = Pages::new(self.count, self.rows, (COLUMN_MM - 2.0 * MARGIN_MM, self.height_mm));
        let (width, height) = pages.size();
        let legend = Legend::new(&results.grid.labels, &self.labels, width - 2.0 * MARGIN_MM);
        let svg = page((width, height + legend.height()), &picture.title, &picture.caption, |canvas| {
            legend.draw(canvas, style, (MARGIN_MM, MARGIN_MM))?;
            for index in 0..self.count {
                let place = pages.panel(index);
                (self.draw)(canvas, index, Rect { y: place.y + legend.height(), ..place })?;
            }
            Ok(())
        })
        .map_err(|message| ReportError::Figure { figure: picture.name.clone(), message })?;
        drawn.pictures.push(Picture { svg, ..picture });
        Ok(())
    }
}
