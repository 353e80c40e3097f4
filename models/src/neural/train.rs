//! The one training loop.

use bakeoff_datasets::{Split, Targets};
use burn::tensor::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::backend::{Optimizer, Pools, add, clip};
use super::batch;
use super::encoder::Encoded;
use super::fitted::FittedNetwork;
use super::head::Head;
use super::layers::Pass;
use super::network::Network;
use super::recipe::Recipe;
use super::schedule::Schedule;
use super::weights::Leaves;
use crate::model::{EpochReport, ModelError, Spec, Watch};

/// The share of the running statistics that a step replaces. It is PyTorch's value.
const STATISTICS_RATE: f32 = 0.1;

/// The random numbers of one shard: those of an axis' seed, on a stream for this shard.
fn shard_rng(seed: u64, step: usize, shard: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((step as u64) << 20) + shard as u64);
    rng
}

/// What the computation of one shard contributes to a step.
struct ShardResult {
    loss: f64,
    rows: usize,
    gradient: Vec<f32>,
    statistics: Vec<f32>,
}

/// What a step needs beside weights and rows.
struct StepContext<'a> {
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

impl StepContext<'_> {
    /// The forward and the backward pass of one shard. The loss and its gradient are sums over the shard's rows,
    /// divided by `total`.
    fn shard(&self, fitted: &FittedNetwork, rows: &[usize], total: usize, place: (usize, usize)) -> ShardResult {
        let (step, index) = place;
        let weights = fitted.weights.tracked();
        let mut augment = shard_rng(self.augment_seed, step, index);
        let (batch, mirrored) = batch::augmented(&self.encoded, rows, &self.recipe, &mut augment, &self.device);
        let negate: Vec<bool> = mirrored.iter().map(|&mirrored| mirrored && self.mirror_negates).collect();
        let targets = self.head.encode(self.targets, rows, &negate, &self.device);

        let mut pass = Pass::new(&weights, &fitted.buffers, Some(shard_rng(self.dropout_seed, step, index)));
        let outputs = self.network.forward(&batch, &mut pass);
        let statistics = pass.into_statistics();
        let loss = self.head.loss(outputs, targets) / total as f64;
        let mut gradients = loss.backward();
        let gradient = weights.gradient(&mut gradients);
        ShardResult { loss: f64::from(loss.into_scalar::<f32>()), rows: rows.len(), gradient, statistics }
    }
}

/// Sums losses, gradients and statistics in the order of the shards.
fn merge(results: Vec<ShardResult>, buffers: &mut [f32]) -> (f64, Vec<f32>) {
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

/// Trains `fitted` from `initial` weights and buffers, on the first of the splits. The second holds the validation
/// rows, on which `watch` scores each epoch. `fitted` then has the weights of the best epoch.
///
/// # Errors
/// If the loss or a gradient is not finite, or if `watch` ends the fit.
pub(super) fn train(
    fitted: &mut FittedNetwork,
    initial: (Vec<f32>, Vec<f32>),
    spec: &Spec,
    pools: &Pools,
    splits: (&Split, &Split),
    watch: &mut dyn Watch,
) -> Result<(), ModelError> {
    let (train, validation) = splits;
    let recipe = Recipe::read(&spec.params);
    let network = std::sync::Arc::clone(&fitted.network);
    let encoder = fitted.encoder.clone();
    let context = StepContext {
        network: &*network,
        recipe,
        head: fitted.head,
        mirror_negates: spec.shape.mirror_negates,
        encoded: encoder.encode(&train.inputs)?,
        targets: &train.targets,
        device: fitted.device.clone().autodiff(),
        augment_seed: spec.seed_for("augment"),
        dropout_seed: spec.seed_for("dropout"),
    };
    let mut order = ChaCha8Rng::seed_from_u64(spec.seed_for("order"));
    let decay = network.layout().decay_mask().into_iter().map(|mask| mask * recipe.weight_decay as f32).collect();
    let mut optimizer = Optimizer::new(recipe.rule, decay);
    let (mut weights, mut buffers) = initial;
    let mut best: Option<(f64, Leaves, Leaves)> = None;
    let mut step = 0;

    for epoch in 1..=recipe.epochs {
        let batches = batch::epoch(&context.encoded, &recipe, &mut order);
        let steps = batches.len() * recipe.epochs;
        let schedule =
            Schedule { peak: recipe.learning_rate, warmup: (recipe.warmup * steps as f64).round() as usize, steps };
        let mut sum = 0.0;
        for rows in &batches {
            let shards: Vec<&[usize]> = rows.chunks(recipe.shard).collect();
            let results = pools.map(&shards, |index, shard| context.shard(fitted, shard, rows.len(), (step, index)));
            let (loss, gradient) = merge(results, &mut buffers);
            let (norm, scale) = clip(&gradient, recipe.clip);
            if !loss.is_finite() || !norm.is_finite() {
                let what = if loss.is_finite() { "the gradient" } else { "the training loss" };
                return Err(ModelError::Diverged { epoch, what: what.to_owned() });
            }
            optimizer.step(&mut weights, &gradient, scale, schedule.rate(step));
            fitted.weights = Leaves::new(network.layout(), &weights, &fitted.device);
            fitted.buffers = Leaves::new(network.buffers(), &buffers, &fitted.device);
            sum += loss;
            step += 1;
        }
        let predictions = fitted.predict(&validation.inputs, pools)?;
        let train_loss = sum / batches.len().max(1) as f64;
        let report = EpochReport { epoch, epochs: recipe.epochs, train_loss, validation: &predictions };
        let score = watch.epoch(&report)?;
        if best.as_ref().is_none_or(|(highest, ..)| score > *highest) {
            best = Some((score, fitted.weights.clone(), fitted.buffers.clone()));
        }
    }
    if let Some((_, weights, buffers)) = best {
        fitted.weights = weights;
        fitted.buffers = buffers;
    }
    Ok(())
}
