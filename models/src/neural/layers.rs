//! The layers that networks share, and the pass that carries weights, random numbers and statistics through them.

pub(crate) use burn::tensor::activation::relu;
use burn::tensor::activation::softmax;
use burn::tensor::{Int, Tensor, module};
use rand_chacha::ChaCha8Rng;

use super::functions::{attend, convolve, dropout, layer_norm, normalise, standardise};
pub(crate) use super::functions::{gelu, linear, recur_gru, recur_lstm};
use super::portable::unbiased;
use super::recipe::Precision;
use super::weights::{Init, Leaves, Weight, WeightLayout};

/// Keeps a variance above zero. It is PyTorch's value for both normalisations.
const EPSILON: f32 = 1e-5;

/// One pass through a network.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    weights: &'a Leaves,
    buffers: &'a Leaves,
    /// The random numbers of dropout. `None` in a prediction.
    noise: Option<ChaCha8Rng>,
    /// The numbers of the products.
    precision: Precision,
    /// How many examples have statistics of batch normalisation of their own; all of the batch if it is none.
    shard: Option<usize>,
    /// The statistics of batch normalisation, in the order of the buffers' layout.
    statistics: Vec<Tensor<1>>,
    /// The attention of each block so far, `heads x tokens x tokens`. `None` if it is not asked for.
    attention: Option<Vec<Tensor<3>>>,
}

impl<'a> Pass<'a> {
    /// A pass for training if there is `noise`, or else for a prediction.
    pub(crate) fn new(weights: &'a Leaves, buffers: &'a Leaves, noise: Option<ChaCha8Rng>) -> Pass<'a> {
        Pass {
            weights,
            buffers,
            noise,
            precision: Precision::F32,
            shard: None,
            statistics: Vec::new(),
            attention: None,
        }
    }

    /// A pass for training over a batch whose shards have so many examples each; the last one may have fewer.
    pub(crate) fn of_shards(weights: &'a Leaves, buffers: &'a Leaves, noise: ChaCha8Rng, shard: usize) -> Pass<'a> {
        Pass { shard: Some(shard), ..Pass::new(weights, buffers, Some(noise)) }
    }

    /// The same pass with products in this precision.
    pub(crate) fn in_precision(self, precision: Precision) -> Pass<'a> {
        Pass { precision, ..self }
    }

    /// The numbers of the products.
    pub(crate) fn precision(&self) -> Precision {
        self.precision
    }

    /// A pass for the prediction of one example that keeps the attention of each block.
    pub(crate) fn attentive(weights: &'a Leaves, buffers: &'a Leaves) -> Pass<'a> {
        Pass { attention: Some(Vec::new()), ..Pass::new(weights, buffers, None) }
    }

    /// A weight of the network.
    pub(crate) fn weight<const D: usize>(&self, weight: Weight) -> Tensor<D> {
        self.weights.get(weight)
    }

    /// The statistics of batch normalisation, in the order of the buffers' layout.
    pub(crate) fn into_statistics(self) -> Vec<Tensor<1>> {
        self.statistics
    }

    /// The attention of each block, `heads x tokens x tokens`, of an [attentive](Pass::attentive) pass.
    pub(crate) fn into_attention(self) -> Vec<Tensor<3>> {
        self.attention.unwrap_or_default()
    }

    /// Attention of all heads. `inputs` are query, key and value, `examples x tokens x width`, and `lengths` says how many tokens
    /// each example has.
    pub(crate) fn attend(&mut self, inputs: [Tensor<3>; 3], heads: usize, lengths: &[usize]) -> Tensor<3> {
        if let Some(seen) = &mut self.attention {
            seen.push(attention_weights(&inputs[0], &inputs[1], heads));
        }
        attend(inputs, heads, lengths, self.precision)
    }

    /// In training, drops each number with probability `rate` and scales the others up (Srivastava et al. 2014).
    pub(crate) fn dropout<const D: usize>(&mut self, x: Tensor<D>, rate: f64) -> Tensor<D> {
        let Some(noise) = self.noise.as_mut().filter(|_| rate > 0.0) else { return x };
        let shape = x.dims();
        dropout(x.flatten(0, D - 1), rate, noise).reshape(shape)
    }
}

