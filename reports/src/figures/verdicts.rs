//! Verdicts: what the run says of each claim that it measures, at a glance.

use super::canvas::{Align, Canvas, SMALL_MM, TEXT_MM, page, text_width};
use super::frame::{MARGIN_MM, page_width};
use super::marker::Marker;
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::claims::{HOW_TO_READ_VERDICTS, Judged, Verdict, measured, tally};
use crate::error::ReportError;
use crate::format::count;
use crate::results::Results;

/// The figure `verdicts`.
pub(crate) struct Verdicts;

const LINE_MM: f64 = 3.4;
const GAP_MM: f64 = 1.6;
/// The width of the id and the space behind it.
const BEFORE_MM: f64 = 7.0;

impl Figure for Verdicts {
    fn name(&self) -> &'static str {
        "verdicts"
    }

    fn about(&self) -> &'static str {
        "the verdict on each claim that the run measures"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let mut drawn = Drawn::default();
        let judged = measured(results);
        if judged.is_empty() {
            return Ok(drawn);
        }
        let picture = Picture::new(self.name(), "Verdicts on claims", caption(&judged));
        let parts = parts(&judged, style);
        for (index, part) in parts.iter().enumerate() {
            let picture = picture.part(index, parts.len());
            let svg = draw(part, style, &picture.title, &picture.caption);
            drawn.pictures.push(picture.drawn(svg)?);
        }
        Ok(drawn)
    }
}

fn caption(judged: &[Judged]) -> String {
    let seeds = judged.iter().flat_map(|judged| &judged.findings).map(|finding| finding.seeds).filter(|n| *n > 0);
    let (fewest, most) = seeds.fold((usize::MAX, 0), |(low, high), n| (low.min(n), high.max(n)));
    let seeds = if fewest == most { count(most, "seed") } else { format!("{fewest} to {most} seeds") };
    format!(
        "{} that the run measures, from comparisons on {seeds}. The second line of a row counts the comparisons of its rule by their \
         verdicts. {HOW_TO_READ_VERDICTS}",
        count(judged.len(), "claim")
    )
}

/// The shape of a verdict, and whether it is hollow. The word beside it says the same.
fn mark(verdict: Verdict) -> (Marker, usize, bool) {
    match verdict {
        Verdict::Supported => (Marker::Circle, 2, false),
        Verdict::Refuted => (Marker::Cross, 3, false),
        Verdict::Undecided => (Marker::Diamond, 7, true),
        Verdict::NotMeasured => (Marker::Flat, 7, false),
    }
}

/// The width that the verdict takes: the longest word, with the mark before it.
fn verdict_width() -> f64 {
    text_width(Verdict::NotMeasured.name(), SMALL_MM) + 4.2
}

/// The lines of a claim's text.
fn lines(judged: &Judged, style: &Style) -> Vec<String> {
    let text_mm = page_width(style) - 2.0 * MARGIN_MM - BEFORE_MM - verdict_width();
    wrapped(&judged.claim.claim, text_mm - 1.5)
}

/// The height of a claim's row: its text, the line that counts its comparisons, and a gap.
fn height(lines: &[String]) -> f64 {
    (lines.len() + 1) as f64 * LINE_MM + GAP_MM
}

/// The height of a page without rows.
const AROUND_MM: f64 = 2.0 * MARGIN_MM + 6.0;

/// The claims in parts of one picture each: as many as the look of the style has room for.
fn parts<'a>(judged: &'a [Judged], style: &Style) -> Vec<&'a [Judged]> {
    let room = style.look.tallest_mm() / style.look.magnification() - AROUND_MM;
    let mut parts = Vec::new();
    let (mut start, mut taken) = (0, 0.0);
    for (index, claim) in judged.iter().enumerate() {
        let height = height(&lines(claim, style));
        if taken + height > room && index > start {
            parts.push(&judged[start..index]);
            (start, taken) = (index, 0.0);
        }
        taken += height;
    }
    parts.push(&judged[start..]);
    parts
}

fn draw(judged: &[Judged], style: &Style, title: &str, caption: &str) -> Result<String, String> {
    let (width, verdict_mm) = (page_width(style), verdict_width());
    let rows: Vec<Vec<String>> = judged.iter().map(|judged| lines(judged, style)).collect();
    let heights: Vec<f64> = rows.iter().map(|lines| height(lines)).collect();
    let height = AROUND_MM + heights.iter().sum::<f64>();
    page(style.look, (width, height), title, caption, |canvas| {
        canvas.text(title, (MARGIN_MM, MARGIN_MM + 2.4), TEXT_MM, Align::Left, style.ink)?;
        let mut top = MARGIN_MM + 6.0;
        for ((judged, lines), height) in judged.iter().zip(&rows).zip(&heights) {
            draw_row(canvas, style, (judged, lines), (top, width, verdict_mm))?;
            top += height;
            canvas.line(
                &[(MARGIN_MM, top - GAP_MM / 2.0), (width - MARGIN_MM, top - GAP_MM / 2.0)],
                0.1,
                style.grid,
            )?;
        }
        Ok(())
    })
}

fn draw_row(
    canvas: &Canvas<'_>,
    style: &Style,
    (judged, lines): (&Judged, &[String]),
    (top, width, verdict_mm): (f64, f64, f64),
) -> Result<(), String> {
    let first = top + LINE_MM / 2.0;
    let verdict_at = width - MARGIN_MM - verdict_mm + 1.5;
    let (marker, color, hollow) = mark(judged.verdict);
    let left = MARGIN_MM + BEFORE_MM;
    canvas.text(&judged.claim.id, (MARGIN_MM, first), SMALL_MM, Align::Left, style.ink)?;
    for (line, text) in lines.iter().enumerate() {
        canvas.text(text, (left, first + line as f64 * LINE_MM), SMALL_MM, Align::Left, style.ink)?;
    }
    let tally = canvas.fit(&tally(&judged.findings), SMALL_MM, width - MARGIN_MM - left);
    canvas.text(&tally, (left, first + lines.len() as f64 * LINE_MM), SMALL_MM, Align::Left, style.muted)?;
    let at = (verdict_at, first);
    canvas.marker(at, (style.series[color], marker), hollow)?;
    canvas.point(at, &format!("{} {}\n{}\n{tally}", judged.claim.id, judged.claim.claim, judged.verdict.name()));
    canvas.text(judged.verdict.name(), (verdict_at + 2.2, first), SMALL_MM, Align::Left, style.ink)
}

/// The text in lines of at most this width, broken between words.
fn wrapped(text: &str, width_mm: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), SMALL_MM) <= width_mm => {
                *line += " ";
                *line += word;
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
