//! The weights of a network: a layout of named slots over flat vectors.
//!
//! To the optimiser, all weights are one vector: there is one update, one global norm, and one copy to remember the
//! best epoch. To the network, each slot is a tensor.

use burn::tensor::{Device, Gradients, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::quantised::{Quantised, Scales};
use super::reduction::Reduction;
use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::ModelError;

/// The initial values of a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Init {
    /// The same number everywhere.
    Constant(f32),
    /// Uniform in `±bound`.
    Uniform(f32),
}

impl Init {
    /// Uniform with the variance 2 / `fan_in`, for layers before a ReLU (He et al. 2015, arXiv:1502.01852).
    pub(crate) fn he(fan_in: usize) -> Init {
        Init::Uniform((6.0 / fan_in as f32).sqrt())
    }

    /// Uniform with the variance 2 / (`fan_in` + `fan_out`) (Glorot and Bengio 2010).
    pub(crate) fn glorot(fan_in: usize, fan_out: usize) -> Init {
        Init::Uniform((6.0 / (fan_in + fan_out) as f32).sqrt())
    }

    /// Uniform with the standard deviation 0.02 of BERT's embeddings (Devlin et al. 2018).
    pub(crate) fn embedding() -> Init {
        Init::Uniform(0.02 * 3.0_f32.sqrt())
    }
}

/// One named tensor of a layout.
#[derive(Debug, Clone)]
struct Slot {
    name: String,
    shape: Vec<usize>,
    offset: usize,
    init: Init,
    decay: bool,
    depth: usize,
    pace: f64,
}

impl Slot {
    fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Which numbers have a scale in common if the slot is quantised: those that make one output of a product or of a convolution,
    /// in each direction of a recurrence; and those of one word, for an embedding. `None` for what is not worth it: biases, and the
    /// weights of normalisations.
    fn scales(&self) -> Option<Scales> {
        let (first, last) = (self.shape.first().copied()?, self.shape.last().copied()?);
        match (self.decay, self.shape.len()) {
            (true, 3) => Some(Scales::Columns { blocks: first, columns: last }),
            (true, _) => Some(Scales::Columns { blocks: 1, columns: last }),
            (false, 2) => Some(Scales::Rows { rows: first }),
            (false, _) => None,
        }
    }
}

/// A slot's handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weight(usize);

/// The slots, in the order in which they were added.
#[derive(Debug, Clone)]
pub(crate) struct WeightLayout {
    slots: Vec<Slot>,
    len: usize,
    depth: usize,
    reduction: Reduction,
    pace: f64,
}

impl Default for WeightLayout {
    fn default() -> WeightLayout {
        WeightLayout { slots: Vec::new(), len: 0, depth: 0, reduction: Reduction::None, pace: 1.0 }
    }
}

/// Weights that follow each other and that the optimiser treats alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WeightGroup {
    /// How many they are.
    pub(crate) len: usize,
    /// Whether weight decay applies to them.
    pub(crate) decay: bool,
    /// How many blocks are between them and the head.
    pub(crate) depth: usize,
    /// By what the learning rate is multiplied.
    pub(crate) pace: f64,
}

impl WeightLayout {
    /// A layout without slots of a network that is made smaller so.
    pub(crate) fn of(reduction: Reduction) -> WeightLayout {
        WeightLayout { reduction, ..WeightLayout::default() }
    }

    /// What makes the network smaller.
    pub(crate) fn reduction(&self) -> Reduction {
        self.reduction
    }

    /// The shape of the slot of this name, and where its numbers begin among those of all slots.
    pub(crate) fn place(&self, name: &str) -> Option<(&[usize], usize)> {
        self.slots.iter().find(|slot| slot.name == name).map(|slot| (slot.shape.as_slice(), slot.offset))
    }

    /// Adds a slot that weight decay applies to: a matrix or a kernel.
    pub(crate) fn matrix(&mut self, name: impl Into<String>, shape: &[usize], init: Init) -> Weight {
        self.add(name.into(), shape, init, true)
    }

    /// Adds a slot that weight decay does not apply to: a bias, a scale of a normalisation, an embedding.
    pub(crate) fn free(&mut self, name: impl Into<String>, shape: &[usize], init: Init) -> Weight {
        self.add(name.into(), shape, init, false)
    }

