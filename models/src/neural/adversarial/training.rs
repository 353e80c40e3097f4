//! The training of a discriminator and its generator. In each step, first the discriminator moves, then the generator, each with an
//! optimiser of its own.
//!
//! The discriminator's loss is the cross-entropy of K + 1 classes, over the real rows with their labels and as many made-up ones. The
//! generator's is the squared distance of the mean features of made-up images from those of real ones (feature matching: Salimans et
//! al. 2016, section 3.1), in each shard by itself.

use std::sync::Arc;

use bakeoff_datasets::Targets;
use burn::tensor::{Device as BurnDevice, Tensor};
use rand_chacha::ChaCha8Rng;

use super::super::backend::{Optimizer, Pools, clip};
use super::super::batch::{self, Batch, Draws};
use super::super::encoder::Encoded;
use super::super::layers::Pass;
use super::super::network::Network;
use super::super::recipe::Recipe;
use super::super::schedule::Schedule;
use super::super::train::{SHARES_OF_A_BUDGET, ShardResult, merge, numbers, paces_of, shard_rng};
use super::super::training_state::{BestEpoch, TrainingState};
use super::super::weights::Leaves;
use super::FittedRivals;
use super::networks::{Discriminator, Generator};
use crate::model::{EpochReport, ModelError, Spec, Watch};

/// The seeds of the random numbers of a fit.
#[derive(Debug, Clone, Copy)]
struct Seeds {
    order: u64,
    augment: u64,
    dropout: u64,
    /// The noise of the images against which the discriminator learns.
    against: u64,
    /// The noise of the images by which the generator learns.
    noise: u64,
}

/// Both networks, and how they learn.
pub(super) struct Rivals<'a> {
    discriminator: Arc<Discriminator>,
    generator: Arc<Generator>,
    recipe: Recipe,
    device: BurnDevice,
    seeds: Seeds,
    pools: &'a Pools,
}

/// Noise for so many images of a shard, `images x noise`.
type Noise<'a> = dyn Fn(Place, usize) -> Tensor<2> + Sync + 'a;

/// The states of both between two epochs. The order of the rows, the epoch, the step and the best score are those of the
/// discriminator's.
pub(super) struct States {
    discriminator: TrainingState,
    generator: TrainingState,
}

impl States {
    /// Both states as bytes: the number of bytes of the first, in eight bytes, then both.
    fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let (first, second) = (self.discriminator.to_bytes()?, self.generator.to_bytes()?);
        Ok([&(first.len() as u64).to_le_bytes()[..], &first, &second].concat())
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), ModelError> {
        let cut = || ModelError::State("the state of the fit is cut off".to_owned());
        let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(cut)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
        let (first, second) = rest.split_at_checked(length).ok_or_else(cut)?;
        let failed = |error: ModelError| ModelError::State(error.to_string());
        self.discriminator.restore(first).map_err(failed)?;
        self.generator.restore(second).map_err(failed)
    }

    /// Remembers the weights of this epoch.
    fn keep(&mut self, score: f64) {
        for state in [&mut self.discriminator, &mut self.generator] {
            state.best = Some(BestEpoch { score, weights: state.weights.clone(), buffers: state.buffers.clone() });
        }
    }

    fn give_current(&self, fitted: &mut FittedRivals) {
        fitted.set(&self.discriminator.weights, &self.generator.weights, &self.generator.buffers);
    }

    fn give_best(&self, fitted: &mut FittedRivals) {
        if let (Some(discriminator), Some(generator)) = (&self.discriminator.best, &self.generator.best) {
            fitted.set(&discriminator.weights, &generator.weights, &generator.buffers);
        }
    }
}

