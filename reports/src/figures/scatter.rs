//! Quality against a cost, with the frontier: the models that no other model beats in both. Three figures are drawn in
//! this way.

use super::axis::AxisScale;
use super::canvas::{Canvas, Point, Rect};
use super::frame::{Axis, frame};
use super::panel_grid::{PanelGrid, of_settings};
use super::point::words;
use super::quality::{limits, short_title};
use super::spread::{MARKERS_MM, around};
use super::style::Style;
use super::{Drawn, Picture};
use crate::cell::{ESTIMATE, ESTIMATE_ERROR};
use crate::cost_ratio::{interval_of_logs, of_seeds};
use crate::error::ReportError;
use crate::format::{score, si};
use crate::metric::{Better, metric};
use crate::ranking::Ranking;
use crate::results::Results;

/// The horizontal axis of a scatter figure.
pub(crate) struct Cost {
    pub(crate) phase: &'static str,
    pub(crate) metric: &'static str,
    pub(crate) unit: &'static str,
    /// The name of the axis, given the source of the numbers.
    pub(crate) title: fn(&str) -> String,
}

struct Dot {
    label: usize,
    cost: f64,
    quality: f64,
    /// The 95 % intervals over seeds or folds; `None` if there is one.
    costs: Option<[f64; 2]>,
    qualities: Option<[f64; 2]>,
    ranked: bool,
    words: String,
}

/// What a caption says about the bars of seeds.
pub(crate) const BARS_OF_SEEDS: &str = "If there are several seeds or folds, a marker is their mean, and its thin bars are 95 % \
    intervals: that of the score as in the tables, and that of the cost by Student's t over the logarithms of the seeds, or of \
    the folds if there is one seed.";

/// The models of a task with costs from one source.
struct ScatterPanel {
    title: String,
    x: Axis,
    y: Axis,
    dots: Vec<Dot>,
    better: Better,
    /// Whether the costs are estimates. Estimates rank nothing, so there is no frontier.
    estimated: bool,
}

const PANEL_HEIGHT_MM: f64 = 56.0;

/// Draws a panel for each task and each source of its costs.
pub(crate) fn draw(results: &Results, style: &Style, cost: &Cost, picture: Picture) -> Result<Drawn, ReportError> {
    let grid = PanelGrid {
        panels: of_settings(results, |results, setting| panels(results, setting, cost)),
        labels: &|panel| panel.dots.iter().map(|dot| dot.label).collect(),
        dashed: &|_| None,
        rows: 3,
        height_mm: &|_| PANEL_HEIGHT_MM,
        draw: &|canvas, panel, place| draw_panel(canvas, style, panel, place),
    };
    grid.drawn(&results.grid.labels, style, picture)
}

fn panels(results: &Results, setting: usize, cost: &Cost) -> Vec<ScatterPanel> {
    let sources = results.grid.sources(setting, cost.phase, cost.metric);
    sources.into_iter().filter_map(|source| panel(results, &results.rankings[setting], cost, source)).collect()
}

fn panel(results: &Results, ranking: &Ranking, cost: &Cost, source: &str) -> Option<ScatterPanel> {
    let setting = results.setting(ranking.setting);
    let dots: Vec<Dot> = results
        .grid
        .row(ranking.setting)
        .filter_map(|(label, cell)| {
            let model = ranking.models.iter().find(|model| model.label == label)?;
            let quality = model.primary?.mean;
            let shown = format!("{} {}", setting.primary().short_title(), score(setting.primary(), quality));
            let what = metric(cost.metric).map_or(cost.metric, |metric| metric.short_title());
            let mean_cost = cell.mean_from(cost.phase, cost.metric, source)?.mean;
            let measured = format!("{shown}, {what} {}", si(mean_cost, cost.unit));
            let costs = cell.trials.iter().filter_map(|trial| {
                let value = trial.get_from(cost.phase, cost.metric, source)?.value;
                (value > 0.0).then(|| ((trial.seed, trial.fold), value.ln()))
            });
            let of_several = model.interval().filter(|_| cell.trials.len() > 1);
            Some(Dot {
                label,
                cost: mean_cost,
                quality,
                costs: interval_of_logs(&of_seeds(costs)).map(|interval| [interval.low, interval.high]),
                qualities: of_several.map(|interval| [interval.low, interval.high]),
                ranked: model.ranks.is_some(),
                words: words(results, ranking.setting, label, &measured),
            })
        })
        .filter(|dot| dot.cost > 0.0)
        .collect();
    let estimated = source == ESTIMATE;
    let costs = dots.iter().flat_map(|dot| if estimated { range(dot) } else { dot.costs.unwrap_or([dot.cost; 2]) });
    let x = AxisScale::around(costs, true)?;
    let qualities = dots.iter().flat_map(|dot| dot.qualities.unwrap_or([dot.quality; 2]));
    let y = limits(setting, AxisScale::around(qualities, false)?);
    let better = setting.primary().better;
    let reversed = better == Better::Lower;
    Some(ScatterPanel {
        title: setting.title.clone(),
        x: Axis { scale: x, title: (cost.title)(source), unit: cost.unit, reversed: false },
        y: Axis { scale: y, title: short_title(setting), unit: "", reversed },
        dots,
        better,
        estimated,
    })
}