    /// How many blocks are between the head and the slots that are added from now on. It is 0 at first.
    pub(crate) fn set_depth(&mut self, depth: usize) {
        self.depth = depth;
    }

    /// By what the learning rate is multiplied for the slots that are added from now on. It is 1 at first.
    pub(crate) fn set_pace(&mut self, pace: f64) {
        self.pace = pace;
    }

    fn add(&mut self, name: String, shape: &[usize], init: Init, decay: bool) -> Weight {
        let (depth, pace) = (self.depth, self.pace);
        let slot = Slot { name, shape: shape.to_vec(), offset: self.len, init, decay, depth, pace };
        self.len += slot.len();
        self.slots.push(slot);
        Weight(self.slots.len() - 1)
    }

    /// How many numbers all slots hold.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many numbers all slots hold, without tables of embeddings.
    pub(crate) fn len_without_tables(&self) -> usize {
        let is_table = |slot: &&Slot| matches!(slot.scales(), Some(Scales::Rows { .. }));
        self.len - self.slots.iter().filter(is_table).map(Slot::len).sum::<usize>()
    }

    /// The initial values of all slots. Each slot draws from its own stream of the seed, so that an additional slot
    /// does not change the others.
    pub(crate) fn initial(&self, seed: u64) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.len);
        (0..self.slots.len()).for_each(|index| self.draw(index, seed, &mut values));
        values
    }

    /// The values of all slots from a source that returns them by name and shape. Slots for which it has none get their
    /// [initial](WeightLayout::initial) values.
    ///
    /// # Errors
    /// Those of the source.
    pub(crate) fn initial_or<E>(
        &self,
        seed: u64,
        mut source: impl FnMut(&str, &[usize]) -> Result<Option<Vec<f32>>, E>,
    ) -> Result<Vec<f32>, E> {
        let mut values = Vec::with_capacity(self.len);
        for (index, slot) in self.slots.iter().enumerate() {
            match source(&slot.name, &slot.shape)? {
                Some(found) => values.extend(found),
                None => self.draw(index, seed, &mut values),
            }
        }
        Ok(values)
    }

    /// Appends the initial values of a slot.
    fn draw(&self, index: usize, seed: u64, values: &mut Vec<f32>) {
        let slot = &self.slots[index];
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(index as u64);
        match slot.init {
            Init::Constant(value) => values.extend(std::iter::repeat_n(value, slot.len())),
            Init::Uniform(bound) => {
                values.extend((0..slot.len()).map(|_| (rng.random::<f32>() * 2.0 - 1.0) * bound));
            }
        }
    }

    /// All weights in order, in groups that are as long as possible.
    pub(crate) fn groups(&self) -> Vec<WeightGroup> {
        let mut groups: Vec<WeightGroup> = Vec::new();
        for slot in &self.slots {
            let &Slot { decay, depth, pace, .. } = slot;
            match groups.last_mut() {
                Some(last) if (last.decay, last.depth, last.pace) == (decay, depth, pace) => last.len += slot.len(),
                _ => groups.push(WeightGroup { len: slot.len(), decay, depth, pace }),
            }
        }
        groups
    }

    /// All slots in order, and how the optimiser moves each of them.
    pub(crate) fn each(&self) -> impl Iterator<Item = WeightGroup> {
        self.slots.iter().map(|slot| WeightGroup {
            len: slot.len(),
            decay: slot.decay,
            depth: slot.depth,
            pace: slot.pace,
        })
    }

    /// The values of all slots, from a source that returns them by name and shape.
    ///
    /// # Errors
    /// Those of the source.
    pub(crate) fn gather<E>(
        &self,
        mut source: impl FnMut(&str, &[usize]) -> Result<Vec<f32>, E>,
    ) -> Result<Vec<f32>, E> {
        let mut values = Vec::new();
        for slot in &self.slots {
            values.extend(source(&slot.name, &slot.shape)?);
        }
        Ok(values)
    }
}

/// A flat vector of numbers as a tensor.
pub(crate) fn vector(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), device)
}

fn numbers(tensor: &Tensor<1>) -> Result<Vec<f32>, ModelError> {
    let values = tensor.clone().try_into_vec_as::<f32>();
    values.map_err(|error| ModelError::Failed(format!("failed to read weights: {error:?}")))
}

