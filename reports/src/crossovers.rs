//! Crossovers of learning curves: from how many training rows on another model is the better one.

use std::collections::HashMap;

use crate::answers::Answers;
use crate::comparison::{ALPHA, Comparison};
use crate::contrast::Contrast;
use crate::estimate::Scored;
use crate::extra_tables::ExtraTable;
use crate::format::{p_value, score};
use crate::grid::Grid;
use crate::ranking::Ranking;
use crate::results::Results;
use crate::statistics::{Interval, holds_until};
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};
use crate::varied_axis::{SettingsAlong, VariedAxis};

/// Two models of which one is significantly better with fewer training rows, and the other with more.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossover {
    /// The indices of the settings of the learning curves, by ascending number of training rows.
    pub settings: Vec<usize>,
    /// What these settings have in common.
    pub title: String,
    /// The label of the model that is better with fewer rows.
    pub with_fewer: usize,
    /// The label of the model that is better with more rows.
    pub with_more: usize,
    /// The numbers of rows at which the tests tell the two apart, with the p of each test.
    pub apart: [(usize, f64); 2],
    /// The number of rows at which the two score alike.
    pub rows: f64,
    /// What both score there.
    pub score: f64,
    /// The 95 % interval of the number of rows, between the two of `apart`.
    pub interval: Interval,
    /// How many seeds both models have.
    pub seeds: usize,
    /// How many test rows each seed answered.
    pub test_rows: usize,
}

/// Between two sizes, at how many places the difference of two models is tested for the ends of an interval.
const STEPS: usize = 32;

/// The crossovers of all pairs of models on all learning curves, in the order of the plan.
///
/// The curves are straight lines over the logarithm of the number of rows, between the measured sizes. A crossover is established only
/// if tests tell the two models apart at a size before it and, the other way round, at a size after it. Their p-values are those of all
/// pairs of a setting by Holm's method, times the number of sizes, because any of them might have been the one. The interval has
/// the sizes at which the 95 % interval of the difference contains 0 (Fieller 1954, "Some problems in interval estimation",
/// J. R. Stat. Soc. B 16), from the first to the last.
pub(crate) fn crossovers(grid: &Grid, rankings: &[Ranking], answers: &HashMap<String, Answers>) -> Vec<Crossover> {
    let mut found = Vec::new();
    for along in VariedAxis::TrainSize.groups(grid).into_iter().filter(|along| along.settings.len() > 1) {
        for one in 0..grid.labels.len() {
            for other in one + 1..grid.labels.len() {
                found.extend(of_pair(grid, rankings, answers, &along, (one, other)));
            }
        }
    }
    found
}

/// A size at which the tests tell two models apart.
#[derive(Debug, Clone, Copy)]
struct Apart {
    /// The index of the size.
    at: usize,
    better: usize,
    p: f64,
}

fn of_pair(
    grid: &Grid,
    rankings: &[Ranking],
    answers: &HashMap<String, Answers>,
    along: &SettingsAlong,
    (one, other): (usize, usize),
) -> Vec<Crossover> {
    let sizes = along.settings.len() as f64;
    let pair =
        |pair: &&Comparison| (pair.better, pair.worse) == (one, other) || (pair.better, pair.worse) == (other, one);
    let apart = along.settings.iter().enumerate().filter_map(|(at, setting)| {
        let compared = rankings[*setting].comparisons.iter().find(pair)?;
        let p = (compared.p? * sizes).min(1.0);
        (p < ALPHA).then_some(Apart { at, better: compared.better, p })
    });
    let apart: Vec<Apart> = apart.collect();
    let changes = apart.windows(2).filter_map(|two| match two {
        [fewer, more] if fewer.better != more.better => Some((*fewer, *more)),
        _ => None,
    });
    changes.filter_map(|change| between(grid, answers, along, change)).collect()
}

fn between(
    grid: &Grid,
    answers: &HashMap<String, Answers>,
    along: &SettingsAlong,
    (fewer, more): (Apart, Apart),
) -> Option<Crossover> {
    let scores = |label: usize| -> Option<Vec<Scored<'_>>> {
        let settings = along.settings[fewer.at..=more.at].iter();
        settings.map(|at| Some(Scored::of(&grid.settings[*at], grid.cell(*at, label)?, answers))).collect()
    };
    let sizes = along.settings[fewer.at..=more.at].iter().map(|at| grid.settings[*at].train_size as f64).collect();
    let better = along.common.primary().better;
    let curves = TwoCurves { sizes, one: scores(fewer.better)?, other: scores(more.better)? };
    let (part, share) = curves.crossing()?;
    let is_first = |found: Interval| better.goodness(found.low) > 0.0 && better.goodness(found.high) > 0.0;
    let is_second = |found: Interval| better.goodness(found.low) < 0.0 && better.goodness(found.high) < 0.0;
    let last = curves.sizes.len() as f64 - 1.0;
    let low = curves.end((0.0, last), is_first);
    let high = curves.end((last, 0.0), is_second);
    let mean = |scored: &Scored<'_>| scored.mean();
    let score = mean(&curves.one[part])? * (1.0 - share) + mean(&curves.one[part + 1])? * share;
    let size = |apart: Apart| grid.settings[along.settings[apart.at]].train_size;
    Some(Crossover {
        settings: along.settings.clone(),
        title: along.common.title.clone(),
        with_fewer: fewer.better,
        with_more: more.better,
        apart: [fewer, more].map(|apart| (size(apart), apart.p)),
        rows: curves.rows(part as f64 + share),
        score,
        interval: Interval { low: curves.rows(low), high: curves.rows(high) },
        seeds: curves.one[part].by_seed().len(),
        test_rows: curves.one[part].answered_rows(),
    })
}

