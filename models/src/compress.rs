//! `compress`: another network, made smaller after it was fitted: by structured pruning, by whole numbers of 8 bits, or by a lower
//! rank.
//!
//! **Pruning** removes whole units, so that what is left is an ordinary, smaller network: attention heads (Michel et al. 2019) and
//! units of the hidden layers of a Transformer, channels between the two convolutions of a block (Li et al. 2017), and hidden units
//! of the others. Each layer loses the same share of its units. The units that stay are those with the largest weights, or those
//! without which the loss would change most (Molchanov et al. 2019).
//!
//! **int8** rounds the weights of products, convolutions, recurrences and embeddings to whole numbers from -127 to 127, with a scale
//! for each output or word (Jacob et al. 2018). They are stored so. A prediction computes with the numbers that they stand for, in 32
//! bits, so it takes as long and as much memory as before. Fine-tuning rounds in each forward pass and learns as if it did not.
//!
//! **A lower rank** divides a product into two (Denton et al. 2014): the closest two by the singular values.

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

use std::path::Path;

use bakeoff_datasets::{Inputs, Split};

use crate::ensemble::check_alone;
use crate::model::{
    Device, Footprint, InputShape, Model, ModelEntry, ModelError, Predictions, Spec, Support, TaskShape, Watch,
};
use crate::neural::compress::{Importance, Original};
use crate::neural::encoder::{Reading, TextReading};
use crate::neural::reduction::Reduction;
use crate::neural::{Neural, version};
use crate::parallel::Threads;
use crate::params::{DefaultValue, Domain, ModelValue, Param, ParamError, Resolved};
use crate::part::{PartWatch, blamed};
use crate::reason::Reason;
use crate::{cnn, gru, lstm, mlp, resnet, transformer};

/// The entry in the registry.
pub(crate) struct Compress;

/// The share of a budget at which the network that is made smaller stops to learn, if fine-tuning follows.
const ORIGINAL_SHARE: f64 = 0.8;

const PARAMS: &[Param] = &[
    Param {
        name: "of",
        images: DefaultValue::Word("resnet"),
        texts: DefaultValue::Word("transformer"),
        tables: DefaultValue::Word("transformer"),
        domain: Domain::Model(&["transformer", "resnet", "cnn", "lstm", "gru", "mlp"]),
        about: "the network that is made smaller; it is fitted first, on the same rows",
        source: "our own choice",
        search: None,
    },
    Param {
        name: "method",
        images: DefaultValue::Word("prune"),
        texts: DefaultValue::Word("prune"),
        tables: DefaultValue::Word("prune"),
        domain: Domain::Word(&["prune", "int8", "low-rank"]),
        about: "prune: without a share of its heads, units or channels; int8: weights of 8 bits; low-rank: each product as two \
                smaller ones (not for lstm and gru)",
        source: "our own choice",
        search: None,
    },
    Param {
        name: "share",
        images: DefaultValue::Float(0.5),
        texts: DefaultValue::Float(0.5),
        tables: DefaultValue::Float(0.5),
        domain: Domain::Float(0.0, 1.0),
        about: "what is left out: the share of the units of each layer, or of the rank of each product; below 1; not used by int8",
        source: "our own choice",
        search: None,
    },
    Param {
        name: "by",
        images: DefaultValue::Word("magnitude"),
        texts: DefaultValue::Word("magnitude"),
        tables: DefaultValue::Word("magnitude"),
        domain: Domain::Word(&["magnitude", "gradient"]),
        about: "prune: which units stay: those with the largest weights, or those without which the loss would change most",
        source: "magnitude: Li et al. 2017, with squares; gradient: Molchanov et al. 2019, equation 8",
        search: None,
    },
    Param {
        name: "fine_tune",
        images: DefaultValue::Int(5),
        texts: DefaultValue::Int(2),
        tables: DefaultValue::Int(2),
        domain: Domain::Int(0, 10_000),
        about: "epochs for which the smaller network is trained on; 0 for none",
        source: "our own choice",
        search: None,
    },
    Param {
        name: "fine_tune_rate",
        images: DefaultValue::Float(0.1),
        texts: DefaultValue::Float(0.1),
        tables: DefaultValue::Float(0.1),
        domain: Domain::Float(1e-4, 1.0),
        about: "highest learning rate of the training on, as a share of that of the network",
        source: "our own choice",
        search: None,
    },
];

fn of(params: &Resolved) -> &ModelValue {
    params.model("of").expect("the domain of `of` has models only")
}

