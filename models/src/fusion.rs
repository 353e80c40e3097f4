//! `fusion`: a network and the plain features of the classic models under one head, trained together. The plain features are histograms
//! of oriented gradients or pixels of images, and TF-IDF values of texts. `neural/fused.rs` is the network.
//!
//! It differs from `concatenate = true` of the classic models in one thing: there, the network has learned before anything is put
//! beside its features.

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

use std::path::Path;

use bakeoff_datasets::{Inputs, Split};

use crate::device::Device;
use crate::encode::features::FeatureParams;
use crate::encode::images::ImageFeatures;
use crate::encode::words::Tokens;
use crate::ensemble::check_alone;
use crate::model::{Footprint, Model, ModelEntry, ModelError, Predictions, Spec, Support, TaskShape, Watch};
use crate::neural::encoder::{InputEncoder, InputForm, Reading, TextReading};
use crate::neural::fused::{Beside, FusedNet, NETWORK};
use crate::neural::network::{Design, Network};
use crate::neural::recipe::{DROPOUT, Recipe};
use crate::neural::weights::WeightLayout;
use crate::neural::{Neural, bert, seconds, version};
use crate::parallel::Threads;
use crate::params::{DefaultValue, Domain, ModelValue, Param, ParamError, Resolved};
use crate::pretrained::PretrainedWeights;
use crate::search::{Scale, Search, SearchDefault};
use crate::{cnn, encoder, gru, lstm, resnet, transformer};

/// The entry in the registry.
pub(crate) struct Fusion;

const PARAMS: &[Param] = &[
    Param {
        name: NETWORK,
        images: DefaultValue::Word("resnet"),
        texts: DefaultValue::Word("transformer"),
        tables: DefaultValue::Word("transformer"),
        domain: Domain::Model(&["encoder", "transformer", "resnet", "cnn", "lstm", "gru"]),
        about: "the network, whose parameters say how all weights are trained; images are not mirrored, because the features of a \
                mirrored image are others",
        source: "our own choice: networks that need no further files",
        search: None,
    },
    Param {
        name: "projection",
        images: DefaultValue::Int(64),
        texts: DefaultValue::Int(64),
        tables: DefaultValue::Int(64),
        domain: Domain::Int(1, 4096),
        about: "numbers into which a linear layer projects the plain features",
        source: "our own choice",
        search: None,
    },
    Param {
        name: "pace",
        images: DefaultValue::Float(0.0),
        texts: DefaultValue::Float(0.0),
        tables: DefaultValue::Float(0.0),
        domain: Domain::Float(0.0, 10_000.0),
        about: "by what the learning rate is multiplied for the layers over the plain features; 0 stands for 1, and for a network that \
                was pretrained for its head_learning_rate divided by its learning_rate",
        source: "our own choice: layers that begin at random learn as fast as such layers do alone",
        search: None,
    },
    Param {
        name: "dropout",
        images: DefaultValue::Float(0.2),
        texts: DefaultValue::Float(0.3),
        tables: DefaultValue::Float(0.3),
        domain: Domain::Float(0.0, 0.9),
        about: "dropout of the projected features; the network has its own",
        source: "as mlp",
        search: Some(DROPOUT),
    },
    ImageFeatures::param("hog", "our own choice: the network reads the pixels itself"),
    Tokens::param("words-or-marks", "as svm"),
    Param {
        name: "terms",
        images: DefaultValue::Int(4000),
        texts: DefaultValue::Int(4000),
        tables: DefaultValue::Int(4000),
        domain: Domain::Int(1, 100_000),
        about: "texts: how many of the commonest word 1- and 2-grams are used; for pairs, a quarter of them in each of four blocks",
        source: "as mlp",
        search: Some(Search::of_texts(SearchDefault::Between(Scale::Log, 1000.0, 8000.0), "as mlp")),
    },
];

fn network(params: &Resolved) -> &ModelValue {
    params.model(NETWORK).expect("the domain of the network has models only")
}

/// The design of the network of this name, and what it reads.
fn design_of(name: &str) -> (Design, Reading) {
    match name {
        "encoder" => (bert::design, Reading::PiecesWithFeatures),
        "transformer" => (transformer::design, Reading::RawWithFeatures(TextReading::Joined)),
        "resnet" => (resnet::design, Reading::RawWithFeatures(TextReading::Apart)),
        "cnn" => (cnn::design, Reading::RawWithFeatures(TextReading::Apart)),
        "lstm" => (lstm::design, Reading::RawWithFeatures(TextReading::Apart)),
        "gru" => (gru::design, Reading::RawWithFeatures(TextReading::Apart)),
        _ => unreachable!("the domain of the network has no other model"),
    }
}

/// What the network with these parameters reads.
pub(crate) fn reading(params: &Resolved) -> Reading {
    design_of(network(params).name()).1
}

/// The network for these parameters, inputs and outputs.
pub(crate) fn design(params: &Resolved, form: InputForm, outputs: usize) -> Box<dyn Network> {
    let InputForm::WithFeatures { raw, width } = form else { unreachable!("features are beside the inputs") };
    let value = network(params);
    let network = design_of(value.name()).0(value.params(), *raw, outputs);
    let beside = Beside {
        features: width,
        projected: params.int("projection"),
        pace: pace(params),
        dropout: params.float("dropout"),
    };
    Box::new(FusedNet::new(network, beside, outputs))
}

