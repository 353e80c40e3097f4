//! Batch normalisation, an optional shortcut and a ReLU in one pass over channels-last activations.

use burn::tensor::Tensor;

use super::kernel::{FusedKernel, apply, evaluate};
use super::product::vectorised;

/// The mean and the biased variance of each channel in a batch.
pub(crate) struct BatchStatistics {
    pub(crate) mean: Vec<f32>,
    pub(crate) variance: Vec<f32>,
}

/// `relu(scale * (x - mean) / sqrt(variance + epsilon) + shift + shortcut)` over rows of channels. Mean and variance
/// are those of the rows themselves. `x` and `shortcut` are `rows x channels` and flat.
pub(crate) fn normalise(
    x: Tensor<1>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    shortcut: Option<Tensor<1>>,
    epsilon: f32,
) -> (Tensor<1>, BatchStatistics) {
    let channels = scale.dims()[0];
    let kernel = Normalise { channels, epsilon };
    let (y, saved) = match shortcut {
        Some(shortcut) => apply(kernel, [x, scale, shift, shortcut]),
        None => apply(kernel, [x, scale, shift]),
    };
    let (mean, rest) = saved.split_at(channels);
    let seen = BatchStatistics { mean: mean.to_vec(), variance: rest[..channels].to_vec() };
    (y, seen)
}

/// The same for a prediction, with a given mean and variance.
pub(crate) fn standardise(
    x: Tensor<1>,
    [scale, shift, mean, variance]: [Tensor<1>; 4],
    shortcut: Option<Tensor<1>>,
    epsilon: f32,
) -> Tensor<1> {
    let kernel = Normalise { channels: scale.dims()[0], epsilon };
    let standardise = |[x, scale, shift, mean, variance]: [&[f32]; 5], shortcut: Option<&[f32]>| {
        let (factor, offset) = kernel.affine(mean, variance, scale, shift);
        kernel.activate(x, shortcut, &factor, &offset)
    };
    let inputs = [x, scale, shift, mean, variance];
    match shortcut {
        Some(shortcut) => {
            let [x, scale, shift, mean, variance] = inputs;
            evaluate([x, scale, shift, mean, variance, shortcut], |[inputs @ .., shortcut]| {
                standardise(inputs, Some(shortcut))
            })
        }
        None => evaluate(inputs, |inputs| standardise(inputs, None)),
    }
}

#[derive(Debug, Clone, Copy)]
struct Normalise {
    channels: usize,
    epsilon: f32,
}

impl Normalise {
    /// How many numbers are computed together: whole rows, with enough numbers for wide vector instructions.
    fn stripe(&self) -> usize {
        const MIN_STRIPE: usize = 64;
        self.channels * (MIN_STRIPE / self.channels).max(1)
    }

    /// One number per channel, repeated for every row of a stripe.
    fn striped(&self, values: &[f32]) -> Vec<f32> {
        values.repeat(self.stripe() / self.channels)
    }

    /// One sum per channel. `add` adds the numbers of a range, which is at most a stripe, to the sums. Long sums are
    /// made of blocks, which keeps their rounding error small.
    #[inline(always)]
    fn per_channel(&self, len: usize, mut add: impl FnMut(std::ops::Range<usize>, &mut [f32])) -> Vec<f32> {
        const BLOCK: usize = 64;
        let stripe = self.stripe();
        let mut total = vec![0.0; self.channels];
        let mut part = vec![0.0; stripe];
        for block in (0..len).step_by(BLOCK * stripe) {
            part.fill(0.0);
            for start in (block..len.min(block + BLOCK * stripe)).step_by(stripe) {
                add(start..len.min(start + stripe), &mut part);
            }
            for row in part.chunks_exact(self.channels) {
                total.iter_mut().zip(row).for_each(|(total, part)| *total += part);
            }
        }
        total
    }

    fn forward(&self, x: &[f32], scale: &[f32], shift: &[f32], shortcut: Option<&[f32]>) -> (Vec<f32>, Vec<f32>) {
        let count = (x.len() / self.channels) as f32;
        let mut mean = vectorised(
            #[inline(always)]
            || {
                self.per_channel(x.len(), |range, sums| {
                    sums.iter_mut().zip(&x[range]).for_each(|(sum, value)| *sum += value);
                })
            },
        );
        mean.iter_mut().for_each(|sum| *sum /= count);
        let means = self.striped(&mean);
        let mut variance = vectorised(
            #[inline(always)]
            || {
                self.per_channel(x.len(), |range, sums| {
                    for ((sum, value), mean) in sums.iter_mut().zip(&x[range]).zip(&means) {
                        *sum += (value - mean) * (value - mean);
                    }
                })
            },
        );
        variance.iter_mut().for_each(|sum| *sum /= count);
        let (factor, offset) = self.affine(&mean, &variance, scale, shift);
        let y = self.activate(x, shortcut, &factor, &offset);
        mean.extend(variance);
        (y, mean)
    }

