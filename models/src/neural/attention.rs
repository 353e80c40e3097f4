//! What the tokens of a fitted Transformer attend to.

use bakeoff_datasets::Inputs;
use burn::tensor::Tensor;

use super::backend::Pools;
use super::batch;
use super::fitted::{FittedNetwork, encode};
use super::layers::Pass;
use super::network::AttentionForm;
use crate::model::{Matrix, ModelError};
use crate::reason::{Attention, rollout};

impl FittedNetwork {
    /// The attention for each of `inputs`. `None` for a network without attention.
    ///
    /// # Errors
    /// If the inputs are not of the form that the network was fitted on.
    pub(super) fn attention(&self, inputs: &Inputs, pools: &Pools) -> Result<Option<Vec<Attention>>, ModelError> {
        let Some(form) = self.network.attention() else { return Ok(None) };
        let encoded = encode(&self.encoder, inputs, pools)?;
        let of_row = |row: usize| {
            let mut pass = Pass::attentive(&self.weights, &self.buffers);
            // One row at a time, so that nothing is padded.
            self.network.forward(&batch::plain(&encoded, &[row], &self.device), &mut pass);
            let blocks = pass.into_attention().into_iter().map(mean_of_heads).collect::<Result<Vec<_>, _>>()?;
            Ok(read(form, blocks, self.encoder.token_names(&encoded, row)))
        };
        pools.together(|| (0..encoded.len()).map(of_row).collect::<Result<_, _>>()).map(Some)
    }
}

/// `heads x tokens x tokens` as the mean over the heads.
fn mean_of_heads(weights: Tensor<3>) -> Result<Matrix, ModelError> {
    let [_, rows, cols] = weights.dims();
    let data = weights.mean_dim(0).try_into_vec_as::<f32>();
    let data = data.map_err(|error| ModelError::Failed(format!("failed to read attention weights: {error:?}")))?;
    Ok(Matrix { rows, cols, data })
}

/// The attention of these blocks. `names` are the tokens of a text.
fn read(form: AttentionForm, mut blocks: Vec<Matrix>, names: Vec<String>) -> Attention {
    let flow = rollout(&blocks);
    let tokens = flow.cols;
    let rollout = if form.reads_first_token {
        flow.row(0).to_vec()
    } else {
        let mean = |column: usize| (0..tokens).map(|row| flow.row(row)[column]).sum::<f32>() / tokens as f32;
        (0..tokens).map(mean).collect()
    };
    let names = match form.patches {
        None => names,
        Some([down, across]) => (0..down * across)
            .map(|patch| format!("row {}, column {}", patch / across + 1, patch % across + 1))
            .collect(),
    };
    let tokens = form.adds_class_token.then(|| "[CLS]".to_owned()).into_iter().chain(names).collect();
    let last_block = blocks.pop().unwrap_or(Matrix { rows: 0, cols: 0, data: Vec::new() });
    Attention { tokens, patches: form.patches, last_block, rollout }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(adds_class_token: bool, patches: Option<[usize; 2]>) -> AttentionForm {
        AttentionForm { adds_class_token, reads_first_token: adds_class_token, patches }
    }

    fn block(data: [f32; 4]) -> Matrix {
        Matrix { rows: 2, cols: 2, data: data.to_vec() }
    }

    #[test]
    fn the_head_reads_the_first_token_or_the_mean_of_all() {
        let blocks = || vec![block([0.0, 1.0, 0.5, 0.5])];
        let mean = read(form(false, None), blocks(), ["a", "b"].map(str::to_owned).to_vec());
        assert_eq!(mean.rollout, [0.375, 0.625]);
        assert_eq!((mean.tokens, mean.last_block), (vec!["a".to_owned(), "b".to_owned()], block([0.0, 1.0, 0.5, 0.5])));
        let first = read(form(true, Some([1, 1])), blocks(), Vec::new());
        assert_eq!(first.rollout, [0.5, 0.5]);
        assert_eq!(first.tokens, ["[CLS]", "row 1, column 1"]);
    }
}
