//! The layers that networks share, and the pass that carries their weights, noise and statistics.

use burn::tensor::{Device, Int, Tensor, TensorData, module};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::weights::{Init, Layout, Leaves, Weight};

/// Keeps a variance away from zero; PyTorch's value for both normalisations.
const EPSILON: f64 = 1e-5;

/// One pass through a network.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    weights: &'a Leaves,
    buffers: &'a Leaves,
    /// Present when training: dropout's random numbers.
    noise: Option<ChaCha8Rng>,
    /// What batch normalisation saw, in the order of the layout of buffers.
    statistics: Vec<Tensor<1>>,
}

impl<'a> Pass<'a> {
    /// A pass for training, if there is `noise`, or for prediction.
    pub(crate) fn new(weights: &'a Leaves, buffers: &'a Leaves, noise: Option<ChaCha8Rng>) -> Pass<'a> {
        Pass { weights, buffers, noise, statistics: Vec::new() }
    }

    /// A weight of the network.
    pub(crate) fn weight<const D: usize>(&self, weight: Weight) -> Tensor<D> {
        self.weights.get(weight)
    }

    /// The statistics seen by batch normalisation as one vector in the layout of the buffers; none if there were none.
    pub(crate) fn into_statistics(self) -> Option<Tensor<1>> {
        if self.statistics.is_empty() { None } else { Some(Tensor::cat(self.statistics, 0)) }
    }

    /// Drops each number with probability `rate` and scales the others up, when training (Srivastava et al. 2014).
    pub(crate) fn dropout<const D: usize>(&mut self, x: Tensor<D>, rate: f64) -> Tensor<D> {
        let Some(noise) = self.noise.as_mut().filter(|_| rate > 0.0) else { return x };
        x.clone() * dropout_mask(x.dims(), rate, noise, &x.device())
    }
}

/// Zero with probability `rate`, else 1 / (1 - rate). A byte decides, so the rate is a multiple of 1/256.
fn dropout_mask<const D: usize>(shape: [usize; D], rate: f64, noise: &mut ChaCha8Rng, device: &Device) -> Tensor<D> {
    let mut bytes = vec![0_u8; shape.iter().product()];
    noise.fill_bytes(&mut bytes);
    let threshold = (rate * 256.0).round().clamp(0.0, 255.0);
    let scale = (256.0 / (256.0 - threshold)) as f32;
    let threshold = threshold as u8;
    let mask: Vec<f32> = bytes.into_iter().map(|byte| if byte < threshold { 0.0 } else { scale }).collect();
    Tensor::from_data(TensorData::new(mask, shape), device)
}

/// A matrix product with a bias.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linear {
    weight: Weight,
    bias: Weight,
}

impl Linear {
    /// Declares `{name}.weight`, `inputs x outputs`, and `{name}.bias`.
    pub(crate) fn new(layout: &mut Layout, name: &str, inputs: usize, outputs: usize, init: Init) -> Linear {
        Linear {
            weight: layout.matrix(format!("{name}.weight"), &[inputs, outputs], init),
            bias: layout.free(format!("{name}.bias"), &[outputs], Init::Constant(0.0)),
        }
    }

    /// `x W + b` over the last dimension.
    pub(crate) fn forward<const D: usize>(&self, x: Tensor<D>, pass: &Pass<'_>) -> Tensor<D> {
        module::linear(x, pass.weight(self.weight), Some(pass.weight(self.bias)))
    }
}

/// A vector for each word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words(Weight);

impl Words {
    /// Declares `words`, `vocabulary x width`.
    pub(crate) fn new(layout: &mut Layout, vocabulary: usize, width: usize) -> Words {
        Words(layout.free("words", &[vocabulary, width], Init::Uniform(0.1)))
    }

    /// `examples x tokens` numbers to `examples x tokens x width` vectors.
    pub(crate) fn forward(self, ids: Tensor<2, Int>, pass: &Pass<'_>) -> Tensor<3> {
        module::embedding(pass.weight(self.0), ids)
    }
}

/// A 3 x 3 convolution without bias, the border padded with zeros.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conv(Weight);

impl Conv {
    /// Declares `{name}.weight`, `3 x 3 x inputs x outputs`.
    pub(crate) fn new(layout: &mut Layout, name: &str, inputs: usize, outputs: usize) -> Conv {
        Conv(layout.matrix(format!("{name}.weight"), &[3, 3, inputs, outputs], Init::he(9 * inputs)))
    }

    /// `examples x height x width x inputs` to `... x outputs`, each side divided by `stride` and rounded up.
    pub(crate) fn forward(self, x: Tensor<4>, stride: usize, pass: &Pass<'_>) -> Tensor<4> {
        let kernel: Tensor<4> = pass.weight(self.0);
        let [_, _, inputs, outputs] = kernel.dims();
        let [examples, height, width, _] = x.dims();
        let (height, width) = (height.div_ceil(stride), width.div_ceil(stride));
        let columns = unfold(x, stride).reshape([examples * height * width, 9 * inputs]);
        columns.matmul(kernel.reshape([9 * inputs, outputs])).reshape([examples, height, width, outputs])
    }
}

