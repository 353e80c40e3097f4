//! One row times a matrix, which is in row-major order or in strips of its columns.

use pulp::{Simd, WithSimd};

use super::{ScatteredRows, dispatch, panels};

/// How many columns a strip has. They are few enough that its sums stay in registers.
const STRIP: usize = 64;

/// A right factor, `depth x columns`, in strips of sixty-four columns, padded with zeros. Each strip is in row-major
/// order, so that a product reads the memory in order. Packing costs about as much as a product, so this is for factors
/// that are used many times.
pub(in super::super) struct Strips {
    depth: usize,
    strips: Vec<[f32; STRIP]>,
}

impl Strips {
    /// The strips of a matrix from its rows. `row(k, out)` writes row `k` to `out`.
    pub(in super::super) fn new(depth: usize, columns: usize, row: impl FnMut(usize, &mut [f32])) -> Strips {
        Strips { depth, strips: panels(depth, columns, row) }
    }

    /// Adds the product of a row of `depth` numbers and this factor to `out`. The bits are those that
    /// [`super::multiply`] gives.
    pub(in super::super) fn multiply(&self, row: &[f32], out: &mut [f32]) {
        let left = ScatteredRows { values: row, starts: &[0], parts: 1, length: self.depth };
        for (strip, out) in self.strips.chunks_exact(self.depth).zip(out.chunks_mut(STRIP)) {
            dispatch(Plain { left, matrix: strip.as_flattened(), columns: STRIP, from: 0, out });
        }
    }
}

/// A row times some columns of a matrix that is not packed. Reading the matrix takes most of the time.
pub(super) struct Plain<'a> {
    pub(super) left: ScatteredRows<'a>,
    pub(super) matrix: &'a [f32],
    pub(super) columns: usize,
    /// The first column that `out` has.
    pub(super) from: usize,
    pub(super) out: &'a mut [f32],
}

impl WithSimd for Plain<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut at = self.strips::<S, 8>(simd, 0);
        at = self.strips::<S, 4>(simd, at);
        at = self.strips::<S, 1>(simd, at);
        if at < self.out.len() {
            self.tail(simd, at);
        }
    }
}

impl Plain<'_> {
    /// Computes as many strips of `N` vectors as there are from index `at` of the result on. Their sums stay in
    /// registers, so that only the matrix is read. Returns the index at which the last strip ends.
    #[inline(always)]
    fn strips<S: Simd, const N: usize>(&mut self, simd: S, mut at: usize) -> usize {
        let width = N * S::F32_LANES;
        while at + width <= self.out.len() {
            let mut sums = [simd.splat_f32s(0.0); N];
            sums.copy_from_slice(S::as_simd_f32s(&self.out[at..at + width]).0);
            self.each(at, width, |factor, row| {
                let (factor, (row, _)) = (simd.splat_f32s(factor), S::as_simd_f32s(row));
                for vector in 0..N {
                    sums[vector] = simd.mul_add_e_f32s(factor, row[vector], sums[vector]);
                }
            });
            S::as_mut_simd_f32s(&mut self.out[at..at + width]).0.copy_from_slice(&sums);
            at += width;
        }
        at
    }

    /// Computes the numbers from index `at` on, which are fewer than a vector holds.
    #[inline(always)]
    fn tail<S: Simd>(&mut self, simd: S, at: usize) {
        let mut sum = simd.partial_load_f32s(&self.out[at..]);
        self.each(at, self.out.len() - at, |factor, row| {
            sum = simd.mul_add_e_f32s(simd.splat_f32s(factor), simd.partial_load_f32s(row), sum);
        });
        simd.partial_store_f32s(&mut self.out[at..], sum);
    }

    /// Calls `meet` with each number of the left row and the `width` numbers by which it is multiplied. These are in
    /// the columns from index `at` of the result on.
    #[inline(always)]
    fn each(&self, at: usize, width: usize, mut meet: impl FnMut(f32, &[f32])) {
        let ScatteredRows { values, starts, length, .. } = self.left;
        for (part, &start) in starts.iter().enumerate() {
            for (index, &factor) in values[start..start + length].iter().enumerate() {
                meet(factor, &self.matrix[(part * length + index) * self.columns + self.from + at..][..width]);
            }
        }
    }
}
