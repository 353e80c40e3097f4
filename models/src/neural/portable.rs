//! The functions of [`super::cpu`], made of the library's operations. They compute wherever a tensor is; on the processor they are the
//! reference with which its own loops are compared.
//!
//! On a graphics card an operation costs its start, and the library joins operations that follow each other. So these are written to be
//! few and large, and none of them reads a number back.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Bool, Distribution, FloatDType, Tensor, TensorData, activation, module};

use super::recipe::Precision;

/// A factor of a product in its precision.
fn factor<const D: usize>(x: Tensor<D>, precision: Precision) -> Tensor<D> {
    match precision {
        Precision::F32 => x,
        Precision::Bf16 => x.cast(FloatDType::BF16),
    }
}

/// A product in 32 bits.
fn product<const D: usize>(y: Tensor<D>, precision: Precision) -> Tensor<D> {
    match precision {
        Precision::F32 => y,
        Precision::Bf16 => y.cast(FloatDType::F32),
    }
}

/// The product of matrices.
fn multiply<const D: usize>(x: Tensor<D>, y: Tensor<D>, precision: Precision) -> Tensor<D> {
    product(factor(x, precision).matmul(factor(y, precision)), precision)
}

/// See [`super::cpu::linear`].
pub(crate) fn linear(x: Tensor<1>, weight: Tensor<1>, bias: Tensor<1>, precision: Precision) -> Tensor<1> {
    let outputs = bias.dims()[0];
    let inputs = weight.dims()[0] / outputs;
    let rows = x.dims()[0] / inputs;
    let (x, weight): (Tensor<2>, Tensor<2>) = (x.reshape([rows, inputs]), weight.reshape([inputs, outputs]));
    let y = match precision {
        Precision::F32 => module::linear(x, weight, Some(bias)),
        Precision::Bf16 => multiply(x, weight, precision) + bias.unsqueeze(),
    };
    y.flatten(0, 1)
}

/// See [`super::cpu::convolve`].
pub(crate) fn convolve(x: Tensor<4>, kernel: Tensor<4>, stride: usize, precision: Precision) -> Tensor<4> {
    let options = ConvOptions::new([stride; 2], [1; 2], [1; 2], 1);
    let (x, kernel) = (factor(x, precision), factor(kernel, precision));
    let y = module::conv2d(x.permute([0, 3, 1, 2]), kernel.permute([3, 2, 0, 1]), None, options);
    product(y.permute([0, 2, 3, 1]), precision)
}

/// See [`super::cpu::layer_norm`].
pub(crate) fn layer_norm(x: Tensor<1>, scale: Tensor<1>, shift: Tensor<1>, epsilon: f32) -> Tensor<1> {
    let width = scale.dims()[0];
    let rows = x.dims()[0] / width;
    let x: Tensor<2> = x.reshape([rows, width]);
    module::layer_norm(x, scale, Some(shift), f64::from(epsilon)).flatten(0, 1)
}

/// See [`super::cpu::gelu`]. On most devices, the library's own function has the derivative of another one, an approximation by tanh.
pub(crate) fn gelu(x: Tensor<1>) -> Tensor<1> {
    let below = (x.clone() * std::f64::consts::FRAC_1_SQRT_2).erf() * 0.5 + 0.5;
    x * below
}

/// Each number becomes zero with probability `rate`, and is divided by 1 - `rate` otherwise. The random numbers are those of the device,
/// which was given a seed.
pub(crate) fn dropout(x: Tensor<1>, rate: f64) -> Tensor<1> {
    let kept = x.random_like(Distribution::Uniform(0.0, 1.0)).greater_equal_elem(rate);
    x.mask_fill(kept.bool_not(), 0.0) / (1.0 - rate)
}

