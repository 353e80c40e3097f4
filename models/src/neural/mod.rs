//! Neural networks: the one training loop, and everything that the networks share.
//!
//! A model file has a [`network::Design`], of which [`Neural`] makes a [`Model`]. The parts, in the order of the data,
//! are the [`encoder`] (fitted on the training rows), the [`batch`], [`layers`] over [`weights`], and the [`head`].
//! [`train`] follows a [`recipe`] with a [`schedule`]. Only [`cpu`] holds code that is bound to the processor.

pub(crate) mod adversarial;
mod attention;
mod backend;
pub(crate) mod batch;
pub(crate) mod bert;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod cards;
mod checkpoint;
pub(crate) mod compress;
pub(crate) mod convolutional;
mod cpu;
pub(crate) mod encoder;
mod fitted;
mod frozen;
mod functions;
pub(crate) mod fused;
pub(crate) mod head;
mod images_on_device;
pub(crate) mod layers;
pub(crate) mod network;
mod on_device;
mod portable;
mod prune;
mod quantised;
pub(crate) mod recipe;
pub(crate) mod recurrent;
pub(crate) mod reduction;
pub(crate) mod schedule;
mod svd;
pub(crate) mod tabular;
#[cfg(test)]
mod tests;
mod train;
mod training_state;
pub(crate) mod weights;

use std::path::Path;
use std::sync::Arc;

use bakeoff_datasets::{Inputs, Split, Targets};
use burn::tensor::{Device as BurnDevice, FloatDType};

pub(crate) use self::backend::Pools;
pub use self::cpu::PeakWork;
use self::encoder::{InputEncoder, InputForm, NetworkEncoderState, Reading, TextReading};
use self::fitted::{FittedNetwork, encode};
use self::head::Head;
use self::network::{Design, Network};
use self::recipe::{Precision, Recipe};
use self::train::TrainingRows;
use self::weights::{Leaves, WeightLayout};
use crate::artefact::{self, ArraysIn, ArraysOut, Loaded};
use crate::encode::features::{Encoder, FeatureParams, TYPICAL_CATEGORIES};
use crate::model::{
    Device, Footprint, InputShape, Matrix, Model, ModelEntry, ModelError, Predictions, Spec, Support, TargetShape,
    TaskShape, Watch,
};
use crate::parallel::Threads;
use crate::params::Resolved;
use crate::reason::Reason;

/// Weights and running statistics, in the order of their layouts.
type InitialValues = (Vec<f32>, Vec<f32>);

/// See [`crate::ModelEntry::version`]. `revision` is that of the model.
pub(crate) fn version(revision: u32, device: Device) -> String {
    match device {
        // The revision covers the kernels of `cpu` too.
        Device::Cpu => format!("{revision} (burn 0.22.1)"),
        // The library's own operations compute there.
        // A build with CUDA lets the library time its kernels and choose, through wgpu too.
        Device::Wgpu(_) if cfg!(feature = "cuda") => format!("{revision} (burn 0.22.1 wgpu, tuned)"),
        Device::Wgpu(_) => format!("{revision} (burn 0.22.1 wgpu)"),
        Device::Cuda(_) => format!("{revision} (burn 0.22.1 cuda)"),
    }
}

/// A neural model of a given design.
pub(crate) struct Neural {
    entry: &'static dyn ModelEntry,
    spec: Spec,
    design: Design,
    reading: Reading,
    pools: Arc<Pools>,
    fitted: Option<FittedNetwork>,
}

