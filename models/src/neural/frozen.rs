//! A fit of the head alone, over a pretrained network that stays as it is. What the head takes of each row is computed once.

use std::sync::Arc;

use bakeoff_datasets::Split;
use burn::tensor::Tensor;
use ndarray::Array2;

use super::Neural;
use super::batch::Batch;
use super::bert::HEAD;
use super::encoder::{Encoded, InputEncoder};
use super::fitted::FittedNetwork;
use super::layers::{Linear, Pass};
use super::network::Network;
use super::recipe::Recipe;
use super::train::{self, TrainingRows};
use super::weights::{Init, Leaves, WeightLayout};
use crate::encode::features::Features;
use crate::model::{Matrix, ModelError, Watch};

impl Neural {
    /// Fits the head by this recipe, on what the network with the weights of `start` makes of the rows.
    pub(crate) fn fit_head(
        &mut self,
        (encoder, recipe): (InputEncoder, Recipe),
        start: impl FnOnce(&WeightLayout) -> Result<Vec<f32>, ModelError>,
        (train, validation): (&Split, &Split),
        watch: &mut dyn Watch,
    ) -> Result<(), ModelError> {
        self.fitted = None;
        let (mut whole, (mut weights, buffers)) = self.begun(encoder, start, &train.targets)?;
        let features = |split: &Split| {
            let Matrix { rows, cols, data } = whole.pooled(&whole.encoder.encode(&split.inputs)?, &self.pools)?;
            let rows = Array2::from_shape_vec((rows, cols), data).expect("a row of values per example");
            Ok::<_, ModelError>(Encoded::Features(Features::Dense(rows)))
        };
        let rows = TrainingRows { train: features(train)?, targets: &train.targets, validation: features(validation)? };
        let outputs = whole.head.outputs();
        let alone = HeadNet::new(whole.network.width(), outputs, self.spec.params.float("dropout"));
        // The head is the last part of the whole network.
        let of_head = weights.split_off(weights.len() - alone.layout.len());
        let mut learned = FittedNetwork {
            weights: Leaves::new(&alone.layout, &of_head, &whole.device),
            buffers: Leaves::new(&alone.buffers, &[], &whole.device),
            network: Arc::new(alone),
            encoder: whole.encoder.clone(),
            head: whole.head,
            device: whole.device.clone(),
            precision: whole.precision,
        };
        train::train(&mut learned, (of_head, Vec::new()), (&self.spec, recipe), &self.pools, rows, watch)?;
        weights.extend(learned.weights.flat()?);
        whole.set(&weights, &buffers);
        self.fitted = Some(whole);
        Ok(())
    }
}

/// A head without its network.
struct HeadNet {
    layout: WeightLayout,
    buffers: WeightLayout,
    head: Linear,
    inputs: usize,
    dropout: f64,
    multiply_adds: u64,
}

impl HeadNet {
    fn new(inputs: usize, outputs: usize, dropout: f64) -> HeadNet {
        let mut layout = WeightLayout::default();
        let head = Linear::new(&mut layout, HEAD, inputs, outputs, Init::embedding());
        let multiply_adds = (inputs * outputs) as u64;
        HeadNet { layout, buffers: WeightLayout::default(), head, inputs, dropout, multiply_adds }
    }
}

impl Network for HeadNet {
    fn layout(&self) -> &WeightLayout {
        &self.layout
    }

    fn buffers(&self) -> &WeightLayout {
        &self.buffers
    }

    fn pooled(&self, batch: &Batch, _pass: &mut Pass<'_>) -> Tensor<2> {
        let Batch::Features(features) = batch else { unreachable!("a head alone takes features") };
        features.clone()
    }

    fn width(&self) -> usize {
        self.inputs
    }

    fn head(&self, pooled: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<2> {
        self.head.forward(pass.dropout(pooled, self.dropout), pass)
    }

    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }
}
