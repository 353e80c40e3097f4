//! Lines of the primary metric, one point for each value of what varies. Figures against an axis of the suite or against a
//! parameter share them.

use super::axis::AxisScale;
use super::canvas::{BAR_END_MM, Canvas, MARKER_RADIUS_MM, Point, Rect};
use super::frame::{Axis, Tick, frame_at};
use super::point::words;
use super::quality::score_axis;
use super::reference::{draw_reference, draw_word};
use super::spread::{MARKERS_MM, Upright, sideways};
use super::style::Style;
use crate::crossovers::Crossover;
use crate::format::score;
use crate::results::Results;
use crate::setting::Setting;
use crate::statistics::Interval;
use crate::table::TableCell;

/// Half the length of the dashes that show a score on training rows where no line joins the points.
const TRAIN_MARK_MM: f64 = 1.6;
/// The most of the space between two values that the points of one value take together.
const MOST_OF_GAP: f64 = 0.5;
/// How far a point is moved from its value at most.
const MOST_MOVED_MM: f64 = 4.5;

/// How to read the lines, for a caption.
pub(crate) const HOW_TO_READ: &str = "A marker is the mean over seeds and folds, and its bar is the 95 % interval, of other \
    seeds and test examples, or of test examples only if there is one seed. A dashed line with a small marker at its end is the score on training rows, if it was recorded. A hollow \
    marker is not ranked: it is no better than the floor, or a seed or fold failed or is missing. A line has a gap where no case has a score. The thin line is \
    the floor, which a constant answer scores, if it is the same for all values. An arrow points to a floor that is far away. Points \
    at one value stand beside each other where they would hide each other.";

/// The scores of a model in one setting, the mean over its seeds and folds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ScoreAt {
    pub(crate) mean: f64,
    /// The 95 % interval, as in the tables.
    pub(crate) interval: Option<Interval>,
    /// The score on training rows, if it was recorded.
    pub(crate) train: Option<f64>,
    pub(crate) is_ranked: bool,
    /// The setting and the label.
    of: (usize, usize),
}

impl ScoreAt {
    /// The ends of the interval; the mean twice without one.
    fn ends(&self) -> [f64; 2] {
        self.interval.map_or([self.mean; 2], |interval| [interval.low, interval.high])
    }
}

/// A line: the index of its colour and marker in [`Style::model`], and its scores at the values; `None` where no case has a score.
pub(crate) type ScoreLine = (usize, Vec<Option<ScoreAt>>);

/// A panel of lines.
pub(crate) struct LinesPanel<'a> {
    pub(crate) results: &'a Results,
    pub(crate) setting: &'a Setting,
    pub(crate) title: &'a str,
    pub(crate) x: Axis,
    /// The values on the horizontal axis.
    pub(crate) values: &'a [Tick],
    pub(crate) lines: &'a [ScoreLine],
    /// Whether the points of a line are joined: not if nothing lies between two values.
    pub(crate) joined: bool,
    pub(crate) floor: Option<f64>,
    /// The lines that cross.
    pub(crate) crossovers: &'a [&'a Crossover],
}

/// A score with its place on the horizontal axis; `None` where no case has a score.
type PlacedScore = Option<(f64, ScoreAt)>;

/// The scores of a label in a setting; `None` if no case has a score.
pub(crate) fn score_at(results: &Results, setting: usize, label: usize) -> Option<ScoreAt> {
    let cell = results.grid.cell(setting, label)?;
    let primary = &results.setting(setting).task.primary;
    let model = results.rankings[setting].models.iter().find(|model| model.label == label)?;
    let test = model.primary?;
    let train = cell.mean("score", &format!("{primary}_train")).map(|train| train.mean);
    Some(ScoreAt {
        mean: test.mean,
        interval: model.interval(),
        train,
        is_ranked: results.is_ranked(setting, label),
        of: (setting, label),
    })
}

/// The floor of these settings; `None` if it is not the same in all of them.
pub(crate) fn floor_of(results: &Results, settings: &[usize]) -> Option<f64> {
    let mut floors = settings.iter().filter_map(|setting| results.rankings[*setting].floor);
    let first = floors.next().filter(|floor| floor.is_finite())?;
    // Means of the same numbers in another order differ by rounding.
    floors.all(|floor| (floor - first).abs() <= 1e-9 * first.abs()).then_some(first)
}

/// What the dashed lines of a panel with these lines are, if there are any.
pub(crate) fn dashed(lines: &[ScoreLine]) -> Option<&'static str> {
    let mut scores = lines.iter().flat_map(|(_, scores)| scores.iter().flatten());
    scores.any(|score| score.train.is_some()).then_some("on training rows")
}

