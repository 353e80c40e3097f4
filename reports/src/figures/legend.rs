//! The legend. It shows which marker stands for which model, on as many lines as needed.

use super::canvas::{Align, Canvas, SMALL_MM, text_width};
use super::style::Style;

const LINE_MM: f64 = 4.0;
const MARKER_MM: f64 = 3.6;
const DASHES_MM: f64 = 7.3;
const GAP_MM: f64 = 2.4;

/// What the text of an entry explains.
enum Sample {
    /// The marker of the model with this label.
    Marker(usize),
    Dashes,
}

struct LegendEntry {
    sample: Sample,
    text: String,
    x: f64,
    line: usize,
}

impl Sample {
    /// The width that it needs left of its text.
    fn width(&self) -> f64 {
        match self {
            Sample::Marker(_) => MARKER_MM,
            Sample::Dashes => DASHES_MM,
        }
    }
}

/// A legend, laid out for a width.
pub(crate) struct Legend {
    items: Vec<LegendEntry>,
}

impl Legend {
    /// Lays out the models with these labels, and what dashed lines are if there are any.
    pub(crate) fn new(labels: &[String], shown: &[usize], dashed: Option<&str>, width_mm: f64) -> Legend {
        let mut items: Vec<LegendEntry> = Vec::new();
        let (mut x, mut line) = (0.0, 0);
        let models = shown.iter().map(|label| (Sample::Marker(*label), labels[*label].clone()));
        for (sample, text) in models.chain(dashed.map(|text| (Sample::Dashes, text.to_owned()))) {
            let width = sample.width() + text_width(&text, SMALL_MM) + GAP_MM;
            if x + width > width_mm && x > 0.0 {
                (x, line) = (0.0, line + 1);
            }
            items.push(LegendEntry { sample, text, x, line });
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
            match item.sample {
                Sample::Marker(label) => canvas.marker((left + 1.3, middle), style.model(label), false)?,
                Sample::Dashes => canvas.dashed((left, middle), (left + DASHES_MM - 1.0, middle), 0.25, style.ink)?,
            }
            canvas.text(&item.text, (left + item.sample.width(), middle), SMALL_MM, Align::Left, style.ink)?;
        }
        Ok(())
    }
}