/// The attention weights of the only example of a batch, `heads x tokens x tokens`: the softmax of `Q Kᵗ / sqrt(depth)` of each
/// head. `attend` keeps them to itself, because a prediction does not need them.
fn attention_weights(query: &Tensor<3>, key: &Tensor<3>, heads: usize) -> Tensor<3> {
    let [_, tokens, width] = query.dims();
    let depth = width / heads;
    let of_heads = |x: &Tensor<3>| x.clone().narrow(0, 0, 1).reshape([tokens, heads, depth]).swap_dims(0, 1);
    let scores = of_heads(query).matmul(of_heads(key).swap_dims(1, 2)) / (depth as f64).sqrt();
    softmax(scores, 2)
}

/// A matrix product with a bias.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linear {
    matrix: Matrix,
    bias: Weight,
}

/// A matrix, or two whose product it is.
#[derive(Debug, Clone, Copy)]
enum Matrix {
    Whole(Weight),
    Factors { left: Weight, right: Weight },
}

impl Matrix {
    /// Declares `{name}.weight`, `inputs x outputs`; or `{name}.left`, `inputs x rank`, and `{name}.right`, `rank x outputs`, if
    /// the layout wants a lower rank.
    fn new(layout: &mut WeightLayout, name: &str, inputs: usize, outputs: usize, init: Init) -> Matrix {
        match layout.reduction().rank(inputs, outputs) {
            None => Matrix::Whole(layout.matrix(format!("{name}.weight"), &[inputs, outputs], init)),
            Some(rank) => Matrix::Factors {
                left: layout.matrix(format!("{name}.left"), &[inputs, rank], init),
                right: layout.matrix(format!("{name}.right"), &[rank, outputs], init),
            },
        }
    }
}

impl Linear {
    /// Declares `{name}.weight`, `inputs x outputs`, and `{name}.bias`. If the layout wants a lower rank, `{name}.left` and
    /// `{name}.right` are in place of the weight.
    pub(crate) fn new(layout: &mut WeightLayout, name: &str, inputs: usize, outputs: usize, init: Init) -> Linear {
        Linear {
            matrix: Matrix::new(layout, name, inputs, outputs, init),
            bias: layout.free(format!("{name}.bias"), &[outputs], Init::Constant(0.0)),
        }
    }

    /// The last layer of a network, which is never of a lower rank: it is small, and each class needs its own direction.
    pub(crate) fn head(layout: &mut WeightLayout, name: &str, inputs: usize, outputs: usize, init: Init) -> Linear {
        Linear {
            matrix: Matrix::Whole(layout.matrix(format!("{name}.weight"), &[inputs, outputs], init)),
            bias: layout.free(format!("{name}.bias"), &[outputs], Init::Constant(0.0)),
        }
    }

    /// `x W + b` over the last dimension.
    pub(crate) fn forward<const D: usize>(&self, x: Tensor<D>, pass: &Pass<'_>) -> Tensor<D> {
        let mut shape = x.dims();
        let bias: Tensor<1> = pass.weight(self.bias);
        shape[D - 1] = bias.dims()[0];
        let x = x.flatten(0, D - 1);
        let (x, last) = match self.matrix {
            Matrix::Whole(weight) => (x, weight),
            Matrix::Factors { left, right } => (times(x, pass.weight(left), pass), right),
        };
        let weight: Tensor<2> = pass.weight(last);
        linear(x, weight.flatten(0, 1), bias, pass.precision).reshape(shape)
    }
}

