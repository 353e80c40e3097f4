//! The primary metric against an axis of the suite: the training size, or the share of wrong labels.

use super::axis::AxisScale;
use super::canvas::{Canvas, Point, Rect};
use super::frame::{Axis, Tick, frame_at};
use super::legend::PanelGrid;
use super::quality::limits;
use super::style::Style;
use super::{Drawn, Figure, Picture, capped};
use crate::error::ReportError;
use crate::format::percent;
use crate::record::Status;
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
/// Half the length of the strokes at the ends of a bar.
const BAR_END_MM: f64 = 0.6;

/// How the models do at each value of the axis, where everything else is the same.
struct AxisPanel {
    /// The setting without the value of the axis.
    setting: Setting,
    /// The values of the axis, ascending.
    values: Vec<f64>,
    /// For each model's label, its scores at the values; `None` where no case has a score.
    lines: Vec<(usize, Vec<Option<ScoreAt>>)>,
}

/// The scores of a model at one value of the axis, the mean over its seeds and folds.
#[derive(Clone, Copy)]
struct ScoreAt {
    mean: f64,
    sd: Option<f64>,
    train: Option<f64>,
    is_ranked: bool,
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
        let caption = format!(
            "The primary metric on the test rows against {against}. A marker is the mean over seeds and folds, and its bar is \
             one standard deviation to either side if there are several. A dashed line is the score on training rows, if it \
             was recorded. A hollow marker is not ranked: it is no better than the floor, or a seed or fold failed or is \
             missing. A line has a gap where no case has a score."
        );
        let (name, title) = (self.name().to_owned(), title.to_owned());
        let picture = Picture { name, title, caption, svg: String::new(), key: String::new() };
        let grid = PanelGrid {
            labels: panels.iter().flat_map(|panel| panel.lines.iter().map(|(label, _)| *label)).collect(),
            count: shown,
            rows: 4,
            height_mm: PANEL_HEIGHT_MM,
            draw: &|canvas, index, place| draw_panel(canvas, style, self.axis, &panels[index], place),
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
    let lines: Vec<(usize, Vec<Option<ScoreAt>>)> = (0..results.grid.labels.len()).filter_map(line).collect();
    let has_score = |at: &usize| lines.iter().any(|(_, scores)| scores[*at].is_some());
    let several = (0..members.len()).filter(has_score).count() > 1;
    let values = members.iter().map(|member| axis.value(results.setting(*member))).collect();
    several.then_some(AxisPanel { setting, values, lines })
}

fn score_at(results: &Results, setting: usize, label: usize) -> Option<ScoreAt> {
    let cell = results.grid.cell(setting, label)?;
    let primary = &results.setting(setting).task.primary;
    let test = cell.mean("score", primary)?;
    let train = cell.mean("score", &format!("{primary}_train")).map(|train| train.mean);
    Some(ScoreAt { mean: test.mean, sd: test.sd, train, is_ranked: cell.status == Status::Ok })
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    axis: VariedAxis,
    panel: &AxisPanel,
    place: Rect,
) -> Result<(), String> {
    let scores = panel.lines.iter().flat_map(|(_, scores)| scores.iter().flatten());
    let numbers = scores.flat_map(|at| {
        let sd = at.sd.unwrap_or(0.0);
        [at.mean - sd, at.mean + sd].into_iter().chain(at.train)
    });
    let log = axis == VariedAxis::TrainSize;
    let x = AxisScale::around(panel.values.iter().copied(), log);
    let (Some(x), Some(y)) = (x, AxisScale::around(numbers, false)) else { return Ok(()) };
    let setting = &panel.setting;
    let y_title = format!("{}{}", setting.primary().short_title(), setting.primary_unit());
    let x = Axis { scale: x, title: axis.title().to_owned(), unit: "", reversed: false };
    let y = Axis { scale: limits(setting, y), title: y_title, unit: "", reversed: false };
    let ticks: Vec<Tick> = panel.values.iter().map(|value| (*value, axis.label(*value))).collect();
    let (x, y) = frame_at(canvas, style, place, &setting.title, (&x, &y), Some(&ticks))?;
    let (bottom, top) = y.ends();
    for (label, scores) in &panel.lines {
        let (color, _) = style.model(*label);
        let points = panel.values.iter().zip(scores).map(|(value, score)| score.map(|score| (x.at(*value), score)));
        let points: Vec<Option<(f64, ScoreAt)>> = points.collect();
        for pair in points.windows(2) {
            let [Some((from, one)), Some((to, other))] = pair else { continue };
            canvas.line(&[(*from, y.at(one.mean)), (*to, y.at(other.mean))], 0.35, color)?;
            if let Some((one, other)) = one.train.zip(other.train) {
                canvas.dashed((*from, y.at(one)), (*to, y.at(other)), 0.25, color)?;
            }
        }
        for (at, score) in points.iter().flatten() {
            if let Some(sd) = score.sd {
                // A bar may be longer than the values that the metric can have.
                let ends = [score.mean - sd, score.mean + sd].map(|end| y.at(end).clamp(top, bottom));
                canvas.line(&ends.map(|end| (*at, end)), 0.25, color)?;
                for end in ends {
                    let stroke: [Point; 2] = [(at - BAR_END_MM, end), (at + BAR_END_MM, end)];
                    canvas.line(&stroke, 0.25, color)?;
                }
            }
            canvas.marker((*at, y.at(score.mean)), style.model(*label), !score.is_ranked)?;
        }
    }
    Ok(())
}
