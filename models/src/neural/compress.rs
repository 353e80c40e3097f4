//! A fitted network made smaller, and trained on.

use std::path::Path;

use bakeoff_datasets::Split;

use super::encoder::NetworkEncoderState;
use super::fitted::{FittedNetwork, encode};
use super::network::{Design, Network, ReducedDesign};
use super::recipe::Recipe;
use super::reduction::{PruneGroup, Reduction};
use super::train::{self, TrainingRows};
use super::weights::Leaves;
use super::{Neural, Reading, prune, svd};
use crate::artefact::{self, Loaded};
use crate::model::{Device, ModelEntry, ModelError, Spec, Watch};
use crate::parallel::Threads;
use crate::params::Resolved;

/// How many training rows are read for their gradients. More would change the order of the units little.
const MOST_GRADIENT_ROWS: usize = 2048;

/// By what the units that stay are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Importance {
    /// The size of their weights.
    Magnitude,
    /// How much the loss depends on them.
    Gradient,
}

/// The network that is made smaller: its design, and what it reads of an example.
#[derive(Clone, Copy)]
pub(crate) struct Original {
    pub(crate) design: Design,
    pub(crate) reduced: ReducedDesign,
    pub(crate) reading: Reading,
}

impl Neural {
    /// Loads the smaller network that a model of `entry` saved, and the spec of that model. `original` gives the parameters of the
    /// network that was made smaller, the network, and what made it smaller.
    ///
    /// # Errors
    /// See [`ModelEntry::load`].
    pub(crate) fn load_reduced(
        entry: &'static dyn ModelEntry,
        (folder, threads, device): (&Path, Threads, Device),
        original: impl FnOnce(&Spec) -> (Resolved, Original, Reduction),
    ) -> Result<(Neural, Spec), ModelError> {
        let Loaded { spec, state, arrays } = artefact::load::<NetworkEncoderState>(folder, entry, threads, device)?;
        let (params, Original { design, reduced, reading }, reduction) = original(&spec);
        let inner = Spec { params, ..spec.clone() };
        let mut neural = Neural::new(entry, &inner, design, reading)?;
        neural.restore((state, arrays), |form, outputs| reduced(&inner.params, form, outputs, reduction))?;
        Ok((neural, spec))
    }

    /// Makes the fitted network smaller. `train` are the rows on which it was fitted.
    ///
    /// # Errors
    /// If there was no fit.
    pub(crate) fn reduce(
        &mut self,
        reduced: ReducedDesign,
        reduction: Reduction,
        by: Importance,
        train: &Split,
    ) -> Result<(), ModelError> {
        let fitted = self.fitted.as_ref().ok_or_else(|| ModelError::Failed("asked to compress before a fit".into()))?;
        let small = reduced(&self.spec.params, fitted.encoder.form(), fitted.head.outputs(), reduction);
        let (weights, buffers) = (fitted.weights.flat()?, fitted.buffers.flat()?);
        let (weights, buffers) = match reduction {
            Reduction::None | Reduction::Int8 => (weights, buffers),
            Reduction::LowRank(_) => (factored(&*fitted.network, &weights, &*small)?, buffers),
            Reduction::Prune(_) => {
                let groups = fitted.network.prune_groups();
                let importances = self.importances(fitted, &groups, (by, &weights), train)?;
                let stay =
                    |(group, numbers): (_, &Vec<f64>)| (group, prune::largest(numbers, reduction.units(numbers.len())));
                let kept: Vec<(&PruneGroup, Vec<usize>)> = groups.iter().zip(&importances).map(stay).collect();
                let original = &fitted.network;
                let weights =
                    prune::pruned((original.layout(), &weights), small.layout(), &kept, |group| &group.weights);
                let buffers =
                    prune::pruned((original.buffers(), &buffers), small.buffers(), &kept, |group| &group.buffers);
                (weights.map_err(ModelError::Failed)?, buffers.map_err(ModelError::Failed)?)
            }
        };
        let device = fitted.device.clone();
        self.fitted = Some(FittedNetwork {
            weights: Leaves::new(small.layout(), &weights, &device),
            buffers: Leaves::new(small.buffers(), &buffers, &device),
            network: small.into(),
            encoder: fitted.encoder.clone(),
            head: fitted.head,
            device,
            precision: fitted.precision,
        });
        Ok(())
    }

