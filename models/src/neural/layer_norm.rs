//! Layer normalisation (Ba et al. 2016) in one pass.

use burn::tensor::Tensor;

use super::kernel::{Kernel, apply};

/// Every row of `x`, `rows x width` and flat, at mean 0 and variance 1, times `scale`, plus `shift`.
pub(super) fn layer_norm(x: Tensor<1>, scale: Tensor<1>, shift: Tensor<1>, epsilon: f32) -> Tensor<1> {
    apply(LayerNormalise { width: scale.dims()[0], epsilon }, [x, scale, shift]).0
}

#[derive(Debug, Clone)]
struct LayerNormalise {
    width: usize,
    epsilon: f32,
}

impl LayerNormalise {
    /// Mean and inverse deviation of a row.
    fn moments(&self, row: &[f32]) -> (f32, f32) {
        let count = self.width as f32;
        let mean = row.iter().sum::<f32>() / count;
        let variance = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / count;
        (mean, (variance + self.epsilon).sqrt().recip())
    }
}

impl Kernel<3> for LayerNormalise {
    fn forward(&self, [x, scale, shift]: [&[f32]; 3]) -> (Vec<f32>, Vec<f32>) {
        let mut y = x.to_vec();
        for row in y.chunks_exact_mut(self.width) {
            let (mean, factor) = self.moments(row);
            for ((value, scale), shift) in row.iter_mut().zip(scale).zip(shift) {
                *value = (*value - mean) * factor * scale + shift;
            }
        }
        (y, Vec::new())
    }

    fn backward(&self, inputs: [&[f32]; 3], _saved: &[f32], gradient: &[f32], _wanted: [bool; 3]) -> [Vec<f32>; 3] {
        let [x, scale, _] = inputs;
        let (mut to_scale, mut to_shift) = (vec![0.0; self.width], vec![0.0; self.width]);
        let mut to_x = x.to_vec();
        let count = self.width as f32;
        for (row, gradient) in to_x.chunks_exact_mut(self.width).zip(gradient.chunks_exact(self.width)) {
            let (mean, factor) = self.moments(row);
            row.iter_mut().for_each(|value| *value = (*value - mean) * factor);
            let (mut sum, mut moment) = (0.0, 0.0);
            for at in 0..self.width {
                to_scale[at] += gradient[at] * row[at];
                to_shift[at] += gradient[at];
                sum += gradient[at] * scale[at];
                moment += gradient[at] * scale[at] * row[at];
            }
            let (level, slope) = (sum / count, moment / count);
            for ((value, gradient), scale) in row.iter_mut().zip(gradient).zip(scale) {
                *value = factor * (gradient * scale - level - *value * slope);
            }
        }
        [to_x, to_scale, to_shift]
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::module;

    use super::*;
    use crate::neural::kernel::testing::assert_agree;

    #[test]
    fn value_and_gradients_are_those_of_the_library() {
        let (rows, width, epsilon) = (7, 12, 1e-5);
        let library = |[x, scale, shift]: [Tensor<1>; 3]| {
            let x: Tensor<2> = x.reshape([rows, width]);
            module::layer_norm(x, scale, Some(shift), epsilon).flatten(0, 1)
        };
        let kernel = |[x, scale, shift]: [Tensor<1>; 3]| layer_norm(x, scale, shift, epsilon as f32);
        assert_agree([rows * width, width, width], 1e-4, kernel, library);
    }
}
