//! Reliability: how often a model is right when it is so confident, per task with classes.

use super::axis::AxisScale;
use super::canvas::{Canvas, Point, Rect};
use super::frame::{Axis, frame};
use super::legend::Legend;
use super::panel_grid::{OwnLegends, PanelGrid, of_settings};
use super::point::words;
use super::spread::{MARKERS_MM, MOVED, around};
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::answers::Answers;
use crate::cell::Cell;
use crate::error::ReportError;
use crate::format::{count, significant};
use crate::results::Results;
use crate::scores::Answered;

/// The figure `reliability`.
pub(crate) struct Reliability;

/// The height of a panel without its legend.
const PANEL_HEIGHT_MM: f64 = 56.0;
/// The number of bins, all of the same width.
const BINS: usize = 10;
/// The fewest rows of a bin that is drawn. With fewer, its share of right answers says little.
const FEWEST_ROWS: usize = 10;

/// The answers whose confidence is in one bin.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Bin {
    rows: usize,
    /// The sum of the confidences.
    confidence: f64,
    right: usize,
}

struct ReliabilityPanel {
    /// The index of the setting in the grid.
    setting: usize,
    /// The bins of each model's label.
    lines: Vec<(usize, [Bin; BINS])>,
}

impl Bin {
    fn mean_confidence(&self) -> f64 {
        self.confidence / self.rows as f64
    }

    fn accuracy(&self) -> f64 {
        self.right as f64 / self.rows as f64
    }
}

impl Figure for Reliability {
    fn name(&self) -> &'static str {
        "reliability"
    }

    fn about(&self) -> &'static str {
        "the share of right answers against their confidence, with the ECE, per task"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let caption = format!(
            "The accuracy of a model's answers on the test rows against their confidence, the probability that the model gave to its \
             answer. A model on the dashed diagonal is as often right as it says; one below it is too sure. Each marker is one of \
             {BINS} bins of equal width, at the means of its rows. Bins of fewer than {FEWEST_ROWS} rows are left out, and a line \
             runs past them. ECE is the expected calibration error (Guo et al. 2017): the mean distance of the bins from the diagonal, \
             weighted by their rows, those of the left-out bins included. All seeds and folds are together. Models without \
             probabilities are not shown. {MOVED}"
        );
        let picture = Picture::new(self.name(), "Reliability", caption);
        let grid = PanelGrid {
            panels: of_settings(results, panel),
            labels: &|_| Vec::new(),
            dashed: &|_| None,
            rows: 3,
            height_mm: &|_| PANEL_HEIGHT_MM,
            draw: &|canvas, panel, place| draw_panel(canvas, style, results, panel, place),
        };
        let legends = OwnLegends { legend: &|panel, width_mm| legend(results, panel, width_mm), above_mm: 0.0 };
        grid.drawn_with(&legends, &results.grid.labels, style, picture)
    }
}

fn panel(results: &Results, setting: usize) -> Option<ReliabilityPanel> {
    let line = |(label, cell): (usize, &Cell)| {
        let answers = cell.trials.iter().filter_map(|trial| results.answers.get(&trial.case));
        Some((label, bins(answers.flat_map(judged))?))
    };
    let lines: Vec<(usize, [Bin; BINS])> = results.grid.row(setting).filter_map(line).collect();
    (!lines.is_empty()).then_some(ReliabilityPanel { setting, lines })
}

/// The confidence of each answer, and whether it is right. None without probabilities.
fn judged(answers: &Answers) -> Vec<(f64, bool)> {
    let Answered::Classes { pairs, classes, probabilities: Some(probabilities) } = answers.answered() else {
        return Vec::new();
    };
    let rows = pairs.iter().zip(probabilities.chunks(classes));
    rows.map(|((target, answer), row)| (f64::from(row[usize::from(*answer)]), target == answer)).collect()
}

/// The answers in bins of equal width; a bin has its upper end. `None` if there is no answer.
fn bins(answers: impl Iterator<Item = (f64, bool)>) -> Option<[Bin; BINS]> {
    let mut bins = [Bin::default(); BINS];
    for (confidence, is_right) in answers {
        let index = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        bins[index].rows += 1;
        bins[index].confidence += confidence;
        bins[index].right += usize::from(is_right);
    }
    bins.iter().any(|bin| bin.rows > 0).then_some(bins)
}

