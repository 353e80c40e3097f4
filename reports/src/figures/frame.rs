//! The frame of a panel with two axes: title, ticks, grid lines and the names of the axes.

use std::ops::Range;

use super::axis::AxisScale;
use super::canvas::{Align, Canvas, Rect, SMALL_MM, TEXT_MM};
use super::look::PictureWidth;
use super::style::Style;

/// An axis of a panel.
pub(crate) struct Axis {
    pub(crate) scale: AxisScale,
    pub(crate) title: String,
    /// The unit, for labels on a logarithmic axis.
    pub(crate) unit: &'static str,
    /// Whether small numbers are at the top or on the right.
    pub(crate) reversed: bool,
}

/// The height of a panel's title.
pub(crate) const TITLE_MM: f64 = 5.0;
/// The height of tick labels and axis title below a panel.
pub(crate) const FOOT_MM: f64 = 8.6;
const TICK_GAP_MM: f64 = 1.0;
/// The width of a line of a vertical axis' name.
const TITLE_LINE_MM: f64 = 3.0;

/// Draws the frame into `outer`. Each line of the title takes [`TITLE_MM`] of its height. Returns the two scales with their positions on the page.
pub(crate) fn frame(
    canvas: &Canvas<'_>,
    style: &Style,
    outer: Rect,
    title: &str,
    axes: (&Axis, &Axis),
) -> Result<(AxisScale, AxisScale), String> {
    frame_at(canvas, style, outer, title, axes, None)
}

/// A number on an axis, and its label.
pub(crate) type Tick = (f64, String);

/// As [`frame`], with these ticks on the horizontal axis in place of round numbers.
pub(crate) fn frame_at(
    canvas: &Canvas<'_>,
    style: &Style,
    outer: Rect,
    title: &str,
    (x, y): (&Axis, &Axis),
    x_ticks: Option<&[Tick]>,
) -> Result<(AxisScale, AxisScale), String> {
    let y_ticks = y.scale.ticks((outer.h / 8.0) as usize, y.unit);
    let widest = y_ticks.iter().map(|(_, label)| canvas.width(label, SMALL_MM)).fold(0.0, f64::max);
    let y_titles = title_lines(canvas, &y.title, outer.h - FOOT_MM);
    let left = outer.x + 1.0 + y_titles.len() as f64 * TITLE_LINE_MM + widest + TICK_GAP_MM;
    let titles: Vec<&str> = title.split('\n').collect();
    let top = outer.y + titles.len() as f64 * TITLE_MM;
    let inner = Rect { x: left, y: top, w: outer.right() - left - 2.0, h: outer.bottom() - top - FOOT_MM };
    for (line, title) in titles.iter().enumerate() {
        let title = canvas.fit(title, TEXT_MM, inner.w);
        let middle = outer.y + (line as f64 + 0.5) * TITLE_MM;
        canvas.text(&title, (inner.x, middle), TEXT_MM, Align::Left, style.ink)?;
    }
    let laid = |axis: &Axis, start: f64, end: f64| {
        if axis.reversed { axis.scale.between(end, start) } else { axis.scale.between(start, end) }
    };
    let y_scale = laid(y, inner.bottom(), inner.y);
    for (number, label) in &y_ticks {
        let at = y_scale.at(*number);
        canvas.line(&[(inner.x, at), (inner.right(), at)], 0.1, style.grid)?;
        canvas.text(label, (inner.x - TICK_GAP_MM, at), SMALL_MM, Align::Right, style.ink)?;
    }
    for (line, y_title) in y_titles.iter().enumerate() {
        // Centred on the axis. If the name is longer than the axis, it is moved to stay inside the panel.
        let half = canvas.width(y_title, SMALL_MM) / 2.0;
        let middle = (inner.y + inner.h / 2.0).max(outer.y + half).min(outer.bottom() - half);
        let place = (outer.x + 1.6 + line as f64 * TITLE_LINE_MM, middle);
        canvas.text_up(y_title, place, SMALL_MM, Align::Centre, style.ink)?;
    }
    let x_scale = laid(x, inner.x, inner.right());
    match x_ticks {
        Some(ticks) => draw_x_axis(canvas, style, inner, &x_scale, &x.title, &apart(canvas, &x_scale, ticks))?,
        None => x_axis(canvas, style, inner, &x_scale, x)?,
    }
    canvas.line(&[(inner.x, inner.y), (inner.x, inner.bottom())], 0.15, style.muted)?;
    Ok((x_scale, y_scale))
}

