//! The network of BERT (Devlin et al. 2018): a post-norm Transformer over word pieces, under a head of ours.
//!
//! Slots have the names of the published weights, so that these can be read by name.

use burn::tensor::{Tensor, module};
use serde::{Deserialize, Serialize};

use super::batch::{Batch, TextBatch};
use super::encoder::InputForm;
use super::layers::{LayerNorm, Linear, Pass, gelu, masked_mean};
use super::network::{AttentionForm, Network};
use super::weights::{Init, Weight, WeightLayout};
use crate::params::Resolved;

/// The shape of a pretrained encoder.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BertShape {
    /// How many pieces there are.
    pub(crate) vocabulary: usize,
    /// Numbers per piece.
    pub(crate) width: usize,
    /// Blocks.
    pub(crate) layers: usize,
    /// Attention heads; they divide the width.
    pub(crate) heads: usize,
    /// Width of the hidden layer of each block.
    pub(crate) feed_forward: usize,
    /// The longest sequence.
    pub(crate) positions: usize,
    /// How many kinds of segments there are.
    pub(crate) segments: usize,
    /// What keeps the variance of a normalisation above zero.
    pub(crate) epsilon: f32,
}

/// The names that a file has for the fields of [`BertShape`], in their order.
pub(crate) type ShapeNames = [&'static str; 8];

impl BertShape {
    /// The names in artefacts.
    pub(crate) const NAMES: ShapeNames =
        ["vocabulary", "width", "layers", "heads", "feed_forward", "positions", "segments", "epsilon"];

    /// What is wrong with the shape, if it cannot be that of a network, in the names of the file that it was read from.
    pub(crate) fn fault(&self, names: &ShapeNames) -> Option<String> {
        let [vocabulary, width, layers, heads, feed_forward, positions, segments, epsilon] = names;
        let ranges = [
            (vocabulary, self.vocabulary, 1, 10_000_000),
            (width, self.width, 1, 65_536),
            (layers, self.layers, 1, 48),
            (heads, self.heads, 1, 1024),
            (feed_forward, self.feed_forward, 1, 1_000_000),
            (positions, self.positions, 5, 1_000_000),
            (segments, self.segments, 2, 1024),
        ];
        let outside = ranges.iter().find(|(_, value, low, high)| !(low..=high).contains(&value));
        if let Some((name, value, low, high)) = outside {
            return Some(format!("{name} is {value}, expected {low} to {high}"));
        }
        if !self.width.is_multiple_of(self.heads) {
            return Some(format!("{heads} is {}, which does not divide {width}, {}", self.heads, self.width));
        }
        (!(self.epsilon >= 0.0 && self.epsilon < 1.0))
            .then(|| format!("{epsilon} is {}, expected 0 to 1", self.epsilon))
    }
}

/// `norm(x + attention(x))`, then `norm(x + mlp(x))`.
struct Block {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    attention_norm: LayerNorm,
    expand: Linear,
    contract: Linear,
    norm: LayerNorm,
}

impl Block {
    fn new(layout: &mut WeightLayout, index: usize, shape: &BertShape) -> Block {
        let (width, hidden) = (shape.width, shape.feed_forward);
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let mut linear =
            |part: &str, inputs, outputs| Linear::new(layout, &name(part), inputs, outputs, Init::embedding());
        let (query, key, value) = (
            linear("attention.self.query", width, width),
            linear("attention.self.key", width, width),
            linear("attention.self.value", width, width),
        );
        let output = linear("attention.output.dense", width, width);
        let (expand, contract) = (linear("intermediate.dense", width, hidden), linear("output.dense", hidden, width));
        let mut norm = |part: &str| LayerNorm::with_epsilon(layout, &name(part), width, shape.epsilon);
        let (attention_norm, norm) = (norm("attention.output.LayerNorm"), norm("output.LayerNorm"));
        Block { query, key, value, output, attention_norm, expand, contract, norm }
    }

    fn forward(&self, x: Tensor<3>, lengths: &[usize], net: &BertNet, pass: &mut Pass<'_>) -> Tensor<3> {
        let inputs = [&self.query, &self.key, &self.value].map(|linear| linear.forward(x.clone(), pass));
        let attended = pass.attend(inputs, net.shape.heads, lengths);
        let attended = self.output.forward(attended, pass);
        let x = self.attention_norm.forward(x + pass.dropout(attended, net.dropout), pass);
        let hidden = self.expand.forward(x.clone(), pass);
        let shape = hidden.dims();
        let hidden = gelu(hidden.flatten(0, 2)).reshape(shape);
        let changed = self.contract.forward(hidden, pass);
        self.norm.forward(x + pass.dropout(changed, net.dropout), pass)
    }
}

/// What the head takes of a sequence.
#[derive(Clone, Copy)]
enum Pooling {
    /// The mean of all pieces.
    Mean,
    /// `tanh(W x + b)` of the first piece.
    Class(Linear),
}

/// The network, with weights kept outside of it.
pub(crate) struct BertNet {
    layout: WeightLayout,
    buffers: WeightLayout,
    shape: BertShape,
    words: Weight,
    positions: Weight,
    segments: Weight,
    norm: LayerNorm,
    blocks: Vec<Block>,
    pooling: Pooling,
    head: Linear,
    dropout: f64,
    multiply_adds: u64,
}

/// How the names of the head's slots begin: the only weights that no pretrained encoder has.
pub(crate) const HEAD: &str = "head";

impl BertNet {
    /// The network for sequences of about `typical` pieces.
    pub(crate) fn new(shape: BertShape, typical: usize, params: &Resolved, outputs: usize) -> BertNet {
        let BertShape { vocabulary, width, layers, feed_forward, .. } = shape;
        let mut layout = WeightLayout::default();
        layout.set_depth(layers);
        let mut embedding = |name: &str, rows: usize| {
            layout.free(format!("embeddings.{name}_embeddings.weight"), &[rows, width], Init::embedding())
        };
        let words = embedding("word", vocabulary);
        let positions = embedding("position", shape.positions);
        let segments = embedding("token_type", shape.segments);
        let norm = LayerNorm::with_epsilon(&mut layout, "embeddings.LayerNorm", width, shape.epsilon);
        let mut blocks = Vec::with_capacity(layers);
        for index in 0..layers {
            // The last block has the full learning rate, as the head has.
            layout.set_depth(layers - 1 - index);
            blocks.push(Block::new(&mut layout, index, &shape));
        }
        layout.set_depth(0);
        let pooling = match params.word("pooling") {
            "class" => Pooling::Class(Linear::new(&mut layout, "pooler.dense", width, width, Init::embedding())),
            _ => Pooling::Mean,
        };
        let head = Linear::new(&mut layout, HEAD, width, outputs, Init::embedding());
        let block_cost = typical * width * (4 * width + 2 * feed_forward + 2 * typical);
        BertNet {
            layout,
            buffers: WeightLayout::default(),
            shape,
            words,
            positions,
            segments,
            norm,
            blocks,
            pooling,
            head,
            dropout: params.float("dropout"),
            multiply_adds: (layers * block_cost + width * outputs) as u64,
        }
    }

    /// The last block's numbers, `examples x pieces x width`.
    pub(crate) fn hidden(&self, texts: &TextBatch, pass: &mut Pass<'_>) -> Tensor<3> {
        let x: Tensor<3> = module::embedding(pass.weight(self.words), texts.ids.clone());
        let [_, pieces, width] = x.dims();
        let (positions, segments): (Tensor<2>, Tensor<2>) = (pass.weight(self.positions), pass.weight(self.segments));
        let positions = positions.narrow(0, 0, pieces);
        let x = match &texts.segments {
            Some(numbers) => x + positions.unsqueeze_dim(0) + module::embedding(segments, numbers.clone()),
            None => x + (positions + segments.narrow(0, 0, 1).expand([pieces, width])).unsqueeze_dim(0),
        };
        let mut x = pass.dropout(self.norm.forward(x, pass), self.dropout);
        for block in &self.blocks {
            x = block.forward(x, &texts.lengths, self, pass);
        }
        x
    }
}

impl Network for BertNet {
    fn layout(&self) -> &WeightLayout {
        &self.layout
    }

    fn buffers(&self) -> &WeightLayout {
        &self.buffers
    }

    fn pooled(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let Batch::Texts(texts) = batch else { unreachable!("a network gets the form of input it was designed for") };
        let x = self.hidden(texts, pass);
        match self.pooling {
            Pooling::Mean => masked_mean(x, texts.mask.clone()),
            Pooling::Class(pooler) => {
                let [examples, _, width] = x.dims();
                pooler.forward(x.narrow(1, 0, 1).reshape([examples, width]), pass).tanh()
            }
        }
    }

    fn width(&self) -> usize {
        self.shape.width
    }

    fn head(&self, pooled: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<2> {
        let pooled = pass.dropout(pooled, self.dropout);
        self.head.forward(pooled, pass)
    }

    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }

    fn attention(&self) -> Option<AttentionForm> {
        let reads_first_token = matches!(self.pooling, Pooling::Class(_));
        Some(AttentionForm { adds_class_token: false, reads_first_token, patches: None })
    }
}

/// The network for these parameters, inputs and outputs.
pub(crate) fn design(params: &Resolved, form: InputForm, outputs: usize) -> Box<dyn Network> {
    let InputForm::Pieces { shape, typical } = form else { unreachable!("a pretrained encoder reads word pieces") };
    Box::new(BertNet::new(shape, typical, params, outputs))
}
