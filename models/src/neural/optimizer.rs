//! The optimisers: AdamW and SGD with momentum, on one flat vector of weights.

use burn::tensor::Tensor;

/// Which rule turns a gradient into a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv:1711.05101).
    AdamW,
    /// Stochastic gradient descent with momentum, weight decay added to the gradient as in He et al. 2015.
    Sgd {
        /// What of the last step is kept.
        momentum: f64,
    },
}

/// Adam's decay rates of the two moments and its guard against division by zero (Kingma and Ba 2014).
const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// An optimiser's memory.
#[derive(Debug)]
pub(crate) struct Optimizer {
    rule: Rule,
    decay: Tensor<1>,
    first: Tensor<1>,
    second: Tensor<1>,
    step: i32,
}

impl Optimizer {
    /// `decay` is the weight decay of each weight.
    pub(crate) fn new(rule: Rule, decay: Tensor<1>) -> Optimizer {
        let zeros = decay.zeros_like();
        Optimizer { rule, decay, first: zeros.clone(), second: zeros, step: 0 }
    }

    /// The weights after one step along `gradient`.
    pub(crate) fn step(&mut self, weights: Tensor<1>, gradient: Tensor<1>, rate: f64) -> Tensor<1> {
        self.step += 1;
        match self.rule {
            Rule::AdamW => {
                self.first = self.first.clone() * BETA1 + gradient.clone() * (1.0 - BETA1);
                self.second = self.second.clone() * BETA2 + gradient.square() * (1.0 - BETA2);
                let scale = rate / (1.0 - BETA1.powi(self.step));
                let root = (self.second.clone() / (1.0 - BETA2.powi(self.step))).sqrt() + EPSILON;
                let decayed = weights.clone() - weights * self.decay.clone() * rate;
                decayed - self.first.clone() / root * scale
            }
            Rule::Sgd { momentum } => {
                let pull = gradient + weights.clone() * self.decay.clone();
                self.first = self.first.clone() * momentum + pull;
                weights - self.first.clone() * rate
            }
        }
    }
}

/// Scales `gradient` down to the Euclidean norm `limit` if it is longer (Pascanu et al. 2013). Also gives the norm it
/// had, which is not finite if any of its numbers is not.
pub(crate) fn clip(gradient: Tensor<1>, limit: f64) -> (Tensor<1>, f64) {
    let norm = f64::from(gradient.clone().square().sum().sqrt().into_scalar::<f32>());
    if norm > limit { (gradient * (limit / norm), norm) } else { (gradient, norm) }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::neural::weights::vector;

    fn values(tensor: Tensor<1>) -> Vec<f32> {
        tensor.try_into_vec_as::<f32>().expect("the tensor is on the processor")
    }

    #[test]
    fn a_long_gradient_is_cut_to_the_limit_and_a_short_one_kept() {
        let device = Device::flex();
        let (cut, norm) = clip(vector(vec![3.0, 4.0], &device), 1.0);
        assert!((norm - 5.0).abs() < 1e-6);
        assert_eq!(values(cut), vec![0.6, 0.8]);
        let (kept, _) = clip(vector(vec![3.0, 4.0], &device), 6.0);
        assert_eq!(values(kept), vec![3.0, 4.0]);
    }

    #[test]
    fn adamw_takes_the_steps_of_its_paper() {
        let device = Device::flex();
        let mut optimizer = Optimizer::new(Rule::AdamW, vector(vec![0.1, 0.0], &device));
        let mut weights = vector(vec![1.0, -2.0], &device);
        let (mut w, mut m, mut v) = ([1.0_f64, -2.0], [0.0_f64; 2], [0.0_f64; 2]);
        for t in 1..=3 {
            let g = [0.5 * f64::from(t), -1.5];
            weights = optimizer.step(weights, vector(g.map(|x| x as f32).to_vec(), &device), 0.01);
            for i in 0..2 {
                m[i] = 0.9 * m[i] + 0.1 * g[i];
                v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
                let m_hat = m[i] / (1.0 - 0.9_f64.powi(t));
                let v_hat = v[i] / (1.0 - 0.999_f64.powi(t));
                let decay = [0.1, 0.0][i];
                w[i] -= 0.01 * (m_hat / (v_hat.sqrt() + 1e-8) + decay * w[i]);
            }
        }
        for (got, want) in values(weights).iter().zip(w) {
            assert!((f64::from(*got) - want).abs() < 1e-6, "{got} is not {want}");
        }
    }

    #[test]
    fn momentum_gathers_speed() {
        let device = Device::flex();
        let mut optimizer = Optimizer::new(Rule::Sgd { momentum: 0.5 }, vector(vec![0.0], &device));
        let mut weights = vector(vec![0.0], &device);
        for _ in 0..2 {
            weights = optimizer.step(weights, vector(vec![1.0], &device), 1.0);
        }
        assert_eq!(values(weights), vec![-2.5]);
    }
}