/// `x W` for flat rows.
fn times(x: Tensor<1>, weight: Tensor<2>, pass: &Pass<'_>) -> Tensor<1> {
    let [_, outputs] = weight.dims();
    let nothing = Tensor::zeros([outputs], &x.device());
    linear(x, weight.flatten(0, 1), nothing, pass.precision)
}

/// A vector for each word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Embedding(Weight);

impl Embedding {
    /// Declares `words`, `vocabulary x width`.
    pub(crate) fn new(layout: &mut WeightLayout, vocabulary: usize, width: usize) -> Embedding {
        Embedding(layout.free("words", &[vocabulary, width], Init::Uniform(0.1)))
    }

    /// `examples x tokens` token numbers to `examples x tokens x width` vectors.
    pub(crate) fn forward(self, ids: Tensor<2, Int>, pass: &Pass<'_>) -> Tensor<3> {
        module::embedding(pass.weight(self.0), ids)
    }
}

/// A 3 x 3 convolution without bias. The border is padded with zeros.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conv(Matrix);

impl Conv {
    /// Declares `{name}.weight`, `3 x 3 x inputs x outputs`. If the layout wants a lower rank, `{name}.left` has `3 x 3 x inputs x
    /// rank` numbers, and `{name}.right` combines its channels (Zhang et al. 2016, "Accelerating very deep convolutional networks",
    /// section 3.1).
    pub(crate) fn new(layout: &mut WeightLayout, name: &str, inputs: usize, outputs: usize) -> Conv {
        let init = Init::he(9 * inputs);
        Conv(match layout.reduction().rank(9 * inputs, outputs) {
            None => Matrix::Whole(layout.matrix(format!("{name}.weight"), &[3, 3, inputs, outputs], init)),
            Some(rank) => Matrix::Factors {
                left: layout.matrix(format!("{name}.left"), &[3, 3, inputs, rank], init),
                right: layout.matrix(format!("{name}.right"), &[rank, outputs], init),
            },
        })
    }

    /// `examples x height x width x inputs` to `... x outputs`. Each side is divided by `stride` and rounded up.
    pub(crate) fn forward(self, x: Tensor<4>, stride: usize, pass: &Pass<'_>) -> Tensor<4> {
        match self.0 {
            Matrix::Whole(weight) => convolve(x, pass.weight(weight), stride, pass.precision),
            Matrix::Factors { left, right } => {
                let x = convolve(x, pass.weight(left), stride, pass.precision);
                let right: Tensor<2> = pass.weight(right);
                let [examples, height, width, _] = x.dims();
                let outputs = right.dims()[1];
                times(x.flatten(0, 3), right, pass).reshape([examples, height, width, outputs])
            }
        }
    }
}

/// Layer normalisation over the last dimension (Ba et al. 2016).
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerNorm {
    scale: Weight,
    shift: Weight,
    epsilon: f32,
}

impl LayerNorm {
    /// Declares `{name}.weight` and `{name}.bias`.
    pub(crate) fn new(layout: &mut WeightLayout, name: &str, width: usize) -> LayerNorm {
        LayerNorm::with_epsilon(layout, name, width, EPSILON)
    }

    /// The same with another number that keeps the variance above zero.
    pub(crate) fn with_epsilon(layout: &mut WeightLayout, name: &str, width: usize, epsilon: f32) -> LayerNorm {
        LayerNorm {
            scale: layout.free(format!("{name}.weight"), &[width], Init::Constant(1.0)),
            shift: layout.free(format!("{name}.bias"), &[width], Init::Constant(0.0)),
            epsilon,
        }
    }

    /// Scales every last dimension of `x` to mean 0 and variance 1, then multiplies by the weight and adds the bias.
    pub(crate) fn forward<const D: usize>(&self, x: Tensor<D>, pass: &Pass<'_>) -> Tensor<D> {
        let shape = x.dims();
        let rows = x.flatten(0, D - 1);
        layer_norm(rows, pass.weight(self.scale), pass.weight(self.shift), self.epsilon).reshape(shape)
    }
}

