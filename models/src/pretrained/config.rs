//! `config.json`: the shape of a pretrained encoder.

use serde::Deserialize;

use crate::neural::bert::{BertShape, ShapeNames};

/// The keys of the numbers of the shape.
const KEYS: ShapeNames = [
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
    "layer_norm_eps",
];

/// The keys that decide what the network computes. Other keys are ignored.
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    model_type: Option<String>,
    #[serde(default)]
    position_embedding_type: Option<String>,
    hidden_act: String,
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    #[serde(default = "default_epsilon")]
    layer_norm_eps: f64,
}

/// BERT's own value, which its first published files leave out.
fn default_epsilon() -> f64 {
    1e-12
}

/// # Errors
/// Says what is not as in BERT, in the keys of the file.
pub(super) fn parse(bytes: &[u8]) -> Result<BertShape, String> {
    let config: Config = serde_json::from_slice(bytes)
        .map_err(|error| format!("is not the configuration of a BERT-shaped encoder: {error}"))?;
    for (key, found, expected) in [
        ("model_type", config.model_type.as_deref().unwrap_or("bert"), "bert"),
        ("position_embedding_type", config.position_embedding_type.as_deref().unwrap_or("absolute"), "absolute"),
        ("hidden_act", config.hidden_act.as_str(), "gelu"),
    ] {
        if found != expected {
            return Err(format!("{key} is '{found}', expected '{expected}': only BERT-shaped encoders can be read"));
        }
    }
    let shape = BertShape {
        vocabulary: config.vocab_size,
        width: config.hidden_size,
        layers: config.num_hidden_layers,
        heads: config.num_attention_heads,
        feed_forward: config.intermediate_size,
        positions: config.max_position_embeddings,
        segments: config.type_vocab_size,
        epsilon: config.layer_norm_eps as f32,
    };
    match shape.fault(&KEYS) {
        None => Ok(shape),
        Some(what) => Err(what),
    }
}
