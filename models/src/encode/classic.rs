//! What the classic models learn from: plain features, those that a network has learned, or both side by side.
//!
//! The features of a network are what its head takes (Sharif Razavian et al. 2014, "CNN features off-the-shelf"). The network is
//! pretrained and stays as it is, or is fitted on the same training rows before.

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

use std::path::PathBuf;

use bakeoff_datasets::{Inputs, Split};
use ndarray::Array2;
use rayon::ThreadPool;
use serde::{Deserialize, Serialize};

use super::features::{Encoder, EncoderState, FeatureParams, Features};
use super::images::ImageFeatures;
use super::scale::Scale;
use crate::artefact::{ArraysIn, ArraysOut, parts};
use crate::device::Device;
use crate::ensemble::check_alone;
use crate::model::{Footprint, InputShape, Matrix, Model, ModelError, Spec, Support, TaskShape, Watch};
use crate::params::{DefaultValue, Domain, ModelValue, Param, ParamError, Resolved};
use crate::part::{self, PartWatch};

/// The networks that can give features.
const NETWORKS: &[&str] = &["encoder", "transformer", "resnet", "cnn", "lstm", "gru", "mlp"];

/// The share of a budget at which the network stops to learn.
const NETWORK_SHARE: f64 = 0.7;

/// The parameter `features` of a classic model.
pub(crate) const fn features_param(default: &'static str, source: &'static str) -> Param {
    Param {
        domain: Domain::WordOrNetwork(ImageFeatures::NAMES, NETWORKS),
        about: "images: histograms of oriented gradients, raw pixels from 0 to 1, or both; auto: both for grey images, hog for colour \
                images; texts: TF-IDF with each of these words; tables: every column with each of these words; a network: what its last layer takes; encoder stays as it was \
                pretrained, the others learn from the same training rows first",
        ..ImageFeatures::param(default, source)
    }
}

/// The parameter `concatenate` of a classic model.
pub(crate) const CONCATENATE: Param = Param {
    name: "concatenate",
    images: DefaultValue::Bool(false),
    texts: DefaultValue::Bool(false),
    tables: DefaultValue::Bool(false),
    domain: Domain::Switch,
    about: "with the features of a network: put the plain ones beside them, histograms of oriented gradients of images or TF-IDF of texts",
    source: "our own choice: each kind of features alone",
    search: None,
};

/// The model whose features these parameters ask for; `None` if they ask for plain ones.
fn network(params: &Resolved) -> Option<&ModelValue> {
    params.model("features")
}

/// Whether these parameters ask for plain features.
fn has_plain(params: &Resolved) -> bool {
    network(params).is_none() || params.switch(CONCATENATE.name)
}

/// Checks the parameters `features` and `concatenate`.
///
/// # Errors
/// If the network is an ensemble, or if there is nothing beside which plain features could be put.
pub(crate) fn check(params: &Resolved) -> Result<(), ParamError> {
    match network(params) {
        Some(network) => check_alone("features", network),
        None if params.switch(CONCATENATE.name) => Err(ParamError::Domain {
            name: CONCATENATE.name.to_owned(),
            found: "true".to_owned(),
            expected: "false, because features is no network".to_owned(),
        }),
        None => Ok(()),
    }
}

/// What the columns of a table become for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// In standard deviations from their means.
    Scaled,
    /// As they are, for models to which their scale does not matter.
    AsTheyAre,
}

/// Whether the features can be made of inputs of this form.
pub(crate) fn supports(shape: &TaskShape, params: &Resolved, device: Device) -> Support {
    if let Some(network) = network(params)
        && let Support::No { reason } = network.entry().supports(shape, network.params(), device)
    {
        return Support::No { reason: format!("features = {}: {reason}", network.name()) };
    }
    if has_plain(params) {
        FeatureParams::of(params, &shape.input).supports(&shape.input, device)
    } else {
        Support::Yes
    }
}

/// The largest number of features that inputs of a task can have. Those of a network count if they are known.
pub(crate) fn width(shape: &TaskShape, params: &Resolved) -> usize {
    let of_network = network(params).and_then(|network| network.entry().pooled_width(shape, network.params()));
    let plain = if has_plain(params) { FeatureParams::of(params, &shape.input).width(&shape.input) } else { 0 };
    of_network.unwrap_or(0) + plain
}

/// Whether most features of an example are zero, so that only the others are stored.
pub(crate) fn is_sparse(input: &InputShape, params: &Resolved) -> bool {
    matches!(input, InputShape::Texts { .. }) && has_plain(params)
}

/// The seconds until the network gives its features; see [`crate::ModelEntry::fit_s`].
pub(crate) fn fit_s(shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
    network(params).map_or(Some(0.0), |network| network.entry().fit_s(shape, network.params(), threads, device))
}

