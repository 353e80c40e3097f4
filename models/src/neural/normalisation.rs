//! Batch normalisation, an optional shortcut and a ReLU in one pass over channels-last activations.

use burn::tensor::Tensor;

use super::kernel::{Kernel, apply};

/// What a batch normalisation saw: mean and biased variance of each channel.
pub(super) struct Seen {
    pub(super) mean: Vec<f32>,
    pub(super) variance: Vec<f32>,
}

/// `relu(scale * (x - mean) / sqrt(variance + epsilon) + shift + shortcut)` over rows of channels, with the mean and
/// variance of the rows themselves. `x` and `shortcut` are `rows x channels`, flat.
pub(super) fn normalise(
    x: Tensor<1>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    shortcut: Option<Tensor<1>>,
    epsilon: f32,
) -> (Tensor<1>, Seen) {
    let channels = scale.dims()[0];
    let kernel = Normalise { channels, epsilon };
    let (y, saved) = match shortcut {
        Some(shortcut) => apply(kernel, [x, scale, shift, shortcut]),
        None => apply(kernel, [x, scale, shift]),
    };
    let (mean, rest) = saved.split_at(channels);
    let seen = Seen { mean: mean.to_vec(), variance: rest[..channels].to_vec() };
    (y, seen)
}

#[derive(Debug, Clone, Copy)]
struct Normalise {
    channels: usize,
    epsilon: f32,
}

/// One number per channel: `rows` folded by `add`, in blocks so that long sums lose little.
fn per_channel(rows: usize, channels: usize, mut add: impl FnMut(usize, &mut [f32])) -> Vec<f32> {
    const BLOCK: usize = 256;
    let mut total = vec![0.0; channels];
    let mut part = vec![0.0; channels];
    for start in (0..rows).step_by(BLOCK) {
        part.fill(0.0);
        for row in start..rows.min(start + BLOCK) {
            add(row, &mut part);
        }
        for (total, part) in total.iter_mut().zip(&part) {
            *total += part;
        }
    }
    total
}

impl Normalise {
    fn row<'a>(&self, values: &'a [f32], row: usize) -> &'a [f32] {
        &values[row * self.channels..][..self.channels]
    }

    fn forward(&self, x: &[f32], scale: &[f32], shift: &[f32], shortcut: Option<&[f32]>) -> (Vec<f32>, Vec<f32>) {
        let rows = x.len() / self.channels;
        let count = rows as f32;
        let mut mean = per_channel(rows, self.channels, |row, sums| {
            for (sum, value) in sums.iter_mut().zip(self.row(x, row)) {
                *sum += value;
            }
        });
        mean.iter_mut().for_each(|sum| *sum /= count);
        let mut variance = per_channel(rows, self.channels, |row, sums| {
            for ((sum, value), mean) in sums.iter_mut().zip(self.row(x, row)).zip(&mean) {
                *sum += (value - mean) * (value - mean);
            }
        });
        variance.iter_mut().for_each(|sum| *sum /= count);
        let (factor, offset) = self.affine(&mean, &variance, scale, shift);
        let y = self.activate(x, shortcut, &factor, &offset);
        mean.extend(variance);
        (y, mean)
    }

    /// `relu(x * factor + offset + shortcut)`.
    fn activate(&self, x: &[f32], shortcut: Option<&[f32]>, factor: &[f32], offset: &[f32]) -> Vec<f32> {
        let mut y = shortcut.map_or_else(|| vec![0.0; x.len()], <[f32]>::to_vec);
        for (line, x) in y.chunks_exact_mut(self.channels).zip(x.chunks_exact(self.channels)) {
            for (((y, x), factor), offset) in line.iter_mut().zip(x).zip(factor).zip(offset) {
                *y = (*y + x * factor + offset).max(0.0);
            }
        }
        y
    }

    /// Normalisation as one product and one sum.
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
        let rows = x.len() / channels;
        let (mean, variance) = saved.split_at(channels);
        let (factor, offset) = self.affine(mean, variance, scale, shift);
        // What passes the ReLU; also the gradient of the shortcut.
        let mut passed = self.activate(x, shortcut, &factor, &offset);
        for (value, gradient) in passed.iter_mut().zip(gradient) {
            *value = if *value > 0.0 { *gradient } else { 0.0 };
        }
        let sum = per_channel(rows, channels, |row, sums| {
            for (sum, value) in sums.iter_mut().zip(self.row(&passed, row)) {
                *sum += value;
            }
        });
        let mut moment = per_channel(rows, channels, |row, sums| {
            let line = self.row(&passed, row).iter().zip(self.row(x, row)).zip(mean);
            for (sum, ((value, x), mean)) in sums.iter_mut().zip(line) {
                *sum += value * (x - mean);
            }
        });
        let deviation: Vec<f32> = variance.iter().map(|variance| (variance + self.epsilon).sqrt()).collect();
        moment.iter_mut().zip(&deviation).for_each(|(moment, deviation)| *moment /= deviation);
        // dx = factor * (passed - sum / rows - normalised * moment / rows), as a line in x for each channel.
        let count = rows as f32;
        let slope: Vec<f32> = (0..channels).map(|c| factor[c] * moment[c] / deviation[c] / count).collect();
        let level: Vec<f32> = (0..channels).map(|c| factor[c] * sum[c] / count - slope[c] * mean[c]).collect();
        let mut to_x = x.to_vec();
        for (row, line) in to_x.chunks_exact_mut(channels).enumerate() {
            let passed = self.row(&passed, row);
            for ((((value, passed), factor), slope), level) in
                line.iter_mut().zip(passed).zip(&factor).zip(&slope).zip(&level)
            {
                *value = passed * factor - *value * slope - level;
            }
        }
        [to_x, moment, sum, passed]
    }
}

