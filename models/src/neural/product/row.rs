//! One row times a matrix as it lies.

use pulp::{Simd, WithSimd};

use super::Rows;

/// Rows of the matrix that are taken up in one pass over the numbers of the result.
const DEEP: usize = 8;

/// A row times some columns of a matrix as it lies: bound by reading the matrix.
pub(super) struct Plain<'a> {
    pub(super) left: Rows<'a>,
    pub(super) matrix: &'a [f32],
    pub(super) columns: usize,
    /// The first of the columns that `out` has.
    pub(super) from: usize,
    pub(super) out: &'a mut [f32],
}

impl WithSimd for Plain<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Rows { values, starts, length, .. } = self.left;
        for (part, &start) in starts.iter().enumerate() {
            let (many, rest) = values[start..start + length].as_chunks::<DEEP>();
            for (index, factors) in many.iter().enumerate() {
                self.add(simd, part * length + index * DEEP, factors);
            }
            for (index, &factor) in rest.iter().enumerate() {
                self.add(simd, part * length + many.len() * DEEP + index, &[factor]);
            }
        }
    }
}

impl Plain<'_> {
    /// Adds `N` rows of the matrix from `first` on, each times its factor.
    #[inline(always)]
    fn add<S: Simd, const N: usize>(&mut self, simd: S, first: usize, factors: &[f32; N]) {
        let rows: [_; N] = std::array::from_fn(|row| {
            S::as_simd_f32s(&self.matrix[(first + row) * self.columns + self.from..][..self.out.len()])
        });
        let wide = factors.map(|factor| simd.splat_f32s(factor));
        let (out, out_tail) = S::as_mut_simd_f32s(self.out);
        let len = out.len();
        let whole = rows.map(|(whole, _)| &whole[..len]);
        for at in 0..len {
            out[at] = (0..N).fold(out[at], |sum, row| simd.mul_add_e_f32s(wide[row], whole[row][at], sum));
        }
        if !out_tail.is_empty() {
            let sum = (0..N).fold(simd.partial_load_f32s(out_tail), |sum, row| {
                simd.mul_add_e_f32s(wide[row], simd.partial_load_f32s(rows[row].1), sum)
            });
            simd.partial_store_f32s(out_tail, sum);
        }
    }
}