/// The 3 x 3 neighbourhood of every pixel, or of every `stride`-th: `examples x height x width x channels` to
/// `examples x height' x width' x (3 * 3 * channels)`.
fn unfold(x: Tensor<4>, stride: usize) -> Tensor<4> {
    let [_, height, width, _] = x.dims();
    let padded = x.pad([(1, 1), (1, 1), (0, 0)], burn::tensor::ops::PadMode::Constant(0.0));
    let mut parts = Vec::with_capacity(9);
    for down in 0..3 {
        for right in 0..3 {
            let window = burn::tensor::s![.., down..down + height;stride, right..right + width;stride, ..];
            parts.push(padded.clone().slice(window));
        }
    }
    Tensor::cat(parts, 3)
}

/// Layer normalisation over the last dimension (Ba et al. 2016).
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerNorm {
    scale: Weight,
    shift: Weight,
}

impl LayerNorm {
    /// Declares `{name}.weight` and `{name}.bias`.
    pub(crate) fn new(layout: &mut Layout, name: &str, width: usize) -> LayerNorm {
        LayerNorm {
            scale: layout.free(format!("{name}.weight"), &[width], Init::Constant(1.0)),
            shift: layout.free(format!("{name}.bias"), &[width], Init::Constant(0.0)),
        }
    }

    /// `x` with every last dimension at mean 0 and variance 1, scaled and shifted.
    pub(crate) fn forward<const D: usize>(&self, x: Tensor<D>, pass: &Pass<'_>) -> Tensor<D> {
        module::layer_norm(x, pass.weight(self.scale), Some(pass.weight(self.shift)), EPSILON)
    }
}

/// Batch normalisation over all but the last dimension (Ioffe and Szegedy 2015).
///
/// When training, the statistics are those of the shard ("ghost batch", Hoffer et al. 2017), so that they depend on
/// the shard's size, a parameter, and not on the number of threads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchNorm {
    scale: Weight,
    shift: Weight,
    mean: Weight,
    variance: Weight,
}

impl BatchNorm {
    /// Declares `{name}.weight` and `{name}.bias`, and the buffers `{name}.running_mean` and `{name}.running_var`.
    /// A network must use its batch normalisations in the order in which it declares them.
    pub(crate) fn new(layout: &mut Layout, buffers: &mut Layout, name: &str, channels: usize) -> BatchNorm {
        BatchNorm {
            scale: layout.free(format!("{name}.weight"), &[channels], Init::Constant(1.0)),
            shift: layout.free(format!("{name}.bias"), &[channels], Init::Constant(0.0)),
            mean: buffers.free(format!("{name}.running_mean"), &[channels], Init::Constant(0.0)),
            variance: buffers.free(format!("{name}.running_var"), &[channels], Init::Constant(1.0)),
        }
    }

    /// `x`, `... x channels`, with every channel at mean 0 and variance 1, scaled and shifted.
    pub(crate) fn forward<const D: usize>(&self, x: Tensor<D>, pass: &mut Pass<'_>) -> Tensor<D> {
        let shape = x.dims();
        let channels = shape[D - 1];
        let x = x.reshape([shape.iter().product::<usize>() / channels, channels]);
        let (scale, shift): (Tensor<1>, Tensor<1>) = (pass.weight(self.scale), pass.weight(self.shift));
        let y = if pass.noise.is_some() {
            let rows = x.dims()[0] as f64;
            let seen = module::batch_norm_train(x, scale, shift, EPSILON);
            pass.statistics.push(seen.mean.inner());
            // Predictions use the unbiased estimate.
            pass.statistics.push(seen.variance.inner() * (rows / (rows - 1.0).max(1.0)));
            seen.output
        } else {
            let (mean, variance): (Tensor<1>, Tensor<1>) =
                (pass.buffers.get(self.mean), pass.buffers.get(self.variance));
            let factor = scale / (variance + EPSILON).sqrt();
            let offset = shift - mean * factor.clone();
            x * factor.unsqueeze() + offset.unsqueeze()
        };
        y.reshape(shape)
    }
}

/// Mean over the tokens that are there: `x` is `examples x tokens x width`, `mask` `examples x tokens`.
pub(crate) fn masked_mean(x: Tensor<3>, mask: Tensor<2>) -> Tensor<2> {
    let count = mask.clone().sum_dim(1);
    (x * mask.unsqueeze_dim(2)).sum_dim(1).squeeze_dim::<2>(1) / count
}

/// Largest value over the tokens that are there; shapes as in [`masked_mean`].
pub(crate) fn masked_max(x: Tensor<3>, mask: Tensor<2>) -> Tensor<2> {
    (x + ((mask - 1.0) * 1e9).unsqueeze_dim(2)).max_dim(1).squeeze_dim(1)
}

pub(crate) use burn::tensor::activation::{gelu, relu};
