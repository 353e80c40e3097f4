//! The functions of [`super::cpu`], made of the library's operations. They compute wherever a tensor is; on the processor they are the
//! reference with which its own loops are compared.
//!
//! On a graphics card an operation costs its start, and the library joins operations that follow each other. So these are written to be
//! few and large, and none of them reads a number back.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Bool, Distribution, Tensor, TensorData, activation, module};

/// See [`super::cpu::linear`].
pub(crate) fn linear(x: Tensor<1>, weight: Tensor<1>, bias: Tensor<1>) -> Tensor<1> {
    let outputs = bias.dims()[0];
    let inputs = weight.dims()[0] / outputs;
    let rows = x.dims()[0] / inputs;
    let weight: Tensor<2> = weight.reshape([inputs, outputs]);
    module::linear(x.reshape([rows, inputs]) as Tensor<2>, weight, Some(bias)).flatten(0, 1)
}

/// See [`super::cpu::convolve`].
pub(crate) fn convolve(x: Tensor<4>, kernel: Tensor<4>, stride: usize) -> Tensor<4> {
    let options = ConvOptions::new([stride; 2], [1; 2], [1; 2], 1);
    let y = module::conv2d(x.permute([0, 3, 1, 2]), kernel.permute([3, 2, 0, 1]), None, options);
    y.permute([0, 2, 3, 1])
}

/// See [`super::cpu::layer_norm`].
pub(crate) fn layer_norm(x: Tensor<1>, scale: Tensor<1>, shift: Tensor<1>, epsilon: f32) -> Tensor<1> {
    let width = scale.dims()[0];
    let rows = x.dims()[0] / width;
    let x: Tensor<2> = x.reshape([rows, width]);
    module::layer_norm(x, scale, Some(shift), f64::from(epsilon)).flatten(0, 1)
}

/// See [`super::cpu::gelu`].
pub(crate) fn gelu(x: Tensor<1>) -> Tensor<1> {
    activation::gelu(x)
}

/// Each number becomes zero with probability `rate`, and is divided by 1 - `rate` otherwise. The random numbers are those of the device,
/// which was given a seed.
pub(crate) fn dropout(x: Tensor<1>, rate: f64) -> Tensor<1> {
    let kept = x.random_like(Distribution::Uniform(0.0, 1.0)).greater_equal_elem(rate);
    x.mask_fill(kept.bool_not(), 0.0) / (1.0 - rate)
}

/// See [`super::cpu::attend`].
pub(crate) fn attend(inputs: [Tensor<3>; 3], heads: usize, lengths: &[usize]) -> Tensor<3> {
    let [examples, tokens, width] = inputs[0].dims();
    let depth = width / heads;
    let device = inputs[0].device();
    let [query, key, value] =
        inputs.map(|input| -> Tensor<4> { input.reshape([examples, tokens, heads, depth]).swap_dims(1, 2) });
    let scores = query.matmul(key.swap_dims(2, 3)) / (depth as f64).sqrt();
    let joined = |weights: Tensor<4>| weights.matmul(value.clone()).swap_dims(1, 2).reshape([examples, tokens, width]);
    if lengths.iter().all(|&length| length == tokens) {
        return joined(activation::softmax(scores, 3));
    }
    let padding: Vec<bool> = lengths.iter().flat_map(|&length| (0..tokens).map(move |token| token >= length)).collect();
    let padding = Tensor::<2, Bool>::from_data(TensorData::new(padding, [examples, tokens]), &device.inner());
    let of_keys: Tensor<4, Bool> =
        padding.clone().reshape([examples, 1, 1, tokens]).expand([examples, heads, tokens, tokens]);
    let of_tokens: Tensor<3, Bool> = padding.reshape([examples, tokens, 1]).expand([examples, tokens, width]);
    joined(activation::softmax(scores.mask_fill(of_keys, f32::MIN), 3)).mask_fill(of_tokens, 0.0)
}

/// Mean and biased variance of each channel, over all groups.
pub(crate) struct Seen {
    pub(crate) mean: Tensor<1>,
    pub(crate) variance: Tensor<1>,
}

