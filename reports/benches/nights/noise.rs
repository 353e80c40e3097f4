//! Made-up nights of a machine, whose truth is known.

use std::sync::OnceLock;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The first seed, 0 unless the command line gives another.
pub(crate) static FIRST_SEED: OnceLock<u64> = OnceLock::new();

/// Random numbers.
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    pub(crate) fn new(seed: u64, stream: u64) -> Draws {
        let mut generator = ChaCha8Rng::seed_from_u64(FIRST_SEED.get().unwrap_or(&0) + seed);
        generator.set_stream(stream);
        Draws(generator)
    }

    /// Above 0 and below 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        (f64::from(self.0.next_u32()) + 0.5) / (f64::from(u32::MAX) + 1.0)
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Two uniform numbers give a normal one (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// How the numbers of a series vary. Everything is in logarithms, so 0.01 is about 1 %.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// The standard deviation of a night without outliers and modes.
    pub(crate) deviation: f64,
    /// The share of the variance that is the state of the machine, which changes slowly and is the same for what is measured again.
    pub(crate) state: f64,
    /// The correlation of the state with that of the night before.
    pub(crate) stays: f64,
    /// The probability of an outlier. Outliers are slower by 5 % and an exponential part with the mean 15 %.
    pub(crate) outliers: f64,
    /// The distance of a second mode, 0 without one.
    pub(crate) mode: f64,
    /// The probability of the second mode in a process.
    pub(crate) in_mode: f64,
    /// The probability that a mode or an outlier is the same when it is measured again the same night.
    pub(crate) sticks: f64,
}

/// The share of the state's variance that all series of a machine have in common.
const COMMON: f64 = 0.3;

/// The series of a realistic suite: noise from 0.5 % to 3 %, 20 % to 70 % of its variance from a slow state, up to 2 % of outliers. One series in
/// seven has two modes that are 3 % to 10 % apart, of which the second comes in 20 % to 50 % of processes.
pub(crate) fn realistic(draws: &mut Draws) -> Kind {
    let two_modes = draws.chance(1.0 / 7.0);
    Kind {
        deviation: 0.005 * 6.0_f64.powf(draws.uniform()),
        state: draws.between(0.2, 0.7),
        stays: draws.between(0.3, 0.8),
        outliers: draws.between(0.0, 0.02),
        mode: if two_modes { draws.between(0.03, 0.10) } else { 0.0 },
        in_mode: draws.between(0.2, 0.5),
        sticks: 0.0,
    }
}

/// Noise of 1 % with the same state and outliers, and without modes.
pub(crate) fn one_percent(draws: &mut Draws) -> Kind {
    Kind { deviation: 0.01, mode: 0.0, ..realistic(draws) }
}

/// The nights of one series.
pub(crate) struct Nights {
    kind: Kind,
    states: Vec<f64>,
    in_mode: Vec<bool>,
    outliers: Vec<f64>,
    /// What is added to the level, as a logarithm.
    pub(crate) shift: Vec<f64>,
    /// What is added to a night's number, but not to what is measured again.
    pub(crate) spike: Vec<f64>,
    /// The logarithm of each night's number.
    logs: Vec<f64>,
    draws: Draws,
}

impl Nights {
    /// As many nights as `common` has states of the machine.
    pub(crate) fn new(kind: Kind, common: &[f64], mut draws: Draws) -> Nights {
        let own = walk(common.len(), kind.stays, &mut draws);
        let (of_all, of_one) = (COMMON.sqrt(), (1.0 - COMMON).sqrt());
        let size = kind.deviation * kind.state.sqrt();
        let states = common.iter().zip(own).map(|(all, one)| size * (of_all * all + of_one * one)).collect();
        let mut nights = Nights {
            kind,
            states,
            in_mode: Vec::new(),
            outliers: Vec::new(),
            shift: vec![0.0; common.len()],
            spike: vec![0.0; common.len()],
            logs: Vec::new(),
            draws,
        };
        for night in 0..common.len() {
            let in_mode = nights.draws.chance(kind.in_mode);
            let outlier = nights.outlier();
            let log = nights.log(night, in_mode, outlier);
            nights.in_mode.push(in_mode);
            nights.outliers.push(outlier);
            nights.logs.push(log);
        }
        nights
    }

    fn outlier(&mut self) -> f64 {
        let size = 0.05 - 0.15 * self.draws.uniform().ln();
        if self.draws.chance(self.kind.outliers) { size.ln_1p() } else { 0.0 }
    }

    fn log(&mut self, night: usize, in_mode: bool, outlier: f64) -> f64 {
        let white = self.kind.deviation * (1.0 - self.kind.state).sqrt() * self.draws.normal();
        self.states[night] + white + outlier + if in_mode { self.kind.mode } else { 0.0 }
    }

    /// The number of each night.
    pub(crate) fn values(&self) -> Vec<f64> {
        (0..self.logs.len()).map(|night| (self.logs[night] + self.shift[night] + self.spike[night]).exp()).collect()
    }

    /// What is measured again in this night: processes of their own in the same state of the machine.
    pub(crate) fn again(&mut self, night: usize, count: usize) -> Vec<f64> {
        let sticks = self.draws.chance(self.kind.sticks);
        let measure = |_| {
            let in_mode = if sticks { self.in_mode[night] } else { self.draws.chance(self.kind.in_mode) };
            let outlier = if sticks { self.outliers[night] } else { self.outlier() };
            (self.log(night, in_mode, outlier) + self.shift[night]).exp()
        };
        (0..count).map(measure).collect()
    }
}

/// Standard normal numbers, each correlated with the one before.
pub(crate) fn walk(nights: usize, stays: f64, draws: &mut Draws) -> Vec<f64> {
    let mut state = draws.normal();
    let next = |_| {
        let now = state;
        state = stays * state + (1.0 - stays * stays).sqrt() * draws.normal();
        now
    };
    (0..nights).map(next).collect()
}
