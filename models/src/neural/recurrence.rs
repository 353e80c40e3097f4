//! The recurrence of an LSTM over whole sequences, with backpropagation through time.

use burn::tensor::Tensor;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::kernel::{Kernel, apply};
use super::math::{sigmoid, tanh};

/// Runs the memory over its inputs' part of the gates, `directions x steps x examples x 4 * hidden`, and recurrent
/// weights, `directions x hidden x 4 * hidden`; gates are in the order input, forget, output, candidate. Gives the
/// outputs, `directions x steps x examples x hidden`. Memory and output start at zero.
///
/// One is added to the forget gates, which keeps early memory (Gers et al. 2000; Jozefowicz et al. 2015).
pub(crate) fn recur(gates: Tensor<4>, recurrent: Tensor<3>) -> Tensor<4> {
    let [directions, steps, examples, width] = gates.dims();
    let hidden = width / 4;
    let shape = Recurrence { directions, steps, examples, hidden };
    let (outputs, _) = apply(shape, [gates.flatten(0, 3), recurrent.flatten(0, 2)]);
    outputs.reshape([directions, steps, examples, hidden])
}

#[derive(Debug, Clone, Copy)]
struct Recurrence {
    directions: usize,
    steps: usize,
    examples: usize,
    hidden: usize,
}

fn view(values: &[f32], columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / columns, columns), values).expect("whole rows")
}

fn view_mut(values: &mut [f32], columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((values.len() / columns, columns), values).expect("whole rows")
}

/// Gates before activation to gates after it and the new memory and output, for one example.
fn activate(gates: &mut [f32], old: Option<&[f32]>, cell: &mut [f32], output: &mut [f32]) {
    let hidden = cell.len();
    let (input, rest) = gates.split_at_mut(hidden);
    let (forget, rest) = rest.split_at_mut(hidden);
    let (out, candidate) = rest.split_at_mut(hidden);
    input.iter_mut().for_each(|gate| *gate = sigmoid(*gate));
    forget.iter_mut().for_each(|gate| *gate = sigmoid(*gate + 1.0));
    out.iter_mut().for_each(|gate| *gate = sigmoid(*gate));
    candidate.iter_mut().for_each(|gate| *gate = tanh(*gate));
    for at in 0..hidden {
        cell[at] = input[at] * candidate[at] + old.map_or(0.0, |old| forget[at] * old[at]);
    }
    for at in 0..hidden {
        output[at] = out[at] * tanh(cell[at]);
    }
}

/// For one example and step: `to_output` and `to_cell` are the gradients with respect to the output and, from later
/// steps, the memory. Leaves the gradient of the gates before activation in `gates` and that of the old memory in
/// `to_cell`.
fn deactivate(gates: &mut [f32], old: Option<&[f32]>, cell: &[f32], to_output: &[f32], to_cell: &mut [f32]) {
    let hidden = cell.len();
    for at in 0..hidden {
        let (input, forget) = (gates[at], gates[hidden + at]);
        let (out, candidate) = (gates[2 * hidden + at], gates[3 * hidden + at]);
        let squashed = tanh(cell[at]);
        let total = to_cell[at] + to_output[at] * out * (1.0 - squashed * squashed);
        gates[at] = total * candidate * input * (1.0 - input);
        gates[hidden + at] = total * old.map_or(0.0, |old| old[at]) * forget * (1.0 - forget);
        gates[2 * hidden + at] = to_output[at] * squashed * out * (1.0 - out);
        gates[3 * hidden + at] = total * input * (1.0 - candidate * candidate);
        to_cell[at] = total * forget;
    }
}

impl Kernel<2> for Recurrence {
    /// Saves activated gates, then memory, then outputs, each `directions x steps x examples x ...`.
    fn forward(&self, [gates, recurrent]: [&[f32]; 2]) -> (Vec<f32>, Vec<f32>) {
        let Recurrence { directions, steps, examples, hidden } = *self;
        let (step, wide) = (examples * hidden, 4 * hidden);
        let mut active = gates.to_vec();
        let mut cells = vec![0.0; directions * steps * step];
        let mut outputs = vec![0.0; directions * steps * step];
        for index in 0..directions * steps {
            let first = index % steps == 0;
            let weights = &recurrent[index / steps * hidden * wide..][..hidden * wide];
            let gates = &mut active[index * 4 * step..][..4 * step];
            let (old_cells, new_cells) = cells.split_at_mut(index * step);
            let (old_outputs, new_outputs) = outputs.split_at_mut(index * step);
            if !first {
                let old = view(&old_outputs[(index - 1) * step..], hidden);
                general_mat_mul(1.0, &old, &view(weights, wide), 1.0, &mut view_mut(gates, wide));
            }
            for example in 0..examples {
                let at = example * hidden;
                let old = (!first).then(|| &old_cells[(index - 1) * step + at..][..hidden]);
                let (cell, output) = (&mut new_cells[at..at + hidden], &mut new_outputs[at..at + hidden]);
                activate(&mut gates[4 * at..4 * (at + hidden)], old, cell, output);
            }
        }
        active.extend(cells);
        active.extend(&outputs);
        (outputs, active)
    }