/// The slots as tensors, ready for a forward pass.
#[derive(Debug, Clone)]
pub(crate) struct Leaves {
    tensors: Vec<Tensor<1>>,
    shapes: Vec<Vec<usize>>,
    /// The whole numbers behind the tensor of each slot that is quantised. Empty if none is.
    quantised: Vec<Option<Quantised>>,
}

impl Leaves {
    /// Cuts `flat` into its slots. Where the layout wants whole numbers, the tensors have the numbers that these stand for. So the
    /// gradient at them is the straight-through estimate for the numbers in `flat` (Bengio et al. 2013; Jacob et al. 2018).
    pub(crate) fn new(layout: &WeightLayout, flat: &[f32], device: &Device) -> Leaves {
        let of_slot = |slot: &Slot| &flat[slot.offset..][..slot.len()];
        let shapes = layout.slots.iter().map(|slot| slot.shape.clone()).collect();
        if layout.reduction != Reduction::Int8 {
            let tensors = layout.slots.iter().map(|slot| vector(of_slot(slot).to_vec(), device)).collect();
            return Leaves { tensors, shapes, quantised: Vec::new() };
        }
        let quantised: Vec<Option<Quantised>> =
            layout.slots.iter().map(|slot| slot.scales().map(|scales| Quantised::new(of_slot(slot), scales))).collect();
        let tensors = layout.slots.iter().zip(&quantised).map(|(slot, quantised)| {
            let values = quantised.as_ref().map_or_else(|| of_slot(slot).to_vec(), Quantised::values);
            vector(values, device)
        });
        Leaves { tensors: tensors.collect(), shapes, quantised }
    }

    /// The slots that these tensors are, in the order of the layout.
    pub(crate) fn of_tensors(layout: &WeightLayout, tensors: Vec<Tensor<1>>) -> Leaves {
        Leaves { tensors, shapes: layout.slots.iter().map(|slot| slot.shape.clone()).collect(), quantised: Vec::new() }
    }

    /// The tensors of all slots, each flat.
    pub(crate) fn tensors(&self) -> &[Tensor<1>] {
        &self.tensors
    }

    /// The same slots, each as the root of a graph of its own, for [`Leaves::gradient`].
    pub(crate) fn tracked(&self) -> Leaves {
        let tensors = self.tensors.iter().map(|tensor| tensor.clone().autodiff().require_grad()).collect();
        Leaves { tensors, shapes: self.shapes.clone(), quantised: Vec::new() }
    }

    /// The same slots as constants of a graph: a gradient passes through what is computed from them, and none is of them.
    pub(crate) fn constants(&self) -> Leaves {
        let tensors = self.tensors.iter().map(|tensor| tensor.clone().autodiff()).collect();
        Leaves { tensors, shapes: self.shapes.clone(), quantised: Vec::new() }
    }

    /// A slot as a tensor of its shape.
    ///
    /// # Panics
    /// If the slot has another rank, which is a fault of the network.
    pub(crate) fn get<const D: usize>(&self, weight: Weight) -> Tensor<D> {
        let shape: [usize; D] =
            self.shapes[weight.0].as_slice().try_into().expect("a network asks for a slot in the rank it declared");
        self.tensors[weight.0].clone().reshape(shape)
    }

    /// Adds the values of all slots as arrays named `group`, a point, and the slot's name. What is quantised is stored as whole
    /// numbers, with their scales in an array whose name ends in `.scale`.
    pub(crate) fn save(&self, group: &str, layout: &WeightLayout, arrays: &mut ArraysOut) -> Result<(), ModelError> {
        for (index, (slot, tensor)) in layout.slots.iter().zip(&self.tensors).enumerate() {
            let name = format!("{group}.{}", slot.name);
            match self.quantised.get(index) {
                Some(Some(quantised)) => quantised.save(&name, &slot.shape, arrays),
                _ => arrays.add(name, &slot.shape, numbers(tensor)?),
            }
        }
        Ok(())
    }

    /// The values of all slots as one vector.
    pub(crate) fn flat(&self) -> Result<Vec<f32>, ModelError> {
        let parts: Vec<Vec<f32>> = self.tensors.iter().map(numbers).collect::<Result<_, _>>()?;
        Ok(parts.concat())
    }

