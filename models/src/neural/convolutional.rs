//! The networks of convolutions, over the pixels of small images or over the words of a text: residual ones, and plain ones
//! that differ from them in nothing but the missing shortcuts (He et al. 2015).
//!
//! The two texts of a pair are read apart with the same weights and pooled to `u` and `v`, and the last layer gets
//! `[u, v, |u - v|, u * v]` (Conneau et al. 2017, who tried a convolution network too). If they were one sequence, a
//! window of three words would hardly ever hold words of both.

use burn::tensor::Tensor;

use super::batch::Batch;
use super::encoder::{InputForm, TextReading};
use super::layers::{BatchNorm, Conv, Embedding, LayerNorm, Linear, Pass, compare, masked_last, masked_max, relu};
use super::network::Network;
use super::recipe::{self, Choice, Choices, DROPOUT};
use super::reduction::{PruneGroup, Reduction};
use super::tabular;
use super::weights::{Init, WeightLayout};
use crate::params::{DefaultValue, Domain, Param, Resolved};

const OWN: &[Param] = &[
    Param {
        name: "depth",
        images: DefaultValue::Int(20),
        texts: DefaultValue::Int(8),
        tables: DefaultValue::Int(8),
        domain: Domain::IntOf(&[8, 20, 32, 44, 56, 110]),
        about: "weighted layers: three stages of blocks of two convolutions, and two more layers; over tables, blocks of two products and two \
                more layers",
        source: "6n + 2: He et al. 2015, section 4.2",
        search: None,
    },
    Param {
        name: "width",
        images: DefaultValue::Int(16),
        texts: DefaultValue::Int(64),
        tables: DefaultValue::Int(192),
        domain: Domain::Int(1, 512),
        about: "channels of the first stage; each further stage over images has twice those of the one before; over tables, numbers between \
                blocks, and twice as many within them",
        source: "16: He et al. 2015, section 4.2; texts: our own choice; tables: Gorishniy et al. 2021",
        search: None,
    },
    Param {
        name: "dropout",
        images: DefaultValue::Float(0.0),
        texts: DefaultValue::Float(0.3),
        tables: DefaultValue::Float(0.15),
        domain: Domain::Float(0.0, 0.9),
        about: "dropout of word embeddings and before the last layer; over tables, within the blocks",
        source: "images: none, as He et al. 2015; texts: our own choice; tables: Gorishniy et al. 2021",
        search: Some(DROPOUT),
    },
    Param {
        name: "pooling",
        images: DefaultValue::Word("max"),
        texts: DefaultValue::Word("max"),
        tables: DefaultValue::Word("max"),
        domain: Domain::Word(&["max", "last"]),
        about: "texts: the largest of each number over all words, or the numbers of the last word, the default on tasks of characters; images have the mean",
        source: "max: Collobert et al. 2011; last: what the next character depends on stands at the end",
        search: None,
    },
];

/// The parameters of residual and of plain networks. They are the same, so that the two can be compared.
pub(crate) static PARAMS: [Param; OWN.len() + recipe::SHARED] = recipe::table(
    OWN,
    Choices {
        epochs: Choice(
            DefaultValue::Int(160),
            DefaultValue::Int(8),
            DefaultValue::Int(30),
            "images: the 64,000 steps of He et al. 2015 at 50,000 rows; texts and tables: ours",
        ),
        optimizer: Choice(
            DefaultValue::Word("sgd"),
            DefaultValue::Word("adamw"),
            DefaultValue::Word("adamw"),
            "He et al. 2015; texts and tables: our own choice",
        ),
        learning_rate: Choice(
            DefaultValue::Float(0.1),
            DefaultValue::Float(2e-3),
            DefaultValue::Float(1e-3),
            "He et al. 2015; texts and tables: our own choice",
        ),
        weight_decay: Choice(
            DefaultValue::Float(1e-4),
            DefaultValue::Float(0.01),
            DefaultValue::Float(1e-5),
            "He et al. 2015; texts: our own choice; tables: Gorishniy et al. 2021",
        ),
    },
);

/// Whether each block of a network has a shortcut around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortcuts {
    /// A residual network.
    Residual,
    /// A plain network.
    None,
}

