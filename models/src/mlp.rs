//! `mlp`: a multilayer perceptron, learned by backpropagation (Rumelhart et al. 1986), on pixels or HOG features of images,
//! on TF-IDF values or the mean of the word embeddings of a text (Iyyer et al. 2015), and on the columns of a table.
//!
//! Pixels are standardised per colour plane, mirrored and shifted, as for the other networks. HOG features and TF-IDF
//! values are those of the classic models, and training does not augment them.

use std::path::Path;

use burn::tensor::Tensor;

use crate::device::Device;
use crate::encode::features::FeatureParams;
use crate::encode::images::ImageFeatures;
use crate::model::{InputShape, Model, ModelEntry, ModelError, Spec, Support, TaskShape};
use crate::neural::batch::Batch;
use crate::neural::encoder::{InputForm, Reading, TextReading};
use crate::neural::layers::{Embedding, Linear, Pass, compare, masked_mean, relu};
use crate::neural::network::Network;
use crate::neural::recipe::{self, Choice, Choices, DROPOUT, Precision};
use crate::neural::reduction::{PruneGroup, Reduction};
use crate::neural::weights::{Init, WeightLayout};
use crate::neural::{Neural, fit_s, typical, version};
use crate::parallel::Threads;
use crate::params::{DefaultValue, Domain, Param, Resolved};
use crate::search::{Scale, Search, SearchDefault};

/// The entry in the registry.
pub(crate) struct Mlp;

const OWN: &[Param] = &[
    Param {
        name: "hidden",
        images: DefaultValue::Int(256),
        texts: DefaultValue::Int(128),
        tables: DefaultValue::Int(256),
        domain: Domain::Int(1, 8192),
        about: "units of each hidden layer",
        source: "our own choice: what two cores train in minutes",
        search: None,
    },
    Param {
        name: "layers",
        images: DefaultValue::Int(2),
        texts: DefaultValue::Int(1),
        tables: DefaultValue::Int(2),
        domain: Domain::Int(1, 16),
        about: "hidden layers, each with ReLU",
        source: "our own choice",
        search: None,
    },
    Param {
        name: "dropout",
        images: DefaultValue::Float(0.2),
        texts: DefaultValue::Float(0.3),
        tables: DefaultValue::Float(0.2),
        domain: Domain::Float(0.0, 0.9),
        about: "dropout of the units of each hidden layer",
        source: "the idea: Srivastava et al. 2014; the rates: our own choice",
        search: Some(DROPOUT),
    },
    Param {
        about: "images: histograms of oriented gradients, raw pixels, or both; auto: both for grey images, hog for colour images; only pixels alone are mirrored and shifted (flip, crop)",
        ..ImageFeatures::param(
            "auto",
            "two of four folds of 2,000 training rows of CIFAR-10, 20 epochs: HOG 0.449, pixels 0.362; for grey images as random-forest",
        )
    },
    Param {
        name: "text_features",
        images: DefaultValue::Word("tf-idf"),
        texts: DefaultValue::Word("tf-idf"),
        tables: DefaultValue::Word("tf-idf"),
        domain: Domain::Word(&["tf-idf", "embeddings"]),
        about: "texts: TF-IDF values of their terms, or the mean of learned embeddings of their words (the only one for which vocabulary, min_count, max_tokens and word_dropout count)",
        source: "our own choice; the mean of embeddings: Iyyer et al. 2015",
        search: Some(Search::of_texts(SearchDefault::Words(&["tf-idf", "embeddings"]), "both of ours")),
    },
    Param {
        name: "terms",
        images: DefaultValue::Int(4000),
        texts: DefaultValue::Int(4000),
        tables: DefaultValue::Int(4000),
        domain: Domain::Int(1, 100_000),
        about: "texts with TF-IDF: how many of the commonest word 1- and 2-grams are used; for pairs, a quarter of them in each of four blocks",
        source: "our own choice",
        search: Some(Search::of_texts(SearchDefault::Between(Scale::Log, 1000.0, 8000.0), "our own choice")),
    },
    Param {
        name: "embedding",
        images: DefaultValue::Int(128),
        texts: DefaultValue::Int(128),
        tables: DefaultValue::Int(128),
        domain: Domain::Int(1, 4096),
        about: "texts with embeddings: numbers per word",
        source: "as lstm",
        search: None,
    },
];

static PARAMS: [Param; OWN.len() + recipe::SHARED] = recipe::table(
    OWN,
    Choices {
        epochs: Choice(DefaultValue::Int(60), DefaultValue::Int(8), DefaultValue::Int(30), "our own choice"),
        optimizer: Choice(
            DefaultValue::Word("adamw"),
            DefaultValue::Word("adamw"),
            DefaultValue::Word("adamw"),
            "our own choice",
        ),
        learning_rate: Choice(
            DefaultValue::Float(1e-3),
            DefaultValue::Float(2e-3),
            DefaultValue::Float(1e-3),
            "our own choice",
        ),
        weight_decay: Choice(
            DefaultValue::Float(0.01),
            DefaultValue::Float(0.01),
            DefaultValue::Float(0.01),
            "Loshchilov and Hutter 2017",
        ),
    },
);

