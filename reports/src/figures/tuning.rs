//! Tuning: the best validation score to be expected of so many search trials, per task.

use super::axis::AxisScale;
use super::canvas::{Canvas, Point, Rect, page};
use super::frame::{Axis, MARGIN_MM, Pages, frame};
use super::legend::Legend;
use super::quality::limits;
use super::style::{COLUMN_MM, Style};
use super::{Drawn, Figure, Picture, capped};
use crate::cell::{Cell, SearchTrial};
use crate::error::ReportError;
use crate::metric::Better;
use crate::results::Results;
use crate::statistics::expected_max;

/// The figure `tuning`.
pub(crate) struct Tuning;

const PANEL_HEIGHT_MM: f64 = 44.0;

/// What is expected of the searches of a setting.
struct TuningPanel {
    /// The index of the setting in the grid.
    setting: usize,
    /// For each model's label, the expected best score of 1, 2, … search trials.
    lines: Vec<(usize, Vec<f64>)>,
}

impl Figure for Tuning {
    fn name(&self) -> &'static str {
        "tuning"
    }

    fn about(&self) -> &'static str {
        "expected best validation score against search trials, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let mut drawn = Drawn::default();
        let panels: Vec<TuningPanel> =
            (0..results.grid.settings.len()).filter_map(|setting| panel(results, setting)).collect();
        let shown = capped(self.name(), panels.len(), &mut drawn.remarks);
        if shown == 0 {
            return Ok(drawn);
        }
        let panels = &panels[..shown];
        let picture = Picture {
            name: self.name().to_owned(),
            title: "Tuning".to_owned(),
            caption: "The best score on the validation rows that is to be expected of so many search trials: the expected \
                maximum of draws with replacement from the search trials that were made (Dodge et al. 2019), the mean over \
                seeds. A failed search trial counts as the worst of its search. A line that still rises says that more \
                search trials would have helped. The best of several scores is too good, so read no quality here."
                .to_owned(),
            svg: String::new(),
            key: String::new(),
        };
        let mut labels: Vec<usize> =
            panels.iter().flat_map(|panel| panel.lines.iter().map(|(label, _)| *label)).collect();
        labels.sort_unstable();
        labels.dedup();
        let pages = Pages::new(shown, 4, (COLUMN_MM - 2.0 * MARGIN_MM, PANEL_HEIGHT_MM));
        let (width, height) = pages.size();
        let legend = Legend::new(&results.grid.labels, &labels, width - 2.0 * MARGIN_MM);
        let svg = page((width, height + legend.height()), &picture.title, &picture.caption, |canvas| {
            legend.draw(canvas, style, (MARGIN_MM, MARGIN_MM))?;
            for (index, panel) in panels.iter().enumerate() {
                let place = pages.panel(index);
                draw_panel(canvas, style, results, panel, Rect { y: place.y + legend.height(), ..place })?;
            }
            Ok(())
        })
        .map_err(|message| ReportError::Figure { figure: self.name().to_owned(), message })?;
        drawn.pictures.push(Picture { svg, ..picture });
        Ok(drawn)
    }
}

fn panel(results: &Results, setting: usize) -> Option<TuningPanel> {
    let better = results.setting(setting).primary().better;
    let cells = results.grid.row(setting);
    let lines: Vec<(usize, Vec<f64>)> =
        cells.filter_map(|(label, cell)| Some((label, expected(better, cell)?))).collect();
    (!lines.is_empty()).then_some(TuningPanel { setting, lines })
}

/// The expected best score of 1, 2, … search trials, the mean over the cases of a cell; `None` without a score.
fn expected(better: Better, cell: &Cell) -> Option<Vec<f64>> {
    let searches: Vec<Vec<f64>> = cell.trials.iter().filter_map(|trial| goodness(better, &trial.search)).collect();
    let trials = searches.iter().map(Vec::len).min()?;
    let mean_of = |draws: usize| {
        let best = searches.iter().filter_map(|search| expected_max(search, draws as u32));
        best.sum::<f64>() / searches.len() as f64
    };
    // The goodness of a goodness is the score.
    Some((1..=trials).map(|draws| better.goodness(mean_of(draws))).collect())
}

/// The scores of search trials, larger being better; `None` if none has a score. Only those that learned from the most rows
/// count, because scores after fewer rows are not comparable.
fn goodness(better: Better, search: &[SearchTrial]) -> Option<Vec<f64>> {
    let most = search.iter().filter_map(|trial| trial.train_examples).max_by(f64::total_cmp);
    let search = || search.iter().filter(|trial| trial.train_examples.is_none() || trial.train_examples == most);
    let of = |trial: &SearchTrial| trial.score.map(|score| better.goodness(score));
    let worst = search().filter_map(of).min_by(f64::total_cmp)?;
    Some(search().map(|trial| of(trial).unwrap_or(worst)).collect())
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &TuningPanel,
    place: Rect,
) -> Result<(), String> {
    let setting = results.setting(panel.setting);
    let most = panel.lines.iter().map(|(_, line)| line.len()).max().unwrap_or(0);
    // An axis of one or two search trials would have ticks at fractions of one.
    let counts = [1.0, most.max(3) as f64];
    let scores = panel.lines.iter().flat_map(|(_, line)| line.iter().copied());
    let (Some(x), Some(y)) = (AxisScale::around(counts, false), AxisScale::around(scores, false)) else {
        return Ok(());
    };
    let title = format!("validation {}{}", setting.primary().short_title(), setting.primary_unit());
    let x = Axis { scale: x.within(0.5, f64::INFINITY), title: "search trials".to_owned(), unit: "", reversed: false };
    let y = Axis { scale: limits(setting, y), title, unit: "", reversed: false };
    let (x, y) = frame(canvas, style, place, &setting.title, (&x, &y))?;
    for (label, line) in &panel.lines {
        let (color, _) = style.model(*label);
        let points: Vec<Point> =
            line.iter().enumerate().map(|(index, score)| (x.at((index + 1) as f64), y.at(*score))).collect();
        canvas.line(&points, 0.35, color)?;
        if let Some(end) = points.last() {
            canvas.marker(*end, style.model(*label), false)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::record::Status;

    #[test]
    fn a_failed_search_trial_counts_as_the_worst_of_its_search() {
        let trial = |score| SearchTrial { params: String::new(), status: Status::Ok, score, train_examples: None };
        let search = [Some(3.0), None, Some(1.0)].map(trial);
        assert_eq!(goodness(Better::Higher, &search).unwrap(), [3.0, 1.0, 1.0]);
        assert_eq!(goodness(Better::Lower, &search).unwrap(), [-3.0, -3.0, -1.0]);
        assert_eq!(goodness(Better::Higher, &[trial(None)]), None);
    }
}