/// See [`super::cpu::normalise`]. The rows are in `groups` of equal size that follow each other, and each is normalised by its own
/// statistics, as shards are on the processor. What was seen is the mean over the groups.
pub(crate) fn normalise(
    x: Tensor<1>,
    [scale, shift]: [Tensor<1>; 2],
    shortcut: Option<Tensor<1>>,
    epsilon: f32,
    groups: usize,
) -> (Tensor<1>, Seen) {
    let channels = scale.dims()[0];
    let rows = x.dims()[0] / channels / groups;
    let x: Tensor<3> = x.reshape([groups, rows, channels]);
    let mean = x.clone().mean_dim(1);
    let centred = x - mean.clone();
    let variance = centred.clone().square().mean_dim(1);
    let of_channels = |tensor: Tensor<1>| -> Tensor<3> { tensor.reshape([1, 1, channels]) };
    let factor = of_channels(scale) / (variance.clone() + f64::from(epsilon)).sqrt();
    let y: Tensor<1> = (centred * factor + of_channels(shift)).flatten(0, 2);
    let over_groups = |tensor: Tensor<3>| tensor.inner().mean_dim(0).reshape([channels]);
    let seen = Seen { mean: over_groups(mean), variance: over_groups(variance) };
    (activated(y, shortcut), seen)
}

/// See [`super::cpu::standardise`].
pub(crate) fn standardise(
    x: Tensor<1>,
    [scale, shift, mean, variance]: [Tensor<1>; 4],
    shortcut: Option<Tensor<1>>,
    epsilon: f32,
) -> Tensor<1> {
    let channels = scale.dims()[0];
    let rows = x.dims()[0] / channels;
    let factor = scale / (variance + f64::from(epsilon)).sqrt();
    let offset = shift - mean * factor.clone();
    let x: Tensor<2> = x.reshape([rows, channels]);
    activated((x * factor.unsqueeze() + offset.unsqueeze()).flatten(0, 1), shortcut)
}

fn activated(y: Tensor<1>, shortcut: Option<Tensor<1>>) -> Tensor<1> {
    activation::relu(match shortcut {
        Some(shortcut) => y + shortcut,
        None => y,
    })
}

/// See [`super::cpu::recur_lstm`].
pub(crate) fn recur_lstm(gates: Tensor<4>, recurrent: Tensor<3>) -> Tensor<4> {
    let [directions, steps, examples, width] = gates.dims();
    let hidden = width / 4;
    let mut output = Tensor::<3>::zeros([directions, examples, hidden], &gates.device());
    let mut cell = output.clone();
    let mut outputs = Vec::with_capacity(steps);
    for step in 0..steps {
        let fresh: Tensor<3> = gates.clone().narrow(1, step, 1).squeeze_dim(1);
        let gate = fresh + output.matmul(recurrent.clone());
        let part = |index: usize| gate.clone().narrow(2, index * hidden, hidden);
        let (input, forget) = (activation::sigmoid(part(0)), activation::sigmoid(part(1) + 1.0));
        cell = forget * cell + input * part(3).tanh();
        output = activation::sigmoid(part(2)) * cell.clone().tanh();
        outputs.push(output.clone());
    }
    Tensor::stack(outputs, 1)
}

/// See [`super::cpu::recur_gru`].
pub(crate) fn recur_gru(gates: Tensor<4>, recurrent: Tensor<3>, bias: Tensor<3>) -> Tensor<4> {
    let [directions, steps, examples, width] = gates.dims();
    let hidden = width / 3;
    let mut output = Tensor::<3>::zeros([directions, examples, hidden], &gates.device());
    let mut outputs = Vec::with_capacity(steps);
    for step in 0..steps {
        let fresh: Tensor<3> = gates.clone().narrow(1, step, 1).squeeze_dim(1);
        let product = output.clone().matmul(recurrent.clone());
        let part = |tensor: &Tensor<3>, index: usize| tensor.clone().narrow(2, index * hidden, hidden);
        let reset = activation::sigmoid(part(&fresh, 0) + part(&product, 0));
        let update = activation::sigmoid(part(&fresh, 1) + part(&product, 1));
        let candidate = (part(&fresh, 2) + reset * (part(&product, 2) + bias.clone())).tanh();
        output = (update.clone() * -1.0 + 1.0) * candidate + update * output;
        outputs.push(output.clone());
    }
    Tensor::stack(outputs, 1)
}