impl ModelEntry for Mlp {
    fn name(&self) -> &'static str {
        "mlp"
    }

    fn about(&self) -> &'static str {
        "multilayer perceptron on pixels or features (HOG, TF-IDF, mean embeddings, columns of a table)"
    }

    fn version(&self, device: Device) -> String {
        version(1, device)
    }

    fn params(&self) -> &'static [Param] {
        &PARAMS
    }

    fn learns_from_validation(&self) -> bool {
        false
    }

    fn supports(&self, shape: &TaskShape, params: &Resolved, device: Device) -> Support {
        if let no @ Support::No { .. } = Precision::supports(params, device) {
            return no;
        }
        match reading(params, &shape.input) {
            Reading::Features => FeatureParams::of(params, &shape.input).supports(&shape.input, device),
            _ => Support::Yes,
        }
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        Some(fit_s(shape, params, threads, device, design, reading(params, &shape.input)))
    }

    fn pooled_width(&self, shape: &TaskShape, params: &Resolved) -> Option<usize> {
        Some(typical(shape, params, design, reading(params, &shape.input)).width())
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        if let Support::No { reason } = self.supports(&spec.shape, &spec.params, spec.device) {
            return Err(ModelError::Unsupported(reason));
        }
        Ok(Box::new(Neural::new(&Mlp, spec, design, reading(&spec.params, &spec.shape.input))?))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        let reading = |spec: &Spec| reading(&spec.params, &spec.shape.input);
        Ok(Box::new(Neural::load_as(&Mlp, (folder, threads, device), design, reading)?))
    }
}

/// What the network reads of inputs of this form.
pub(crate) fn reading(params: &Resolved, input: &InputShape) -> Reading {
    let (parameter, raw) = match input {
        InputShape::Images { .. } => ("features", "pixels"),
        InputShape::Texts { .. } => ("text_features", "embeddings"),
        InputShape::Table { .. } => return Reading::Features,
    };
    if params.word(parameter) == raw { Reading::Raw(TextReading::Apart) } else { Reading::Features }
}

struct MlpNet {
    layout: WeightLayout,
    buffers: WeightLayout,
    words: Option<Embedding>,
    hidden: Vec<Linear>,
    head: Linear,
    /// Numbers that the head takes.
    width: usize,
    reading: TextReading,
    dropout: f64,
    multiply_adds: u64,
}

/// The network for these parameters, inputs and outputs.
pub(crate) fn design(params: &Resolved, form: InputForm, outputs: usize) -> Box<dyn Network> {
    reduced(params, form, outputs, Reduction::None)
}

/// The same network, made smaller. Hidden units can be pruned.
pub(crate) fn reduced(params: &Resolved, form: InputForm, outputs: usize, reduction: Reduction) -> Box<dyn Network> {
    let mut layout = WeightLayout::of(reduction);
    let (words, mut inputs, reading) = match form {
        InputForm::Images { channels, height, width } => (None, channels * height * width, TextReading::Single),
        InputForm::Features { width } => (None, width, TextReading::Single),
        InputForm::Columns { groups } => (None, groups.iter().sum(), TextReading::Single),
        InputForm::Pieces { .. } | InputForm::WithFeatures { .. } => {
            unreachable!("this network reads pixels, features or words")
        }
        InputForm::Tokens { vocabulary, reading, .. } => {
            let width = params.int("embedding");
            let compared = width * if reading == TextReading::Apart { 4 } else { 1 };
            (Some(Embedding::new(&mut layout, vocabulary, width)), compared, reading)
        }
    };
    let mut products = 0;
    let mut hidden = Vec::new();
    for index in 0..params.int("layers") {
        let units = reduction.units(params.int("hidden"));
        hidden.push(Linear::new(&mut layout, &format!("hidden{index}"), inputs, units, Init::he(inputs)));
        products += reduction.product(inputs, units);
        inputs = units;
    }
    // From zero (Zhang et al. 2019, "Fixup Initialization"): the first answers are the mean, and not noise of features that are not scaled.
    let head = Linear::head(&mut layout, "head", inputs, outputs, Init::Constant(0.0));
    Box::new(MlpNet {
        layout,
        buffers: WeightLayout::default(),
        words,
        hidden,
        head,
        width: inputs,
        reading,
        dropout: params.float("dropout"),
        multiply_adds: (products + inputs * outputs) as u64,
    })
}

impl Network for MlpNet {
    fn layout(&self) -> &WeightLayout {
        &self.layout
    }

    fn buffers(&self) -> &WeightLayout {
        &self.buffers
    }

    fn pooled(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let mut x = match batch {
            Batch::Images(pixels) => pixels.clone().flatten(1, 3),
            Batch::Features(features) => features.clone(),
            Batch::Texts(tokens) => {
                let words = self.words.expect("a network for words has an embedding");
                masked_mean(words.forward(tokens.ids.clone(), pass), tokens.mask.clone())
            }
            Batch::WithFeatures(..) => unreachable!("a network gets the form of input it was designed for"),
        };
        if self.reading == TextReading::Apart {
            x = compare(x);
        }
        for layer in &self.hidden {
            x = relu(layer.forward(x, pass));
            x = pass.dropout(x, self.dropout);
        }
        x
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
        let of_layer = |index: usize| {
            let next = if index + 1 < self.hidden.len() { format!("hidden{}", index + 1) } else { "head".to_owned() };
            PruneGroup::of(self.width)
                .with(format!("hidden{index}.weight"), 1)
                .with(format!("hidden{index}.bias"), 0)
                .with(format!("{next}.weight"), 0)
        };
        (0..self.hidden.len()).map(of_layer).collect()
    }
}
