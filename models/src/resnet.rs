//! `resnet`: a residual network over the pixels of small images, over the words of a text, or over the columns of a table. Its network is
//! that of `neural/convolutional.rs`, and for tables that of `neural/tabular.rs`.

use std::path::Path;

use crate::model::{Device, InputShape, Model, ModelEntry, ModelError, Spec, Support, TargetShape, TaskShape};
use crate::neural::convolutional::{self, PARAMS, Shortcuts};
use crate::neural::encoder::{InputEncoder, InputForm, Normalisation, Reading, TextReading};
use crate::neural::network::Network;
use crate::neural::recipe::Precision;
use crate::neural::reduction::Reduction;
use crate::neural::{Neural, fit_s, supports_table, typical, version};
use crate::parallel::Threads;
use crate::params::{Param, Resolved};

/// The entry in the registry.
pub(crate) struct Resnet;

impl ModelEntry for Resnet {
    fn name(&self) -> &'static str {
        "resnet"
    }

    fn about(&self) -> &'static str {
        "residual network over pixels, words or columns, CIFAR style (He et al. 2015, Gorishniy et al. 2021)"
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
        if shape.input.is_table() { supports_table(params, device) } else { Precision::supports(params, device) }
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        Some(fit_s(shape, params, threads, device, design, reading(&shape.input)))
    }

    fn pooled_width(&self, shape: &TaskShape, params: &Resolved) -> Option<usize> {
        Some(typical(shape, params, design, reading(&shape.input)).width())
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(Neural::new(&Resnet, spec, design, reading(&spec.shape.input))?))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(Neural::load_as(&Resnet, (folder, threads, device), design, |spec| reading(&spec.shape.input))?))
    }
}

/// What the network reads of inputs of this form.
fn reading(input: &InputShape) -> Reading {
    if input.is_table() { Reading::Features } else { TextReading::Apart.into() }
}

/// A fitted network for 32 x 32 RGB images in ten classes with published weights: a safetensors file with the
/// parameter names of akamaster/pytorch_resnet_cifar10. Pixels are divided by 255 and standardised with `mean` and
/// `std` per colour plane.
///
/// # Errors
/// If there is no such depth, or the file does not hold the weights of a network of that depth.
pub fn published_resnet(
    depth: usize,
    weights: &[u8],
    mean: [f32; 3],
    std: [f32; 3],
) -> Result<Box<dyn Model>, ModelError> {
    let (channels, height, width, classes) = (3, 32, 32, 10);
    let shape = TaskShape {
        input: InputShape::Images { channels, height, width },
        target: TargetShape::Classes(classes),
        train_rows: 50_000,
        mirror_negates: false,
        characters: None,
    };
    let depth = toml::Table::from_iter([("depth".to_owned(), toml::Value::Integer(depth as i64))]);
    let params = Resolved::new(&PARAMS, &shape, &depth).map_err(|error| ModelError::Unsupported(error.to_string()))?;
    let threads = Threads::new(std::thread::available_parallelism().map_or(1, usize::from));
    let spec = Spec { shape, params, device: Device::Cpu, threads, seed: 0 };
    let normalisation = Normalisation { mean: mean.to_vec(), std: std.to_vec() };
    let encoder = InputEncoder::Images { normalisation, form: InputForm::Images { channels, height, width } };
    Ok(Box::new(Neural::published(&Resnet, &spec, design, encoder, classes, weights)?))
}

/// The network for these parameters, inputs and outputs.
pub(crate) fn design(params: &Resolved, form: InputForm, outputs: usize) -> Box<dyn Network> {
    reduced(params, form, outputs, Reduction::None)
}

/// The same network, made smaller.
pub(crate) fn reduced(params: &Resolved, form: InputForm, outputs: usize, reduction: Reduction) -> Box<dyn Network> {
    convolutional::network(Shortcuts::Residual, params, form, outputs, reduction)
}
