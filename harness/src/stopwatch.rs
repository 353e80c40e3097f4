//! The one stopwatch, and the percentiles of what it read.

use std::time::Duration;

use crate::machine::Machine;

/// Measures from its start.
pub struct Stopwatch<'a> {
    machine: &'a dyn Machine,
    start: Duration,
}

impl<'a> Stopwatch<'a> {
    /// Starts.
    pub fn start(machine: &'a dyn Machine) -> Stopwatch<'a> {
        Stopwatch { machine, start: machine.now() }
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        (self.machine.now() - self.start).as_secs_f64()
    }
}

/// Percentiles of a set of readings.
#[derive(Debug)]
pub struct Percentiles {
    sorted: Vec<f64>,
}

impl Percentiles {
    /// Of these readings.
    ///
    /// # Panics
    /// If there is none.
    pub fn new(mut readings: Vec<f64>) -> Percentiles {
        assert!(!readings.is_empty(), "percentiles need at least one reading");
        readings.sort_by(f64::total_cmp);
        Percentiles { sorted: readings }
    }

    /// The percentile at `share` in 0..=1, interpolated linearly between the two nearest readings: Hyndman and Fan's
    /// definition 7 (1996), numpy's default.
    pub fn at(&self, share: f64) -> f64 {
        let position = share * (self.sorted.len() - 1) as f64;
        let below = self.sorted[position.floor() as usize];
        let above = self.sorted[position.ceil() as usize];
        below + (above - below) * position.fract()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_numpy() {
        // numpy.percentile([15, 20, 35, 40, 50], [0, 50, 90, 95, 99, 100])
        let percentiles = Percentiles::new(vec![50.0, 15.0, 40.0, 20.0, 35.0]);
        for (share, expected) in [(0.0, 15.0), (0.5, 35.0), (0.9, 46.0), (0.95, 48.0), (0.99, 49.6), (1.0, 50.0)] {
            assert!((percentiles.at(share) - expected).abs() < 1e-9, "{share}");
        }
    }

    #[test]
    fn percentiles_of_one_reading_are_that_reading() {
        assert_eq!(Percentiles::new(vec![3.0]).at(0.99), 3.0);
    }
}
