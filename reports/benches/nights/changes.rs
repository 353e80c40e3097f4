//! Series that change: how soon an alert finds it, and where the history places it.

use bakeoff_reports::{Tonight, change_points, judge_tonight, suspects};
use rayon::prelude::*;

use crate::made::{AFTER, BEFORE, CHANGES, SERIES, Shape, changing, is_up, quiet, spike, without_outliers};
use crate::noise::{Draws, Kind, Nights, one_percent, realistic};
use crate::{AGAIN, floors};

/// The quiet series among which one that changes is judged.
struct Others {
    /// By machine and night since the change.
    judged: Vec<Vec<Vec<Tonight>>>,
}

impl Others {
    fn new(machines: u64) -> Others {
        let of_machine = |seed: u64| {
            let values: Vec<Vec<f64>> = quiet(seed, BEFORE + AFTER, realistic).iter().map(Nights::values).collect();
            let judge =
                |series: &Vec<f64>, night: usize| judge_tonight(&series[..night], series[night], &floors()).ok();
            let night = |night| values.iter().skip(1).filter_map(|series| judge(series, night)).collect();
            (BEFORE..BEFORE + AFTER).map(night).collect()
        };
        Others { judged: (0..machines).into_par_iter().map(of_machine).collect() }
    }

    /// Whether tonight's number of a series that changed `since` nights ago is a suspect.
    fn suspect(&self, seed: u64, since: usize, tonight: Tonight) -> bool {
        let others = &self.judged[seed as usize % self.judged.len()][since];
        let family: Vec<Tonight> = std::iter::once(tonight).chain(others.iter().copied()).collect();
        suspects(&family)[0]
    }

    /// The nights since the change, from 1, with a confirmed alert; up or down, if `up` says so.
    fn alerts(&self, seed: u64, series: &mut Nights, up: Option<bool>) -> Vec<usize> {
        let values = series.values();
        let alerts = |since: &usize| {
            let night = BEFORE + since;
            judge_tonight(&values[..night], values[night], &floors()).is_ok_and(|tonight| {
                up.is_none_or(|up| (tonight.change() > 0.0) == up)
                    && self.suspect(seed, *since, tonight)
                    && tonight.confirmed_by(&series.again(night, AGAIN))
            })
        };
        (0..AFTER).filter(alerts).map(|since| since + 1).collect()
    }
}

fn percent(count: usize) -> String {
    format!("{:.1} %", 100.0 * count as f64 / CHANGES as f64)
}

/// A row with the shares of series that alert within so many nights.
fn found(others: &Others, what: &str, shape: Shape, limits: &[usize], kind: impl Fn(&mut Draws) -> Kind + Sync) {
    let first = |seed: u64| {
        let mut series = changing(seed, shape, &kind);
        others.alerts(seed, &mut series, Some(is_up(seed))).first().copied()
    };
    let firsts: Vec<usize> = (0..CHANGES).into_par_iter().filter_map(first).collect();
    let share = |limit: &usize| percent(firsts.iter().filter(|first| *first <= limit).count());
    println!("| {what} | {} |", limits.iter().map(share).collect::<Vec<_>>().join(" | "));
}

/// The change point that the history first has near the change: after how many nights, and how many nights beside the change.
fn first_place(values: &[f64]) -> Option<(usize, usize)> {
    (1..=AFTER).find_map(|nights| {
        let last = change_points(&values[..BEFORE + nights], &floors()).last().copied()?;
        (last.at + 10 > BEFORE).then_some((nights, last.at.abs_diff(BEFORE)))
    })
}

fn placed(what: &str, share: f64, kind: impl Fn(&mut Draws) -> Kind + Sync) {
    let place = |seed: u64| first_place(&changing(seed, Shape::Step(share), &kind).values());
    let places: Vec<(usize, usize)> = (0..CHANGES).into_par_iter().filter_map(place).collect();
    let mut waits: Vec<usize> = places.iter().map(|(nights, _)| *nights).collect();
    waits.sort_unstable();
    let near = places.iter().filter(|(_, beside)| *beside <= 1).count();
    let median = waits.get(waits.len() / 2).map_or_else(|| "–".to_owned(), ToString::to_string);
    println!("| {what} | {} | {} | {median} |", percent(places.len()), percent(near));
}

/// How many single spikes lead to an alert, and how many to a change point.
fn spikes(others: &Others) {
    let tried = |seed: u64| {
        let mut series = changing(seed, spike(seed), without_outliers);
        let values = series.values();
        let change = (1..=AFTER).any(|nights| !change_points(&values[..BEFORE + nights], &floors()).is_empty());
        (usize::from(!others.alerts(seed, &mut series, None).is_empty()), usize::from(change))
    };
    let sum = |one: (usize, usize), other: (usize, usize)| (one.0 + other.0, one.1 + other.1);
    let (alerts, changes) = (0..CHANGES).into_par_iter().map(tried).reduce(|| (0, 0), sum);
    println!(
        "Of {CHANGES} single spikes of 10 % to 500 %, {alerts} led to an alert and {changes} to a change point in the {AFTER} nights from then on."
    );
}

/// The tables.
pub(crate) fn tables() {
    let others = Others::new(8);
    println!("| one of {SERIES} series steps after {BEFORE} nights | 1 night | 2 nights | 3 | 5 | 10 | 28 |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let limits = [1, 2, 3, 5, 10, 28];
    for (what, share) in [("4 %, noise 1 %", 0.04), ("5 %, noise 1 %", 0.05), ("10 %, noise 1 %", 0.1)] {
        found(&others, what, Shape::Step(share), &limits, one_percent);
    }
    for (what, share) in
        [("5 %, realistic noise", 0.05), ("10 %, realistic noise", 0.1), ("20 %, realistic noise", 0.2)]
    {
        found(&others, what, Shape::Step(share), &limits, realistic);
    }
    println!("\n| one of {SERIES} series drifts after {BEFORE} nights | 7 nights | 14 | 21 | 28 | 35 |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let weeks = [7, 14, 21, 28, 35];
    found(&others, "1 % a week, noise 1 %", Shape::Drift(0.01), &weeks, one_percent);
    found(&others, "2 % a week, noise 1 %", Shape::Drift(0.02), &weeks, one_percent);
    found(&others, "1 % a week, realistic noise", Shape::Drift(0.01), &weeks, realistic);
    println!(
        "\n| step | has a change point within {AFTER} nights | within one night of the step | nights until then, median |"
    );
    println!("| --- | ---: | ---: | ---: |");
    placed("5 %, noise 1 %", 0.05, one_percent);
    placed("5 %, realistic noise", 0.05, realistic);
    placed("10 %, realistic noise", 0.1, realistic);
    println!();
    spikes(&others);
}
