//! Confusion matrices: which class a model confuses with which, one matrix per classification case.

use plotters::style::{RGBColor, WHITE};

use super::canvas::{Align, Canvas, Rect, SMALL_MM, TEXT_MM, page};
use super::frame::{MARGIN_MM, page_width};
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::error::ReportError;
use crate::format::count;
use crate::results::Results;

/// The figures `confusion-<case>`.
pub(crate) struct ConfusionMatrices;

/// The largest number of pictures. With more, browsers become slow.
const MAX_PICTURES: usize = 24;
/// The largest number of classes. With more, a row is lower than the text of its name.
const MAX_CLASSES: usize = 30;
/// The largest number of classes with numbers in the cells. With more, a cell is smaller than its number.
const MAX_NUMBERED: usize = 12;

impl Figure for ConfusionMatrices {
    fn name(&self) -> &'static str {
        "confusion"
    }

    fn about(&self) -> &'static str {
        "which classes a model confuses, one matrix per classification case"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let mut drawn = Drawn::default();
        let (mut left_out, mut too_many_classes) = (0, 0);
        for (setting, label, trial) in results.grid.trials() {
            let Some(answers) = results.answers.get(&trial.case).filter(|answers| !answers.confusion.is_empty()) else {
                continue;
            };
            let classes = &results.setting(setting).task.classes;
            if classes.len() > MAX_CLASSES {
                too_many_classes += 1;
                continue;
            }
            if drawn.pictures.len() == MAX_PICTURES {
                left_out += 1;
                continue;
            }
            let matrix = ConfusionMatrix { counts: &answers.confusion, classes };
            let name = format!("{}-{}", self.name(), trial.case);
            let fold = trial.fold.map_or(String::new(), |(repeat, fold)| format!(", fold r{repeat}f{fold}"));
            let title = format!(
                "{}: {}, seed {}{fold}",
                results.setting(setting).title,
                results.grid.labels[label],
                trial.seed
            );
            let caption = "Rows are the true classes, columns the predicted ones. The numbers are percent of the \
                examples of a row's class, so the diagonal is the recall of each class.";
            let svg = draw_matrix(&matrix, style, &title, caption);
            drawn.pictures.push(Picture::new(name, title, caption).drawn(svg)?);
        }
        if left_out > 0 {
            drawn.remarks.push(format!(
                "Confusion matrices are drawn for the first {MAX_PICTURES} cases. Left out: {}, whose answers are in predictions/.",
                count(left_out, "case")
            ));
        }
        if too_many_classes > 0 {
            drawn.remarks.push(format!(
                "There is no confusion matrix for {} with more than {MAX_CLASSES} classes.",
                count(too_many_classes, "case")
            ));
        }
        Ok(drawn)
    }
}

struct ConfusionMatrix<'a> {
    counts: &'a [Vec<u64>],
    classes: &'a [String],
}