/// Batch normalisation over all but the last dimension (Ioffe and Szegedy 2015).
///
/// In training, the statistics are those of the shard ("ghost batch", Hoffer et al. 2017). So they depend on the size
/// of a shard, which is a parameter, and not on the number of threads.
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
    pub(crate) fn new(layout: &mut WeightLayout, buffers: &mut WeightLayout, name: &str, channels: usize) -> BatchNorm {
        BatchNorm {
            scale: layout.free(format!("{name}.weight"), &[channels], Init::Constant(1.0)),
            shift: layout.free(format!("{name}.bias"), &[channels], Init::Constant(0.0)),
            mean: buffers.free(format!("{name}.running_mean"), &[channels], Init::Constant(0.0)),
            variance: buffers.free(format!("{name}.running_var"), &[channels], Init::Constant(1.0)),
        }
    }

    /// The same over rows of features, `rows x channels`, without a ReLU. Networks that use it compute on the processor, where a pass is
    /// of one shard.
    pub(crate) fn forward(&self, x: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<2> {
        let [scale, shift] = [self.scale, self.shift].map(|weight| pass.weight::<1>(weight).unsqueeze_dim::<2>(0));
        let epsilon = f64::from(EPSILON);
        if pass.noise.is_none() {
            let given = [self.mean, self.variance].map(|buffer| pass.buffers.get::<1>(buffer).unsqueeze_dim::<2>(0));
            let [mean, variance] = given;
            return (x - mean) / (variance + epsilon).sqrt() * scale + shift;
        }
        let rows = x.dims()[0];
        let mean = x.clone().mean_dim(0);
        let centred = x - mean.clone();
        let variance = centred.clone().square().mean_dim(0);
        // Predictions use the unbiased estimate of the variance.
        let seen = [mean.inner(), variance.clone().inner() * unbiased(rows)].map(|tensor| tensor.squeeze_dim(0));
        pass.statistics.extend(seen);
        centred / (variance + epsilon).sqrt() * scale + shift
    }

    /// `relu(norm(x) + shortcut)`. `norm` scales every channel of `x`, `... x channels`, to mean 0 and variance 1, then
    /// multiplies by the weight and adds the bias.
    pub(crate) fn relu(&self, x: Tensor<4>, shortcut: Option<Tensor<4>>, pass: &mut Pass<'_>) -> Tensor<4> {
        let (scale, shift): (Tensor<1>, Tensor<1>) = (pass.weight(self.scale), pass.weight(self.shift));
        let shape = x.dims();
        let (x, shortcut) = (x.flatten(0, 3), shortcut.map(|shortcut| shortcut.flatten(0, 3)));
        if pass.noise.is_none() {
            let (mean, variance) = (pass.buffers.get(self.mean), pass.buffers.get(self.variance));
            return standardise(x, [scale, shift, mean, variance], shortcut, EPSILON).reshape(shape);
        }
        let group = pass.shard.unwrap_or(shape[0]) * shape[1] * shape[2];
        let (y, seen) = normalise(x, [scale, shift], shortcut, EPSILON, group);
        // Predictions use the unbiased estimate of the variance.
        pass.statistics.extend([seen.mean, seen.variance]);
        y.reshape(shape)
    }
}

/// The mean over the tokens that are not padding. `x` is `examples x tokens x width`, and `mask` is
/// `examples x tokens`.
pub(crate) fn masked_mean(x: Tensor<3>, mask: Tensor<2>) -> Tensor<2> {
    let count = mask.clone().sum_dim(1);
    (x * mask.unsqueeze_dim(2)).sum_dim(1).squeeze_dim::<2>(1) / count
}

/// The largest value over the tokens that are not padding. The shapes are those of [`masked_mean`].
pub(crate) fn masked_max(x: Tensor<3>, mask: Tensor<2>) -> Tensor<2> {
    (x + ((mask - 1.0) * 1e9).unsqueeze_dim(2)).max_dim(1).squeeze_dim(1)
}