impl Neural {
    /// An unfitted model of `entry`. `reading` says what it reads of an example. If that is texts, it says how the two texts
    /// of a pair are read.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(crate) fn new(
        entry: &'static dyn ModelEntry,
        spec: &Spec,
        design: Design,
        reading: impl Into<Reading>,
    ) -> Result<Neural, ModelError> {
        let reading = reading.into().of(&spec.shape.input);
        Ok(Neural { entry, spec: spec.clone(), design, reading, pools: spec.threads.shared(Pools::new)?, fitted: None })
    }

    /// Loads the fitted model of `entry` that was saved to this folder. `design` and `reading` are those with which it
    /// was built.
    ///
    /// # Errors
    /// See [`ModelEntry::load`].
    pub(crate) fn load(
        entry: &'static dyn ModelEntry,
        place: (&Path, Threads, Device),
        design: Design,
        reading: impl Into<Reading>,
    ) -> Result<Neural, ModelError> {
        let reading = reading.into();
        Neural::load_as(entry, place, design, |_| reading)
    }

    /// The same for a model whose parameters say what it reads.
    ///
    /// # Errors
    /// See [`ModelEntry::load`].
    pub(crate) fn load_as(
        entry: &'static dyn ModelEntry,
        (folder, threads, device): (&Path, Threads, Device),
        design: Design,
        reading: impl FnOnce(&Spec) -> Reading,
    ) -> Result<Neural, ModelError> {
        let Loaded { spec, state, arrays } = artefact::load::<NetworkEncoderState>(folder, entry, threads, device)?;
        let mut model = Neural::new(entry, &spec, design, reading(&spec))?;
        model.restore((state, arrays), |form, outputs| design(&spec.params, form, outputs))?;
        Ok(model)
    }

    /// Takes what was saved of a fitted model. `network` builds its network.
    fn restore(
        &mut self,
        (state, mut arrays): (NetworkEncoderState, ArraysIn),
        network: impl FnOnce(InputForm, usize) -> Box<dyn Network>,
    ) -> Result<(), ModelError> {
        let encoder = InputEncoder::load(state, &self.spec, self.reading, &mut arrays)?;
        let head = Head::load(self.spec.shape.target, &mut arrays)?;
        let network = network(encoder.form(), head.outputs());
        let (device, precision) = place(&self.spec)?;
        self.fitted = Some(FittedNetwork {
            weights: Leaves::load("weights", network.layout(), &mut arrays, &device)?,
            buffers: Leaves::load("buffers", network.buffers(), &mut arrays, &device)?,
            network: Arc::from(network),
            encoder,
            head,
            device,
            precision,
        });
        arrays.finish()
    }

    /// Saves the fitted model as one that was built from `spec`. See [`Model::save`].
    pub(crate) fn save_as(&self, folder: &Path, spec: &Spec) -> Result<(), ModelError> {
        let fitted = self.fitted.as_ref().ok_or_else(|| ModelError::Failed("asked to save before a fit".into()))?;
        let mut arrays = ArraysOut::default();
        let state = fitted.encoder.save(&mut arrays);
        fitted.head.save(&mut arrays);
        fitted.weights.save("weights", fitted.network.layout(), &mut arrays)?;
        fitted.buffers.save("buffers", fitted.network.buffers(), &mut arrays)?;
        artefact::save(folder, self.entry, spec, state, &arrays)
    }
}

impl Neural {
    /// A fitted model with published weights, for inputs that `encoder` encodes and for this many classes.
    ///
    /// # Errors
    /// If the weights do not fit the design, or no thread can be started.
    pub(crate) fn published(
        entry: &'static dyn ModelEntry,
        spec: &Spec,
        design: Design,
        encoder: InputEncoder,
        classes: usize,
        weights: &[u8],
    ) -> Result<Neural, ModelError> {
        let mut model = Neural::new(entry, spec, design, TextReading::Single)?;
        let network = design(&spec.params, encoder.form(), classes);
        let (device, precision) = place(spec)?;
        model.fitted = Some(FittedNetwork {
            weights: Leaves::new(network.layout(), &checkpoint::read(weights, network.layout())?, &device),
            buffers: Leaves::new(network.buffers(), &checkpoint::read(weights, network.buffers())?, &device),
            network: Arc::from(network),
            encoder,
            head: Head::Classes(classes),
            device,
            precision,
        });
        Ok(model)
    }
}

impl Neural {
    /// Fits from the weights that `start` gives for the network's layout.
    fn fit_from(
        &mut self,
        start: impl FnOnce(&WeightLayout) -> Vec<f32>,
        splits: (&Split, &Split),
        watch: &mut dyn Watch,
    ) -> Result<(), ModelError> {
        let fit = || InputEncoder::fit(&splits.0.inputs, &self.spec, self.reading);
        let encoder = if self.reading == Reading::Features { self.pools.together(fit) } else { fit() }?;
        let recipe = Recipe::read(&self.spec.params);
        self.fit_encoded((encoder, recipe), |layout| Ok(start(layout)), splits, watch)
    }

    /// Fits by this recipe on what this encoder makes of the rows.
    pub(crate) fn fit_encoded(
        &mut self,
        (encoder, recipe): (InputEncoder, Recipe),
        start: impl FnOnce(&WeightLayout) -> Result<Vec<f32>, ModelError>,
        (train, validation): (&Split, &Split),
        watch: &mut dyn Watch,
    ) -> Result<(), ModelError> {
        self.fitted = None;
        let (mut fitted, initial) = self.begun(encoder.clone(), start, &train.targets)?;
        let rows = TrainingRows {
            train: encode(&encoder, &train.inputs, &self.pools)?,
            targets: &train.targets,
            validation: encode(&encoder, &validation.inputs, &self.pools)?,
        };
        train::train(&mut fitted, initial, (&self.spec, recipe), &self.pools, rows, watch)?;
        self.fitted = Some(fitted);
        Ok(())
    }

