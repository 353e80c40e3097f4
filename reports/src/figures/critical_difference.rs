//! Models over the settings of a run: their mean ranks, and which of them Nemenyi's test leaves apart.

use super::axis::AxisScale;
use super::canvas::{Align, Canvas, Rect, SMALL_MM, page};
use super::frame::{MARGIN_MM, page_width};
use super::spread::{MARKERS_MM, MOVED, around};
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::error::ReportError;
use crate::format::{count, p_value, significant};
use crate::over_tasks::{FEW_TASKS, OverTasks};
use crate::results::Results;

/// The figure `critical-difference`.
pub(crate) struct CriticalDifference;

/// The height of a row of labels.
const ROW_MM: f64 = 4.2;
/// The height between two bars of models that are not told apart.
const BAR_MM: f64 = 2.2;
/// The part of the width that labels at either end may take.
const LABELS: f64 = 0.34;

impl Figure for CriticalDifference {
    fn name(&self) -> &'static str {
        "critical-difference"
    }

    fn about(&self) -> &'static str {
        "mean ranks of the models over the tasks, with Nemenyi's critical difference"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let mut drawn = Drawn::default();
        let Some(over) = OverTasks::new(results) else { return Ok(drawn) };
        let title = "Mean ranks over tasks";
        let caption = caption(&over, results);
        let svg = draw(&over, results, style, title, &caption);
        drawn.pictures.push(Picture::new(self.name(), title, caption).drawn(svg)?);
        Ok(drawn)
    }
}

fn caption(over: &OverTasks, results: &Results) -> String {
    let settings = over.settings.len();
    let few = if settings < FEW_TASKS {
        format!(" With fewer than {FEW_TASKS} tasks, such tests rarely find a difference.")
    } else {
        String::new()
    };
    let seeds = over.settings.iter().flat_map(|setting| {
        over.labels.iter().filter_map(|label| Some(results.grid.cell(*setting, *label)?.trials.len()))
    });
    let (fewest, most) = seeds.fold((usize::MAX, 0), |(low, high), n| (low.min(n), high.max(n)));
    let cases = if fewest == most { count(most, "case") } else { format!("{fewest} to {most} cases") };
    let tested = over.friedman.f.unwrap_or(over.friedman.chi_square);
    let friedman = format!("Friedman's test of \"all models are the same\" has {}.", p_value(tested.p));
    format!(
        "The mean rank of each model over {settings} tasks on which all of these models are ranked, each at its most training rows; rank 1, on the left, is the \
         best. A score is the mean over seeds and folds, {cases} each. A thick bar joins models that Nemenyi's test does not tell \
         apart: their mean ranks are closer than the critical difference at 5 %, {}, which the thin bar CD shows (Demšar 2006). \
         {friedman}{few} Models that are ranked in fewer settings than others are left \
         out. {MOVED}",
        significant(over.critical_difference, 3),
    )
}

