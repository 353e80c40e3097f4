//! Tuning: the best validation score to be expected of so many search trials, per task.

use super::axis::AxisScale;
use super::canvas::{Canvas, Rect};
use super::frame::{Axis, frame};
use super::marked_lines::{self, HOW_TO_TELL_APART, MarkedLine};
use super::panel_grid::{PanelGrid, of_settings};
use super::point::words;
use super::quality::score_axis;
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::cell::{Cell, SearchTrial};
use crate::error::ReportError;
use crate::format::{count, score};
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
        let caption = format!(
            "The best score on the validation rows that is to be expected of so many search trials: the expected \
                maximum of draws with replacement from the search trials (Dodge et al. 2019), the mean over seeds. Only halving has \
                several rungs, of which the last one with several search trials counts: a single survivor leaves nothing to \
                compare. The search trials of a Bayesian search are no independent draws, so its \
                line only sums up what was tried. A failed search trial counts as the worst of its search. A flat line says that few search \
                trials were needed; a rising end says nothing. The best of several scores is too good, so read no quality here. {HOW_TO_TELL_APART}"
        );
        let picture = Picture::new(self.name(), "Tuning", caption);
        let grid = PanelGrid {
            panels: of_settings(results, panel),
            labels: &|panel| panel.lines.iter().map(|(label, _)| *label).collect(),
            dashed: &|_| None,
            rows: 4,
            height_mm: &|_| PANEL_HEIGHT_MM,
            draw: &|canvas, panel, place| draw_panel(canvas, style, results, panel, place),
        };
        grid.drawn(&results.grid.labels, style, picture)
    }
}

fn panel(results: &Results, setting: usize) -> Option<TuningPanel> {
    let better = results.setting(setting).primary().better;
    let cells = results.grid.row(setting);
    let lines: Vec<(usize, Vec<f64>)> =
        cells.filter_map(|(label, cell)| Some((label, expected(better, cell)?))).collect();
    // A search of one search trial has nothing to compare.
    lines.iter().any(|(_, line)| line.len() > 1).then_some(TuningPanel { setting, lines })
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

/// The scores of search trials, larger being better; `None` if none has a score. Only those of one rung count, because scores after
/// more or fewer rows are not comparable.
fn goodness(better: Better, search: &[SearchTrial]) -> Option<Vec<f64>> {
    let last = last_rung_of_several(search);
    let of = |trial: &SearchTrial| trial.score.map(|score| better.goodness(score));
    let worst = last.iter().filter_map(of).min_by(f64::total_cmp)?;
    Some(last.iter().map(|trial| of(trial).unwrap_or(worst)).collect())
}

/// The last rung with several search trials; that of a halving may have one survivor. The first rung, if there is none.
fn last_rung_of_several(search: &[SearchTrial]) -> &[SearchTrial] {
    let (before, last) = search.split_at(start_of_last_rung(search));
    if last.len() > 1 || before.is_empty() { last } else { last_rung_of_several(before) }
}

/// The place of the first search trial that learned from the most rows: rungs follow one another, and one that was cut off does not
/// say how many rows it had. 0 if none had fewer rows.
fn start_of_last_rung(search: &[SearchTrial]) -> usize {
    let rows = || search.iter().filter_map(|trial| trial.train_examples);
    let (Some(least), Some(most)) = (rows().min_by(f64::total_cmp), rows().max_by(f64::total_cmp)) else { return 0 };
    let first = search.iter().position(|trial| trial.train_examples == Some(most));
    if least == most { 0 } else { first.unwrap_or(0) }
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
    let counts = [1.0, most as f64];
    let scores = panel.lines.iter().flat_map(|(_, line)| line.iter().copied());
    let (Some(x), Some(y)) = (AxisScale::around(counts, false), AxisScale::around(scores, false)) else {
        return Ok(());
    };
    let scale = x.within(0.5, f64::INFINITY).whole();
    let x = Axis { scale, title: "search trials".to_owned(), unit: "", reversed: false };
    let y = score_axis(setting, y, "validation ");
    let (x, y) = frame(canvas, style, place, &setting.title, (&x, &y))?;
    let line = |(label, scores): &(usize, Vec<f64>)| {
        let points = scores.iter().enumerate().map(|(index, best)| (x.at((index + 1) as f64), y.at(*best)));
        let best = scores.last().map_or(String::new(), |best| score(setting.primary(), *best));
        let measured = format!("validation score {best} expected of {}", count(scores.len(), "search trial"));
        let words = words(results, panel.setting, *label, &measured);
        MarkedLine { label: *label, points: points.collect(), width_mm: 0.35, hollow: false, words }
    };
    marked_lines::draw(canvas, style, &panel.lines.iter().map(line).collect::<Vec<_>>())
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

    #[test]
    fn of_several_rungs_the_last_one_counts_with_its_failures() {
        let trial =
            |(rows, score)| SearchTrial { params: String::new(), status: Status::Ok, score, train_examples: rows };
        let of = |trials: &[(Option<f64>, Option<f64>)]| {
            goodness(Better::Higher, &trials.iter().copied().map(trial).collect::<Vec<_>>()).unwrap()
        };
        let few = [(Some(60.0), Some(9.0)), (None, None), (Some(60.0), Some(8.0))];
        let many = [(Some(180.0), Some(3.0)), (None, None), (Some(180.0), Some(2.0))];
        assert_eq!(of(&[few, many].concat()), [3.0, 2.0, 2.0]);
        let cut_off_first = [(None, None), (Some(180.0), Some(3.0))];
        assert_eq!(of(&cut_off_first), [3.0, 3.0], "there is one rung, and it counts whole");
        let survivor = [(Some(540.0), Some(9.5))];
        assert_eq!(of(&[few.as_slice(), &many, &survivor].concat()), [3.0, 2.0, 2.0], "a survivor has no rival");
        let of_two = [(Some(60.0), Some(1.0)), (Some(180.0), Some(2.0))];
        assert_eq!(of(&of_two), [1.0], "neither rung has several");
    }
}
