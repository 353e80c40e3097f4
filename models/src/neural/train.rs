//! The one training loop.

use bakeoff_datasets::Targets;
use burn::tensor::{Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::backend::{Optimizer, Pace, Pools, add, clip};
use super::batch::{self, Draws};
use super::encoder::Encoded;
use super::fitted::FittedNetwork;
use super::functions::has_own_loops;
use super::head::Head;
use super::layers::Pass;
use super::network::Network;
use super::on_device::OnDevice;
use super::recipe::Recipe;
use super::schedule::Schedule;
use super::training_state::{BestEpoch, TrainingState};
use super::weights::{WeightGroup, WeightLayout};
use crate::model::{EpochReport, ModelError, Spec, Watch};

/// The share of the running statistics that a step replaces. It is PyTorch's value.
pub(super) const STATISTICS_RATE: f32 = 0.1;

/// Fewer weights than this are moved before another thread has woken up.
const MIN_WEIGHTS_TO_SHARE: usize = 1 << 20;

/// How many steps of a fit with a budget may be queued on a device.
const STEPS_AHEAD: usize = 8;

/// How finely the schedule follows a budget.
pub(super) const SHARES_OF_A_BUDGET: usize = 1_000_000;

/// The random numbers of one shard: those of an axis' seed, on a stream for this shard.
pub(super) fn shard_rng(seed: u64, step: usize, shard: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((step as u64) << 20) + shard as u64);
    rng
}

/// What the computation of one shard contributes to a step.
pub(super) struct ShardResult {
    /// The sum of the rows' losses, divided by the rows of the step.
    pub(super) loss: f64,
    /// How many rows the shard has.
    pub(super) rows: usize,
    pub(super) gradient: Vec<f32>,
    /// The statistics of batch normalisation.
    pub(super) statistics: Vec<f32>,
}

/// What the computation of a whole step on a device gives, where it is.
pub(super) struct StepResult {
    /// The mean of the rows' losses.
    pub(super) loss: Tensor<1>,
    /// The gradient of each slot; `None` where the loss does not depend on it.
    pub(super) gradients: Vec<Option<Tensor<1>>>,
    /// The statistics of batch normalisation, one tensor for each buffer.
    pub(super) statistics: Vec<Tensor<1>>,
}

/// What a step needs beside weights and rows.
pub(super) struct StepContext<'a> {
    network: &'a dyn Network,
    recipe: Recipe,
    head: Head,
    mirror_negates: bool,
    encoded: Encoded<'a>,
    targets: &'a Targets,
    device: Device,
    augment_seed: u64,
    dropout_seed: u64,
}

impl<'a> StepContext<'a> {
    fn new(
        network: &'a dyn Network,
        fitted: &FittedNetwork,
        (spec, recipe): (&Spec, Recipe),
        (encoded, targets): (Encoded<'a>, &'a Targets),
    ) -> StepContext<'a> {
        StepContext {
            network,
            recipe,
            head: fitted.head,
            mirror_negates: spec.shape.mirror_negates,
            encoded,
            targets,
            device: fitted.device.clone().autodiff(),
            augment_seed: spec.seed_for("augment"),
            dropout_seed: spec.seed_for("dropout"),
        }
    }

    /// The forward and the backward pass of one shard. The loss and its gradient are sums over the shard's rows,
    /// divided by `total`.
    fn shard(&self, fitted: &FittedNetwork, rows: &[usize], total: usize, place: (usize, usize)) -> ShardResult {
        let (step, index) = place;
        let weights = fitted.weights.tracked();
        let mut draws = Draws::new(vec![shard_rng(self.augment_seed, step, index)], rows.len());
        let (batch, mirrored) = batch::augmented(&self.encoded, rows, &self.recipe, &mut draws, &self.device);
        let negate: Vec<bool> = mirrored.iter().map(|&mirrored| mirrored && self.mirror_negates).collect();
        let targets = self.head.encode(self.targets, rows, &negate, &self.device);

        let mut pass = Pass::new(&weights, &fitted.buffers, Some(shard_rng(self.dropout_seed, step, index)));
        let outputs = self.network.forward(&batch, &mut pass);
        let statistics = pass.into_statistics().into_iter().flat_map(numbers).collect();
        let loss = self.head.loss(outputs, targets) / total as f64;
        let mut gradients = loss.backward();
        let gradient = weights.gradient(&mut gradients);
        ShardResult { loss: f64::from(loss.into_scalar::<f32>()), rows: rows.len(), gradient, statistics }
    }

    /// The forward and the backward pass of all shards of a step at once, as a device does it. The random numbers of augmentation and
    /// the groups of batch normalisation are those of the shards, so the numbers are those of [`StepContext::shard`], rounding aside.
    pub(super) fn whole(&self, fitted: &FittedNetwork, rows: &[usize], step: usize) -> StepResult {
        let weights = fitted.weights.tracked();
        let shards = rows.len().div_ceil(self.recipe.shard);
        let rng = |index| shard_rng(self.augment_seed, step, index);
        let mut draws = Draws::new((0..shards).map(rng).collect(), self.recipe.shard);
        let (batch, mirrored) = batch::augmented(&self.encoded, rows, &self.recipe, &mut draws, &self.device);
        let negate: Vec<bool> = mirrored.iter().map(|&mirrored| mirrored && self.mirror_negates).collect();
        let targets = self.head.encode(self.targets, rows, &negate, &self.device);
        let noise = shard_rng(self.dropout_seed, step, 0);
        let mut pass =
            Pass::of_shards(&weights, &fitted.buffers, noise, self.recipe.shard).in_precision(fitted.precision);
        let outputs = self.network.forward(&batch, &mut pass);
        let statistics = pass.into_statistics();
        let loss = self.head.loss(outputs, targets) / rows.len() as f64;
        let mut gradients = loss.backward();
        StepResult { gradients: weights.gradients(&mut gradients), loss: loss.inner(), statistics }
    }
}

