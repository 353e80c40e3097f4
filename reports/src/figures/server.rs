//! Latency under load: the 99th percentile against the rate at which queries arrive, and the rates that are too high.

use super::axis::AxisScale;
use super::canvas::{Canvas, Point, Rect};
use super::frame::{Axis, frame};
use super::marked_lines::{self, HOW_TO_TELL_APART, MarkedLine};
use super::panel_grid::{PanelGrid, of_settings};
use super::point::words;
use super::reference::draw_reference;
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::cell::Cell;
use crate::error::ReportError;
use crate::format::si;
use crate::latency_tables::HighestRate;
use crate::results::Results;
use crate::statistics::most_over;

/// The figure `server`.
pub(crate) struct Server;

const PANEL_HEIGHT_MM: f64 = 50.0;
const PHASE: &str = "server";
const RATE: &str = "rate_per_s";

/// The percentile of the latency that a bound is about.
const SHARE: f64 = 0.99;

/// Rates are drawn if they differ by this factor. A search tries many that hardly differ, and lines through them would go up and down
/// with the spread of the measurements.
const APART: f64 = 1.02;

/// How far below the top of a panel the crosses are.
const CROSSES_MM: f64 = 1.3;

/// What a model did at the rates that it was tried with. Both lists ascend.
#[derive(Debug, Default, PartialEq)]
struct Load {
    /// The rates that held, each with the 99th percentile of the latency.
    held: Vec<(f64, f64)>,
    /// The rates that did not hold.
    failed: Vec<f64>,
}

struct ServerPanel {
    /// The index of the setting in the grid.
    setting: usize,
    loads: Vec<(usize, Load)>,
    /// The bound on the latency in seconds, if all models have the same.
    bound_s: Option<f64>,
}

impl Figure for Server {
    fn name(&self) -> &'static str {
        "server"
    }

    fn about(&self) -> &'static str {
        "p99 of the latency against the rate of queries, and the rates that are too high, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let caption = format!(
            "Each line has the rates of queries that a model held, and the 99th percentile of the time from the arrival of a query to its \
             answer. A cross at the top is a rate that it did not hold: too many queries were later than the bound, or the queue grew \
             without end. A dashed line leads from the highest rate that held to those above it that did not, and from the marker of a \
             model that held no rate. Of rates that differ by less than 2 %, one is drawn. All seeds and folds are together. The thin \
             line is the bound that the suite declares. Both axes are logarithmic: further right and further down is better. \
             {HOW_TO_TELL_APART}"
        );
        let picture = Picture::new(self.name(), "Latency under load", caption);
        let grid = PanelGrid {
            panels: of_settings(results, panel),
            labels: &|panel| panel.loads.iter().map(|(label, _)| *label).collect(),
            dashed: &|_| None,
            rows: 4,
            height_mm: &|_| PANEL_HEIGHT_MM,
            draw: &|canvas, panel, place| draw_panel(canvas, style, results, panel, place),
        };
        grid.drawn(&results.grid.labels, style, picture)
    }
}

fn panel(results: &Results, setting: usize) -> Option<ServerPanel> {
    let cells = || results.grid.row(setting);
    let loads = cells().map(|(label, cell)| (label, Load::of(cell)));
    let loads: Vec<(usize, Load)> = loads.filter(|(_, load)| load.rates().next().is_some()).collect();
    let mut bounds: Vec<f64> =
        cells().filter_map(|(_, cell)| cell.mean(PHASE, "declared_bound_s")).map(|bound| bound.mean).collect();
    bounds.dedup();
    let bound_s = if let [bound] = bounds[..] { Some(bound) } else { None };
    (!loads.is_empty()).then_some(ServerPanel { setting, loads, bound_s })
}

