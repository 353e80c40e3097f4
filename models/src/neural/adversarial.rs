//! A generator of images, and a discriminator with K + 1 classes that learns against it: the K classes of the task, and the made-up
//! images as one class more (Salimans et al. 2016, section 5).

mod training;

use std::sync::Arc;

use bakeoff_datasets::{Images, Inputs, Split};
use burn::tensor::activation::{leaky_relu, log_softmax};
use burn::tensor::{Device as BurnDevice, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::training::Rivals;
use super::backend::Pools;
use super::batch::Batch;
use super::encoder::{InputEncoder, InputForm, NetworkEncoderState, Normalisation, TextReading};
use super::fitted::FittedNetwork;
use super::head::Head;
use super::layers::{BatchNorm, Conv, Linear, Pass};
use super::network::Network;
use super::recipe::Recipe;
use super::weights::{Init, Leaves, Weight, WeightLayout};
use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::{Footprint, InputShape, ModelError, Predictions, Spec, Watch};
use crate::params::Resolved;

/// The slope of the discriminator's units below zero (Radford et al. 2015).
const LEAK: f64 = 0.2;
/// How often the sides of the discriminator's images are halved, and those of the generator's doubled.
const HALVINGS: usize = 2;
/// How many images one thread makes at a time.
const IMAGES_PER_SHARD: usize = 16;

/// Height, width and channels of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ImageSize {
    height: usize,
    width: usize,
    channels: usize,
}

impl ImageSize {
    fn of(form: InputForm) -> ImageSize {
        match form {
            InputForm::Images { channels, height, width } => ImageSize { height, width, channels },
            _ => unreachable!("a generator is of images alone"),
        }
    }

    /// Height and width after all halvings, rounded up.
    fn smallest(self) -> [usize; 2] {
        [self.height, self.width].map(|side| side.div_ceil(1 << HALVINGS))
    }
}

/// Six convolutions, each with a bias and a leaky ReLU, of which two halve the image. There is no batch normalisation, because it would
/// give made-up and real images the same means, which are what the generator is to match.
pub(super) struct Discriminator {
    layout: WeightLayout,
    buffers: WeightLayout,
    /// Each with its bias and its stride.
    layers: Vec<(Conv, Weight, usize)>,
    head: Linear,
    dropout: f64,
    multiply_adds: u64,
}

impl Discriminator {
    fn new(params: &Resolved, size: ImageSize, classes: usize) -> Discriminator {
        let ImageSize { mut height, mut width, channels } = size;
        let first = params.int("width");
        let (mut layout, mut layers, mut multiply_adds, mut inputs) =
            (WeightLayout::default(), Vec::new(), 0, channels);
        for stage in 0..=HALVINGS {
            let outputs = first << stage;
            for index in 0..2 {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                (height, width) = (height.div_ceil(stride), width.div_ceil(stride));
                let name = format!("stage{}.{index}", stage + 1);
                let conv = Conv::new(&mut layout, &name, inputs, outputs);
                let bias = layout.free(format!("{name}.bias"), &[outputs], Init::Constant(0.0));
                layers.push((conv, bias, stride));
                multiply_adds += height * width * 9 * inputs * outputs;
                inputs = outputs;
            }
        }
        let head = Linear::new(&mut layout, "head", inputs, classes, Init::glorot(inputs, classes));
        Discriminator {
            layout,
            buffers: WeightLayout::default(),
            layers,
            head,
            dropout: params.float("dropout"),
            multiply_adds: (multiply_adds + inputs * classes) as u64,
        }
    }