    /// Takes the arrays that [`Leaves::save`] added.
    ///
    /// # Errors
    /// If a slot is missing or has another shape.
    pub(crate) fn load(
        group: &str,
        layout: &WeightLayout,
        arrays: &mut ArraysIn,
        device: &Device,
    ) -> Result<Leaves, ModelError> {
        if layout.reduction != Reduction::Int8 {
            let values = layout.gather(|name, shape| arrays.take(&format!("{group}.{name}"), shape))?;
            return Ok(Leaves::new(layout, &values, device));
        }
        let mut leaves = Leaves { tensors: Vec::new(), shapes: Vec::new(), quantised: Vec::new() };
        for slot in &layout.slots {
            let name = format!("{group}.{}", slot.name);
            let quantised = match slot.scales() {
                Some(scales) => Some(Quantised::load(&name, &slot.shape, scales, arrays)?),
                None => None,
            };
            let values = match &quantised {
                Some(quantised) => quantised.values(),
                None => arrays.take(&name, &slot.shape)?,
            };
            leaves.tensors.push(vector(values, device));
            leaves.shapes.push(slot.shape.clone());
            leaves.quantised.push(quantised);
        }
        Ok(leaves)
    }

    /// The gradient of all slots as one vector. It is zero where the loss does not depend on a slot.
    pub(crate) fn gradient(&self, gradients: &mut Gradients) -> Vec<f32> {
        let mut all = Vec::with_capacity(self.shapes.iter().map(|shape| shape.iter().product::<usize>()).sum());
        for (leaf, shape) in self.tensors.iter().zip(&self.shapes) {
            match leaf.grad_remove(gradients) {
                Some(part) => all.extend(part.try_into_vec_as::<f32>().expect("gradients are 32-bit floats")),
                None => all.resize(all.len() + shape.iter().product::<usize>(), 0.0),
            }
        }
        all
    }
}

impl Leaves {
    /// The gradient of each slot, where it is. `None` where the loss does not depend on a slot.
    pub(crate) fn gradients(&self, gradients: &mut Gradients) -> Vec<Option<Tensor<1>>> {
        self.tensors.iter().map(|leaf| leaf.grad_remove(gradients)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> (WeightLayout, Weight, Weight) {
        let mut layout = WeightLayout::default();
        let matrix = layout.matrix("w", &[2, 3], Init::Uniform(0.5));
        let bias = layout.free("b", &[3], Init::Constant(1.0));
        (layout, matrix, bias)
    }

    #[test]
    fn slots_start_as_declared_and_only_matrices_decay() {
        let (layout, ..) = layout();
        let values = layout.initial(3);
        assert!(values[..6].iter().all(|value| value.abs() <= 0.5) && values[0] != values[1]);
        assert_eq!(values[6..], [1.0; 3]);
        assert_eq!(values, layout.initial(3));
        assert_ne!(values, layout.initial(4));
        let group = |len, decay| WeightGroup { len, decay, depth: 0, pace: 1.0 };
        assert_eq!(layout.groups(), [group(6, true), group(3, false)]);
        let mut layout = layout;
        layout.set_pace(40.0);
        layout.free("c", &[2], Init::Constant(0.0));
        assert_eq!(layout.groups()[2], WeightGroup { pace: 40.0, ..group(2, false) });
    }

    #[test]
    fn tables_of_embeddings_are_left_out_of_what_a_prediction_reads() {
        let (mut layout, ..) = layout();
        assert_eq!(layout.len_without_tables(), 9);
        layout.free("words", &[1000, 8], Init::Constant(0.0));
        layout.matrix("kernel", &[3, 2, 4], Init::Constant(0.0));
        assert_eq!((layout.len(), layout.len_without_tables()), (9 + 8000 + 24, 9 + 24));
    }

    #[test]
    fn gradients_come_in_the_layout_and_are_zero_where_nothing_depends() {
        let (layout, matrix, bias) = layout();
        let flat: Vec<f32> = (0..9).map(|value| value as f32).collect();
        let leaves = Leaves::new(&layout, &flat, &Device::flex()).tracked();
        let loss = (leaves.get::<2>(matrix) * 2.0).sum();
        assert_eq!(leaves.gradient(&mut loss.backward()), [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 0.0, 0.0, 0.0]);
        assert_eq!(leaves.get::<1>(bias).inner().try_into_vec_as::<f32>().expect("floats"), [6.0, 7.0, 8.0]);
    }
}
