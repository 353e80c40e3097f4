//! Ablations: the primary metric against the value of one parameter, where all other parameters are the same.

use super::axis::AxisScale;
use super::canvas::{Canvas, Rect};
use super::frame::{Axis, TITLE_MM, Tick};
use super::legend::Legend;
use super::panel_grid::{OwnLegends, PanelGrid, of_settings};
use super::score_lines::{self, HOW_TO_READ, LinesPanel, ScoreAt, ScoreLine, dashed, floor_of, score_at};
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::cell::Cell;
use crate::error::ReportError;
use crate::results::Results;

/// The figure `ablation`.
pub(crate) struct Ablation;

/// The height of a panel without its legend.
const PANEL_HEIGHT_MM: f64 = 50.0 + TITLE_MM;
/// From this factor between the largest and the smallest value on, an axis is logarithmic.
const MIN_FACTOR_OF_LOG: f64 = 10.0;

/// A model's name and parameters, and the index of the label that has them.
struct Variant<'a> {
    label: usize,
    model: &'a str,
    /// Names and values, in the order of the names.
    params: Vec<(&'a str, &'a str)>,
}

/// One parameter of one model in one setting.
struct AblationPanel {
    /// The index of the setting in the grid.
    setting: usize,
    /// `trees of random-forest`, and on a second line `on cifar10`.
    title: String,
    param: String,
    axis: ValueAxis,
    lines: Vec<ScoreLine>,
    /// For each line, the other parameters that tell it from the other lines. Empty if there is one line.
    names: Vec<String>,
}

/// The values of a parameter as positions on an axis.
struct ValueAxis {
    values: Vec<Tick>,
    scale: AxisScale,
    /// Whether they are numbers, so that there are values between them.
    are_numbers: bool,
    /// What the title of the axis says about its scale.
    remark: &'static str,
}

impl Figure for Ablation {
    fn name(&self) -> &'static str {
        "ablation"
    }

    fn about(&self) -> &'static str {
        "the primary metric against the values of a parameter, per task and model"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let caption = format!(
            "The primary metric on the test rows against the value of one parameter. All other parameters of a line are the same. \
             Words, switches and numbers from 0 to much larger ones are evenly spaced. Nothing lies between words or switches, so no \
             line joins their points. Parameters that were searched for are not shown. {HOW_TO_READ}"
        );
        let picture = Picture::new(self.name(), "Ablations", caption);
        let grid = PanelGrid {
            panels: of_settings(results, panels),
            labels: &|_| Vec::new(),
            dashed: &|panel| dashed(&panel.lines),
            rows: 4,
            height_mm: &|_| PANEL_HEIGHT_MM,
            draw: &|canvas, panel, place| draw_panel(canvas, style, results, panel, place),
        };
        // Above the panels is the line of the legend that says what dashes are.
        let legends = OwnLegends { legend: &legend, above_mm: 5.0 };
        grid.drawn_with(&legends, &results.grid.labels, style, picture)
    }
}

/// The panels of a setting: one for each parameter in which alone some labels of a model differ.
fn panels(results: &Results, setting: usize) -> Vec<AblationPanel> {
    let variants: Vec<Variant<'_>> =
        results.grid.row(setting).filter_map(|(label, cell)| variant(label, cell)).collect();
    let mut panels = Vec::new();
    for model in distinct(variants.iter().map(|variant| variant.model)) {
        let of_model: Vec<&Variant<'_>> = variants.iter().filter(|variant| variant.model == model).collect();
        for param in distinct(of_model.iter().flat_map(|variant| variant.params.iter().map(|(name, _)| *name))) {
            panels.extend(panel(results, setting, param, &of_model));
        }
    }
    panels
}

/// `None` if the seeds differ in parameters, or may differ because these were searched for.
fn variant(label: usize, cell: &Cell) -> Option<Variant<'_>> {
    let first = cell.trials.first()?;
    let is_fixed = cell.trials.iter().all(|trial| trial.search.is_empty() && trial.params == first.params);
    let params: Vec<(&str, &str)> = first.params.split(' ').filter_map(|pair| pair.split_once('=')).collect();
    is_fixed.then_some(Variant { label, model: &first.model, params })
}

impl<'a> Variant<'a> {
    fn value(&self, param: &str) -> Option<&'a str> {
        self.params.iter().find(|(name, _)| *name == param).map(|(_, value)| *value)
    }

    /// The parameters without this one.
    fn without(&self, param: &str) -> Vec<(&'a str, &'a str)> {
        self.params.iter().copied().filter(|(name, _)| *name != param).collect()
    }
}