    /// What the last layer reads of images, `examples x features`: the means of the last channels.
    fn features(&self, pixels: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<2> {
        let mut x = pixels;
        for (conv, bias, stride) in &self.layers {
            x = if *stride > 1 { pass.dropout(x, self.dropout) } else { x };
            let bias: Tensor<1> = pass.weight(*bias);
            x = leaky_relu(conv.forward(x, *stride, pass) + bias.unsqueeze(), LEAK);
        }
        let [examples, height, width, channels] = x.dims();
        x.reshape([examples, height * width, channels]).mean_dim(1).squeeze_dim(1)
    }

    /// The outputs for the classes of the task, `examples x classes`.
    fn classify(&self, features: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<2> {
        let features = pass.dropout(features, self.dropout);
        self.head.forward(features, pass)
    }

    /// The logarithms of the probabilities of all K + 1 classes, `examples x (classes + 1)`; the last is that of made-up images. Its
    /// output is 0, because a number that is added to all outputs changes no probability.
    fn log_probabilities(&self, pixels: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<2> {
        let features = self.features(pixels, pass);
        let outputs = self.classify(features, pass);
        let made_up = Tensor::zeros([outputs.dims()[0], 1], &outputs.device());
        log_softmax(Tensor::cat(vec![outputs, made_up], 1), 1)
    }
}

impl Network for Discriminator {
    fn layout(&self) -> &WeightLayout {
        &self.layout
    }

    fn buffers(&self) -> &WeightLayout {
        &self.buffers
    }

    fn forward(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let Batch::Images(pixels) = batch else { unreachable!("a discriminator is of images alone") };
        let features = self.features(pixels.clone(), pass);
        self.classify(features, pass)
    }

    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }
}

/// An affine map of noise to a small image of many channels, whose sides are then doubled twice. Each doubling repeats every pixel
/// and convolves, because a transposed convolution leaves a pattern of squares (Odena et al. 2016).
pub(super) struct Generator {
    layouts: (WeightLayout, WeightLayout),
    start: Linear,
    /// One before each convolution.
    norms: Vec<BatchNorm>,
    convolutions: Vec<Conv>,
    bias: Weight,
    noise: usize,
    /// Channels of the small image.
    widest: usize,
    size: ImageSize,
    /// Mean and deviation of each colour plane, by which real images are standardised.
    normalisation: Normalisation,
    multiply_adds: u64,
}

impl Generator {
    fn new(params: &Resolved, size: ImageSize, normalisation: Normalisation) -> Generator {
        let (first, noise) = (params.int("width"), params.int("noise"));
        let widest = first << HALVINGS;
        let [mut height, mut width] = size.smallest();
        let mut layouts = (WeightLayout::default(), WeightLayout::default());
        let numbers = height * width * widest;
        let start = Linear::new(&mut layouts.0, "start", noise, numbers, Init::he(noise));
        let (mut norms, mut convolutions) = (Vec::new(), Vec::new());
        let mut multiply_adds = noise * numbers;
        let mut inputs = widest;
        for stage in 0..=HALVINGS {
            norms.push(BatchNorm::new(&mut layouts.0, &mut layouts.1, &format!("norm{stage}"), inputs));
            let outputs = if stage < HALVINGS { inputs / 2 } else { size.channels };
            if stage < HALVINGS {
                (height, width) = (2 * height, 2 * width);
            }
            convolutions.push(Conv::new(&mut layouts.0, &format!("conv{stage}"), inputs, outputs));
            multiply_adds += height * width * 9 * inputs * outputs;
            inputs = outputs;
        }
        let bias = layouts.0.free("bias", &[size.channels], Init::Constant(0.0));
        Generator {
            layouts,
            start,
            norms,
            convolutions,
            bias,
            noise,
            widest,
            size,
            normalisation,
            multiply_adds: multiply_adds as u64,
        }
    }

    /// Noise for so many images, uniform in ±1, `examples x noise`.
    fn noise(&self, examples: usize, rng: &mut ChaCha8Rng, device: &BurnDevice) -> Tensor<2> {
        let values: Vec<f32> = (0..examples * self.noise).map(|_| rng.random::<f32>() * 2.0 - 1.0).collect();
        Tensor::from_data(TensorData::new(values, [examples, self.noise]), device)
    }

    /// Standardised pixels from noise, `examples x height x width x channels`.
    fn forward(&self, noise: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<4> {
        let ImageSize { height, width, channels } = self.size;
        let [examples, _] = noise.dims();
        let [small_height, small_width] = self.size.smallest();
        let start = self.start.forward(noise, pass);
        let mut x: Tensor<4> = start.reshape([examples, small_height, small_width, self.widest]);
        for (stage, (norm, convolution)) in self.norms.iter().zip(&self.convolutions).enumerate() {
            x = norm.relu(x, None, pass);
            if stage < HALVINGS {
                x = doubled(x);
            }
            x = convolution.forward(x, 1, pass);
        }
        let bias: Tensor<1> = pass.weight(self.bias);
        // From -1 to 1, as pixels are from 0 to 1.
        let x = (x + bias.unsqueeze()).tanh().narrow(1, 0, height).narrow(2, 0, width);
        let plane = |value: &dyn Fn(usize) -> f32| -> Tensor<4> {
            let values: Vec<f32> = (0..channels).map(value).collect();
            Tensor::from_data(TensorData::new(values, [1, 1, 1, channels]), &x.device())
        };
        let Normalisation { mean, std } = &self.normalisation;
        let factor = plane(&|channel| 0.5 / std[channel]);
        let offset = plane(&|channel| (0.5 - mean[channel]) / std[channel]);
        x * factor + offset
    }

    /// Images of standardised pixels, each `height x width x channels`, as they are in a dataset.
    fn images(&self, standardised: &[f32]) -> Images {
        let ImageSize { height, width, channels } = self.size;
        let Normalisation { mean, std } = &self.normalisation;
        let mut pixels = Vec::with_capacity(standardised.len());
        for image in standardised.chunks_exact(height * width * channels) {
            for channel in 0..channels {
                let plane = image.iter().skip(channel).step_by(channels);
                pixels.extend(plane.map(|value| ((value * std[channel] + mean[channel]) * 255.0).round() as u8));
            }
        }
        Images { channels, height, width, pixels }
    }
}

/// Every pixel twice in both directions.
fn doubled(x: Tensor<4>) -> Tensor<4> {
    let [examples, height, width, channels] = x.dims();
    let x: Tensor<6> = x.reshape([examples, height, 1, width, 1, channels]);
    x.expand([examples, height, 2, width, 2, channels]).reshape([examples, 2 * height, 2 * width, channels])
}

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
        let encoder = InputEncoder::fit(&train.inputs, spec, TextReading::Single.into())?;
        let head = Head::fit(&train.targets);
        let device = super::burn_device(spec.device);
        let (discriminator, generator) = design(&spec.params, &encoder, head)?;
        let seeds = ["discriminator", "generator"].map(|axis| spec.seed_for(axis));
        let initial = [&discriminator.layout, &generator.layouts.0].map(WeightLayout::clone);
        let weights = [initial[0].initial(seeds[0]), initial[1].initial(seeds[1])];
        let buffers = generator.layouts.1.initial(0);
        let discriminator = Arc::new(discriminator);
        let mut fitted = FittedRivals {
            classifier: FittedNetwork {
                weights: Leaves::new(&discriminator.layout, &weights[0], &device),
                buffers: Leaves::new(&discriminator.buffers, &[], &device),
                network: Arc::clone(&discriminator) as Arc<dyn Network>,
                encoder: encoder.clone(),
                head,
                device: device.clone(),
            },
            weights: Leaves::new(&generator.layouts.0, &weights[1], &device),
            buffers: Leaves::new(&generator.layouts.1, &buffers, &device),
            generator: Arc::new(generator),
            image_seed: spec.seed_for("images"),
        };
        let rivals = Rivals::new(discriminator, &fitted, (spec, Recipe::read(&spec.params)), pools);
        let encoded = [encoder.encode(&train.inputs)?, encoder.encode(&validation.inputs)?];
        rivals.train(&mut fitted, (weights, buffers), encoded, &train.targets, watch)?;
        Ok(fitted)
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
        let device = super::burn_device(spec.device);
        let (discriminator, generator) = design(&spec.params, &encoder, head)?;
        Ok(FittedRivals {
            classifier: FittedNetwork {
                weights: Leaves::load("weights", &discriminator.layout, arrays, &device)?,
                buffers: Leaves::new(&discriminator.buffers, &[], &device),
                network: Arc::new(discriminator),
                encoder,
                head,
                device: device.clone(),
            },
            weights: Leaves::load("generator.weights", &generator.layouts.0, arrays, &device)?,
            buffers: Leaves::load("generator.buffers", &generator.layouts.1, arrays, &device)?,
            generator: Arc::new(generator),
            image_seed: spec.seed_for("images"),
        })
    }

    /// How large both networks are, and what a prediction costs, for which the generator is not needed.
    pub(crate) fn footprint(&self) -> Footprint {
        let Footprint { parameters, flops_per_example } = self.classifier.footprint();
        Footprint { parameters: parameters + self.generator.layouts.0.len() as u64, flops_per_example }
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
    let size = ImageSize::of(*form);
    Ok((Discriminator::new(params, size, classes), Generator::new(params, size, normalisation.clone())))
}

/// The multiply-adds of a training row in one epoch, for the forecast. The discriminator reads a real and a made-up image forwards and
/// backwards, and again to move the generator, without gradients of its weights; the generator makes an image twice and learns once.
pub(crate) fn multiply_adds(params: &Resolved, input: &InputShape, classes: usize) -> u64 {
    let &InputShape::Images { channels, height, width } = input else { return 0 };
    let size = ImageSize { height, width, channels };
    let normalisation = Normalisation { mean: vec![0.0; channels], std: vec![1.0; channels] };
    let discriminator = Discriminator::new(params, size, classes).multiply_adds;
    let generator = Generator::new(params, size, normalisation).multiply_adds;
    (2 * 3 + 3) * discriminator + (1 + 3) * generator
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generator(height: usize, width: usize) -> Generator {
        let params = crate::gan::tests::params("width = 2\nnoise = 3");
        let normalisation = Normalisation { mean: vec![0.5, 0.25, 0.0], std: vec![0.5, 0.25, 1.0] };
        Generator::new(&params, ImageSize { height, width, channels: 3 }, normalisation)
    }

    #[test]
    fn a_doubled_image_has_every_pixel_twice_in_both_directions() {
        let x =
            Tensor::<4>::from_data(TensorData::new(vec![1.0_f32, 2.0, 3.0, 4.0], [1, 2, 2, 1]), &BurnDevice::flex());
        let y = doubled(x);
        assert_eq!(y.dims(), [1, 4, 4, 1]);
        let values = y.try_into_vec_as::<f32>().expect("floats");
        assert_eq!(values, [1., 1., 2., 2., 1., 1., 2., 2., 3., 3., 4., 4., 3., 3., 4., 4.]);
    }

    #[test]
    fn a_generator_makes_images_of_any_size_whose_pixels_are_within_their_range() {
        for (height, width) in [(1, 1), (5, 8), (16, 16)] {
            let generator = generator(height, width);
            let device = BurnDevice::flex();
            let weights = Leaves::new(&generator.layouts.0, &generator.layouts.0.initial(1), &device);
            let buffers = Leaves::new(&generator.layouts.1, &generator.layouts.1.initial(0), &device);
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            let noise = generator.noise(4, &mut rng, &device);
            let made = generator.forward(noise, &mut Pass::new(&weights, &buffers, None));
            assert_eq!(made.dims(), [4, height, width, 3]);
            let values = made.try_into_vec_as::<f32>().expect("floats");
            for (place, value) in values.iter().enumerate() {
                let Normalisation { mean, std } = &generator.normalisation;
                let pixel = value * std[place % 3] + mean[place % 3];
                assert!((-1e-6..=1.0 + 1e-6).contains(&pixel), "{pixel}");
            }
        }
    }

    #[test]
    fn standardised_pixels_become_those_of_a_dataset_plane_by_plane() {
        // Two pixels of three channels each: 0, 0.25 and 1, then 1, 0.5 and 0, in units of the full range.
        let images = generator(1, 2).images(&[-1.0, 0.0, 1.0, 1.0, 1.0, 0.0]);
        assert_eq!((images.channels, images.height, images.width), (3, 1, 2));
        assert_eq!(images.pixels, [0, 255, 64, 128, 255, 0]);
    }

    #[test]
    fn the_probabilities_of_the_classes_and_of_made_up_images_sum_to_one() {
        let params = crate::gan::tests::params("width = 2\ndropout = 0.0");
        let network = Discriminator::new(&params, ImageSize { height: 6, width: 5, channels: 1 }, 3);
        let device = BurnDevice::flex();
        let weights = Leaves::new(&network.layout, &network.layout.initial(1), &device);
        let buffers = Leaves::new(&network.buffers, &[], &device);
        let pixels: Vec<f32> = (0..60).map(|value| (value * 7 % 11) as f32 / 5.0 - 1.0).collect();
        let pixels = Tensor::<4>::from_data(TensorData::new(pixels, [2, 6, 5, 1]), &device);
        let mut pass = Pass::new(&weights, &buffers, None);
        let logarithms = network.log_probabilities(pixels.clone(), &mut pass);
        assert_eq!(logarithms.dims(), [2, 4]);
        let logarithms = logarithms.try_into_vec_as::<f32>().expect("floats");
        let outputs = network.forward(&Batch::Images(pixels), &mut pass).try_into_vec_as::<f32>().expect("floats");
        for (row, outputs) in logarithms.chunks_exact(4).zip(outputs.chunks_exact(3)) {
            assert!((row.iter().map(|value| value.exp()).sum::<f32>() - 1.0).abs() < 1e-5);
            // D(x) = Z / (Z + 1), with Z the sum of the exponentials of the outputs (Salimans et al. 2016, section 5).
            let z: f32 = outputs.iter().map(|value| value.exp()).sum();
            assert!((row[3].exp() - 1.0 / (z + 1.0)).abs() < 1e-5);
            assert!((row[0] - row[1] - (outputs[0] - outputs[1])).abs() < 1e-5);
        }
    }
}
