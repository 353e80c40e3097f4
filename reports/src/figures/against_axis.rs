//! The primary metric against an axis of the suite: the training size, or the share of wrong labels.

use super::axis::AxisScale;
use super::canvas::{Canvas, Rect};
use super::frame::{Axis, Tick};
use super::panel_grid::PanelGrid;
use super::score_lines::{self, HOW_TO_READ, LinesPanel, ScoreAt, ScoreLine, dashed, floor_of, score_at};
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::crossovers::Crossover;
use crate::error::ReportError;
use crate::format::percent;
use crate::results::Results;
use crate::setting::Setting;
use crate::varied_axis::{SettingsAlong, VariedAxis};

/// The figures `learning-curve` and `label-noise`.
pub(crate) struct AgainstAxis {
    pub(crate) axis: VariedAxis,
}

const PANEL_HEIGHT_MM: f64 = 50.0;

/// What the rings are, for a caption.
const RINGS: &str = " A ring is where two lines cross of which tests put one before, and the other after it. Its bar is the 95 % interval of \
    the number of rows; the table of crossovers has the numbers.";

/// How the models do at each value of the axis, where everything else is the same.
struct AxisPanel {
    /// The setting without the value of the axis.
    setting: Setting,
    /// The values of the axis, ascending.
    values: Vec<f64>,
    /// A line for each model's label.
    lines: Vec<ScoreLine>,
    /// The floor, if it is the same for all values.
    floor: Option<f64>,
    /// The indices of the settings, by ascending value.
    settings: Vec<usize>,
}

fn tick_label(axis: VariedAxis, value: f64) -> String {
    match axis {
        VariedAxis::TrainSize => value.to_string(),
        VariedAxis::LabelNoise => percent(value),
    }
}

fn axis_title(axis: VariedAxis) -> &'static str {
    match axis {
        VariedAxis::TrainSize => "training rows (log)",
        VariedAxis::LabelNoise => "wrong labels in %",
    }
}

impl Figure for AgainstAxis {
    fn name(&self) -> &'static str {
        match self.axis {
            VariedAxis::TrainSize => "learning-curve",
            VariedAxis::LabelNoise => "label-noise",
        }
    }

    fn about(&self) -> &'static str {
        match self.axis {
            VariedAxis::TrainSize => "the primary metric against training sizes, per task",
            VariedAxis::LabelNoise => "the primary metric against shares of wrong labels, per task",
        }
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let (title, against) = match self.axis {
            VariedAxis::TrainSize => ("Learning curves", "the number of training rows, validation rows included"),
            VariedAxis::LabelNoise => ("Wrong labels", "the share of the training labels that was made wrong"),
        };
        let crossovers = if self.axis == VariedAxis::TrainSize && !results.crossovers.is_empty() { RINGS } else { "" };
        let caption = format!("The primary metric on the test rows against {against}. {HOW_TO_READ}{crossovers}");
        let picture = Picture::new(self.name(), title, caption);
        let grid = PanelGrid {
            panels: panels(results, self.axis),
            labels: &|panel| panel.lines.iter().map(|(label, _)| *label).collect(),
            dashed: &|panel| dashed(&panel.lines),
            rows: 4,
            height_mm: &|_| PANEL_HEIGHT_MM,
            draw: &|canvas, panel, place| draw_panel(canvas, style, results, (self.axis, panel), place),
        };
        grid.drawn(&results.grid.labels, style, picture)
    }
}

/// A panel for all settings that differ in the axis only and have several values of it.
fn panels(results: &Results, axis: VariedAxis) -> Vec<AxisPanel> {
    axis.groups(&results.grid).into_iter().filter_map(|along| panel(results, axis, along)).collect()
}

fn panel(results: &Results, axis: VariedAxis, along: SettingsAlong) -> Option<AxisPanel> {
    let SettingsAlong { common: setting, settings: members } = along;
    let line = |label: usize| {
        let scores: Vec<Option<ScoreAt>> = members.iter().map(|member| score_at(results, *member, label)).collect();
        scores.iter().any(Option::is_some).then_some((label, scores))
    };
    let lines: Vec<ScoreLine> = (0..results.grid.labels.len()).filter_map(line).collect();
    let has_score = |at: &usize| lines.iter().any(|(_, scores)| scores[*at].is_some());
    let several = (0..members.len()).filter(has_score).count() > 1;
    let values = members.iter().map(|member| axis.value(results.setting(*member))).collect();
    several.then_some(AxisPanel { setting, values, lines, floor: floor_of(results, &members), settings: members })
}

/// The ends of an axis of these ascending values, with room on both sides for markers that stand beside each other.
fn with_room(values: &[f64], log: bool) -> [f64; 2] {
    const ROOM: f64 = 0.05;
    let (first, last) = (values.first().copied().unwrap_or(1.0), values.last().copied().unwrap_or(1.0));
    if log {
        let room = (last / first).powf(ROOM);
        [first / room, last * room]
    } else {
        let room = ROOM * (last - first);
        [first - room, last + room]
    }
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    (axis, panel): (VariedAxis, &AxisPanel),
    place: Rect,
) -> Result<(), String> {
    let log = axis == VariedAxis::TrainSize;
    let Some(scale) = AxisScale::around(with_room(&panel.values, log), log) else { return Ok(()) };
    let values: Vec<Tick> = panel.values.iter().map(|value| (*value, tick_label(axis, *value))).collect();
    let x = Axis { scale, title: axis_title(axis).to_owned(), unit: "", reversed: false };
    let AxisPanel { setting, lines, floor, .. } = panel;
    let crossovers: Vec<&Crossover> =
        results.crossovers.iter().filter(|crossover| log && crossover.settings == panel.settings).collect();
    let lines = LinesPanel {
        results,
        setting,
        title: &setting.title,
        x,
        values: &values,
        lines,
        joined: true,
        floor: *floor,
        crossovers: &crossovers,
    };
    score_lines::draw(canvas, style, &lines, place)
}
