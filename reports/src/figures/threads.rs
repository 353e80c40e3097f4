//! The time of a fit against the threads that it had.

use super::axis::AxisScale;
use super::canvas::{Canvas, Rect};
use super::frame::{Axis, Tick, frame_at};
use super::marked_lines::{self, HOW_TO_TELL_APART, MarkedLine};
use super::panel_grid::{PanelGrid, of_settings};
use super::point::words;
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::cell::Cell;
use crate::error::ReportError;
use crate::format::si;
use crate::results::Results;

/// The figure `threads`.
pub(crate) struct ThreadsFigure;

const PANEL_HEIGHT_MM: f64 = 50.0;

/// A model with several numbers of threads: the label, the threads and the mean seconds of each.
type Line = Vec<(usize, usize, f64)>;

/// The models of a setting that were fitted with several numbers of threads.
struct ThreadsPanel {
    setting: usize,
    lines: Vec<Line>,
}

impl Figure for ThreadsFigure {
    fn name(&self) -> &'static str {
        "threads"
    }

    fn about(&self) -> &'static str {
        "the seconds of the fit against the threads that it had, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let caption = format!(
            "Each line is a model with the same parameters and another number of threads, the mean seconds of a fit over seeds and \
                folds. A dashed line is what the time would be if twice the threads took half of it, from the fewest threads on. Both axes are \
                logarithmic. The threads do not change what is learned. {HOW_TO_TELL_APART}"
        );
        let picture = Picture::new(self.name(), "Time of the fit against threads", caption);
        let grid = PanelGrid {
            panels: of_settings(results, panel),
            labels: &|panel| panel.lines.iter().filter_map(|line| Some(line.last()?.0)).collect(),
            dashed: &|_| Some("twice the threads, half of the time"),
            rows: 4,
            height_mm: &|_| PANEL_HEIGHT_MM,
            draw: &|canvas, panel, place| draw_panel(canvas, style, results, panel, place),
        };
        grid.drawn(&results.grid.labels, style, picture)
    }
}

fn panel(results: &Results, setting: usize) -> Option<ThreadsPanel> {
    let mut models: Vec<((&str, &str), Line)> = Vec::new();
    for (label, cell) in results.grid.row(setting) {
        let Some((model, threads, seconds)) = of_cell(cell) else { continue };
        match models.iter_mut().find(|(other, _)| *other == model) {
            Some((_, line)) => line.push((label, threads, seconds)),
            None => models.push((model, vec![(label, threads, seconds)])),
        }
    }
    let mut lines: Vec<Line> = models.into_iter().map(|(_, line)| line).collect();
    lines.iter_mut().for_each(|line| line.sort_by_key(|(_, threads, _)| *threads));
    lines.retain(|line| line.windows(2).any(|pair| pair[0].1 != pair[1].1));
    (!lines.is_empty()).then_some(ThreadsPanel { setting, lines })
}

/// The model with its parameters, its threads and its mean seconds. `None` for a cell whose cases had different numbers of
/// threads, or were not measured.
fn of_cell(cell: &Cell) -> Option<((&str, &str), usize, f64)> {
    let first = cell.trials.first()?;
    let threads = first.threads?;
    let seconds = cell.mean("fit", "fit_s")?.mean;
    let is_alike = cell.trials.iter().all(|trial| trial.threads == Some(threads));
    (is_alike && seconds > 0.0).then_some(((first.model.as_str(), first.params.as_str()), threads, seconds))
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &ThreadsPanel,
    place: Rect,
) -> Result<(), String> {
    let points = || panel.lines.iter().flatten();
    let ideal = |line: &Line| -> Option<[(f64, f64); 2]> {
        let ((_, fewest, seconds), (_, most, _)) = (line.first()?, line.last()?);
        let (fewest, most) = (*fewest as f64, *most as f64);
        Some([(fewest, *seconds), (most, seconds * fewest / most)])
    };
    let seconds =
        points().map(|(.., seconds)| *seconds).chain(panel.lines.iter().filter_map(ideal).map(|[_, (_, end)]| end));
    let threads = points().map(|(_, threads, _)| *threads as f64);
    let (Some(x), Some(y)) = (AxisScale::around(threads, true), AxisScale::around(seconds, true)) else {
        return Ok(());
    };
    let mut numbers: Vec<usize> = points().map(|(_, threads, _)| *threads).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let ticks: Vec<Tick> = numbers.into_iter().map(|number| (number as f64, number.to_string())).collect();
    let x = Axis { scale: x, title: "threads (log)".to_owned(), unit: "", reversed: false };
    let y = Axis { scale: y, title: "time of the fit (log)".to_owned(), unit: "s", reversed: false };
    let title = &results.setting(panel.setting).title;
    let (x, y) = frame_at(canvas, style, place, title, (&x, &y), Some(&ticks))?;
    for [(fewest, start), (most, end)] in panel.lines.iter().filter_map(ideal) {
        canvas.dashed((x.at(fewest), y.at(start)), (x.at(most), y.at(end)), 0.2, style.muted)?;
    }
    let line = |line: &Line| {
        let (label, threads, seconds) = line.last().copied().unwrap_or_default();
        let measured = format!("{} with {threads} threads", si(seconds, "s"));
        MarkedLine {
            label,
            points: line.iter().map(|(_, threads, seconds)| (x.at(*threads as f64), y.at(*seconds))).collect(),
            width_mm: 0.35,
            hollow: !results.is_ranked(panel.setting, label),
            words: words(results, panel.setting, label, &measured),
        }
    };
    marked_lines::draw(canvas, style, &panel.lines.iter().map(line).collect::<Vec<_>>())
}
