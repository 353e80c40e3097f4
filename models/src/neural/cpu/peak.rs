//! Work of a known size, which shows how much a machine can do at most. Whoever runs it takes the time.

use rayon::prelude::*;

use super::pools::Pools;
use super::product::{Right, ScatteredRows, consecutive, multiply, sum, vectorised};
use crate::model::ModelError;

/// The side of the square matrices. Their product takes some milliseconds, and they fit into a cache of the second level in part
/// only, like those of a large network.
const SIDE: usize = 768;
/// How many numbers a thread sums before it takes the next ones.
const PIECE: usize = 1 << 18;

/// A matrix product by the kernel that all networks use, and a pass over numbers that no cache holds.
pub struct PeakWork {
    pools: Pools,
    left: Vec<f32>,
    starts: Vec<usize>,
    right: Right<'static>,
    out: Vec<f32>,
    numbers: Vec<f32>,
}

impl PeakWork {
    /// The work for so many threads, or for fewer if the system starts no more. The pass reads `bytes` bytes.
    ///
    /// # Errors
    /// If not a single thread starts.
    pub fn new(threads: usize, bytes: usize) -> Result<PeakWork, ModelError> {
        Ok(PeakWork {
            pools: Pools::new(threads)?,
            left: (0..SIDE * SIDE).map(|index| (index % 7) as f32 - 3.0).collect(),
            starts: consecutive(SIDE, SIDE),
            right: Right::packed(SIDE, SIDE, |row, out| {
                out.iter_mut().enumerate().for_each(|(column, value)| *value = ((row + column) % 5) as f32 - 2.0);
            }),
            out: vec![0.0; SIDE * SIDE],
            // Written, and not only reserved: pages that nobody wrote share one page of zeros.
            numbers: (0..bytes / size_of::<f32>()).map(|index| (index % 3) as f32).collect(),
        })
    }

    /// How many threads work.
    pub fn threads(&self) -> usize {
        self.pools.threads()
    }

    /// Multiplies two matrices. Returns a number of the result, so that the product is not left out.
    pub fn multiply(&mut self) -> f32 {
        let PeakWork { pools, left, starts, right, out, .. } = self;
        let rows = ScatteredRows { values: left, starts, parts: 1, length: SIDE };
        out.fill(0.0);
        pools.together(|| multiply(rows, right, out));
        out[SIDE + 1]
    }

    /// The floating-point operations of [`PeakWork::multiply`], two for each multiply-add.
    pub fn flops(&self) -> u64 {
        2 * (SIDE * SIDE * SIDE) as u64
    }

    /// Reads all numbers once. Returns their sum.
    pub fn read(&self) -> f32 {
        let pieces = || {
            self.numbers
                .par_chunks(PIECE)
                .map(|piece| {
                    vectorised(
                        #[inline(always)]
                        || sum(piece),
                    )
                })
                .sum()
        };
        self.pools.together(pieces)
    }

    /// The bytes that [`PeakWork::read`] reads.
    pub fn bytes(&self) -> u64 {
        (self.numbers.len() * size_of::<f32>()) as u64
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_product_and_the_pass_are_done_whole() {
        let mut work = PeakWork::new(2, 12_000).unwrap();
        let expected: f32 = (0..SIDE)
            .map(|k| {
                let (left, right) = ((SIDE + k) % 7, (k + 1) % 5);
                (left as f32 - 3.0) * (right as f32 - 2.0)
            })
            .sum();
        assert_eq!(work.multiply(), expected);
        assert_eq!(work.multiply(), expected, "a product does not add to the one before");
        assert_eq!((work.read(), work.bytes()), (3000.0, 12_000));
        assert_eq!(work.flops(), 905_969_664);
    }
}