/// What a saved [`ClassicEncoder`] stores beside its arrays and its part.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum ClassicState {
    /// Plain features alone.
    Plain(EncoderState),
    /// Those of a network, which is a part of the model, and plain features beside them.
    Network { beside: Option<EncoderState> },
}

/// What makes the features, fitted on training rows.
pub(crate) struct ClassicEncoder {
    network: Option<NetworkFeatures>,
    plain: Option<Encoder>,
}

impl ClassicEncoder {
    /// Learns from `all` inputs, which are those of both splits, and encodes them. The network learns from the training rows, and
    /// the validation rows choose its epoch.
    ///
    /// # Errors
    /// If the network cannot be built or fitted, or the inputs are of another form than the task has.
    pub(crate) fn fit(
        spec: &Spec,
        (train, validation, all): (&Split, &Split, &Inputs),
        numbers: Numbers,
        pool: &ThreadPool,
        watch: &mut dyn Watch,
    ) -> Result<(ClassicEncoder, Features), ModelError> {
        let learned = match network(&spec.params) {
            Some(value) => Some(NetworkFeatures::fit((spec, value), (train, validation, all), watch)?),
            None => None,
        };
        let params = FeatureParams::of(&spec.params, &spec.shape.input);
        let params = if numbers == Numbers::Scaled { params } else { params.as_they_are() };
        let plain = || Encoder::fit(all, &params);
        let plain = if has_plain(&spec.params) { Some(pool.install(plain)?) } else { None };
        let ((network, learned), (plain, features)) = (learned.unzip(), plain.unzip());
        let features = side_by_side(learned, features, all)?;
        Ok((ClassicEncoder { network, plain }, features))
    }

    /// Encodes inputs of the kind and size that the encoder was fitted on.
    ///
    /// # Errors
    /// If the inputs are of another kind or size.
    pub(crate) fn encode(&mut self, inputs: &Inputs, pool: &ThreadPool) -> Result<Features, ModelError> {
        let learned = self.network.as_mut().map(|network| network.encode(inputs)).transpose()?;
        let plain = self.plain.as_ref();
        let plain = plain.map(|plain| pool.install(|| plain.encode(inputs))).transpose()?;
        side_by_side(learned, plain, inputs)
    }

    /// Adds the learned arrays and returns everything else that was learned, but for [`ClassicEncoder::parts`].
    pub(crate) fn save(&self, arrays: &mut ArraysOut) -> ClassicState {
        let plain = self.plain.as_ref().map(|plain| plain.save(arrays));
        match (&self.network, plain) {
            (None, Some(plain)) => ClassicState::Plain(plain),
            (network, beside) => {
                network.iter().for_each(|network| network.scale.save(NETWORK_SCALE, arrays));
                ClassicState::Network { beside }
            }
        }
    }

    /// The models that are to be saved as parts.
    pub(crate) fn parts(&self) -> Vec<&dyn Model> {
        self.network.iter().map(|network| &*network.model).collect()
    }

    /// Restores an encoder from what [`ClassicEncoder::save`] stored and from the folders of the parts.
    ///
    /// # Errors
    /// If the stored encoder is not one for such parameters and inputs of this form, or a part cannot be loaded.
    pub(crate) fn load(
        state: ClassicState,
        folders: &[PathBuf],
        spec: &Spec,
        arrays: &mut ArraysIn,
    ) -> Result<ClassicEncoder, ModelError> {
        let (value, features) = (network(&spec.params), FeatureParams::of(&spec.params, &spec.shape.input));
        let plain = match (state, value) {
            (ClassicState::Plain(state), None) => Some(state),
            (ClassicState::Network { beside }, Some(_)) if beside.is_some() == has_plain(&spec.params) => beside,
            _ => return Err(arrays.refused("belongs to features of another kind than the parameters ask for")),
        };
        let plain = plain.map(|state| Encoder::load(state, &features, &spec.shape.input, arrays)).transpose()?;
        let network = match (value, folders) {
            (None, []) => None,
            (Some(value), [folder]) => {
                let of = (value.entry(), value.params());
                let model = parts::load_part(folder, of, &spec.shape, spec.threads.clone(), spec.device)?;
                let scale = Scale::load(NETWORK_SCALE, arrays.rows(&format!("{NETWORK_SCALE}.mean"))?, arrays)?;
                Some(NetworkFeatures { name: value.name().to_owned(), model, scale })
            }
            (_, folders) => {
                let (count, expected) = (folders.len(), usize::from(value.is_some()));
                return Err(arrays.refused(format!("goes with {count} parts, expected {expected}")));
            }
        };
        Ok(ClassicEncoder { network, plain })
    }

    /// The number of features.
    pub(crate) fn width(&self) -> usize {
        self.network.as_ref().map_or(0, |network| network.scale.width()) + self.plain.as_ref().map_or(0, Encoder::width)
    }