impl Load {
    fn of(cell: &Cell) -> Load {
        let mut load = Load::default();
        for trial in &cell.trials {
            let at = |metric: &str, rate: f64| {
                trial.under(PHASE, metric, RATE).find(|(other, _)| *other == rate).map(|(_, value)| value.value)
            };
            // A logarithmic axis has no 0.
            for (rate, late) in trial.under(PHASE, "late_queries", RATE).filter(|(rate, _)| *rate > 0.0) {
                // An overloaded rate ended early and has no percentile.
                let p99 = at("latency_p99_s", rate).filter(|seconds| *seconds > 0.0);
                let most = at("queries", rate).and_then(|queries| most_over(queries as usize, SHARE));
                match p99.filter(|_| most.is_some_and(|most| late.value <= most as f64)) {
                    Some(seconds) => load.held.push((rate, seconds)),
                    None => load.failed.push(rate),
                }
            }
        }
        load.held.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        load.failed.sort_by(f64::total_cmp);
        load
    }

    fn rates(&self) -> impl Iterator<Item = f64> {
        self.held.iter().map(|(rate, _)| *rate).chain(self.failed.iter().copied())
    }

    /// The rates that held and are far enough apart, among them the highest. Seeds and folds with the same rate have their mean.
    fn line(&self) -> Vec<(f64, f64)> {
        let mut line: Vec<(f64, f64)> = Vec::new();
        for same in self.held.chunk_by(|(one, _), (other, _)| one == other).rev() {
            let rate = same[0].0;
            if line.last().is_none_or(|(higher, _)| higher / rate >= APART) {
                line.push((rate, same.iter().map(|(_, seconds)| seconds).sum::<f64>() / same.len() as f64));
            }
        }
        line.reverse();
        line
    }

    /// The rates that did not hold and are far enough apart, among them the lowest.
    fn crosses(&self) -> Vec<f64> {
        let mut crosses: Vec<f64> = Vec::new();
        for rate in &self.failed {
            if crosses.last().is_none_or(|lower| rate / lower >= APART) {
                crosses.push(*rate);
            }
        }
        crosses
    }