/// The learning curves of two models over the same sizes. A place on them is the index of a size, with a fraction between two.
struct TwoCurves<'a> {
    sizes: Vec<f64>,
    one: Vec<Scored<'a>>,
    other: Vec<Scored<'a>>,
}

impl TwoCurves<'_> {
    /// The number of rows at a place.
    fn rows(&self, place: f64) -> f64 {
        let (part, share) = self.part(place);
        (self.sizes[part].ln() * (1.0 - share) + self.sizes[part + 1].ln() * share).exp()
    }

    /// The size before a place, and how far the place is from it to the next.
    fn part(&self, place: f64) -> (usize, f64) {
        let part = (place.floor() as usize).min(self.sizes.len() - 2);
        (part, place - part as f64)
    }

    /// Where the curves cross: the one in the middle of an odd number of crossings. `None` if a score is missing.
    fn crossing(&self) -> Option<(usize, f64)> {
        let differences = self.one.iter().zip(&self.other).map(|(one, other)| Some(one.mean()? - other.mean()?));
        let differences: Vec<f64> = differences.collect::<Option<_>>()?;
        let crossings: Vec<(usize, f64)> = differences
            .windows(2)
            .enumerate()
            .filter(|(_, ends)| (ends[0] > 0.0) != (ends[1] > 0.0))
            .map(|(part, ends)| (part, ends[0] / (ends[0] - ends[1])))
            .collect();
        crossings.get(crossings.len() / 2).copied()
    }

    /// The interval of the difference at a place; `None` if it is not known.
    fn difference(&self, place: f64) -> Option<Interval> {
        let (part, share) = self.part(place);
        let terms = [(1.0 - share, part), (share, part + 1)].into_iter().filter(|(factor, _)| *factor > 0.0);
        let terms = terms.flat_map(|(factor, at)| [(factor, self.one[at].clone()), (-factor, self.other[at].clone())]);
        Contrast::new(terms.collect())?.uncertainty().interval
    }

    /// The place up to which, on the way from `start` to `goal`, one model is the better one by its interval.
    fn end(&self, (start, goal): (f64, f64), is_better: impl Fn(Interval) -> bool) -> f64 {
        let steps = (self.sizes.len() - 1) * STEPS;
        let is_better = |place: f64| self.difference(place).is_some_and(&is_better);
        holds_until((start, goal), steps, is_better).unwrap_or(start)
    }
}

const RULE: &str = "The first model is significantly better with fewer training rows, and the second with more. The number of rows is \
    where their learning curves cross, with straight lines over the logarithm of the number between the measured sizes. Its 95 % interval \
    has the numbers at which the interval of the difference contains 0 (Fieller 1954). The p-values are adjusted for all pairs \
    by Holm's method and for the number of sizes. Other curves may cross too, but the tests do not establish it.";

/// The crossovers of the run; `None` if there are none.
pub(crate) fn crossover_table(results: &Results) -> Option<ExtraTable> {
    let columns = vec![
        TableColumn::new("task", CellKind::Text),
        TableColumn::new("better with fewer rows", CellKind::Name),
        TableColumn::new("better with more rows", CellKind::Name),
        TableColumn::new("training rows where they cross", CellKind::Number),
        TableColumn::new("score there", CellKind::Number),
        TableColumn::new("first better at", CellKind::Text).detail(),
        TableColumn::new("second better at", CellKind::Text).detail(),
        TableColumn::new("seeds", CellKind::Number),
        TableColumn::new("test rows", CellKind::Number),
    ];
    let mut table = Table::new("Crossovers of learning curves", columns);
    for crossover in &results.crossovers {
        let metric = results.setting(crossover.settings[0]).primary();
        let label = |label: usize| TableCell::Text(results.grid.labels[label].clone());
        let [first, second] = crossover.apart.map(|(size, p)| TableCell::Text(format!("n = {size}, {}", p_value(p))));
        let whole = |number: usize| TableCell::Written { value: number as f64, text: number.to_string() };
        let cells = vec![
            TableCell::Text(crossover.title.clone()),
            label(crossover.with_fewer),
            label(crossover.with_more),
            TableCell::Written { value: crossover.rows, text: crossover.rows_text() },
            TableCell::Written { value: crossover.score, text: score(metric, crossover.score) },
            first,
            second,
            whole(crossover.seeds),
            whole(crossover.test_rows),
        ];
        table.push(Emphasis::Plain, cells);
    }
    let title = "Crossovers";
    (!table.rows.is_empty()).then_some(ExtraTable {
        id: "crossovers",
        title,
        rule: RULE.to_owned(),
        of_run: String::new(),
        table,
    })
}

impl Crossover {
    /// `812 [540, 1290]`.
    pub(crate) fn rows_text(&self) -> String {
        format!("{:.0} [{:.0}, {:.0}]", self.rows, self.interval.low, self.interval.high)
    }
}
