//! The panels of a figure in rows and columns, below their legend.

use std::collections::BTreeSet;

use super::canvas::{Canvas, Rect, page};
use super::frame::{MARGIN_MM, Pages, panel_height};
use super::legend::Legend;
use super::style::Style;
use super::{Drawn, Picture};
use crate::error::ReportError;
use crate::results::Results;

/// The largest number of panels of a figure.
const MAX_PANELS: usize = 12;

/// The panels of a figure below their legend.
pub(crate) struct PanelGrid<'a, P> {
    pub(crate) panels: Vec<P>,
    /// What a panel shows and the legend of its picture names, as indices into the names: mostly models.
    pub(crate) labels: &'a dyn Fn(&P) -> Vec<usize>,
    /// What the dashed lines of a panel are, if it has any.
    pub(crate) dashed: &'a dyn Fn(&P) -> Option<&'static str>,
    /// As in [`Pages::new`].
    pub(crate) rows: usize,
    /// The height of a panel. Those of one picture all get the largest.
    pub(crate) height_mm: &'a dyn Fn(&P) -> f64,
    /// Draws a panel into this place.
    pub(crate) draw: &'a dyn Fn(&Canvas<'_>, &P, Rect) -> Result<(), String>,
}

/// Legends below the panels: each panel has its own.
pub(crate) struct OwnLegends<'a, P> {
    /// The legend of a panel, laid out for this width.
    pub(crate) legend: &'a dyn Fn(&P, f64) -> Legend,
    /// The height that the page keeps for the legend above all panels.
    pub(crate) above_mm: f64,
}

/// The panels of all settings.
pub(crate) fn of_settings<'a, P: IntoIterator>(
    results: &'a Results,
    panels: impl Fn(&'a Results, usize) -> P,
) -> Vec<P::Item> {
    (0..results.grid.settings.len()).flat_map(|setting| panels(results, setting)).collect()
}

impl<P> PanelGrid<'_, P> {
    /// Draws `picture` with the first [`MAX_PANELS`] panels, and remarks on the others. If the look of the style has no
    /// room for all of them, there are several pictures. Without a panel there is none. The legend has these `names`.
    pub(crate) fn drawn(mut self, names: &[String], style: &Style, picture: Picture) -> Result<Drawn, ReportError> {
        let mut drawn = Drawn { pictures: Vec::new(), remarks: self.cap(&picture.name) };
        let all = Pages::new(style, self.panels.len(), self.rows, self.tallest(&self.panels));
        let parts = all.parts(style, self.legend(names, &all, &self.panels).height());
        for (index, part) in parts.iter().enumerate() {
            let picture = picture.part(index, parts.len());
            let panels = &self.panels[part.clone()];
            let pages = all.of(panels.len(), self.tallest(panels));
            let legend = self.legend(names, &pages, panels);
            let svg = self.draw_part(style, &legend, &pages, panels, &picture);
            drawn.pictures.push(picture.drawn(svg)?);
        }
        Ok(drawn)
    }

    /// As [`PanelGrid::drawn`], with a legend below each panel. Where the page has no room for both, the panels are
    /// lower.
    pub(crate) fn drawn_with(
        mut self,
        legends: &OwnLegends<'_, P>,
        names: &[String],
        style: &Style,
        picture: Picture,
    ) -> Result<Drawn, ReportError> {
        let mut remarks = self.cap(&picture.name);
        let tallest = self.tallest(&self.panels);
        let width = Pages::new(style, self.panels.len(), self.rows, tallest).panel_width();
        let with_legend = |panel: P| {
            let legend = (legends.legend)(&panel, width);
            (panel, legend)
        };
        let panels: Vec<(P, Legend)> = self.panels.into_iter().map(with_legend).collect();
        let legend_mm = panels.iter().map(|(_, legend)| legend.height()).fold(0.0, f64::max);
        let panel_mm = panel_height(style, tallest, legend_mm + legends.above_mm);
        let grid = PanelGrid {
            panels,
            labels: &|(panel, _)| (self.labels)(panel),
            dashed: &|(panel, _)| (self.dashed)(panel),
            rows: self.rows,
            height_mm: &|(_, legend)| panel_mm + legend.height(),
            draw: &|canvas, (panel, legend), place| {
                (self.draw)(canvas, panel, Rect { h: panel_mm, ..place })?;
                legend.draw(canvas, style, (place.x, place.y + panel_mm))
            },
        };
        let mut drawn = grid.drawn(names, style, picture)?;
        drawn.remarks.append(&mut remarks);
        Ok(drawn)
    }

    /// Keeps the first panels only. The remark on the others, if there are any.
    fn cap(&mut self, figure: &str) -> Vec<String> {
        let panels = self.panels.len();
        self.panels.truncate(MAX_PANELS);
        let remark =
            || format!("Figure {figure} shows the first {MAX_PANELS} of {panels} panels. The tables have all of them.");
        (panels > MAX_PANELS).then(remark).into_iter().collect()
    }

    fn tallest(&self, panels: &[P]) -> f64 {
        panels.iter().map(self.height_mm).fold(0.0, f64::max)
    }

    fn legend(&self, names: &[String], pages: &Pages, panels: &[P]) -> Legend {
        let labels: BTreeSet<usize> = panels.iter().flat_map(self.labels).collect();
        let labels: Vec<usize> = labels.into_iter().collect();
        // What is dashed in one picture is named in all of them.
        let dashed = self.panels.iter().find_map(self.dashed);
        let (width, _) = pages.size();
        Legend::new(names, &labels, dashed, width - 2.0 * MARGIN_MM)
    }

    /// Draws these panels on a page of their own.
    fn draw_part(
        &self,
        style: &Style,
        legend: &Legend,
        pages: &Pages,
        panels: &[P],
        picture: &Picture,
    ) -> Result<String, String> {
        let (width, height) = pages.size();
        page(style.look, (width, height + legend.height()), &picture.title, &picture.caption, |canvas| {
            legend.draw(canvas, style, (MARGIN_MM, MARGIN_MM))?;
            for (index, panel) in panels.iter().enumerate() {
                let place = pages.panel(index);
                (self.draw)(canvas, panel, Rect { y: place.y + legend.height(), ..place })?;
            }
            Ok(())
        })
    }
}