/// Draws the panel into `place`.
pub(crate) fn draw(canvas: &Canvas<'_>, style: &Style, panel: &LinesPanel<'_>, place: Rect) -> Result<(), String> {
    let scores = panel.lines.iter().flat_map(|(_, scores)| scores.iter().flatten());
    let numbers: Vec<f64> = scores.flat_map(|at| at.ends().into_iter().chain([at.mean]).chain(at.train)).collect();
    let near_floor = panel.floor.filter(|floor| is_near(*floor, &numbers));
    let Some(scale) = AxisScale::around(numbers.into_iter().chain(near_floor), false) else { return Ok(()) };
    let setting = panel.setting;
    let y = score_axis(setting, scale, "");
    let (x, y) = frame_at(canvas, style, place, panel.title, (&panel.x, &y), Some(panel.values))?;
    let lines = panel.lines.iter().map(|(_, scores)| at_values(panel, scores, &x)).collect();
    let lines = apart(panel, lines, (&x, &y));
    if let Some(floor) = panel.floor {
        let drawn: Vec<Point> = lines.iter().flat_map(|points| samples(points, panel.joined, &y)).collect();
        let (bottom, top) = y.ends();
        let at = y.at(floor);
        if (top..=bottom).contains(&at) {
            draw_reference(canvas, (&x, &y), (floor, "floor"), style.muted, &drawn)?;
        } else {
            let (edge, arrow) = if at > bottom { (bottom, "↓") } else { (top, "↑") };
            let word = format!("floor {} {arrow}", score(setting.primary(), floor));
            draw_word(canvas, (&x, &y), (edge, &word), style.muted, &drawn)?;
        }
    }
    for ((color, _), points) in panel.lines.iter().zip(&lines) {
        draw_line(canvas, style, *color, (points, panel.joined), &y)?;
        for (at, score) in points.iter().flatten() {
            canvas.point((*at, y.at(score.mean)), &words_of(panel.results, score));
        }
    }
    for crossover in panel.crossovers {
        draw_crossover(canvas, style, panel, crossover, (&x, &y))?;
    }
    Ok(())
}

/// Draws a ring where two lines cross, with a bar along the horizontal axis for its interval.
fn draw_crossover(
    canvas: &Canvas<'_>,
    style: &Style,
    panel: &LinesPanel<'_>,
    crossover: &Crossover,
    (x, y): (&AxisScale, &AxisScale),
) -> Result<(), String> {
    let centre = (x.at(crossover.rows), y.at(crossover.score));
    let ends = [crossover.interval.low, crossover.interval.high].map(|rows| (x.at(rows), true));
    canvas.ring_with_bar(centre, ends, style.ink)?;
    let label = |label: usize| &panel.results.grid.labels[label];
    let (fewer, more) = (label(crossover.with_fewer), label(crossover.with_more));
    canvas.point(centre, &format!("{fewer} and {more} cross\nat {} training rows", crossover.rows_text()));
    Ok(())
}

/// Whether the axis of these numbers has room for the floor. Far from them, it would press the lines together.
fn is_near(floor: f64, numbers: &[f64]) -> bool {
    const MOST_OF_SPAN: f64 = 1.0;
    let (low, high) =
        numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    (low - floor).max(floor - high) <= MOST_OF_SPAN * (high - low)
}

/// The lines with the points moved sideways that would cover each other, or each other's bars.
fn apart(
    panel: &LinesPanel<'_>,
    mut lines: Vec<Vec<PlacedScore>>,
    (x, y): (&AxisScale, &AxisScale),
) -> Vec<Vec<PlacedScore>> {
    let upright = |(at, score): &(f64, ScoreAt)| {
        let ends = score.ends().map(|end| y.at(end));
        Upright {
            at: *at,
            top: ends[0].min(ends[1]) - MARKER_RADIUS_MM,
            bottom: ends[0].max(ends[1]) + MARKER_RADIUS_MM,
        }
    };
    let marks: Vec<Upright> = lines.iter().flatten().flatten().map(upright).collect();
    let gaps = panel.values.windows(2).map(|pair| match pair {
        [(one, _), (other, _)] => (x.at(*one) - x.at(*other)).abs(),
        _ => f64::INFINITY,
    });
    let room = MOST_OF_GAP * gaps.fold(f64::INFINITY, f64::min) / 2.0;
    // Every marker stays within the frame.
    let (left, right) = x.ends();
    let places = || panel.values.iter().map(|(value, _)| x.at(*value));
    let edge = places().fold(f64::INFINITY, |room, at| room.min(at - left).min(right - at)) - MARKER_RADIUS_MM;
    let most = MOST_MOVED_MM.min(room).min(edge).max(0.0);
    // Each line has a place, to one side or the other.
    let step = MARKERS_MM.min(most / (panel.lines.len() / 2).max(1) as f64);
    for ((at, _), moved) in lines.iter_mut().flatten().flatten().zip(sideways(&marks, step, most)) {
        *at = moved;
    }
    lines
}

