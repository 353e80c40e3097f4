//! All pairs of models of a setting, as a table.

use crate::comparison::Comparison;
use crate::cost_ratio::CostRatio;
use crate::format::score;
use crate::ranking::Ranking;
use crate::results::Results;
use crate::statistics::{Equivalence, chance_of_sweep, minimum_detectable_effect};
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};

/// How the table is read.
pub(crate) const HOW_TO_READ_PAIRS: &str = "In the tables of pairs, the difference is how much better the first model scores than the \
    second, whichever direction is better. A pair without a p could not be tested. `matters` is the probability that the true difference is above \
    the region of practical equivalence, one point for shares and 1 % of the floor for errors; `no` has the probability that it is \
    within. `detectable` is the difference that an experiment of this size finds in 80 % of repetitions. ";

/// How its columns of several seeds are read.
pub(crate) const HOW_TO_READ_SEEDS: &str = "`improvement` is the probability that a run of the first scores better than a run of the second \
    (Agarwal et al. 2021); where it is 1, the chance of that for equal models stands beside it. `ε` is the bound of almost stochastic \
    order (Dror et al. 2019): below 0.5 the first is better, below 0.2 clearly. A ratio is the cost of the first divided by that of the \
    second, the geometric mean over seeds with its 95 % interval by Student's t of the logarithms; an estimate has none. ";

/// All pairs of the models that are ranked; `None` if there is no pair.
pub(crate) fn comparison_table(results: &Results, ranking: &Ranking) -> Option<Table> {
    let setting = results.setting(ranking.setting);
    let title = format!("difference of {}{}", setting.primary().short_title(), setting.primary_unit());
    let mut columns = vec![
        TableColumn::new("better", CellKind::Name),
        TableColumn::new("worse", CellKind::Text),
        TableColumn::new(title, CellKind::Estimate),
        TableColumn::new("p", CellKind::Number),
        TableColumn::new("seeds won", CellKind::Text),
        TableColumn::new("matters", CellKind::Text),
    ];
    let has_seeds = ranking.comparisons.iter().any(|pair| pair.seeds.is_some());
    if has_seeds {
        columns.push(TableColumn::new("improvement", CellKind::Text));
        columns.push(TableColumn::new("ε", CellKind::Text));
    }
    columns.push(TableColumn::new("detectable", CellKind::Text).detail());
    let ratios = if has_seeds { measured_costs(results, ranking) } else { Vec::new() };
    columns.extend(ratios.iter().map(|(.., title)| TableColumn::new(*title, CellKind::Text).detail()));
    let mut table = Table::new(format!("Pairs of models on {}", setting.title), columns);
    for pair in &ranking.comparisons {
        let emphasis = if pair.differs() { Emphasis::Plain } else { Emphasis::Faint };
        table.push(emphasis, row(results, ranking, pair, (has_seeds, &ratios)));
    }
    (!table.rows.is_empty()).then_some(table)
}

fn row(
    results: &Results,
    ranking: &Ranking,
    pair: &Comparison,
    (has_seeds, ratios): (bool, &[&CostColumn]),
) -> Vec<TableCell> {
    let metric = results.setting(ranking.setting).primary();
    let name = |label: usize| TableCell::Text(results.name_in(ranking.setting, label));
    let mut cells = vec![
        name(pair.better),
        name(pair.worse),
        TableCell::Estimate { metric, value: pair.effect, interval: pair.uncertainty.interval },
        pair.p.map_or(TableCell::Empty, TableCell::P),
        TableCell::Text(seeds_won(pair)),
        pair.equivalence.map_or(TableCell::Empty, |found| TableCell::Text(matters(&found))),
    ];
    let share = |share: Option<f64>| share.map_or(TableCell::Empty, |share| TableCell::Text(format!("{share:.2}")));
    if has_seeds {
        let improvement = pair.seeds.and_then(|seeds| Some((seeds.improvement?, seeds.chance_of_separation?)));
        cells.push(improvement.map_or(TableCell::Empty, |(improvement, chance)| {
            // All seeds of the one are better than all of the other, which happens by luck too.
            let luck = if improvement == 1.0 { format!(" (by luck {chance:.2})") } else { String::new() };
            TableCell::Text(format!("{improvement:.2}{luck}"))
        }));
        cells.push(share(pair.seeds.and_then(|seeds| seeds.epsilon)));
    }
    let detectable = pair.uncertainty.inference.and_then(|found| minimum_detectable_effect(found.error, found.df));
    cells.push(detectable.map_or(TableCell::Empty, |effect| TableCell::Text(score(metric, effect))));
    let ratio = |(phase, name, _): &&CostColumn| match cost_ratio(results, ranking, pair, phase, name) {
        Some(ratio) => TableCell::Written { value: ratio.ratio, text: ratio.text() },
        None => TableCell::Empty,
    };
    cells.extend(ratios.iter().map(ratio));
    cells
}

/// The phase and the name of a cost, and its column.
type CostColumn = (&'static str, &'static str, &'static str);

const COSTS: [CostColumn; 3] = [
    ("fit", "fit_s", "fit, ratio"),
    ("predict-single", "latency_p50_s", "p50, ratio"),
    ("predict-batch", "energy_j", "J/prediction, ratio"),
];

/// The costs of which some pair has a ratio. Most machines measure no joules.
fn measured_costs(results: &Results, ranking: &Ranking) -> Vec<&'static CostColumn> {
    let is_measured = |(phase, name, _): &&CostColumn| {
        ranking.comparisons.iter().any(|pair| cost_ratio(results, ranking, pair, phase, name).is_some())
    };
    COSTS.iter().filter(is_measured).collect()
}

fn cost_ratio(results: &Results, ranking: &Ranking, pair: &Comparison, phase: &str, name: &str) -> Option<CostRatio> {
    let [better, worse] = [pair.better, pair.worse].map(|label| results.grid.cell(ranking.setting, label));
    CostRatio::new(better?, worse?, phase, name)
}

/// `2 of 3`; if the better model won on all of several seeds, with the chance that one of two equal models does.
fn seeds_won(pair: &Comparison) -> String {
    let seeds = pair.uncertainty.seeds;
    let chance = u32::try_from(seeds).ok().and_then(chance_of_sweep).filter(|_| seeds > 1 && pair.seeds_won == seeds);
    let luck = chance.map_or(String::new(), |chance| format!(" (by luck {chance:.2})"));
    format!("{} of {seeds}{luck}", pair.seeds_won)
}

/// The probability that the true difference matters in practice; or, if it is likely that it does not, the probability of that.
fn matters(found: &Equivalence) -> String {
    match found {
        found if found.within > 0.95 => format!("no, {:.2}", found.within),
        found => format!("{:.2}", found.above),
    }
}
