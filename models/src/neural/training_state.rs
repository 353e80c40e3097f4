//! Everything that a fit needs to go on after an epoch, as bytes: a fit that goes on ends as one that was never interrupted.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::backend::Optimizer;
use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::ModelError;

/// The state of a fit between two epochs.
pub(super) struct TrainingState {
    /// Epochs done.
    pub(super) epoch: usize,
    /// Steps done.
    pub(super) step: usize,
    /// Shuffles the rows of each epoch.
    pub(super) order: ChaCha8Rng,
    pub(super) optimizer: Optimizer,
    pub(super) weights: Vec<f32>,
    pub(super) buffers: Vec<f32>,
    /// The weights and buffers of the best epoch so far.
    pub(super) best: Option<BestEpoch>,
}

/// The epoch with the highest validation score.
pub(super) struct BestEpoch {
    pub(super) score: f64,
    pub(super) weights: Vec<f32>,
    pub(super) buffers: Vec<f32>,
}

impl TrainingState {
    /// The state before the first epoch. `order_seed` shuffles the rows.
    pub(super) fn new(
        (weights, buffers): (Vec<f32>, Vec<f32>),
        optimizer: Optimizer,
        order_seed: u64,
    ) -> TrainingState {
        let order = ChaCha8Rng::seed_from_u64(order_seed);
        TrainingState { epoch: 0, step: 0, order, optimizer, weights, buffers, best: None }
    }

    /// The state as bytes.
    ///
    /// # Errors
    /// If the library that writes arrays fails.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let mut arrays = ArraysOut::default();
        let drawn = self.order.get_word_pos();
        let (first, second, steps) = self.optimizer.moments();
        // A score can be infinite, so its bits are kept.
        let score = self.best.iter().map(|best| best.score.to_bits());
        let counts = [self.epoch as u64, self.step as u64, drawn as u64, (drawn >> 64) as u64, steps as u64];
        arrays.add("counts", &[counts.len()], counts);
        arrays.add("best.score", &[score.len()], score);
        let mut add = |name: &str, values: &[f32]| arrays.add(name, &[values.len()], values.iter().copied());
        add("weights", &self.weights);
        add("buffers", &self.buffers);
        add("optimizer.first", first);
        add("optimizer.second", second);
        if let Some(best) = &self.best {
            add("best.weights", &best.weights);
            add("best.buffers", &best.buffers);
        }
        arrays.file().map_err(|error| ModelError::Failed(format!("failed to write the state of the fit: {error}")))
    }

    /// Takes over a state that [`TrainingState::to_bytes`] gave for the same network, rows and seed.
    ///
    /// # Errors
    /// If the bytes are no such state.
    pub(super) fn restore(&mut self, bytes: &[u8]) -> Result<(), ModelError> {
        let mut arrays = ArraysIn::new("the state of the fit".into(), bytes)?;
        let [epoch, step, low, high, steps] = arrays.take::<u64>("counts", &[5])?[..] else {
            return Err(arrays.refused("array 'counts' does not have five numbers"));
        };
        let (weights, buffers) = (self.weights.len(), self.buffers.len());
        self.weights = arrays.take("weights", &[weights])?;
        self.buffers = arrays.take("buffers", &[buffers])?;
        let moments = (arrays.take("optimizer.first", &[weights])?, arrays.take("optimizer.second", &[weights])?);
        let steps = i32::try_from(steps).map_err(|_| arrays.refused(format!("{steps} steps are too many")))?;
        self.optimizer.set_moments(moments, steps);
        self.best = match arrays.take_list::<u64>("best.score")?[..] {
            [score] => Some(BestEpoch {
                score: f64::from_bits(score),
                weights: arrays.take("best.weights", &[weights])?,
                buffers: arrays.take("best.buffers", &[buffers])?,
            }),
            _ => None,
        };
        arrays.finish()?;
        self.order.set_word_pos(u128::from(low) | u128::from(high) << 64);
        (self.epoch, self.step) = (epoch as usize, step as usize);
        Ok(())
    }
}
