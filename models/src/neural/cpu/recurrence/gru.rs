//! The recurrence of gated recurrent units (Cho et al. 2014), in the form that resets after the product, which PyTorch
//! and cuDNN have.

use std::ops::Range;

use burn::tensor::Tensor;

use super::prediction::{self, Cell};
use super::{MIN_EXAMPLES_TOGETHER, Recurrence};
use crate::neural::cpu::kernel::{FusedKernel, apply, evaluate};
use crate::neural::cpu::math::{sigmoid, tanh};
use crate::neural::cpu::product::{Right, ScatteredRows, consecutive, multiply, vectorised};

/// The outputs of gated recurrent units, `directions x steps x examples x hidden`. They are computed from the part of the
/// gates that comes from the inputs, `directions x steps x examples x 3 * hidden`, the recurrent weights,
/// `directions x hidden x 3 * hidden`, and a bias, `directions x 1 x hidden`. The gates are in the order reset, update,
/// candidate. The output starts at zero.
///
/// If `g` are the gates of the inputs, and `s` are the products of the old output `h` with the recurrent weights, then
/// `r = sigmoid(g_r + s_r)`, `z = sigmoid(g_z + s_z)`, `n = tanh(g_n + r (s_n + bias))`, and the new output is
/// `(1 - z) n + z h`.
pub(crate) fn recur_gru(gates: Tensor<4>, recurrent: Tensor<3>, bias: Tensor<3>) -> Tensor<4> {
    let [directions, steps, examples, width] = gates.dims();
    let hidden = width / 3;
    let shape = Recurrence { directions, steps, examples, hidden };
    let few = examples < MIN_EXAMPLES_TOGETHER && !gates.is_autodiff();
    let inputs = [gates.flatten(0, 3), recurrent.flatten(0, 2), bias.flatten(0, 2)];
    let outputs = if few {
        evaluate(inputs, |[gates, recurrent, bias]| {
            prediction::outputs(&shape, &GruCell { bias, hidden }, gates, recurrent)
        })
    } else {
        apply(Gru(shape), inputs).0
    };
    outputs.reshape([directions, steps, examples, hidden])
}

#[derive(Debug, Clone, Copy)]
struct Gru(Recurrence);

/// The new output of one example. `sums` has the products with the recurrent weights, and the bias in the candidate's
/// part. Leaves the activated gates `r` and `z` in their parts of it.
#[inline(always)]
fn advance(gates: &[f32], sums: &mut [f32], old: Option<&[f32]>, output: &mut [f32]) {
    let hidden = output.len();
    // All slices have the same length, so that the loops need no bounds checks.
    let (resets, rest) = sums.split_at_mut(hidden);
    let (updates, candidates) = rest.split_at_mut(hidden);
    for (sum, gate) in resets.iter_mut().zip(&gates[..hidden]) {
        *sum = sigmoid(*sum + gate);
    }
    for (sum, gate) in updates.iter_mut().zip(&gates[hidden..2 * hidden]) {
        *sum = sigmoid(*sum + gate);
    }
    let units = output.iter_mut().zip(&gates[2 * hidden..]).zip(&*resets).zip(&*updates).zip(&*candidates);
    for ((((output, gate), reset), update), candidate) in units {
        *output = (1.0 - update) * tanh(gate + reset * candidate);
    }
    if let Some(old) = old {
        for ((output, update), old) in output.iter_mut().zip(&*updates).zip(old) {
            *output += update * old;
        }
    }
}

