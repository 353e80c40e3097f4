//! A generator of images, and a discriminator with K + 1 classes that learns against it: the K classes of the task, and the made-up
//! images as one class more (Salimans et al. 2016, section 5).

mod networks;
#[cfg(test)]
mod tests;
mod training;

use std::sync::Arc;

use bakeoff_datasets::{Images, Inputs, Split};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use self::networks::{Discriminator, Generator, ImageSize};
use self::training::Rivals;
use super::backend::Pools;
use super::encoder::{InputEncoder, NetworkEncoderState, Normalisation, TextReading};
use super::fitted::FittedNetwork;
use super::head::Head;
use super::layers::Pass;
use super::network::Network;
use super::recipe::{Precision, Recipe};
use super::weights::{Leaves, WeightLayout};
use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::{Footprint, InputShape, ModelError, Predictions, Spec, Watch};
use crate::params::Resolved;

/// How many images one thread makes at a time.
const IMAGES_PER_SHARD: usize = 16;

/// A fitted discriminator with its generator.
pub(crate) struct FittedRivals {
    /// The discriminator.
    classifier: FittedNetwork,
    generator: Arc<Generator>,
    /// All weights of the generator.
    weights: Leaves,
    /// All its running statistics.
    buffers: Leaves,
    /// The seed of the images that it makes.
    image_seed: u64,
}

/// Both networks before their first step.
struct Begun {
    fitted: FittedRivals,
    discriminator: Arc<Discriminator>,
    /// The weights of the discriminator and of the generator.
    weights: [Vec<f32>; 2],
    /// The running statistics of the generator.
    buffers: Vec<f32>,
}

impl FittedRivals {
    /// Fits both on images.
    ///
    /// # Errors
    /// If a loss or a gradient is not finite, if the budget ends in the first epoch, or if `watch` ends the fit.
    pub(crate) fn fit(
        spec: &Spec,
        (train, validation): (&Split, &Split),
        pools: &Pools,
        watch: &mut dyn Watch,
    ) -> Result<FittedRivals, ModelError> {
        let at_random = |layout: &WeightLayout, network: &str| layout.initial(spec.seed_for(network));
        let Begun { mut fitted, discriminator, weights, buffers } = FittedRivals::begun(spec, train, at_random)?;
        let encoder = fitted.classifier.encoder.clone();
        let rivals = Rivals::new(discriminator, &fitted, (spec, Recipe::read(&spec.params)), pools);
        let encoded = [encoder.encode(&train.inputs)?, encoder.encode(&validation.inputs)?];
        rivals.train(&mut fitted, (weights, buffers), encoded, &train.targets, watch)?;
        Ok(fitted)
    }

    /// Both with the weights that `start` gives for the layout of each, which it gets with its name.
    fn begun(spec: &Spec, train: &Split, start: impl Fn(&WeightLayout, &str) -> Vec<f32>) -> Result<Begun, ModelError> {
        let encoder = InputEncoder::fit(&train.inputs, spec, TextReading::Single.into())?;
        let head = Head::fit(&train.targets);
        let device = super::burn_device(spec.device)?;
        let (discriminator, generator) = design(&spec.params, &encoder, head)?;
        let weights = [start(discriminator.layout(), "discriminator"), start(&generator.layouts.0, "generator")];
        let buffers = generator.layouts.1.initial(0);
        let discriminator = Arc::new(discriminator);
        let fitted = FittedRivals {
            classifier: FittedNetwork {
                weights: Leaves::new(discriminator.layout(), &weights[0], &device),
                buffers: Leaves::new(discriminator.buffers(), &[], &device),
                network: Arc::clone(&discriminator) as Arc<dyn Network>,
                encoder,
                head,
                device: device.clone(),
                precision: Precision::of(&spec.params),
            },
            weights: Leaves::new(&generator.layouts.0, &weights[1], &device),
            buffers: Leaves::new(&generator.layouts.1, &buffers, &device),
            generator: Arc::new(generator),
            image_seed: spec.seed_for("images"),
        };
        Ok(Begun { fitted, discriminator, weights, buffers })
    }

    /// The task's class of each image.
    ///
    /// # Errors
    /// If the inputs are not images of the size that the discriminator was fitted on.
    pub(crate) fn predict(&self, inputs: &Inputs, pools: &Pools) -> Result<Predictions, ModelError> {
        self.classifier.predict(inputs, pools)
    }

