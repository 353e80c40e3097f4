//! `model.safetensors`: the weights of a pretrained encoder, by the names that BERT's weights are published under.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};

use super::fault;
use crate::model::ModelError;
use crate::neural::bert::HEAD;
use crate::neural::weights::WeightLayout;

/// What pretraining needed and a fit does not: the heads that guess words and whether a sentence follows another, and the
/// numbers 0, 1, 2, … which some files store.
const OF_PRETRAINING: &[&str] = &[
    "cls.predictions.bias",
    "cls.predictions.decoder.bias",
    "cls.predictions.decoder.weight",
    "cls.predictions.transform.LayerNorm.bias",
    "cls.predictions.transform.LayerNorm.weight",
    "cls.predictions.transform.dense.bias",
    "cls.predictions.transform.dense.weight",
    "cls.seq_relationship.bias",
    "cls.seq_relationship.weight",
    "embeddings.position_ids",
];

/// The layer over the first piece, which is left out unless the parameter `pooling` says otherwise.
const POOLER: &str = "pooler.dense.";

/// Weights that were read, by the names of our slots.
pub(crate) struct PretrainedWeights {
    path: PathBuf,
    bytes: Vec<u8>,
    /// The name in the file, the type, the shape and the place of the numbers, by the name of our slot.
    tensors: BTreeMap<String, StoredTensor>,
}

struct StoredTensor {
    key: String,
    dtype: Dtype,
    shape: Vec<usize>,
    place: Range<usize>,
}

impl PretrainedWeights {
    /// # Errors
    /// If the file is cut off, is not of the format, or has one weight under two names.
    pub(super) fn new(path: PathBuf, bytes: Vec<u8>) -> Result<PretrainedWeights, ModelError> {
        // PyTorch's own files are archives of pickles, or pickles.
        if bytes.starts_with(b"PK\x03\x04")
            || (bytes.starts_with(&[0x80]) && bytes.get(1).is_some_and(|protocol| (2..=5).contains(protocol)))
        {
            return Err(fault(&path, format!("is a pickle and not a safetensors file; {HOW_TO_CONVERT}")));
        }
        let mut tensors = BTreeMap::new();
        let file = SafeTensors::deserialize(&bytes).map_err(|error| {
            fault(&path, format!("is not a whole safetensors file ({error}): it was cut off or changed; get it again"))
        })?;
        for (key, view) in file.iter() {
            let start = view.data().as_ptr() as usize - bytes.as_ptr() as usize;
            let stored = StoredTensor {
                key: key.to_owned(),
                dtype: view.dtype(),
                shape: view.shape().to_vec(),
                place: start..start + view.data().len(),
            };
            if let Some(other) = tensors.insert(slot_name(key), stored) {
                return Err(fault(&path, format!("has one weight as '{}' and as '{key}'", other.key)));
            }
        }
        Ok(PretrainedWeights { path, bytes, tensors })
    }

    /// The values of all slots of `layout`. Those of the head, which no file has, are drawn from the seed.
    ///
    /// # Errors
    /// Names a weight that is missing, that has another shape or type or a number that is not finite, or that the layout has
    /// no slot for.
    pub(crate) fn gather(mut self, layout: &WeightLayout, seed: u64) -> Result<Vec<f32>, ModelError> {
        let values = layout.initial_or(seed, |name, shape| {
            if name.split('.').next() == Some(HEAD) {
                return Ok(None);
            }
            self.take(name, shape).map(Some)
        })?;
        let is_left_out = |name: &str| OF_PRETRAINING.contains(&name) || name.starts_with(POOLER);
        match self.tensors.iter().find(|(name, _)| !is_left_out(name)) {
            None => Ok(values),
            Some((_, StoredTensor { key, .. })) => Err(fault(
                &self.path,
                format!(
                    "has the weight '{key}', which a BERT of this shape has not: config.json is of another encoder"
                ),
            )),
        }
    }

    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let Some(StoredTensor { key, dtype, shape: found, place }) = self.tensors.remove(name) else {
            let remedy = match name.starts_with(POOLER) {
                true => "set pooling = \"mean\", which needs no such layer",
                false => "config.json is of another encoder",
            };
            return Err(fault(
                &self.path,
                format!("has no weight '{name}', with or without 'bert.' before it: {remedy}"),
            ));
        };
        // Published matrices are outputs x inputs, our slots inputs x outputs. A table of embeddings has the same rows.
        let is_turned = shape.len() == 2 && !name.ends_with("embeddings.weight");
        let expected: Vec<usize> = if is_turned { shape.iter().rev().copied().collect() } else { shape.to_vec() };
        if found != expected {
            let what = format!("'{key}' is {dtype:?} {found:?}, expected F32 {expected:?}, as config.json says");
            return Err(fault(&self.path, what));
        }
        if dtype != Dtype::F32 {
            let what = format!("'{key}' is {dtype:?}, expected F32; {HOW_TO_WIDEN}");
            return Err(fault(&self.path, what));
        }
        let numbers = self.bytes[place].as_chunks::<4>().0;
        let value = |at: usize| f32::from_le_bytes(numbers[at]);
        let values: Vec<f32> = match (is_turned, shape) {
            (true, &[inputs, outputs]) => (0..inputs)
                .flat_map(|input| (0..outputs).map(move |output| output * inputs + input))
                .map(value)
                .collect(),
            _ => (0..numbers.len()).map(value).collect(),
        };
        match values.iter().all(|value| value.is_finite()) {
            true => Ok(values),
            false => Err(fault(&self.path, format!("'{key}' has a number that is not finite: get the file again"))),
        }
    }
}

/// The name of our slot for a published name. Files that were converted from TensorFlow write `gamma` and `beta`, and those
/// with a head of pretraining write `bert.` before the names.
fn slot_name(key: &str) -> String {
    let name = key.strip_prefix("bert.").unwrap_or(key);
    match name.rsplit_once("LayerNorm.") {
        Some((before, "gamma")) => format!("{before}LayerNorm.weight"),
        Some((before, "beta")) => format!("{before}LayerNorm.bias"),
        _ => name.to_owned(),
    }
}

const HOW_TO_CONVERT: &str = "reading a pickle can run any program, so it is refused: convert it where you trust it, with \
                              Python's `transformers.AutoModel.from_pretrained(FOLDER).save_pretrained(FOLDER, \
                              safe_serialization=True)`";

const HOW_TO_WIDEN: &str = "convert the file with Python's \
                            `transformers.AutoModel.from_pretrained(FOLDER).float().save_pretrained(FOLDER)`";

/// # Errors
/// If there is a pickle beside the file that is missing.
pub(super) fn refuse_pickle(path: &Path) -> Result<(), ModelError> {
    let pickle = path.with_file_name("pytorch_model.bin");
    if pickle.exists() { Err(fault(&pickle, HOW_TO_CONVERT)) } else { Ok(()) }
}
