//! A network and plain features under one head: the features go through a linear layer of their own, and the head takes its numbers
//! beside those that it takes of the network. All weights are trained together (Cheng et al. 2016, "Wide & Deep Learning").
//!
//! The head is a sum: what the head of the network alone says of its numbers, and a linear layer over those of the features. That is
//! one linear layer over both. So the slots of the network are those that it has alone, and the others come after them.

use burn::tensor::Tensor;

use super::batch::Batch;
use super::bert::HEAD;
use super::layers::{Linear, Pass};
use super::network::Network;
use super::weights::{Init, WeightLayout};

/// The parameter that names the network.
pub(crate) const NETWORK: &str = "network";

/// Sizes and rates of what is beside the network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside {
    /// Features of an example.
    pub(crate) features: usize,
    /// Numbers into which they are projected.
    pub(crate) projected: usize,
    /// By what the learning rate of the network is multiplied here.
    pub(crate) pace: f64,
    /// Dropout of the projected numbers.
    pub(crate) dropout: f64,
}

/// The network, with weights kept outside of it.
pub(crate) struct FusedNet {
    network: Box<dyn Network>,
    beside: Beside,
    /// The slots of the network, and then those of the layers here.
    layout: WeightLayout,
    projection: Linear,
    head: Linear,
    multiply_adds: u64,
}

impl FusedNet {
    /// Features beside this network, which has so many outputs.
    pub(crate) fn new(network: Box<dyn Network>, beside: Beside, outputs: usize) -> FusedNet {
        let Beside { features, projected, pace, .. } = beside;
        let mut layout = network.layout().clone();
        layout.set_depth(0);
        layout.set_pace(pace);
        // As parts of the head, they are in no file of a pretrained network.
        let mut linear = |part: &str, inputs, outputs| {
            Linear::new(&mut layout, &format!("{HEAD}.{part}"), inputs, outputs, Init::glorot(inputs, outputs))
        };
        let (projection, head) = (linear("projection", features, projected), linear("projected", projected, outputs));
        let multiply_adds = network.multiply_adds() + (features * projected + projected * outputs) as u64;
        FusedNet { network, beside, layout, projection, head, multiply_adds }
    }
}

impl Network for FusedNet {
    fn layout(&self) -> &WeightLayout {
        &self.layout
    }

    fn buffers(&self) -> &WeightLayout {
        self.network.buffers()
    }

    fn pooled(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let Batch::WithFeatures(raw, features) = batch else {
            unreachable!("a network gets the form of input it was designed for")
        };
        let of_network = self.network.pooled(raw, pass);
        Tensor::cat(vec![of_network, self.projection.forward(features.clone(), pass)], 1)
    }

    fn width(&self) -> usize {
        self.network.width() + self.beside.projected
    }

    fn head(&self, pooled: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<2> {
        let (width, projected) = (self.network.width(), self.beside.projected);
        let of_network = self.network.head(pooled.clone().narrow(1, 0, width), pass);
        let of_features = pass.dropout(pooled.narrow(1, width, projected), self.beside.dropout);
        of_network + self.head.forward(of_features, pass)
    }

    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }
}