/// The network for these parameters, inputs and outputs.
///
/// If it is to be pruned, each block loses channels between its two convolutions (Li et al. 2017, section 3.2), so that its
/// input and its output keep their shape.
pub(crate) fn network(
    shortcuts: Shortcuts,
    params: &Resolved,
    form: InputForm,
    outputs: usize,
    reduction: Reduction,
) -> Box<dyn Network> {
    let blocks = (params.int("depth") - 2) / 6;
    let (width, dropout) = (params.int("width"), params.float("dropout"));
    match form {
        InputForm::Images { channels, height, width: columns } => {
            let form = (shortcuts, reduction);
            Box::new(ImageNet::new(form, [blocks, width, outputs], [height, columns, channels], dropout))
        }
        InputForm::Tokens { vocabulary, typical, reading, .. } => {
            let form = (shortcuts, reduction);
            let mut net = TextNet::new(form, [blocks, width, outputs], [vocabulary, typical], reading, dropout);
            net.last = params.word("pooling") == "last";
            Box::new(net)
        }
        // Only the residual one has a form for tables, and it is not made smaller.
        InputForm::Columns { groups } => tabular::resnet(params, groups.iter().sum(), outputs),
        _ => unreachable!("this network reads pixels, words and tables"),
    }
}

/// Two 3 x 3 convolutions, and in a residual network beside them a shortcut without weights ("option A" of He et al.
/// 2015).
struct ImageBlock {
    shortcuts: Shortcuts,
    first: Conv,
    first_norm: BatchNorm,
    second: Conv,
    second_norm: BatchNorm,
    stride: usize,
}

impl ImageBlock {
    fn new(
        shortcuts: Shortcuts,
        layouts: &mut (WeightLayout, WeightLayout),
        name: &str,
        channels: [usize; 2],
        stride: usize,
    ) -> ImageBlock {
        let (layout, buffers) = layouts;
        let [inputs, outputs] = channels;
        let inner = layout.reduction().units(outputs);
        ImageBlock {
            shortcuts,
            first: Conv::new(layout, &format!("{name}.conv1"), inputs, inner),
            first_norm: BatchNorm::new(layout, buffers, &format!("{name}.bn1"), inner),
            second: Conv::new(layout, &format!("{name}.conv2"), inner, outputs),
            second_norm: BatchNorm::new(layout, buffers, &format!("{name}.bn2"), outputs),
            stride,
        }
    }

    fn forward(&self, x: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<4> {
        let y = self.first.forward(x.clone(), self.stride, pass);
        let y = self.first_norm.relu(y, None, pass);
        let y = self.second.forward(y, 1, pass);
        let shortcut = match self.shortcuts {
            Shortcuts::None => None,
            Shortcuts::Residual if self.stride == 1 => Some(x),
            Shortcuts::Residual => Some(thin(x, y.dims())),
        };
        self.second_norm.relu(y, shortcut, pass)
    }
}

/// Every second pixel in both directions. Channels of zeros are added, half of them before and half after the old ones.
fn thin(x: Tensor<4>, shape: [usize; 4]) -> Tensor<4> {
    let [examples, height, width, channels] = shape;
    let x = x.slice(burn::tensor::s![.., 0..;2, 0..;2, ..]);
    let added = channels - x.dims()[3];
    let zeros = |count: usize| Tensor::zeros([examples, height, width, count], &x.device());
    let (before, after) = (zeros(added / 2), zeros(added - added / 2));
    Tensor::cat(vec![before, x, after], 3)
}

struct ImageNet {
    layouts: (WeightLayout, WeightLayout),
    stem: Conv,
    stem_norm: BatchNorm,
    blocks: Vec<ImageBlock>,
    per_stage: usize,
    head: Linear,
    /// Numbers that the head takes.
    width: usize,
    dropout: f64,
    multiply_adds: u64,
}

impl ImageNet {
    /// `shape` is the number of blocks per stage, of channels of the first stage, and of outputs. `image` is height,
    /// width and channels. Slots are named as in PyTorch's usual code, which published weights follow.
    fn new(
        (shortcuts, reduction): (Shortcuts, Reduction),
        shape: [usize; 3],
        image: [usize; 3],
        dropout: f64,
    ) -> ImageNet {
        let [per_stage, width, outputs] = shape;
        let [mut height, mut columns, channels] = image;
        let mut layouts = (WeightLayout::of(reduction), WeightLayout::default());
        let stem = Conv::new(&mut layouts.0, "conv1", channels, width);
        let stem_norm = BatchNorm::new(&mut layouts.0, &mut layouts.1, "bn1", width);
        let mut multiply_adds = height * columns * reduction.product(9 * channels, width);
        let mut blocks = Vec::with_capacity(3 * per_stage);
        let mut inputs = width;
        for stage in 0..3 {
            let filters = width << stage;
            for index in 0..per_stage {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                (height, columns) = (height.div_ceil(stride), columns.div_ceil(stride));
                let name = format!("layer{}.{index}", stage + 1);
                blocks.push(ImageBlock::new(shortcuts, &mut layouts, &name, [inputs, filters], stride));
                let inner = reduction.units(filters);
                let products = reduction.product(9 * inputs, inner) + reduction.product(9 * inner, filters);
                multiply_adds += height * columns * products;
                inputs = filters;
            }
        }
        let head = Linear::head(&mut layouts.0, "linear", inputs, outputs, Init::glorot(inputs, outputs));
        let multiply_adds = (multiply_adds + inputs * outputs) as u64;
        ImageNet { layouts, stem, stem_norm, blocks, per_stage, head, width: inputs, dropout, multiply_adds }
    }
}

impl Network for ImageNet {
    fn layout(&self) -> &WeightLayout {
        &self.layouts.0
    }