fn draw(over: &OverTasks, results: &Results, style: &Style, title: &str, caption: &str) -> Result<String, String> {
    let models = over.labels.len();
    let on_left = models.div_ceil(2);
    // A bar of one model says nothing.
    let bars: Vec<&Vec<usize>> = over.cliques.iter().filter(|clique| clique.len() > 1).collect();
    let width = page_width(style);
    let axis_y = MARGIN_MM + 11.0;
    let bars_y = axis_y + 2.4;
    let labels_y = bars_y + bars.len() as f64 * BAR_MM + 1.5;
    let height = labels_y + on_left as f64 * ROW_MM + MARGIN_MM;
    page(style.look, (width, height), title, caption, |canvas| {
        let inner = Rect { x: MARGIN_MM, y: axis_y, w: width - 2.0 * MARGIN_MM, h: 0.0 };
        let names = (inner.w * LABELS).min(widest(canvas, over, results) + 2.0);
        let Some(scale) = AxisScale::around([1.0, models as f64], false) else { return Ok(()) };
        let scale = scale.within(1.0, models as f64).between(inner.x + names, inner.right() - names);
        draw_axis(canvas, style, over, &scale, axis_y)?;
        for (level, clique) in bars.iter().enumerate() {
            let y = bars_y + (level as f64 + 0.5) * BAR_MM;
            let ends = [clique[0], clique[clique.len() - 1]].map(|place| scale.at(over.mean_ranks[place]));
            canvas.line(&[(ends[0] - 0.6, y), (ends[1] + 0.6, y)], 0.9, style.ink)?;
        }
        let markers: Vec<_> = over.mean_ranks.iter().map(|rank| (scale.at(*rank), axis_y)).collect();
        let placed = around(&markers, MARKERS_MM);
        for (place, label) in over.labels.iter().enumerate() {
            let (color, _) = style.model(*label);
            let is_left = place < on_left;
            let row = if is_left { place } else { models - 1 - place };
            let y = labels_y + (row as f64 + 0.5) * ROW_MM;
            let (at, _) = markers[place];
            let edge = if is_left { inner.x + names - 1.0 } else { inner.right() - names + 1.0 };
            canvas.line(&[(at, axis_y), (at, y), (edge, y)], 0.2, color)?;
            let text = canvas.fit(&results.grid.labels[*label], SMALL_MM, names - 1.6);
            let (end, align) = if is_left { (edge - 0.6, Align::Right) } else { (edge + 0.6, Align::Left) };
            canvas.text(&text, (end, y), SMALL_MM, align, style.ink)?;
        }
        for (place, (label, at)) in over.labels.iter().zip(placed).enumerate() {
            canvas.marker(at, style.model(*label), false)?;
            canvas.point(at, &words(over, results, place));
        }
        Ok(())
    })
}

fn widest(canvas: &Canvas<'_>, over: &OverTasks, results: &Results) -> f64 {
    over.labels.iter().map(|label| canvas.width(&results.grid.labels[*label], SMALL_MM)).fold(0.0, f64::max)
}

/// The axis of ranks, with its numbers above it, and the critical difference above these.
fn draw_axis(canvas: &Canvas<'_>, style: &Style, over: &OverTasks, scale: &AxisScale, y: f64) -> Result<(), String> {
    let (left, right) = scale.ends();
    canvas.line(&[(left, y), (right, y)], 0.2, style.ink)?;
    let ticks = scale.ticks(over.labels.len().min(8), "");
    for (rank, text) in ticks.iter().filter(|(rank, _)| rank.fract() == 0.0) {
        let at = scale.at(*rank);
        canvas.line(&[(at, y - 1.0), (at, y)], 0.2, style.ink)?;
        canvas.text(text, (at, y - 2.8), SMALL_MM, Align::Centre, style.ink)?;
    }
    let bar_y = y - 6.0;
    let length = scale.at(1.0 + over.critical_difference) - left;
    let end = left + length.min(right - left);
    canvas.line(&[(left, bar_y), (end, bar_y)], 0.3, style.ink)?;
    canvas.line(&[(left, bar_y - 0.7), (left, bar_y + 0.7)], 0.3, style.ink)?;
    // A difference that is longer than the axis has no second end.
    if length <= right - left {
        canvas.line(&[(end, bar_y - 0.7), (end, bar_y + 0.7)], 0.3, style.ink)?;
    }
    let text = format!("CD = {}", significant(over.critical_difference, 3));
    canvas.text(&text, (left, bar_y - 2.4), SMALL_MM, Align::Left, style.ink)
}

fn words(over: &OverTasks, results: &Results, place: usize) -> String {
    let label = over.labels[place];
    let cases = over.settings.iter().filter_map(|setting| results.grid.cell(*setting, label));
    let cases: Vec<&str> = cases.flat_map(|cell| cell.trials.iter().map(|trial| trial.case.as_str())).collect();
    let range = match cases.as_slice() {
        [] => String::new(),
        [only] => format!("\ncase {only}"),
        [first, .., last] => format!("\n{} cases, {first} to {last}", cases.len()),
    };
    let rank = significant(over.mean_ranks[place], 3);
    format!("{} on {}\nmean rank {rank}{range}", results.grid.labels[label], count(over.settings.len(), "task"))
}
