//! Anytime curves: the best validation score so far against what the fit has cost so far, per task.

use super::axis::AxisScale;
use super::canvas::{Canvas, Point, Rect};
use super::frame::{Axis, frame};
use super::marked_lines::{self, HOW_TO_TELL_APART, MarkedLine};
use super::panel_grid::{PanelGrid, of_settings};
use super::point::words_of_case;
use super::quality::score_axis;
use super::reference::draw_reference;
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::cell::{Trial, origin};
use crate::error::ReportError;
use crate::format::{score, si};
use crate::metric::Better;
use crate::record::{Curve, Status};
use crate::results::Results;

/// The figure `anytime`. It draws a picture against seconds, and one against joules if there are any.
pub(crate) struct Anytime;

const PANEL_HEIGHT_MM: f64 = 50.0;

/// What a fit costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FitCost {
    Seconds,
    Joules,
}

/// The fits of a setting whose costs are from one source.
struct AnytimePanel {
    /// The index of the setting in the grid.
    setting: usize,
    x_title: String,
    fits: Vec<FitCurve>,
    target: Option<f64>,
}

/// One fit: what it had cost at each improvement of its best validation score, and that score.
struct FitCurve {
    label: usize,
    case: String,
    /// The steps from the first epoch to the last; a single one for a model without epochs.
    steps: Vec<(f64, f64)>,
    is_ranked: bool,
    /// Whether there are other fits of the same model.
    is_one_of_several: bool,
}

impl FitCost {
    fn metric(self) -> &'static str {
        match self {
            FitCost::Seconds => "fit_s",
            FitCost::Joules => "energy_j",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            FitCost::Seconds => "s",
            FitCost::Joules => "J",
        }
    }

    fn so_far(self, epoch: &Curve) -> Option<f64> {
        match self {
            FitCost::Seconds => Some(epoch.elapsed_s),
            FitCost::Joules => epoch.energy_j,
        }
    }

    fn title(self, source: &str) -> String {
        match self {
            FitCost::Seconds => "time since the fit began (log)".to_owned(),
            FitCost::Joules => format!("fit energy, {} (log)", origin(source)),
        }
    }
}

impl Figure for Anytime {
    fn name(&self) -> &'static str {
        "anytime"
    }

    fn about(&self) -> &'static str {
        "the best validation score so far against seconds and joules of the fit, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let mut drawn = Drawn::default();
        for (cost, name, title) in [
            (FitCost::Seconds, "anytime", "Quality so far against time"),
            (FitCost::Joules, "anytime-energy", "Quality so far against energy"),
        ] {
            let grid = PanelGrid {
                panels: of_settings(results, |results, setting| panels(results, setting, cost)),
                labels: &|panel| panel.fits.iter().map(|fit| fit.label).collect(),
                dashed: &|_| None,
                rows: 4,
                height_mm: &|_| PANEL_HEIGHT_MM,
                draw: &|canvas, panel, place| draw_panel(canvas, style, results, panel, (cost, place)),
            };
            drawn.add(grid.drawn(&results.grid.labels, style, Picture::new(name, title, caption(cost)))?);
        }
        Ok(drawn)
    }
}

fn caption(cost: FitCost) -> String {
    let against = match cost {
        FitCost::Seconds => "the seconds since its fit began, validation passes included",
        FitCost::Joules => "the joules that its fit has taken so far, from the source that the axis names",
    };
    format!(
        "The best score on the validation rows so far against {against}. Each line is one seed or fold, from the end of its \
         first epoch to the end of its last. A marker without a line is a fit of one epoch or of a model without epochs. A model without \
         epochs is drawn only if the task has a target, because only then are there validation rows that it did not learn from. The \
         thin horizontal line is the target. The best of several scores is too good, so read no quality here. The members of \
         an ensemble follow one another. A hollow marker did not end as ok. {HOW_TO_TELL_APART}"
    )
}

/// A panel for each source of the costs of a setting.
fn panels(results: &Results, setting: usize, cost: FitCost) -> Vec<AnytimePanel> {
    let sources = results.grid.sources(setting, "fit", cost.metric());
    sources.into_iter().filter_map(|source| panel(results, setting, cost, source)).collect()
}

