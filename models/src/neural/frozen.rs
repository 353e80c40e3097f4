//! A fit of the head alone, over a pretrained network that stays as it is. What the head takes of each row is computed once.

use std::sync::Arc;

use bakeoff_datasets::Split;
use burn::tensor::Tensor;
use ndarray::Array2;

use super::batch::Batch;
use super::bert::{BertNet, HEAD};
use super::encoder::{Encoded, InputEncoder, InputForm};
use super::fitted::FittedNetwork;
use super::head::Head;
use super::layers::{Linear, Pass};
use super::network::Network;
use super::recipe::Recipe;
use super::train::{self, TrainingRows};
use super::weights::{Init, Leaves, WeightLayout};
use super::{Neural, burn_device};
use crate::encode::features::Features;
use crate::model::{ModelError, Watch};

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
        let InputForm::Pieces { shape, typical } = encoder.form() else {
            unreachable!("only a pretrained network is worth keeping as it is")
        };
        let (params, device, head) = (&self.spec.params, burn_device(self.spec.device), Head::fit(&train.targets));
        let net = Arc::new(BertNet::new(shape, typical, params, head.outputs()));
        let mut weights = start(net.layout())?;
        let fitted = |network: Arc<dyn Network>, weights: &[f32]| FittedNetwork {
            weights: Leaves::new(network.layout(), weights, &device),
            buffers: Leaves::new(network.buffers(), &[], &device),
            network,
            encoder: encoder.clone(),
            head,
            device: device.clone(),
        };
        let body = fitted(Arc::new(Pooled(Arc::clone(&net))), &weights);
        let features = |split: &Split| {
            let values = body.outputs(&encoder.encode(&split.inputs)?, shape.width, &self.pools)?;
            let rows =
                Array2::from_shape_vec((split.inputs.len(), shape.width), values).expect("a row of values per example");
            Ok::<_, ModelError>(Encoded::Features(Features::Dense(rows)))
        };
        let rows = TrainingRows { train: features(train)?, targets: &train.targets, validation: features(validation)? };
        let alone = HeadNet::new(shape.width, head.outputs(), params.float("dropout"));
        // The head is the last part of the whole network.
        let of_head = weights.split_off(weights.len() - alone.layout.len());
        let mut learned = fitted(Arc::new(alone), &of_head);
        train::train(&mut learned, (of_head, Vec::new()), (&self.spec, recipe), &self.pools, rows, watch)?;
        weights.extend(learned.weights.flat()?);
        self.fitted = Some(fitted(net, &weights));
        Ok(())
    }
}

/// A network without its head.
struct Pooled(Arc<BertNet>);

impl Network for Pooled {
    fn layout(&self) -> &WeightLayout {
        self.0.layout()
    }

    fn buffers(&self) -> &WeightLayout {
        self.0.buffers()
    }

    fn forward(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let Batch::Texts(texts) = batch else { unreachable!("a pretrained network reads texts") };
        self.0.pooled(texts, pass)
    }

    fn multiply_adds(&self) -> u64 {
        self.0.multiply_adds()
    }
}

/// A head without its network.
struct HeadNet {
    layout: WeightLayout,
    buffers: WeightLayout,
    head: Linear,
    dropout: f64,
    multiply_adds: u64,
}

impl HeadNet {
    fn new(width: usize, outputs: usize, dropout: f64) -> HeadNet {
        let mut layout = WeightLayout::default();
        let head = Linear::new(&mut layout, HEAD, width, outputs, Init::embedding());
        let multiply_adds = (width * outputs) as u64;
        HeadNet { layout, buffers: WeightLayout::default(), head, dropout, multiply_adds }
    }
}

impl Network for HeadNet {
    fn layout(&self) -> &WeightLayout {
        &self.layout
    }

    fn buffers(&self) -> &WeightLayout {
        &self.buffers
    }

    fn forward(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let Batch::Features(features) = batch else { unreachable!("a head alone takes features") };
        self.head.forward(pass.dropout(features.clone(), self.dropout), pass)
    }

    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }
}