    /// `relu(x * factor + offset + shortcut)`.
    fn activate(&self, x: &[f32], shortcut: Option<&[f32]>, factor: &[f32], offset: &[f32]) -> Vec<f32> {
        let mut y = shortcut.map_or_else(|| vec![0.0; x.len()], <[f32]>::to_vec);
        let (factor, offset) = (self.striped(factor), self.striped(offset));
        vectorised(
            #[inline(always)]
            || {
                for (line, x) in y.chunks_mut(self.stripe()).zip(x.chunks(self.stripe())) {
                    for (((y, x), factor), offset) in line.iter_mut().zip(x).zip(&factor).zip(&offset) {
                        *y = (*y + x * factor + offset).max(0.0);
                    }
                }
            },
        );
        y
    }

    /// The normalisation as a factor and an offset for each channel.
    fn affine(&self, mean: &[f32], variance: &[f32], scale: &[f32], shift: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let factor: Vec<f32> = variance.iter().zip(scale).map(|(v, scale)| scale / (v + self.epsilon).sqrt()).collect();
        let offset = shift.iter().zip(mean).zip(&factor).map(|((shift, mean), factor)| shift - mean * factor).collect();
        (factor, offset)
    }

    /// Gradients with respect to `x`, scale, shift and shortcut (Ioffe and Szegedy 2015, section 3).
    fn backward(
        &self,
        inputs: [&[f32]; 3],
        shortcut: Option<&[f32]>,
        saved: &[f32],
        gradient: &[f32],
    ) -> [Vec<f32>; 4] {
        let [x, scale, shift] = inputs;
        let channels = self.channels;
        let (mean, variance) = saved.split_at(channels);
        let (factor, offset) = self.affine(mean, variance, scale, shift);
        // The gradient that passes the ReLU. It is also the gradient of the shortcut.
        let mut passed = self.activate(x, shortcut, &factor, &offset);
        vectorised(
            #[inline(always)]
            || {
                for (value, gradient) in passed.iter_mut().zip(gradient) {
                    *value = if *value > 0.0 { *gradient } else { 0.0 };
                }
            },
        );
        let sum = vectorised(
            #[inline(always)]
            || {
                self.per_channel(x.len(), |range, sums| {
                    sums.iter_mut().zip(&passed[range]).for_each(|(sum, value)| *sum += value);
                })
            },
        );
        let means = self.striped(mean);
        let mut moment = vectorised(
            #[inline(always)]
            || {
                self.per_channel(x.len(), |range, sums| {
                    let line = passed[range.clone()].iter().zip(&x[range]).zip(&means);
                    for (sum, ((value, x), mean)) in sums.iter_mut().zip(line) {
                        *sum += value * (x - mean);
                    }
                })
            },
        );
        let deviation: Vec<f32> = variance.iter().map(|variance| (variance + self.epsilon).sqrt()).collect();
        moment.iter_mut().zip(&deviation).for_each(|(moment, deviation)| *moment /= deviation);
        // dx = factor * (passed - sum / rows - normalised * moment / rows), which is linear in x for each channel.
        let count = (x.len() / channels) as f32;
        let slope: Vec<f32> = (0..channels).map(|c| factor[c] * moment[c] / deviation[c] / count).collect();
        let level: Vec<f32> = (0..channels).map(|c| factor[c] * sum[c] / count - slope[c] * mean[c]).collect();
        let (factor, slope, level) = (self.striped(&factor), self.striped(&slope), self.striped(&level));
        let mut to_x = vec![0.0; x.len()];
        vectorised(
            #[inline(always)]
            || {
                let stripe = self.stripe();
                for ((line, x), passed) in to_x.chunks_mut(stripe).zip(x.chunks(stripe)).zip(passed.chunks(stripe)) {
                    let lines = line.iter_mut().zip(x).zip(passed).zip(&factor).zip(&slope).zip(&level);
                    for (((((value, x), passed), factor), slope), level) in lines {
                        *value = passed * factor - x * slope - level;
                    }
                }
            },
        );
        [to_x, moment, sum, passed]
    }
}

