//! Predicts a few examples through all steps, without a gradient.
//!
//! A step of one example reads all recurrent weights and computes little with them, so reading them takes most of the
//! time. Each thread keeps the weights of some hidden units for the whole sequence, in its own cache if they fit. It
//! shares only its outputs with the other threads. Each number is the same sum as in training, on any number of
//! threads.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Recurrence, activate};
use crate::neural::cpu::lockstep::lockstep;
use crate::neural::cpu::product::{MIN_READS_PER_THREAD, Strips, threads, vectorised};

/// The outputs, `directions x steps x examples x hidden`. See [`super::recur`].
pub(super) fn outputs(shape: &Recurrence, gates: &[f32], recurrent: &[f32]) -> Vec<f32> {
    let Recurrence { directions, steps, examples, hidden } = *shape;
    let wide = 4 * hidden;
    // The bits of floats, because there are no atomic floats. Each is stored once, and loaded after that step has
    // ended.
    let outputs: Vec<AtomicU32> = (0..directions * steps * examples * hidden).map(|_| AtomicU32::new(0)).collect();
    // Outside of a pool, the caller works alone.
    let pooled = rayon::current_thread_index().is_some();
    let share = hidden.div_ceil(if pooled { threads(recurrent.len(), MIN_READS_PER_THREAD) } else { 1 });
    lockstep(hidden.div_ceil(share), |mut member| {
        let first = member.index * share;
        let units = first..hidden.min(first + share);
        let own = units.len();
        let weights = recurrent.chunks_exact(hidden * wide).map(|weights| {
            Strips::new(hidden, 4 * own, |row, out| select(&weights[row * wide..][..wide], &units, out))
        });
        let weights: Vec<Strips> = weights.collect();
        let mut cells = vec![0.0; directions * examples * own];
        let (mut old_cell, mut old_output, mut output) = (vec![0.0; own], vec![0.0; hidden], vec![0.0; own]);
        let mut active = vec![0.0; 4 * own];
        for step in 0..steps {
            for (index, cell) in cells.chunks_exact_mut(own).enumerate() {
                let (direction, example) = (index / examples, index % examples);
                let at = (direction * steps + step) * examples + example;
                select(&gates[at * wide..][..wide], &units, &mut active);
                if step > 0 {
                    for (value, bits) in old_output.iter_mut().zip(&outputs[(at - examples) * hidden..]) {
                        *value = f32::from_bits(bits.load(Ordering::Relaxed));
                    }
                    weights[direction].multiply(&old_output, &mut active);
                }
                old_cell.copy_from_slice(cell);
                let old = (step > 0).then_some(&old_cell[..]);
                vectorised(
                    #[inline(always)]
                    || activate(&mut active, old, cell, &mut output),
                );
                for (bits, value) in outputs[at * hidden..][units.clone()].iter().zip(&output) {
                    bits.store(value.to_bits(), Ordering::Relaxed);
                }
            }
            member.wait();
        }
    });
    outputs.into_iter().map(|bits| f32::from_bits(bits.into_inner())).collect()
}

/// The four gates of some units.
fn select(gates: &[f32], units: &Range<usize>, out: &mut [f32]) {
    let hidden = gates.len() / 4;
    for (gates, out) in gates.chunks_exact(hidden).zip(out.chunks_exact_mut(units.len())) {
        out.copy_from_slice(&gates[units.clone()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neural::cpu::kernel::FusedKernel;
    use crate::neural::cpu::kernel::testing::noise;

    #[test]
    fn neither_the_threads_nor_the_way_through_time_change_a_bit() {
        for (directions, steps, examples, hidden) in [(1, 7, 1, 257), (2, 4, 3, 130), (1, 1, 1, 3), (2, 3, 2, 1)] {
            let shape = Recurrence { directions, steps, examples, hidden };
            let gates = noise(directions * steps * examples * 4 * hidden, 1);
            let recurrent: Vec<f32> = noise(directions * hidden * 4 * hidden, 2).iter().map(|w| w * 0.2).collect();
            let (expected, _) = shape.forward([&gates, &recurrent]);
            for threads in [1, 2, 3, 5] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
                let found = pool.install(|| outputs(&shape, &gates, &recurrent));
                assert!(found == expected, "{shape:?}, {threads} threads");
            }
        }
    }
}
