//! How often 95 % intervals hold the truth, and how often the test of all pairs finds a difference where there is none, in made-up
//! experiments whose truth is known. docs/methodology.md has the table that this prints.
//!
//!     cargo bench --workspace --locked --bench coverage
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a broken benchmark should stop, and it prints its result"
)]

use bakeoff_reports::{Trials, holm};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

/// Experiments of each kind.
const EXPERIMENTS: u64 = 4_000;

/// How answers come about: an answer is right if the sum of a constant, the skill of its seed, the ease of its row and a part of its own is
/// above 0.
#[derive(Debug, Clone, Copy)]
struct Kind {
    seeds: usize,
    rows: usize,
    /// The standard deviation of the skill, where that of an answer's own part is 1.
    of_seed: f64,
    /// The standard deviation of the ease, which all models share.
    of_row: f64,
}

const MEAN: f64 = 1.0;

struct Normals(ChaCha8Rng);

impl Normals {
    /// Two uniform numbers give a normal one (Box and Muller 1958).
    fn next(&mut self) -> f64 {
        let mut uniform = || (f64::from(self.0.next_u32()) + 0.5) / (f64::from(u32::MAX) + 1.0);
        (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
    }
}

impl Kind {
    /// The share of right answers of infinitely many seeds and rows: a normal distribution function.
    fn truth(self) -> f64 {
        let deviation = (1.0 + self.of_seed.powi(2) + self.of_row.powi(2)).sqrt();
        let normal = |x: f64| {
            // Simpson's rule from 0 to x.
            let density = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
            let steps = 2_000;
            let width = x / f64::from(steps);
            let weight = |step: i32| {
                if step == 0 || step == steps {
                    1.0
                } else if step % 2 == 1 {
                    4.0
                } else {
                    2.0
                }
            };
            0.5 + (0..=steps).map(|step| weight(step) * density(f64::from(step) * width)).sum::<f64>() * width / 3.0
        };
        normal(MEAN / deviation)
    }

    /// The answers of some models that are all the same.
    fn experiment(self, models: usize, number: u64) -> Vec<Trials> {
        let mut normals = Normals(ChaCha8Rng::seed_from_u64(number));
        let rows: Vec<f64> = (0..self.rows).map(|_| self.of_row * normals.next()).collect();
        let mut trial = |skill: f64| {
            let right = |ease: &f64| f64::from(u8::from(MEAN + skill + ease + normals.next() > 0.0));
            rows.iter().map(right).collect::<Vec<f64>>()
        };
        let mut skills = Normals(ChaCha8Rng::seed_from_u64(u64::MAX - number));
        (0..models)
            .map(|_| Trials::new((0..self.seeds).map(|_| trial(self.of_seed * skills.next())).collect()).unwrap())
            .collect()
    }

    /// The share of intervals that hold the truth.
    fn coverage(self) -> f64 {
        let truth = self.truth();
        let holds = |number: &u64| {
            let trials = self.experiment(1, *number).remove(0);
            let mean = trials.means().iter().sum::<f64>() / self.seeds as f64;
            let interval = trials.infer(mean).unwrap().interval();
            interval.low <= truth && truth <= interval.high
        };
        share((0..EXPERIMENTS).into_par_iter().filter(holds).count())
    }

    /// The share of experiments with five equal models in which some pair differs by the test of all pairs.
    fn family_error(self) -> f64 {
        let errs = |number: &u64| {
            let models = self.experiment(5, *number);
            let mut p_values = Vec::new();
            for (index, one) in models.iter().enumerate() {
                for other in &models[index + 1..] {
                    let difference = Trials::combination(&[(1.0, one.clone()), (-1.0, other.clone())]).unwrap();
                    let mean = difference.means().iter().sum::<f64>() / self.seeds as f64;
                    p_values.push(difference.infer(mean).map_or(1.0, |found| found.p(0.0)));
                }
            }
            holm(&p_values).iter().any(|p| *p < 0.05)
        };
        share((0..EXPERIMENTS / 2).into_par_iter().filter(errs).count()) * 2.0
    }
}

fn share(count: usize) -> f64 {
    count as f64 / EXPERIMENTS as f64
}

fn main() {
    println!(
        "| spread over seeds | ease of rows | seeds | rows | intervals that hold the truth | families with a false difference |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    for of_seed in [0.02, 0.2, 0.5] {
        for of_row in [0.0, 1.5] {
            for seeds in [2, 3, 5, 10] {
                for rows in [200, 1000] {
                    let kind = Kind { seeds, rows, of_seed, of_row };
                    let (coverage, errors) = (100.0 * kind.coverage(), 100.0 * kind.family_error());
                    println!("| {of_seed} | {of_row} | {seeds} | {rows} | {coverage:.1} % | {errors:.1} % |");
                }
            }
        }
    }
}
