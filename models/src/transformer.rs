//! `transformer`: a pre-norm encoder with multi-head attention over words, image patches, or the columns of a table. For tables, it is the
//! FT-Transformer (`neural/tabular.rs`).
//!
//! A pair of texts is one sequence, `first [SEP] second`, as in BERT (Devlin et al. 2018). So attention compares the
//! two texts word by word. If the class token is pooled, the sequence begins with it. Every token has the embedding of
//! its segment added.

use std::path::Path;

use burn::tensor::{Tensor, module};

use crate::model::{Device, InputShape, Model, ModelEntry, ModelError, Spec, Support, TaskShape};
use crate::neural::batch::Batch;
use crate::neural::encoder::{InputForm, Reading, TextReading};
use crate::neural::layers::{Embedding, LayerNorm, Linear, Pass, masked_last, masked_mean, relu};
use crate::neural::network::{AttentionForm, Network};
use crate::neural::recipe::{self, Choice, Choices, DROPOUT, Precision};
use crate::neural::reduction::{PruneGroup, Reduction};
use crate::neural::weights::{Init, Weight, WeightLayout};
use crate::neural::{Neural, fit_s, supports_table, tabular, typical, version};
use crate::parallel::Threads;
use crate::params::{DefaultValue, Domain, Param, ParamError, Resolved};
use crate::search::{Search, SearchDefault};

/// The entry in the registry.
pub(crate) struct Transformer;

const OWN: &[Param] = &[
    Param {
        name: "width",
        images: DefaultValue::Int(128),
        texts: DefaultValue::Int(128),
        tables: DefaultValue::Int(192),
        domain: Domain::Int(4, 4096),
        about: "numbers per token",
        source: "BERT-Tiny (Turc et al. 2019); tables: Gorishniy et al. 2021",
        search: None,
    },
    Param {
        name: "layers",
        images: DefaultValue::Int(4),
        texts: DefaultValue::Int(4),
        tables: DefaultValue::Int(3),
        domain: Domain::Int(1, 48),
        about: "encoder blocks",
        source: "our own choice: what two cores train in minutes; tables: Gorishniy et al. 2021",
        search: None,
    },
    Param {
        name: "heads",
        images: DefaultValue::Int(4),
        texts: DefaultValue::Int(4),
        tables: DefaultValue::Int(8),
        domain: Domain::Int(1, 64),
        about: "attention heads; they divide the width",
        source: "heads of 32 numbers: MiniLM (Wang et al. 2020); tables: Gorishniy et al. 2021",
        search: None,
    },
    Param {
        name: "feed_forward",
        images: DefaultValue::Int(256),
        texts: DefaultValue::Int(512),
        tables: DefaultValue::Int(256),
        domain: Domain::Int(4, 16_384),
        about: "width of the hidden layer of each block; over tables, of each of its two halves",
        source: "texts: four times the width (Vaswani et al. 2017); images: twice (Hassani et al. 2021, for small data); tables: 4/3 of it \
                 (Gorishniy et al. 2021)",
        search: None,
    },
    Param {
        name: "dropout",
        images: DefaultValue::Float(0.1),
        texts: DefaultValue::Float(0.1),
        tables: DefaultValue::Float(0.1),
        domain: Domain::Float(0.0, 0.9),
        about: "dropout of embeddings and of each sublayer's output; over tables, of the hidden layers",
        source: "Vaswani et al. 2017, section 5.4",
        search: Some(DROPOUT),
    },
    Param {
        name: "patch",
        images: DefaultValue::Int(4),
        texts: DefaultValue::Int(4),
        tables: DefaultValue::Int(4),
        domain: Domain::Int(1, 64),
        about: "side of an image patch in pixels; it divides both sides of the image; only for images",
        source: "4 for images of 32 pixels: Hassani et al. 2021",
        search: None,
    },
    Param {
        name: "pooling",
        images: DefaultValue::Word("mean"),
        texts: DefaultValue::Word("mean"),
        tables: DefaultValue::Word("class"),
        domain: Domain::Word(&["mean", "class", "last"]),
        about: "what is classified: the mean of all tokens, a class token before them, or the last token, the default on tasks of characters",
        source: "mean: Beyer et al. 2022; class: Devlin et al. 2018, and for tables Gorishniy et al. 2021; last: Radford et al. 2018",
        search: Some(Search::of_all(SearchDefault::Words(&["mean", "class"]), "those of classifiers")),
    },
];

