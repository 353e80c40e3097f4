//! The network of recurrent models: cells of one kind over words or over the rows of an image, in one or both directions.
//!
//! The two texts of a pair are read apart with the same weights and pooled to `u` and `v`, and the last layer gets
//! `[u, v, |u - v|, u * v]` (InferSent, Conneau et al. 2017). If they were one sequence, the memory would have to carry the
//! first text through the whole second one. GLUE's own BiLSTM baseline (Wang et al. 2018) does the same.

use burn::tensor::Tensor;

use super::batch::Batch;
use super::encoder::{InputForm, TextReading};
use super::layers::{
    Embedding, Linear, Pass, compare, linear, masked_last, masked_max, masked_mean, recur_gru, recur_lstm,
};
use super::network::Network;
use super::recipe::DROPOUT;
use super::reduction::{PruneGroup, Reduction};
use super::weights::{Init, Weight, WeightLayout};
use crate::params::{DefaultValue, Domain, Param, Resolved};
use crate::search::{Search, SearchDefault};

/// How many parameters all recurrent models share beside those of training.
pub(crate) const OWN: usize = 6;

/// The parameters that all recurrent models share. `units` says what a direction has.
pub(crate) const fn own(units: &'static str) -> [Param; OWN] {
    [
        Param {
            name: "hidden",
            images: DefaultValue::Int(128),
            texts: DefaultValue::Int(128),
            tables: DefaultValue::Int(128),
            domain: Domain::Int(1, 4096),
            about: units,
            source: "our own choice: what two cores train in minutes",
            search: None,
        },
        Param {
            name: "layers",
            images: DefaultValue::Int(1),
            texts: DefaultValue::Int(1),
            tables: DefaultValue::Int(1),
            domain: Domain::Int(1, 8),
            about: "layers per direction; each direction has a stack of its own",
            source: "stacks of their own: Peters et al. 2018",
            search: None,
        },
        Param {
            name: "bidirectional",
            images: DefaultValue::Bool(true),
            texts: DefaultValue::Bool(true),
            tables: DefaultValue::Bool(true),
            domain: Domain::Switch,
            about: "read from both ends",
            source: "Graves and Schmidhuber 2005",
            search: None,
        },
        Param {
            name: "embedding",
            images: DefaultValue::Int(128),
            texts: DefaultValue::Int(128),
            tables: DefaultValue::Int(128),
            domain: Domain::Int(1, 4096),
            about: "numbers per word; only for texts",
            source: "our own choice",
            search: None,
        },
        Param {
            name: "pooling",
            images: DefaultValue::Word("mean"),
            texts: DefaultValue::Word("max"),
            tables: DefaultValue::Word("max"),
            domain: Domain::Word(&["mean", "max", "last"]),
            about: "the mean or the largest of the outputs of all steps, or the output of the last step of each direction, the default on tasks of characters",
            source: "max: Conneau et al. 2017; last: Graves 2013, for the next character",
            search: Some(Search::of_all(SearchDefault::Words(&["mean", "max"]), "both of ours")),
        },
        Param {
            name: "dropout",
            images: DefaultValue::Float(0.2),
            texts: DefaultValue::Float(0.3),
            tables: DefaultValue::Float(0.3),
            domain: Domain::Float(0.0, 0.9),
            about: "dropout of inputs and of the pooled output",
            source: "on non-recurrent connections only: Zaremba et al. 2014; the rates are our own choice",
            search: Some(DROPOUT),
        },
    ]
}

/// What a unit computes at each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Long short-term memory. The gates are in the order input, forget, output, candidate.
    Lstm,
    /// A gated recurrent unit. The gates are in the order reset, update, candidate.
    Gru,
}

impl Cell {
    /// How many gates a unit has.
    fn gates(self) -> usize {
        match self {
            Cell::Lstm => 4,
            Cell::Gru => 3,
        }
    }
}