    /// Features that are fitted on these inputs, on all threads.
    ///
    /// # Errors
    /// See [`Encoder::fit`].
    pub(crate) fn features(&self, inputs: &Inputs, params: &FeatureParams) -> Result<Encoder, ModelError> {
        self.pools.together(|| Ok(Encoder::fit(inputs, params)?.0))
    }

    /// Takes the weights that `start` gives and learns nothing from the rows but the scale of their targets.
    pub(crate) fn fit_nothing(
        &mut self,
        encoder: InputEncoder,
        start: impl FnOnce(&WeightLayout) -> Result<Vec<f32>, ModelError>,
        targets: &Targets,
    ) -> Result<(), ModelError> {
        self.fitted = Some(self.begun(encoder, start, targets)?.0);
        Ok(())
    }

    /// A network before its first step, and its weights and running statistics.
    fn begun(
        &self,
        encoder: InputEncoder,
        start: impl FnOnce(&WeightLayout) -> Result<Vec<f32>, ModelError>,
        targets: &Targets,
    ) -> Result<(FittedNetwork, InitialValues), ModelError> {
        let head = Head::fit(targets);
        let network = (self.design)(&self.spec.params, encoder.form(), head.outputs());
        let (device, precision) = place(&self.spec)?;
        let initial = (start(network.layout())?, network.buffers().initial(0));
        let begun = FittedNetwork {
            weights: Leaves::new(network.layout(), &initial.0, &device),
            buffers: Leaves::new(network.buffers(), &initial.1, &device),
            network: Arc::from(network),
            encoder,
            head,
            device,
            precision,
        };
        Ok((begun, initial))
    }
}

/// See [`Device::card`].
#[cfg(any(feature = "wgpu", feature = "cuda"))]
pub(crate) fn card(device: Device) -> Result<crate::device::Card, String> {
    cards::open(device).map(|opened| opened.card)
}

/// See [`Device::memory_bytes`].
#[cfg(any(feature = "wgpu", feature = "cuda"))]
pub(crate) fn card_memory(device: Device) -> Option<u64> {
    cards::open(device).ok()?.device.memory_pool_usage().map(|usage| usage.bytes_reserved)
}

/// The most bytes that a tensor may have on this device.
fn tensor_bytes(device: Device) -> u64 {
    #[cfg(any(feature = "wgpu", feature = "cuda"))]
    if let Ok(opened) = cards::open(device) {
        return opened.tensor_bytes;
    }
    debug_assert_eq!(device, Device::Cpu, "a fit is on a device that is open");
    u64::MAX
}

/// The library's handle of a device. A build that does not have the device has refused its name before.
///
/// # Errors
/// If this machine has no such card.
fn burn_device(device: Device) -> Result<BurnDevice, ModelError> {
    #[cfg(any(feature = "wgpu", feature = "cuda"))]
    if device != Device::Cpu {
        let opened = cards::open(device).map_err(|why| ModelError::Failed(format!("{}: {why}", device.name())))?;
        return Ok(opened.device);
    }
    debug_assert_eq!(device, Device::Cpu, "this build has no other device");
    Ok(BurnDevice::flex())
}

/// Where a network of this specification computes, and in which numbers.
///
/// # Errors
/// If this machine has no such card, or the card has no such numbers.
fn place(spec: &Spec) -> Result<(BurnDevice, Precision), ModelError> {
    let (device, precision) = (burn_device(spec.device)?, Precision::of(&spec.params));
    if precision == Precision::Bf16 && !device.supports_dtype(FloatDType::BF16) {
        let name = spec.device.name();
        return Err(ModelError::Failed(format!("the card of {name} has no bfloat16: use precision = \"f32\"")));
    }
    Ok((device, precision))
}

/// See [`crate::ModelEntry::fit_s`]. In every epoch, a row costs one forward pass and a backward pass of about twice
/// that cost. A batch has work for as many threads as it has shards.
pub(crate) fn fit_s(
    shape: &TaskShape,
    params: &Resolved,
    threads: usize,
    device: Device,
    design: Design,
    reading: impl Into<Reading>,
) -> f64 {
    let forward = typical(shape, params, design, reading).multiply_adds();
    seconds(forward, 3 * params.int("epochs") * shape.train_rows, params, threads, device)
}

/// Whether a network that reads its inputs in an order can compute on inputs of this form and on this device.
pub(crate) fn supports_order(shape: &TaskShape, params: &Resolved, device: Device) -> Support {
    if shape.input.is_table() {
        let reason = "it reads inputs that have an order, and the columns of a table have none: transformer, resnet and mlp read tables";
        return Support::No { reason: reason.to_owned() };
    }
    Precision::supports(params, device)
}

