//! The legend. It shows which marker stands for which model, on as many lines as needed.

use std::collections::BTreeSet;
use std::ops::Range;

use super::canvas::{Align, Canvas, Rect, SMALL_MM, page, text_width};
use super::frame::{MARGIN_MM, Pages};
use super::style::Style;
use super::{Drawn, Picture};
use crate::error::ReportError;
use crate::results::Results;

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

/// The panels of a figure below their legend.
pub(crate) struct PanelGrid<'a> {
    /// The models that the panel of this index shows and the legend of its picture names.
    pub(crate) labels: &'a dyn Fn(usize) -> Vec<usize>,
    /// What the dashed lines of the panels are, if there are any.
    pub(crate) dashed: Option<&'static str>,
    pub(crate) count: usize,
    /// As in [`Pages::new`].
    pub(crate) rows: usize,
    /// The height of the panel of this index. Those of one picture all get the largest.
    pub(crate) height_mm: &'a dyn Fn(usize) -> f64,
    /// Draws the panel of this index into this place.
    pub(crate) draw: &'a dyn Fn(&Canvas<'_>, usize, Rect) -> Result<(), String>,
}

impl PanelGrid<'_> {
    /// Adds `picture` with these panels to `drawn`. If the look of the style has no room for all of them, there are several pictures.
    pub(crate) fn add_to(
        self,
        drawn: &mut Drawn,
        results: &Results,
        style: &Style,
        picture: Picture,
    ) -> Result<(), ReportError> {
        let all = Pages::new(style, self.count, self.rows, self.tallest(0..self.count));
        let parts = all.parts(style, self.legend(results, &all, 0..self.count).height());
        for (index, part) in parts.iter().enumerate() {
            let picture = picture.part(index, parts.len());
            let pages = all.of(part.len(), self.tallest(part.clone()));
            let legend = self.legend(results, &pages, part.clone());
            let svg = self.draw_part(style, &legend, &pages, part.clone(), &picture);
            drawn.pictures.push(picture.drawn(svg)?);
        }
        Ok(())
    }

    fn tallest(&self, panels: Range<usize>) -> f64 {
        panels.map(self.height_mm).fold(0.0, f64::max)
    }

    fn legend(&self, results: &Results, pages: &Pages, panels: Range<usize>) -> Legend {
        let labels: BTreeSet<usize> = panels.flat_map(self.labels).collect();
        let labels: Vec<usize> = labels.into_iter().collect();
        let (width, _) = pages.size();
        Legend::new(&results.grid.labels, &labels, self.dashed, width - 2.0 * MARGIN_MM)
    }

    /// Draws these panels on a page of their own.
    fn draw_part(
        &self,
        style: &Style,
        legend: &Legend,
        pages: &Pages,
        part: Range<usize>,
        picture: &Picture,
    ) -> Result<String, String> {
        let (width, height) = pages.size();
        page(style.look, (width, height + legend.height()), &picture.title, &picture.caption, |canvas| {
            legend.draw(canvas, style, (MARGIN_MM, MARGIN_MM))?;
            for (index, panel) in part.enumerate() {
                let place = pages.panel(index);
                (self.draw)(canvas, panel, Rect { y: place.y + legend.height(), ..place })?;
            }
            Ok(())
        })
    }
}
