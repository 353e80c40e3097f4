//! The steps of a fit on a device other than the processor. Weights, running statistics and the state of the optimiser stay there as
//! tensors. A step reads nothing back, so that the device never waits for the program. What the steps of an epoch found is read at its end.

use burn::tensor::{Device, Tensor};

use super::backend::{ADAM, Pace};
use super::fitted::FittedNetwork;
use super::recipe::Rule;
use super::train::{STATISTICS_RATE, StepContext, numbers};
use super::training_state::TrainingState;
use super::weights::{Leaves, WeightLayout};

/// A slot of weights, with the two moments of its gradient.
struct Slot {
    pace: Pace,
    weights: Tensor<1>,
    first: Tensor<1>,
    second: Tensor<1>,
}

/// The part of a fit's state that is on the device.
pub(super) struct OnDevice {
    rule: Rule,
    clip: f64,
    slots: Vec<Slot>,
    buffers: Vec<Tensor<1>>,
    steps: i32,
    /// The sum of the losses since [`OnDevice::end`], and the sum of the norms of the gradients, which is not finite if one of them is
    /// not.
    found: Option<[Tensor<1>; 2]>,
}

/// What the steps since the last call found.
pub(super) struct FoundOnDevice {
    /// The sum of their losses.
    pub(super) loss: f64,
    /// Whether all gradients were finite.
    pub(super) is_finite: bool,
}

impl OnDevice {
    /// Takes the state of a fit to `device`. `paces` are those of the slots of `layout`, one each.
    pub(super) fn new(
        (layout, buffers): (&WeightLayout, &WeightLayout),
        paces: Vec<Pace>,
        (rule, clip): (Rule, f64),
        state: &TrainingState,
        device: &Device,
    ) -> OnDevice {
        let (first, second, steps) = state.optimizer.moments();
        let cut = |values: &[f32]| Leaves::new(layout, values, device).tensors().to_vec();
        let moments = cut(first).into_iter().zip(cut(second));
        let slots = paces.into_iter().zip(cut(&state.weights)).zip(moments);
        OnDevice {
            rule,
            clip,
            slots: slots.map(|((pace, weights), (first, second))| Slot { pace, weights, first, second }).collect(),
            buffers: Leaves::new(buffers, &state.buffers, device).tensors().to_vec(),
            steps,
            found: None,
        }
    }

    /// Gives the network the present weights and running statistics.
    pub(super) fn show(&self, fitted: &mut FittedNetwork) {
        let weights = self.slots.iter().map(|slot| slot.weights.clone()).collect();
        fitted.weights = Leaves::of_tensors(fitted.network.layout(), weights);
        fitted.buffers = Leaves::of_tensors(fitted.network.buffers(), self.buffers.clone());
    }

    /// Moves the weights of `fitted` by one step on these rows, with this learning rate.
    pub(super) fn step(
        &mut self,
        context: &StepContext<'_>,
        fitted: &mut FittedNetwork,
        rows: &[usize],
        place: (usize, f64),
    ) {
        let (step, rate) = place;
        let computed = context.whole(fitted, rows, step);
        let norm = norm(&computed.gradients);
        // One where the norm is within the limit.
        let scale = (norm.clone().max_pair(norm.ones_like() * self.clip).recip() * self.clip).detach();
        self.steps += 1;
        for (slot, gradient) in self.slots.iter_mut().zip(computed.gradients) {
            let gradient = gradient.unwrap_or_else(|| slot.weights.zeros_like()) * scale.clone();
            slot.step(gradient, self.rule, rate, self.steps);
        }
        for (buffer, seen) in self.buffers.iter_mut().zip(computed.statistics) {
            *buffer = buffer.clone() + (seen - buffer.clone()) * f64::from(STATISTICS_RATE);
        }
        self.found = Some(match self.found.take() {
            None => [computed.loss, norm],
            Some([loss, norms]) => [loss + computed.loss, norms + norm],
        });
        self.show(fitted);
    }

    /// Waits for the steps since the last call, and brings the state of the fit up to date with them. Everything crosses to the host in
    /// one read.
    pub(super) fn end(&mut self, state: &mut TrainingState) -> FoundOnDevice {
        let slots = &self.slots;
        let weights = slots.iter().map(|slot| slot.weights.clone());
        let moments = slots.iter().map(|slot| slot.first.clone()).chain(slots.iter().map(|slot| slot.second.clone()));
        let found = self.found.take().into_iter().flatten();
        let parts: Vec<Tensor<1>> = weights.chain(moments).chain(self.buffers.iter().cloned()).chain(found).collect();
        let mut all = numbers(Tensor::cat(parts, 0));
        let mut take = |count: usize| all.drain(..count).collect::<Vec<f32>>();
        let of_weights = state.weights.len();
        state.weights = take(of_weights);
        let moments = (take(of_weights), take(of_weights));
        state.optimizer.set_moments(moments, self.steps);
        state.buffers = take(state.buffers.len());
        match all[..] {
            [loss, norms] => FoundOnDevice { loss: f64::from(loss), is_finite: norms.is_finite() },
            _ => FoundOnDevice { loss: 0.0, is_finite: true },
        }
    }

    /// Waits until the device has done the steps so far.
    pub(super) fn wait(&self) {
        if let Some([loss, _]) = &self.found {
            numbers(loss.clone());
        }
    }
}

/// The Euclidean norm of a gradient in parts.
fn norm(gradients: &[Option<Tensor<1>>]) -> Tensor<1> {
    let squares: Vec<Tensor<1>> = gradients.iter().flatten().map(|part| part.clone().square().sum()).collect();
    Tensor::cat(squares, 0).sum().sqrt()
}

impl Slot {
    /// As the processor's optimiser does it, number by number.
    fn step(&mut self, gradient: Tensor<1>, rule: Rule, rate: f64, step: i32) {
        let rate = rate * self.pace.share;
        let decay = f64::from(self.pace.decay);
        match rule {
            Rule::AdamW => {
                let [keep, keep_square, epsilon] = ADAM;
                let length = rate / (1.0 - keep.powi(step));
                let unbias = 1.0 / (1.0 - keep_square.powi(step));
                self.first = self.first.clone() * keep + gradient.clone() * (1.0 - keep);
                self.second = self.second.clone() * keep_square + gradient.square() * (1.0 - keep_square);
                let root = (self.second.clone() * unbias).sqrt() + epsilon;
                self.weights = self.weights.clone() * (1.0 - decay * rate) - self.first.clone() / root * length;
            }
            Rule::Sgd { momentum } => {
                let gradient = gradient + self.weights.clone() * decay;
                self.first = self.first.clone() * momentum + gradient;
                self.weights = self.weights.clone() - self.first.clone() * rate;
            }
        }
    }
}