/// One layer, in all directions at once.
struct Layer {
    cell: Cell,
    input: Weight,
    recurrent: Weight,
    bias: Weight,
    /// For gated recurrent units: what is added to the candidate's product with the old output before it is reset.
    candidate_bias: Option<Weight>,
}

impl Layer {
    fn new(layout: &mut WeightLayout, name: &str, cell: Cell, [directions, inputs, hidden]: [usize; 3]) -> Layer {
        let wide = cell.gates() * hidden;
        let bound = Init::Uniform((hidden as f32).sqrt().recip());
        let zero = Init::Constant(0.0);
        Layer {
            cell,
            input: layout.matrix(format!("{name}.input"), &[directions, inputs, wide], bound),
            recurrent: layout.matrix(format!("{name}.recurrent"), &[directions, hidden, wide], bound),
            bias: layout.free(format!("{name}.bias"), &[directions, 1, wide], zero),
            candidate_bias: (cell == Cell::Gru)
                .then(|| layout.free(format!("{name}.candidate_bias"), &[directions, 1, hidden], zero)),
        }
    }

    /// `directions x steps x examples x inputs` to `directions x steps x examples x hidden`. One product covers all
    /// inputs; then each step has one recurrent product.
    fn forward(&self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let [directions, steps, examples, inputs] = x.dims();
        let recurrent: Tensor<3> = pass.weight(self.recurrent);
        let (input, bias): (Tensor<3>, Tensor<3>) = (pass.weight(self.input), pass.weight(self.bias));
        let gates = (0..directions).map(|way| {
            let part = |tensor: Tensor<3>| tensor.narrow(0, way, 1).flatten(0, 2);
            let x = x.clone().reshape([directions, steps * examples, inputs]);
            linear(part(x), part(input.clone()), part(bias.clone()), pass.precision())
        });
        let gates: Tensor<1> =
            if directions == 1 { gates.collect::<Vec<_>>().remove(0) } else { Tensor::cat(gates.collect(), 0) };
        let gates = gates.reshape([directions, steps, examples, self.cell.gates() * recurrent.dims()[1]]);
        match self.candidate_bias {
            Some(bias) => recur_gru(gates, recurrent, pass.weight(bias), pass.precision()),
            None => recur_lstm(gates, recurrent, pass.precision()),
        }
    }
}

/// What the outputs of all steps become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pooling {
    Mean,
    Largest,
    /// The output of the last step. In a sequence that is read backwards, that is the step of the first word.
    Last,
}

struct RecurrentNet {
    layout: WeightLayout,
    buffers: WeightLayout,
    words: Option<Embedding>,
    layers: Vec<Layer>,
    head: Linear,
    /// Numbers that the head takes.
    width: usize,
    directions: usize,
    pooling: Pooling,
    reading: TextReading,
    dropout: f64,
    multiply_adds: u64,
}

/// The network of such cells for these parameters, inputs and outputs.
///
/// If it is to be pruned, each layer loses the same units in all directions. Its products are not divided into two.
pub(crate) fn network(
    cell: Cell,
    params: &Resolved,
    form: InputForm,
    outputs: usize,
    reduction: Reduction,
) -> Box<dyn Network> {
    let hidden = reduction.units(params.int("hidden"));
    let directions = if params.switch("bidirectional") { 2 } else { 1 };
    let mut layout = WeightLayout::of(reduction);
    let (words, inputs, steps, reading) = match form {
        InputForm::Tokens { vocabulary, typical, reading, .. } => {
            let width = params.int("embedding");
            (Some(Embedding::new(&mut layout, vocabulary, width)), width, typical, reading)
        }
        InputForm::Images { channels, height, width } => (None, width * channels, height, TextReading::Single),
        _ => unreachable!("this network reads pixels and words"),
    };
    let widths = std::iter::once(inputs).chain(std::iter::repeat(hidden)).take(params.int("layers"));
    let mut products = 0;
    let mut layers = Vec::new();
    for (index, width) in widths.enumerate() {
        layers.push(Layer::new(&mut layout, &format!("layer{index}"), cell, [directions, width, hidden]));
        products += directions * cell.gates() * hidden * (width + hidden);
    }
    let pooled = directions * hidden * if reading == TextReading::Apart { 4 } else { 1 };
    let head = Linear::head(&mut layout, "head", pooled, outputs, Init::glorot(pooled, outputs));
    Box::new(RecurrentNet {
        layout,
        buffers: WeightLayout::default(),
        words,
        layers,
        head,
        width: pooled,
        directions,
        pooling: match params.word("pooling") {
            "max" => Pooling::Largest,
            "last" => Pooling::Last,
            _ => Pooling::Mean,
        },
        reading,
        dropout: params.float("dropout"),
        multiply_adds: (reading.sequences() * steps * products + pooled * outputs) as u64,
    })
}