/// The gradient of one example at one step. `sums` is what [`advance`] left, and `to_output` the gradient with respect to
/// the new output. Leaves the gradient of the gates in `to_gates`, that of the products in `sums`, and in `to_output` the
/// part of the gradient of the old output that does not go through the products.
#[inline(always)]
fn retreat(gates: &[f32], sums: &mut [f32], old: Option<&[f32]>, to_gates: &mut [f32], to_output: &mut [f32]) {
    let hidden = to_output.len();
    let (resets, rest) = sums.split_at_mut(hidden);
    let (updates, candidates) = rest.split_at_mut(hidden);
    let candidates = &mut candidates[..hidden];
    let (to_reset, rest) = to_gates.split_at_mut(hidden);
    let (to_update, to_candidate) = rest.split_at_mut(hidden);
    let (to_candidate, gates) = (&mut to_candidate[..hidden], &gates[2 * hidden..][..hidden]);
    for at in 0..hidden {
        let (reset, update, sum) = (resets[at], updates[at], candidates[at]);
        let candidate = tanh(gates[at] + reset * sum);
        let total = to_output[at];
        to_candidate[at] = total * (1.0 - update) * (1.0 - candidate * candidate);
        to_reset[at] = to_candidate[at] * sum * reset * (1.0 - reset);
        // The old output is added to this below.
        to_update[at] = -candidate;
        candidates[at] = to_candidate[at] * reset;
    }
    if let Some(old) = old {
        to_update.iter_mut().zip(old).for_each(|(to_update, old)| *to_update += old);
    }
    for at in 0..hidden {
        let update = updates[at];
        to_update[at] *= to_output[at] * update * (1.0 - update);
        to_output[at] *= update;
    }
    resets.copy_from_slice(to_reset);
    updates.copy_from_slice(to_update);
}

impl FusedKernel<3> for Gru {
    /// Saves the sums as [`advance`] left them, then the outputs, each `directions x steps x examples x ...`.
    fn forward(&self, [gates, recurrent, bias]: [&[f32]; 3]) -> (Vec<f32>, Vec<f32>) {
        let Recurrence { directions, steps, examples, hidden } = self.0;
        let (step, wide) = (self.0.step(), 3 * hidden);
        let mut saved = Vec::with_capacity(directions * steps * step * 4);
        saved.resize(directions * steps * step * 3, 0.0);
        let mut outputs = vec![0.0; directions * steps * step];
        let starts = consecutive(examples, hidden);
        let weights: Vec<Right<'_>> =
            recurrent.chunks_exact(hidden * wide).map(|weights| Right::new(weights, wide, examples, steps)).collect();
        for index in 0..directions * steps {
            let (direction, first) = (index / steps, index % steps == 0);
            let sums = &mut saved[index * 3 * step..][..3 * step];
            for sums in sums.chunks_exact_mut(wide) {
                sums[2 * hidden..].copy_from_slice(&bias[direction * hidden..][..hidden]);
            }
            let (old_outputs, new_outputs) = outputs.split_at_mut(index * step);
            if !first {
                let values = &old_outputs[(index - 1) * step..];
                let old = ScatteredRows { values, starts: &starts, parts: 1, length: hidden };
                multiply(old, &weights[direction], sums);
            }
            vectorised(
                #[inline(always)]
                || {
                    for example in 0..examples {
                        let at = example * hidden;
                        let old = (!first).then(|| &old_outputs[(index - 1) * step + at..][..hidden]);
                        let gates = &gates[3 * (index * step + at)..][..wide];
                        advance(gates, &mut sums[3 * at..][..wide], old, &mut new_outputs[at..at + hidden]);
                    }
                },
            );
        }
        saved.extend(&outputs);
        (outputs, saved)
    }

