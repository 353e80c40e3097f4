//! The functions that networks are made of. On the processor they are our own loops ([`super::cpu`]), and elsewhere the library's
//! operations ([`super::portable`]). Networks do not know which. A [`Precision`] is that of the products; on the processor, it is 32 bits.

use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use super::portable::Seen;
use super::recipe::Precision;
use super::weights::vector;
use super::{cpu, portable};

/// Whether a tensor is where our own loops compute.
fn is_on_processor<const D: usize>(x: &Tensor<D>) -> bool {
    has_own_loops(&x.device())
}

/// Whether our own loops compute on a device. Everywhere else, the library's operations do.
pub(super) fn has_own_loops(device: &Device) -> bool {
    #[cfg(test)]
    if testing::is_any_device() {
        return false;
    }
    *device == Device::flex()
}

/// `x W + b`. `x` is `rows x inputs`, `W` is `inputs x outputs`, `b` has `outputs` numbers, and the result is `rows x outputs`. All are
/// flat.
pub(crate) fn linear(x: Tensor<1>, weight: Tensor<1>, bias: Tensor<1>, precision: Precision) -> Tensor<1> {
    if is_on_processor(&x) { cpu::linear(x, weight, bias) } else { portable::linear(x, weight, bias, precision) }
}

/// Convolves `examples x height x width x inputs` with a kernel of `3 x 3 x inputs x outputs`. The result is `examples x height' x
/// width' x outputs`. The border is padded with zeros, and each side is divided by `stride` and rounded up.
pub(crate) fn convolve(x: Tensor<4>, kernel: Tensor<4>, stride: usize, precision: Precision) -> Tensor<4> {
    if is_on_processor(&x) {
        cpu::convolve(x, kernel, stride)
    } else {
        portable::convolve(x, kernel, stride, precision)
    }
}

/// Scales every row of `x` to mean 0 and variance 1, then multiplies it by `scale` and adds `shift`. `x` is `rows x width` and flat.
pub(crate) fn layer_norm(x: Tensor<1>, scale: Tensor<1>, shift: Tensor<1>, epsilon: f32) -> Tensor<1> {
    if is_on_processor(&x) {
        cpu::layer_norm(x, scale, shift, epsilon)
    } else {
        portable::layer_norm(x, scale, shift, epsilon)
    }
}

/// `x Φ(x)`, where `Φ` is the distribution function of the standard normal distribution (Hendrycks and Gimpel 2016).
pub(crate) fn gelu(x: Tensor<1>) -> Tensor<1> {
    if is_on_processor(&x) { cpu::gelu(x) } else { portable::gelu(x) }
}

/// Each number becomes zero with probability `rate`, and the others are scaled up. The random numbers are those of `noise` on the
/// processor, and those of the device elsewhere.
pub(crate) fn dropout(x: Tensor<1>, rate: f64, noise: &mut ChaCha8Rng) -> Tensor<1> {
    if is_on_processor(&x) { cpu::dropout(x, rate, noise) } else { portable::dropout(x, rate) }
}

/// `softmax(Q Kᵗ / sqrt(depth)) V` for each head. Query, key and value are `examples x tokens x width`, and each head has a block of
/// columns. `lengths` says how many tokens of each example, from the first on, attend and are attended to. The outputs of the other
/// tokens are zero.
pub(crate) fn attend(inputs: [Tensor<3>; 3], heads: usize, lengths: &[usize], precision: Precision) -> Tensor<3> {
    if is_on_processor(&inputs[0]) {
        cpu::attend(inputs, heads, lengths)
    } else {
        portable::attend(inputs, heads, lengths, precision)
    }
}

/// `relu(scale * (x - mean) / sqrt(variance + epsilon) + shift + shortcut)` over rows of channels, and the mean and the unbiased variance
/// that were seen. `x` and `shortcut` are `rows x channels` and flat. Each `group` rows that follow each other have their own mean and
/// variance; on the processor, there is one group.
pub(crate) fn normalise(
    x: Tensor<1>,
    [scale, shift]: [Tensor<1>; 2],
    shortcut: Option<Tensor<1>>,
    epsilon: f32,
    group: usize,
) -> (Tensor<1>, Seen) {
    if !is_on_processor(&x) {
        return portable::normalise(x, [scale, shift], shortcut, epsilon, group);
    }
    let (y, seen) = cpu::normalise(x, scale, shift, shortcut, epsilon);
    let [mean, variance] = [seen.mean, seen.variance].map(|values| vector(values, &Device::flex()));
    (y, Seen { mean, variance: variance * portable::unbiased(group) })
}

/// The same for a prediction, with a given mean and variance.
pub(crate) fn standardise(x: Tensor<1>, given: [Tensor<1>; 4], shortcut: Option<Tensor<1>>, epsilon: f32) -> Tensor<1> {
    if is_on_processor(&x) {
        cpu::standardise(x, given, shortcut, epsilon)
    } else {
        portable::standardise(x, given, shortcut, epsilon)
    }
}

/// The outputs of an LSTM, `directions x steps x examples x hidden` (Hochreiter and Schmidhuber 1997). They are computed from the part of
/// the gates that comes from the inputs, `directions x steps x examples x 4 * hidden`, and from the recurrent weights, `directions x
/// hidden x 4 * hidden`. The gates are in the order input, forget, output, candidate. Memory and output start at zero.
///
/// One is added to the forget gates, which keeps early memory (Gers et al. 2000; Jozefowicz et al. 2015).
pub(crate) fn recur_lstm(gates: Tensor<4>, recurrent: Tensor<3>, precision: Precision) -> Tensor<4> {
    if is_on_processor(&gates) {
        cpu::recur_lstm(gates, recurrent)
    } else {
        portable::recur_lstm(gates, recurrent, precision)
    }
}

/// The outputs of gated recurrent units; see [`cpu::recur_gru`] for the equations.
pub(crate) fn recur_gru(gates: Tensor<4>, recurrent: Tensor<3>, bias: Tensor<3>, precision: Precision) -> Tensor<4> {
    if is_on_processor(&gates) {
        cpu::recur_gru(gates, recurrent, bias)
    } else {
        portable::recur_gru(gates, recurrent, bias, precision)
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! Lets a test compute on the processor as on any other device.

    use std::cell::Cell;

    thread_local! {
        static ANY_DEVICE: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn is_any_device() -> bool {
        ANY_DEVICE.get()
    }

    /// What `compute` gives if this thread's tensors are taken for those of another device.
    pub(crate) fn as_on_any_device<T>(compute: impl FnOnce() -> T) -> T {
        ANY_DEVICE.set(true);
        let computed = compute();
        ANY_DEVICE.set(false);
        computed
    }
}
