//! The primary metric against an axis of the suite: the training size, or the share of wrong labels.

use super::axis::AxisScale;
use super::canvas::{Canvas, Rect};
use super::frame::{Axis, Tick};
use super::legend::PanelGrid;
use super::score_lines::{self, HOW_TO_READ, LinesPanel, ScoreAt, ScoreLine, dashed, floor_of, score_at};
use super::style::Style;
use super::{Drawn, Figure, Picture, capped};
use crate::error::ReportError;
use crate::format::percent;
use crate::results::Results;
use crate::setting::{Setting, name_settings};

/// The axis of the suite that a figure has as its horizontal axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VariedAxis {
    TrainSize,
    LabelNoise,
}

/// The figures `learning-curve` and `label-noise`.
pub(crate) struct AgainstAxis {
    pub(crate) axis: VariedAxis,
}

const PANEL_HEIGHT_MM: f64 = 50.0;

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
}

impl VariedAxis {
    fn value(self, setting: &Setting) -> f64 {
        match self {
            VariedAxis::TrainSize => setting.train_size as f64,
            VariedAxis::LabelNoise => setting.label_noise,
        }
    }

    /// The setting without its value on the axis and without a title.
    fn without(self, setting: &Setting) -> Setting {
        let mut other = Setting { title: setting.task.name.clone(), ..setting.clone() };
        match self {
            VariedAxis::TrainSize => other.train_size = 0,
            VariedAxis::LabelNoise => other.label_noise = 0.0,
        }
        other
    }

    fn label(self, value: f64) -> String {
        match self {
            VariedAxis::TrainSize => value.to_string(),
            VariedAxis::LabelNoise => percent(value),
        }
    }

    fn title(self) -> &'static str {
        match self {
            VariedAxis::TrainSize => "training rows (log)",
            VariedAxis::LabelNoise => "wrong labels in %",
        }
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
        let mut drawn = Drawn::default();
        let panels = panels(results, self.axis);
        let shown = capped(self.name(), panels.len(), &mut drawn.remarks);
        if shown == 0 {
            return Ok(drawn);
        }
        let panels = &panels[..shown];
        let (title, against) = match self.axis {
            VariedAxis::TrainSize => ("Learning curves", "the number of training rows, validation rows included"),
            VariedAxis::LabelNoise => ("Wrong labels", "the share of the training labels that was made wrong"),
        };
        let caption = format!("The primary metric on the test rows against {against}. {HOW_TO_READ}");
        let (name, title) = (self.name().to_owned(), title.to_owned());
        let picture = Picture { name, title, caption, svg: String::new(), key: String::new() };
        let grid = PanelGrid {
            labels: panels.iter().flat_map(|panel| panel.lines.iter().map(|(label, _)| *label)).collect(),
            count: shown,
            dashed: dashed(panels.iter().map(|panel| panel.lines.as_slice())),
            rows: 4,
            height_mm: PANEL_HEIGHT_MM,
            draw: &|canvas, index, place| draw_panel(canvas, style, results, (self.axis, &panels[index]), place),
        };
        grid.add_to(&mut drawn, results, style, picture)?;
        Ok(drawn)
    }
}

/// A panel for all settings that differ in the axis only and have several values of it.
fn panels(results: &Results, axis: VariedAxis) -> Vec<AxisPanel> {
    let mut groups: Vec<(Setting, Vec<usize>)> = Vec::new();
    for (index, setting) in results.grid.settings.iter().enumerate() {
        let key = axis.without(setting);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, members)) => members.push(index),
            None => groups.push((key, vec![index])),
        }
    }
    let (mut keys, members): (Vec<Setting>, Vec<Vec<usize>>) = groups.into_iter().unzip();
    name_settings(&mut keys);
    keys.into_iter().zip(members).filter_map(|(key, members)| panel(results, axis, key, members)).collect()
}

fn panel(results: &Results, axis: VariedAxis, setting: Setting, mut members: Vec<usize>) -> Option<AxisPanel> {
    members.sort_by(|one, other| axis.value(results.setting(*one)).total_cmp(&axis.value(results.setting(*other))));
    let line = |label: usize| {
        let scores: Vec<Option<ScoreAt>> = members.iter().map(|member| score_at(results, *member, label)).collect();
        scores.iter().any(Option::is_some).then_some((label, scores))
    };
    let lines: Vec<ScoreLine> = (0..results.grid.labels.len()).filter_map(line).collect();
    let has_score = |at: &usize| lines.iter().any(|(_, scores)| scores[*at].is_some());
    let several = (0..members.len()).filter(has_score).count() > 1;
    let values = members.iter().map(|member| axis.value(results.setting(*member))).collect();
    several.then_some(AxisPanel { setting, values, lines, floor: floor_of(results, &members) })
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    (axis, panel): (VariedAxis, &AxisPanel),
    place: Rect,
) -> Result<(), String> {
    let log = axis == VariedAxis::TrainSize;
    let Some(scale) = AxisScale::around(panel.values.iter().copied(), log) else { return Ok(()) };
    let values: Vec<Tick> = panel.values.iter().map(|value| (*value, axis.label(*value))).collect();
    let x = Axis { scale, title: axis.title().to_owned(), unit: "", reversed: false };
    let AxisPanel { setting, lines, floor, .. } = panel;
    let lines =
        LinesPanel { results, setting, title: &setting.title, x, values: &values, lines, joined: true, floor: *floor };
    score_lines::draw(canvas, style, &lines, place)
}
