//! `lstm`: a long short-term memory, in one or both directions, over words or the rows of an image.
//!
//! The two texts of a pair are read apart with the same weights and pooled to `u` and `v`, and the last layer gets
//! `[u, v, |u - v|, u * v]` (InferSent, Conneau et al. 2017). If they were one sequence, the memory would have to carry the
//! first text through the whole second one. GLUE's own BiLSTM baseline (Wang et al. 2018) does the same.

use std::path::Path;

use burn::tensor::Tensor;

use crate::model::{Device, Model, ModelEntry, ModelError, Spec, Support, TaskShape};
use crate::neural::batch::Batch;
use crate::neural::encoder::{InputForm, TextReading};
use crate::neural::layers::{Embedding, Linear, Pass, compare, linear, masked_max, masked_mean, recur};
use crate::neural::network::Network;
use crate::neural::recipe::{self, Choice, Choices, DROPOUT};
use crate::neural::weights::{Init, Weight, WeightLayout};
use crate::neural::{Neural, fit_s, version};
use crate::parallel::Threads;
use crate::params::{DefaultValue, Domain, Param, Resolved};
use crate::search::{Search, SearchDefault};

/// The entry in the registry.
pub(crate) struct Lstm;

const OWN: &[Param] = &[
    Param {
        name: "hidden",
        images: DefaultValue::Int(128),
        texts: DefaultValue::Int(128),
        domain: Domain::Int(1, 4096),
        about: "memory cells per direction",
        source: "our own choice: what two cores train in minutes",
        search: None,
    },
    Param {
        name: "layers",
        images: DefaultValue::Int(1),
        texts: DefaultValue::Int(1),
        domain: Domain::Int(1, 8),
        about: "layers per direction; each direction has a stack of its own",
        source: "stacks of their own: Peters et al. 2018",
        search: None,
    },
    Param {
        name: "bidirectional",
        images: DefaultValue::Bool(true),
        texts: DefaultValue::Bool(true),
        domain: Domain::Switch,
        about: "read from both ends",
        source: "Graves and Schmidhuber 2005",
        search: None,
    },
    Param {
        name: "embedding",
        images: DefaultValue::Int(128),
        texts: DefaultValue::Int(128),
        domain: Domain::Int(1, 4096),
        about: "numbers per word; not used for images",
        source: "our own choice",
        search: None,
    },
    Param {
        name: "pooling",
        images: DefaultValue::Word("mean"),
        texts: DefaultValue::Word("max"),
        domain: Domain::Word(&["mean", "max"]),
        about: "over the outputs of all steps",
        source: "max: Conneau et al. 2017",
        search: Some(Search::of_all(SearchDefault::Words(&["mean", "max"]), "both of ours")),
    },
    Param {
        name: "dropout",
        images: DefaultValue::Float(0.2),
        texts: DefaultValue::Float(0.3),
        domain: Domain::Float(0.0, 0.9),
        about: "dropout of inputs and of the pooled output",
        source: "on non-recurrent connections only: Zaremba et al. 2014; the rates are our own choice",
        search: Some(DROPOUT),
    },
];

static PARAMS: [Param; OWN.len() + recipe::SHARED] = recipe::table(
    OWN,
    Choices {
        epochs: Choice(DefaultValue::Int(60), DefaultValue::Int(8), "our own choice"),
        optimizer: Choice(DefaultValue::Word("adamw"), DefaultValue::Word("adamw"), "our own choice"),
        learning_rate: Choice(DefaultValue::Float(2e-3), DefaultValue::Float(2e-3), "our own choice"),
        weight_decay: Choice(DefaultValue::Float(0.01), DefaultValue::Float(0.01), "Loshchilov and Hutter 2017"),
    },
);

impl ModelEntry for Lstm {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn about(&self) -> &'static str {
        "(bi)directional LSTM over words or image rows (Hochreiter and Schmidhuber 1997)"
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

    fn supports(&self, _shape: &TaskShape, _params: &Resolved, _device: Device) -> Support {
        Support::Yes
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        Some(fit_s(shape, params, threads, device, design, TextReading::Apart))
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(Neural::new(&Lstm, spec, design, TextReading::Apart)?))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(Neural::load(&Lstm, (folder, threads, device), design, TextReading::Apart)?))
    }
}

