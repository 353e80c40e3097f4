//! The legend. It shows which marker stands for which model, on as many lines as needed.

use super::canvas::{Align, Canvas, SMALL_MM};
use super::style::Style;

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
