//! Scaled dot-product attention for all heads (Vaswani et al. 2017, section 3.2), one head of one example at a time: its
//! scores fit into the processor's cache, and the gradient computes them again rather than keep them.

use burn::tensor::Tensor;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, Slice};

use super::kernel::{Kernel, apply};
use super::math::exp;

/// `softmax(Q Kᵗ / sqrt(depth)) V` for each head. Query, key and value are `examples x tokens x width`, each head a
/// block of columns. Of each example only the first tokens, as many as `lengths` says, attend and are attended to; the
/// others' outputs are zero.
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

/// One head of one example: `length x depth`.
struct Head {
    example: usize,
    length: usize,
    columns: Slice,
}

impl Attention {
    fn each(&self) -> impl Iterator<Item = Head> {
        let depth = self.width / self.heads;
        self.lengths.iter().enumerate().flat_map(move |(example, &length)| {
            (0..self.heads).map(move |head| Head {
                example,
                length,
                columns: Slice::from(head * depth..(head + 1) * depth),
            })
        })
    }

    fn view<'a>(&self, values: &'a [f32], head: &Head) -> ArrayView2<'a, f32> {
        let values = &values[head.example * self.tokens * self.width..][..head.length * self.width];
        let rows = ArrayView2::from_shape((head.length, self.width), values).expect("whole rows");
        rows.slice_axis_move(Axis(1), head.columns)
    }

    fn view_mut<'a>(&self, values: &'a mut [f32], head: &Head) -> ArrayViewMut2<'a, f32> {
        let values = &mut values[head.example * self.tokens * self.width..][..head.length * self.width];
        let rows = ArrayViewMut2::from_shape((head.length, self.width), values).expect("whole rows");
        rows.slice_axis_move(Axis(1), head.columns)
    }

    fn scale(&self) -> f32 {
        ((self.width / self.heads) as f32).sqrt().recip()
    }

    /// How much each token attends to each other one: `length x length`, rows summing to one.
    fn weights(&self, query: &[f32], key: &[f32], head: &Head) -> Array2<f32> {
        let mut scores = Array2::zeros((head.length, head.length));
        general_mat_mul(self.scale(), &self.view(query, head), &self.view(key, head).t(), 0.0, &mut scores);
        for mut row in scores.rows_mut() {
            let row = row.as_slice_mut().expect("rows lie one after the other");
            let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            row.iter_mut().for_each(|score| *score = exp(*score - highest));
            let total: f32 = row.iter().sum();
            row.iter_mut().for_each(|score| *score /= total);
        }
        scores
    }
}

impl Kernel<3> for Attention {
    fn forward(&self, [query, key, value]: [&[f32]; 3]) -> (Vec<f32>, Vec<f32>) {
        let mut output = vec![0.0; query.len()];
        for head in self.each() {
            let weights = self.weights(query, key, &head);
            general_mat_mul(1.0, &weights, &self.view(value, &head), 0.0, &mut self.view_mut(&mut output, &head));
        }
        (output, Vec::new())
    }

    fn backward(&self, inputs: [&[f32]; 3], _saved: &[f32], gradient: &[f32], _wanted: [bool; 3]) -> [Vec<f32>; 3] {
        let [query, key, value] = inputs;
        let [mut to_query, mut to_key, mut to_value] = inputs.map(|input| vec![0.0; input.len()]);
        for head in self.each() {
            let weights = self.weights(query, key, &head);
            let output = self.view(gradient, &head);
            general_mat_mul(1.0, &weights.t(), &output, 0.0, &mut self.view_mut(&mut to_value, &head));
            let mut scores = Array2::zeros(weights.dim());
            general_mat_mul(1.0, &output, &self.view(value, &head).t(), 0.0, &mut scores);
            for (mut row, weights) in scores.rows_mut().into_iter().zip(weights.rows()) {
                let mean = row.dot(&weights);
                row.zip_mut_with(&weights, |score, weight| *score = weight * (*score - mean));
            }
            let scale = self.scale();
            general_mat_mul(scale, &scores, &self.view(key, &head), 0.0, &mut self.view_mut(&mut to_query, &head));
            general_mat_mul(scale, &scores.t(), &self.view(query, &head), 0.0, &mut self.view_mut(&mut to_key, &head));
        }
        [to_query, to_key, to_value]
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation;

    use super::*;
    use crate::neural::kernel::testing::assert_agree;

    const SHAPE: [usize; 3] = [2, 5, 6];
    const HEADS: usize = 3;

    /// The formula, one operation of the library after the other; only full examples.
    fn reference(inputs: [Tensor<1>; 3]) -> Tensor<1> {
        let [examples, tokens, width] = SHAPE;
        let depth = width / HEADS;
        let [query, key, value] =
            inputs.map(|input| input.reshape([examples, tokens, HEADS, depth]).swap_dims(1, 2) as Tensor<4>);
        let scores = query.matmul(key.transpose()) / (depth as f64).sqrt();
        activation::softmax(scores, 3).matmul(value).swap_dims(1, 2).reshape([examples * tokens * width])
    }

    fn ours(inputs: [Tensor<1>; 3], lengths: &[usize]) -> Tensor<1> {
        attend(inputs.map(|input| input.reshape(SHAPE)), HEADS, lengths).flatten(0, 2)
    }

    #[test]
    fn value_and_gradients_are_those_of_the_formula() {
        let len = SHAPE.iter().product();
        assert_agree([len; 3], 1e-5, |inputs| ours(inputs, &[5, 5]), reference);
    }

    #[test]
    fn nothing_is_attended_to_beyond_the_length() {
        let len = SHAPE.iter().product::<usize>();
        let half = |input: Tensor<1>| -> Tensor<3> { input.reshape(SHAPE).narrow(1, 0, 3) };
        let short = |inputs: [Tensor<1>; 3]| {
            let short = attend(inputs.clone().map(half), HEADS, &[3, 3]);
            // What is beyond is zero, and so is every gradient there.
            let beyond: Tensor<3> = inputs[0].clone().reshape(SHAPE).narrow(1, 3, 2) * 0.0;
            Tensor::cat(vec![short, beyond], 1).flatten(0, 2)
        };
        assert_agree([len; 3], 1e-5, |inputs| ours(inputs, &[3, 3]), short);
    }
}