/// The scores with their positions on the horizontal axis.
fn at_values(panel: &LinesPanel<'_>, scores: &[Option<ScoreAt>], x: &AxisScale) -> Vec<PlacedScore> {
    let values = panel.values.iter().map(|(value, _)| x.at(*value));
    values.zip(scores).map(|(at, score)| score.map(|score| (at, score))).collect()
}

/// Points along the line, its bars and its dashed line, which a word should not hide.
fn samples(points: &[PlacedScore], joined: bool, y: &AxisScale) -> Vec<Point> {
    const STEPS: usize = 12;
    let between = |(from, one): Point, (to, other): Point| {
        (0..=STEPS).map(move |step| {
            let share = step as f64 / STEPS as f64;
            (from + (to - from) * share, one + (other - one) * share)
        })
    };
    let mut found = Vec::new();
    for pair in points.windows(2).filter(|_| joined) {
        let [Some((from, one)), Some((to, other))] = pair else { continue };
        found.extend(between((*from, y.at(one.mean)), (*to, y.at(other.mean))));
        if let Some((one, other)) = one.train.zip(other.train) {
            found.extend(between((*from, y.at(one)), (*to, y.at(other))));
        }
    }
    for (at, score) in points.iter().flatten() {
        let [low, high] = score.ends().map(|end| y.at(end));
        found.extend(between((*at, low), (*at, high)));
        found.extend(score.train.map(|train| (*at, y.at(train))).filter(|_| !joined));
    }
    found
}

fn words_of(results: &Results, at: &ScoreAt) -> String {
    let (setting, label) = at.of;
    let metric = results.setting(setting).primary();
    let score = TableCell::Estimate { metric, value: at.mean, interval: at.interval }.text();
    words(results, setting, label, &format!("{} {score}", metric.short_title()))
}

/// Draws a line through its scores, each with its position on the horizontal axis; or the scores alone, if they are not joined.
fn draw_line(
    canvas: &Canvas<'_>,
    style: &Style,
    index: usize,
    (points, joined): (&[PlacedScore], bool),
    y: &AxisScale,
) -> Result<(), String> {
    let (color, _) = style.model(index);
    let (bottom, top) = y.ends();
    for pair in points.windows(2).filter(|_| joined) {
        let [Some((from, one)), Some((to, other))] = pair else { continue };
        canvas.line(&[(*from, y.at(one.mean)), (*to, y.at(other.mean))], 0.35, color)?;
        if let Some((one, other)) = one.train.zip(other.train) {
            canvas.dashed((*from, y.at(one)), (*to, y.at(other)), 0.25, color)?;
        }
    }
    let last = points.iter().flatten().rev().find_map(|(at, score)| Some((*at, y.at(score.train?))));
    if let Some(end) = last {
        canvas.small_marker(end, style.model(index))?;
    }
    for (at, score) in points.iter().flatten() {
        if let Some(train) = score.train.filter(|_| !joined) {
            let height = y.at(train);
            canvas.dashed((at - TRAIN_MARK_MM, height), (at + TRAIN_MARK_MM, height), 0.25, color)?;
        }
    }
    for (at, score) in points.iter().flatten() {
        if score.interval.is_some() {
            // The axis may be shorter than a bar.
            let ends = score.ends().map(|end| y.at(end).clamp(top, bottom));
            canvas.line(&ends.map(|end| (*at, end)), 0.25, color)?;
            for end in ends {
                let stroke: [Point; 2] = [(at - BAR_END_MM, end), (at + BAR_END_MM, end)];
                canvas.line(&stroke, 0.25, color)?;
            }
        }
        canvas.marker((*at, y.at(score.mean)), style.model(index), !score.is_ranked)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_far_from_the_scores_does_not_stretch_the_axis() {
        let scores = [0.6, 0.8];
        assert!(is_near(0.5, &scores) && is_near(0.7, &scores) && is_near(0.9, &scores));
        assert!(!is_near(0.1, &scores) && !is_near(1.5, &scores));
        assert!(!is_near(0.5, &[]));
    }
}
