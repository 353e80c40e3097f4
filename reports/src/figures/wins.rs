//! Wins: in how many settings each model is significantly better than each other.

use super::canvas::{Align, Canvas, Rect, SMALL_MM, TEXT_MM, page, text_width};
use super::confusion::{ink_on, shade};
use super::frame::{MARGIN_MM, page_width};
use super::style::Style;
use super::{Drawn, Figure, Picture};
use crate::error::ReportError;
use crate::format::count;
use crate::results::Results;

/// The figure `wins`.
pub(crate) struct Wins;

/// The largest number of models. With more, a cell is smaller than its numbers.
const MAX_MODELS: usize = 12;
/// From this width on, a cell has room for its three numbers in one line.
const ROOMY_MM: f64 = 13.0;
/// The height of a line of numbers.
const LINE_MM: f64 = 3.2;

/// How the model of a row compares with that of a column, as numbers of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Tally {
    better: usize,
    undecided: usize,
    worse: usize,
}

impl Tally {
    fn settings(self) -> usize {
        self.better + self.undecided + self.worse
    }

    fn share(self) -> f64 {
        self.better as f64 / self.settings().max(1) as f64
    }
}

impl Figure for Wins {
    fn name(&self) -> &'static str {
        "wins"
    }

    fn about(&self) -> &'static str {
        "in how many tasks each model is significantly better than each other"
    }

    fn draw(&self, results: &Results, style: &Style) -> Result<Drawn, ReportError> {
        let mut drawn = Drawn::default();
        let compared: Vec<usize> = (0..results.grid.labels.len())
            .filter(|label| (0..results.grid.labels.len()).any(|other| tally(results, *label, other).settings() > 0))
            .collect();
        if compared.is_empty() {
            return Ok(drawn);
        }
        let fitting = &compared[..fitting(results, style, &compared)];
        // One that was only compared with models that have no room says nothing.
        let is_compared = |label: &usize| fitting.iter().any(|other| tally(results, *label, *other).settings() > 0);
        let mut order: Vec<usize> = fitting.iter().copied().filter(is_compared).collect();
        if compared.len() > order.len() {
            drawn.remarks.push(format!(
                "Figure wins shows {} of {} models. The tables of all pairs have all of them.",
                order.len(),
                compared.len()
            ));
        }
        // The models that win most often come first.
        let won = |label: usize| -> usize { order.iter().map(|other| tally(results, label, *other).better).sum() };
        let wins: Vec<usize> = order.iter().map(|label| won(*label)).collect();
        let mut places: Vec<usize> = (0..order.len()).collect();
        places.sort_by_key(|place| std::cmp::Reverse(wins[*place]));
        order = places.into_iter().map(|place| order[place]).collect();
        let (title, caption) = ("Wins of each model over each other", caption(results));
        let svg = draw_matrix(results, &order, style, title, &caption);
        drawn.pictures.push(Picture::new(self.name(), title, caption).drawn(svg)?);
        Ok(drawn)
    }
}

/// Over the settings in which both are ranked and share a trial.
fn tally(results: &Results, row: usize, column: usize) -> Tally {
    let mut tally = Tally::default();
    for pair in results.rankings.iter().filter_map(|ranking| ranking.comparison(row, column)) {
        match (pair.differs(), pair.better == row) {
            (false, _) => tally.undecided += 1,
            (true, true) => tally.better += 1,
            (true, false) => tally.worse += 1,
        }
    }
    tally
}

fn caption(results: &Results) -> String {
    let settings = results.rankings.iter().filter(|ranking| !ranking.comparisons.is_empty()).count();
    let seeds = results.rankings.iter().flat_map(|ranking| &ranking.comparisons).map(|pair| pair.uncertainty.seeds);
    let (fewest, most) = seeds.fold((usize::MAX, 0), |(low, high), n| (low.min(n), high.max(n)));
    let seeds = if fewest == most { count(most, "seed") } else { format!("{fewest} to {most} seeds") };
    format!(
        "In how many of {} the model of the row is significantly better than that of the column, not told apart, and significantly \
         worse: three numbers in this order. The tests are of the difference of the primary metric, paired by seed and test row, on \
         {seeds}, at 5 % by Holm's method over all pairs of a setting. A darker cell is a larger share of better ones. A cell \
         without numbers has no setting in which both models are ranked.",
        count(settings, "setting")
    )
}

/// The places of the matrix on its page.
struct Layout {
    names_mm: f64,
    cell_w: f64,
    cell_h: f64,
    /// Whether the three numbers of a cell stand beside each other.
    roomy: bool,
    inner: Rect,
    height: f64,
}