    /// The lowest rate that did not hold above all that did.
    fn breaks_at(&self) -> Option<f64> {
        let highest = self.held.last().map_or(0.0, |(rate, _)| *rate);
        self.failed.iter().copied().find(|rate| *rate > highest)
    }
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &ServerPanel,
    place: Rect,
) -> Result<(), String> {
    let held = || panel.loads.iter().flat_map(|(_, load)| &load.held);
    let seconds: Vec<f64> = held().map(|(_, seconds)| *seconds).chain(panel.bound_s).collect();
    let rates = panel.loads.iter().flat_map(|(_, load)| load.rates());
    let (Some(x), Some(y)) = (AxisScale::around(rates, true), AxisScale::around(seconds, true)) else {
        return Ok(());
    };
    let x = Axis { scale: x, title: "rate of queries (log)".to_owned(), unit: "1/s", reversed: false };
    let y = Axis { scale: y, title: "latency p99 (log)".to_owned(), unit: "s", reversed: false };
    let (x, y) = frame(canvas, style, place, &results.setting(panel.setting).title, (&x, &y))?;
    let top = y.ends().1 + CROSSES_MM;
    let line = |(label, load): &(usize, Load)| {
        let mut points: Vec<Point> =
            load.line().into_iter().map(|(rate, seconds)| (x.at(rate), y.at(seconds))).collect();
        if points.is_empty() {
            points.extend(load.failed.first().map(|rate| (x.at(*rate), top)));
        }
        let cell = results.grid.cell(panel.setting, *label);
        let highest = match cell.map(HighestRate::of) {
            Some(HighestRate::Held(rate)) => format!("the highest rate that holds the bound is {}", si(rate, "1/s")),
            Some(HighestRate::NoneHolds) => "no rate holds the bound".to_owned(),
            Some(HighestRate::NotMeasured) | None => "the highest rate was not measured".to_owned(),
        };
        MarkedLine {
            label: *label,
            points,
            width_mm: 0.35,
            hollow: !results.is_ranked(panel.setting, *label),
            words: words(results, panel.setting, *label, &highest),
        }
    };
    let lines: Vec<MarkedLine> = panel.loads.iter().map(line).collect();
    let crosses = |load: &Load| load.crosses().into_iter().map(|rate| (rate, (x.at(rate), top))).collect::<Vec<_>>();
    if let Some(bound) = panel.bound_s {
        let of_lines = lines.iter().flat_map(|line| line.points.iter().copied());
        let of_crosses = panel.loads.iter().flat_map(|(_, load)| crosses(load)).map(|(_, at)| at);
        // The dashed lines are steep, so they cross the bound near the rate to which they lead.
        let of_dashes = panel.loads.iter().filter_map(|(_, load)| Some((x.at(load.breaks_at()?), y.at(bound))));
        let drawn: Vec<Point> = of_lines.chain(of_crosses).chain(of_dashes).collect();
        draw_reference(canvas, (&x, &y), (bound, "bound"), style.muted, &drawn)?;
    }
    for ((label, load), line) in panel.loads.iter().zip(&lines) {
        let (color, _) = style.model(*label);
        if let Some((breaks_at, last)) = load.breaks_at().zip(line.points.last()) {
            let above = load.crosses().into_iter().filter(|rate| *rate > breaks_at);
            let ends = [breaks_at].into_iter().chain(above).map(|rate| (x.at(rate), top));
            let way: Vec<Point> = [*last].into_iter().chain(ends).collect();
            for pair in way.windows(2).filter(|pair| pair[0] != pair[1]) {
                canvas.dashed(pair[0], pair[1], 0.2, color)?;
            }
        }
        for (rate, at) in crosses(load) {
            canvas.cross(at, color)?;
            let measured = format!("does not hold {}", si(rate, "1/s"));
            canvas.point(at, &words(results, panel.setting, *label, &measured));
        }
    }
    marked_lines::draw(canvas, style, &lines)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn of_rates_that_hardly_differ_the_highest_that_held_and_the_lowest_that_did_not_are_drawn() {
        let load = Load {
            held: vec![(500.0, 0.010), (690.0, 0.031), (698.0, 0.060), (702.5, 0.020)],
            failed: vec![680.0, 704.8, 707.2, 716.6, 800.0],
        };
        assert_eq!(load.line(), [(500.0, 0.010), (702.5, 0.020)]);
        assert_eq!(load.crosses(), [680.0, 704.8, 800.0]);
        assert_eq!(load.breaks_at(), Some(704.8));
    }

    #[test]
    fn seeds_that_held_the_same_rate_have_their_mean() {
        let load = Load { held: vec![(10.0, 0.1), (10.0, 0.3), (20.0, 0.4)], failed: Vec::new() };
        assert_eq!(load.line(), [(10.0, 0.2), (20.0, 0.4)]);
        assert_eq!((load.crosses(), load.breaks_at()), (Vec::new(), None));
    }

    proptest! {
        #[test]
        fn what_is_drawn_is_apart_and_has_the_rates_that_matter(
            mut held in prop::collection::vec((1.0..1e4_f64, 1e-3..1.0_f64), 0..40),
            mut failed in prop::collection::vec(1.0..1e4_f64, 0..40),
        ) {
            held.sort_by(|(one, _), (other, _)| one.total_cmp(other));
            failed.sort_by(f64::total_cmp);
            let load = Load { held, failed };
            let (line, crosses) = (load.line(), load.crosses());
            prop_assert!(line.windows(2).all(|pair| pair[1].0 / pair[0].0 >= APART));
            prop_assert!(crosses.windows(2).all(|pair| pair[1] / pair[0] >= APART));
            prop_assert_eq!(line.last().map(|(rate, _)| rate), load.held.last().map(|(rate, _)| rate));
            prop_assert_eq!(crosses.first(), load.failed.first());
        }
    }
}
