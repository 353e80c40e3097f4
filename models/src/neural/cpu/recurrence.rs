//! Recurrences over whole sequences, with backpropagation through time.

mod gru;
mod lstm;
mod prediction;

pub(crate) use self::gru::recur_gru;
pub(crate) use self::lstm::recur_lstm;
use super::product::{ScatteredRows, consecutive, multiply_transposed};

/// From this many examples on, one product of all examples with the weights is faster than one product for each.
const MIN_EXAMPLES_TOGETHER: usize = 4;

/// The size of a recurrence.
#[derive(Debug, Clone, Copy)]
struct Recurrence {
    directions: usize,
    steps: usize,
    examples: usize,
    hidden: usize,
}

impl Recurrence {
    /// How many outputs a step has.
    fn step(&self) -> usize {
        self.examples * self.hidden
    }

    /// The gradient of the recurrent weights, `directions x hidden x wide`, from the outputs and from the gradient of
    /// their products with these weights.
    fn recurrent_gradient(&self, outputs: &[f32], to_products: &[f32], wide: usize) -> Vec<f32> {
        let Recurrence { directions, steps, examples, hidden } = *self;
        // The outputs of all steps but the last were multiplied for all steps but the first. So one product serves the
        // whole sequence.
        let mut to_recurrent = vec![0.0; directions * hidden * wide];
        let rows = (steps - 1) * examples;
        let starts = consecutive(rows, hidden);
        for (direction, sum) in to_recurrent.chunks_exact_mut(hidden * wide).enumerate() {
            let values = &outputs[direction * steps * self.step()..];
            let products = &to_products[(direction * steps + 1) * examples * wide..][..rows * wide];
            let left = ScatteredRows { values, starts: &starts, parts: 1, length: hidden };
            multiply_transposed(left, products, wide, sum);
        }
        to_recurrent
    }
}