/// The expected calibration error: the mean over all answers of how far the accuracy of their bin is from its mean confidence
/// (Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3).
fn calibration_error(bins: &[Bin]) -> f64 {
    let rows: usize = bins.iter().map(|bin| bin.rows).sum();
    bins.iter().map(|bin| (bin.right as f64 - bin.confidence).abs()).sum::<f64>() / rows as f64
}

/// The models of a panel with their calibration errors.
fn legend(results: &Results, panel: &ReliabilityPanel, width_mm: f64) -> Legend {
    let mut names = results.grid.labels.clone();
    for (label, bins) in &panel.lines {
        names[*label] = format!("{}, ECE {:.3}", names[*label], calibration_error(bins));
    }
    let shown: Vec<usize> = panel.lines.iter().map(|(label, _)| *label).collect();
    Legend::new(&names, &shown, None, width_mm)
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &ReliabilityPanel,
    place: Rect,
) -> Result<(), String> {
    let Some(scale) = AxisScale::around([0.0, 1.0], false) else { return Ok(()) };
    let axis = |title: &str| Axis { scale: scale.within(0.0, 1.0), title: title.to_owned(), unit: "", reversed: false };
    let (x, y) =
        frame(canvas, style, place, &results.setting(panel.setting).title, (&axis("confidence"), &axis("accuracy")))?;
    canvas.dashed((x.at(0.0), y.at(0.0)), (x.at(1.0), y.at(1.0)), 0.2, style.muted)?;
    let mut markers: Vec<(usize, Point, &Bin)> = Vec::new();
    for (label, bins) in &panel.lines {
        let (color, _) = style.model(*label);
        let drawn: Vec<&Bin> = bins.iter().filter(|bin| bin.rows >= FEWEST_ROWS).collect();
        let line: Vec<Point> = drawn.iter().map(|bin| (x.at(bin.mean_confidence()), y.at(bin.accuracy()))).collect();
        canvas.line(&line, 0.3, color)?;
        markers.extend(line.into_iter().zip(drawn).map(|(at, bin)| (*label, at, bin)));
    }
    let places: Vec<Point> = markers.iter().map(|(_, at, _)| *at).collect();
    for ((label, _, bin), at) in markers.iter().zip(around(&places, MARKERS_MM)) {
        canvas.marker(at, style.model(*label), !results.is_ranked(panel.setting, *label))?;
        let [confidence, accuracy] = [bin.mean_confidence(), bin.accuracy()].map(|share| significant(share, 3));
        let measured = format!("confidence {confidence}, accuracy {accuracy} of {}", count(bin.rows, "answer"));
        canvas.point(at, &words(results, panel.setting, *label, &measured));
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_bin_has_its_upper_end_and_the_error_is_weighted_by_rows() {
        let answers = [(0.5, true), (0.5, false), (0.45, false), (0.95, true), (0.0, false)];
        let bins = bins(answers.into_iter()).unwrap();
        let rows: Vec<usize> = bins.iter().map(|bin| bin.rows).collect();
        assert_eq!(rows, [1, 0, 0, 0, 3, 0, 0, 0, 0, 1]);
        assert!(
            (bins[4].mean_confidence() - 1.45 / 3.0).abs() < 1e-12 && (bins[4].accuracy() - 1.0 / 3.0).abs() < 1e-12
        );
        // |0 - 0| from one row, |1 - 1.45| from three and |1 - 0.95| from one, over five rows.
        assert!((calibration_error(&bins) - (0.45 + 0.05) / 5.0).abs() < 1e-12);
    }

    #[test]
    fn sure_and_right_answers_have_no_error_and_sure_and_wrong_ones_the_largest() {
        let error = |is_right| calibration_error(&bins([(1.0, is_right); 4].into_iter()).unwrap());
        assert_eq!((error(true), error(false)), (0.0, 1.0));
        assert_eq!(bins(std::iter::empty()), None);
    }
}
