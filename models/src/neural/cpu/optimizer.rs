//! The optimisers: AdamW and SGD with momentum, on one flat vector of weights.

use rayon::prelude::*;

use super::product::{dot, vectorised};
use crate::neural::recipe::Rule;

/// Adam's decay rates of the two moments, and the number that keeps it from dividing by zero (Kingma and Ba 2014).
const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The same three numbers, in that order, for an optimiser on another device.
pub(crate) const ADAM: [f64; 3] = [BETA1, BETA2, EPSILON];

/// Weights that follow each other, and how they are moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// How many they are.
    pub(crate) len: usize,
    /// Their weight decay.
    pub(crate) decay: f32,
    /// The share of the learning rate that is theirs.
    pub(crate) share: f64,
}

/// An optimiser with its state.
#[derive(Debug)]
pub(crate) struct Optimizer {
    rule: Rule,
    paces: Vec<Pace>,
    first: Vec<f32>,
    second: Vec<f32>,
    step: i32,
}

impl Optimizer {
    /// `paces` are those of all weights, in their order.
    pub(crate) fn new(rule: Rule, paces: Vec<Pace>) -> Optimizer {
        let zeros = vec![0.0; paces.iter().map(|pace| pace.len).sum()];
        Optimizer { rule, paces, first: zeros.clone(), second: zeros, step: 0 }
    }

    /// What the steps so far have left: the two moments of the gradient, and the number of steps.
    pub(crate) fn moments(&self) -> (&[f32], &[f32], i32) {
        (&self.first, &self.second, self.step)
    }

    /// Goes on as after these moments and steps. There is a number in each moment for each weight.
    pub(crate) fn set_moments(&mut self, (first, second): (Vec<f32>, Vec<f32>), step: i32) {
        (self.first, self.second, self.step) = (first, second, step);
    }

    /// Moves `weights` one step along `gradient` times `scale`. Each number is read and written once. If this runs
    /// in a pool, its threads share the work.
    pub(crate) fn step(&mut self, weights: &mut [f32], gradient: &[f32], scale: f32, rate: f64) {
        self.step += 1;
        let (rule, step) = (self.rule, self.step);
        let mut parts = Vec::new();
        let mut rest = (weights, gradient, self.first.as_mut_slice(), self.second.as_mut_slice());
        for pace in &self.paces {
            let mut len = pace.len;
            while len > 0 {
                let count = len.min(WEIGHTS_PER_PART);
                let (weights, others) = rest.0.split_at_mut(count);
                let (gradient, gradients) = rest.1.split_at(count);
                let (first, firsts) = rest.2.split_at_mut(count);
                let (second, seconds) = rest.3.split_at_mut(count);
                rest = (others, gradients, firsts, seconds);
                parts.push((*pace, Part { weights, gradient, first, second }));
                len -= count;
            }
        }
        let each = |(pace, part): (Pace, Part<'_>)| part.step(rule, pace.decay, scale, rate * pace.share, step);
        match rayon::current_thread_index() {
            Some(_) => parts.into_par_iter().for_each(each),
            None => parts.into_iter().for_each(each),
        }
    }
}

/// How many weights one thread moves at a time.
const WEIGHTS_PER_PART: usize = 1 << 16;

/// Some of the weights, with their gradient and its moments.
struct Part<'a> {
    weights: &'a mut [f32],
    gradient: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl Part<'_> {
    fn step(self, rule: Rule, decay: f32, scale: f32, rate: f64, step: i32) {
        let numbers = self.weights.iter_mut().zip(self.gradient).zip(self.first).zip(self.second);
        match rule {
            Rule::AdamW => {
                let (keep, keep_square) = (BETA1 as f32, BETA2 as f32);
                let (take, take_square) = ((1.0 - BETA1) as f32, (1.0 - BETA2) as f32);
                let length = (rate / (1.0 - BETA1.powi(step))) as f32;
                let unbias = (1.0 / (1.0 - BETA2.powi(step))) as f32;
                let (rate, epsilon) = (rate as f32, EPSILON as f32);
                vectorised(
                    #[inline(always)]
                    move || {
                        for (((weight, gradient), first), second) in numbers {
                            let gradient = gradient * scale;
                            *first = *first * keep + gradient * take;
                            *second = *second * keep_square + gradient * gradient * take_square;
                            let root = (*second * unbias).sqrt() + epsilon;
                            *weight = *weight - *weight * decay * rate - *first / root * length;
                        }
                    },
                );
            }
            Rule::Sgd { momentum } => {
                let (momentum, rate) = (momentum as f32, rate as f32);
                vectorised(
                    #[inline(always)]
                    move || {
                        for (((weight, gradient), first), _) in numbers {
                            *first = *first * momentum + (gradient * scale + *weight * decay);
                            *weight -= *first * rate;
                        }
                    },
                );
            }
        }
    }
}

