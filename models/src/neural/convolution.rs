//! A 3 x 3 convolution over channels-last images, as a matrix product per image.
//!
//! The neighbourhoods of one image fit into the processor's cache, those of a batch do not; so the gradient gathers
//! them again rather than keep them.

use burn::tensor::Tensor;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::kernel::{Kernel, apply};

/// `examples x height x width x inputs` and a kernel of `3 x 3 x inputs x outputs` to `examples x height' x width' x
/// outputs`: the border padded with zeros, each side divided by `stride` and rounded up.
pub(super) fn convolve(x: Tensor<4>, kernel: Tensor<4>, stride: usize) -> Tensor<4> {
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

impl Convolution {
    fn rows(&self) -> usize {
        self.height.div_ceil(self.stride)
    }

    fn columns(&self) -> usize {
        self.width.div_ceil(self.stride)
    }

    fn pixels(&self) -> usize {
        self.rows() * self.columns()
    }

    /// Numbers in a row of the padded image.
    fn pitch(&self) -> usize {
        (self.width + 2) * self.inputs
    }

    /// For each output pixel and each of the three rows of its neighbourhood: where the row's three pixels start in
    /// the padded image.
    fn starts(&self) -> impl Iterator<Item = usize> {
        let Convolution { stride, inputs, .. } = *self;
        let (columns, pitch) = (self.columns(), self.pitch());
        (0..self.rows()).flat_map(move |row| {
            (0..columns).flat_map(move |column| {
                (0..3).map(move |down| (row * stride + down) * pitch + column * stride * inputs)
            })
        })
    }

    /// Fills the padded image, whose border stays zero, and from it the neighbourhoods: `pixels x 9 * inputs`.
    fn gather(&self, image: &[f32], padded: &mut [f32], neighbourhoods: &mut [f32]) {
        let line = self.width * self.inputs;
        for (row, source) in image.chunks_exact(line).enumerate() {
            padded[(row + 1) * self.pitch() + self.inputs..][..line].copy_from_slice(source);
        }
        let triple = 3 * self.inputs;
        for (target, start) in neighbourhoods.chunks_exact_mut(triple).zip(self.starts()) {
            target.copy_from_slice(&padded[start..start + triple]);
        }
    }

    /// The reverse of [`Convolution::gather`]: adds every neighbourhood where it came from.
    fn scatter(&self, neighbourhoods: &[f32], padded: &mut [f32], image: &mut [f32]) {
        padded.fill(0.0);
        let triple = 3 * self.inputs;
        for (source, start) in neighbourhoods.chunks_exact(triple).zip(self.starts()) {
            for (sum, value) in padded[start..start + triple].iter_mut().zip(source) {
                *sum += value;
            }
        }
        let line = self.width * self.inputs;
        for (row, target) in image.chunks_exact_mut(line).enumerate() {
            target.copy_from_slice(&padded[(row + 1) * self.pitch() + self.inputs..][..line]);
        }
    }

    fn image_len(&self) -> usize {
        self.height * self.width * self.inputs
    }

    fn padded(&self) -> Vec<f32> {
        vec![0.0; (self.height + 2) * self.pitch()]
    }
}

fn view(values: &[f32], rows: usize, columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, columns), values).expect("the length is the product of the sides")
}

fn view_mut(values: &mut [f32], rows: usize, columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((rows, columns), values).expect("the length is the product of the sides")
}

impl Kernel<2> for Convolution {
    fn forward(&self, [x, kernel]: [&[f32]; 2]) -> (Vec<f32>, Vec<f32>) {
        let (pixels, taps, outputs) = (self.pixels(), 9 * self.inputs, self.outputs);
        let mut y = vec![0.0; self.examples * pixels * outputs];
        let (mut padded, mut neighbourhoods) = (self.padded(), vec![0.0; pixels * taps]);
        for (image, out) in x.chunks_exact(self.image_len()).zip(y.chunks_exact_mut(pixels * outputs)) {
            self.gather(image, &mut padded, &mut neighbourhoods);
            let target = &mut view_mut(out, pixels, outputs);
            general_mat_mul(1.0, &view(&neighbourhoods, pixels, taps), &view(kernel, taps, outputs), 0.0, target);
        }
        (y, Vec::new())
    }

    fn backward(&self, [x, kernel]: [&[f32]; 2], _saved: &[f32], gradient: &[f32], wanted: [bool; 2]) -> [Vec<f32>; 2] {
        let (pixels, taps, outputs) = (self.pixels(), 9 * self.inputs, self.outputs);
        let mut to_kernel = vec![0.0; kernel.len()];
        let mut to_x = vec![0.0; if wanted[0] { x.len() } else { 0 }];
        let (mut padded, mut neighbourhoods) = (self.padded(), vec![0.0; pixels * taps]);
        let mut scattered = self.padded();
        let mut targets = to_x.chunks_exact_mut(self.image_len());
        for (image, out) in x.chunks_exact(self.image_len()).zip(gradient.chunks_exact(pixels * outputs)) {
            let out = view(out, pixels, outputs);
            self.gather(image, &mut padded, &mut neighbourhoods);
            let rows = view(&neighbourhoods, pixels, taps);
            general_mat_mul(1.0, &rows.t(), &out, 1.0, &mut view_mut(&mut to_kernel, taps, outputs));
            if let Some(target) = targets.next() {
                let back = &mut view_mut(&mut neighbourhoods, pixels, taps);
                general_mat_mul(1.0, &out, &view(kernel, taps, outputs).t(), 0.0, back);
                self.scatter(&neighbourhoods, &mut scattered, target);
            }
        }
        [to_x, to_kernel]
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{module, ops::ConvOptions};

    use super::*;
    use crate::neural::kernel::testing::assert_agree;

    #[test]
    fn value_and_gradients_are_those_of_the_library() {
        for (size, stride) in [([2, 5, 4, 3, 2], 1), ([2, 6, 6, 2, 4], 2), ([1, 5, 7, 1, 3], 2)] {
            let [examples, height, width, inputs, outputs] = size;
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
                    let options = ConvOptions::new([stride; 2], [1; 2], [1; 2], 1);
                    let y = module::conv2d(x.permute([0, 3, 1, 2]), kernel.permute([3, 2, 0, 1]), None, options);
                    y.permute([0, 2, 3, 1]).flatten(0, 3)
                },
            );
        }
    }
}