/// The numbers of a tensor, after the device has computed them.
pub(super) fn numbers(tensor: Tensor<1>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().expect("weights and running statistics are 32-bit floats")
}

/// Sums losses, gradients and statistics in the order of the shards.
pub(super) fn merge(results: Vec<ShardResult>, buffers: &mut [f32]) -> (f64, Vec<f32>) {
    let total: usize = results.iter().map(|result| result.rows).sum();
    let mut statistics = vec![0.0; buffers.len()];
    for result in &results {
        let part = result.rows as f32 / total as f32;
        for (sum, value) in statistics.iter_mut().zip(&result.statistics) {
            *sum += part * value;
        }
    }
    for (buffer, seen) in buffers.iter_mut().zip(statistics) {
        *buffer += (seen - *buffer) * STATISTICS_RATE;
    }
    let mut results = results.into_iter();
    let ShardResult { mut loss, mut gradient, .. } = results.next().expect("a batch has at least one shard");
    for result in results {
        loss += result.loss;
        add(&mut gradient, &result.gradient);
    }
    (loss, gradient)
}

/// How the optimiser moves the weights of a network with this layout.
pub(super) fn paces_of(layout: &WeightLayout, recipe: &Recipe) -> Vec<Pace> {
    layout.groups().into_iter().map(|group| pace(group, recipe)).collect()
}

fn pace(group: WeightGroup, recipe: &Recipe) -> Pace {
    Pace {
        len: group.len,
        decay: if group.decay { recipe.weight_decay as f32 } else { 0.0 },
        share: group.pace * recipe.layer_decay.powi(group.depth as i32),
    }
}

/// What a fit learns from: encoded rows.
pub(super) struct TrainingRows<'a> {
    pub(super) train: Encoded<'a>,
    pub(super) targets: &'a Targets,
    pub(super) validation: Encoded<'a>,
}

/// What `read` makes of the gradient of the loss at the fitted weights, for each shard of these training rows, in order. Nothing is
/// learned.
pub(super) fn read_gradients<R: Send>(
    fitted: &FittedNetwork,
    (spec, recipe): (&Spec, Recipe),
    pools: &Pools,
    (encoded, targets, rows): (Encoded<'_>, &Targets, &[usize]),
    read: impl Fn(&[f32]) -> R + Sync,
) -> Vec<R> {
    let context = StepContext::new(&*fitted.network, fitted, (spec, recipe), (encoded, targets));
    let shards: Vec<&[usize]> = rows.chunks(recipe.shard).collect();
    pools.map(&shards, |index, shard| read(&context.shard(fitted, shard, shard.len(), (0, index)).gradient))
}

/// Trains `fitted` from `initial` weights and buffers by the recipe. `watch` scores each epoch on the validation rows.
/// `fitted` then has the weights of the best epoch.
///
/// # Errors
/// If the loss or a gradient is not finite, if the budget ends in the first epoch, or if `watch` ends the fit.
pub(super) fn train<'a>(
    fitted: &mut FittedNetwork,
    initial: (Vec<f32>, Vec<f32>),
    (spec, recipe): (&Spec, Recipe),
    pools: &Pools,
    rows: TrainingRows<'a>,
    watch: &mut dyn Watch,
) -> Result<(), ModelError> {
    let network = std::sync::Arc::clone(&fitted.network);
    let there = |encoded: Encoded<'a>| match has_own_loops(&fitted.device) {
        true => encoded,
        false => encoded.uploaded(&fitted.device, super::tensor_bytes(spec.device)),
    };
    let (encoded, validation) = (there(rows.train), there(rows.validation));
    let context = StepContext::new(&*network, fitted, (spec, recipe), (encoded, rows.targets));
    let optimizer = Optimizer::new(recipe.rule, paces_of(network.layout(), &recipe));
    let mut state = TrainingState::new(initial, optimizer, spec.seed_for("order"));
    if let Some(bytes) = watch.interrupted() {
        state.restore(&bytes).map_err(|error| ModelError::State(error.to_string()))?;
        fitted.set(&state.weights, &state.buffers);
    }
    let mut on_device = (!has_own_loops(&fitted.device)).then(|| {
        let layouts = (network.layout(), network.buffers());
        let paces = network.layout().each().map(|slot| pace(slot, &recipe)).collect();
        OnDevice::new(layouts, paces, (recipe.rule, recipe.clip), &state, &fitted.device)
    });
    // The share of the budget that a validation pass takes. It is left for the last one.
    let mut reserve = 0.0;
    loop {
        let is_over = watch.spent().map_or(state.epoch >= recipe.epochs, |spent| spent + reserve >= 1.0);
        // A first epoch that the budget does not allow is an error.
        if is_over && state.epoch > 0 {
            break;
        }
        let Some(train_loss) = context.epoch(fitted, (&mut state, on_device.as_mut()), pools, reserve, watch)? else {
            break;
        };
        let before = watch.spent();
        let predictions = fitted.predict_encoded(&validation, pools)?;
        let after = watch.spent();
        let epochs =
            after.map_or(recipe.epochs, |spent| state.epoch.max((state.epoch as f64 / spent).round() as usize));
        reserve = after.unwrap_or_default() - before.unwrap_or_default();
        let report = EpochReport { epoch: state.epoch, epochs, train_loss, validation: &predictions };
        let score = watch.epoch(&report)?;
        if state.best.as_ref().is_none_or(|best| score > best.score) {
            state.best = Some(BestEpoch { score, weights: state.weights.clone(), buffers: state.buffers.clone() });
        }
        watch.checkpoint(&|| state.to_bytes())?;
    }
    if let Some(best) = &state.best {
        fitted.set(&best.weights, &best.buffers);
    }
    Ok(())
}

