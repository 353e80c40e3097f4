//! The head turns a network's outputs into a loss and into predictions. There is one for each form of target.

use bakeoff_datasets::Targets;
use burn::tensor::{Device, Tensor, TensorData, activation};

use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::{Matrix, ModelError, Predictions, TargetShape};
use crate::target_scale::TargetScale;

/// A head, fitted on the training targets only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Head {
    /// One output per class. The loss is the cross-entropy; predictions are its softmax.
    Classes(usize),
    /// One output. The target is standardised by the mean and the deviation of the training rows. The loss is the
    /// squared error.
    Value {
        /// The mean of the training targets.
        mean: f32,
        /// Their standard deviation; 1 if all of them are equal.
        std: f32,
    },
}

impl Head {
    /// The head for these training targets.
    pub(crate) fn fit(targets: &Targets) -> Head {
        match targets {
            Targets::Classes { names, .. } => Head::Classes(names.len()),
            Targets::Values(values) => {
                let TargetScale { mean, deviation } = TargetScale::fit(values);
                Head::Value { mean: mean as f32, std: deviation as f32 }
            }
        }
    }

    /// Adds the learned arrays.
    pub(crate) fn save(self, arrays: &mut ArraysOut) {
        if let Head::Value { mean, std } = self {
            arrays.add("target.mean", &[1], [mean]);
            arrays.add("target.std", &[1], [std]);
        }
    }

    /// Restores the head for such targets from what [`Head::save`] added.
    ///
    /// # Errors
    /// If an array is missing.
    pub(crate) fn load(target: TargetShape, arrays: &mut ArraysIn) -> Result<Head, ModelError> {
        Ok(match target {
            TargetShape::Classes(classes) => Head::Classes(classes),
            TargetShape::Value => {
                Head::Value { mean: arrays.take("target.mean", &[1])?[0], std: arrays.take("target.std", &[1])?[0] }
            }
        })
    }

    /// How many outputs the network needs.
    pub(crate) fn outputs(self) -> usize {
        match self {
            Head::Classes(classes) => classes,
            Head::Value { .. } => 1,
        }
    }

    /// The target vectors of `rows`, `rows x outputs`. Classes are one-hot. Numbers are negated where `negate` is
    /// true, and then standardised.
    pub(crate) fn encode(self, targets: &Targets, rows: &[usize], negate: &[bool], device: &Device) -> Tensor<2> {
        let data = match (self, targets) {
            (Head::Classes(classes), Targets::Classes { labels, .. }) => {
                let mut one_hot = vec![0.0; rows.len() * classes];
                for (line, &row) in rows.iter().enumerate() {
                    one_hot[line * classes + usize::from(labels[row])] = 1.0;
                }
                one_hot
            }
            (Head::Value { mean, std }, Targets::Values(values)) => rows
                .iter()
                .zip(negate)
                .map(|(&row, &negate)| ((if negate { -values[row] } else { values[row] }) - mean) / std)
                .collect(),
            _ => unreachable!("a head is fitted on the targets that it encodes"),
        };
        Tensor::from_data(TensorData::new(data, [rows.len(), self.outputs()]), device)
    }

    /// The sum over rows of the loss of `outputs` against encoded `targets`, both `rows x outputs`.
    pub(crate) fn loss(self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        match self {
            Head::Classes(_) => -(activation::log_softmax(outputs, 1) * targets).sum(),
            Head::Value { .. } => (outputs - targets).square().sum(),
        }
    }

    /// Predictions from outputs, row-major `rows x outputs`.
    pub(crate) fn decode(self, outputs: &[f32]) -> Predictions {
        match self {
            Head::Classes(classes) => {
                let mut labels = Vec::with_capacity(outputs.len() / classes);
                let mut probabilities = Vec::with_capacity(outputs.len());
                for row in outputs.chunks_exact(classes) {
                    let best = (0..classes).fold(0, |best, class| if row[class] > row[best] { class } else { best });
                    labels.push(u16::try_from(best).expect("labels are u16, so there are no more classes"));
                    let weights = row.iter().map(|value| (value - row[best]).exp());
                    let total: f32 = weights.clone().sum();
                    probabilities.extend(weights.map(|weight| weight / total));
                }
                let probabilities = Matrix { rows: labels.len(), cols: classes, data: probabilities };
                Predictions::Classes { labels, probabilities: Some(probabilities) }
            }
            Head::Value { mean, std } => Predictions::Values(outputs.iter().map(|value| value * std + mean).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn probabilities_are_the_softmax_and_the_label_is_the_largest() {
        let Predictions::Classes { labels, probabilities: Some(matrix) } =
            Head::Classes(2).decode(&[0.0, 3.0_f32.ln(), 1000.0, 0.0])
        else {
            panic!("a class head gives classes with probabilities");
        };
        assert_eq!(labels, vec![1, 0]);
        assert!((matrix.row(0)[0] - 0.25).abs() < 1e-6);
        assert_eq!(matrix.row(1), &[1.0, 0.0]);
    }

    #[test]
    fn values_come_back_in_the_unit_of_the_targets() {
        let targets = Targets::Values(vec![10.0, 30.0]);
        let head = Head::fit(&targets);
        let encoded = head.encode(&targets, &[1, 1], &[false, true], &Device::flex());
        let encoded = encoded.try_into_vec_as::<f32>().expect("on the processor");
        assert_eq!(encoded, vec![1.0, -5.0]);
        assert_eq!(head.decode(&encoded), Predictions::Values(vec![30.0, -30.0]));
    }

    #[test]
    fn the_loss_of_even_odds_is_the_logarithm_of_the_classes() {
        let device = Device::flex();
        let targets = Targets::Classes { labels: vec![2, 0], names: Arc::new(["a", "b", "c"].map(String::from)) };
        let head = Head::fit(&targets);
        let loss = head.loss(Tensor::zeros([2, 3], &device), head.encode(&targets, &[0, 1], &[false; 2], &device));
        assert!((loss.into_scalar::<f32>() - 2.0 * 3.0_f32.ln()).abs() < 1e-5);
    }
}
