//! How many examples a second a network learns from, against the length of its texts.

use super::axis::AxisScale;
use super::batch_size::ticks;
use super::canvas::{Canvas, Rect};
use super::frame::{Axis, frame_at};
use super::marked_lines::{self, HOW_TO_TELL_APART, MarkedLine};
use super::panel_grid::{PanelGrid, of_settings};
use super::point::words;
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::cell::{Cell, Trial};
use crate::error::ReportError;
use crate::format::significant;
use crate::results::Results;
use crate::setting::Setting;

/// The figure `sequence-length`.
pub(crate) struct SequenceLength;

const PANEL_HEIGHT_MM: f64 = 50.0;

/// The parameter to whose length texts are cut.
const LENGTH: &str = "max_tokens";

/// A model and its parameters other than the length.
type ModelParams<'a> = (&'a str, Vec<&'a str>);

/// A model at one length.
struct AtLength {
    label: usize,
    tokens: usize,
    /// Examples per second of the fit.
    per_second: f64,
}

/// The models of a setting that learned from texts of several lengths, with one line for each model and its other parameters.
struct LengthPanel {
    setting: usize,
    lines: Vec<Vec<AtLength>>,
}

impl Figure for SequenceLength {
    fn name(&self) -> &'static str {
        "sequence-length"
    }

    fn about(&self) -> &'static str {
        "examples per second of the fit against the length of the texts, per task and device"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let caption = format!(
            "Examples that a fit learns from in a second (training rows times epochs, divided by the time of the fit, validation included), \
             against the tokens of each text. Every training text was longer than the limit max_tokens and was cut there, so all texts of a \
             point have one length. A line is one model with the same other parameters, and bears the marker of the label with the longest \
             texts. Numbers are means over seeds and folds. Both axes are logarithmic. A text that is cut may lack what decides its class, \
             so hollow markers, which are not ranked, say nothing against a time. {HOW_TO_TELL_APART}"
        );
        let picture = Picture::new(self.name(), "Speed of the fit against the length of texts", caption);
        let grid = PanelGrid {
            panels: of_settings(results, panel),
            labels: &|panel| panel.lines.iter().filter_map(|line| Some(line.last()?.label)).collect(),
            dashed: &|_| None,
            rows: 4,
            height_mm: &|_| PANEL_HEIGHT_MM,
            draw: &|canvas, panel, place| draw_panel(canvas, style, results, panel, place),
        };
        grid.drawn(&results.grid.labels, style, picture)
    }
}

fn panel(results: &Results, setting: usize) -> Option<LengthPanel> {
    let mut models: Vec<(ModelParams<'_>, Vec<AtLength>)> = Vec::new();
    for (label, cell) in results.grid.row(setting) {
        let Some((model, tokens, per_second)) = of_cell(results.setting(setting), cell) else { continue };
        let at = AtLength { label, tokens, per_second };
        match models.iter_mut().find(|(other, _)| *other == model) {
            Some((_, line)) => line.push(at),
            None => models.push((model, vec![at])),
        }
    }
    let mut lines: Vec<Vec<AtLength>> = models.into_iter().map(|(_, line)| line).collect();
    lines.iter_mut().for_each(|line| line.sort_by_key(|at| at.tokens));
    lines.retain(|line| line.windows(2).any(|pair| pair[0].tokens != pair[1].tokens));
    (!lines.is_empty()).then_some(LengthPanel { setting, lines })
}

/// The model with its other parameters, the length of its texts, and its examples per second. `None` for a cell whose texts are not all
/// of one length, or which was not measured.
fn of_cell<'a>(setting: &Setting, cell: &'a Cell) -> Option<(ModelParams<'a>, usize, f64)> {
    let first = cell.trials.first()?;
    let (lengths, others): (Vec<&str>, Vec<&str>) =
        first.params.split(' ').partition(|pair| pair.split_once('=').is_some_and(|(name, _)| name == LENGTH));
    let tokens = lengths.first()?.split_once('=')?.1.parse().ok()?;
    let is_cut = |trial: &Trial| {
        let cut = trial.get("fit", "truncated_examples");
        trial.params == first.params && cut.is_some_and(|cut| cut.value == setting.train_size as f64)
    };
    let speeds: Vec<f64> = cell.trials.iter().filter_map(speed).collect();
    let is_whole = speeds.len() == cell.trials.len() && cell.trials.iter().all(is_cut);
    let mean = speeds.iter().sum::<f64>() / speeds.len() as f64;
    is_whole.then_some(((first.model.as_str(), others), tokens, mean))
}

/// How many examples the fit of a case learned from in a second, each epoch anew.
fn speed(trial: &Trial) -> Option<f64> {
    let of = |metric: &str| trial.get("fit", metric).map(|value| value.value);
    let speed = of("train_examples")? * of("epochs")? / of("fit_s")?;
    (speed.is_finite() && speed > 0.0).then_some(speed)
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &LengthPanel,
    place: Rect,
) -> Result<(), String> {
    let points = || panel.lines.iter().flatten();
    let tokens = || points().map(|at| at.tokens as f64);
    let (Some(x), Some(y)) =
        (AxisScale::around(tokens(), true), AxisScale::around(points().map(|at| at.per_second), true))
    else {
        return Ok(());
    };
    let x = Axis { scale: x, title: "tokens of a text (log)".to_owned(), unit: "", reversed: false };
    let y = Axis { scale: y, title: "examples per second (log)".to_owned(), unit: "", reversed: false };
    let title = &results.setting(panel.setting).title;
    let (x, y) = frame_at(canvas, style, place, title, (&x, &y), Some(&ticks(tokens())))?;
    let line = |line: &Vec<AtLength>| {
        let last = line.last()?;
        let measured = format!("{} examples/s with {} tokens", significant(last.per_second, 3), last.tokens);
        Some(MarkedLine {
            label: last.label,
            points: line.iter().map(|at| (x.at(at.tokens as f64), y.at(at.per_second))).collect(),
            width_mm: 0.35,
            hollow: !results.is_ranked(panel.setting, last.label),
            words: words(results, panel.setting, last.label, &measured),
        })
    };
    marked_lines::draw(canvas, style, &panel.lines.iter().filter_map(line).collect::<Vec<_>>())
}
