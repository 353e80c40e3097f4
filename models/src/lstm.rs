//! `lstm`: a long short-term memory, in one or both directions, over words or the rows of an image. Its network is that of
//! `neural/recurrent.rs`.

use std::path::Path;

use crate::model::{Device, Model, ModelEntry, ModelError, Spec, Support, TaskShape};
use crate::neural::encoder::{InputForm, TextReading};
use crate::neural::network::Network;
use crate::neural::recipe::{self, Choice, Choices};
use crate::neural::recurrent::{self, Cell};
use crate::neural::reduction::Reduction;
use crate::neural::{Neural, fit_s, supports_order, typical, version};
use crate::parallel::Threads;
use crate::params::{DefaultValue, Param, Resolved};

/// The entry in the registry.
pub(crate) struct Lstm;

static PARAMS: [Param; recurrent::OWN + recipe::SHARED] = recipe::table(
    &recurrent::own("memory cells per direction"),
    Choices {
        epochs: Choice(DefaultValue::Int(60), DefaultValue::Int(8), DefaultValue::Int(8), "our own choice"),
        optimizer: Choice(
            DefaultValue::Word("adamw"),
            DefaultValue::Word("adamw"),
            DefaultValue::Word("adamw"),
            "our own choice",
        ),
        learning_rate: Choice(
            DefaultValue::Float(2e-3),
            DefaultValue::Float(2e-3),
            DefaultValue::Float(2e-3),
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

    fn supports(&self, shape: &TaskShape, params: &Resolved, device: Device) -> Support {
        supports_order(shape, params, device)
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        Some(fit_s(shape, params, threads, device, design, TextReading::Apart))
    }

    fn pooled_width(&self, shape: &TaskShape, params: &Resolved) -> Option<usize> {
        Some(typical(shape, params, design, TextReading::Apart).width())
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(Neural::new(&Lstm, spec, design, TextReading::Apart)?))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(Neural::load(&Lstm, (folder, threads, device), design, TextReading::Apart)?))
    }
}

/// The network for these parameters, inputs and outputs.
pub(crate) fn design(params: &Resolved, form: InputForm, outputs: usize) -> Box<dyn Network> {
    reduced(params, form, outputs, Reduction::None)
}

/// The same network, made smaller.
pub(crate) fn reduced(params: &Resolved, form: InputForm, outputs: usize, reduction: Reduction) -> Box<dyn Network> {
    recurrent::network(Cell::Lstm, params, form, outputs, reduction)
}