    fn backward(&self, inputs: [&[f32]; 2], saved: &[f32], gradient: &[f32], _wanted: [bool; 2]) -> [Vec<f32>; 2] {
        let Recurrence { directions, steps, examples, hidden } = *self;
        let (step, wide) = (examples * hidden, 4 * hidden);
        let [_, recurrent] = inputs;
        let (active, rest) = saved.split_at(directions * steps * 4 * step);
        let (cells, outputs) = rest.split_at(directions * steps * step);
        let mut to_gates = active.to_vec();
        let mut to_recurrent = vec![0.0; recurrent.len()];
        let (mut to_cell, mut to_output) = (vec![0.0; step], vec![0.0; step]);
        for index in (0..directions * steps).rev() {
            let first = index % steps == 0;
            if index % steps == steps - 1 {
                to_cell.fill(0.0);
                to_output.fill(0.0);
            }
            for (sum, value) in to_output.iter_mut().zip(&gradient[index * step..][..step]) {
                *sum += value;
            }
            let gates = &mut to_gates[index * 4 * step..][..4 * step];
            for example in 0..examples {
                let at = example * hidden;
                let old = (!first).then(|| &cells[(index - 1) * step + at..][..hidden]);
                let cell = &cells[index * step + at..][..hidden];
                let range = at..at + hidden;
                deactivate(&mut gates[4 * at..][..wide], old, cell, &to_output[range.clone()], &mut to_cell[range]);
            }
            if !first {
                let block = index / steps * hidden * wide;
                let weights = view(&recurrent[block..][..hidden * wide], wide);
                let gates = view(gates, wide);
                let old = view(&outputs[(index - 1) * step..][..step], hidden);
                general_mat_mul(1.0, &gates, &weights.t(), 0.0, &mut view_mut(&mut to_output, hidden));
                let sum = &mut to_recurrent[block..][..hidden * wide];
                general_mat_mul(1.0, &old.t(), &gates, 1.0, &mut view_mut(sum, wide));
            }
        }
        [to_gates, to_recurrent]
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation;

    use super::*;
    use crate::neural::kernel::testing::assert_agree;

    const SIZE: [usize; 4] = [2, 5, 3, 4];

    fn shaped([gates, recurrent]: [Tensor<1>; 2]) -> (Tensor<4>, Tensor<3>) {
        let [directions, steps, examples, hidden] = SIZE;
        (gates.reshape([directions, steps, examples, 4 * hidden]), recurrent.reshape([directions, hidden, 4 * hidden]))
    }

    /// The equations of an LSTM, one operation of the library after the other.
    fn reference(leaves: [Tensor<1>; 2]) -> Tensor<1> {
        let (gates, recurrent) = shaped(leaves);
        let [directions, steps, examples, hidden] = SIZE;
        let mut output = Tensor::<3>::zeros([directions, examples, hidden], &gates.device());
        let mut cell = output.clone();
        let mut outputs = Vec::new();
        for step in 0..steps {
            let fresh: Tensor<3> = gates.clone().narrow(1, step, 1).squeeze_dim(1);
            let gate = fresh + output.matmul(recurrent.clone());
            let part = |index: usize| gate.clone().narrow(2, index * hidden, hidden);
            let (input, forget) = (activation::sigmoid(part(0)), activation::sigmoid(part(1) + 1.0));
            cell = forget * cell + input * part(3).tanh();
            output = activation::sigmoid(part(2)) * cell.clone().tanh();
            outputs.push(output.clone());
        }
        Tensor::<3>::stack::<4>(outputs, 1).flatten(0, 3)
    }

    #[test]
    fn value_and_gradients_are_those_of_the_equations() {
        let [directions, steps, examples, hidden] = SIZE;
        let lengths = [directions * steps * examples * 4 * hidden, directions * hidden * 4 * hidden];
        let kernel = |leaves: [Tensor<1>; 2]| {
            let (gates, recurrent) = shaped(leaves);
            recur(gates, recurrent).flatten(0, 3)
        };
        assert_agree(lengths, 1e-5, kernel, reference);
    }
}