/// The panel of a parameter; `None` if no line of the model's variants has two values with a score.
fn panel(results: &Results, setting: usize, param: &str, variants: &[&Variant<'_>]) -> Option<AblationPanel> {
    let with_value = || variants.iter().filter_map(|variant| Some((*variant, variant.value(param)?)));
    let score = |others: &[(&str, &str)], value: &str| -> Option<ScoreAt> {
        let mut same = with_value().filter(|(variant, other)| *other == value && variant.without(param) == others);
        same.find_map(|(variant, _)| score_at(results, setting, variant.label))
    };
    let all_values = distinct(with_value().map(|(_, value)| value));
    let has_line =
        |others: &Vec<(&str, &str)>| all_values.iter().filter(|value| score(others, value).is_some()).count() > 1;
    let lines: Vec<Vec<(&str, &str)>> =
        distinct(with_value().map(|(variant, _)| variant.without(param))).into_iter().filter(has_line).collect();
    // A value at which every case failed is a gap in the line.
    let is_on_a_line =
        |value: &&str| with_value().any(|(variant, other)| other == *value && lines.contains(&variant.without(param)));
    let values: Vec<&str> = all_values.iter().copied().filter(is_on_a_line).collect();
    let mut axis = value_axis(values)?;
    let scores = |others: &Vec<(&str, &str)>| axis.values.iter().map(|(_, value)| score(others, value)).collect();
    let scored = lines.iter().enumerate().map(|(index, others)| (index, scores(others))).collect();
    let written: Vec<String> = axis.values.iter().map(|(_, value)| value.clone()).collect();
    for (_, value) in &mut axis.values {
        *value = short(value, written.iter().map(String::as_str));
    }
    let model = variants.first()?.model;
    let title = format!("{param} of {model}\non {}", results.setting(setting).title);
    Some(AblationPanel { setting, title, param: param.to_owned(), lines: scored, names: names(&lines), axis })
}

/// Places the values: numbers on a linear or logarithmic axis, everything else at the same distance from each other. `None` if
/// there are none.
fn value_axis(mut values: Vec<&str>) -> Option<ValueAxis> {
    let number = |value: &str| value.parse::<f64>().ok().filter(|number| number.is_finite());
    let numbers: Option<Vec<f64>> = values.iter().map(|value| number(value)).collect();
    let Some(numbers) = numbers else { return evenly_spaced(&values, false, "") };
    values.sort_by(|one, other| number(one).partial_cmp(&number(other)).unwrap_or(std::cmp::Ordering::Equal));
    let positive = || numbers.iter().copied().filter(|number| *number > 0.0);
    let (least, most) = (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
    let is_wide = most >= MIN_FACTOR_OF_LOG * least;
    let is_log = is_wide && numbers.iter().all(|number| *number > 0.0);
    if is_wide && !is_log {
        // A logarithmic axis has no 0, and on a linear one the small values would lie on each other.
        return evenly_spaced(&values, true, " (evenly spaced)");
    }
    let ticks = values.iter().filter_map(|value| Some((number(value)?, (*value).to_owned()))).collect();
    let scale = AxisScale::around(numbers.iter().copied(), is_log)?;
    Some(ValueAxis { values: ticks, scale, are_numbers: true, remark: if is_log { " (log)" } else { "" } })
}

fn evenly_spaced(values: &[&str], are_numbers: bool, remark: &'static str) -> Option<ValueAxis> {
    let last = values.len().checked_sub(1)? as f64;
    let ticks = values.iter().enumerate().map(|(place, value)| (place as f64, (*value).to_owned())).collect();
    let scale = AxisScale::around([-0.3, last + 0.3], false)?;
    Some(ValueAxis { values: ticks, scale, are_numbers, remark })
}

/// The parameters of each line that are not the same in all lines.
fn names(lines: &[Vec<(&str, &str)>]) -> Vec<String> {
    let Some((first, others)) = lines.split_first() else { return Vec::new() };
    if others.is_empty() {
        return Vec::new();
    }
    let varies = |pair: &&(&str, &str)| !lines.iter().all(|line| line.contains(pair));
    let name = |line: &Vec<(&str, &str)>| {
        let varying = line.iter().filter(varies).map(|(name, value)| {
            let of_name = lines.iter().flatten().filter(move |(other, _)| other == name);
            format!("{name}={}", short(value, of_name.map(|(_, value)| *value)))
        });
        varying.collect::<Vec<_>>().join(" ")
    };
    std::iter::once(first).chain(others).map(name).collect()
}

/// A value in few words. Of a model with its parameters, `resnet(batch=128,depth=8,…)`, it has the name and what differs from the same
/// model among `all` values.
fn short<'a>(value: &str, all: impl Iterator<Item = &'a str>) -> String {
    let parts = |value: &'a str| value.split_once('(').map(|(name, rest)| (name, rest.split(',').collect::<Vec<_>>()));
    let Some((name, rest)) = value.split_once('(') else { return value.to_owned() };
    let same: Vec<Vec<&str>> =
        all.filter_map(parts).filter(|(other, _)| *other == name).map(|(_, rest)| rest).collect();
    let differing = rest.split(',').filter(|part| !same.iter().all(|other| other.contains(part)));
    std::iter::once(name).chain(differing.map(|part| part.trim_end_matches(')'))).collect::<Vec<_>>().join(" ")
}

/// The items without those that equal one before them.
fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for item in items {
        if !found.contains(&item) {
            found.push(item);
        }
    }
    found
}

fn legend(panel: &AblationPanel, width_mm: f64) -> Legend {
    let all: Vec<usize> = (0..panel.names.len()).collect();
    Legend::new(&panel.names, &all, None, width_mm)
}

fn draw_panel(
    canvas: &Canvas<'_>,
    style: &Style,
    results: &Results,
    panel: &AblationPanel,
    place: Rect,
) -> Result<(), String> {
    let title = format!("{}{}", panel.param, panel.axis.remark);
    let x = Axis { scale: panel.axis.scale, title, unit: "", reversed: false };
    let setting = results.setting(panel.setting);
    let floor = floor_of(results, &[panel.setting]);
    let AblationPanel { title, axis: ValueAxis { values, are_numbers, .. }, lines, .. } = panel;
    let lines = LinesPanel { results, setting, title, x, values, lines, joined: *are_numbers, floor, crossovers: &[] };
    score_lines::draw(canvas, style, &lines, place)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn axis(values: &[&str]) -> (Vec<String>, &'static str) {
        let axis = value_axis(values.to_vec()).unwrap();
        (axis.values.into_iter().map(|(_, label)| label).collect(), axis.remark)
    }

    fn ordered(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn numbers_are_sorted_and_wide_ranges_are_logarithmic() {
        assert_eq!(axis(&["500", "1", "20"]), (ordered(&["1", "20", "500"]), " (log)"));
        assert_eq!(axis(&["16", "8", "64"]), (ordered(&["8", "16", "64"]), ""));
        assert_eq!(axis(&["0", "0.4", "0.2"]), (ordered(&["0", "0.2", "0.4"]), ""));
        assert_eq!(axis(&["5", "50"]), (ordered(&["5", "50"]), " (log)"));
    }

    #[test]
    fn words_keep_their_order_and_zero_before_powers_of_ten_is_evenly_spaced() {
        assert_eq!(axis(&["rbf", "linear", "3"]), (ordered(&["rbf", "linear", "3"]), ""));
        assert_eq!(axis(&["true", "false"]), (ordered(&["true", "false"]), ""));
        assert_eq!(axis(&["0", "0.1", "0.001"]), (ordered(&["0", "0.001", "0.1"]), " (evenly spaced)"));
        assert!(value_axis(Vec::new()).is_none());
    }

    #[test]
    fn a_model_as_a_value_is_named_by_what_tells_it_from_the_others() {
        let all = ["hog", "resnet(batch=128,depth=8,epochs=3)", "resnet(batch=128,depth=20,epochs=3)", "mlp(hidden=8)"];
        let found = all.map(|value| short(value, all.into_iter()));
        assert_eq!(found, ["hog", "resnet depth=8", "resnet depth=20", "mlp"]);
        let lines = [vec![("features", all[1])], vec![("features", all[3])]];
        assert_eq!(names(&lines), ["features=resnet", "features=mlp"]);
    }

    #[test]
    fn a_line_is_named_by_what_tells_it_from_the_others() {
        let lines = [vec![("crop", "0"), ("depth", "8")], vec![("crop", "4"), ("depth", "8")]];
        assert_eq!(names(&lines), ["crop=0", "crop=4"]);
        assert!(names(&lines[..1]).is_empty(), "a single line needs no name");
    }
}
