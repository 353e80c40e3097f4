//! Nights in which nothing changes: every alert is false.

use std::ops::Range;

use bakeoff_reports::{Tonight, judge_tonight, suspects};
use rayon::prelude::*;

use crate::made::{SERIES, quiet, sticking};
use crate::noise::{Draws, Kind, Nights, realistic};
use crate::{AGAIN, floors};

/// What quiet nights led to.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    nights: usize,
    suspects: usize,
    with_alerts: usize,
    /// Confirmed, to smaller numbers and to larger ones.
    smaller: usize,
    larger: usize,
    by_change_point: usize,
}

impl Tally {
    fn add(self, other: Tally) -> Tally {
        Tally {
            nights: self.nights + other.nights,
            suspects: self.suspects + other.suspects,
            with_alerts: self.with_alerts + other.with_alerts,
            smaller: self.smaller + other.smaller,
            larger: self.larger + other.larger,
            by_change_point: self.by_change_point + other.by_change_point,
        }
    }
}

/// Judges the nights of a machine.
fn judge(mut series: Vec<Nights>, nights: Range<usize>) -> Tally {
    let values: Vec<Vec<f64>> = series.iter().map(Nights::values).collect();
    let mut tally = Tally { nights: nights.len(), ..Tally::default() };
    for night in nights {
        let judge = |index: usize| {
            let judged = judge_tonight(&values[index][..night], values[index][night], &floors());
            judged.ok().map(|tonight| (index, tonight))
        };
        let (places, judged): (Vec<usize>, Vec<Tonight>) = (0..SERIES).filter_map(judge).unzip();
        let mut alert = false;
        for (place, tonight) in suspects(&judged).iter().zip(places.iter().zip(&judged)).filter_map(only_suspects) {
            tally.suspects += 1;
            if tonight.confirmed_by(&series[*place].again(night, AGAIN)) {
                alert = true;
                if tonight.change() > 0.0 {
                    tally.larger += 1
                } else {
                    tally.smaller += 1
                }
                tally.by_change_point += usize::from(tonight.new_change.is_some());
            }
        }
        tally.with_alerts += usize::from(alert);
    }
    tally
}

fn only_suspects<T>((suspect, series): (&bool, T)) -> Option<T> {
    suspect.then_some(series)
}

fn row(what: &str, machines: u64, nights: Range<usize>, kind: impl Fn(&mut Draws) -> Kind + Sync) {
    let of_machine = |seed: u64| judge(quiet(seed, nights.end, &kind), nights.clone());
    let tally = (0..machines).into_par_iter().map(of_machine).reduce(Tally::default, Tally::add);
    println!(
        "| {what} | {} | {:.1} | {:.1} % | {} + {} | {} |",
        tally.nights,
        tally.suspects as f64 / tally.nights as f64,
        100.0 * tally.with_alerts as f64 / tally.nights as f64,
        tally.smaller,
        tally.larger,
        tally.by_change_point
    );
}

/// The table.
pub(crate) fn table() {
    println!(
        "| {SERIES} series in which nothing changes | nights | suspects a night | nights with an alert | alerts to smaller + larger numbers | of these by a change point |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    row("nights 11 to 110 of 10 machines", 10, 10..110, realistic);
    row("nights 11 to 30 of 50 machines", 50, 10..30, realistic);
    row("nights 266 to 365 of 10 machines", 10, 265..365, realistic);
    row("the second mode comes in 5 %", 10, 10..110, |draws| Kind { in_mode: 0.05, ..realistic(draws) });
    row("the state of the machine stays for weeks, 0.95 a night", 10, 10..110, |draws| Kind {
        stays: 0.95,
        ..realistic(draws)
    });
    for probability in [0.01, 0.05, 0.25] {
        let what = format!("modes and outliers stay in {} % when measured again", 100.0 * probability);
        row(&what, 10, 10..110, sticking(probability));
    }
}
