//! A 3 x 3 convolution over channels-last images, one image at a time.
//!
//! In a padded image, the three pixels in each row of a neighbourhood are next to each other. So a neighbourhood is a
//! row of a left factor in three parts, and nothing is copied to gather it. The gradient with respect to an image is
//! such a convolution too: its input is the gradient, spread out by the stride, and its kernel is turned around.

use burn::tensor::Tensor;

use super::kernel::{FusedKernel, apply};
use super::product::{Right, ScatteredRows, multiply, multiply_transposed};

/// Convolves `examples x height x width x inputs` with a kernel of `3 x 3 x inputs x outputs`. The result is
/// `examples x height' x width' x outputs`. The border is padded with zeros, and each side is divided by `stride` and
/// rounded up.
pub(crate) fn convolve(x: Tensor<4>, kernel: Tensor<4>, stride: usize) -> Tensor<4> {
    let [examples, height, width, inputs] = x.dims();
    let outputs = kernel.dims()[3];
    let shape = Convolution { examples, height, width, inputs, outputs, stride };
    let (y, _) = apply(shape, [x.flatten(0, 3), kernel.flatten(0, 3)]);
    y.reshape([examples, shape.rows(), shape.columns(), outputs])
}

#[derive(Debug, Clone, Copy)]
struct Convolution {
    examples: usize,
    height: usize,
    width: usize,
    inputs: usize,
    outputs: usize,
    stride: usize,
}

/// An image with a border of zeros.
struct Padded {
    values: Vec<f32>,
    width: usize,
    channels: usize,
}

impl Padded {
    fn new(height: usize, width: usize, channels: usize) -> Padded {
        Padded { values: vec![0.0; (height + 2) * (width + 2) * channels], width, channels }
    }

    /// How many numbers a row has.
    fn pitch(&self) -> usize {
        (self.width + 2) * self.channels
    }

    /// Puts pixels, `columns` of them in a row, at every `stride`th place in both directions.
    fn fill(&mut self, pixels: &[f32], columns: usize, stride: usize) {
        let (pitch, channels) = (self.pitch(), self.channels);
        for (row, line) in pixels.chunks_exact(columns * channels).enumerate() {
            let target = &mut self.values[(row * stride + 1) * pitch + channels..];
            if stride == 1 {
                target[..line.len()].copy_from_slice(line);
                continue;
            }
            for (pixel, target) in line.chunks_exact(channels).zip(target.chunks_mut(stride * channels)) {
                target[..channels].copy_from_slice(pixel);
            }
        }
    }

    /// Where the three rows of a neighbourhood start, for the neighbourhood of every `stride`th pixel in both
    /// directions.
    fn starts(&self, rows: usize, columns: usize, stride: usize) -> Vec<usize> {
        let (pitch, channels) = (self.pitch(), self.channels);
        let mut starts = Vec::with_capacity(3 * rows * columns);
        for row in 0..rows {
            for column in 0..columns {
                let start = (row * pitch + column * channels) * stride;
                starts.extend([start, start + pitch, start + 2 * pitch]);
            }
        }
        starts
    }

    fn neighbourhoods<'a>(&'a self, starts: &'a [usize]) -> ScatteredRows<'a> {
        ScatteredRows { values: &self.values, starts, parts: 3, length: 3 * self.channels }
    }
}

impl Convolution {
    fn rows(&self) -> usize {
        self.height.div_ceil(self.stride)
    }

    fn columns(&self) -> usize {
        self.width.div_ceil(self.stride)
    }

    fn image_len(&self) -> usize {
        self.height * self.width * self.inputs
    }

    fn result_len(&self) -> usize {
        self.rows() * self.columns() * self.outputs
    }

    /// The gradient with respect to the images.
    fn back(&self, kernel: &[f32], gradient: &[f32]) -> Vec<f32> {
        let Convolution { height, width, inputs, outputs, stride, .. } = *self;
        let mut spread = Padded::new(height, width, outputs);
        let starts = spread.starts(height, width, 1);
        // Row (down, right, output) holds the weights with which this output used each input on the opposite side.
        let turned = Right::packed(9 * outputs, inputs, |row, out| {
            let (tap, output) = (8 - row / outputs, row % outputs);
            for (input, value) in out.iter_mut().enumerate() {
                *value = kernel[(tap * inputs + input) * outputs + output];
            }
        });
        let mut to_x = vec![0.0; self.examples * self.image_len()];
        for (out, target) in gradient.chunks_exact(self.result_len()).zip(to_x.chunks_exact_mut(self.image_len())) {
            spread.fill(out, self.columns(), stride);
            multiply(spread.neighbourhoods(&starts), &turned, target);
        }
        to_x
    }
}

impl FusedKernel<2> for Convolution {
    fn forward(&self, [x, kernel]: [&[f32]; 2]) -> (Vec<f32>, Vec<f32>) {
        let mut padded = Padded::new(self.height, self.width, self.inputs);
        let starts = padded.starts(self.rows(), self.columns(), self.stride);
        let right = Right::new(kernel, self.outputs, self.rows() * self.columns(), self.examples);
        let mut y = vec![0.0; self.examples * self.result_len()];
        for (image, out) in x.chunks_exact(self.image_len()).zip(y.chunks_exact_mut(self.result_len())) {
            padded.fill(image, self.width, 1);
            multiply(padded.neighbourhoods(&starts), &right, out);
        }
        (y, Vec::new())
    }

    fn backward(&self, [x, kernel]: [&[f32]; 2], _saved: &[f32], gradient: &[f32], wanted: [bool; 2]) -> [Vec<f32>; 2] {
        let mut padded = Padded::new(self.height, self.width, self.inputs);
        let starts = padded.starts(self.rows(), self.columns(), self.stride);
        let mut to_kernel = vec![0.0; kernel.len()];
        for (image, out) in x.chunks_exact(self.image_len()).zip(gradient.chunks_exact(self.result_len())) {
            padded.fill(image, self.width, 1);
            multiply_transposed(padded.neighbourhoods(&starts), out, self.outputs, &mut to_kernel);
        }
        [if wanted[0] { self.back(kernel, gradient) } else { Vec::new() }, to_kernel]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::neural::cpu::kernel::testing::assert_agree;
    use crate::neural::portable;
    use crate::neural::recipe::Precision;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn value_and_gradients_are_those_of_the_library_whatever_the_shape(
            examples in 1_usize..3, height in 1_usize..9, width in 1_usize..9, inputs in 1_usize..7,
            outputs in 1_usize..20, stride in 1_usize..3,
        ) {
            let lengths = [examples * height * width * inputs, 9 * inputs * outputs];
            let shaped = |[x, kernel]: [Tensor<1>; 2]| -> (Tensor<4>, Tensor<4>) {
                (x.reshape([examples, height, width, inputs]), kernel.reshape([3, 3, inputs, outputs]))
            };
            assert_agree(
                lengths,
                1e-4,
                |leaves| {
                    let (x, kernel) = shaped(leaves);
                    convolve(x, kernel, stride).flatten(0, 3)
                },
                |leaves| {
                    let (x, kernel) = shaped(leaves);
                    portable::convolve(x, kernel, stride, Precision::F32).flatten(0, 3)
                },
            );
        }
    }
}
