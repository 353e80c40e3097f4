//! The interface between a network and the training loop.

use burn::tensor::Tensor;

use super::batch::Batch;
use super::encoder::InputForm;
use super::layers::Pass;
use super::reduction::{PruneGroup, Reduction};
use super::weights::WeightLayout;
use crate::params::Resolved;

/// A differentiable function whose weights are kept outside of it.
pub(crate) trait Network: Send + Sync {
    /// The learned weights.
    fn layout(&self) -> &WeightLayout;
    /// The running statistics. They are kept with the weights, but no gradient changes them.
    fn buffers(&self) -> &WeightLayout;
    /// What the head takes, `examples x width`.
    fn pooled(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2>;
    /// The width of what [`Network::pooled`] gives.
    fn width(&self) -> usize;
    /// The outputs for what [`Network::pooled`] gave, `examples x outputs`.
    fn head(&self, pooled: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<2>;
    /// The outputs, `examples x outputs`.
    fn forward(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let pooled = self.pooled(batch, pass);
        self.head(pooled, pass)
    }
    /// The multiply-adds of matrix products and convolutions for one example. A text is assumed to have the typical
    /// length.
    fn multiply_adds(&self) -> u64;
    /// The units that can be pruned, a group for each layer. None for a network that cannot be pruned.
    fn prune_groups(&self) -> Vec<PruneGroup> {
        Vec::new()
    }
    /// How to read the attention of its blocks. `None` for a network without attention.
    fn attention(&self) -> Option<AttentionForm> {
        None
    }
}

/// Builds a smaller network from a model's parameters: a [`Design`] that also takes what makes the network smaller.
pub(crate) type ReducedDesign = fn(&Resolved, InputForm, usize, Reduction) -> Box<dyn Network>;

/// How the attention of a network is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttentionForm {
    /// Whether the network puts a class token of its own before the tokens of the input.
    pub(crate) adds_class_token: bool,
    /// Whether the head reads the first token only. Otherwise it reads the mean of all.
    pub(crate) reads_first_token: bool,
    /// How many patches of an image there are from top to bottom and from left to right; `None` for texts.
    pub(crate) patches: Option<[usize; 2]>,
}

/// Builds a network from a model's parameters, for inputs of this form and this many outputs.
pub(crate) type Design = fn(&Resolved, InputForm, usize) -> Box<dyn Network>;