    fn backward(&self, inputs: [&[f32]; 3], saved: &[f32], gradient: &[f32], _wanted: [bool; 3]) -> [Vec<f32>; 3] {
        let Recurrence { directions, steps, examples, hidden } = self.0;
        let (step, wide) = (self.0.step(), 3 * hidden);
        let [gates, recurrent, _] = inputs;
        let (sums, outputs) = saved.split_at(directions * steps * 3 * step);
        let (mut to_sums, mut to_gates) = (sums.to_vec(), vec![0.0; gates.len()]);
        let starts = consecutive(examples, wide);
        let weights: Vec<Right<'_>> =
            recurrent.chunks_exact(hidden * wide).map(|weights| Right::transposed(weights, hidden)).collect();
        let mut to_output = vec![0.0; step];
        for index in (0..directions * steps).rev() {
            let first = index % steps == 0;
            if index % steps == steps - 1 {
                to_output.fill(0.0);
            }
            let sums = &mut to_sums[index * 3 * step..][..3 * step];
            let to_gates = &mut to_gates[index * 3 * step..][..3 * step];
            vectorised(
                #[inline(always)]
                || {
                    for (sum, value) in to_output.iter_mut().zip(&gradient[index * step..][..step]) {
                        *sum += value;
                    }
                    for example in 0..examples {
                        let at = example * hidden;
                        let old = (!first).then(|| &outputs[(index - 1) * step + at..][..hidden]);
                        retreat(
                            &gates[3 * (index * step + at)..][..wide],
                            &mut sums[3 * at..][..wide],
                            old,
                            &mut to_gates[3 * at..][..wide],
                            &mut to_output[at..at + hidden],
                        );
                    }
                },
            );
            if !first {
                let sums = ScatteredRows { values: sums, starts: &starts, parts: 1, length: wide };
                multiply(sums, &weights[index / steps], &mut to_output);
            }
        }
        let to_recurrent = self.0.recurrent_gradient(outputs, &to_sums, wide);
        let mut to_bias = vec![0.0; directions * hidden];
        for (sums, to_bias) in to_sums.chunks_exact(steps * 3 * step).zip(to_bias.chunks_exact_mut(hidden)) {
            for sums in sums.chunks_exact(wide) {
                to_bias.iter_mut().zip(&sums[2 * hidden..]).for_each(|(sum, value)| *sum += value);
            }
        }
        [to_gates, to_recurrent, to_bias]
    }
}

/// The step of a prediction.
struct GruCell<'a> {
    /// `directions x hidden`.
    bias: &'a [f32],
    hidden: usize,
}

impl Cell for GruCell<'_> {
    const GATES: usize = 3;

    fn begin(&self, direction: usize, units: &Range<usize>, _gates: &[f32], sums: &mut [f32]) {
        let (gates, candidates) = sums.split_at_mut(2 * units.len());
        gates.fill(0.0);
        candidates.copy_from_slice(&self.bias[direction * self.hidden..][units.clone()]);
    }

    #[inline(always)]
    fn end(&self, gates: &[f32], sums: &mut [f32], old: Option<&[f32]>, memory: &mut [f32], output: &mut [f32]) {
        advance(gates, sums, old, output);
        memory.copy_from_slice(output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neural::cpu::kernel::testing::{assert_agree, noise};
    use crate::neural::portable;
    use crate::neural::recipe::Precision;

    const SIZE: [usize; 4] = [2, 5, 3, 4];

    fn shaped([gates, recurrent, bias]: [Tensor<1>; 3]) -> (Tensor<4>, Tensor<3>, Tensor<3>) {
        let [directions, steps, examples, hidden] = SIZE;
        let gates = gates.reshape([directions, steps, examples, 3 * hidden]);
        (gates, recurrent.reshape([directions, hidden, 3 * hidden]), bias.reshape([directions, 1, hidden]))
    }

    /// The library's operations.
    fn reference(leaves: [Tensor<1>; 3]) -> Tensor<1> {
        let (gates, recurrent, bias) = shaped(leaves);
        portable::recur_gru(gates, recurrent, bias, Precision::F32).flatten(0, 3)
    }

    #[test]
    fn value_and_gradients_are_those_of_the_equations() {
        let [directions, steps, examples, hidden] = SIZE;
        let gates = directions * steps * examples * 3 * hidden;
        let lengths = [gates, directions * hidden * 3 * hidden, directions * hidden];
        let kernel = |leaves: [Tensor<1>; 3]| {
            let (gates, recurrent, bias) = shaped(leaves);
            recur_gru(gates, recurrent, bias).flatten(0, 3)
        };
        assert_agree(lengths, 1e-5, kernel, reference);
    }

    #[test]
    fn neither_the_threads_nor_the_way_through_time_change_a_bit() {
        for (directions, steps, examples, hidden) in prediction::testing::SIZES {
            let shape = Recurrence { directions, steps, examples, hidden };
            let gates = noise(directions * steps * examples * 3 * hidden, 1);
            let recurrent: Vec<f32> = noise(directions * hidden * 3 * hidden, 2).iter().map(|w| w * 0.2).collect();
            let bias = noise(directions * hidden, 3);
            let (expected, _) = Gru(shape).forward([&gates, &recurrent, &bias]);
            let cell = GruCell { bias: &bias, hidden };
            prediction::testing::assert_same(&shape, &cell, &gates, &recurrent, &expected);
        }
    }
}