/// The Euclidean norm of `gradient`, and the factor that limits it to `limit` (Pascanu et al. 2013). The norm is not
/// finite if one of the numbers is not.
pub(crate) fn clip(gradient: &[f32], limit: f64) -> (f64, f32) {
    /// How many squares are summed in 32 bits.
    const BLOCK: usize = 4096;
    let norm = gradient.chunks(BLOCK).map(|block| f64::from(dot(block, block))).sum::<f64>().sqrt();
    (norm, if norm > limit { (limit / norm) as f32 } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(decay: f32, share: f64) -> Pace {
        Pace { len: 1, decay, share }
    }

    #[test]
    fn a_long_gradient_is_cut_to_the_limit_and_a_short_one_kept() {
        let (norm, scale) = clip(&[3.0, 4.0], 1.0);
        assert!((norm - 5.0).abs() < 1e-6 && (scale - 0.2).abs() < 1e-6);
        assert_eq!(clip(&[3.0, 4.0], 6.0).1, 1.0);
        assert!(!clip(&[3.0, f32::NAN], 6.0).0.is_finite());
        let long = vec![0.5; 10_001];
        assert!((clip(&long, 1.0).0 - 10_001_f64.sqrt() / 2.0).abs() < 1e-3);
    }

    #[test]
    fn adamw_takes_the_steps_of_its_paper() {
        let mut optimizer = Optimizer::new(Rule::AdamW, vec![pace(0.1, 1.0), pace(0.0, 0.5)]);
        let mut weights = vec![1.0, -2.0];
        let (mut w, mut m, mut v) = ([1.0_f64, -2.0], [0.0_f64; 2], [0.0_f64; 2]);
        for t in 1..=3 {
            let g = [0.5 * f64::from(t), -1.5];
            // The gradient is given twice as long, and the scale halves it.
            optimizer.step(&mut weights, &g.map(|x| 2.0 * x as f32), 0.5, 0.01);
            for i in 0..2 {
                m[i] = 0.9 * m[i] + 0.1 * g[i];
                v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
                let m_hat = m[i] / (1.0 - 0.9_f64.powi(t));
                let v_hat = v[i] / (1.0 - 0.999_f64.powi(t));
                let (decay, share) = [(0.1, 1.0), (0.0, 0.5)][i];
                w[i] -= share * 0.01 * (m_hat / (v_hat.sqrt() + 1e-8) + decay * w[i]);
            }
        }
        for (got, want) in weights.iter().zip(w) {
            assert!((f64::from(*got) - want).abs() < 1e-6, "{got} is not {want}");
        }
    }

    #[test]
    fn momentum_gathers_speed() {
        let mut optimizer = Optimizer::new(Rule::Sgd { momentum: 0.5 }, vec![pace(0.0, 1.0)]);
        let mut weights = vec![0.0];
        for _ in 0..2 {
            optimizer.step(&mut weights, &[1.0], 1.0, 1.0);
        }
        assert_eq!(weights, [-2.5]);
    }
}
