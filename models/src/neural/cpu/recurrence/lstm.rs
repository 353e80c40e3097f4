//! The recurrence of an LSTM (Hochreiter and Schmidhuber 1997).

use std::ops::Range;

use burn::tensor::Tensor;

use super::prediction::{self, Cell};
use super::{MIN_EXAMPLES_TOGETHER, Recurrence};
use crate::neural::cpu::kernel::{FusedKernel, apply, evaluate};
use crate::neural::cpu::math::{sigmoid, tanh};
use crate::neural::cpu::product::{Right, ScatteredRows, consecutive, multiply, vectorised};

/// The outputs of an LSTM, `directions x steps x examples x hidden`. They are computed from the part of the gates that
/// comes from the inputs, `directions x steps x examples x 4 * hidden`, and from the recurrent weights,
/// `directions x hidden x 4 * hidden`. The gates are in the order input, forget, output, candidate. Memory and output
/// start at zero.
///
/// One is added to the forget gates, which keeps early memory (Gers et al. 2000; Jozefowicz et al. 2015).
pub(crate) fn recur_lstm(gates: Tensor<4>, recurrent: Tensor<3>) -> Tensor<4> {
    let [directions, steps, examples, width] = gates.dims();
    let hidden = width / 4;
    let shape = Recurrence { directions, steps, examples, hidden };
    let few = examples < MIN_EXAMPLES_TOGETHER && !gates.is_autodiff();
    let inputs = [gates.flatten(0, 3), recurrent.flatten(0, 2)];
    let outputs = if few {
        evaluate(inputs, |[gates, recurrent]| prediction::outputs(&shape, &LstmCell, gates, recurrent))
    } else {
        apply(Lstm(shape), inputs).0
    };
    outputs.reshape([directions, steps, examples, hidden])
}

#[derive(Debug, Clone, Copy)]
struct Lstm(Recurrence);

/// Activates the gates of one example in place, and computes the new memory and output.
#[inline(always)]
fn activate(gates: &mut [f32], old: Option<&[f32]>, cell: &mut [f32], output: &mut [f32]) {
    let hidden = cell.len();
    let (input, rest) = gates.split_at_mut(hidden);
    let (forget, rest) = rest.split_at_mut(hidden);
    let (out, candidate) = rest.split_at_mut(hidden);
    input.iter_mut().for_each(|gate| *gate = sigmoid(*gate));
    forget.iter_mut().for_each(|gate| *gate = sigmoid(*gate + 1.0));
    out.iter_mut().for_each(|gate| *gate = sigmoid(*gate));
    candidate.iter_mut().for_each(|gate| *gate = tanh(*gate));
    for ((cell, input), candidate) in cell.iter_mut().zip(&*input).zip(&*candidate) {
        *cell = input * candidate;
    }
    if let Some(old) = old {
        for ((cell, forget), old) in cell.iter_mut().zip(&*forget).zip(old) {
            *cell += forget * old;
        }
    }
    for ((output, out), cell) in output.iter_mut().zip(&*out).zip(&*cell) {
        *output = out * tanh(*cell);
    }
}

/// The gradient of one example at one step. `to_output` and `to_cell` are the gradients with respect to the output and,
/// from later steps, the memory. Leaves the gradient of the gates before activation in `gates`, and that of the old
/// memory in `to_cell`.
#[inline(always)]
fn deactivate(gates: &mut [f32], old: Option<&[f32]>, cell: &[f32], to_output: &[f32], to_cell: &mut [f32]) {
    let hidden = cell.len();
    // All slices have the same length, so that the loop needs no bounds checks.
    let (inputs, rest) = gates.split_at_mut(hidden);
    let (forgets, rest) = rest.split_at_mut(hidden);
    let (outs, rest) = rest.split_at_mut(hidden);
    let candidates = &mut rest[..hidden];
    let (to_output, to_cell) = (&to_output[..hidden], &mut to_cell[..hidden]);
    for at in 0..hidden {
        let (input, forget, out, candidate) = (inputs[at], forgets[at], outs[at], candidates[at]);
        let squashed = tanh(cell[at]);
        let total = to_cell[at] + to_output[at] * out * (1.0 - squashed * squashed);
        inputs[at] = total * candidate * input * (1.0 - input);
        // The factor of the old memory is multiplied in below.
        forgets[at] = total * forget * (1.0 - forget);
        outs[at] = to_output[at] * squashed * out * (1.0 - out);
        candidates[at] = total * input * (1.0 - candidate * candidate);
        to_cell[at] = total * forget;
    }
    match old {
        Some(old) => forgets.iter_mut().zip(old).for_each(|(forget, old)| *forget *= old),
        None => forgets.fill(0.0),
    }
}

