//! A network with its weights and everything else that a prediction needs.

use std::sync::Arc;

use bakeoff_datasets::Inputs;
use burn::tensor::{Device, Tensor};

use super::backend::Pools;
use super::batch::{self, Batch};
use super::encoder::{Encoded, InputEncoder};
use super::functions::has_own_loops;
use super::head::Head;
use super::layers::Pass;
use super::network::Network;
use super::recipe::Precision;
use super::weights::Leaves;
use crate::model::{Footprint, Matrix, ModelError, Predictions};

/// How many rows one thread predicts at a time.
const ROWS_PER_SHARD: usize = 50;

/// So many multiply-adds keep any card of today busy. More of them at a time want more of its memory, and are no faster.
const MULTIPLY_ADDS_AT_A_TIME: u64 = 1 << 36;

/// Nor more rows than this, so that a small network wants little memory too.
const ROWS_AT_A_TIME: usize = 2048;

/// The attention of a text wants memory by the square of its length. A card gets no more tokens at a time, so that the weights of 12 heads
/// over texts of 512 tokens take 0.8 GB.
const TOKENS_AT_A_TIME: usize = 1 << 15;

/// Fewer multiply-adds than this are done before another thread has woken up.
const MIN_MULTIPLY_ADDS_TO_SHARE: u64 = 1 << 22;

/// What a network makes of a batch.
type Forward<'a> = dyn Fn(&Batch, &mut Pass<'_>) -> Tensor<2> + Sync + 'a;

/// Encodes inputs on all threads. Only features are worth more than one.
///
/// # Errors
/// See [`InputEncoder::encode`].
pub(super) fn encode<'a>(
    encoder: &'a InputEncoder,
    inputs: &'a Inputs,
    pools: &Pools,
) -> Result<Encoded<'a>, ModelError> {
    match encoder {
        InputEncoder::Features(_) | InputEncoder::WithFeatures { .. } => pools.together(|| encoder.encode(inputs)),
        _ => encoder.encode(inputs),
    }
}

/// The result of a fit.
pub(super) struct FittedNetwork {
    pub(super) network: Arc<dyn Network>,
    pub(super) encoder: InputEncoder,
    pub(super) head: Head,
    pub(super) device: Device,
    pub(super) precision: Precision,
    /// All weights.
    pub(super) weights: Leaves,
    /// All running statistics.
    pub(super) buffers: Leaves,
}

impl FittedNetwork {
    /// Gives the network these weights and running statistics, in the order of their layouts.
    pub(super) fn set(&mut self, weights: &[f32], buffers: &[f32]) {
        self.weights = Leaves::new(self.network.layout(), weights, &self.device);
        self.buffers = Leaves::new(self.network.buffers(), buffers, &self.device);
    }

    /// Predicts without a graph. Each thread takes one shard at a time. If there is a single shard, all threads compute
    /// it together.
    ///
    /// # Errors
    /// If the inputs are not of the form that the network was fitted on.
    pub(super) fn predict(&self, inputs: &Inputs, pools: &Pools) -> Result<Predictions, ModelError> {
        self.predict_encoded(&encode(&self.encoder, inputs, pools)?, pools)
    }

    /// Predicts rows that are encoded already; see [`FittedNetwork::predict`].
    pub(super) fn predict_encoded(&self, encoded: &Encoded<'_>, pools: &Pools) -> Result<Predictions, ModelError> {
        let forward = |batch: &Batch, pass: &mut Pass<'_>| self.network.forward(batch, pass);
        Ok(self.head.decode(&self.run(encoded, (self.head.outputs(), &forward), pools)?))
    }

    /// What the head takes of encoded rows, `rows x width`.
    ///
    /// # Errors
    /// If numbers cannot be read from the device.
    pub(super) fn pooled(&self, encoded: &Encoded<'_>, pools: &Pools) -> Result<Matrix, ModelError> {
        let (rows, cols) = (encoded.len(), self.network.width());
        let pooled = |batch: &Batch, pass: &mut Pass<'_>| self.network.pooled(batch, pass);
        Ok(Matrix { rows, cols, data: self.run(encoded, (cols, &pooled), pools)? })
    }

    /// What `forward` gives for encoded rows, `rows x width`.
    fn run(
        &self,
        encoded: &Encoded<'_>,
        (width, forward): (usize, &Forward<'_>),
        pools: &Pools,
    ) -> Result<Vec<f32>, ModelError> {
        // Texts of similar length go together, so that there is little padding.
        let mut order: Vec<usize> = (0..encoded.len()).collect();
        order.sort_by_key(|&row| encoded.length(row));
        let forward = |rows: &[usize]| {
            let batch = batch::plain(encoded, rows, &self.device);
            forward(&batch, &mut Pass::new(&self.weights, &self.buffers, None).in_precision(self.precision))
        };
        if !has_own_loops(&self.device) {
            // One read at the end: until then, the device is never waited for.
            let parts: Vec<Tensor<2>> = self.chunks(encoded, &order).into_iter().map(forward).collect();
            let values = if parts.is_empty() { Vec::new() } else { read(Tensor::cat(parts, 0))? };
            return Ok(in_place(&order, &values, width));
        }
        let shards: Vec<&[usize]> = order.chunks(ROWS_PER_SHARD).collect();
        let predict = |rows: &[usize]| read(forward(rows));
        let results = match shards[..] {
            [rows] if self.network.multiply_adds() * rows.len() as u64 >= MIN_MULTIPLY_ADDS_TO_SHARE => {
                vec![pools.together(|| predict(rows))]
            }
            _ => pools.map(&shards, |_, rows| predict(rows)),
        };
        let values: Vec<Vec<f32>> = results.into_iter().collect::<Result<_, _>>()?;
        Ok(in_place(&order, &values.concat(), width))
    }

    /// Cuts rows, which are in the order of their lengths, into what a card predicts at a time.
    fn chunks<'o>(&self, encoded: &Encoded<'_>, order: &'o [usize]) -> Vec<&'o [usize]> {
        let most = usize::try_from(MULTIPLY_ADDS_AT_A_TIME / self.network.multiply_adds().max(1)).unwrap_or(usize::MAX);
        let (mut chunks, mut rest) = (Vec::new(), order);
        while !rest.is_empty() {
            let mut rows = most.clamp(1, rest.len().min(ROWS_AT_A_TIME));
            while rows > 1 && rows * encoded.length(rest[rows - 1]) > TOKENS_AT_A_TIME {
                rows -= 1;
            }
            let (chunk, after) = rest.split_at(rows);
            chunks.push(chunk);
            rest = after;
        }
        chunks
    }

    /// How large the network is.
    pub(super) fn footprint(&self) -> Footprint {
        Footprint {
            parameters: self.network.layout().len() as u64,
            flops_per_example: Some(2 * self.network.multiply_adds()),
            weight_bytes: Some((self.network.layout().len_without_tables() * size_of::<f32>()) as u64),
        }
    }
}

/// The numbers of a tensor, after the device has computed them.
fn read(tensor: Tensor<2>) -> Result<Vec<f32>, ModelError> {
    let values = tensor.try_into_vec_as::<f32>();
    values.map_err(|error| ModelError::Failed(format!("failed to read predictions: {error:?}")))
}

/// Puts rows of `width` values, which are in this order, to their places.
fn in_place(order: &[usize], values: &[f32], width: usize) -> Vec<f32> {
    let mut outputs = vec![0.0; order.len() * width];
    for (&row, value) in order.iter().zip(values.chunks_exact(width)) {
        outputs[row * width..][..width].copy_from_slice(value);
    }
    outputs
}