/// Whether a network that reads the columns of a table can do so on this device. Its features are computed on the processor only.
pub(crate) fn supports_table(params: &Resolved, device: Device) -> Support {
    match device.processor_alone() {
        Support::Yes => Precision::supports(params, device),
        no => no,
    }
}

/// The network for a task whose rows were not read, with texts of typical length.
pub(crate) fn typical(
    shape: &TaskShape,
    params: &Resolved,
    design: Design,
    reading: impl Into<Reading>,
) -> Box<dyn Network> {
    /// The number of words of a GLUE sentence, because the texts themselves are not read here.
    const TYPICAL_WORDS: usize = 20;
    // Who raises the limit has longer texts, about as long as that.
    let longest = params.int("max_tokens");
    let is_long = longest > recipe::DEFAULT_MAX_TOKENS as usize || shape.characters.is_some();
    let typical = if is_long { longest } else { TYPICAL_WORDS };
    let form = match (reading.into().of(&shape.input), shape.input) {
        (Reading::Features, InputShape::Table { numbers, categories }) => {
            let categories = vec![TYPICAL_CATEGORIES; categories];
            InputForm::Columns { groups: [vec![numbers], categories].concat() }
        }
        (Reading::Features, input) => InputForm::Features { width: FeatureParams::of(params, &input).width(&input) },
        (Reading::Raw(_), InputShape::Images { channels, height, width }) => {
            InputForm::Images { channels, height, width }
        }
        (Reading::Raw(reading), InputShape::Texts { .. }) => {
            InputForm::Tokens { vocabulary: params.int("vocabulary"), longest, typical, reading }
        }
        (Reading::Raw(_), InputShape::Table { .. }) => unreachable!("what reads a table reads its features"),
        (Reading::Pieces | Reading::PiecesWithFeatures | Reading::RawWithFeatures(_), _) => {
            unreachable!("the shape of such a network is in its files or in that of another; see `seconds`")
        }
    };
    let outputs = match shape.target {
        TargetShape::Classes(classes) => classes,
        TargetShape::Value => 1,
    };
    design(params, form, outputs)
}

/// The seconds of so many passes of one row each, of `multiply_adds` each. A backward pass is about two forward passes.
pub(crate) fn seconds(multiply_adds: u64, passes: usize, params: &Resolved, threads: usize, device: Device) -> f64 {
    /// How many operations a core does in a second, measured on the networks of `quick`.
    const OPERATIONS_PER_SECOND: f64 = 3e10;
    let rate = match device {
        Device::Cpu => OPERATIONS_PER_SECOND * threads.min(params.int("batch").div_ceil(params.int("shard"))) as f64,
        // A card is not known before it is measured. This is less than any of today's.
        Device::Wgpu(_) | Device::Cuda(_) => 1e12,
    };
    2.0 * multiply_adds as f64 * passes as f64 / rate
}

impl Model for Neural {
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        let seed = self.spec.seed_for("init");
        self.fit_from(|layout| layout.initial(seed), (train, validation), watch)
    }

    fn pooled(&mut self, inputs: &Inputs) -> Result<Option<Matrix>, ModelError> {
        let fitted = self.fitted.as_ref().ok_or_else(|| ModelError::Failed("pooled was called before fit".into()))?;
        fitted.pooled(&encode(&fitted.encoder, inputs, &self.pools)?, &self.pools).map(Some)
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        let fitted = self.fitted.as_ref().ok_or_else(|| ModelError::Failed("predict was called before fit".into()))?;
        fitted.predict(inputs, &self.pools)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        self.save_as(folder, &self.spec)
    }

    fn footprint(&self) -> Footprint {
        self.fitted.as_ref().map(FittedNetwork::footprint).unwrap_or_default()
    }

    fn threads(&self) -> Option<usize> {
        Some(self.pools.threads())
    }

    fn truncated(&self, inputs: &Inputs) -> Option<usize> {
        self.fitted.as_ref().and_then(|fitted| fitted.encoder.truncated(inputs))
    }

    fn wordless(&self, inputs: &Inputs) -> Option<usize> {
        self.fitted.as_ref().and_then(|fitted| fitted.encoder.wordless(inputs))
    }

    fn reasons(&mut self, inputs: &Inputs, _classes: &[String]) -> Result<Option<Vec<Reason>>, ModelError> {
        let Some(fitted) = &self.fitted else { return Ok(None) };
        let attention = fitted.attention(inputs, &self.pools)?;
        Ok(attention.map(|all| all.into_iter().map(Reason::Attention).collect()))
    }
}
