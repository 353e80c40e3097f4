//! The Gaussian error linear unit in one pass (Hendrycks and Gimpel 2016).

use burn::tensor::Tensor;

use super::kernel::{FusedKernel, apply};
use super::math::normal;
use super::product::vectorised;

/// `x Φ(x)`, where `Φ` is the distribution function of the standard normal distribution.
pub(crate) fn gelu(x: Tensor<1>) -> Tensor<1> {
    apply(Gelu, [x]).0
}

#[derive(Debug, Clone, Copy)]
struct Gelu;

impl FusedKernel<1> for Gelu {
    fn forward(&self, [x]: [&[f32]; 1]) -> (Vec<f32>, Vec<f32>) {
        let mut y = x.to_vec();
        vectorised(
            #[inline(always)]
            || y.iter_mut().for_each(|value| *value *= normal(*value).0),
        );
        (y, Vec::new())
    }

    fn backward(&self, [x]: [&[f32]; 1], _saved: &[f32], gradient: &[f32], _wanted: [bool; 1]) -> [Vec<f32>; 1] {
        let mut to_x = gradient.to_vec();
        vectorised(
            #[inline(always)]
            || {
                for (gradient, &x) in to_x.iter_mut().zip(x) {
                    let (below, density) = normal(x);
                    *gradient *= below + x * density;
                }
            },
        );
        [to_x]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neural::cpu::kernel::testing::assert_agree;
    use crate::neural::portable;

    #[test]
    fn value_and_gradient_are_those_of_the_library() {
        let wide = |kernel: fn(Tensor<1>) -> Tensor<1>| move |[x]: [Tensor<1>; 1]| kernel(x * 6.0);
        assert_agree([10_000], 3e-6, wide(gelu), wide(portable::gelu));
    }
}
