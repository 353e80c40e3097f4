//! Differentiable functions as loops of our own. Each of them is one node of the library's graph.
//!
//! The library computes these functions in many small steps, which was measured to be slow on two cores. Its
//! convolution spends most of its time on copies between layouts. Its batch normalisation reads and writes the
//! activations a dozen times. A recurrence made of its operations builds a graph node for every gate of every step. A
//! [`FusedKernel`] reads and writes the memory once.

use std::fmt::Debug;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};

const DEVICE: &str = "the processor is the only device";

/// A function of `N` flat vectors, and its gradient.
pub(super) trait FusedKernel<const N: usize>: Clone + Debug + Send + Sync + 'static {
    /// The result, and what the gradient needs besides the inputs.
    fn forward(&self, inputs: [&[f32]; N]) -> (Vec<f32>, Vec<f32>);

    /// The gradient with respect to each input, given the gradient with respect to the result. If `wanted` is false for
    /// an input, its gradient is not used and may be anything.
    fn backward(&self, inputs: [&[f32]; N], saved: &[f32], gradient: &[f32], wanted: [bool; N]) -> [Vec<f32>; N];
}

/// The result of a kernel, and what it saved for its gradient.
///
/// # Panics
/// If a tensor is not of 32-bit floats on the processor, which is the only device.
pub(super) fn apply<K: FusedKernel<N>, const N: usize>(
    kernel: K,
    inputs: [Tensor<1>; N],
) -> (Tensor<1>, Arc<Vec<f32>>) {
    if !inputs[0].is_autodiff() {
        let inputs = inputs.map(|input| contiguous(input.try_into_primitive::<Flex>().expect(DEVICE)));
        let (output, saved) = kernel.forward(inputs.each_ref().map(values));
        return (Tensor::from_primitive::<Flex>(tensor(output)), Arc::new(saved));
    }
    let inputs = inputs.map(|input| input.try_into_primitive::<Autodiff<Flex>>().expect(DEVICE).into_parts());
    let mut flat = Vec::with_capacity(N);
    let guards = inputs.map(|(primitive, guard)| {
        flat.push(contiguous(primitive));
        guard
    });
    let flat: [FlexTensor; N] = flat.try_into().expect("one tensor for each input");
    let (output, saved) = kernel.forward(flat.each_ref().map(values));
    let saved = Arc::new(saved);
    let output = match KernelNode(kernel).prepare::<NoCheckpointing>(guards).compute_bound().stateful() {
        OpsKind::Tracked(node) => node.finish((flat, Arc::clone(&saved)), tensor(output)),
        OpsKind::UnTracked(node) => node.finish(tensor(output)),
    };
    (Tensor::from_primitive::<Autodiff<Flex>>(output), saved)
}

/// A function of vectors in a prediction, in which there is no graph.
///
/// # Panics
/// As [`apply`], or if there is a graph.
pub(super) fn evaluate<const N: usize>(
    inputs: [Tensor<1>; N],
    function: impl FnOnce([&[f32]; N]) -> Vec<f32>,
) -> Tensor<1> {
    let inputs = inputs.map(|input| contiguous(input.try_into_primitive::<Flex>().expect(DEVICE)));
    Tensor::from_primitive::<Flex>(tensor(function(inputs.each_ref().map(values))))
}

/// A kernel in the graph of a backward pass.
#[derive(Debug, Clone)]
struct KernelNode<K>(K);

impl<K: FusedKernel<N>, const N: usize> Backward<Flex, N> for KernelNode<K> {
    type State = ([FlexTensor; N], Arc<Vec<f32>>);

    fn backward(self, ops: Ops<Self::State, N>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let (inputs, saved) = &ops.state;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let parts = self.0.backward(inputs.each_ref().map(values), saved, values(&gradient), wanted);
        for (parent, part) in ops.parents.into_iter().zip(parts) {
            if let Some(parent) = parent {
                gradients.register::<Flex>(parent.id, tensor(part));
            }
        }
    }
}

fn contiguous(tensor: FlexTensor) -> FlexTensor {
    tensor.to_contiguous()
}

fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("the tensor was made contiguous and holds 32-bit floats")
}

fn tensor(values: Vec<f32>) -> FlexTensor {
    let len = values.len();
    FlexTensor::from_data(TensorData::new(values, [len]))
}

#[cfg(test)]
pub(super) mod testing {
    //! Compares a kernel with the same function made of the library's operations.

    use burn::tensor::{Device, Tensor, TensorData};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Random numbers in ±1.
    pub(crate) fn noise(len: usize, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..len).map(|_| rng.random::<f32>() * 2.0 - 1.0).collect()
    }

    /// The value of `function` at random vectors of these lengths, and the gradient of a random projection of that
    /// value with respect to each vector.
    fn with_gradients<const N: usize>(
        lengths: [usize; N],
        function: impl Fn([Tensor<1>; N]) -> Tensor<1>,
    ) -> Vec<Vec<f32>> {
        let device = Device::flex().autodiff();
        let mut seed = 0;
        let leaves = lengths.map(|len| {
            seed += 1;
            Tensor::<1>::from_data(TensorData::new(noise(len, seed), [len]), &device).require_grad()
        });
        let output = function(leaves.clone());
        let len = output.dims()[0];
        let projection = Tensor::<1>::from_data(TensorData::new(noise(len, 99), [len]), &device);
        let gradients = (output.clone() * projection).sum().backward();
        let parts = leaves.iter().map(|leaf| leaf.grad(&gradients).expect("every input has a gradient"));
        std::iter::once(output.inner()).chain(parts).map(|tensor| tensor.try_into_vec_as().expect("floats")).collect()
    }

    /// Panics unless both functions and all their gradients agree to `tolerance`.
    pub(crate) fn assert_agree<const N: usize>(
        lengths: [usize; N],
        tolerance: f32,
        kernel: impl Fn([Tensor<1>; N]) -> Tensor<1>,
        reference: impl Fn([Tensor<1>; N]) -> Tensor<1>,
    ) {
        let (ours, theirs) = (with_gradients(lengths, kernel), with_gradients(lengths, reference));
        for (index, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert_eq!(ours.len(), theirs.len());
            for (at, (a, b)) in ours.iter().zip(theirs).enumerate() {
                assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "vector {index}, number {at}: {a} is not {b}");
            }
        }
    }
}