/// The range in which the true cost of an estimate may be.
fn range(dot: &Dot) -> [f64; 2] {
    [dot.cost * (1.0 - ESTIMATE_ERROR), dot.cost * (1.0 + ESTIMATE_ERROR)]
}

fn draw_panel(canvas: &Canvas<'_>, style: &Style, panel: &ScatterPanel, place: Rect) -> Result<(), String> {
    let (x, y) = frame(canvas, style, place, &panel.title, (&panel.x, &panel.y))?;
    if !panel.estimated {
        draw_frontier(canvas, style, &frontier(&panel.dots, panel.better), (&x, &y))?;
    }
    let places: Vec<Point> = panel.dots.iter().map(|dot| (x.at(dot.cost), y.at(dot.quality))).collect();
    let places = around(&places, MARKERS_MM);
    for (dot, (left, height)) in panel.dots.iter().zip(&places) {
        let (color, _) = style.model(dot.label);
        if panel.estimated {
            canvas.line(&range(dot).map(|cost| (x.at(cost), *height)), 0.4, color)?;
        } else if let Some(costs) = dot.costs {
            canvas.line(&costs.map(|cost| (x.at(cost), *height)), 0.2, color)?;
        }
        if let Some(qualities) = dot.qualities {
            canvas.line(&qualities.map(|quality| (*left, y.at(quality))), 0.2, color)?;
        }
    }
    for (dot, place) in panel.dots.iter().zip(places) {
        canvas.marker(place, style.model(dot.label), !dot.ranked)?;
        canvas.point(place, &dot.words);
    }
    Ok(())
}

fn draw_frontier(
    canvas: &Canvas<'_>,
    style: &Style,
    frontier: &[&Dot],
    (x, y): (&AxisScale, &AxisScale),
) -> Result<(), String> {
    let at = |dot: &Dot| (x.at(dot.cost), y.at(dot.quality));
    if let Some(cheapest) = frontier.first() {
        // The line continues to the edges, because nothing is cheaper than the cheapest model, and the best model stays
        // the best at any higher cost. The worse end of the quality axis is at the bottom of the page, in whichever
        // direction the axis runs.
        let bottom = y.ends().0.max(y.ends().1);
        let mut steps: Vec<Point> = vec![(at(cheapest).0, bottom)];
        for dot in frontier {
            let (x, y) = at(dot);
            let (_, before) = steps[steps.len() - 1];
            steps.extend([(x, before), (x, y)]);
        }
        let (_, best) = steps[steps.len() - 1];
        steps.push((x.ends().1, best));
        canvas.line(&steps, 0.3, style.muted)?;
    }
    Ok(())
}

/// The ranked dots for which no other dot is cheaper without being worse, the cheapest first.
fn frontier(dots: &[Dot], better: Better) -> Vec<&Dot> {
    let mut ranked: Vec<&Dot> = dots.iter().filter(|dot| dot.ranked).collect();
    let goodness = |dot: &Dot| better.goodness(dot.quality);
    ranked.sort_by(|a, b| a.cost.total_cmp(&b.cost).then(goodness(b).total_cmp(&goodness(a))));
    let mut best = f64::NEG_INFINITY;
    ranked.retain(|dot| {
        let improves = goodness(dot) > best;
        best = best.max(goodness(dot));
        improves
    });
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(label: usize, cost: f64, quality: f64, ranked: bool) -> Dot {
        Dot { label, cost, quality, costs: None, qualities: None, ranked, words: String::new() }
    }

    #[test]
    fn the_frontier_holds_what_nothing_ranked_beats_in_both() {
        let dots = [
            dot(0, 2.0, 0.6, true),
            dot(1, 1.0, 0.5, true),
            dot(2, 3.0, 0.55, true),
            dot(3, 0.1, 0.9, false),
            dot(4, 1.0, 0.4, true),
            dot(5, 9.0, 0.7, true),
        ];
        let labels = |better| frontier(&dots, better).iter().map(|dot| dot.label).collect::<Vec<_>>();
        assert_eq!(labels(Better::Higher), [1, 0, 5]);
        assert_eq!(labels(Better::Lower), [4]);
    }
}
