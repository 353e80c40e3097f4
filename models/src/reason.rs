//! How a fitted model came to its answers, as far as it can show it.

use crate::model::Matrix;

/// How a fitted model came to its answer for one example.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// What the tokens of a Transformer attended to.
    Attention(Attention),
    /// The decisions of a tree from its root on, in words, and then the leaf.
    Path(Vec<String>),
}

/// Where the attention of a Transformer went for one example.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// The tokens in the order in which the network reads them: words, pieces of words, or patches of an image.
    pub tokens: Vec<String>,
    /// How many patches there are from top to bottom and from left to right, if the tokens are patches. They are the last tokens,
    /// row by row.
    pub patches: Option<[usize; 2]>,
    /// How much each token (row) attends to each token (column) in the last block, the mean over its heads. Each row sums to 1.
    pub last_block: Matrix,
    /// How much of what the head reads comes from each token through all blocks: attention rollout (Abnar and Zuidema 2020). The
    /// numbers sum to 1.
    pub rollout: Vec<f32>,
}

/// Attention rollout: the product over the blocks of `A / 2 + I / 2`, where the identity stands for the residual connection
/// (Abnar and Zuidema 2020, section 3). `blocks` has the attention of each block, the mean over its heads. The result is `tokens x
/// tokens`: how much of what the last block has at a token comes from each token of the input.
pub(crate) fn rollout(blocks: &[Matrix]) -> Matrix {
    let tokens = blocks.first().map_or(0, |block| block.rows);
    let mut product = Matrix { rows: tokens, cols: tokens, data: vec![0.0; tokens * tokens] };
    (0..tokens).for_each(|token| product.data[token * tokens + token] = 1.0);
    for block in blocks {
        let mut next = product.clone();
        for (row, out) in next.data.chunks_exact_mut(tokens).enumerate() {
            for (column, out) in out.iter_mut().enumerate() {
                let attended: f32 = block
                    .row(row)
                    .iter()
                    .zip(product.data.chunks_exact(tokens))
                    .map(|(part, from)| part * from[column])
                    .sum();
                *out = 0.5 * (attended + product.data[row * tokens + column]);
            }
        }
        product = next;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(data: Vec<f32>) -> Matrix {
        Matrix { rows: 2, cols: 2, data }
    }

    #[test]
    fn rollout_multiplies_the_blocks_with_their_residual_connections() {
        // Token 0 attends to token 1 only, and token 1 to both alike.
        let block = square(vec![0.0, 1.0, 0.5, 0.5]);
        assert_eq!(rollout(std::slice::from_ref(&block)).data, [0.5, 0.5, 0.25, 0.75]);
        // (A / 2 + I / 2) squared.
        let twice = rollout(&[block.clone(), block]);
        assert_eq!(twice.data, [0.375, 0.625, 0.3125, 0.6875]);
        for row in 0..2 {
            assert!((twice.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn attention_of_each_token_to_itself_changes_nothing() {
        let identity = square(vec![1.0, 0.0, 0.0, 1.0]);
        assert_eq!(rollout(&[identity.clone(), identity.clone()]), identity);
    }
}