/// The name of a vertical axis in lines that are no longer than the axis. They are broken before a bracket or after a comma, and within
/// such a part only where it is longer than a line by itself. What needs more than three lines is cut.
fn title_lines(canvas: &Canvas<'_>, title: &str, room_mm: f64) -> Vec<String> {
    const MOST_LINES: usize = 3;
    let fits = |line: &str| canvas.width(line, SMALL_MM) <= room_mm;
    let mut lines: Vec<String> = Vec::new();
    for part in title.replace(", ", ",\n").replace(" (", "\n(").split('\n') {
        let pieces = if fits(part) { vec![part] } else { part.split(' ').collect() };
        for piece in pieces {
            let longer = lines.last().map(|line| format!("{line} {piece}")).filter(|line| fits(line));
            match (longer, lines.last_mut()) {
                (Some(longer), Some(line)) => *line = longer,
                _ => lines.push(piece.to_owned()),
            }
        }
    }
    if lines.len() > MOST_LINES {
        let rest = lines.split_off(MOST_LINES - 1).join(" ");
        lines.push(rest);
    }
    lines.into_iter().map(|line| canvas.fit(&line, SMALL_MM, room_mm)).collect()
}

/// Draws ticks, grid lines and the name of a horizontal axis below `inner`. No label overlaps its neighbour or the edge
/// of the page.
pub(crate) fn x_axis(
    canvas: &Canvas<'_>,
    style: &Style,
    inner: Rect,
    scale: &AxisScale,
    axis: &Axis,
) -> Result<(), String> {
    let half = |label: &str| canvas.width(label, SMALL_MM) / 2.0;
    // Ticks of a logarithmic axis are not equally far apart.
    let are_apart = |ticks: &Vec<Tick>| {
        let width: f64 = ticks.iter().map(|(_, label)| 2.0 * half(label) + 2.5).sum();
        let touch_nothing = ticks.windows(2).all(|pair| {
            let [(one, one_label), (other, other_label)] = pair else { return true };
            (scale.at(*one) - scale.at(*other)).abs() >= half(one_label) + half(other_label) + TICK_GAP_MM
        });
        width <= inner.w && touch_nothing
    };
    let fitting = (1..=7).rev().map(|wanted| scale.ticks(wanted, axis.unit)).find(are_apart);
    draw_x_axis(canvas, style, inner, scale, &axis.title, &fitting.unwrap_or_default())
}

/// The ticks without the labels that would touch the next one to the right. A tick without its label stays.
fn apart(canvas: &Canvas<'_>, scale: &AxisScale, ticks: &[Tick]) -> Vec<Tick> {
    let mut free_until = f64::INFINITY;
    let mut kept: Vec<Tick> = Vec::with_capacity(ticks.len());
    for (number, label) in ticks.iter().rev() {
        let half = canvas.width(label, SMALL_MM) / 2.0;
        let fits = scale.at(*number) + half + TICK_GAP_MM < free_until;
        if fits {
            free_until = scale.at(*number) - half;
        }
        kept.push((*number, if fits { label.clone() } else { String::new() }));
    }
    kept
}

fn draw_x_axis(
    canvas: &Canvas<'_>,
    style: &Style,
    inner: Rect,
    scale: &AxisScale,
    title: &str,
    ticks: &[Tick],
) -> Result<(), String> {
    for (number, label) in ticks {
        let at = scale.at(*number);
        canvas.line(&[(at, inner.y), (at, inner.bottom())], 0.1, style.grid)?;
        canvas.line(&[(at, inner.bottom()), (at, inner.bottom() + 0.7)], 0.15, style.muted)?;
        if label.is_empty() {
            continue;
        }
        let half = canvas.width(label, SMALL_MM) / 2.0;
        // The label must not be cut off by the edge of the page, nor lie on a label at the lower end of the vertical axis.
        let at = at.max(inner.x - TICK_GAP_MM / 2.0 + half).min(inner.right() + 1.8 - half);
        canvas.text(label, (at, inner.bottom() + 2.4), SMALL_MM, Align::Centre, style.ink)?;
    }
    canvas.line(&[(inner.x, inner.bottom()), (inner.right(), inner.bottom())], 0.15, style.muted)?;
    let title = canvas.fit(title, SMALL_MM, inner.w);
    canvas.text(&title, (inner.x + inner.w / 2.0, inner.bottom() + 5.8), SMALL_MM, Align::Centre, style.ink)
}

/// Arranges panels of one size in columns, so that the page stays readable.
pub(crate) struct Pages {
    panels: usize,
    columns: usize,
    cell: (f64, f64),
}