/// The network with these parameters, for inputs of this form.
fn original(value: &ModelValue, input: &InputShape) -> Original {
    let (design, reduced, reading) = match value.name() {
        "resnet" => (resnet::design as _, resnet::reduced as _, TextReading::Apart.into()),
        "cnn" => (cnn::design as _, cnn::reduced as _, TextReading::Apart.into()),
        "lstm" => (lstm::design as _, lstm::reduced as _, TextReading::Apart.into()),
        "gru" => (gru::design as _, gru::reduced as _, TextReading::Apart.into()),
        "mlp" => (mlp::design as _, mlp::reduced as _, mlp::reading(value.params(), input)),
        _ => (transformer::design as _, transformer::reduced as _, Reading::from(TextReading::Joined)),
    };
    Original { design, reduced, reading }
}

fn reduction(params: &Resolved) -> Reduction {
    match (params.word("method"), params.float("share")) {
        ("int8", _) => Reduction::Int8,
        (_, 0.0) => Reduction::None,
        ("low-rank", share) => Reduction::LowRank(share),
        (_, share) => Reduction::Prune(share),
    }
}

impl ModelEntry for Compress {
    fn name(&self) -> &'static str {
        "compress"
    }

    fn about(&self) -> &'static str {
        "network made smaller: pruned, in 8 bits, of lower rank (Li et al. 2017, Jacob et al. 2018, Denton et al. 2014)"
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
                reason: "networks of images and of texts are made smaller, and the inputs are rows of a table"
                    .to_owned(),
            };
        }
        if let no @ Support::No { .. } = device.processor_alone() {
            return no;
        }
        let value = of(params);
        if let ("low-rank", "lstm" | "gru") = (params.word("method"), value.name()) {
            return Support::No {
                reason: format!(
                    "the products of {} are one recurrence over whole matrices, which cannot be divided: use method = \"prune\" or \
                     \"int8\"",
                    value.name()
                ),
            };
        }
        match value.entry().supports(shape, value.params(), device) {
            Support::Yes => Support::Yes,
            Support::No { reason } => Support::No { reason: format!("of = {}: {reason}", value.name()) },
        }
    }

    fn check(&self, params: &Resolved) -> Result<(), ParamError> {
        check_alone("of", of(params))?;
        if params.float("share") < 1.0 {
            return Ok(());
        }
        Err(ParamError::Domain {
            name: "share".to_owned(),
            found: params.float("share").to_string(),
            expected: "less than 1, because nothing would be left of the network; 0 leaves it as it is".to_owned(),
        })
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        let value = of(params);
        let once = value.entry().fit_s(shape, value.params(), threads, device)?;
        let epochs = value.params().int("epochs") as f64;
        Some(once * (1.0 + params.int("fine_tune") as f64 / epochs))
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        if let Support::No { reason } = self.supports(&spec.shape, &spec.params, spec.device) {
            return Err(ModelError::Unsupported(reason));
        }
        let value = of(&spec.params);
        let Original { design, reading, .. } = original(value, &spec.shape.input);
        let inner = Spec { params: value.params().clone(), ..spec.clone() };
        let neural = Neural::new(&Compress, &inner, design, reading)?;
        Ok(Box::new(Compressed { spec: spec.clone(), neural }))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        let (neural, spec) = Neural::load_reduced(&Compress, (folder, threads, device), |spec| {
            let value = of(&spec.params);
            (value.params().clone(), original(value, &spec.shape.input), reduction(&spec.params))
        })?;
        Ok(Box::new(Compressed { spec, neural }))
    }
}

/// The network, before or after it was made smaller.
struct Compressed {
    spec: Spec,
    neural: Neural,
}

impl Model for Compressed {
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        let params = &self.spec.params;
        let (value, epochs) = (of(params), params.int("fine_tune"));
        let end = if epochs > 0 { ORIGINAL_SHARE } else { 1.0 };
        let fitted = self.neural.fit(train, validation, &mut PartWatch::new(watch, end));
        fitted.map_err(|error| blamed("of", value, error))?;
        let Original { reduced, .. } = original(value, &self.spec.shape.input);
        let by = if params.word("by") == "gradient" { Importance::Gradient } else { Importance::Magnitude };
        self.neural.reduce(reduced, reduction(params), by, train)?;
        if epochs > 0 {
            let rate = params.float("fine_tune_rate");
            return self.neural.fine_tune((epochs, rate), (train, validation), watch);
        }
        watch.progress(1, 1);
        Ok(())
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        self.neural.predict(inputs)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        self.neural.save_as(folder, &self.spec)
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

    fn reasons(&mut self, inputs: &Inputs, classes: &[String]) -> Result<Option<Vec<Reason>>, ModelError> {
        self.neural.reasons(inputs, classes)
    }
}