impl FusedKernel<3> for Normalise {
    fn forward(&self, [x, scale, shift]: [&[f32]; 3]) -> (Vec<f32>, Vec<f32>) {
        self.forward(x, scale, shift, None)
    }

    fn backward(&self, inputs: [&[f32]; 3], saved: &[f32], gradient: &[f32], _wanted: [bool; 3]) -> [Vec<f32>; 3] {
        let [x, scale, shift, _] = self.backward(inputs, None, saved, gradient);
        [x, scale, shift]
    }
}

impl FusedKernel<4> for Normalise {
    fn forward(&self, [x, scale, shift, shortcut]: [&[f32]; 4]) -> (Vec<f32>, Vec<f32>) {
        self.forward(x, scale, shift, Some(shortcut))
    }

    fn backward(&self, inputs: [&[f32]; 4], saved: &[f32], gradient: &[f32], _wanted: [bool; 4]) -> [Vec<f32>; 4] {
        let [x, scale, shift, shortcut] = inputs;
        self.backward([x, scale, shift], Some(shortcut), saved, gradient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neural::cpu::kernel::testing::{assert_agree, noise};
    use crate::neural::portable;
    use crate::neural::weights::vector;

    const ROWS: usize = 600;
    const CHANNELS: usize = 5;
    const EPSILON: f32 = 1e-5;

    #[test]
    fn value_and_gradients_are_those_of_the_library() {
        let lengths = [ROWS * CHANNELS, CHANNELS, CHANNELS, ROWS * CHANNELS];
        let kernel =
            |[x, scale, shift, shortcut]: [Tensor<1>; 4]| normalise(x, scale, shift, Some(shortcut), EPSILON).0;
        let library = |[x, scale, shift, shortcut]: [Tensor<1>; 4]| {
            portable::normalise(x, [scale, shift], Some(shortcut), EPSILON, ROWS).0
        };
        assert_agree(lengths, 2e-4, kernel, library);
    }

    #[test]
    fn without_a_shortcut_nothing_is_added() {
        let lengths = [ROWS * CHANNELS, CHANNELS, CHANNELS];
        let plain = |[x, scale, shift]: [Tensor<1>; 3]| normalise(x, scale, shift, None, EPSILON).0;
        let library = |[x, scale, shift]: [Tensor<1>; 3]| portable::normalise(x, [scale, shift], None, EPSILON, ROWS).0;
        assert_agree(lengths, 2e-4, plain, library);
    }

    #[test]
    fn a_prediction_with_what_was_seen_is_the_same_to_the_bit() {
        let device = burn::tensor::Device::flex();
        let random = |len, seed| vector(noise(len, seed), &device);
        let (x, scale, shift) = (random(ROWS * CHANNELS, 1), random(CHANNELS, 2), random(CHANNELS, 3));
        for shortcut in [None, Some(random(ROWS * CHANNELS, 4))] {
            let (y, seen) = normalise(x.clone(), scale.clone(), shift.clone(), shortcut.clone(), EPSILON);
            let [mean, variance] = [seen.mean, seen.variance].map(|values| vector(values, &device));
            let given = [scale.clone(), shift.clone(), mean, variance];
            let predicted = standardise(x.clone(), given, shortcut, EPSILON);
            let bits = |tensor: Tensor<1>| tensor.try_into_vec_as::<f32>().expect("floats");
            assert!(bits(y) == bits(predicted));
        }
    }

    #[test]
    fn what_was_seen_is_mean_and_biased_variance() {
        let device = burn::tensor::Device::flex();
        let x = noise(ROWS * CHANNELS, 3);
        let ones = vector(vec![1.0; CHANNELS], &device);
        let (_, seen) = normalise(vector(x.clone(), &device), ones.clone(), ones, None, EPSILON);
        for channel in 0..CHANNELS {
            let column = x.iter().skip(channel).step_by(CHANNELS).map(|&value| f64::from(value));
            let mean = column.clone().sum::<f64>() / ROWS as f64;
            let variance = column.map(|value| (value - mean).powi(2)).sum::<f64>() / ROWS as f64;
            assert!((f64::from(seen.mean[channel]) - mean).abs() < 1e-6);
            assert!((f64::from(seen.variance[channel]) - variance).abs() < 1e-6);
        }
    }
}