/// See [`super::cpu::attend`].
pub(crate) fn attend(inputs: [Tensor<3>; 3], heads: usize, lengths: &[usize], precision: Precision) -> Tensor<3> {
    let [examples, tokens, width] = inputs[0].dims();
    let depth = width / heads;
    let device = inputs[0].device();
    let [query, key, value] =
        inputs.map(|input| -> Tensor<4> { input.reshape([examples, tokens, heads, depth]).swap_dims(1, 2) });
    let scores = multiply(query, key.swap_dims(2, 3), precision) / (depth as f64).sqrt();
    let joined = |weights: Tensor<4>| {
        multiply(weights, value.clone(), precision).swap_dims(1, 2).reshape([examples, tokens, width])
    };
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

/// Mean and unbiased variance of each channel. Of several groups of rows, their means by the rows of each.
pub(crate) struct Seen {
    pub(crate) mean: Tensor<1>,
    pub(crate) variance: Tensor<1>,
}

/// See [`super::cpu::normalise`]. Each `group` rows that follow each other are normalised by their own statistics, as shards are on the
/// processor. The last group may have fewer.
pub(crate) fn normalise(
    x: Tensor<1>,
    weights: [Tensor<1>; 2],
    shortcut: Option<Tensor<1>>,
    epsilon: f32,
    group: usize,
) -> (Tensor<1>, Seen) {
    let channels = weights[0].dims()[0];
    let rows = x.dims()[0] / channels;
    let rest = rows % group.min(rows);
    let cut = rows - rest;
    if rest == 0 {
        return normalise_equal(x, weights, shortcut, epsilon, rows / group.min(rows));
    }
    let part = |from: usize, rows: usize, groups: usize| {
        let of = |tensor: &Tensor<1>| tensor.clone().narrow(0, from * channels, rows * channels);
        normalise_equal(of(&x), weights.clone(), shortcut.as_ref().map(of), epsilon, groups)
    };
    let ((y, seen), (last, seen_last)) = (part(0, cut, cut / group), part(cut, rest, 1));
    let share = rest as f64 / rows as f64;
    let joined = |all: Tensor<1>, last: Tensor<1>| all * (1.0 - share) + last * share;
    let seen = Seen { mean: joined(seen.mean, seen_last.mean), variance: joined(seen.variance, seen_last.variance) };
    (Tensor::cat(vec![y, last], 0), seen)
}

/// The same for groups of equal size.
fn normalise_equal(
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
    let seen = Seen { mean: over_groups(mean), variance: over_groups(variance) * unbiased(rows) };
    (activated(y, shortcut), seen)
}

/// By what a biased variance of so many rows is multiplied to be unbiased.
pub(crate) fn unbiased(rows: usize) -> f64 {
    rows as f64 / (rows as f64 - 1.0).max(1.0)
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
pub(crate) fn recur_lstm(gates: Tensor<4>, recurrent: Tensor<3>, precision: Precision) -> Tensor<4> {
    let recurrent = factor(recurrent, precision);
    let [directions, steps, examples, width] = gates.dims();
    let hidden = width / 4;
    let mut output = Tensor::<3>::zeros([directions, examples, hidden], &gates.device());
    let mut cell = output.clone();
    let mut outputs = Vec::with_capacity(steps);
    for step in 0..steps {
        let fresh: Tensor<3> = gates.clone().narrow(1, step, 1).squeeze_dim(1);
        let gate = fresh + product(factor(output, precision).matmul(recurrent.clone()), precision);
        let part = |index: usize| gate.clone().narrow(2, index * hidden, hidden);
        let (input, forget) = (activation::sigmoid(part(0)), activation::sigmoid(part(1) + 1.0));
        cell = forget * cell + input * part(3).tanh();
        output = activation::sigmoid(part(2)) * cell.clone().tanh();
        outputs.push(output.clone());
    }
    Tensor::stack(outputs, 1)
}

/// See [`super::cpu::recur_gru`].
pub(crate) fn recur_gru(gates: Tensor<4>, recurrent: Tensor<3>, bias: Tensor<3>, precision: Precision) -> Tensor<4> {
    let recurrent = factor(recurrent, precision);
    let [directions, steps, examples, width] = gates.dims();
    let hidden = width / 3;
    let mut output = Tensor::<3>::zeros([directions, examples, hidden], &gates.device());
    let mut outputs = Vec::with_capacity(steps);
    for step in 0..steps {
        let fresh: Tensor<3> = gates.clone().narrow(1, step, 1).squeeze_dim(1);
        let products = product(factor(output.clone(), precision).matmul(recurrent.clone()), precision);
        let part = |tensor: &Tensor<3>, index: usize| tensor.clone().narrow(2, index * hidden, hidden);
        let reset = activation::sigmoid(part(&fresh, 0) + part(&products, 0));
        let update = activation::sigmoid(part(&fresh, 1) + part(&products, 1));
        let candidate = (part(&fresh, 2) + reset * (part(&products, 2) + bias.clone())).tanh();
        output = (update.clone() * -1.0 + 1.0) * candidate + update * output;
        outputs.push(output.clone());
    }
    Tensor::stack(outputs, 1)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::neural::weights::vector;

    #[test]
    fn each_shard_is_normalised_by_its_own_rows_even_if_the_last_has_fewer() {
        let (channels, sizes, device) = (3, [4, 4, 2], Device::flex());
        let rows: usize = sizes.iter().sum();
        let random = |len: usize, seed: u8| {
            vector((0..len).map(|n| (n as f32 * 1.7 + f32::from(seed)).sin()).collect(), &device)
        };
        let (x, shortcut) = (random(rows * channels, 1), random(rows * channels, 2));
        let weights = [random(channels, 3), random(channels, 4)];
        let (y, seen) = normalise(x.clone(), weights.clone(), Some(shortcut.clone()), 1e-5, 4);
        let (mut from, mut parts, mut mean, mut variance) = (0, Vec::new(), 0.0, 0.0);
        for size in sizes {
            let of = |tensor: &Tensor<1>| tensor.clone().narrow(0, from * channels, size * channels);
            let (part, seen) = normalise(of(&x), weights.clone(), Some(of(&shortcut)), 1e-5, 4);
            let first = |tensor: Tensor<1>| tensor.try_into_vec_as::<f32>().expect("floats")[0];
            (mean, variance) = (
                mean + first(seen.mean) * size as f32 / rows as f32,
                variance + first(seen.variance) * size as f32 / rows as f32,
            );
            parts.push(part);
            from += size;
        }
        let numbers = |tensor: Tensor<1>| tensor.try_into_vec_as::<f32>().expect("floats");
        assert_eq!(numbers(y), numbers(Tensor::cat(parts, 0)));
        assert!((numbers(seen.mean)[0] - mean).abs() < 1e-6 && (numbers(seen.variance)[0] - variance).abs() < 1e-6);
    }
}