fn draw_matrix(matrix: &ConfusionMatrix<'_>, style: &Style, title: &str, caption: &str) -> Result<String, String> {
    let longest = matrix.classes.iter().map(|class| class.chars().count()).max().unwrap_or(0) as f64;
    // Most names need less than three fifths of an em per character. Longer ones are truncated.
    let names_mm = (longest * 0.6 * SMALL_MM + 2.0).clamp(8.0, 24.0);
    let classes = matrix.classes.len();
    let width = page_width(style);
    let left = MARGIN_MM + 4.0 + names_mm;
    let cell_w = (width - left - MARGIN_MM) / classes as f64;
    // Names below wide columns are horizontal. Narrow columns only have room for vertical names.
    let flat = cell_w > names_mm;
    let names_below = if flat { 5.0 } else { names_mm };
    let top = MARGIN_MM + 6.0;
    let room = style.look.tallest_mm() / style.look.magnification() - top - names_below - 5.0 - MARGIN_MM;
    let cell_h = cell_w.min(9.0).min(room / classes as f64);
    let inner = Rect { x: left, y: top, w: cell_w * classes as f64, h: cell_h * classes as f64 };
    let height = inner.bottom() + names_below + 5.0 + MARGIN_MM;
    page(style.look, (width, height), title, caption, |canvas| {
        let shown = canvas.fit(title, TEXT_MM, width - 2.0 * MARGIN_MM);
        canvas.text(&shown, (MARGIN_MM, MARGIN_MM + 2.4), TEXT_MM, Align::Left, style.ink)?;
        for (target, counts) in matrix.counts.iter().enumerate() {
            let total: u64 = counts.iter().sum();
            let y = inner.y + (target as f64 + 0.5) * cell_h;
            let name = canvas.fit(&matrix.classes[target], SMALL_MM, names_mm - 1.5);
            canvas.text(&name, (inner.x - 1.0, y), SMALL_MM, Align::Right, style.ink)?;
            for (prediction, n) in counts.iter().enumerate() {
                let place = Rect { x: inner.x + prediction as f64 * cell_w, y: y - cell_h / 2.0, w: cell_w, h: cell_h };
                let share = if total == 0 { 0.0 } else { *n as f64 / total as f64 };
                draw_cell(canvas, style, place, share, classes <= MAX_NUMBERED)?;
                if *n > 0 {
                    let [truth, answer] = [target, prediction].map(|class| &matrix.classes[class]);
                    canvas.area(place, &format!("{n} of {total} of class {truth}\nwere predicted as {answer}"));
                }
            }
        }
        for (prediction, class) in matrix.classes.iter().enumerate() {
            let x = inner.x + (prediction as f64 + 0.5) * cell_w;
            let name = canvas.fit(class, SMALL_MM, names_mm - 1.5);
            if flat {
                canvas.text(&name, (x, inner.bottom() + 2.5), SMALL_MM, Align::Centre, style.ink)?;
            } else {
                canvas.text_up(&name, (x, inner.bottom() + 1.0), SMALL_MM, Align::Right, style.ink)?;
            }
        }
        let below = (inner.x + inner.w / 2.0, inner.bottom() + names_below + 2.5);
        canvas.text("predicted class", below, SMALL_MM, Align::Centre, style.muted)?;
        canvas.text_up("true class", (MARGIN_MM + 1.5, inner.y + inner.h / 2.0), SMALL_MM, Align::Centre, style.muted)
    })
}

fn draw_cell(canvas: &Canvas<'_>, style: &Style, place: Rect, share: f64, numbered: bool) -> Result<(), String> {
    let gap = 0.12;
    let inside = Rect { x: place.x + gap, y: place.y + gap, w: place.w - 2.0 * gap, h: place.h - 2.0 * gap };
    canvas.fill(inside, shade(share))?;
    let percent = format!("{:.0}", share * 100.0);
    if !numbered || percent == "0" {
        return Ok(());
    }
    let ink = ink_on(shade(share), style);
    let middle = (place.x + place.w / 2.0, place.y + place.h / 2.0);
    canvas.text(&percent, middle, SMALL_MM, Align::Centre, ink)
}

/// The colour of text on this colour: white or ink, whichever has more contrast.
pub(crate) fn ink_on(paper: RGBColor, style: &Style) -> RGBColor {
    if contrast(paper, WHITE) > contrast(paper, style.ink) { WHITE } else { style.ink }
}

/// The contrast of two colours, from 1 to 21, as WCAG 2.2 defines "contrast ratio".
pub(crate) fn contrast(one: RGBColor, other: RGBColor) -> f64 {
    let linear = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = |color: RGBColor| 0.2126 * linear(color.0) + 0.7152 * linear(color.1) + 0.0722 * linear(color.2);
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// A colour between nearly white and the palette's blue.
pub(crate) fn shade(share: f64) -> RGBColor {
    let mix = |from: f64, to: f64| (from + (to - from) * share.clamp(0.0, 1.0)).round() as u8;
    RGBColor(mix(244.0, 0.0), mix(246.0, 90.0), mix(248.0, 150.0))
}