impl FusedKernel<2> for Lstm {
    /// Saves activated gates, then memory, then outputs, each `directions x steps x examples x ...`.
    fn forward(&self, [gates, recurrent]: [&[f32]; 2]) -> (Vec<f32>, Vec<f32>) {
        let Recurrence { directions, steps, examples, hidden } = self.0;
        let (step, wide) = (examples * hidden, 4 * hidden);
        let mut active = Vec::with_capacity(directions * steps * step * 6);
        active.extend(gates);
        let mut cells = vec![0.0; directions * steps * step];
        let mut outputs = vec![0.0; directions * steps * step];
        let starts = consecutive(examples, hidden);
        let weights: Vec<Right<'_>> =
            recurrent.chunks_exact(hidden * wide).map(|weights| Right::new(weights, wide, examples, steps)).collect();
        for index in 0..directions * steps {
            let first = index % steps == 0;
            let gates = &mut active[index * 4 * step..][..4 * step];
            let (old_cells, new_cells) = cells.split_at_mut(index * step);
            let (old_outputs, new_outputs) = outputs.split_at_mut(index * step);
            if !first {
                let values = &old_outputs[(index - 1) * step..];
                let old = ScatteredRows { values, starts: &starts, parts: 1, length: hidden };
                multiply(old, &weights[index / steps], gates);
            }
            vectorised(
                #[inline(always)]
                || {
                    for example in 0..examples {
                        let at = example * hidden;
                        let old = (!first).then(|| &old_cells[(index - 1) * step + at..][..hidden]);
                        let (cell, output) = (&mut new_cells[at..at + hidden], &mut new_outputs[at..at + hidden]);
                        activate(&mut gates[4 * at..4 * (at + hidden)], old, cell, output);
                    }
                },
            );
        }
        active.extend(cells);
        active.extend(&outputs);
        (outputs, active)
    }

    fn backward(&self, inputs: [&[f32]; 2], saved: &[f32], gradient: &[f32], _wanted: [bool; 2]) -> [Vec<f32>; 2] {
        let Recurrence { directions, steps, examples, hidden } = self.0;
        let (step, wide) = (examples * hidden, 4 * hidden);
        let [_, recurrent] = inputs;
        let (active, rest) = saved.split_at(directions * steps * 4 * step);
        let (cells, outputs) = rest.split_at(directions * steps * step);
        let mut to_gates = active.to_vec();
        let starts = consecutive(examples, wide);
        let weights: Vec<Right<'_>> =
            recurrent.chunks_exact(hidden * wide).map(|weights| Right::transposed(weights, hidden)).collect();
        let (mut to_cell, mut to_output) = (vec![0.0; step], vec![0.0; step]);
        for index in (0..directions * steps).rev() {
            let first = index % steps == 0;
            if index % steps == steps - 1 {
                to_cell.fill(0.0);
                to_output.fill(0.0);
            }
            let gates = &mut to_gates[index * 4 * step..][..4 * step];
            vectorised(
                #[inline(always)]
                || {
                    for (sum, value) in to_output.iter_mut().zip(&gradient[index * step..][..step]) {
                        *sum += value;
                    }
                    for example in 0..examples {
                        let at = example * hidden;
                        let old = (!first).then(|| &cells[(index - 1) * step + at..][..hidden]);
                        let cell = &cells[index * step + at..][..hidden];
                        let range = at..at + hidden;
                        deactivate(
                            &mut gates[4 * at..][..wide],
                            old,
                            cell,
                            &to_output[range.clone()],
                            &mut to_cell[range],
                        );
                    }
                },
            );
            if !first {
                to_output.fill(0.0);
                let gates = ScatteredRows { values: gates, starts: &starts, parts: 1, length: wide };
                multiply(gates, &weights[index / steps], &mut to_output);
            }
        }
        let to_recurrent = self.0.recurrent_gradient(outputs, &to_gates, wide);
        [to_gates, to_recurrent]
    }
}

/// The step of a prediction.
struct LstmCell;

impl Cell for LstmCell {
    const GATES: usize = 4;

    fn begin(&self, _direction: usize, _units: &Range<usize>, gates: &[f32], sums: &mut [f32]) {
        sums.copy_from_slice(gates);
    }

    #[inline(always)]
    fn end(&self, _gates: &[f32], sums: &mut [f32], old: Option<&[f32]>, memory: &mut [f32], output: &mut [f32]) {
        activate(sums, old, memory, output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neural::cpu::kernel::testing::{assert_agree, noise};
    use crate::neural::portable;
    use crate::neural::recipe::Precision;

    const SIZE: [usize; 4] = [2, 5, 3, 4];

    fn shaped([gates, recurrent]: [Tensor<1>; 2]) -> (Tensor<4>, Tensor<3>) {
        let [directions, steps, examples, hidden] = SIZE;
        (gates.reshape([directions, steps, examples, 4 * hidden]), recurrent.reshape([directions, hidden, 4 * hidden]))
    }

    /// The library's operations.
    fn reference(leaves: [Tensor<1>; 2]) -> Tensor<1> {
        let (gates, recurrent) = shaped(leaves);
        portable::recur_lstm(gates, recurrent, Precision::F32).flatten(0, 3)
    }

    #[test]
    fn value_and_gradients_are_those_of_the_equations() {
        let [directions, steps, examples, hidden] = SIZE;
        let lengths = [directions * steps * examples * 4 * hidden, directions * hidden * 4 * hidden];
        let kernel = |leaves: [Tensor<1>; 2]| {
            let (gates, recurrent) = shaped(leaves);
            recur_lstm(gates, recurrent).flatten(0, 3)
        };
        assert_agree(lengths, 1e-5, kernel, reference);
    }

    #[test]
    fn neither_the_threads_nor_the_way_through_time_change_a_bit() {
        for (directions, steps, examples, hidden) in prediction::testing::SIZES {
            let shape = Recurrence { directions, steps, examples, hidden };
            let gates = noise(directions * steps * examples * 4 * hidden, 1);
            let recurrent: Vec<f32> = noise(directions * hidden * 4 * hidden, 2).iter().map(|w| w * 0.2).collect();
            let (expected, _) = Lstm(shape).forward([&gates, &recurrent]);
            prediction::testing::assert_same(&shape, &LstmCell, &gates, &recurrent, &expected);
        }
    }
}