/// The vector of the last token that is not padding. The shapes are those of [`masked_mean`].
pub(crate) fn masked_last(x: Tensor<3>, mask: Tensor<2>) -> Tensor<2> {
    let [examples, tokens] = mask.dims();
    let longer = Tensor::cat(vec![mask.clone(), Tensor::zeros([examples, 1], &x.device())], 1);
    let after = longer.narrow(1, 1, tokens);
    (x * (mask - after).unsqueeze_dim(2)).sum_dim(1).squeeze_dim(1)
}

/// The comparison of the two vectors of each pair, `[u, v, |u - v|, u * v]` (Conneau et al. 2017, section 3.1). `x` is
/// `2 examples x width`, with all first vectors before all second ones. The result is `examples x (4 width)`.
pub(crate) fn compare(x: Tensor<2>) -> Tensor<2> {
    let half = x.dims()[0] / 2;
    let (u, v) = (x.clone().narrow(0, 0, half), x.narrow(0, half, half));
    let (apart, together) = ((u.clone() - v.clone()).abs(), u.clone() * v.clone());
    Tensor::cat(vec![u, v, apart, together], 1)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn the_last_token_is_the_one_before_the_padding() {
        let tensor = |values: Vec<f32>, shape: Vec<usize>| TensorData::new(values, shape);
        // Three tokens of width two, of which the second text has one.
        let x: Vec<f32> = (0..12).map(|value| value as f32).collect();
        let x = Tensor::<3>::from_data(tensor(x, vec![2, 3, 2]), &Device::flex());
        let mask = tensor(vec![1.0, 1.0, 1.0, 1.0, 0.0, 0.0], vec![2, 3]);
        let last = masked_last(x.clone(), Tensor::from_data(mask, &Device::flex()));
        assert_eq!(last.try_into_vec_as::<f32>().expect("floats"), [4.0, 5.0, 6.0, 7.0]);
        let single = masked_last(x.narrow(1, 0, 1), Tensor::ones([2, 1], &Device::flex()));
        assert_eq!(single.try_into_vec_as::<f32>().expect("floats"), [0.0, 1.0, 6.0, 7.0]);
    }

    #[test]
    fn the_attention_that_is_shown_is_the_one_that_predictions_use() {
        let [tokens, width, heads] = [3, 4, 2];
        let part = |from: usize| {
            let values: Vec<f32> = (0..tokens * width).map(|at| ((at * 7 + from) % 11) as f32 / 5.0 - 1.0).collect();
            Tensor::<3>::from_data(TensorData::new(values, [1, tokens, width]), &Device::flex())
        };
        let [query, key, value] = [part(0), part(3), part(5)];
        let weights = attention_weights(&query, &key, heads);
        assert_eq!(weights.dims(), [heads, tokens, tokens]);
        let values = value.clone().reshape([tokens, heads, width / heads]).swap_dims(0, 1);
        let attended = weights.matmul(values).swap_dims(0, 1).reshape([tokens, width]);
        let found = attended.try_into_vec_as::<f32>().expect("floats");
        let expected =
            attend([query, key, value], heads, &[tokens], Precision::F32).try_into_vec_as::<f32>().expect("floats");
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "{found} and {expected}");
        }
    }

    #[test]
    fn a_pair_is_compared_as_both_vectors_their_distance_and_their_product() {
        // The pairs (1, 3) and (2, -4), of width one.
        let x = Tensor::<2>::from_data(TensorData::new(vec![1.0_f32, 2.0, 3.0, -4.0], [4, 1]), &Device::flex());
        let compared = compare(x);
        assert_eq!(compared.dims(), [2, 4]);
        let values = compared.try_into_vec_as::<f32>().expect("floats");
        assert_eq!(values, [1.0, 3.0, 2.0, 3.0, 2.0, -4.0, 6.0, -8.0]);
    }
}