/// The width of a page with one column, in millimetres of the page.
pub(crate) fn page_width(style: &Style) -> f64 {
    match style.look.width() {
        PictureWidth::OfColumn(width_mm) => width_mm,
        PictureWidth::OfPicture { width_mm, .. } => width_mm / style.look.magnification(),
    }
}

/// The height of a panel above a legend of its own: `most_mm`, or what a page leaves.
pub(crate) fn panel_height(style: &Style, most_mm: f64, legend_mm: f64) -> f64 {
    most_mm.min(style.look.tallest_mm() / style.look.magnification() - 2.0 * MARGIN_MM - legend_mm)
}

/// The space between panels.
const GUTTER_MM: f64 = 3.0;
/// The margin of a page.
pub(crate) const MARGIN_MM: f64 = 1.5;

impl Pages {
    /// Arranges `panels` panels of this height as the look of the style has them. In the report's look, up to `tall` of them are
    /// in one column, and more in two columns.
    pub(crate) fn new(style: &Style, panels: usize, tall: usize, height_mm: f64) -> Pages {
        let (columns, width_mm) = match style.look.width() {
            PictureWidth::OfColumn(width_mm) => (if panels <= tall { 1 } else { 2 }, width_mm - 2.0 * MARGIN_MM),
            PictureWidth::OfPicture { abreast, .. } => {
                let columns = panels.clamp(1, abreast);
                let gutters = (columns - 1) as f64 * GUTTER_MM;
                (columns, (page_width(style) - 2.0 * MARGIN_MM - gutters) / columns as f64)
            }
        };
        Pages { panels, columns, cell: (width_mm, height_mm) }
    }

    /// The panels in parts of one picture each: as many rows as the look of the style has room for below a legend of this height,
    /// and at least one.
    pub(crate) fn parts(&self, style: &Style, legend_mm: f64) -> Vec<Range<usize>> {
        let room = style.look.tallest_mm() / style.look.magnification() - legend_mm - 2.0 * MARGIN_MM;
        let rows = ((room + GUTTER_MM) / (self.cell.1 + GUTTER_MM)).max(1.0) as usize;
        let most = rows.saturating_mul(self.columns);
        (0..self.panels.div_ceil(most))
            .map(|part| part * most..self.panels.min((part + 1).saturating_mul(most)))
            .collect()
    }

    /// The same arrangement of so many panels of this height.
    pub(crate) fn of(&self, panels: usize, height_mm: f64) -> Pages {
        Pages { panels, cell: (self.panel_width(), height_mm), ..*self }
    }

    /// The width of a panel.
    pub(crate) fn panel_width(&self) -> f64 {
        self.cell.0
    }

    /// The width and the height of the page.
    pub(crate) fn size(&self) -> (f64, f64) {
        let (w, h) = self.cell;
        let sum = |n: usize, one: f64| n as f64 * one + n.saturating_sub(1) as f64 * GUTTER_MM + 2.0 * MARGIN_MM;
        (sum(self.columns, w), sum(self.panels.div_ceil(self.columns), h))
    }

    /// The place of a panel.
    pub(crate) fn panel(&self, index: usize) -> Rect {
        let (w, h) = self.cell;
        let (column, row) = (index % self.columns, index / self.columns);
        Rect { x: MARGIN_MM + column as f64 * (w + GUTTER_MM), y: MARGIN_MM + row as f64 * (h + GUTTER_MM), w, h }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::cell::RefCell;

    use super::super::canvas::page;
    use super::super::look::Look;
    use super::*;

    /// The lines of an axis' name on an axis of this length.
    fn lines(title: &str, room_mm: f64) -> Vec<String> {
        let lines = RefCell::default();
        let draw = |canvas: &Canvas<'_>| {
            *lines.borrow_mut() = title_lines(canvas, title, room_mm);
            Ok(())
        };
        page(Look::Web, (50.0, 50.0), "", "", draw).unwrap();
        lines.into_inner()
    }

    #[test]
    fn the_name_of_an_axis_is_broken_where_a_part_of_it_begins_and_keeps_every_word() {
        let title = "energy per prediction, estimate ± 40 % (log)";
        assert_eq!(lines(title, 100.0), [title]);
        assert_eq!(lines(title, 41.4), ["energy per prediction,", "estimate ± 40 % (log)"]);
        assert_eq!(lines("validation MSE, °² (lower is better)", 30.0), ["validation MSE, °²", "(lower is better)"]);
        assert_eq!(lines("latency under load", 16.0), ["latency", "under load"]);
        assert_eq!(lines("", 15.0), [""]);
        let long = lines(&"unit of a user ".repeat(40), 41.4);
        assert!(long.len() == 3 && long[2].ends_with('…'), "{long:?}");
    }
}