impl Kernel<3> for Normalise {
    fn forward(&self, [x, scale, shift]: [&[f32]; 3]) -> (Vec<f32>, Vec<f32>) {
        self.forward(x, scale, shift, None)
    }

    fn backward(&self, inputs: [&[f32]; 3], saved: &[f32], gradient: &[f32], _wanted: [bool; 3]) -> [Vec<f32>; 3] {
        let [x, scale, shift, _] = self.backward(inputs, None, saved, gradient);
        [x, scale, shift]
    }
}

impl Kernel<4> for Normalise {
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
    use burn::tensor::{activation, module};

    use super::*;
    use crate::neural::kernel::testing::{assert_agree, noise};
    use crate::neural::weights::vector;

    const ROWS: usize = 600;
    const CHANNELS: usize = 5;
    const EPSILON: f64 = 1e-5;

    fn reference([x, scale, shift, shortcut]: [Tensor<1>; 4]) -> Tensor<1> {
        let x: Tensor<2> = x.reshape([ROWS, CHANNELS]);
        let y = module::batch_norm_train(x, scale, shift, EPSILON).output;
        activation::relu(y.flatten(0, 1) + shortcut)
    }

    #[test]
    fn value_and_gradients_are_those_of_the_library() {
        let lengths = [ROWS * CHANNELS, CHANNELS, CHANNELS, ROWS * CHANNELS];
        let kernel =
            |[x, scale, shift, shortcut]: [Tensor<1>; 4]| normalise(x, scale, shift, Some(shortcut), EPSILON as f32).0;
        assert_agree(lengths, 2e-4, kernel, reference);
    }

    #[test]
    fn without_a_shortcut_nothing_is_added() {
        let lengths = [ROWS * CHANNELS, CHANNELS, CHANNELS];
        let plain = |[x, scale, shift]: [Tensor<1>; 3]| normalise(x, scale, shift, None, EPSILON as f32).0;
        let library = |[x, scale, shift]: [Tensor<1>; 3]| {
            let zeros = x.zeros_like();
            reference([x, scale, shift, zeros])
        };
        assert_agree(lengths, 2e-4, plain, library);
    }

    #[test]
    fn what_was_seen_is_mean_and_biased_variance() {
        let device = burn::tensor::Device::flex();
        let x = noise(ROWS * CHANNELS, 3);
        let ones = vector(vec![1.0; CHANNELS], &device);
        let (_, seen) = normalise(vector(x.clone(), &device), ones.clone(), ones, None, EPSILON as f32);
        for channel in 0..CHANNELS {
            let column = x.iter().skip(channel).step_by(CHANNELS).map(|&value| f64::from(value));
            let mean = column.clone().sum::<f64>() / ROWS as f64;
            let variance = column.map(|value| (value - mean).powi(2)).sum::<f64>() / ROWS as f64;
            assert!((f64::from(seen.mean[channel]) - mean).abs() < 1e-6);
            assert!((f64::from(seen.variance[channel]) - variance).abs() < 1e-6);
        }
    }
}
