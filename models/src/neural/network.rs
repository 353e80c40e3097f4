//! What a network is to the training loop.

use burn::tensor::Tensor;

use super::batch::Batch;
use super::encoder::InputForm;
use super::layers::Pass;
use super::weights::WeightLayout;
use crate::params::Resolved;

/// A differentiable function with weights kept outside it.
pub(crate) trait Network: Send + Sync {
    /// The learned weights.
    fn layout(&self) -> &WeightLayout;
    /// Running statistics: kept with the weights, but not learned by gradient.
    fn buffers(&self) -> &WeightLayout;
    /// Outputs, `examples x outputs`.
    fn forward(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2>;
    /// Multiply-adds of matrix products and convolutions for one example; a text is taken to be of typical length.
    fn multiply_adds(&self) -> u64;
}

/// Builds a network from a model's parameters, for inputs of this form and this many outputs.
pub(crate) type Design = fn(&Resolved, InputForm, usize) -> Box<dyn Network>;