impl Layout {
    fn new(results: &Results, style: &Style, order: &[usize]) -> Layout {
        let width = page_width(style);
        let models = order.len();
        let names = order.iter().map(|label| text_width(&results.grid.labels[*label], SMALL_MM));
        let names_mm = (names.fold(0.0, f64::max) + 2.0).clamp(18.0, width * 0.32);
        let left = MARGIN_MM + 4.0 + names_mm;
        let top = MARGIN_MM + 6.0;
        let below = names_mm + 5.0 + MARGIN_MM;
        let cell_w = ((width - left - MARGIN_MM) / models as f64).min(26.0);
        let roomy = cell_w >= ROOMY_MM;
        let room = (style.look.tallest_mm() / style.look.magnification() - top - below) / models as f64;
        let cell_h = if roomy { room.clamp(LINE_MM, 6.0) } else { room.clamp(3.0 * LINE_MM, 10.5) };
        let inner = Rect { x: left, y: top, w: cell_w * models as f64, h: cell_h * models as f64 };
        Layout { names_mm, cell_w, cell_h, roomy, inner, height: inner.bottom() + below }
    }
}

/// How many of these models a matrix shows.
fn fitting(results: &Results, style: &Style, compared: &[usize]) -> usize {
    let tallest = style.look.tallest_mm() / style.look.magnification();
    let fits = |models: &usize| Layout::new(results, style, &compared[..*models]).height <= tallest;
    (2..=compared.len().min(MAX_MODELS)).rev().find(fits).unwrap_or(compared.len().min(2))
}

fn draw_matrix(
    results: &Results,
    order: &[usize],
    style: &Style,
    title: &str,
    caption: &str,
) -> Result<String, String> {
    let Layout { names_mm, cell_w, cell_h, roomy, inner, height } = Layout::new(results, style, order);
    page(style.look, (page_width(style), height), title, caption, |canvas| {
        canvas.text(title, (MARGIN_MM, MARGIN_MM + 2.4), TEXT_MM, Align::Left, style.ink)?;
        for (row, label) in order.iter().enumerate() {
            let y = inner.y + row as f64 * cell_h;
            let name = canvas.fit(&results.grid.labels[*label], SMALL_MM, names_mm - 1.5);
            canvas.text(&name, (inner.x - 1.0, y + cell_h / 2.0), SMALL_MM, Align::Right, style.ink)?;
            for (column, other) in order.iter().enumerate().filter(|(column, _)| *column != row) {
                let place = Rect { x: inner.x + column as f64 * cell_w, y, w: cell_w, h: cell_h };
                let tally = tally(results, *label, *other);
                draw_cell(canvas, style, place, tally, roomy)?;
                if tally.settings() > 0 {
                    canvas.area(place, &words(results, *label, *other, tally));
                }
            }
        }
        for (column, label) in order.iter().enumerate() {
            let x = inner.x + (column as f64 + 0.5) * cell_w;
            let name = canvas.fit(&results.grid.labels[*label], SMALL_MM, names_mm - 1.5);
            canvas.text_up(&name, (x, inner.bottom() + 1.0), SMALL_MM, Align::Right, style.ink)?;
        }
        let below = (inner.x + inner.w / 2.0, inner.bottom() + names_mm + 2.5);
        canvas.text("than this model", below, SMALL_MM, Align::Centre, style.muted)?;
        let beside = (MARGIN_MM + 1.5, inner.y + inner.h / 2.0);
        // Few rows have no room for the whole phrase.
        let fits = |phrase: &&str| canvas.width(phrase, SMALL_MM) <= inner.h;
        let phrase = ["this model is better", "is better"].into_iter().find(fits).unwrap_or("better");
        canvas.text_up(phrase, beside, SMALL_MM, Align::Centre, style.muted)
    })
}

fn draw_cell(canvas: &Canvas<'_>, style: &Style, place: Rect, tally: Tally, roomy: bool) -> Result<(), String> {
    const GAP_MM: f64 = 0.12;
    if tally.settings() == 0 {
        return Ok(());
    }
    let inside =
        Rect { x: place.x + GAP_MM, y: place.y + GAP_MM, w: place.w - 2.0 * GAP_MM, h: place.h - 2.0 * GAP_MM };
    let paper = shade(tally.share());
    canvas.fill(inside, paper)?;
    let ink = ink_on(paper, style);
    let (x, y) = (place.x + place.w / 2.0, place.y + place.h / 2.0);
    let numbers = [tally.better, tally.undecided, tally.worse].map(|number| number.to_string());
    if roomy {
        return canvas.text(&numbers.join(" / "), (x, y), SMALL_MM, Align::Centre, ink);
    }
    // One below the other, because the cell is narrow.
    for (line, number) in numbers.iter().enumerate() {
        canvas.text(number, (x, y + (line as f64 - 1.0) * LINE_MM), SMALL_MM, Align::Centre, ink)?;
    }
    Ok(())
}

fn words(results: &Results, row: usize, column: usize, tally: Tally) -> String {
    let [row, column] = [row, column].map(|label| &results.grid.labels[label]);
    let Tally { better, undecided, worse } = tally;
    format!(
        "{row} and {column} on {}\n{row} is significantly better on {better}, not told apart on {undecided}, worse on {worse}",
        count(tally.settings(), "setting")
    )
}