impl RecurrentNet {
    /// The sequence as each direction reads it, `directions x steps x examples x inputs`, and a mask with zeros for padding,
    /// `examples x steps`. Padding is at the end in both directions, so no step before it depends on it.
    fn sequences(&self, batch: &Batch, pass: &mut Pass<'_>) -> (Tensor<4>, Tensor<2>) {
        let (ways, mask): (Vec<Tensor<3>>, Tensor<2>) = match batch {
            Batch::Texts(tokens) => {
                let words = self.words.expect("a network for texts has an embedding");
                let ids = [&tokens.ids, &tokens.reversed];
                let ways = ids[..self.directions].iter().map(|&ids| words.forward(ids.clone(), pass));
                (ways.collect(), tokens.mask.clone())
            }
            Batch::Images(pixels) => {
                let [examples, rows, columns, channels] = pixels.dims();
                let x = pixels.clone().reshape([examples, rows, columns * channels]);
                let mut ways = vec![x.clone()];
                if self.directions == 2 {
                    ways.push(x.flip([1]));
                }
                (ways, Tensor::ones([examples, rows], &pixels.device()))
            }
            Batch::Features(_) | Batch::WithFeatures(..) => {
                unreachable!("a network gets the form of input it was designed for")
            }
        };
        let ways = ways.into_iter().map(|way| way.swap_dims(0, 1).unsqueeze_dim::<4>(0)).collect();
        (pass.dropout(Tensor::cat(ways, 0), self.dropout), mask)
    }
}

impl Network for RecurrentNet {
    fn layout(&self) -> &WeightLayout {
        &self.layout
    }

    fn buffers(&self) -> &WeightLayout {
        &self.buffers
    }

    fn pooled(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let (mut x, mask) = self.sequences(batch, pass);
        for layer in &self.layers {
            x = layer.forward(x, pass);
        }
        let [directions, steps, examples, hidden] = x.dims();
        let x = x.permute([2, 1, 0, 3]).reshape([examples, steps, directions * hidden]);
        let pooled = match self.pooling {
            Pooling::Mean => masked_mean(x, mask),
            Pooling::Largest => masked_max(x, mask),
            Pooling::Last => masked_last(x, mask),
        };
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
        let texts = if self.reading == TextReading::Apart { 4 } else { 1 };
        let hidden = self.width / (self.directions * texts);
        let last = self.layers.len() - 1;
        let of_layer = |(index, layer): (usize, &Layer)| {
            let name = |part: &str| format!("layer{index}.{part}");
            // The gates follow each other, each with all units.
            let mut group = PruneGroup::of(hidden)
                .with(name("input"), 2)
                .with(name("recurrent"), 2)
                .with(name("recurrent"), 1)
                .with(name("bias"), 2);
            if layer.candidate_bias.is_some() {
                group = group.with(name("candidate_bias"), 2);
            }
            if index < last { group.with(format!("layer{}.input", index + 1), 1) } else { group.with("head.weight", 0) }
        };
        self.layers.iter().enumerate().map(of_layer).collect()
    }
}
