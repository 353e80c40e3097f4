//! Scaled dot-product attention for all heads (Vaswani et al. 2017, section 3.2), one head of one example at a time, so that
//! its scores fit into the processor's cache. The gradient computes the scores again instead of keeping them.

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::kernel::{FusedKernel, apply};
use super::math::exp;
use super::product::{Right, ScatteredRows, consecutive, dot, multiply, multiply_transposed, sum, vectorised};

/// `softmax(Q Kᵗ / sqrt(depth)) V` for each head. Query, key and value are `examples x tokens x width`, and each head
/// has a block of columns. `lengths` says how many tokens of each example, from the first on, attend and are attended
/// to. The outputs of the other tokens are zero.
pub(crate) fn attend(inputs: [Tensor<3>; 3], heads: usize, lengths: &[usize]) -> Tensor<3> {
    let shape = inputs[0].dims();
    let [_, tokens, width] = shape;
    let kernel = Attention { tokens, width, heads, lengths: lengths.to_vec() };
    let (output, _) = apply(kernel, inputs.map(|input| input.flatten(0, 2)));
    output.reshape(shape)
}

#[derive(Debug, Clone)]
struct Attention {
    tokens: usize,
    width: usize,
    heads: usize,
    lengths: Vec<usize>,
}

/// One head of one example: `length x depth` numbers in rows of the whole width.
struct AttentionHead {
    length: usize,
    /// Where the head's part of each token starts.
    starts: Vec<usize>,
}

impl Attention {
    fn depth(&self) -> usize {
        self.width / self.heads
    }

    fn each(&self) -> impl Iterator<Item = AttentionHead> {
        self.lengths.iter().enumerate().flat_map(move |(example, &length)| {
            (0..self.heads).map(move |head| {
                let start = example * self.tokens * self.width + head * self.depth();
                AttentionHead { length, starts: (0..length).map(|token| start + token * self.width).collect() }
            })
        })
    }

    fn rows<'a>(&self, values: &'a [f32], head: &'a AttentionHead) -> ScatteredRows<'a> {
        ScatteredRows { values, starts: &head.starts, parts: 1, length: self.depth() }
    }

    /// A head's numbers, one row after the other.
    fn gathered(&self, values: &[f32], head: &AttentionHead) -> Vec<f32> {
        let mut gathered = Vec::with_capacity(head.length * self.depth());
        head.starts.iter().for_each(|&start| gathered.extend_from_slice(&values[start..start + self.depth()]));
        gathered
    }

    /// The reverse of [`Attention::gathered`], with each number times `scale`.
    fn scatter(&self, part: &[f32], scale: f32, head: &AttentionHead, values: &mut [f32]) {
        for (&start, row) in head.starts.iter().zip(part.chunks_exact(self.depth())) {
            for (value, part) in values[start..start + self.depth()].iter_mut().zip(row) {
                *value = part * scale;
            }
        }
    }

    fn scale(&self) -> f32 {
        (self.depth() as f32).sqrt().recip()
    }

    /// The attention weights: how much each token attends to each other token. They are `length x length`, with rows
    /// that sum to one.
    fn weights(&self, query: &[f32], key: &[f32], head: &AttentionHead) -> Vec<f32> {
        let mut scores = vec![0.0; head.length * head.length];
        let keys = Right::transposed(&self.gathered(key, head), head.length);
        multiply(self.rows(query, head), &keys, &mut scores);
        let scale = self.scale();
        vectorised(
            #[inline(always)]
            || {
                for row in scores.chunks_exact_mut(head.length) {
                    let highest = row.iter().fold(f32::NEG_INFINITY, |highest, &score| highest.max(score));
                    row.iter_mut().for_each(|score| *score = exp((*score - highest) * scale));
                    let part = sum(row).recip();
                    row.iter_mut().for_each(|score| *score *= part);
                }
            },
        );
        scores
    }
}

/// The rows of a matrix in row-major order.
fn rows<'a>(values: &'a [f32], starts: &'a [usize], length: usize) -> ScatteredRows<'a> {
    ScatteredRows { values, starts, parts: 1, length }
}