impl StepContext<'_> {
    /// One pass over the training rows, or as much of it as the budget allows: all but `reserve`, a share of it. Returns the mean
    /// training loss of the steps; `None` if there was no step.
    fn epoch(
        &self,
        fitted: &mut FittedNetwork,
        (state, mut on_device): (&mut TrainingState, Option<&mut OnDevice>),
        pools: &Pools,
        reserve: f64,
        watch: &mut dyn Watch,
    ) -> Result<Option<f64>, ModelError> {
        let recipe = self.recipe;
        let batches = batch::epoch(&self.encoded, &recipe, &mut state.order);
        // How many steps a budget allows is not known beforehand, so its shares are the steps of the schedule.
        let steps = watch.spent().map_or(batches.len() * recipe.epochs, |_| SHARES_OF_A_BUDGET);
        let schedule = Schedule::new(recipe.learning_rate, recipe.fall, recipe.warmup, steps);
        let epoch = state.epoch + 1;
        let (mut sum, mut done) = (0.0, 0);
        if on_device.is_some() {
            // By epoch, so that a resumed fit draws what the whole one draws.
            self.device.seed(self.dropout_seed.wrapping_add(epoch as u64));
        }
        for rows in &batches {
            let rate = match watch.spent() {
                Some(spent) if spent + reserve >= 1.0 => break,
                Some(spent) => schedule.rate((spent * SHARES_OF_A_BUDGET as f64) as usize),
                None => schedule.rate(state.step),
            };
            if let Some(on_device) = on_device.as_deref_mut() {
                on_device.step(self, fitted, rows, (state.step, rate));
                // A budget counts steps that are done, not those that are queued. So few may be queued.
                if watch.spent().is_some() && done % STEPS_AHEAD == 0 {
                    on_device.wait();
                }
                state.step += 1;
                done += 1;
                continue;
            }
            let shards: Vec<&[usize]> = rows.chunks(recipe.shard).collect();
            let results = pools.map(&shards, |index, shard| self.shard(fitted, shard, rows.len(), (state.step, index)));
            let (loss, gradient) = merge(results, &mut state.buffers);
            let (norm, scale) = clip(&gradient, recipe.clip);
            if !loss.is_finite() || !norm.is_finite() {
                let what = if loss.is_finite() { "the gradient" } else { "the training loss" };
                return Err(ModelError::Diverged { epoch, what: what.to_owned() });
            }
            let TrainingState { optimizer, weights, .. } = state;
            match weights.len() >= MIN_WEIGHTS_TO_SHARE {
                true => pools.together(|| optimizer.step(weights, &gradient, scale, rate)),
                false => optimizer.step(weights, &gradient, scale, rate),
            }
            fitted.set(&state.weights, &state.buffers);
            sum += loss;
            state.step += 1;
            done += 1;
        }
        if let Some(on_device) = on_device {
            let found = on_device.end(state);
            if !found.loss.is_finite() || !found.is_finite {
                let what = if found.loss.is_finite() { "the gradient" } else { "the training loss" };
                return Err(ModelError::Diverged { epoch, what: what.to_owned() });
            }
            sum = found.loss;
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
        state.epoch = epoch;
        Ok(Some(sum / done.max(1) as f64))
    }
}
