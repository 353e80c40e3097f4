//! A matrix product with a bias, in one pass.

use burn::tensor::Tensor;

use super::kernel::{FusedKernel, apply};
use super::product::{Right, ScatteredRows, consecutive, multiply, multiply_transposed, vectorised};

/// `x W + b`. `x` is `rows x inputs`, `W` is `inputs x outputs`, `b` has `outputs` numbers, and the result is
/// `rows x outputs`. All are flat.
pub(crate) fn linear(x: Tensor<1>, weight: Tensor<1>, bias: Tensor<1>) -> Tensor<1> {
    let outputs = bias.dims()[0];
    let inputs = weight.dims()[0] / outputs;
    apply(Affine { inputs, outputs }, [x, weight, bias]).0
}

#[derive(Debug, Clone, Copy)]
struct Affine {
    inputs: usize,
    outputs: usize,
}

impl FusedKernel<3> for Affine {
    fn forward(&self, [x, weight, bias]: [&[f32]; 3]) -> (Vec<f32>, Vec<f32>) {
        let rows = x.len() / self.inputs;
        let mut y = bias.repeat(rows);
        let starts = consecutive(rows, self.inputs);
        let left = ScatteredRows { values: x, starts: &starts, parts: 1, length: self.inputs };
        multiply(left, &Right::new(weight, self.outputs, rows, 1), &mut y);
        (y, Vec::new())
    }

    fn backward(&self, inputs: [&[f32]; 3], _saved: &[f32], gradient: &[f32], wanted: [bool; 3]) -> [Vec<f32>; 3] {
        let [x, weight, _] = inputs;
        let rows = x.len() / self.inputs;
        let mut to_x = Vec::new();
        if wanted[0] {
            to_x = vec![0.0; x.len()];
            let starts = consecutive(rows, self.outputs);
            let left = ScatteredRows { values: gradient, starts: &starts, parts: 1, length: self.outputs };
            multiply(left, &Right::transposed(weight, self.inputs), &mut to_x);
        }
        let mut to_weight = vec![0.0; weight.len()];
        let starts = consecutive(rows, self.inputs);
        let left = ScatteredRows { values: x, starts: &starts, parts: 1, length: self.inputs };
        multiply_transposed(left, gradient, self.outputs, &mut to_weight);
        let mut to_bias = vec![0.0; self.outputs];
        vectorised(
            #[inline(always)]
            || {
                for row in gradient.chunks_exact(self.outputs) {
                    to_bias.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
                }
            },
        );
        [to_x, to_weight, to_bias]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neural::cpu::kernel::testing::assert_agree;
    use crate::neural::portable;
    use crate::neural::recipe::Precision;

    #[test]
    fn value_and_gradients_are_those_of_the_library() {
        for [rows, inputs, outputs] in [[7, 12, 5], [1, 3, 33], [130, 20, 16]] {
            let library = |[x, weight, bias]: [Tensor<1>; 3]| portable::linear(x, weight, bias, Precision::F32);
            let kernel = |[x, weight, bias]: [Tensor<1>; 3]| linear(x, weight, bias);
            assert_agree([rows * inputs, inputs * outputs, outputs], 1e-4, kernel, library);
        }
    }
}