impl FusedKernel<3> for Attention {
    fn forward(&self, [query, key, value]: [&[f32]; 3]) -> (Vec<f32>, Vec<f32>) {
        let attended = |head: &AttentionHead| {
            let weights = self.weights(query, key, head);
            let starts = consecutive(head.length, head.length);
            let mut attended = vec![0.0; head.length * self.depth()];
            let values = self.gathered(value, head);
            let right = Right::new(&values, self.depth(), head.length, 1);
            multiply(rows(&weights, &starts, head.length), &right, &mut attended);
            attended
        };
        let mut output = vec![0.0; query.len()];
        // As many heads are computed at a time as there are threads.
        let heads: Vec<AttentionHead> = self.each().collect();
        for heads in heads.chunks(rayon::current_num_threads()) {
            let parts: Vec<Vec<f32>> = heads.par_iter().map(attended).collect();
            for (head, part) in heads.iter().zip(parts) {
                self.scatter(&part, 1.0, head, &mut output);
            }
        }
        (output, Vec::new())
    }

    fn backward(&self, inputs: [&[f32]; 3], _saved: &[f32], gradient: &[f32], _wanted: [bool; 3]) -> [Vec<f32>; 3] {
        let [query, key, value] = inputs;
        let [mut to_query, mut to_key, mut to_value] = inputs.map(|input| vec![0.0; input.len()]);
        let depth = self.depth();
        for head in self.each() {
            let length = head.length;
            let starts = consecutive(length, length);
            let weights = self.weights(query, key, &head);
            let mut part = vec![0.0; length * depth];
            multiply_transposed(rows(&weights, &starts, length), &self.gathered(gradient, &head), depth, &mut part);
            self.scatter(&part, 1.0, &head, &mut to_value);

            let mut scores = vec![0.0; length * length];
            let values = Right::transposed(&self.gathered(value, &head), length);
            multiply(self.rows(gradient, &head), &values, &mut scores);
            vectorised(
                #[inline(always)]
                || {
                    for (row, weights) in scores.chunks_exact_mut(length).zip(weights.chunks_exact(length)) {
                        let mean = dot(row, weights);
                        row.iter_mut().zip(weights).for_each(|(score, weight)| *score = weight * (*score - mean));
                    }
                },
            );
            part.fill(0.0);
            let keys = self.gathered(key, &head);
            multiply(rows(&scores, &starts, length), &Right::new(&keys, depth, length, 1), &mut part);
            self.scatter(&part, self.scale(), &head, &mut to_query);
            part.fill(0.0);
            multiply_transposed(rows(&scores, &starts, length), &self.gathered(query, &head), depth, &mut part);
            self.scatter(&part, self.scale(), &head, &mut to_key);
        }
        [to_query, to_key, to_value]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neural::cpu::kernel::testing::assert_agree;
    use crate::neural::portable;
    use crate::neural::recipe::Precision;

    const SHAPE: [usize; 3] = [2, 5, 6];
    const HEADS: usize = 3;

    /// The library's operations.
    fn reference(inputs: [Tensor<1>; 3], lengths: &[usize]) -> Tensor<1> {
        portable::attend(inputs.map(|input| input.reshape(SHAPE)), HEADS, lengths, Precision::F32).flatten(0, 2)
    }

    fn ours(inputs: [Tensor<1>; 3], lengths: &[usize]) -> Tensor<1> {
        attend(inputs.map(|input| input.reshape(SHAPE)), HEADS, lengths).flatten(0, 2)
    }

    #[test]
    fn value_and_gradients_are_those_of_the_library_whatever_the_lengths() {
        let len = SHAPE.iter().product();
        for lengths in [[5, 5], [3, 5], [1, 2]] {
            assert_agree([len; 3], 1e-5, |inputs| ours(inputs, &lengths), |inputs| reference(inputs, &lengths));
        }
    }

    #[test]
    fn nothing_is_attended_to_beyond_the_length() {
        let len = SHAPE.iter().product::<usize>();
        let half = |input: Tensor<1>| -> Tensor<3> { input.reshape(SHAPE).narrow(1, 0, 3) };
        let short = |inputs: [Tensor<1>; 3]| {
            let short = attend(inputs.clone().map(half), HEADS, &[3, 3]);
            // The tokens beyond the length have zero outputs, and so all their gradients are zero.
            let beyond: Tensor<3> = inputs[0].clone().reshape(SHAPE).narrow(1, 3, 2) * 0.0;
            Tensor::cat(vec![short, beyond], 1).flatten(0, 2)
        };
        assert_agree([len; 3], 1e-5, |inputs| ours(inputs, &[3, 3]), short);
    }
}