    /// So many images that the generator makes, the same every time.
    ///
    /// # Errors
    /// If the library cannot give the numbers.
    pub(crate) fn images(&self, count: usize, pools: &Pools) -> Result<Images, ModelError> {
        let shards: Vec<usize> = (0..count).step_by(IMAGES_PER_SHARD).collect();
        let made = pools.map(&shards, |index, &from| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.image_seed);
            rng.set_stream(index as u64);
            let examples = IMAGES_PER_SHARD.min(count - from);
            let noise = self.generator.noise(examples, &mut rng, &self.classifier.device);
            let pixels = self.generator.forward(noise, &mut Pass::new(&self.weights, &self.buffers, None));
            pixels.try_into_vec_as::<f32>()
        });
        let mut pixels = Vec::new();
        for part in made {
            pixels.extend(part.map_err(|error| ModelError::Failed(format!("failed to read images: {error:?}")))?);
        }
        Ok(self.generator.images(&pixels))
    }

    /// Adds all arrays and returns everything else that was learned.
    ///
    /// # Errors
    /// If the library cannot give the numbers.
    pub(crate) fn save(&self, arrays: &mut ArraysOut) -> Result<NetworkEncoderState, ModelError> {
        let FittedNetwork { network, encoder, weights, .. } = &self.classifier;
        let state = encoder.save(arrays);
        weights.save("weights", network.layout(), arrays)?;
        self.weights.save("generator.weights", &self.generator.layouts.0, arrays)?;
        self.buffers.save("generator.buffers", &self.generator.layouts.1, arrays)?;
        Ok(state)
    }

    /// Restores what [`FittedRivals::save`] stored.
    ///
    /// # Errors
    /// If an array is missing or has another shape.
    pub(crate) fn load(
        spec: &Spec,
        state: NetworkEncoderState,
        arrays: &mut ArraysIn,
    ) -> Result<FittedRivals, ModelError> {
        let encoder = InputEncoder::load(state, spec, TextReading::Single.into(), arrays)?;
        let head = Head::load(spec.shape.target, arrays)?;
        let device = super::burn_device(spec.device)?;
        let (discriminator, generator) = design(&spec.params, &encoder, head)?;
        Ok(FittedRivals {
            classifier: FittedNetwork {
                weights: Leaves::load("weights", discriminator.layout(), arrays, &device)?,
                buffers: Leaves::new(discriminator.buffers(), &[], &device),
                network: Arc::new(discriminator),
                encoder,
                head,
                device: device.clone(),
                precision: Precision::of(&spec.params),
            },
            weights: Leaves::load("generator.weights", &generator.layouts.0, arrays, &device)?,
            buffers: Leaves::load("generator.buffers", &generator.layouts.1, arrays, &device)?,
            generator: Arc::new(generator),
            image_seed: spec.seed_for("images"),
        })
    }

    /// How large both networks are, and what a prediction costs, for which the generator is not needed.
    pub(crate) fn footprint(&self) -> Footprint {
        let classifier = self.classifier.footprint();
        Footprint { parameters: classifier.parameters + self.generator.layouts.0.len() as u64, ..classifier }
    }

    /// Gives both networks these weights, and the generator these running statistics.
    fn set(&mut self, discriminator: &[f32], generator: &[f32], buffers: &[f32]) {
        self.classifier.set(discriminator, &[]);
        self.weights = Leaves::new(&self.generator.layouts.0, generator, &self.classifier.device);
        self.buffers = Leaves::new(&self.generator.layouts.1, buffers, &self.classifier.device);
    }
}

/// Both networks for images that `encoder` encodes.
fn design(params: &Resolved, encoder: &InputEncoder, head: Head) -> Result<(Discriminator, Generator), ModelError> {
    let (InputEncoder::Images { normalisation, form }, Head::Classes(classes)) = (encoder, head) else {
        return Err(ModelError::Unsupported("this model tells classes of images apart, and nothing else".to_owned()));
    };
    let size = ImageSize::of(form);
    Ok((Discriminator::new(params, size, classes), Generator::new(params, size, normalisation.clone())))
}

/// The multiply-adds of a training row in one epoch, for the forecast. The discriminator reads a real and a made-up image forwards and
/// backwards, and again to move the generator, without gradients of its weights; the generator makes an image twice and learns once.
pub(crate) fn multiply_adds(params: &Resolved, input: &InputShape, classes: usize) -> u64 {
    let &InputShape::Images { channels, height, width } = input else { return 0 };
    let size = ImageSize { height, width, channels };
    let normalisation = Normalisation { mean: vec![0.0; channels], std: vec![1.0; channels] };
    let discriminator = Discriminator::new(params, size, classes).multiply_adds();
    let generator = Generator::new(params, size, normalisation).multiply_adds;
    (2 * 3 + 3) * discriminator + (1 + 3) * generator
}
