//! The series of the simulation: quiet ones of a machine, and ones that change.

use crate::noise::{Draws, Kind, Nights, one_percent, realistic, walk};

/// Series of a night.
pub(crate) const SERIES: usize = 200;

/// Series with a change, of each kind.
pub(crate) const CHANGES: u64 = 1_000;

/// Nights before a change.
pub(crate) const BEFORE: usize = 60;

/// Nights from the change on.
pub(crate) const AFTER: usize = 35;

/// How much the state that all series of a machine share resembles that of the night before.
const COMMON_STAYS: f64 = 0.6;

/// A machine's nights of all series, in which nothing changes.
pub(crate) fn quiet(seed: u64, nights: usize, kind: impl Fn(&mut Draws) -> Kind) -> Vec<Nights> {
    let common = walk(nights, COMMON_STAYS, &mut Draws::new(seed, 0));
    let series = |index: usize| {
        let mut draws = Draws::new(seed, 1 + index as u64);
        let kind = kind(&mut draws);
        Nights::new(kind, &common, draws)
    };
    (0..SERIES).map(series).collect()
}

/// What happens to a series after [`BEFORE`] nights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    /// It changes by this share.
    Step(f64),
    /// It changes by this share a week.
    Drift(f64),
    /// It is larger by this share for one night. What is measured again is not.
    Spike(f64),
}

/// A series that changes: up for even seeds and down for odd ones. A spike is always up.
pub(crate) fn changing(seed: u64, shape: Shape, kind: impl Fn(&mut Draws) -> Kind) -> Nights {
    // Streams below are those of quiet machines.
    let mut draws = Draws::new(seed, 1_000_000);
    let common = walk(BEFORE + AFTER, COMMON_STAYS, &mut draws);
    let kind = kind(&mut draws);
    let mut nights = Nights::new(kind, &common, draws);
    let side = if is_up(seed) { 1.0 } else { -1.0 };
    for since in 0..AFTER {
        match shape {
            Shape::Step(share) => nights.shift[BEFORE + since] = side * share.ln_1p(),
            Shape::Drift(share) => nights.shift[BEFORE + since] = side * share.ln_1p() * (since + 1) as f64 / 7.0,
            Shape::Spike(share) => nights.spike[BEFORE + since] = if since == 0 { share.ln_1p() } else { 0.0 },
        }
    }
    nights
}

/// Whether a series with this seed changes to larger numbers.
pub(crate) fn is_up(seed: u64) -> bool {
    seed.is_multiple_of(2)
}

/// The sizes of single spikes.
pub(crate) fn spike(seed: u64) -> Shape {
    Shape::Spike([0.1, 0.3, 1.0, 5.0][seed as usize % 4])
}

/// Noise of 1 % without outliers, for spikes that are the only ones.
pub(crate) fn without_outliers(draws: &mut Draws) -> Kind {
    Kind { outliers: 0.0, ..one_percent(draws) }
}

/// Modes and outliers that stay with this probability when a series is measured again the same night.
pub(crate) fn sticking(probability: f64) -> impl Fn(&mut Draws) -> Kind {
    move |draws| Kind { sticks: probability, ..realistic(draws) }
}