/// By what the learning rate of the network is multiplied for the layers over the plain features.
fn pace(params: &Resolved) -> f64 {
    let of_network = network(params).params();
    match params.float("pace") {
        0.0 if of_network.has("head_learning_rate") && of_network.word("mode") == "fine-tune" => {
            of_network.float("head_learning_rate") / of_network.float("learning_rate")
        }
        0.0 => 1.0,
        pace => pace,
    }
}

impl ModelEntry for Fusion {
    fn name(&self) -> &'static str {
        "fusion"
    }

    fn about(&self) -> &'static str {
        "network joined with plain features under one head (HOG or TF-IDF), trained together"
    }

    fn version(&self, device: Device) -> String {
        version(1, device)
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn learns_from_validation(&self) -> bool {
        false
    }

    fn supports(&self, shape: &TaskShape, params: &Resolved, device: Device) -> Support {
        if shape.input.is_table() {
            return Support::No {
                reason: "it puts features beside pixels or words, and the inputs are rows of a table".to_owned(),
            };
        }
        let network = network(params);
        match network.entry().supports(shape, network.params(), device) {
            Support::Yes => FeatureParams::of(params, &shape.input).supports(&shape.input, device),
            Support::No { reason } => Support::No { reason: format!("{NETWORK} = {}: {reason}", network.name()) },
        }
    }

    fn check(&self, params: &Resolved) -> Result<(), ParamError> {
        let network = network(params);
        check_alone(NETWORK, network)?;
        if network.params().has("mode") && network.params().word("mode") == "frozen" {
            return Err(ParamError::Domain {
                name: NETWORK.to_owned(),
                found: format!("{} with mode = \"frozen\"", network.name()),
                expected: "mode = \"fine-tune\" or \"scratch\", because all weights are trained together".to_owned(),
            });
        }
        Ok(())
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        let network = network(params);
        let features = FeatureParams::of(params, &shape.input).width(&shape.input);
        let beside = (features * params.int("projection")) as u64;
        let passes = 3 * network.params().int("epochs") * shape.train_rows;
        let network_s = network.entry().fit_s(shape, network.params(), threads, device)?;
        Some(network_s + seconds(beside, passes, network.params(), threads, device))
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        if let Support::No { reason } = self.supports(&spec.shape, &spec.params, spec.device) {
            return Err(ModelError::Unsupported(reason));
        }
        Ok(Box::new(FusionModel {
            spec: spec.clone(),
            neural: Neural::new(&Fusion, spec, design, reading(&spec.params))?,
        }))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(Neural::load_as(&Fusion, (folder, threads, device), design, |spec| reading(&spec.params))?))
    }
}

/// A network with plain features beside it.
struct FusionModel {
    spec: Spec,
    neural: Neural,
}

/// What encodes the inputs, how all weights are trained, and the published weights from which the network starts, if it has any.
type Learning = ((InputEncoder, Recipe), Option<PretrainedWeights>);

/// How `neural`, a model with these parameters, learns from these rows.
///
/// # Errors
/// If features cannot be computed, or a file of the network is missing or broken.
pub(crate) fn learning(spec: &Spec, neural: &Neural, train: &Split) -> Result<Learning, ModelError> {
    let Spec { params, shape, .. } = spec;
    let network = network(params);
    let of_network = Spec { params: network.params().clone(), ..spec.clone() };
    let plain = neural.features(&train.inputs, &FeatureParams::of(params, &shape.input))?;
    let (raw, recipe, weights) = match reading(params) {
        Reading::RawWithFeatures(texts) => {
            let raw = InputEncoder::fit(&train.inputs, &of_network, Reading::Raw(texts).of(&shape.input))?;
            (raw, Recipe::read(&of_network.params), None)
        }
        _ => {
            let (raw, weights) = encoder::pretrained(&of_network, train)?;
            let is_scratch = of_network.params.word("mode") == "scratch";
            (raw, encoder::recipe(&of_network.params), (!is_scratch).then_some(weights))
        }
    };
    Ok(((InputEncoder::WithFeatures { raw: Box::new(raw), plain }, recipe), weights))
}

impl Model for FusionModel {
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        let (learning, weights) = learning(&self.spec, &self.neural, train)?;
        let seed = self.spec.seed_for("init");
        let start = |layout: &WeightLayout| match weights {
            Some(weights) => weights.gather(layout, seed),
            None => Ok(layout.initial(seed)),
        };
        self.neural.fit_encoded(learning, start, (train, validation), watch)
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        self.neural.predict(inputs)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        self.neural.save(folder)
    }

    fn footprint(&self) -> Footprint {
        self.neural.footprint()
    }

    fn threads(&self) -> Option<usize> {
        self.neural.threads()
    }

    fn truncated(&self, inputs: &Inputs) -> Option<usize> {
        self.neural.truncated(inputs)
    }

    fn wordless(&self, inputs: &Inputs) -> Option<usize> {
        self.neural.wordless(inputs)
    }
}
