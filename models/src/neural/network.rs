//! What a network is to the training loop.

use burn::tensor::Tensor;

use super::batch::Features;
use super::encoder::Form;
use super::layers::Pass;
use super::weights::Layout;
use crate::params::Resolved;

/// A differentiable function with weights kept outside it.
pub(crate) trait Network: Send + Sync {
    /// The learned weights.
    fn layout(&self) -> &Layout;
    /// Running statistics: kept with the weights, but not learned by gradient.
    fn buffers(&self) -> &Layout;
    /// Outputs, `examples x outputs`.
    fn forward(&self, features: &Features, pass: &mut Pass<'_>) -> Tensor<2>;
    /// Multiply-adds of matrix products and convolutions for one example, a text being of typical length.
    fn multiply_adds(&self) -> u64;
}

/// Builds a network from a model's parameters, for inputs of this form and this many outputs.
pub(crate) type Design = fn(&Resolved, Form, usize) -> Box<dyn Network>;