static PARAMS: [Param; OWN.len() + recipe::SHARED] = recipe::table(
    OWN,
    Choices {
        epochs: Choice(DefaultValue::Int(100), DefaultValue::Int(10), DefaultValue::Int(30), "our own choice"),
        optimizer: Choice(
            DefaultValue::Word("adamw"),
            DefaultValue::Word("adamw"),
            DefaultValue::Word("adamw"),
            "Devlin et al. 2018",
        ),
        learning_rate: Choice(
            DefaultValue::Float(1e-3),
            DefaultValue::Float(5e-4),
            DefaultValue::Float(5e-4),
            "our own choice",
        ),
        weight_decay: Choice(
            DefaultValue::Float(0.05),
            DefaultValue::Float(0.01),
            DefaultValue::Float(1e-5),
            "Hassani et al. 2021; Devlin et al. 2018; tables: Gorishniy et al. 2021",
        ),
    },
);

impl ModelEntry for Transformer {
    fn name(&self) -> &'static str {
        "transformer"
    }

    fn about(&self) -> &'static str {
        "Transformer encoder over words, patches or columns, pre-norm (Vaswani et al. 2017, Dosovitskiy et al. 2020, Gorishniy et al. 2021)"
    }

    fn version(&self, device: Device) -> String {
        version(2, device)
    }

    fn params(&self) -> &'static [Param] {
        &PARAMS
    }

    fn learns_from_validation(&self) -> bool {
        false
    }

    fn supports(&self, shape: &TaskShape, params: &Resolved, device: Device) -> Support {
        let patch = params.int("patch");
        match shape.input {
            InputShape::Images { height, width, .. } if height % patch != 0 || width % patch != 0 => Support::No {
                reason: format!("patch = {patch} does not divide images of {height} x {width}; set a patch that does"),
            },
            InputShape::Table { .. } => supports_table(params, device),
            _ => Precision::supports(params, device),
        }
    }

    fn check(&self, params: &Resolved) -> Result<(), ParamError> {
        let (width, heads) = (params.int("width"), params.int("heads"));
        if width % heads == 0 {
            return Ok(());
        }
        Err(ParamError::Domain {
            name: "heads".to_owned(),
            found: heads.to_string(),
            expected: format!("a divisor of the width, {width}"),
        })
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        Some(fit_s(shape, params, threads, device, design, reading(&shape.input)))
    }

    fn pooled_width(&self, shape: &TaskShape, params: &Resolved) -> Option<usize> {
        Some(typical(shape, params, design, reading(&shape.input)).width())
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        if let Support::No { reason } = self.supports(&spec.shape, &spec.params, spec.device) {
            return Err(ModelError::Unsupported(reason));
        }
        Ok(Box::new(Neural::new(&Transformer, spec, design, reading(&spec.shape.input))?))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(Neural::load_as(&Transformer, (folder, threads, device), design, |spec| {
            reading(&spec.shape.input)
        })?))
    }
}

/// What the network reads of inputs of this form.
fn reading(input: &InputShape) -> Reading {
    if input.is_table() { Reading::Features } else { TextReading::Joined.into() }
}

/// One encoder block: `x + attention(norm(x))`, then `x + mlp(norm(x))` (pre-norm: Xiong et al. 2020).
struct Block {
    attention_norm: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    mlp_norm: LayerNorm,
    expand: Linear,
    contract: Linear,
}

impl Block {
    /// The heads of a block have `inner` numbers together.
    fn new(layout: &mut WeightLayout, name: &str, [width, inner, hidden]: [usize; 3]) -> Block {
        let glorot = Init::glorot(width, width);
        let mut linear =
            |part: &str, inputs, outputs| Linear::new(layout, &format!("{name}.{part}"), inputs, outputs, glorot);
        let (query, key, value) =
            (linear("query", width, inner), linear("key", width, inner), linear("value", width, inner));
        let output = linear("output", inner, width);
        let glorot = Init::glorot(width, hidden);
        Block {
            query,
            key,
            value,
            output,
            attention_norm: LayerNorm::new(layout, &format!("{name}.attention_norm"), width),
            mlp_norm: LayerNorm::new(layout, &format!("{name}.mlp_norm"), width),
            expand: Linear::new(layout, &format!("{name}.expand"), width, hidden, glorot),
            contract: Linear::new(layout, &format!("{name}.contract"), hidden, width, glorot),
        }
    }

