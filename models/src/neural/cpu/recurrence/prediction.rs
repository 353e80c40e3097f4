//! Predicts a few examples through all steps, without a gradient.
//!
//! A step of one example reads all recurrent weights and computes little with them, so reading them takes most of the
//! time. Each thread keeps the weights of some hidden units for the whole sequence, in its own cache if they fit. It
//! shares only its outputs with the other threads. Each number is the same sum as in training, on any number of
//! threads.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Recurrence;
use crate::neural::cpu::lockstep::lockstep;
use crate::neural::cpu::product::{MIN_READS_PER_THREAD, Strips, threads, vectorised};

/// A step of one example, of as many hidden units as a thread keeps.
pub(super) trait Cell: Sync {
    /// How many gates a unit has.
    const GATES: usize;

    /// Writes to `sums` what the products of the old outputs with the recurrent weights are added to. `gates` is the part
    /// of the gates that comes from the inputs.
    fn begin(&self, direction: usize, units: &Range<usize>, gates: &[f32], sums: &mut [f32]);

    /// Computes the new memory and output. There is no `old` memory at the first step.
    fn end(&self, gates: &[f32], sums: &mut [f32], old: Option<&[f32]>, memory: &mut [f32], output: &mut [f32]);
}

/// The outputs, `directions x steps x examples x hidden`, from gates and recurrent weights as the training has them.
pub(super) fn outputs<C: Cell>(shape: &Recurrence, cell: &C, gates: &[f32], recurrent: &[f32]) -> Vec<f32> {
    let Recurrence { directions, steps, examples, hidden } = *shape;
    let wide = C::GATES * hidden;
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
            let row = |row: usize, out: &mut [f32]| select(&weights[row * wide..][..wide], hidden, &units, out);
            Strips::new(hidden, C::GATES * own, row)
        });
        let weights: Vec<Strips> = weights.collect();
        let mut memories = vec![0.0; directions * examples * own];
        let (mut old_memory, mut old_output, mut output) = (vec![0.0; own], vec![0.0; hidden], vec![0.0; own]);
        let (mut own_gates, mut sums) = (vec![0.0; C::GATES * own], vec![0.0; C::GATES * own]);
        for step in 0..steps {
            for (index, memory) in memories.chunks_exact_mut(own).enumerate() {
                let (direction, example) = (index / examples, index % examples);
                let at = (direction * steps + step) * examples + example;
                select(&gates[at * wide..][..wide], hidden, &units, &mut own_gates);
                cell.begin(direction, &units, &own_gates, &mut sums);
                if step > 0 {
                    for (value, bits) in old_output.iter_mut().zip(&outputs[(at - examples) * hidden..]) {
                        *value = f32::from_bits(bits.load(Ordering::Relaxed));
                    }
                    weights[direction].multiply(&old_output, &mut sums);
                }
                old_memory.copy_from_slice(memory);
                let old = (step > 0).then_some(&old_memory[..]);
                vectorised(
                    #[inline(always)]
                    || cell.end(&own_gates, &mut sums, old, memory, &mut output),
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

/// The gates of some units, out of those of `hidden` units.
fn select(gates: &[f32], hidden: usize, units: &Range<usize>, out: &mut [f32]) {
    for (gates, out) in gates.chunks_exact(hidden).zip(out.chunks_exact_mut(units.len())) {
        out.copy_from_slice(&gates[units.clone()]);
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// Directions, steps, examples and hidden units.
    pub(crate) const SIZES: [(usize, usize, usize, usize); 4] =
        [(1, 7, 1, 257), (2, 4, 3, 130), (1, 1, 1, 3), (2, 3, 2, 1)];

    /// Panics unless a prediction has the outputs of the training, on any number of threads.
    pub(crate) fn assert_same<C: Cell>(
        shape: &Recurrence,
        cell: &C,
        gates: &[f32],
        recurrent: &[f32],
        expected: &[f32],
    ) {
        for threads in [1, 2, 3, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let found = pool.install(|| outputs(shape, cell, gates, recurrent));
            assert!(found == expected, "{shape:?}, {threads} threads");
        }
    }
}