    /// How important each unit of each group is.
    fn importances(
        &self,
        fitted: &FittedNetwork,
        groups: &[PruneGroup],
        (by, weights): (Importance, &[f32]),
        train: &Split,
    ) -> Result<Vec<Vec<f64>>, ModelError> {
        let layout = fitted.network.layout();
        if by == Importance::Magnitude {
            return Ok(groups.iter().map(|group| prune::magnitudes(layout, group, weights)).collect());
        }
        let encoded = encode(&fitted.encoder, &train.inputs, &self.pools)?;
        let rows: Vec<usize> = (0..train.len().min(MOST_GRADIENT_ROWS)).collect();
        let learning = (&self.spec, Recipe::read(&self.spec.params));
        let of_shard = |gradient: &[f32]| -> Vec<Vec<f64>> {
            groups.iter().map(|group| prune::sensitivities(layout, group, weights, gradient)).collect()
        };
        let shards = train::read_gradients(fitted, learning, &self.pools, (encoded, &train.targets, &rows), of_shard);
        let mut all: Vec<Vec<f64>> = groups.iter().map(|group| vec![0.0; group.units]).collect();
        for (group, found) in shards.iter().flat_map(|shard| shard.iter().enumerate()) {
            std::iter::zip(&mut all[group], found).for_each(|(sum, number)| *sum += number);
        }
        Ok(all)
    }

    /// Trains the fitted network on for so many epochs, with this share of its learning rate.
    ///
    /// # Errors
    /// As a fit.
    pub(crate) fn fine_tune(
        &mut self,
        (epochs, share): (usize, f64),
        (train, validation): (&Split, &Split),
        watch: &mut dyn Watch,
    ) -> Result<(), ModelError> {
        let mut fitted =
            self.fitted.take().ok_or_else(|| ModelError::Failed("asked to compress before a fit".into()))?;
        let recipe = Recipe::read(&self.spec.params);
        let recipe = Recipe { epochs, learning_rate: recipe.learning_rate * share, ..recipe };
        let initial = (fitted.weights.flat()?, fitted.buffers.flat()?);
        let encoder = fitted.encoder.clone();
        let rows = TrainingRows {
            train: encode(&encoder, &train.inputs, &self.pools)?,
            targets: &train.targets,
            validation: encode(&encoder, &validation.inputs, &self.pools)?,
        };
        train::train(&mut fitted, initial, (&self.spec, recipe), &self.pools, rows, watch)?;
        self.fitted = Some(fitted);
        Ok(())
    }
}