    /// A name for each feature, for people.
    pub(crate) fn feature_names(&self) -> Vec<String> {
        let of_network = self
            .network
            .iter()
            .flat_map(|network| (0..network.scale.width()).map(|index| format!("number {index} of {}", network.name)));
        of_network.chain(self.plain.iter().flat_map(Encoder::feature_names)).collect()
    }

    /// How many of these texts contain no word that the features are made of; see [`Model::wordless`].
    pub(crate) fn wordless(&self, inputs: &Inputs) -> Option<usize> {
        match (&self.plain, &self.network) {
            (Some(plain), _) => plain.wordless(inputs),
            (None, network) => network.as_ref().and_then(|network| network.model.wordless(inputs)),
        }
    }

    /// How many of these inputs the features are not made of as a whole; see [`Model::truncated`]. TF-IDF is made of whole texts.
    pub(crate) fn truncated(&self, inputs: &Inputs) -> Option<usize> {
        self.network.as_ref().and_then(|network| network.model.truncated(inputs))
    }

    /// How large a model is that has `own` size beside that of the features.
    pub(crate) fn footprint(&self, own: Footprint) -> Footprint {
        let Some(network) = &self.network else { return own };
        let of_network = network.model.footprint();
        let both = |own: Option<u64>, other: Option<u64>| own.zip(other).map(|(own, other)| own + other);
        Footprint {
            parameters: own.parameters + of_network.parameters,
            flops_per_example: both(own.flops_per_example, of_network.flops_per_example),
            weight_bytes: both(own.weight_bytes, of_network.weight_bytes),
        }
    }
}

/// How the names of the arrays begin that scale the features of a network.
const NETWORK_SCALE: &str = "network";

/// The features of a fitted network, each scaled to mean zero and variance one over the training and validation rows.
struct NetworkFeatures {
    /// The model's name.
    name: String,
    model: Box<dyn Model>,
    scale: Scale,
}

impl NetworkFeatures {
    fn fit(
        (spec, value): (&Spec, &ModelValue),
        (train, validation, all): (&Split, &Split, &Inputs),
        watch: &mut dyn Watch,
    ) -> Result<(NetworkFeatures, Array2<f32>), ModelError> {
        let blamed = |error| part::blamed("features", value, error);
        let mut model =
            value.entry().build(&Spec { params: value.params().clone(), ..spec.clone() }).map_err(blamed)?;
        model.fit_pooled(train, validation, &mut PartWatch::new(watch, NETWORK_SHARE)).map_err(blamed)?;
        let mut rows = pooled(value.name(), &mut *model, all).map_err(blamed)?;
        if rows.iter().any(|value| !value.is_finite()) {
            let name = value.name();
            return Err(ModelError::Failed(format!(
                "features = {name}: a feature of a training row is not a finite number"
            )));
        }
        let scale = Scale::fit(&rows.view());
        scale.apply(&mut rows.view_mut());
        Ok((NetworkFeatures { name: value.name().to_owned(), model, scale }, rows))
    }

    fn encode(&mut self, inputs: &Inputs) -> Result<Array2<f32>, ModelError> {
        let mut rows = pooled(&self.name, &mut *self.model, inputs)?;
        let (found, expected) = (rows.ncols(), self.scale.width());
        if found != expected {
            let name = &self.name;
            return Err(ModelError::Failed(format!("features = {name}: {found} features, expected {expected}")));
        }
        self.scale.apply(&mut rows.view_mut());
        Ok(rows)
    }
}

/// What the head of this network takes of each input.
fn pooled(name: &str, model: &mut dyn Model, inputs: &Inputs) -> Result<Array2<f32>, ModelError> {
    let pooled = model.pooled(inputs)?;
    let Matrix { rows, cols, data } =
        pooled.ok_or_else(|| ModelError::Unsupported(format!("features = {name}: it is not one network")))?;
    Ok(Array2::from_shape_vec((rows, cols), data).expect("a matrix has as many values as its shape says"))
}

/// The features of a network before plain ones. A row of TF-IDF values is of length one, and the defaults of the classic models on texts
/// are for such rows. So on texts, the features of the network are divided by the root of their number: then their row is of length one
/// in the mean too.
fn side_by_side(
    learned: Option<Array2<f32>>,
    plain: Option<Features>,
    inputs: &Inputs,
) -> Result<Features, ModelError> {
    let learned = learned.map(|learned| match inputs {
        Inputs::Images(_) | Inputs::Table(_) => learned,
        Inputs::Texts(_) => {
            let root = (learned.ncols().max(1) as f32).sqrt();
            learned / root
        }
    });
    match (learned, plain) {
        (Some(learned), Some(plain)) => Ok(Features::Dense(learned).beside(&plain)),
        (Some(learned), None) => Ok(Features::Dense(learned)),
        (None, Some(plain)) => Ok(plain),
        (None, None) => Err(ModelError::Failed("no features are asked for".to_owned())),
    }
}
