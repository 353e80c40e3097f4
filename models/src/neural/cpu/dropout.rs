//! Dropout in one pass. It keeps one byte for each number.

use std::sync::Arc;

use burn::tensor::Tensor;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::kernel::{FusedKernel, apply};
use super::product::vectorised;

/// Each number becomes zero with probability `rate`, and is divided by 1 - `rate` otherwise. A random byte decides, so the
/// rate is rounded to a multiple of 1/256.
pub(crate) fn dropout(x: Tensor<1>, rate: f64, noise: &mut ChaCha8Rng) -> Tensor<1> {
    let mut bytes = vec![0; x.dims()[0]];
    noise.fill_bytes(&mut bytes);
    let threshold = (rate * 256.0).round().clamp(0.0, 255.0);
    let scale = (256.0 / (256.0 - threshold)) as f32;
    apply(Dropout { bytes: Arc::new(bytes), threshold: threshold as u8, scale }, [x]).0
}

#[derive(Debug, Clone)]
struct Dropout {
    bytes: Arc<Vec<u8>>,
    /// Bytes below this drop their number.
    threshold: u8,
    scale: f32,
}

impl Dropout {
    fn thin(&self, values: &[f32]) -> Vec<f32> {
        let mut thinned = values.to_vec();
        vectorised(
            #[inline(always)]
            || {
                for (value, &byte) in thinned.iter_mut().zip(self.bytes.iter()) {
                    *value *= if byte < self.threshold { 0.0 } else { self.scale };
                }
            },
        );
        thinned
    }
}

impl FusedKernel<1> for Dropout {
    fn forward(&self, [x]: [&[f32]; 1]) -> (Vec<f32>, Vec<f32>) {
        (self.thin(x), Vec::new())
    }

    fn backward(&self, _: [&[f32]; 1], _saved: &[f32], gradient: &[f32], _wanted: [bool; 1]) -> [Vec<f32>; 1] {
        [self.thin(gradient)]
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::neural::cpu::kernel::testing::assert_agree;

    #[test]
    fn the_rate_is_dropped_and_the_gradient_goes_where_the_numbers_went() {
        let (len, rate) = (10_000, 0.25);
        let device = burn::tensor::Device::flex();
        let ones = Tensor::<1>::ones([len], &device);
        let mask = dropout(ones, rate, &mut ChaCha8Rng::seed_from_u64(1));
        let values = mask.clone().try_into_vec_as::<f32>().expect("floats");
        let dropped = values.iter().filter(|value| **value == 0.0).count();
        assert!(dropped.abs_diff(len / 4) < 200, "{dropped} of {len} dropped");
        assert!(values.iter().all(|value| *value == 0.0 || (value - 4.0 / 3.0).abs() < 1e-6));
        let kernel = |[x]: [Tensor<1>; 1]| dropout(x, rate, &mut ChaCha8Rng::seed_from_u64(1));
        let by_mask = |[x]: [Tensor<1>; 1]| {
            let mask = mask.clone();
            x * if mask.is_autodiff() { mask } else { mask.autodiff() }
        };
        assert_agree([len], 1e-6, kernel, by_mask);
    }
}
