//! How often the rules of a history are wrong, and how soon they find what is there, in made-up nights whose truth is known.
//! docs/nightly.md has the tables that this prints.
//!
//!     cargo bench --workspace --locked --bench nights
//!     cargo bench --workspace --locked --bench nights -- --seed 1000000    # other nights
//!     cargo bench --workspace --locked --bench nights -- --write FOLDER    # the series, for scripts/nights/run
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a broken benchmark should stop, and it prints its result"
)]

mod changes;
mod made;
mod noise;
mod quiet;
mod written;

use std::time::Instant;

use bakeoff_reports::{Floors, change_points, judge_tonight};

/// How often a suspect is measured again.
const AGAIN: usize = 3;

/// The floors of a throughput, which are relative only.
fn floors() -> Floors {
    Floors::of_unit("1/s")
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after =
        |name: &str| arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1));
    if let Some(seed) = after("--seed") {
        noise::FIRST_SEED.set(seed.parse().unwrap()).unwrap();
    }
    if let Some(folder) = after("--write") {
        written::write(folder.as_ref());
        return;
    }
    quiet::table();
    println!();
    changes::tables();
    println!();
    year();
}

/// How long a year of every series takes.
fn year() {
    let series: Vec<Vec<f64>> = made::quiet(1, 365, noise::realistic).iter().map(noise::Nights::values).collect();
    let began = Instant::now();
    let judged = series.iter().filter(|values| judge_tonight(&values[..364], values[364], &floors()).is_ok()).count();
    let seconds = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let changes: usize = series.iter().map(|values| change_points(values, &floors()).len()).sum();
    println!(
        "{judged} series of 365 nights are judged in {seconds:.2} s by one thread; their {changes} change points take {:.2} s.",
        began.elapsed().as_secs_f64()
    );
}