    fn forward(&self, x: Tensor<3>, lengths: &[usize], net: &TransformerNet, pass: &mut Pass<'_>) -> Tensor<3> {
        let y = self.attention_norm.forward(x.clone(), pass);
        let inputs = [&self.query, &self.key, &self.value].map(|linear| linear.forward(y.clone(), pass));
        let attended = pass.attend(inputs, net.heads, lengths);
        let attended = self.output.forward(attended, pass);
        let x = x + pass.dropout(attended, net.dropout);
        let hidden = relu(self.expand.forward(self.mlp_norm.forward(x.clone(), pass), pass));
        let changed = self.contract.forward(hidden, pass);
        x + pass.dropout(changed, net.dropout)
    }
}

/// What makes the first vectors of tokens.
enum Stem {
    Words(Embedding),
    Patches {
        side: usize,
        /// How many there are from top to bottom and from left to right.
        grid: [usize; 2],
        project: Linear,
    },
}

struct TransformerNet {
    layout: WeightLayout,
    buffers: WeightLayout,
    stem: Stem,
    positions: Weight,
    /// The embeddings of the first and the second text of a pair.
    segments: Option<Weight>,
    class: Option<Weight>,
    /// Whether the last token is classified.
    last: bool,
    blocks: Vec<Block>,
    norm: LayerNorm,
    head: Linear,
    /// Numbers per token.
    width: usize,
    heads: usize,
    /// Numbers per head.
    depth: usize,
    /// Units of the hidden layer of a block.
    hidden: usize,
    dropout: f64,
    multiply_adds: u64,
}

/// The network for these parameters, inputs and outputs.
pub(crate) fn design(params: &Resolved, form: InputForm, outputs: usize) -> Box<dyn Network> {
    reduced(params, form, outputs, Reduction::None)
}

/// The same network, made smaller. Attention heads and units of the hidden layers can be pruned.
pub(crate) fn reduced(params: &Resolved, form: InputForm, outputs: usize, reduction: Reduction) -> Box<dyn Network> {
    if let InputForm::Columns { groups } = &form {
        return tabular::ft_transformer(params, groups, outputs);
    }
    let (width, layers) = (params.int("width"), params.int("layers"));
    let depth = width / params.int("heads");
    let (heads, hidden) = (reduction.units(params.int("heads")), reduction.units(params.int("feed_forward")));
    let inner = heads * depth;
    let mut layout = WeightLayout::of(reduction);
    let (stem, longest, tokens, stem_cost) = match form {
        InputForm::Tokens { vocabulary, longest, typical, .. } => {
            (Stem::Words(Embedding::new(&mut layout, vocabulary, width)), longest, typical, 0)
        }
        InputForm::Images { channels, height, width: columns } => {
            let side = params.int("patch");
            let inputs = side * side * channels;
            let project = Linear::new(&mut layout, "patches", inputs, width, Init::glorot(inputs, width));
            let grid = [height / side, columns / side];
            let tokens = grid[0] * grid[1];
            (Stem::Patches { side, grid, project }, tokens, tokens, tokens * reduction.product(inputs, width))
        }
        _ => unreachable!("this network reads pixels and words"),
    };
    let class = (params.word("pooling") == "class").then(|| layout.free("class", &[1, 1, width], Init::embedding()));
    let extra = usize::from(class.is_some());
    let positions = layout.free("positions", &[longest + extra, width], Init::embedding());
    let sizes = [width, inner, hidden];
    let blocks = (0..layers).map(|index| Block::new(&mut layout, &format!("block{index}"), sizes)).collect();
    let norm = LayerNorm::new(&mut layout, "norm", width);
    let head = Linear::head(&mut layout, "head", width, outputs, Init::glorot(width, outputs));
    let joined = matches!(form, InputForm::Tokens { reading: TextReading::Joined, .. });
    let segments = joined.then(|| layout.free("segments", &[2, width], Init::embedding()));
    let tokens = tokens + extra;
    let products = 3 * reduction.product(width, inner)
        + reduction.product(inner, width)
        + reduction.product(width, hidden)
        + reduction.product(hidden, width);
    let block_cost = tokens * (products + 2 * tokens * inner);
    Box::new(TransformerNet {
        layout,
        buffers: WeightLayout::default(),
        stem,
        positions,
        segments,
        class,
        last: params.word("pooling") == "last",
        blocks,
        norm,
        head,
        width,
        heads,
        depth,
        hidden,
        dropout: params.float("dropout"),
        multiply_adds: (stem_cost + layers * block_cost + width * outputs) as u64,
    })
}

