//! Layer normalisation (Ba et al. 2016) in one pass.

use burn::tensor::Tensor;

use super::kernel::{FusedKernel, apply};
use super::product::{dot, sum, vectorised};

/// Scales every row of `x` to mean 0 and variance 1, then multiplies it by `scale` and adds `shift`. `x` is
/// `rows x width` and flat.
pub(crate) fn layer_norm(x: Tensor<1>, scale: Tensor<1>, shift: Tensor<1>, epsilon: f32) -> Tensor<1> {
    apply(LayerNormalise { width: scale.dims()[0], epsilon }, [x, scale, shift]).0
}

#[derive(Debug, Clone)]
struct LayerNormalise {
    width: usize,
    epsilon: f32,
}

impl LayerNormalise {
    /// Writes a row minus its mean, and returns the inverse of its standard deviation.
    #[inline(always)]
    fn centre(&self, row: &[f32], centred: &mut [f32]) -> f32 {
        let count = self.width as f32;
        let mean = sum(row) / count;
        centred.iter_mut().zip(row).for_each(|(centred, value)| *centred = value - mean);
        (dot(centred, centred) / count + self.epsilon).sqrt().recip()
    }
}

impl FusedKernel<3> for LayerNormalise {
    fn forward(&self, [x, scale, shift]: [&[f32]; 3]) -> (Vec<f32>, Vec<f32>) {
        let mut y = vec![0.0; x.len()];
        vectorised(
            #[inline(always)]
            || {
                for (row, x) in y.chunks_exact_mut(self.width).zip(x.chunks_exact(self.width)) {
                    let factor = self.centre(x, row);
                    for ((value, scale), shift) in row.iter_mut().zip(scale).zip(shift) {
                        *value = *value * factor * scale + shift;
                    }
                }
            },
        );
        (y, Vec::new())
    }

    fn backward(&self, inputs: [&[f32]; 3], _saved: &[f32], gradient: &[f32], _wanted: [bool; 3]) -> [Vec<f32>; 3] {
        let [x, scale, _] = inputs;
        let (mut to_scale, mut to_shift) = (vec![0.0; self.width], vec![0.0; self.width]);
        let mut to_x = vec![0.0; x.len()];
        let mut scaled = vec![0.0; self.width];
        let count = self.width as f32;
        vectorised(
            #[inline(always)]
            || {
                let rows = to_x.chunks_exact_mut(self.width).zip(x.chunks_exact(self.width));
                for ((row, x), gradient) in rows.zip(gradient.chunks_exact(self.width)) {
                    let factor = self.centre(x, row);
                    row.iter_mut().for_each(|value| *value *= factor);
                    for ((sum, gradient), value) in to_scale.iter_mut().zip(gradient).zip(&*row) {
                        *sum += gradient * value;
                    }
                    to_shift.iter_mut().zip(gradient).for_each(|(sum, gradient)| *sum += gradient);
                    scaled.iter_mut().zip(gradient).zip(scale).for_each(|((s, gradient), scale)| *s = gradient * scale);
                    let (level, slope) = (sum(&scaled) / count, dot(&scaled, row) / count);
                    for (value, scaled) in row.iter_mut().zip(&scaled) {
                        *value = factor * (scaled - level - *value * slope);
                    }
                }
            },
        );
        [to_x, to_scale, to_shift]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neural::cpu::kernel::testing::assert_agree;
    use crate::neural::portable;

    #[test]
    fn value_and_gradients_are_those_of_the_library() {
        let (rows, width, epsilon) = (7, 12, 1e-5);
        let library = |[x, scale, shift]: [Tensor<1>; 3]| portable::layer_norm(x, scale, shift, epsilon);
        let kernel = |[x, scale, shift]: [Tensor<1>; 3]| layer_norm(x, scale, shift, epsilon);
        assert_agree([rows * width, width, width], 1e-4, kernel, library);
    }
}
