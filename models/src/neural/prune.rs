//! Structured pruning: which units of a fitted network stay, and their numbers in the slots of a smaller network.

use std::collections::BTreeMap;

use super::reduction::{PruneGroup, UnitAxis};
use super::weights::WeightLayout;

/// The numbers of a slot, with its shape.
type Named = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// The sum of the squared weights of each unit: its magnitude.
pub(super) fn magnitudes(layout: &WeightLayout, group: &PruneGroup, weights: &[f32]) -> Vec<f64> {
    sums(layout, group, weights, |at| f64::from(weights[at]).powi(2))
}

/// By how much the loss would change to first order without each unit, squared: the square of the sum of weight times gradient
/// (Molchanov et al. 2019, equation 8).
pub(super) fn sensitivities(layout: &WeightLayout, group: &PruneGroup, weights: &[f32], gradient: &[f32]) -> Vec<f64> {
    let sums = sums(layout, group, weights, |at| f64::from(weights[at]) * f64::from(gradient[at]));
    sums.into_iter().map(|sum| sum * sum).collect()
}

/// The sum of `value` over the numbers of each unit, which are given by their places in all weights.
fn sums(layout: &WeightLayout, group: &PruneGroup, weights: &[f32], value: impl Fn(usize) -> f64) -> Vec<f64> {
    debug_assert_eq!(weights.len(), layout.len());
    let mut sums = vec![0.0; group.units];
    for axis in &group.weights {
        let (shape, start) = layout.place(&axis.slot).expect("a group names slots of its own network");
        for (at, unit) in axis.unit_of(shape, group.units).enumerate() {
            sums[unit] += value(start + at);
        }
    }
    sums
}

/// The `count` units with the largest numbers, in their order. Of equal ones, the first stay.
pub(super) fn largest(numbers: &[f64], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&one, &other| numbers[other].total_cmp(&numbers[one]));
    order.truncate(count);
    order.sort_unstable();
    order
}

/// The numbers of `small`, a layout with the slots of `layout` without the units that do not stay. Each group comes with the units
/// that stay; `axes` says where they are.
pub(super) fn pruned(
    (layout, values): (&WeightLayout, &[f32]),
    small: &WeightLayout,
    groups: &[(&PruneGroup, Vec<usize>)],
    axes: impl Fn(&PruneGroup) -> &[UnitAxis],
) -> Result<Vec<f32>, String> {
    let mut slots = Named::new();
    layout.gather(|name, shape| {
        let (_, start) = layout.place(name).expect("it is a slot of this layout");
        let all = values[start..start + shape.iter().product::<usize>()].to_vec();
        slots.insert(name.to_owned(), (shape.to_vec(), all));
        Ok::<_, String>(Vec::new())
    })?;
    for (group, kept) in groups {
        for axis in axes(group) {
            let (shape, values) = slots.get_mut(&axis.slot).expect("a group names slots of its own network");
            let stays = axis.unit_of(shape, group.units).map(|unit| kept.contains(&unit));
            *values = values.iter().zip(stays).filter(|(_, stays)| *stays).map(|(value, _)| *value).collect();
            shape[axis.axis] = shape[axis.axis] / group.units * kept.len();
        }
    }
    small.gather(|name, shape| match slots.remove(name) {
        Some((found, values)) if found == shape => Ok(values),
        Some((found, _)) => Err(format!("slot '{name}' has {found:?} after pruning, expected {shape:?}")),
        None => Err(format!("slot '{name}' is not in the network that is pruned")),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::weights::Init;
    use super::*;

    fn layout(units: usize) -> WeightLayout {
        let mut layout = WeightLayout::default();
        layout.matrix("into", &[2, units], Init::Constant(0.0));
        layout.free("bias", &[units], Init::Constant(0.0));
        layout.matrix("out", &[units, 1], Init::Constant(0.0));
        layout.free("other", &[2], Init::Constant(0.0));
        layout
    }

    #[test]
    fn the_weakest_unit_goes_with_all_of_its_numbers() {
        let layouts = (layout(3), layout(2));
        let group = PruneGroup::of(3).with("into", 1).with("bias", 0).with("out", 0);
        //                 into                          bias           out            other
        let weights = [1.0, 0.1, 2.0, 3.0, 0.1, 4.0, 5.0, 0.0, 6.0, 7.0, 0.0, 8.0, 9.0, 10.0];
        let numbers = magnitudes(&layouts.0, &group, &weights);
        assert_eq!(numbers.iter().map(|number| number.round()).collect::<Vec<_>>(), [84.0, 0.0, 120.0]);
        let kept = largest(&numbers, 2);
        assert_eq!(kept, [0, 2]);
        let groups = [(&group, kept)];
        let small = pruned((&layouts.0, &weights), &layouts.1, &groups, |group| &group.weights).unwrap();
        assert_eq!(small, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
    }

    #[test]
    fn a_unit_whose_weights_times_gradients_cancel_matters_not() {
        let layout = layout(2);
        let group = PruneGroup::of(2).with("into", 1).with("bias", 0).with("out", 0);
        let weights = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 5.0, 5.0];
        let gradient = [2.0, 1.0, -2.0, 1.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0];
        assert_eq!(sensitivities(&layout, &group, &weights, &gradient), [0.0, 4.0]);
    }

    #[test]
    fn of_equal_units_the_first_stay() {
        assert_eq!(largest(&[1.0, 2.0, 1.0, 1.0], 2), [0, 1]);
    }
}
