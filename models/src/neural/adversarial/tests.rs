//! Compares training by turns with PyTorch's, step by step. `scripts/peers/training.py` made PyTorch's losses and images.

use burn::tensor::{Tensor, TensorData};
use serde::Deserialize;

use super::super::schedule::Schedule;
use super::super::tests::{TRAINING, assert_alike, images, sines, spec};
use super::training::Place;
use super::*;

#[derive(Deserialize)]
struct Fixture {
    gan: FixtureRivals,
}

#[derive(Deserialize)]
struct FixtureRivals {
    params: toml::Table,
    /// Those of the discriminator and of the generator in each step.
    losses: Vec<[f64; 2]>,
    /// Standardised pixels of images that the generator makes after the last step.
    made: Vec<f64>,
}

#[test]
fn both_networks_have_the_losses_of_pytorch_step_for_step_and_then_the_generator_makes_its_images() {
    let Fixture { gan: fixture } = serde_json::from_str(TRAINING).expect("a fixture");
    let split = images(8);
    let (_, spec) = spec("gan", &fixture.params, &split);
    let Begun { mut fitted, discriminator, weights, buffers } =
        FittedRivals::begun(&spec, &split, |layout, _| sines(layout, 0.6, 2)).expect("two networks");
    let recipe = Recipe::read(&spec.params);
    let pools = spec.threads.shared(Pools::new).expect("threads");
    let rivals = Rivals::new(discriminator, &fitted, (&spec, recipe), &pools);
    let mut states = rivals.states((weights, buffers));
    let encoder = fitted.classifier.encoder.clone();
    let encoded = encoder.encode(&split.inputs).expect("images");
    let rows: Vec<usize> = (0..split.len()).collect();
    let (noise, device) = (spec.params.int("noise"), fitted.classifier.device.clone());
    // Each of the two draws once in a step, for as many images as there are rows.
    let drawn = |draws: usize, images: usize| -> Tensor<2> {
        let numbers = (draws * rows.len() * noise..).take(images * noise);
        let numbers: Vec<f32> = numbers.map(|n| (1.3 * n as f64).sin() as f32).collect();
        Tensor::from_data(TensorData::new(numbers, [images, noise]), &device)
    };
    let against = |place: Place, images: usize| drawn(2 * place.step, images);
    let towards = |place: Place, images: usize| drawn(2 * place.step + 1, images);
    let steps = fixture.losses.len();
    let schedule = Schedule::new(recipe.learning_rate, recipe.fall, recipe.warmup, steps);
    assert_eq!(steps, 10);
    for (step, theirs) in fixture.losses.iter().enumerate() {
        let learned = (&encoded, &split.targets, rows.as_slice());
        let rate = schedule.rate(step);
        let ours = rivals.step(&mut fitted, &mut states, learned, [&against, &towards], (1, rate)).expect("a step");
        assert_alike(&format!("the discriminator in step {step}"), ours[0], theirs[0]);
        assert_alike(&format!("the generator in step {step}"), ours[1], theirs[1]);
    }
    let mut pass = Pass::new(&fitted.weights, &fitted.buffers, None);
    let made = fitted.generator.forward(drawn(2 * steps, 2), &mut pass).try_into_vec_as::<f32>().expect("floats");
    assert_eq!(made.len(), fixture.made.len());
    for (ours, theirs) in made.iter().zip(&fixture.made) {
        assert!((f64::from(*ours) - theirs).abs() < 1e-4, "{ours} is not {theirs}");
    }
}