fn panel(results: &Results, setting: usize, cost: FitCost, source: &str) -> Option<AnytimePanel> {
    let better = results.setting(setting).primary().better;
    let mut fits = Vec::new();
    let mut target = None;
    for (label, cell) in results.grid.row(setting) {
        for trial in &cell.trials {
            let of_source = trial.get("fit", cost.metric()).filter(|value| value.source == source);
            let Some(whole) = of_source else { continue };
            target = target.or(trial.get("fit", "target").map(|target| target.value));
            let steps = match results.curves.get(&trial.case) {
                Some(curve) => best_so_far(curve, cost, better),
                None => at_the_end(trial, whole.value),
            };
            if steps.is_empty() {
                continue;
            }
            let is_one_of_several = cell.trials.len() > 1;
            let case = trial.case.clone();
            fits.push(FitCurve { label, case, steps, is_ranked: trial.status == Status::Ok, is_one_of_several });
        }
    }
    (!fits.is_empty()).then(|| AnytimePanel { setting, x_title: cost.title(source), fits, target })
}

/// The cost so far and the best score so far, from the first epoch with a score to the last epoch.
fn best_so_far(curve: &[Curve], cost: FitCost, better: Better) -> Vec<(f64, f64)> {
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for epoch in curve {
        // A logarithmic axis has no 0.
        let Some(so_far) = cost.so_far(epoch).filter(|so_far| *so_far > 0.0) else { continue };
        let best = steps.last().map(|(_, best)| *best);
        let score = epoch.validation.filter(|score| best.is_none_or(|best| better.prefers(*score, best)));
        if let Some(best) = score.or(best) {
            steps.push((so_far, best));
        }
    }
    steps
}

/// The one point of a model without epochs.
fn at_the_end(trial: &Trial, whole: f64) -> Vec<(f64, f64)> {
    let score = trial.get("fit", "validation").map(|score| score.value);
    score.filter(|_| whole > 0.0).map(|score| (whole, score)).into_iter().collect()
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &AnytimePanel,
    (cost, place): (FitCost, Rect),
) -> Result<(), String> {
    let setting = results.setting(panel.setting);
    let steps = || panel.fits.iter().flat_map(|fit| fit.steps.iter());
    let x = AxisScale::around(steps().map(|(cost, _)| *cost), true);
    let y = AxisScale::around(steps().map(|(_, score)| *score).chain(panel.target), false);
    let (Some(x), Some(y)) = (x, y) else { return Ok(()) };
    let x = Axis { scale: x, title: panel.x_title.clone(), unit: cost.unit(), reversed: false };
    let y = score_axis(setting, y, "best validation ");
    let (x, y) = frame(canvas, style, place, &setting.title, (&x, &y))?;
    let line_of = |fit: &FitCurve| {
        let mut line: Vec<Point> = Vec::new();
        for (cost, score) in &fit.steps {
            let (at, height) = (x.at(*cost), y.at(*score));
            line.extend(line.last().map(|(_, before)| (at, *before)));
            line.push((at, height));
        }
        line
    };
    let lines: Vec<Vec<Point>> = panel.fits.iter().map(line_of).collect();
    if let Some(target) = panel.target {
        draw_reference(canvas, (&x, &y), (target, "target"), style.ink, &lines.concat())?;
    }
    let words = |fit: &FitCurve| {
        let (spent, best) = fit.steps.last()?;
        let measured =
            format!("best validation score {} after {}", score(setting.primary(), *best), si(*spent, cost.unit()));
        Some(words_of_case(results, panel.setting, fit.label, &measured, &fit.case))
    };
    let marked = panel.fits.iter().zip(lines).map(|(fit, points)| MarkedLine {
        words: words(fit).unwrap_or_default(),
        label: fit.label,
        points,
        width_mm: if fit.is_one_of_several { 0.2 } else { 0.35 },
        hollow: !fit.is_ranked,
    });
    marked_lines::draw(canvas, style, &marked.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worse_epoch_keeps_the_best_score_and_one_without_a_score_begins_nothing() {
        let epoch = |epoch: usize, validation| Curve {
            case: String::new(),
            epoch,
            train_loss: 1.0,
            metric: "accuracy".to_owned(),
            validation,
            elapsed_s: epoch as f64,
            energy_j: None,
        };
        let curve = [epoch(1, None), epoch(2, Some(0.5)), epoch(3, Some(0.4)), epoch(4, None), epoch(5, Some(0.6))];
        let seconds = |better| best_so_far(&curve, FitCost::Seconds, better);
        assert_eq!(seconds(Better::Higher), [(2.0, 0.5), (3.0, 0.5), (4.0, 0.5), (5.0, 0.6)]);
        assert_eq!(seconds(Better::Lower), [(2.0, 0.5), (3.0, 0.4), (4.0, 0.4), (5.0, 0.4)]);
        assert!(best_so_far(&curve, FitCost::Joules, Better::Higher).is_empty());
    }
}
