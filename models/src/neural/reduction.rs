//! How a network is made smaller than its model's parameters say.

use serde::{Deserialize, Serialize};

/// What makes a network smaller.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) enum Reduction {
    /// Nothing.
    #[default]
    None,
    /// This share of the units of each layer is left out: attention heads, hidden units, channels.
    Prune(f64),
    /// This share of the rank of each matrix product is left out: each is two products.
    LowRank(f64),
    /// Weights are whole numbers of 8 bits with a scale.
    Int8,
}

impl Reduction {
    /// How many of so many units stay: all but the share that is pruned, rounded, and at least one.
    pub(crate) fn units(self, units: usize) -> usize {
        match self {
            Reduction::Prune(share) => kept(share, units),
            _ => units,
        }
    }

    /// The rank of a product of `inputs x outputs`, if it is divided into two. One that would not get smaller stays whole.
    pub(crate) fn rank(self, inputs: usize, outputs: usize) -> Option<usize> {
        let Reduction::LowRank(share) = self else { return None };
        let rank = kept(share, inputs.min(outputs));
        (rank * (inputs + outputs) < inputs * outputs).then_some(rank)
    }

    /// The multiply-adds of a product of a row with `inputs x outputs` numbers.
    pub(crate) fn product(self, inputs: usize, outputs: usize) -> usize {
        self.rank(inputs, outputs).map_or(inputs * outputs, |rank| rank * (inputs + outputs))
    }
}

/// How many of so many stay if this share is left out.
fn kept(share: f64, all: usize) -> usize {
    all - ((share * all as f64).round() as usize).min(all - 1)
}

/// Units of a layer that can be pruned: all numbers of the slots that belong to one unit go with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PruneGroup {
    /// How many units there are.
    pub(crate) units: usize,
    /// Where their numbers are, in slots of the weights.
    pub(crate) weights: Vec<UnitAxis>,
    /// Where their numbers are, in slots of the running statistics.
    pub(crate) buffers: Vec<UnitAxis>,
}

/// An axis of a slot along which units lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnitAxis {
    /// The slot's name.
    pub(crate) slot: String,
    /// Which of its dimensions.
    pub(crate) axis: usize,
    /// How many consecutive numbers a unit has there.
    pub(crate) size: usize,
}

impl PruneGroup {
    /// A group of so many units that has no slot yet.
    pub(crate) fn of(units: usize) -> PruneGroup {
        PruneGroup { units, weights: Vec::new(), buffers: Vec::new() }
    }

    /// With an axis of a slot of the weights, along which each unit has one number, and all units follow each other, once or
    /// several times.
    pub(crate) fn with(self, slot: impl Into<String>, axis: usize) -> PruneGroup {
        self.with_sized(slot, axis, 1)
    }

    /// The same if each unit has `size` consecutive numbers.
    pub(crate) fn with_sized(mut self, slot: impl Into<String>, axis: usize, size: usize) -> PruneGroup {
        self.weights.push(UnitAxis { slot: slot.into(), axis, size });
        self
    }

    /// With a slot of the running statistics that has one number per unit.
    pub(crate) fn with_buffer(mut self, slot: impl Into<String>) -> PruneGroup {
        self.buffers.push(UnitAxis { slot: slot.into(), axis: 0, size: 1 });
        self
    }
}

impl UnitAxis {
    /// The unit of each number of a slot of this shape, in row-major order.
    pub(crate) fn unit_of<'a>(&'a self, shape: &'a [usize], units: usize) -> impl Iterator<Item = usize> + 'a {
        let after: usize = shape[self.axis + 1..].iter().product();
        let (length, count) = (shape[self.axis], shape.iter().product::<usize>());
        (0..count).map(move |at| at / after % length / self.size % units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_and_one_unit_always_stays() {
        let pruned = |share: f64, units: usize| Reduction::Prune(share).units(units);
        assert_eq!([pruned(0.0, 4), pruned(0.25, 4), pruned(0.5, 3), pruned(0.99, 4)], [4, 3, 1, 1]);
        assert_eq!(Reduction::LowRank(0.9).units(4), 4);
        assert_eq!(Reduction::Int8.units(4), 4);
    }

    #[test]
    fn a_product_is_divided_only_if_it_gets_smaller() {
        let half = Reduction::LowRank(0.5);
        assert_eq!(half.rank(8, 8), None, "4 x (8 + 8) numbers are as many as 8 x 8");
        assert_eq!(half.rank(8, 32), Some(4));
        assert_eq!(half.product(8, 32), 160);
        assert_eq!(half.product(8, 8), 64);
        assert_eq!(Reduction::LowRank(0.0).rank(64, 64), None);
        assert_eq!(Reduction::None.product(3, 4), 12);
    }

    #[test]
    fn units_are_found_along_an_axis_with_blocks_and_sizes() {
        let units = |axis: UnitAxis, shape: &[usize], units| axis.unit_of(shape, units).collect::<Vec<_>>();
        let axis = |axis, size| UnitAxis { slot: String::new(), axis, size };
        // Two units with two numbers each, along the second dimension.
        assert_eq!(units(axis(1, 2), &[2, 4], 2), [0, 0, 1, 1, 0, 0, 1, 1]);
        // Three units, twice.
        assert_eq!(units(axis(0, 1), &[6, 1], 3), [0, 1, 2, 0, 1, 2]);
        assert_eq!(units(axis(0, 1), &[2, 3], 2), [0, 0, 0, 1, 1, 1]);
    }
}