    fn buffers(&self) -> &WeightLayout {
        &self.layouts.1
    }

    fn pooled(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let Batch::Images(pixels) = batch else { unreachable!("a network gets the form of input it was designed for") };
        let x = self.stem.forward(pixels.clone(), 1, pass);
        let mut x = self.stem_norm.relu(x, None, pass);
        for block in &self.blocks {
            x = block.forward(x, pass);
        }
        let [examples, height, width, channels] = x.dims();
        x.reshape([examples, height * width, channels]).mean_dim(1).squeeze_dim::<2>(1)
    }

    fn width(&self) -> usize {
        self.width
    }

    fn head(&self, pooled: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<2> {
        let pooled = pass.dropout(pooled, self.dropout);
        self.head.forward(pooled, pass)
    }

    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }

    fn prune_groups(&self) -> Vec<PruneGroup> {
        let of_block = |index: usize| {
            let name = format!("layer{}.{}", index / self.per_stage + 1, index % self.per_stage);
            let channels = self.width >> (2 - index / self.per_stage);
            PruneGroup::of(channels)
                .with(format!("{name}.conv1.weight"), 3)
                .with(format!("{name}.bn1.weight"), 0)
                .with(format!("{name}.bn1.bias"), 0)
                .with(format!("{name}.conv2.weight"), 2)
                .with_buffer(format!("{name}.bn1.running_mean"))
                .with_buffer(format!("{name}.bn1.running_var"))
        };
        (0..self.blocks.len()).map(of_block).collect()
    }
}

/// Two convolutions over three words each, pre-activation (He et al. 2016), and in a residual network a shortcut beside
/// them. It has layer normalisation instead of batch normalisation, because padding would count in the statistics of a
/// batch.
struct TextBlock {
    shortcuts: Shortcuts,
    first_norm: LayerNorm,
    first: Linear,
    second_norm: LayerNorm,
    second: Linear,
}

impl TextBlock {
    fn new(shortcuts: Shortcuts, layout: &mut WeightLayout, name: &str, width: usize) -> TextBlock {
        let init = Init::he(3 * width);
        let inner = layout.reduction().units(width);
        TextBlock {
            shortcuts,
            first_norm: LayerNorm::new(layout, &format!("{name}.norm1"), width),
            first: Linear::new(layout, &format!("{name}.conv1"), 3 * width, inner, init),
            second_norm: LayerNorm::new(layout, &format!("{name}.norm2"), inner),
            second: Linear::new(layout, &format!("{name}.conv2"), 3 * inner, width, init),
        }
    }