impl<'a> Rivals<'a> {
    pub(super) fn new(
        discriminator: Arc<Discriminator>,
        fitted: &FittedRivals,
        (spec, recipe): (&Spec, Recipe),
        pools: &'a Pools,
    ) -> Rivals<'a> {
        Rivals {
            discriminator,
            generator: Arc::clone(&fitted.generator),
            recipe,
            device: fitted.classifier.device.clone(),
            seeds: Seeds {
                order: spec.seed_for("order"),
                augment: spec.seed_for("augment"),
                dropout: spec.seed_for("dropout"),
                against: spec.seed_for("against"),
                noise: spec.seed_for("noise"),
            },
            pools,
        }
    }

    /// Trains both from these weights. `watch` scores the discriminator's classes on the validation rows after each epoch. `fitted`
    /// then has the weights of the best epoch.
    ///
    /// # Errors
    /// See [`FittedRivals::fit`].
    pub(super) fn train(
        &self,
        fitted: &mut FittedRivals,
        start: ([Vec<f32>; 2], Vec<f32>),
        [train, validation]: [Encoded<'_>; 2],
        targets: &Targets,
        watch: &mut dyn Watch,
    ) -> Result<(), ModelError> {
        let recipe = &self.recipe;
        let mut states = self.states(start);
        if let Some(bytes) = watch.interrupted() {
            states.restore(&bytes)?;
            states.give_current(fitted);
        }
        // The share of the budget that a validation pass takes. It is left for the last one.
        let mut reserve = 0.0;
        loop {
            let epoch = states.discriminator.epoch;
            let is_over = watch.spent().map_or(epoch >= recipe.epochs, |spent| spent + reserve >= 1.0);
            // A first epoch that the budget does not allow is an error.
            if is_over && epoch > 0 {
                break;
            }
            let Some(train_loss) = self.epoch(fitted, &mut states, (&train, targets), reserve, watch)? else { break };
            let before = watch.spent();
            let predictions = fitted.classifier.predict_encoded(&validation, self.pools)?;
            let after = watch.spent();
            let epoch = states.discriminator.epoch;
            let epochs = after.map_or(recipe.epochs, |spent| epoch.max((epoch as f64 / spent).round() as usize));
            reserve = after.unwrap_or_default() - before.unwrap_or_default();
            let score = watch.epoch(&EpochReport { epoch, epochs, train_loss, validation: &predictions })?;
            if states.discriminator.best.as_ref().is_none_or(|best| score > best.score) {
                states.keep(score);
            }
            watch.checkpoint(&|| states.to_bytes())?;
        }
        states.give_best(fitted);
        Ok(())
    }

    /// The states before the first step, with the weights of the discriminator and of the generator, and the running statistics of the
    /// latter.
    pub(super) fn states(&self, ([discriminator, generator], buffers): ([Vec<f32>; 2], Vec<f32>)) -> States {
        let optimizer = |layout| Optimizer::new(self.recipe.rule, paces_of(layout, &self.recipe));
        let order = self.seeds.order;
        let of_discriminator = optimizer(self.discriminator.layout());
        let of_generator = optimizer(&self.generator.layouts.0);
        States {
            discriminator: TrainingState::new((discriminator, Vec::new()), of_discriminator, order),
            generator: TrainingState::new((generator, buffers), of_generator, order),
        }
    }

    /// One pass over the training rows, or as much of it as the budget allows: all but `reserve`, a share of it. Returns the mean loss
    /// of the discriminator; `None` if there was no step.
    fn epoch(
        &self,
        fitted: &mut FittedRivals,
        states: &mut States,
        (encoded, targets): (&Encoded<'_>, &Targets),
        reserve: f64,
        watch: &mut dyn Watch,
    ) -> Result<Option<f64>, ModelError> {
        let recipe = &self.recipe;
        let batches = batch::epoch(encoded, recipe, &mut states.discriminator.order);
        let steps = watch.spent().map_or(batches.len() * recipe.epochs, |_| SHARES_OF_A_BUDGET);
        let schedule = Schedule::new(recipe.learning_rate, recipe.fall, recipe.warmup, steps);
        let epoch = states.discriminator.epoch + 1;
        let drawn = |seed: u64, place: Place, images: usize| {
            self.generator.noise(images, &mut shard_rng(seed, place.step, place.index), &self.device)
        };
        let against = |place: Place, images: usize| drawn(self.seeds.against, place, images);
        let towards = |place: Place, images: usize| drawn(self.seeds.noise, place, images);
        let (mut sum, mut done) = (0.0, 0);
        for rows in &batches {
            let rate = match watch.spent() {
                Some(spent) if spent + reserve >= 1.0 => break,
                Some(spent) => schedule.rate((spent * SHARES_OF_A_BUDGET as f64) as usize),
                None => schedule.rate(states.discriminator.step),
            };
            let noise: [&Noise<'_>; 2] = [&against, &towards];
            sum += self.step(fitted, states, (encoded, targets, rows), noise, (epoch, rate))?[0];
            done += 1;
        }
        if epoch == 1 && done < batches.len() {
            let all = batches.len();
            let message =
                format!("the budget was used up in the first epoch, after {done} of its {all} steps: raise the budget");
            return Err(ModelError::OverBudget(message));
        }
        if done == 0 && !batches.is_empty() {
            return Ok(None);
        }
        (states.discriminator.epoch, states.generator.epoch) = (epoch, epoch);
        Ok(Some(sum / done.max(1) as f64))
    }

    /// One step on these rows: the discriminator moves, and then the generator. The first noise is of the images against which the
    /// discriminator learns, the second of those by which the generator learns. Returns both losses.
    ///
    /// # Errors
    /// If a loss or a gradient is not finite; the error has the epoch.
    pub(super) fn step(
        &self,
        fitted: &mut FittedRivals,
        states: &mut States,
        (encoded, targets, rows): (&Encoded<'_>, &Targets, &[usize]),
        [against, towards]: [&Noise<'_>; 2],
        (epoch, rate): (usize, f64),
    ) -> Result<[f64; 2], ModelError> {
        let shards: Vec<&[usize]> = rows.chunks(self.recipe.shard).collect();
        let step = states.discriminator.step;
        let place = |index| Place { step, index, total: rows.len() };
        let results = self.pools.map(&shards, |index, shard| {
            self.discriminator_shard(fitted, (encoded, targets), shard, (against, place(index)))
        });
        let first = self.moved(&mut states.discriminator, results, (epoch, "the discriminator"), rate)?;
        states.give_current(fitted);
        let results = self
            .pools
            .map(&shards, |index, shard| self.generator_shard(fitted, encoded, shard, (towards, place(index))));
        let second = self.moved(&mut states.generator, results, (epoch, "the generator"), rate)?;
        states.give_current(fitted);
        Ok([first, second])
    }

    /// Moves one of the two along the sum of what the shards contribute, and returns the loss.
    fn moved(
        &self,
        state: &mut TrainingState,
        results: Vec<ShardResult>,
        (epoch, who): (usize, &str),
        rate: f64,
    ) -> Result<f64, ModelError> {
        let (loss, gradient) = merge(results, &mut state.buffers);
        let (norm, scale) = clip(&gradient, self.recipe.clip);
        if !loss.is_finite() || !norm.is_finite() {
            let what = if loss.is_finite() { "the gradient" } else { "the training loss" };
            return Err(ModelError::Diverged { epoch, what: format!("{what} of {who}") });
        }
        state.optimizer.step(&mut state.weights, &gradient, scale, rate);
        state.step += 1;
        Ok(loss)
    }

    /// Real images of a shard, the same for both networks in one step.
    fn real(&self, encoded: &Encoded<'_>, rows: &[usize], place: Place, device: &BurnDevice) -> Tensor<4> {
        let augment = shard_rng(self.seeds.augment, place.step, place.index);
        let mut draws = Draws::new(vec![augment], rows.len());
        match batch::augmented(encoded, rows, &self.recipe, &mut draws, device).0 {
            Batch::Images(pixels) => pixels,
            _ => unreachable!("a generator is of images alone"),
        }
    }

    /// The random numbers of dropout, which make a pass one of training. The generator has no dropout.
    fn dropout(&self, place: Place) -> Option<ChaCha8Rng> {
        Some(shard_rng(self.seeds.dropout, place.step, place.index))
    }

    /// The cross-entropy of K + 1 classes over the rows of a shard and as many made-up images, with its gradient.
    fn discriminator_shard(
        &self,
        fitted: &FittedRivals,
        (encoded, targets): (&Encoded<'_>, &Targets),
        rows: &[usize],
        (noise, place): (&Noise<'_>, Place),
    ) -> ShardResult {
        let device = self.device.clone().autodiff();
        let real = self.real(encoded, rows, place, &device);
        // The generator does not move here, so its images are numbers without a graph.
        let mut pass = Pass::new(&fitted.weights, &fitted.buffers, self.dropout(place));
        let made = self.generator.forward(noise(place, rows.len()), &mut pass).autodiff();
        let labels = fitted.classifier.head.encode(targets, rows, &vec![false; rows.len()], &device);

        let weights = fitted.classifier.weights.tracked();
        let mut pass = Pass::new(&weights, &fitted.classifier.buffers, self.dropout(place));
        let loss = self.discriminator.loss(real, made, labels, &mut pass) / place.total as f64;
        let mut gradients = loss.backward();
        let gradient = weights.gradient(&mut gradients);
        ShardResult { loss: f64::from(loss.into_scalar::<f32>()), rows: rows.len(), gradient, statistics: Vec::new() }
    }

    /// The squared distance of the mean features of made-up images from those of the rows of a shard, with its gradient.
    fn generator_shard(
        &self,
        fitted: &FittedRivals,
        encoded: &Encoded<'_>,
        rows: &[usize],
        (noise, place): (&Noise<'_>, Place),
    ) -> ShardResult {
        let device = self.device.clone().autodiff();
        let real = self.real(encoded, rows, place, &device);

        let weights = fitted.weights.tracked();
        let mut pass = Pass::new(&weights, &fitted.buffers, self.dropout(place));
        let made = self.generator.forward(noise(place, rows.len()).autodiff(), &mut pass);
        let statistics = pass.into_statistics().into_iter().flat_map(numbers).collect();
        // The discriminator does not move here, so its weights are constants of the graph.
        let constants: Leaves = fitted.classifier.weights.constants();
        let mut judge = Pass::new(&constants, &fitted.classifier.buffers, None);
        let share = rows.len() as f64 / place.total as f64;
        let loss = self.discriminator.distance(real, made, &mut judge) * share;
        let mut gradients = loss.backward();
        let gradient = weights.gradient(&mut gradients);
        ShardResult { loss: f64::from(loss.into_scalar::<f32>()), rows: rows.len(), gradient, statistics }
    }
}

/// Which shard of which step, and how many rows the whole step has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) step: usize,
    index: usize,
    total: usize,
}