/// The weights of a network whose products are divided into two.
fn factored(original: &dyn Network, weights: &[f32], small: &dyn Network) -> Result<Vec<f32>, ModelError> {
    let layout = original.layout();
    let slot = |name: &str| -> Result<(&[usize], &[f32]), ModelError> {
        let (shape, start) =
            layout.place(name).ok_or_else(|| ModelError::Failed(format!("there is no slot '{name}' to divide")))?;
        Ok((shape, &weights[start..start + shape.iter().product::<usize>()]))
    };
    // The left factor of a product comes right before its right one.
    let mut right = Vec::new();
    small.layout().gather(|name, shape| {
        if let Some(product) = name.strip_suffix(".left") {
            let (found, matrix) = slot(&format!("{product}.weight"))?;
            let (columns, rank) = (found[found.len() - 1], shape[shape.len() - 1]);
            let (left, other) = svd::factors(matrix, columns, rank);
            right = other;
            return Ok(left);
        }
        if name.ends_with(".right") { Ok(std::mem::take(&mut right)) } else { Ok(slot(name)?.1.to_vec()) }
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use burn::tensor::{Device as BurnDevice, Tensor, TensorData};

    use super::super::batch::{self, Batch};
    use super::super::encoder::{Encoded, InputForm, TextReading};
    use super::super::layers::Pass;
    use super::*;
    use crate::ENTRIES;
    use crate::model::{InputShape, TargetShape, TaskShape};
    use crate::{cnn, gru, lstm, mlp, resnet, transformer};

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Kind {
        Images,
        Texts,
        Pairs,
    }

    fn params(model: &str, kind: Kind, written: &str) -> Resolved {
        let input = match kind {
            Kind::Images => InputShape::Images { channels: 3, height: 8, width: 8 },
            Kind::Texts | Kind::Pairs => InputShape::Texts { pairs: kind == Kind::Pairs },
        };
        let shape = TaskShape {
            input,
            target: TargetShape::Classes(3),
            train_rows: 9,
            mirror_negates: false,
            characters: None,
        };
        let entry = ENTRIES.iter().find(|entry| entry.name() == model).unwrap();
        Resolved::new(entry.params(), &shape, &written.parse().unwrap()).unwrap()
    }

    fn input(kind: Kind, reading: TextReading) -> (InputForm, Batch) {
        let device = BurnDevice::flex();
        let reading = if kind == Kind::Texts { TextReading::Single } else { reading };
        let form = InputForm::Tokens { vocabulary: 9, longest: 8, typical: 4, reading };
        match (kind, reading) {
            (Kind::Images, _) => {
                let pixels: Vec<f32> = (0..2 * 8 * 8 * 3).map(|at| (at as f32 * 0.7).sin()).collect();
                let pixels = Tensor::from_data(TensorData::new(pixels, [2, 8, 8, 3]), &device);
                (InputForm::Images { channels: 3, height: 8, width: 8 }, Batch::Images(pixels))
            }
            (_, TextReading::Apart) => {
                let pairs = Encoded::Pairs(vec![[vec![3, 4, 5], vec![6, 3]], [vec![8], vec![4, 7]]]);
                (form, batch::plain(&pairs, &[0, 1], &device))
            }
            _ => {
                let texts = Encoded::Tokens(vec![vec![3, 4, 5, 2, 6], vec![8, 7]]);
                (form, batch::plain(&texts, &[0, 1], &device))
            }
        }
    }

    fn outputs(network: &dyn Network, weights: &[f32], buffers: &[f32], batch: &Batch) -> Vec<f32> {
        let device = BurnDevice::flex();
        let weights = Leaves::new(network.layout(), weights, &device);
        let buffers = Leaves::new(network.buffers(), buffers, &device);
        network.forward(batch, &mut Pass::new(&weights, &buffers, None)).try_into_vec_as::<f32>().unwrap()
    }

    /// Weights that are not zero, so that every place of them shows in the outputs.
    fn weights(network: &dyn Network) -> (Vec<f32>, Vec<f32>) {
        let some = |count: usize, mean: f32| (0..count).map(|at| mean + 0.3 * (at as f32 * 1.3).sin()).collect();
        (some(network.layout().len(), 0.05), some(network.buffers().len(), 1.0))
    }

    const CASES: [(&str, ReducedDesign, Kind, TextReading, &str); 9] = [
        (
            "transformer",
            transformer::reduced,
            Kind::Images,
            TextReading::Joined,
            "width = 12\nheads = 3\nlayers = 2\nfeed_forward = 10",
        ),
        (
            "transformer",
            transformer::reduced,
            Kind::Pairs,
            TextReading::Joined,
            "width = 8\nheads = 4\nlayers = 2\npooling = \"class\"",
        ),
        ("resnet", resnet::reduced, Kind::Images, TextReading::Apart, "depth = 20\nwidth = 4"),
        ("cnn", cnn::reduced, Kind::Images, TextReading::Apart, "depth = 8\nwidth = 3"),
        ("lstm", lstm::reduced, Kind::Images, TextReading::Apart, "hidden = 6\nlayers = 2"),
        ("lstm", lstm::reduced, Kind::Pairs, TextReading::Apart, "hidden = 5\nbidirectional = false"),
        ("gru", gru::reduced, Kind::Pairs, TextReading::Apart, "hidden = 6\nlayers = 3"),
        ("mlp", mlp::reduced, Kind::Images, TextReading::Apart, "features = \"pixels\"\nhidden = 7\nlayers = 3"),
        ("mlp", mlp::reduced, Kind::Pairs, TextReading::Apart, "hidden = 6\nlayers = 1"),
    ];

    #[test]
    fn a_network_without_units_that_do_nothing_answers_as_before() {
        for (model, design, kind, reading, written) in CASES {
            let params = params(model, kind, written);
            let (form, batch) = input(kind, reading);
            let whole = design(&params, form.clone(), 3, Reduction::None);
            let reduction = Reduction::Prune(0.4);
            let small = design(&params, form, 3, reduction);
            let (mut weights, buffers) = weights(&*whole);
            let groups = whole.prune_groups();
            assert!(!groups.is_empty(), "{model}");
            // The first units do nothing: all of their numbers are zero.
            for group in &groups {
                let idle = group.units - reduction.units(group.units);
                assert!(idle > 0, "{model}");
                for axis in &group.weights {
                    let (shape, start) = whole.layout().place(&axis.slot).unwrap();
                    for (at, unit) in axis.unit_of(shape, group.units).enumerate() {
                        if unit < idle {
                            weights[start + at] = 0.0;
                        }
                    }
                }
            }
            let layout = whole.layout();
            let kept: Vec<(&PruneGroup, Vec<usize>)> = groups
                .iter()
                .map(|group| {
                    let numbers = prune::magnitudes(layout, group, &weights);
                    (group, prune::largest(&numbers, reduction.units(group.units)))
                })
                .collect();
            let of_small = prune::pruned((layout, &weights), small.layout(), &kept, |group| &group.weights).unwrap();
            let statistics =
                prune::pruned((whole.buffers(), &buffers), small.buffers(), &kept, |group| &group.buffers).unwrap();
            assert!(of_small.len() < weights.len() && small.multiply_adds() < whole.multiply_adds(), "{model}");
            let (expected, found) =
                (outputs(&*whole, &weights, &buffers, &batch), outputs(&*small, &of_small, &statistics, &batch));
            for (expected, found) in expected.iter().zip(&found) {
                assert!(
                    (expected - found).abs() < 1e-4 * (1.0 + expected.abs()),
                    "{model} {kind:?}: {expected} and {found}"
                );
            }
            assert!(expected.iter().any(|value| value.abs() > 1e-3), "{model}: there is something to compare");
        }
    }

    #[test]
    fn a_product_of_low_rank_is_divided_without_loss() {
        let cases: [(&str, ReducedDesign, Kind, &str); 4] = [
            ("transformer", transformer::reduced, Kind::Images, "width = 16\nheads = 2\nlayers = 2\nfeed_forward = 32"),
            ("resnet", resnet::reduced, Kind::Images, "depth = 8\nwidth = 16"),
            ("cnn", cnn::reduced, Kind::Texts, "depth = 8\nwidth = 16"),
            ("mlp", mlp::reduced, Kind::Images, "features = \"pixels\"\nhidden = 16\nlayers = 3"),
        ];
        for (model, design, kind, written) in cases {
            let params = params(model, kind, written);
            let (form, batch) = input(kind, TextReading::Joined);
            let whole = design(&params, form.clone(), 3, Reduction::None);
            let small = design(&params, form, 3, Reduction::LowRank(0.75));
            assert!(small.layout().len() < whole.layout().len(), "{model}");
            assert!(small.multiply_adds() < whole.multiply_adds(), "{model}");
            // The weights follow one wave around a mean, so no matrix of them has a rank above three.
            let (values, buffers) = weights(&*whole);
            let divided = factored(&*whole, &values, &*small).unwrap();
            let (expected, found) =
                (outputs(&*whole, &values, &buffers, &batch), outputs(&*small, &divided, &buffers, &batch));
            for (expected, found) in expected.iter().zip(&found) {
                assert!((expected - found).abs() < 1e-3 * (1.0 + expected.abs()), "{model}: {expected} and {found}");
            }
        }
    }
}