/// `examples x height x width x channels` as `examples x patches x (side * side * channels)`.
fn patches(pixels: Tensor<4>, side: usize) -> Tensor<3> {
    let [examples, height, width, channels] = pixels.dims();
    let (down, across) = (height / side, width / side);
    pixels.reshape([examples, down, side, across, side, channels]).permute([0, 1, 3, 2, 4, 5]).reshape([
        examples,
        down * across,
        side * side * channels,
    ])
}

impl Network for TransformerNet {
    fn layout(&self) -> &WeightLayout {
        &self.layout
    }

    fn buffers(&self) -> &WeightLayout {
        &self.buffers
    }

    fn pooled(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let (mut x, mut lengths) = match (batch, &self.stem) {
            (Batch::Texts(tokens), Stem::Words(words)) => {
                let mut x = words.forward(tokens.ids.clone(), pass);
                if let (Some(embedding), Some(segments)) = (self.segments, &tokens.segments) {
                    x = x + module::embedding(pass.weight(embedding), segments.clone());
                }
                (x, tokens.lengths.clone())
            }
            (Batch::Images(pixels), Stem::Patches { side, project, .. }) => {
                let x = project.forward(patches(pixels.clone(), *side), pass);
                let [examples, tokens, _] = x.dims();
                (x, vec![tokens; examples])
            }
            _ => unreachable!("a network gets the form of input it was designed for"),
        };
        let [examples, _, width] = x.dims();
        if let Some(class) = self.class {
            let class: Tensor<3> = pass.weight(class);
            x = Tensor::cat(vec![class.expand([examples, 1, width]), x], 1);
            lengths.iter_mut().for_each(|length| *length += 1);
        }
        let positions: Tensor<2> = pass.weight(self.positions);
        x = x.clone() + positions.narrow(0, 0, x.dims()[1]).unsqueeze_dim(0);
        x = pass.dropout(x, self.dropout);
        for block in &self.blocks {
            x = block.forward(x, &lengths, self, pass);
        }
        let x = self.norm.forward(x, pass);
        match (self.class, batch) {
            (Some(_), _) => x.narrow(1, 0, 1).reshape([examples, width]),
            (None, Batch::Texts(tokens)) if self.last => masked_last(x, tokens.mask.clone()),
            (None, Batch::Texts(tokens)) => masked_mean(x, tokens.mask.clone()),
            (None, _) if self.last => {
                let last = x.dims()[1] - 1;
                x.narrow(1, last, 1).squeeze_dim(1)
            }
            (None, _) => x.mean_dim(1).squeeze_dim(1),
        }
    }

    fn width(&self) -> usize {
        self.width
    }

    fn head(&self, pooled: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<2> {
        self.head.forward(pooled, pass)
    }

    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }

    fn prune_groups(&self) -> Vec<PruneGroup> {
        let of_block = |block: usize| {
            let name = |part: &str| format!("block{block}.{part}");
            let mut heads = PruneGroup::of(self.heads);
            for part in ["query", "key", "value"] {
                heads = heads.with_sized(name(&format!("{part}.weight")), 1, self.depth);
                heads = heads.with_sized(name(&format!("{part}.bias")), 0, self.depth);
            }
            let heads = heads.with_sized(name("output.weight"), 0, self.depth);
            let units = PruneGroup::of(self.hidden)
                .with(name("expand.weight"), 1)
                .with(name("expand.bias"), 0)
                .with(name("contract.weight"), 0);
            [heads, units]
        };
        (0..self.blocks.len()).flat_map(of_block).collect()
    }

    fn attention(&self) -> Option<AttentionForm> {
        let has_class_token = self.class.is_some();
        let patches = match self.stem {
            Stem::Patches { grid, .. } => Some(grid),
            Stem::Words(_) => None,
        };
        Some(AttentionForm { adds_class_token: has_class_token, reads_first_token: has_class_token, patches })
    }
}
