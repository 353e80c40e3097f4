//! `cnn`: a plain convolution network over the pixels of small images, or over the words of a text. It is `resnet` without
//! its shortcuts, with as many weights, the same initial values and the same recipe ("plain nets" of He et al. 2015). So
//! what the two differ in is what the residual connection is worth.

use std::path::Path;

use crate::model::{Device, Model, ModelEntry, ModelError, Spec, Support, TaskShape};
use crate::neural::convolutional::{self, PARAMS, Shortcuts};
use crate::neural::encoder::{InputForm, TextReading};
use crate::neural::network::Network;
use crate::neural::reduction::Reduction;
use crate::neural::{Neural, fit_s, supports_order, typical, version};
use crate::parallel::Threads;
use crate::params::{Param, Resolved};

/// The entry in the registry.
pub(crate) struct Cnn;

impl ModelEntry for Cnn {
    fn name(&self) -> &'static str {
        "cnn"
    }

    fn about(&self) -> &'static str {
        "plain convolution network, a ResNet without shortcuts (He et al. 2015)"
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
        supports_order(shape, params, device)
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        Some(fit_s(shape, params, threads, device, design, TextReading::Apart))
    }

    fn pooled_width(&self, shape: &TaskShape, params: &Resolved) -> Option<usize> {
        Some(typical(shape, params, design, TextReading::Apart).width())
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(Neural::new(&Cnn, spec, design, TextReading::Apart)?))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(Neural::load(&Cnn, (folder, threads, device), design, TextReading::Apart)?))
    }
}

/// The network for these parameters, inputs and outputs.
pub(crate) fn design(params: &Resolved, form: InputForm, outputs: usize) -> Box<dyn Network> {
    reduced(params, form, outputs, Reduction::None)
}

/// The same network, made smaller.
pub(crate) fn reduced(params: &Resolved, form: InputForm, outputs: usize, reduction: Reduction) -> Box<dyn Network> {
    convolutional::network(Shortcuts::None, params, form, outputs, reduction)
}