/// One layer, in all directions at once. The gates are in the order input, forget, output, candidate.
struct Layer {
    input: Weight,
    recurrent: Weight,
    bias: Weight,
}

impl Layer {
    fn new(layout: &mut WeightLayout, name: &str, directions: usize, inputs: usize, hidden: usize) -> Layer {
        let bound = Init::Uniform((hidden as f32).sqrt().recip());
        Layer {
            input: layout.matrix(format!("{name}.input"), &[directions, inputs, 4 * hidden], bound),
            recurrent: layout.matrix(format!("{name}.recurrent"), &[directions, hidden, 4 * hidden], bound),
            bias: layout.free(format!("{name}.bias"), &[directions, 1, 4 * hidden], Init::Constant(0.0)),
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
            linear(part(x), part(input.clone()), part(bias.clone()))
        });
        let gates: Tensor<1> =
            if directions == 1 { gates.collect::<Vec<_>>().remove(0) } else { Tensor::cat(gates.collect(), 0) };
        recur(gates.reshape([directions, steps, examples, 4 * recurrent.dims()[1]]), recurrent)
    }
}

struct LstmNet {
    layout: WeightLayout,
    buffers: WeightLayout,
    words: Option<Embedding>,
    layers: Vec<Layer>,
    head: Linear,
    directions: usize,
    largest: bool,
    reading: TextReading,
    dropout: f64,
    multiply_adds: u64,
}

/// The network for these parameters, inputs and outputs.
pub(crate) fn design(params: &Resolved, form: InputForm, outputs: usize) -> Box<dyn Network> {
    let hidden = params.int("hidden");
    let directions = if params.switch("bidirectional") { 2 } else { 1 };
    let mut layout = WeightLayout::default();
    let (words, inputs, steps, reading) = match form {
        InputForm::Tokens { vocabulary, typical, reading, .. } => {
            let width = params.int("embedding");
            (Some(Embedding::new(&mut layout, vocabulary, width)), width, typical, reading)
        }
        InputForm::Images { channels, height, width } => (None, width * channels, height, TextReading::Single),
        InputForm::Pieces { .. } => unreachable!("only a pretrained encoder reads word pieces"),
    };
    let widths = std::iter::once(inputs).chain(std::iter::repeat(hidden)).take(params.int("layers"));
    let mut products = 0;
    let mut layers = Vec::new();
    for (index, width) in widths.enumerate() {
        layers.push(Layer::new(&mut layout, &format!("layer{index}"), directions, width, hidden));
        products += directions * 4 * hidden * (width + hidden);
    }
    let pooled = directions * hidden * if reading == TextReading::Apart { 4 } else { 1 };
    let head = Linear::new(&mut layout, "head", pooled, outputs, Init::glorot(pooled, outputs));
    Box::new(LstmNet {
        layout,
        buffers: WeightLayout::default(),
        words,
        layers,
        head,
        directions,
        largest: params.word("pooling") == "max",
        reading,
        dropout: params.float("dropout"),
        multiply_adds: (reading.sequences() * steps * products + pooled * outputs) as u64,
    })
}

impl LstmNet {
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
            Batch::Features(_) => unreachable!("a network gets the form of input it was designed for"),
        };
        let ways = ways.into_iter().map(|way| way.swap_dims(0, 1).unsqueeze_dim::<4>(0)).collect();
        (pass.dropout(Tensor::cat(ways, 0), self.dropout), mask)
    }
}

impl Network for LstmNet {
    fn layout(&self) -> &WeightLayout {
        &self.layout
    }

    fn buffers(&self) -> &WeightLayout {
        &self.buffers
    }

    fn forward(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let (mut x, mask) = self.sequences(batch, pass);
        for layer in &self.layers {
            x = layer.forward(x, pass);
        }
        let [directions, steps, examples, hidden] = x.dims();
        let x = x.permute([2, 1, 0, 3]).reshape([examples, steps, directions * hidden]);
        let pooled = if self.largest { masked_max(x, mask) } else { masked_mean(x, mask) };
        let pooled = if self.reading == TextReading::Apart { compare(pooled) } else { pooled };
        let pooled = pass.dropout(pooled, self.dropout);
        self.head.forward(pooled, pass)
    }

    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }
}
