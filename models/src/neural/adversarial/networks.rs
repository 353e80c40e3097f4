//! The two networks: a discriminator of images, and a generator that makes them.

use bakeoff_datasets::Images;
use burn::tensor::activation::{leaky_relu, log_softmax};
use burn::tensor::{Device as BurnDevice, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::super::batch::Batch;
use super::super::encoder::{InputForm, Normalisation};
use super::super::layers::{BatchNorm, Conv, Linear, Pass};
use super::super::network::Network;
use super::super::weights::{Init, Weight, WeightLayout};
use crate::params::Resolved;

/// The slope of the discriminator's units below zero (Radford et al. 2015).
const LEAK: f64 = 0.2;
/// How often the sides of the discriminator's images are halved, and those of the generator's doubled.
const HALVINGS: usize = 2;
/// Height, width and channels of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ImageSize {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
}

impl ImageSize {
    pub(super) fn of(form: &InputForm) -> ImageSize {
        match *form {
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
    /// Channels of the last layer, which the head takes.
    width: usize,
    head: Linear,
    dropout: f64,
    multiply_adds: u64,
}

impl Discriminator {
    pub(super) fn new(params: &Resolved, size: ImageSize, classes: usize) -> Discriminator {
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
            width: inputs,
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

    /// The logarithms of the probabilities of all K + 1 classes, `examples x (classes + 1)`; the last is that of made-up images. Its
    /// output is 0, because a number that is added to all outputs changes no probability.
    fn log_probabilities(&self, pixels: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<2> {
        let features = self.features(pixels, pass);
        let outputs = self.head(features, pass);
        let made_up = Tensor::zeros([outputs.dims()[0], 1], &outputs.device());
        log_softmax(Tensor::cat(vec![outputs, made_up], 1), 1)
    }

    /// The cross-entropy of K + 1 classes over real images with one-hot `labels`, `examples x classes`, and made-up ones: the sum over
    /// both.
    pub(super) fn loss(&self, real: Tensor<4>, made: Tensor<4>, labels: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<1> {
        let [_, classes] = labels.dims();
        let of_real = self.log_probabilities(real, pass).narrow(1, 0, classes);
        let of_made = self.log_probabilities(made, pass).narrow(1, classes, 1);
        -((of_real * labels).sum() + of_made.sum())
    }

    /// The squared Euclidean distance of the mean features of made-up images from those of real ones.
    pub(super) fn distance(&self, real: Tensor<4>, made: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<1> {
        let wanted = self.features(real, pass).mean_dim(0);
        let found = self.features(made, pass).mean_dim(0);
        (found - wanted).square().sum()
    }
}

impl Network for Discriminator {
    fn layout(&self) -> &WeightLayout {
        &self.layout
    }

    fn buffers(&self) -> &WeightLayout {
        &self.buffers
    }

    fn pooled(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let Batch::Images(pixels) = batch else { unreachable!("a discriminator is of images alone") };
        self.features(pixels.clone(), pass)
    }

    fn width(&self) -> usize {
        self.width
    }

    /// The outputs are for the classes of the task.
    fn head(&self, features: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<2> {
        let features = pass.dropout(features, self.dropout);
        self.head.forward(features, pass)
    }

    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }
}

/// An affine map of noise to a small image of many channels, whose sides are then doubled twice. Each doubling repeats every pixel
/// and convolves, because a transposed convolution leaves a pattern of squares (Odena et al. 2016).
pub(super) struct Generator {
    /// Those of the weights and of the running statistics.
    pub(super) layouts: (WeightLayout, WeightLayout),
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
    /// Of one image.
    pub(super) multiply_adds: u64,
}

impl Generator {
    pub(super) fn new(params: &Resolved, size: ImageSize, normalisation: Normalisation) -> Generator {
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
    pub(super) fn noise(&self, examples: usize, rng: &mut ChaCha8Rng, device: &BurnDevice) -> Tensor<2> {
        let values: Vec<f32> = (0..examples * self.noise).map(|_| rng.random::<f32>() * 2.0 - 1.0).collect();
        Tensor::from_data(TensorData::new(values, [examples, self.noise]), device)
    }

    /// Standardised pixels from noise, `examples x height x width x channels`.
    pub(super) fn forward(&self, noise: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<4> {
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
    pub(super) fn images(&self, standardised: &[f32]) -> Images {
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

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::super::super::weights::Leaves;
    use super::*;

    /// What another implementation gives for weights, images and noise (scripts/make-fixtures/gan.py).
    #[test]
    fn both_losses_are_those_of_another_implementation() {
        let fixture: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/gan.json")).expect("JSON");
        let numbers = |value: &serde_json::Value| -> Vec<f32> {
            value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number") as f32).collect()
        };
        let whole = |name: &str| fixture[name].as_u64().expect("a whole number") as usize;
        let (rows, classes, noise) = (whole("rows"), whole("classes"), whole("noise"));
        let size = ImageSize { height: whole("height"), width: whole("columns"), channels: whole("channels") };
        let params = crate::gan::tests::params(&format!("width = {}\nnoise = {noise}\ndropout = 0.0", whole("width")));
        let normalisation = Normalisation { mean: numbers(&fixture["mean"]), std: numbers(&fixture["std"]) };
        let discriminator = Discriminator::new(&params, size, classes);
        let generator = Generator::new(&params, size, normalisation);
        let device = BurnDevice::flex();
        let leaves = |who: &str, layout: &WeightLayout| {
            let values = layout.gather(|name, shape| {
                let values = numbers(&fixture[who][name]);
                assert_eq!(values.len(), shape.iter().product::<usize>(), "{who}: {name}");
                Ok::<_, String>(values)
            });
            Leaves::new(layout, &values.expect("all weights"), &device)
        };
        let of_discriminator = leaves("discriminator", discriminator.layout());
        let of_generator = leaves("generator", &generator.layouts.0);
        let none = Leaves::new(discriminator.buffers(), &[], &device);
        let running = Leaves::new(&generator.layouts.1, &generator.layouts.1.initial(0), &device);
        let shape = [rows, size.height, size.width, size.channels];
        let real: Tensor<4> = Tensor::from_data(TensorData::new(numbers(&fixture["pixels"]), shape), &device);
        let drawn = Tensor::from_data(TensorData::new(numbers(&fixture["drawn"]), [rows, noise]), &device);
        let labels = Tensor::from_data(TensorData::new(numbers(&fixture["labels"]), [rows, classes]), &device);
        let training = Some(ChaCha8Rng::seed_from_u64(1));
        let made = generator.forward(drawn, &mut Pass::new(&of_generator, &running, training));
        let mut pass = Pass::new(&of_discriminator, &none, None);
        let loss = discriminator.loss(real.clone(), made.clone(), labels, &mut pass).into_scalar::<f32>();
        let distance = discriminator.distance(real, made.clone(), &mut pass).into_scalar::<f32>();
        let close = |found: f32, expected: &serde_json::Value| {
            let expected = expected.as_f64().expect("a number");
            assert!((f64::from(found) - expected).abs() <= 1e-4 * expected.abs(), "{found}, expected {expected}");
        };
        close(loss, &fixture["discriminator_loss"]);
        close(distance, &fixture["generator_loss"]);
        let made = made.try_into_vec_as::<f32>().expect("floats");
        for (found, expected) in made.iter().zip(numbers(&fixture["made"])) {
            assert!((found - expected).abs() < 1e-4, "{found}, expected {expected}");
        }
    }

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