    fn forward(&self, x: Tensor<3>, mask: &Tensor<3>, pass: &Pass<'_>) -> Tensor<3> {
        let y = relu(self.first_norm.forward(x.clone(), pass)) * mask.clone();
        let y = self.first.forward(neighbours(y), pass);
        let y = relu(self.second_norm.forward(y, pass)) * mask.clone();
        let y = self.second.forward(neighbours(y), pass);
        match self.shortcuts {
            Shortcuts::None => y,
            Shortcuts::Residual => x + y,
        }
    }
}

/// Each token's vector between those of the tokens before and after it. Beyond the ends, the vectors are zero.
fn neighbours(x: Tensor<3>) -> Tensor<3> {
    let [examples, tokens, width] = x.dims();
    let edge = Tensor::zeros([examples, 1, width], &x.device());
    let padded = Tensor::cat(vec![edge.clone(), x.clone(), edge], 1);
    let (before, after) = (padded.clone().narrow(1, 0, tokens), padded.narrow(1, 2, tokens));
    Tensor::cat(vec![before, x, after], 2)
}

struct TextNet {
    layouts: (WeightLayout, WeightLayout),
    words: Embedding,
    blocks: Vec<TextBlock>,
    norm: LayerNorm,
    head: Linear,
    /// Numbers that the head takes.
    width: usize,
    /// Whether the last word is classified.
    last: bool,
    reading: TextReading,
    dropout: f64,
    multiply_adds: u64,
}

impl TextNet {
    /// `shape` is as for images. All stages have the same width and keep all tokens, because texts are short. `tokens`
    /// is the number of different tokens, and the number of tokens of a typical text.
    fn new(
        (shortcuts, reduction): (Shortcuts, Reduction),
        shape: [usize; 3],
        tokens: [usize; 2],
        reading: TextReading,
        dropout: f64,
    ) -> TextNet {
        let ([per_stage, width, outputs], [vocabulary, typical]) = (shape, tokens);
        let mut layout = WeightLayout::of(reduction);
        let words = Embedding::new(&mut layout, vocabulary, width);
        let block = |index| TextBlock::new(shortcuts, &mut layout, &format!("block{index}"), width);
        let blocks: Vec<_> = (0..3 * per_stage).map(block).collect();
        let norm = LayerNorm::new(&mut layout, "norm", width);
        let pooled = width * if reading == TextReading::Apart { 4 } else { 1 };
        let head = Linear::head(&mut layout, "linear", pooled, outputs, Init::glorot(pooled, outputs));
        let inner = reduction.units(width);
        let products = reduction.product(3 * width, inner) + reduction.product(3 * inner, width);
        let text = typical * blocks.len() * products;
        let multiply_adds = (reading.sequences() * text + pooled * outputs) as u64;
        TextNet {
            layouts: (layout, WeightLayout::default()),
            words,
            blocks,
            norm,
            head,
            width: pooled,
            last: false,
            reading,
            dropout,
            multiply_adds,
        }
    }
}

impl Network for TextNet {
    fn layout(&self) -> &WeightLayout {
        &self.layouts.0
    }

    fn buffers(&self) -> &WeightLayout {
        &self.layouts.1
    }

    fn pooled(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let Batch::Texts(tokens) = batch else { unreachable!("a network gets the form of input it was designed for") };
        let mask: Tensor<3> = tokens.mask.clone().unsqueeze_dim(2);
        let x = self.words.forward(tokens.ids.clone(), pass);
        let mut x = pass.dropout(x, self.dropout);
        for block in &self.blocks {
            x = block.forward(x, &mask, pass);
        }
        let x = relu(self.norm.forward(x, pass));
        let pool = if self.last { masked_last } else { masked_max };
        let pooled = pool(x, tokens.mask.clone());
        if self.reading == TextReading::Apart { compare(pooled) } else { pooled }
    }

    fn width(&self) -> usize {
        self.width
    }

    fn head(&self, pooled: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<2> {
        let pooled = pass.dropout(pooled, self.dropout);
        self.head.forward(pooled, pass)
    }

    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }

    fn prune_groups(&self) -> Vec<PruneGroup> {
        let channels = self.width / if self.reading == TextReading::Apart { 4 } else { 1 };
        let of_block = |index: usize| {
            let name = |part: &str| format!("block{index}.{part}");
            // The second convolution reads the channels of three words.
            PruneGroup::of(channels)
                .with(name("conv1.weight"), 1)
                .with(name("conv1.bias"), 0)
                .with(name("norm2.weight"), 0)
                .with(name("norm2.bias"), 0)
                .with(name("conv2.weight"), 0)
        };
        (0..self.blocks.len()).map(of_block).collect()
    }
}
